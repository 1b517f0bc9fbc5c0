//! Proofs that an outsider checks against a published checkpoint with no more than the public key: that one entry stands in
//! the ledger as it is told, and that a later checkpoint goes on from an earlier one.

use sea_orm::EntityTrait as _;
use serde::{Deserialize, Serialize};

use super::checkpoint::{Checkpoint, VerifyingKey};
use super::merkle::{self, Hash, Parts};
use super::verify::{Link, Published, Walk, links, words};
use super::{Fault, Head, hash};
use crate::tables::ledger_word;
use crate::{Store, StoreError};

/// Longest path: one hash for each bit of a number, twice.
const LONGEST: usize = 128;

/// A proof as a file of JSON. Hashes and ids are hexadecimal, checkpoints are the signed notes as they were published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "snake_case", deny_unknown_fields)]
pub enum Proof {
    /// One entry stands in the ledger.
    Entry {
        /// The published checkpoint.
        checkpoint: String,
        /// The entry.
        entry: Told,
        /// Hash of the entry before it.
        previous: String,
        /// From the leaf to the root (RFC 9162 §2.1.3).
        path: Vec<String>,
    },
    /// The ledger goes on from where it was.
    Extension {
        /// The earlier checkpoint.
        earlier: String,
        /// The later one.
        later: String,
        /// RFC 9162 §2.1.4.
        path: Vec<String>,
    },
}

/// An entry as its hash covers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Number.
    pub seq: u64,
    /// Microseconds UTC.
    pub at: i64,
    /// Kind of actor: 0 the platform, 1 staff, 2 resident, 3 organisation.
    pub actor: u8,
    /// Person or staff id.
    pub actor_id: Option<String>,
    /// What was done.
    pub action: String,
    /// Code, basis and function of the purpose, U+001F between them.
    pub purpose: String,
    /// The case.
    pub application: Option<String>,
    /// Keyed hash of the person concerned.
    pub subject: Option<String>,
    /// Names of the fields, U+001F between them.
    pub fields: String,
    /// How many records.
    pub count: u64,
}

/// What a proof has proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proven {
    /// This entry stands in the ledger of this checkpoint.
    Entry(Told, Checkpoint),
    /// The second goes on from the first.
    Extension(Checkpoint, Checkpoint),
}

fn wrong(why: &str) -> Fault {
    Fault::Proof(why.to_owned())
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], Fault> {
    let bytes = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Fault::Proof(format!("a value is not {N} bytes in hexadecimal")))
}

fn optional<const N: usize>(text: Option<&String>) -> Result<Option<[u8; N]>, Fault> {
    text.map(|text| bytes(text)).transpose()
}

fn steps(path: &[String]) -> Result<Vec<Hash>, Fault> {
    if path.len() > LONGEST {
        return Err(wrong("its path is too long"));
    }
    path.iter().map(|step| bytes(step)).collect()
}

fn written(path: Vec<Hash>) -> Vec<String> {
    path.into_iter().map(hex::encode).collect()
}

impl Told {
    fn hash(&self, previous: &Hash) -> Result<Hash, Fault> {
        let actor_id = optional(self.actor_id.as_ref())?;
        let application = optional(self.application.as_ref())?;
        let subject = optional(self.subject.as_ref())?;
        let canonical = hash::Canonical {
            seq: self.seq,
            at: self.at,
            actor: self.actor,
            actor_id: actor_id.as_ref(),
            action: &hash::text(&self.action),
            purpose: &hash::text(&self.purpose),
            application: application.as_ref(),
            subject: subject.as_ref(),
            fields: &hash::text(&self.fields),
            count: self.count,
        };
        Ok(hash::chained(previous, &canonical))
    }
}

impl Proof {
    /// Checks the proof with the public key alone.
    ///
    /// # Errors
    /// [`Fault::Checkpoint`] and [`Fault::Proof`], with what doesn't fit.
    pub fn check(&self, key: &VerifyingKey) -> Result<Proven, Fault> {
        match self {
            Proof::Entry {
                checkpoint,
                entry,
                previous,
                path,
            } => {
                let checkpoint = Checkpoint::open(checkpoint, key)?;
                let index = entry.seq.checked_sub(1).ok_or_else(|| wrong("entries count from 1"))?;
                let leaf = merkle::leaf(&entry.hash(&bytes(previous)?)?);
                let root = merkle::climb(index, checkpoint.head.seq, leaf, &steps(path)?);
                if root != Some(checkpoint.root) {
                    return Err(wrong(
                        "the entry does not stand in the published ledger as it is told here",
                    ));
                }
                Ok(Proven::Entry(entry.clone(), checkpoint))
            }
            Proof::Extension { earlier, later, path } => {
                let (earlier, later) = (Checkpoint::open(earlier, key)?, Checkpoint::open(later, key)?);
                let (old, new) = ((earlier.head.seq, earlier.root), (later.head.seq, later.root));
                if earlier.origin != later.origin || !merkle::extends(old, new, &steps(path)?) {
                    return Err(wrong("the later checkpoint does not go on from the earlier one"));
                }
                Ok(Proven::Extension(earlier, later))
            }
        }
    }
}

/// Goes through the ledger up to `end` and gives the roots of some parts; the ledger must be the one that was published.
async fn roots(
    store: &Store,
    published: &[&Checkpoint],
    parts: Vec<std::ops::Range<u64>>,
    mut each: impl FnMut(Head, &Link),
) -> Result<Vec<Hash>, StoreError> {
    let known: Vec<Published> = published.iter().map(|one| Published::from(*one)).collect();
    let end = published.iter().map(|one| one.head).max_by_key(|head| head.seq);
    let (mut walk, mut parts) = (Walk::new(&known), Parts::new(parts));
    words(store.read(), i64::MIN, |id, text| {
        walk.digests.insert(id, text);
        Ok(())
    })
    .await?;
    links(store.read(), Head::EMPTY, end.unwrap_or(Head::EMPTY), |link| {
        each(walk.head, &link);
        walk.step(&link)?;
        parts.push(|| merkle::leaf(&link.hash));
        Ok(())
    })
    .await?;
    walk.finish()?;
    Ok(parts.roots())
}

/// Proves that entry `seq` stands in the ledger as it was published by the signed `note`.
///
/// # Errors
/// [`StoreError::Ledger`] when the note or the ledger can't be used, or the entry came later; the database's.
pub async fn prove_entry(store: &Store, key: &VerifyingKey, note: &str, seq: u64) -> Result<Proof, StoreError> {
    let checkpoint = Checkpoint::open(note, key)?;
    if seq == 0 || seq > checkpoint.head.seq {
        let why = format!(
            "entry {seq} is not among the {} that were published",
            checkpoint.head.seq
        );
        return Err(Fault::Proof(why).into());
    }
    let mut found = None;
    let parts = merkle::inclusion(seq - 1, checkpoint.head.seq);
    let path = roots(store, &[&checkpoint], parts, |before, link| {
        if link.seq == seq {
            found = Some((before, *link));
        }
    })
    .await?;
    let (before, link) = found.ok_or_else(|| wrong("the entry is gone"))?;
    Ok(Proof::Entry {
        checkpoint: note.to_owned(),
        entry: Told {
            seq,
            at: link.at,
            actor: link.actor,
            actor_id: link.actor_id.map(hex::encode),
            action: text(store, link.action).await?,
            purpose: text(store, link.purpose).await?,
            application: link.application.map(hex::encode),
            subject: link.subject.map(hex::encode),
            fields: text(store, link.fields).await?,
            count: link.count,
        },
        previous: hex::encode(before.hash),
        path: written(path),
    })
}

async fn text(store: &Store, word: u64) -> Result<String, StoreError> {
    let id = i64::try_from(word).map_err(|_| wrong("a text has an impossible number"))?;
    let row = ledger_word::Entity::find_by_id(id).one(store.read()).await?;
    Ok(row.ok_or_else(|| wrong("a text is missing from the dictionary"))?.text)
}

/// Proves that the ledger as published by the note `later` goes on from what the note `earlier` published.
///
/// # Errors
/// As [`prove_entry`].
pub async fn prove_extension(
    store: &Store,
    key: &VerifyingKey,
    earlier: &str,
    later: &str,
) -> Result<Proof, StoreError> {
    let (old, new) = (Checkpoint::open(earlier, key)?, Checkpoint::open(later, key)?);
    if old.head.seq == 0 || old.head.seq > new.head.seq {
        let why = format!("{} entries do not go on from {}", new.head.seq, old.head.seq);
        return Err(Fault::Proof(why).into());
    }
    let parts = merkle::consistency(old.head.seq, new.head.seq);
    let path = roots(store, &[&old, &new], parts, |_, _| {}).await?;
    Ok(Proof::Extension {
        earlier: earlier.to_owned(),
        later: later.to_owned(),
        path: written(path),
    })
}
