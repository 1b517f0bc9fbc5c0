//! A payment (撥款): one amount to one case for one month, tried once or, after the bank's refusal, again.
//!
//! Three unique indexes keep anybody from being paid twice: the end-to-end id; case, period, purpose and attempt;
//! and case, period and purpose among all payments the bank has not refused.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// To be paid with the next batch (應付).
    #[sea_orm(string_value = "due")]
    Due,
    /// Kept back by a member of staff (暫停).
    #[sea_orm(string_value = "held")]
    Held,
    /// In a batch that has not been released (已列冊).
    #[sea_orm(string_value = "batched")]
    Batched,
    /// The file has gone to the bank (已送銀行).
    #[sea_orm(string_value = "released")]
    Released,
    /// The bank says it has paid (已入帳).
    #[sea_orm(string_value = "paid")]
    Paid,
    /// The bank refused it (退匯); a new attempt may follow.
    #[sea_orm(string_value = "rejected")]
    Rejected,
}

/// One payment.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Name of the amount in the service's rules.
    #[sea_orm(column_type = "Text")]
    pub purpose: String,
    /// Month paid for, `YYYY-MM`.
    #[sea_orm(column_type = "Text")]
    pub period: String,
    /// New Taiwan dollars.
    pub amount: i64,
    /// 1 for the first try, 2 for the first after a refusal, …
    pub attempt: i32,
    /// EndToEndId of ISO 20022, at most 35 characters; unique.
    #[sea_orm(column_type = "Text")]
    pub end_to_end: String,
    /// Where it stands.
    pub state: State,
    /// The part of a run that is made into a batch.
    pub part_id: Option<Uuid>,
    /// The batch it is in.
    pub batch_id: Option<Uuid>,
    /// Sealed JSON of the account it went to.
    pub account: Option<Vec<u8>>,
    /// The bank's reason code, such as `AC04`.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Microseconds UTC.
    pub changed_at: i64,
    /// Microseconds UTC.
    pub paid_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The payment with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The payment with this EndToEndId.
///
/// # Errors
/// The database error.
pub async fn by_end_to_end(db: &impl ConnectionTrait, end_to_end: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::EndToEnd.eq(end_to_end)).one(db).await
}

/// All payments of a case, by month and attempt.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_asc(Column::Period)
        .order_by_asc(Column::Purpose)
        .order_by_asc(Column::Attempt)
        .all(db)
        .await
}

/// All payments of a batch, in a fixed order.
///
/// # Errors
/// The database error.
pub async fn of_batch(db: &impl ConnectionTrait, batch: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::BatchId.eq(batch))
        .order_by_asc(Column::EndToEnd)
        .all(db)
        .await
}

/// Payments of a service in a state; `period` narrows to one month.
///
/// # Errors
/// The database error.
pub async fn in_state(
    db: &impl ConnectionTrait,
    service: Option<&str>,
    state: State,
    period: Option<&str>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().filter(Column::State.eq(state));
    if let Some(service) = service {
        query = query.filter(Column::Service.eq(service));
    }
    if let Some(period) = period {
        query = query.filter(Column::Period.eq(period));
    }
    query
        .order_by_asc(Column::Period)
        .order_by_asc(Column::EndToEnd)
        .limit(limit)
        .all(db)
        .await
}

/// Writes new payments.
///
/// # Errors
/// The database error; a payment that is there already breaks a unique index.
pub async fn insert(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    // SQLite takes 32,766 values in a statement; a row has 16.
    for part in rows.chunks(1_000) {
        let part = part.iter().cloned().map(|row| row.into_active_model());
        Entity::insert_many(part).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Moves one payment from one state to another; false when it was not in `from`.
///
/// # Errors
/// The database error.
pub async fn step(
    db: &impl ConnectionTrait,
    id: Uuid,
    from: State,
    to: State,
    reason: Option<&str>,
    at: i64,
) -> Result<bool, DbErr> {
    let paid_at = (to == State::Paid).then_some(at);
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(to))
        .col_expr(Column::Reason, Expr::value(reason.map(str::to_owned)))
        .col_expr(Column::ChangedAt, Expr::value(at))
        .col_expr(Column::PaidAt, Expr::value(paid_at))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(from))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Moves every payment of a batch from one state to another and says how many moved; going back to `Due` takes them
/// out of the batch.
///
/// # Errors
/// The database error.
pub async fn step_batch(db: &impl ConnectionTrait, batch: Uuid, from: State, to: State, at: i64) -> Result<u64, DbErr> {
    let mut query = Entity::update_many()
        .col_expr(Column::State, Expr::value(to))
        .col_expr(Column::ChangedAt, Expr::value(at))
        .filter(Column::BatchId.eq(batch))
        .filter(Column::State.eq(from));
    if to == State::Due {
        query = query
            .col_expr(Column::BatchId, Expr::value(Option::<Uuid>::None))
            .col_expr(Column::PartId, Expr::value(Option::<Uuid>::None))
            .col_expr(Column::Account, Expr::value(Option::<Vec<u8>>::None));
    }
    Ok(query.exec(db).await?.rows_affected)
}

/// Takes out a payment that waits and was in no batch; false when it is in one or has left.
///
/// # Errors
/// The database error.
pub async fn take_out(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let done = Entity::delete_many()
        .filter(Column::Id.eq(id))
        .filter(Column::State.is_in([State::Due, State::Held]))
        .filter(Column::BatchId.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Forgets the accounts of a case; the amounts stay for the books.
///
/// # Errors
/// The database error.
pub async fn forget(db: &impl ConnectionTrait, application: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Account, Expr::value(Option::<Vec<u8>>::None))
        .filter(Column::ApplicationId.eq(application))
        .exec(db)
        .await?;
    Ok(())
}
