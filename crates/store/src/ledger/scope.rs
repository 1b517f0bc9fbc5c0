//! Whose data was used within a scope: the question that a breach of personal data asks of the ledger.

use jiff::Timestamp;
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

/// The uses within a scope behind entry `after`, oldest first, at most `limit`.
///
/// # Errors
/// The database's, or an entry that can't be understood.
pub async fn within(db: &impl ConnectionTrait, scope: &Scope, after: u64, limit: u64) -> Result<Vec<Use>, StoreError> {
    let mut query = ledger::Entity::find()
        .select_only()
        .column(ledger::Column::Seq)
        .column(ledger::Column::At)
        .column(ledger::Column::Subject)
        .column(ledger::Column::Application)
        .filter(ledger::Column::Seq.gt(i64::try_from(after).unwrap_or(i64::MAX)))
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
