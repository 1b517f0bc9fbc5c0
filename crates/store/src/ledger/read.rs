//! Reading entries: for the person concerned, and for a case.

use std::collections::HashMap;

use civic::ids::ApplicationId;
use jiff::Timestamp;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};

use super::{ActorKind, Entry, Head, Recorded, fields_of, purpose_of};
use crate::StoreError;
use crate::tables::{ledger, ledger_word};

/// The last entry's place; [`Head::EMPTY`] when there is none.
///
/// # Errors
/// The database's.
pub async fn head(db: &impl ConnectionTrait) -> Result<Head, StoreError> {
    let last: Option<(i64, Vec<u8>)> = ledger::Entity::find()
        .select_only()
        .column(ledger::Column::Seq)
        .column(ledger::Column::Hash)
        .order_by_desc(ledger::Column::Seq)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    match last {
        None => Ok(Head::EMPTY),
        Some((seq, hash)) => Ok(Head {
            seq: seq.try_into().map_err(|_| corrupt("negative number"))?,
            hash: hash.try_into().map_err(|_| corrupt("hash of a wrong length"))?,
        }),
    }
}

/// Entries about one person, newest first: at most `limit`, those before entry `before` if given.
///
/// # Errors
/// The database's, or an entry that can't be understood.
pub async fn of_subject(
    db: &impl ConnectionTrait,
    subject: &[u8; 32],
    before: Option<u64>,
    limit: u64,
) -> Result<Vec<Recorded>, StoreError> {
    let query = ledger::Entity::find().filter(ledger::Column::Subject.eq(subject.to_vec()));
    newest(db, query, before, limit).await
}

/// Entries for one case, newest first: at most `limit`, those before entry `before` if given.
///
/// # Errors
/// The database's, or an entry that can't be understood.
pub async fn of_application(
    db: &impl ConnectionTrait,
    application: ApplicationId,
    before: Option<u64>,
    limit: u64,
) -> Result<Vec<Recorded>, StoreError> {
    let query = ledger::Entity::find().filter(ledger::Column::Application.eq(application.uuid()));
    newest(db, query, before, limit).await
}

/// Entries of a span of time, newest first: from `from` on and before `to`, at most `limit`, those before entry `before`
/// if given. Reads the chain backwards, so a span long past costs the entries since.
///
/// # Errors
/// The database's, or an entry that can't be understood.
pub async fn between(
    db: &impl ConnectionTrait,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    before: Option<u64>,
    limit: u64,
) -> Result<Vec<Recorded>, StoreError> {
    let mut query = ledger::Entity::find();
    if let Some(from) = from {
        query = query.filter(ledger::Column::At.gte(from.as_microsecond()));
    }
    if let Some(to) = to {
        query = query.filter(ledger::Column::At.lt(to.as_microsecond()));
    }
    newest(db, query, before, limit).await
}

async fn newest(
    db: &impl ConnectionTrait,
    mut query: Select<ledger::Entity>,
    before: Option<u64>,
    limit: u64,
) -> Result<Vec<Recorded>, StoreError> {
    if let Some(before) = before {
        query = query.filter(ledger::Column::Seq.lt(i64::try_from(before).unwrap_or(i64::MAX)));
    }
    let rows = query.order_by_desc(ledger::Column::Seq).limit(limit).all(db).await?;
    let mut ids: Vec<i64> = rows
        .iter()
        .flat_map(|row| [row.action, row.purpose, row.fields])
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let words: HashMap<i64, String> = ledger_word::Entity::find()
        .filter(ledger_word::Column::Id.is_in(ids))
        .all(db)
        .await?
        .into_iter()
        .map(|word| (word.id, word.text))
        .collect();
    rows.into_iter().map(|row| recorded(row, &words)).collect()
}

fn recorded(row: ledger::Model, words: &HashMap<i64, String>) -> Result<Recorded, StoreError> {
    let word = |id: i64| {
        words
            .get(&id)
            .ok_or_else(|| corrupt("text missing from the dictionary"))
    };
    let application = row.application.map(ApplicationId::from);
    Ok(Recorded {
        seq: row.seq.try_into().map_err(|_| corrupt("negative number"))?,
        hash: row.hash.try_into().map_err(|_| corrupt("hash of a wrong length"))?,
        entry: Entry {
            at: Timestamp::from_microsecond(row.at).map_err(|_| corrupt("impossible time"))?,
            actor: ActorKind::from_number(row.actor_kind.into()).ok_or_else(|| corrupt("unknown kind of actor"))?,
            actor_id: row.actor_id,
            action: word(row.action)?.clone(),
            purpose: purpose_of(word(row.purpose)?, application),
            application,
            subject: row
                .subject
                .map(|subject| subject.try_into().map_err(|_| corrupt("subject of a wrong length")))
                .transpose()?,
            fields: fields_of(word(row.fields)?),
            count: row.count.try_into().map_err(|_| corrupt("negative count"))?,
        },
    })
}

pub(super) fn corrupt(why: &str) -> StoreError {
    StoreError::Corrupt {
        what: "ledger",
        why: why.to_owned(),
    }
}
