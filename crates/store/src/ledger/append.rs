//! Appending to the chain inside a write.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use super::{Entry, Head, fields_text, hash, purpose_text};
use crate::tables::{ledger, ledger_word};
use crate::{StoreError, Tx};

/// Most texts kept in memory; the dictionary itself has no bound.
const KEPT: usize = 10_000;

/// The committed part of the dictionary that this process has met.
#[derive(Clone, Default)]
pub(crate) struct Words {
    known: Arc<RwLock<HashMap<String, Word>>>,
}

#[derive(Clone, Copy)]
struct Word {
    id: i64,
    digest: [u8; 32],
}

impl Words {
    fn get(&self, text: &str) -> Option<Word> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(text)
            .copied()
    }
}

/// The end of the ledger within one transaction, and the texts it met there.
pub(crate) struct Chain {
    head: Option<Head>,
    words: Words,
    met: Vec<(String, Word)>,
}

/// A state of [`Chain`] to which a failed write is taken back.
pub(crate) struct Mark {
    head: Option<Head>,
    met: usize,
}

impl Chain {
    pub(crate) fn new(words: Words) -> Chain {
        Chain {
            head: None,
            words,
            met: Vec::new(),
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            head: self.head,
            met: self.met.len(),
        }
    }

    pub(crate) fn reset(&mut self, mark: Mark) {
        // A write that was the first to read the head reads it again in the next one, because the
        // lock it took is given back with its savepoint.
        self.head = mark.head;
        self.met.truncate(mark.met);
    }

    /// Remembers the texts for later transactions, now that they are stored.
    pub(crate) fn committed(self) {
        if self.met.is_empty() {
            return;
        }
        let mut known = self.words.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() + self.met.len() > KEPT {
            known.clear();
        }
        known.extend(self.met);
    }

    /// The last entry, read once for each transaction; from then on no other process can append.
    async fn head(&mut self, tx: &Tx) -> Result<Head, StoreError> {
        if let Some(head) = self.head {
            return Ok(head);
        }
        crate::engine::lock_ledger(tx.transaction()).await?;
        let head = super::head(tx).await?;
        self.head = Some(head);
        Ok(head)
    }

    async fn word(&mut self, tx: &Tx, text: String) -> Result<Word, StoreError> {
        if let Some(word) = self.words.get(&text) {
            return Ok(word);
        }
        if let Some((_, word)) = self.met.iter().find(|(met, _)| *met == text) {
            return Ok(*word);
        }
        let digest = hash::text(&text);
        let id = match find(tx, &text).await? {
            Some(id) => id,
            None => add(tx, &text).await?,
        };
        let word = Word { id, digest };
        self.met.push((text, word));
        Ok(word)
    }
}

async fn find(db: &impl ConnectionTrait, text: &str) -> Result<Option<i64>, StoreError> {
    let row = ledger_word::Entity::find()
        .filter(ledger_word::Column::Text.eq(text))
        .one(db)
        .await?;
    Ok(row.map(|row| row.id))
}

async fn add(tx: &Tx, text: &str) -> Result<i64, StoreError> {
    let last = ledger_word::Entity::find()
        .order_by_desc(ledger_word::Column::Id)
        .one(tx)
        .await?;
    let id = last.map_or(0, |row| row.id) + 1;
    ledger_word::Entity::insert(ledger_word::ActiveModel {
        id: Set(id),
        text: Set(text.to_owned()),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(id)
}

/// Entries of one statement: 11 values each, and SQLite takes 32,766.
const STATEMENT: usize = 1_000;

/// Appends `entry` to the chain, in the transaction of the use it records.
///
/// # Errors
/// The database's.
pub async fn append(tx: &Tx, entry: Entry) -> Result<Head, StoreError> {
    append_all(tx, vec![entry]).await
}

/// Appends entries in their order, with few statements.
///
/// # Errors
/// The database's.
pub async fn append_all(tx: &Tx, entries: Vec<Entry>) -> Result<Head, StoreError> {
    // Held to the end, so that two appends of one write can't take the same place.
    let mut chain = tx.chain().await;
    let mut head = chain.head(tx).await?;
    let mut rows = Vec::with_capacity(entries.len().min(STATEMENT));
    for entry in entries {
        let row;
        (head, row) = next(&mut chain, tx, head, entry).await?;
        rows.push(row);
        if rows.len() == STATEMENT {
            ledger::Entity::insert_many(std::mem::take(&mut rows))
                .exec_without_returning(tx)
                .await?;
        }
    }
    if !rows.is_empty() {
        ledger::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    chain.head = Some(head);
    Ok(head)
}

/// The row of an entry after `head`, and the head with it.
async fn next(chain: &mut Chain, tx: &Tx, head: Head, entry: Entry) -> Result<(Head, ledger::ActiveModel), StoreError> {
    let action = chain.word(tx, super::clean(&entry.action)).await?;
    let purpose = chain.word(tx, purpose_text(&entry.purpose)).await?;
    let fields = chain.word(tx, fields_text(&entry.fields)).await?;
    let seq = head.seq + 1;
    let at = entry.at.as_microsecond();
    let application = entry.application.map(|id| id.uuid());
    let hash = hash::chained(
        &head.hash,
        &hash::Canonical {
            seq,
            at,
            actor: entry.actor.number(),
            actor_id: entry.actor_id.as_ref().map(uuid::Uuid::as_bytes),
            action: &action.digest,
            purpose: &purpose.digest,
            application: application.as_ref().map(uuid::Uuid::as_bytes),
            subject: entry.subject.as_ref(),
            fields: &fields.digest,
            count: entry.count,
        },
    );
    let row = ledger::ActiveModel {
        seq: Set(integer(seq)?),
        at: Set(at),
        actor_kind: Set(i16::from(entry.actor.number())),
        actor_id: Set(entry.actor_id),
        action: Set(action.id),
        purpose: Set(purpose.id),
        application: Set(application),
        subject: Set(entry.subject.map(Vec::from)),
        fields: Set(fields.id),
        count: Set(integer(entry.count)?),
        hash: Set(hash.to_vec()),
    };
    Ok((Head { seq, hash }, row))
}

fn integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Corrupt {
        what: "ledger",
        why: format!("{number} is too large for the table"),
    })
}
