//! Parts of payments on their way into a batch: marked, sealed page by page, then put into the batch by one statement.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SelectStatement};
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _, Statement, Value};

use super::payment::{Column, Entity, Model, State};
use super::{entitlement, payment_gate, payment_hold, payment_run};

/// Number and sum of payments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// New Taiwan dollars.
    pub total: i64,
}

/// A span of the same purpose that covers the month of the payment; what else is asked of it.
fn covered(more: Condition) -> SelectStatement {
    use entitlement::Column as E;
    let same = |one: E, other: Column| Expr::col((entitlement::Entity, one)).equals((Entity, other));
    Query::select()
        .expr(Expr::val(1))
        .from(entitlement::Entity)
        .cond_where(
            more.add(same(E::ApplicationId, Column::ApplicationId))
                .add(same(E::Purpose, Column::Purpose))
                .add(Expr::col((entitlement::Entity, E::FirstMonth)).lte(Expr::col((Entity, Column::Period))))
                .add(Expr::col((entitlement::Entity, E::LastMonth)).gte(Expr::col((Entity, Column::Period)))),
        )
        .to_owned()
}

/// What lets a due payment leave on the legal day `today`: a span covers its month, its account is known and good, and the case
/// stands as approved.
pub(super) fn may_leave(today: &str) -> Condition {
    let usable = Condition::all()
        .add(Expr::col((entitlement::Entity, entitlement::Column::Account)).is_not_null())
        .add(Expr::col((entitlement::Entity, entitlement::Column::AccountRefused)).eq(false));
    Condition::all()
        .add(Expr::exists(covered(usable)))
        .add(Expr::exists(standing(today)))
}

/// A hold on the case of a payment that has not ended.
fn held() -> SelectStatement {
    use payment_hold::Column as H;
    let hold = |column: H| Expr::col((payment_hold::Entity, column));
    Query::select()
        .expr(Expr::val(1))
        .from(payment_hold::Entity)
        .cond_where(
            Condition::all()
                .add(hold(H::ApplicationId).equals((Entity, Column::ApplicationId)))
                .add(hold(H::EndedAt).is_null()),
        )
        .to_owned()
}

/// The case of a payment, where it may be paid.
fn standing(today: &str) -> SelectStatement {
    payment_gate::standing(Expr::col((Entity, Column::ApplicationId)), today)
}

/// Due payments of a service and month that can go into a batch, which no run holds.
fn ready(service: &str, period: &str, today: &str) -> Condition {
    let taken = Query::select()
        .column(payment_run::Column::PartId)
        .from(payment_run::Entity)
        .cond_where(Expr::col(payment_run::Column::PartId).is_not_null())
        .to_owned();
    Condition::all()
        .add(Column::State.eq(State::Due))
        .add(Column::Service.eq(service))
        .add(Column::Period.eq(period))
        .add(
            Condition::any()
                .add(Column::PartId.is_null())
                .add(Column::PartId.not_in_subquery(taken)),
        )
        .add(may_leave(today))
}

/// Marks the next due payments of a service and month that may leave on the legal day `today` as a part and says how many; at
/// most `most`.
///
/// # Errors
/// The database error.
pub async fn take(
    db: &impl ConnectionTrait,
    (service, period): (&str, &str),
    today: &str,
    part: Uuid,
    most: u64,
) -> Result<u64, DbErr> {
    let next = Query::select()
        .column((Entity, Column::Id))
        .from(Entity)
        .cond_where(ready(service, period, today))
        .order_by((Entity, Column::Id), sea_orm::sea_query::Order::Asc)
        .limit(most)
        .to_owned();
    let done = Entity::update_many()
        .col_expr(Column::PartId, Expr::value(Some(part)))
        .col_expr(Column::Account, Expr::value(Option::<Vec<u8>>::None))
        .filter(Column::Id.in_subquery(next))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Payments of a part in the order of their ids; only those whose account is not noted yet where `open` is true.
///
/// # Errors
/// The database error.
pub async fn page(
    db: &impl ConnectionTrait,
    part: Uuid,
    after: Option<Uuid>,
    open: bool,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find()
        .filter(Column::PartId.eq(part))
        .filter(Column::State.eq(State::Due));
    if open {
        query = query.filter(Column::Account.is_null());
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    query.order_by_asc(Column::Id).limit(limit).all(db).await
}

/// Payments of a batch in the order of their ids.
///
/// # Errors
/// The database error.
pub async fn page_of_batch(
    db: &impl ConnectionTrait,
    batch: Uuid,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().filter(Column::BatchId.eq(batch));
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    query.order_by_asc(Column::Id).limit(limit).all(db).await
}

/// Notes the sealed accounts of payments of a part, by one statement for both engines.
///
/// # Errors
/// The database error.
pub async fn note_accounts(
    db: &impl ConnectionTrait,
    part: Uuid,
    accounts: Vec<(Uuid, Vec<u8>)>,
) -> Result<u64, DbErr> {
    if accounts.is_empty() {
        return Ok(0);
    }
    // the columns of VALUES are called column1, column2 by SQLite and by PostgreSQL
    let backend = db.get_database_backend();
    let mark = |place: usize| match backend {
        sea_orm::DbBackend::Postgres => format!("${place}"),
        _ => "?".to_owned(),
    };
    let rows: Vec<String> = (0..accounts.len())
        .map(|row| format!("({}, {})", mark(row * 2 + 1), mark(row * 2 + 2)))
        .collect();
    let sql = format!(
        "UPDATE payment SET account = v.column2 FROM (VALUES {}) AS v WHERE payment.id = v.column1 AND payment.part_id = {} \
         AND payment.state = 'due'",
        rows.join(", "),
        mark(accounts.len() * 2 + 1)
    );
    let mut values: Vec<Value> = Vec::with_capacity(accounts.len() * 2 + 1);
    for (id, account) in accounts {
        values.push(id.into());
        values.push(account.into());
    }
    values.push(part.into());
    let done = db
        .execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    Ok(done.rows_affected())
}

/// Number and sum of the due payments of a part.
///
/// # Errors
/// The database error.
pub async fn sum(db: &impl ConnectionTrait, part: Uuid) -> Result<Sum, DbErr> {
    sum_where(
        db,
        Condition::all()
            .add(Column::PartId.eq(part))
            .add(Column::State.eq(State::Due)),
    )
    .await
}

/// Number and sum of the payments of a batch.
///
/// # Errors
/// The database error.
pub async fn sum_of_batch(db: &impl ConnectionTrait, batch: Uuid) -> Result<Sum, DbErr> {
    sum_where(db, Condition::all().add(Column::BatchId.eq(batch))).await
}

/// The sum of amounts as a 64-bit number on both engines; PostgreSQL would make it a decimal.
pub(super) fn total() -> Expr {
    Expr::cust("CAST(COALESCE(SUM(payment.amount), 0) AS BIGINT)")
}

async fn sum_where(db: &impl ConnectionTrait, condition: Condition) -> Result<Sum, DbErr> {
    let found: Option<(i64, i64)> = Entity::find()
        .select_only()
        .column_as(Column::Id.count(), "count")
        .column_as(total(), "total")
        .filter(condition)
        .into_tuple()
        .one(db)
        .await?;
    let (count, total) = found.unwrap_or_default();
    Ok(Sum {
        count: u64::try_from(count).unwrap_or_default(),
        total,
    })
}

/// Puts a part into a batch; says how many.
///
/// # Errors
/// The database error.
pub async fn close(db: &impl ConnectionTrait, part: Uuid, batch: Uuid, at: i64) -> Result<u64, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Batched))
        .col_expr(Column::BatchId, Expr::value(Some(batch)))
        .col_expr(Column::ChangedAt, Expr::value(at))
        .filter(Column::PartId.eq(part))
        .filter(Column::State.eq(State::Due))
        .filter(Column::Account.is_not_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Takes one payment out of its part.
///
/// # Errors
/// The database error.
pub async fn leave(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::PartId, Expr::value(Option::<Uuid>::None))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(State::Due))
        .exec(db)
        .await?;
    Ok(())
}

/// Gives the payments of a part free again.
///
/// # Errors
/// The database error.
pub async fn free(db: &impl ConnectionTrait, part: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::PartId, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::Account, Expr::value(Option::<Vec<u8>>::None))
        .filter(Column::PartId.eq(part))
        .filter(Column::State.eq(State::Due))
        .exec(db)
        .await?;
    Ok(())
}

/// Payments of a batch that may not go to the bank any more on the legal day `today`: no entitlement covers their month, the case
/// is on hold or opened again, or its person is left out.
///
/// # Errors
/// The database error.
pub async fn stopped_in_batch(db: &impl ConnectionTrait, batch: Uuid, today: &str) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::BatchId.eq(batch))
        .filter(
            Condition::any()
                .add(Expr::exists(covered(Condition::all())).not())
                .add(Expr::exists(standing(today)).not())
                .add(Expr::exists(held())),
        )
        .count(db)
        .await
}

/// Moves payments of these ids that are out at the bank to paid; says how many.
///
/// # Errors
/// The database error.
pub async fn pay(db: &impl ConnectionTrait, ids: Vec<Uuid>, at: i64) -> Result<u64, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Paid))
        .col_expr(Column::Reason, Expr::value(Option::<String>::None))
        .col_expr(Column::ChangedAt, Expr::value(at))
        .col_expr(Column::PaidAt, Expr::value(Some(at)))
        .filter(Column::Id.is_in(ids))
        .filter(Column::State.eq(State::Released))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Keeps back what is due to a case; says how many payments.
///
/// # Errors
/// The database error.
pub async fn hold(db: &impl ConnectionTrait, application: Uuid, at: i64) -> Result<u64, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Held))
        .col_expr(Column::PartId, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::Account, Expr::value(Option::<Vec<u8>>::None))
        .col_expr(Column::ChangedAt, Expr::value(at))
        .filter(Column::ApplicationId.eq(application))
        .filter(Column::State.eq(State::Due))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Makes due again what was kept back from a case; says how many payments.
///
/// # Errors
/// The database error.
pub async fn resume(db: &impl ConnectionTrait, application: Uuid, at: i64) -> Result<u64, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Due))
        .col_expr(Column::ChangedAt, Expr::value(at))
        .filter(Column::ApplicationId.eq(application))
        .filter(Column::State.eq(State::Held))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Takes out of a batch that is dissolved what is not due any more: what is held stays held, and what no span covers is gone.
///
/// # Errors
/// The database error.
pub async fn leave_batch(db: &impl ConnectionTrait, batch: Uuid, at: i64) -> Result<(), DbErr> {
    let own = || {
        Condition::all()
            .add(Column::BatchId.eq(batch))
            .add(Column::State.eq(State::Batched))
    };
    Entity::delete_many()
        .filter(own())
        .filter(Expr::exists(covered(Condition::all())).not())
        .exec(db)
        .await?;
    Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Held))
        .col_expr(Column::BatchId, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::PartId, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::Account, Expr::value(Option::<Vec<u8>>::None))
        .col_expr(Column::ChangedAt, Expr::value(at))
        .filter(own())
        .filter(Expr::exists(held()))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes the payments of a case that have not gone into a batch and whose month no span covers any more; says how many.
///
/// # Errors
/// The database error.
pub async fn drop_uncovered(db: &impl ConnectionTrait, application: Uuid) -> Result<u64, DbErr> {
    let done = Entity::delete_many()
        .filter(Column::ApplicationId.eq(application))
        .filter(Column::State.is_in([State::Due, State::Held]))
        .filter(Expr::exists(covered(Condition::all())).not())
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Payments of these ids.
///
/// # Errors
/// The database error.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}
