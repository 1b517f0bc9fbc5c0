//! Going through the chain from the first entry, in bounded memory.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::checkpoint::Checkpoint;
use super::merkle::{self, Hash, Tree};
use super::{Head, hash};
use crate::tables::{ledger, ledger_word};
use crate::{Store, StoreError};

/// Entries read at once.
pub(super) const PAGE: u64 = 5_000;

/// A ledger that holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many entries it has.
    pub entries: u64,
    /// Its end, to be published.
    pub head: Head,
    /// Root of the tree over its entries (RFC 9162 §2.1, each leaf the hash of an entry).
    pub root: Hash,
}

/// An end of the ledger that was published, which the ledger must still contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The last entry then.
    pub head: Head,
    /// Root of the tree then, where it was published too.
    pub root: Option<Hash>,
}

impl From<Head> for Published {
    fn from(head: Head) -> Published {
        Published { head, root: None }
    }
}

impl From<&Checkpoint> for Published {
    fn from(checkpoint: &Checkpoint) -> Published {
        Published {
            head: checkpoint.head,
            root: Some(checkpoint.root),
        }
    }
}

/// How a ledger doesn't hold together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An entry was taken out, or put where it doesn't belong.
    #[error("ledger: entry {expected} is missing; entry {found} stands in its place")]
    Missing {
        /// Number that should come next.
        expected: u64,
        /// Number that comes next.
        found: u64,
    },
    /// An entry, a text it refers to, or an entry before it was changed.
    #[error("ledger: entry {0} does not fit its hash; it or an entry before it was changed")]
    Altered(u64),
    /// A text that an entry refers to is gone from the dictionary.
    #[error("ledger: entry {seq} refers to text {word}, which is not in the dictionary")]
    NoWord {
        /// Number of the entry.
        seq: u64,
        /// Number of the text.
        word: u64,
    },
    /// A value can't be what the program wrote.
    #[error("ledger: entry {0} holds an impossible value")]
    Impossible(u64),
    /// The ledger ends before a published head.
    #[error("ledger: entry {published} was published, but the ledger ends at entry {found}")]
    CutOff {
        /// Number of the published entry.
        published: u64,
        /// Number of the last entry there is.
        found: u64,
    },
    /// The ledger holds together, but isn't the one whose head was published.
    #[error("ledger: entry {0} has another hash than the published one; the ledger was rewritten")]
    Rewritten(u64),
    /// A published checkpoint or its key can't be used.
    #[error("ledger checkpoint: {0}")]
    Checkpoint(String),
    /// A proof proves nothing.
    #[error("ledger proof: {0}")]
    Proof(String),
    /// An exported file is not what it says, or incomplete.
    #[error("ledger file: {0}")]
    File(String),
}

/// An entry as stored, on its way through the check.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub seq: u64,
    pub at: i64,
    pub actor: u8,
    pub actor_id: Option<[u8; 16]>,
    pub action: u64,
    pub purpose: u64,
    pub application: Option<[u8; 16]>,
    pub subject: Option<[u8; 32]>,
    pub fields: u64,
    pub count: u64,
    pub hash: [u8; 32],
}

/// SHA-256 of the dictionary's texts by number.
#[derive(Default)]
pub(super) struct Digests {
    /// Those numbered from 1 on, as the program numbers them: looked up three times for each entry.
    dense: Vec<Hash>,
    others: HashMap<u64, Hash>,
}

impl Digests {
    /// Adds a text; one that has the number of another takes its place.
    pub(super) fn insert(&mut self, id: u64, text: &str) {
        let digest = hash::text(text);
        let at = id.checked_sub(1).and_then(|at| usize::try_from(at).ok());
        match at {
            Some(at) if at == self.dense.len() => self.dense.push(digest),
            Some(at) if at < self.dense.len() => {
                if let Some(place) = self.dense.get_mut(at) {
                    *place = digest;
                }
            }
            _ => {
                self.others.insert(id, digest);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.dense.len() + self.others.len()
    }

    fn of(&self, seq: u64, word: u64) -> Result<&Hash, Fault> {
        let dense = usize::try_from(word.wrapping_sub(1))
            .ok()
            .and_then(|at| self.dense.get(at));
        dense
            .or_else(|| self.others.get(&word))
            .ok_or(Fault::NoWord { seq, word })
    }
}

/// Whether `link` may follow the entry `before`.
pub(super) fn follows(before: &Head, link: &Link, digests: &Digests) -> Result<(), Fault> {
    let seq = link.seq;
    if before.seq.checked_add(1) != Some(seq) {
        return Err(Fault::Missing {
            expected: before.seq.saturating_add(1),
            found: seq,
        });
    }
    let expected = hash::chained(
        &before.hash,
        &hash::Canonical {
            seq,
            at: link.at,
            actor: link.actor,
            actor_id: link.actor_id.as_ref(),
            action: digests.of(seq, link.action)?,
            purpose: digests.of(seq, link.purpose)?,
            application: link.application.as_ref(),
            subject: link.subject.as_ref(),
            fields: digests.of(seq, link.fields)?,
            count: link.count,
        },
    );
    if expected == link.hash {
        Ok(())
    } else {
        Err(Fault::Altered(seq))
    }
}

/// What was published, in order, and how far it was met.
pub(super) struct Expected {
    /// The nearest last.
    rest: Vec<Published>,
}

impl Expected {
    pub(super) fn new(published: &[Published]) -> Expected {
        let mut rest = published.to_vec();
        rest.sort_by_key(|one| std::cmp::Reverse(one.head.seq));
        Expected { rest }
    }

    /// Whether something published is due between two entries.
    pub(super) fn any(&self, first: u64, last: u64) -> bool {
        self.rest.iter().any(|one| (first..=last).contains(&one.head.seq))
    }

    /// Compares what was published at the place `head`.
    pub(super) fn meet(&mut self, head: Head, tree: &Tree) -> Result<(), Fault> {
        while let Some(next) = self.rest.pop_if(|next| next.head.seq == head.seq) {
            if next.head.hash != head.hash || next.root.is_some_and(|root| root != tree.root()) {
                return Err(Fault::Rewritten(head.seq));
            }
        }
        Ok(())
    }

    pub(super) fn finish(&self, found: u64) -> Result<(), Fault> {
        match self.rest.last() {
            Some(next) => Err(Fault::CutOff {
                published: next.head.seq,
                found,
            }),
            None => Ok(()),
        }
    }
}

/// The check, fed with one entry after another.
pub(super) struct Walk {
    pub(super) head: Head,
    pub(super) tree: Tree,
    pub(super) digests: Digests,
    expected: Expected,
}

impl Walk {
    pub(super) fn new(published: &[Published]) -> Walk {
        Walk {
            head: Head::EMPTY,
            tree: Tree::default(),
            digests: Digests::default(),
            expected: Expected::new(published),
        }
    }

    pub(super) fn step(&mut self, link: &Link) -> Result<(), Fault> {
        if self.head.seq == 0 {
            self.expected.meet(self.head, &self.tree)?;
        }
        follows(&self.head, link, &self.digests)?;
        self.head = Head {
            seq: link.seq,
            hash: link.hash,
        };
        self.tree.push(merkle::leaf(&link.hash));
        self.expected.meet(self.head, &self.tree)
    }

    pub(super) fn finish(&mut self) -> Result<Verified, Fault> {
        self.expected.meet(self.head, &self.tree)?;
        self.expected.finish(self.head.seq)?;
        Ok(Verified {
            entries: self.head.seq,
            head: self.head,
            root: self.tree.root(),
        })
    }
}

impl TryFrom<ledger::Model> for Link {
    type Error = Fault;

    fn try_from(row: ledger::Model) -> Result<Link, Fault> {
        let seq = u64::try_from(row.seq).map_err(|_| Fault::Impossible(0))?;
        let number = |value: i64| u64::try_from(value).map_err(|_| Fault::Impossible(seq));
        Ok(Link {
            seq,
            at: row.at,
            actor: u8::try_from(row.actor_kind).map_err(|_| Fault::Impossible(seq))?,
            actor_id: row.actor_id.map(uuid::Uuid::into_bytes),
            action: number(row.action)?,
            purpose: number(row.purpose)?,
            application: row.application.map(uuid::Uuid::into_bytes),
            subject: row
                .subject
                .map(<[u8; 32]>::try_from)
                .transpose()
                .map_err(|_| Fault::Impossible(seq))?,
            fields: number(row.fields)?,
            count: number(row.count)?,
            hash: row.hash.try_into().map_err(|_| Fault::Impossible(seq))?,
        })
    }
}

/// Goes through the ledger of `store` from its first entry to its end, and compares it with what was published earlier.
///
/// # Errors
/// [`StoreError::Ledger`] with the first fault found; the database's.
pub async fn verify(store: &Store, published: impl IntoIterator<Item = Published>) -> Result<Verified, StoreError> {
    let published: Vec<Published> = published.into_iter().collect();
    verify_on(store.read(), &published).await
}

/// As [`verify`], on any connection: a snapshot has no store around it.
pub(crate) async fn verify_on(db: &impl ConnectionTrait, published: &[Published]) -> Result<Verified, StoreError> {
    let mut walk = Walk::new(published);
    let end = super::head(db).await?;
    words(db, i64::MIN, |id, text| {
        walk.digests.insert(id, text);
        Ok(())
    })
    .await?;
    links(db, Head::EMPTY, end, |link| Ok(walk.step(&link)?)).await?;
    Ok(walk.finish()?)
}

/// The texts of the dictionary with numbers above `last`; gives the last number.
pub(super) async fn words(
    db: &impl ConnectionTrait,
    mut last: i64,
    mut each: impl FnMut(u64, &str) -> Result<(), StoreError>,
) -> Result<i64, StoreError> {
    loop {
        let page = ledger_word::Entity::find()
            .filter(ledger_word::Column::Id.gt(last))
            .order_by_asc(ledger_word::Column::Id)
            .limit(PAGE)
            .all(db)
            .await?;
        let Some(end) = page.last() else { return Ok(last) };
        last = end.id;
        for word in &page {
            // A number the program never gives is never referred to.
            if let Ok(id) = u64::try_from(word.id) {
                each(id, &word.text)?;
            }
        }
    }
}

/// Every entry after `begin` up to `end`, in order. From the beginning it takes those with impossible numbers too.
pub(super) async fn links(
    db: &impl ConnectionTrait,
    begin: Head,
    end: Head,
    mut each: impl FnMut(Link) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let end = i64::try_from(end.seq).unwrap_or(i64::MAX);
    let mut last = match begin.seq {
        0 => i64::MIN,
        seq => i64::try_from(seq).unwrap_or(i64::MAX),
    };
    loop {
        let page = ledger::Entity::find()
            .filter(ledger::Column::Seq.gt(last))
            .filter(ledger::Column::Seq.lte(end))
            .order_by_asc(ledger::Column::Seq)
            .limit(PAGE)
            .all(db)
            .await?;
        let Some(row) = page.last() else { return Ok(()) };
        last = row.seq;
        for row in page {
            each(Link::try_from(row)?)?;
        }
    }
}
