//! Payments counted and compared: what is due, totals by amount, and a month beside the month before.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Func, IntoColumnRef as _, Query, SelectStatement};
use sea_orm::{Condition, FromQueryResult, QueryOrder as _, QuerySelect as _};

use super::application;
use super::payment::{Column, Entity, State};
use super::payment_part::{may_leave, total};

/// Due payments of one service and month.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Due {
    /// Folder name of the service.
    pub service: String,
    /// Month paid for.
    pub period: String,
    /// How many.
    pub count: i64,
    /// New Taiwan dollars.
    pub total: i64,
    /// Of them those that may not leave: without a good account, of a case that was opened again, or of a person left out.
    pub waiting: i64,
}

/// Due payments by service and month, as they stand on the legal day `today`.
///
/// # Errors
/// The database error.
pub async fn due(db: &impl ConnectionTrait, services: &[String], today: &str) -> Result<Vec<Due>, DbErr> {
    let waiting = Expr::case(may_leave(today), Expr::val(0)).finally(Expr::val(1));
    Entity::find()
        .select_only()
        .column(Column::Service)
        .column(Column::Period)
        .column_as(Column::Id.count(), "count")
        .column_as(total(), "total")
        .column_as(Expr::from(Func::sum(waiting)).cast_as("BIGINT"), "waiting")
        .filter(Column::State.eq(State::Due))
        .filter(Column::Service.is_in(services))
        .group_by(Column::Service)
        .group_by(Column::Period)
        .order_by_asc(Column::Period)
        .order_by_asc(Column::Service)
        .into_model::<Due>()
        .all(db)
        .await
}

/// First attempts of one purpose and amount.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Amount {
    /// Name of the amount in the rules.
    pub purpose: String,
    /// New Taiwan dollars of one payment.
    pub amount: i64,
    /// How many.
    pub count: i64,
    /// New Taiwan dollars of all.
    pub total: i64,
}

/// First attempts of a service and month by purpose and amount.
///
/// # Errors
/// The database error.
pub async fn amounts(db: &impl ConnectionTrait, service: &str, period: &str) -> Result<Vec<Amount>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Purpose)
        .column(Column::Amount)
        .column_as(Column::Id.count(), "count")
        .column_as(total(), "total")
        .filter(Column::Service.eq(service))
        .filter(Column::Period.eq(period))
        .filter(Column::Attempt.eq(1))
        .group_by(Column::Purpose)
        .group_by(Column::Amount)
        .order_by_asc(Column::Purpose)
        .order_by_desc(Column::Amount)
        .into_model::<Amount>()
        .all(db)
        .await
}

/// How a payment differs from that of the month before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There was none.
    New,
    /// There is none any more.
    Stopped,
    /// The amount is another one.
    Changed,
}

/// A payment that differs from that of the month before.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Difference {
    /// The case.
    pub application_id: Uuid,
    /// Number of the case.
    pub number: Option<String>,
    /// Name of the amount in the rules.
    pub purpose: String,
    /// Amount of this month; nothing when it stopped.
    pub now: Option<i64>,
    /// Amount of the month before; nothing when it is new.
    pub before: Option<i64>,
}

/// Number and sums of payments that differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// How many.
    pub count: i64,
    /// New Taiwan dollars of this month.
    pub now: i64,
    /// New Taiwan dollars of the month before.
    pub before: i64,
}

fn other() -> Alias {
    Alias::new("other")
}

/// The payments of `kind` without columns: `payment` is of this month, `other` of the month before; for what stopped it is
/// the other way round.
fn differing(service: &str, period: &str, before: &str, kind: Kind) -> SelectStatement {
    let of = |column: Column| (other(), column).into_column_ref();
    let first = |month: &str| {
        Condition::all()
            .add(Expr::col((Entity, Column::Service)).eq(service))
            .add(Expr::col((Entity, Column::Period)).eq(month))
            .add(Expr::col((Entity, Column::Attempt)).eq(1))
    };
    let partner = |month: &str| {
        Condition::all()
            .add(Expr::col(of(Column::ApplicationId)).equals((Entity, Column::ApplicationId)))
            .add(Expr::col(of(Column::Purpose)).equals((Entity, Column::Purpose)))
            .add(Expr::col(of(Column::Period)).eq(month))
            .add(Expr::col(of(Column::Attempt)).eq(1))
    };
    let (this, that) = if kind == Kind::Stopped {
        (before, period)
    } else {
        (period, before)
    };
    let mut query = Query::select();
    query.from(Entity).cond_where(first(this));
    match kind {
        Kind::Changed => {
            query
                .join_as(sea_orm::sea_query::JoinType::InnerJoin, Entity, other(), partner(that))
                .and_where(Expr::col(of(Column::Amount)).ne(Expr::col((Entity, Column::Amount))));
        }
        Kind::New | Kind::Stopped => {
            let there = Query::select()
                .expr(Expr::val(1))
                .from_as(Entity, other())
                .cond_where(partner(that))
                .to_owned();
            query.and_where(Expr::exists(there).not());
        }
    }
    query
}

/// Number and sums of the payments of a month that differ from the month before.
///
/// # Errors
/// The database error.
pub async fn differences(
    db: &impl ConnectionTrait,
    service: &str,
    period: &str,
    before: &str,
    kind: Kind,
) -> Result<Differences, DbErr> {
    let mut query = differing(service, period, before, kind);
    query.expr_as(Expr::cust("COUNT(*)"), "count").expr_as(total(), "this");
    if kind == Kind::Changed {
        query.expr_as(Expr::cust("CAST(COALESCE(SUM(other.amount), 0) AS BIGINT)"), "that");
    } else {
        query.expr_as(Expr::cust("CAST(0 AS BIGINT)"), "that");
    }
    let Some(row) = db.query_one(&query).await? else {
        return Ok(Differences::default());
    };
    let (this, that): (i64, i64) = (row.try_get("", "this")?, row.try_get("", "that")?);
    let (now, before) = if kind == Kind::Stopped {
        (that, this)
    } else {
        (this, that)
    };
    Ok(Differences {
        count: row.try_get("", "count")?,
        now,
        before,
    })
}

/// The first payments of a month that differ from the month before, by number of the case.
///
/// # Errors
/// The database error.
pub async fn list(
    db: &impl ConnectionTrait,
    service: &str,
    period: &str,
    before: &str,
    kind: Kind,
    limit: u64,
) -> Result<Vec<Difference>, DbErr> {
    let mut query = differing(service, period, before, kind);
    let none = || Expr::cust("CAST(NULL AS BIGINT)");
    let this = || Expr::col((Entity, Column::Amount));
    let that = Expr::col((other(), Column::Amount));
    let (now, before) = match kind {
        Kind::New => (this(), none()),
        Kind::Stopped => (none(), this()),
        Kind::Changed => (this(), that),
    };
    query
        .column((Entity, Column::ApplicationId))
        .column((Entity, Column::Purpose))
        .column((application::Entity, application::Column::Number))
        .expr_as(now, "now")
        .expr_as(before, "before")
        .inner_join(
            application::Entity,
            Expr::col((application::Entity, application::Column::Id)).equals((Entity, Column::ApplicationId)),
        )
        .order_by(
            (application::Entity, application::Column::Number),
            sea_orm::sea_query::Order::Asc,
        )
        .limit(limit);
    let rows = db.query_all(&query).await?;
    rows.iter().map(|row| Difference::from_query_result(row, "")).collect()
}
