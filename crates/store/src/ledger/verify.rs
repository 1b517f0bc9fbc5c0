//! Going through the chain from the first entry, in bounded memory.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

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
    /// An exported file is not what it says, or incomplete.
    #[error("ledger file: {0}")]
    File(String),
}

/// An entry as stored, on its way through the check.
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

/// The check, fed with one entry after another.
pub(super) struct Walk {
    head: Head,
    published: Option<Head>,
    /// SHA-256 of the dictionary's texts by number.
    words: HashMap<u64, [u8; 32]>,
}

impl Walk {
    pub(super) fn new(published: Option<Head>) -> Walk {
        Walk {
            head: Head::EMPTY,
            published,
            words: HashMap::new(),
        }
    }

    pub(super) fn word(&mut self, id: u64, text: &str) {
        self.words.insert(id, hash::text(text));
    }

    fn digest(&self, seq: u64, word: u64) -> Result<&[u8; 32], Fault> {
        self.words.get(&word).ok_or(Fault::NoWord { seq, word })
    }

    pub(super) fn step(&mut self, link: &Link) -> Result<(), Fault> {
        let seq = link.seq;
        if seq != self.head.seq + 1 {
            return Err(Fault::Missing {
                expected: self.head.seq + 1,
                found: seq,
            });
        }
        let expected = hash::chained(
            &self.head.hash,
            &hash::Canonical {
                seq,
                at: link.at,
                actor: link.actor,
                actor_id: link.actor_id.as_ref(),
                action: self.digest(seq, link.action)?,
                purpose: self.digest(seq, link.purpose)?,
                application: link.application.as_ref(),
                subject: link.subject.as_ref(),
                fields: self.digest(seq, link.fields)?,
                count: link.count,
            },
        );
        if expected != link.hash {
            return Err(Fault::Altered(seq));
        }
        self.head = Head { seq, hash: link.hash };
        match self.published {
            Some(published) if published.seq == seq && published.hash != link.hash => Err(Fault::Rewritten(seq)),
            _ => Ok(()),
        }
    }

    pub(super) fn finish(self) -> Result<Verified, Fault> {
        match self.published {
            Some(published) if published.seq > self.head.seq => Err(Fault::CutOff {
                published: published.seq,
                found: self.head.seq,
            }),
            Some(published) if published.seq == 0 && published.hash != Head::EMPTY.hash => Err(Fault::Rewritten(0)),
            _ => Ok(Verified {
                entries: self.head.seq,
                head: self.head,
            }),
        }
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

/// Goes through the ledger of `store` from its first entry to its end, and compares it with a head
/// published earlier.
///
/// # Errors
/// [`StoreError::Ledger`] with the first fault found; the database's.
pub async fn verify(store: &Store, published: Option<Head>) -> Result<Verified, StoreError> {
    let mut walk = Walk::new(published);
    let end = super::head(store.read()).await?;
    words(store.read(), |id, text| {
        walk.word(id, text);
        Ok(())
    })
    .await?;
    links(store.read(), end, |link| Ok(walk.step(&link)?)).await?;
    Ok(walk.finish()?)
}

/// Every text of the dictionary.
pub(super) async fn words(
    db: &impl ConnectionTrait,
    mut each: impl FnMut(u64, &str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut last = i64::MIN;
    loop {
        let page = ledger_word::Entity::find()
            .filter(ledger_word::Column::Id.gt(last))
            .order_by_asc(ledger_word::Column::Id)
            .limit(PAGE)
            .all(db)
            .await?;
        let Some(end) = page.last() else { return Ok(()) };
        last = end.id;
        for word in &page {
            // A number the program never gives is never referred to.
            if let Ok(id) = u64::try_from(word.id) {
                each(id, &word.text)?;
            }
        }
    }
}

/// Every entry up to `end`, in order.
pub(super) async fn links(
    db: &impl ConnectionTrait,
    end: Head,
    mut each: impl FnMut(Link) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let end = i64::try_from(end.seq).unwrap_or(i64::MAX);
    let mut last = i64::MIN;
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
