//! Whose data was used within a scope: the question that a breach of personal data asks of the ledger.

use jiff::{SignedDuration, Timestamp};
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::{ActorKind, read::corrupt};
use crate::StoreError;
use crate::tables::{application, ledger};

/// Which uses are meant; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// From this time on.
    pub from: Timestamp,
    /// Before this time.
    pub to: Timestamp,
    /// By this member of staff.
    pub staff: Option<Uuid>,
    /// For this case.
    pub application: Option<Uuid>,
    /// For the cases of this service.
    pub service: Option<String>,
}

/// One use, without what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// Number of the entry.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Keyed hash of the person concerned; nothing for a use that names nobody.
    pub subject: Option<[u8; 32]>,
    /// The case it was done for.
    pub application: Option<Uuid>,
}

/// Number, time, subject and case of an entry, as stored.
type Columns = (i64, i64, Option<Vec<u8>>, Option<Uuid>);

/// How far the time of an entry may stand before that of an earlier one: it is taken when the use begins, its place when it is written.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// Numbers of the entries between which those of a scope stand, found by halving: the first that may be of it, and the one behind the
/// last. A ledger has no order by time that could be asked.
///
/// # Errors
/// The database's.
pub async fn span(db: &impl ConnectionTrait, scope: &Scope) -> Result<(u64, u64), StoreError> {
    let from = scope.from.checked_sub(SKEW).unwrap_or(Timestamp::MIN);
    let to = scope.to.checked_add(SKEW).unwrap_or(Timestamp::MAX);
    Ok((first_at(db, from).await?, first_at(db, to).await?))
}

/// The first entry that is not before this time; behind the last one where there is none.
async fn first_at(db: &impl ConnectionTrait, time: Timestamp) -> Result<u64, StoreError> {
    let (mut low, mut high) = (1, super::head(db).await?.seq.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let at: Option<i64> = ledger::Entity::find_by_id(i64::try_from(middle).unwrap_or(i64::MAX))
            .select_only()
            .column(ledger::Column::At)
            .into_tuple()
            .one(db)
            .await?;
        if at.is_some_and(|at| at < time.as_microsecond()) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The uses within a scope from entry `first` on and before entry `end`, oldest first, at most `limit`.
///
/// # Errors
/// The database's, or an entry that can't be understood.
pub async fn within(
    db: &impl ConnectionTrait,
    scope: &Scope,
    (first, end): (u64, u64),
    limit: u64,
) -> Result<Vec<Use>, StoreError> {
    let stored = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
    let mut query = ledger::Entity::find()
        .select_only()
        .column(ledger::Column::Seq)
        .column(ledger::Column::At)
        .column(ledger::Column::Subject)
        .column(ledger::Column::Application)
        .filter(ledger::Column::Seq.gte(stored(first)))
        .filter(ledger::Column::Seq.lt(stored(end)))
        .filter(ledger::Column::At.gte(scope.from.as_microsecond()))
        .filter(ledger::Column::At.lt(scope.to.as_microsecond()));
    if let Some(staff) = scope.staff {
        query = query
            .filter(ledger::Column::ActorKind.eq(i16::from(ActorKind::Staff.number())))
            .filter(ledger::Column::ActorId.eq(staff));
    }
    if let Some(application) = scope.application {
        query = query.filter(ledger::Column::Application.eq(application));
    }
    if let Some(service) = &scope.service {
        let cases = Query::select()
            .column(application::Column::Id)
            .from(application::Entity)
            .and_where(application::Column::Service.eq(service.as_str()))
            .to_owned();
        query = query.filter(ledger::Column::Application.in_subquery(cases));
    }
    let rows: Vec<Columns> = query
        .order_by_asc(ledger::Column::Seq)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    rows.into_iter()
        .map(|(seq, at, subject, application)| {
            Ok(Use {
                seq: seq.try_into().map_err(|_| corrupt("negative number"))?,
                at: Timestamp::from_microsecond(at).map_err(|_| corrupt("impossible time"))?,
                subject: subject
                    .map(|subject| subject.try_into().map_err(|_| corrupt("subject of a wrong length")))
                    .transpose()?,
                application,
            })
        })
        .collect()
}
