//! What an approved case is entitled to (核定給付): an amount for each month of a span.

use std::collections::HashSet;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// One amount of one approved case.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entitlement")]
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
    /// New Taiwan dollars for each period.
    pub amount: i64,
    /// First month, `YYYY-MM`.
    #[sea_orm(column_type = "Text")]
    pub first_month: String,
    /// Last month, `YYYY-MM`.
    #[sea_orm(column_type = "Text")]
    pub last_month: String,
    /// Sealed JSON of the account to pay to.
    pub account: Option<Vec<u8>>,
    /// The bank refused the account and the person has not given another one yet.
    pub account_refused: bool,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Grows with every change of the account.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Writes a new row.
///
/// # Errors
/// The database error; a second row for the same case and purpose breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// What a case is entitled to.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_asc(Column::Purpose)
        .all(db)
        .await
}

/// Some entitlements of a month, and those of them that a payment is to be made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owing {
    /// The last one looked at; nothing when none was left.
    pub last: Option<Uuid>,
    /// Those with no payment for the month, of cases that may be paid.
    pub rows: Vec<Model>,
}

/// Looks at the next entitlements of a service that reach into this month, `limit` of them in the order of their ids: which have no
/// payment for it yet, of cases that may be paid on the legal day `today`.
///
/// Each table is asked by itself for the cases of this page. Joined in one statement, a planner that knows little of new rows
/// begins with every case of the city, page after page.
///
/// # Errors
/// The database error.
pub async fn without_payment(
    db: &impl ConnectionTrait,
    service: &str,
    month: &str,
    today: &str,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Owing, DbErr> {
    use super::{adjustment, payment, payment_gate};
    let mut query = Entity::find()
        .filter(Column::Service.eq(service))
        .filter(Column::FirstMonth.lte(month))
        .filter(Column::LastMonth.gte(month));
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    let mut rows = query.order_by_asc(Column::Id).limit(limit).all(db).await?;
    let last = rows.last().map(|row| row.id);
    let cases: Vec<Uuid> = rows.iter().map(|row| row.application_id).collect();
    let mut done: HashSet<(Uuid, String)> = payment::Entity::find()
        .select_only()
        .column(payment::Column::ApplicationId)
        .column(payment::Column::Purpose)
        .filter(payment::Column::ApplicationId.is_in(cases.iter().copied()))
        .filter(payment::Column::Period.eq(month))
        .into_tuple::<(Uuid, String)>()
        .all(db)
        .await?
        .into_iter()
        .collect();
    // what an earlier decision paid for the month counts for this one; the difference was settled when it was made
    let settled: Vec<(Uuid, String)> = adjustment::Entity::find()
        .select_only()
        .column(adjustment::Column::ApplicationId)
        .column(adjustment::Column::Purpose)
        .filter(adjustment::Column::ApplicationId.is_in(cases.iter().copied()))
        .filter(adjustment::Column::Period.eq(month))
        .into_tuple()
        .all(db)
        .await?;
    done.extend(settled);
    let standing: HashSet<Uuid> = payment_gate::standing_among(db, cases, today)
        .await?
        .into_iter()
        .collect();
    rows.retain(|row| {
        standing.contains(&row.application_id) && !done.contains(&(row.application_id, row.purpose.clone()))
    });
    Ok(Owing { last, rows })
}

/// What these cases are entitled to.
///
/// # Errors
/// The database error.
pub async fn of_applications(db: &impl ConnectionTrait, applications: Vec<Uuid>) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.is_in(applications))
        .all(db)
        .await
}

impl Model {
    /// Whether it covers a month, `YYYY-MM`, of a purpose.
    #[must_use]
    pub fn covers(&self, purpose: &str, period: &str) -> bool {
        self.purpose == purpose && self.first_month.as_str() <= period && self.last_month.as_str() >= period
    }
}

/// Replaces the sealed account; false when somebody changed the row in the meantime.
///
/// # Errors
/// The database error.
pub async fn set_account(db: &impl ConnectionTrait, id: Uuid, revision: i64, account: Vec<u8>) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::Account, Expr::value(Some(account)))
        .col_expr(Column::AccountRefused, Expr::value(false))
        .col_expr(Column::Revision, Expr::value(revision + 1))
        .filter(Column::Id.eq(id))
        .filter(Column::Revision.eq(revision))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Notes that the bank refused the account of this purpose.
///
/// # Errors
/// The database error.
pub async fn refuse_account(db: &impl ConnectionTrait, application: Uuid, purpose: &str) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::AccountRefused, Expr::value(true))
        .filter(Column::ApplicationId.eq(application))
        .filter(Column::Purpose.eq(purpose))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes all rows of a case.
///
/// # Errors
/// The database error.
pub async fn delete_of(db: &impl ConnectionTrait, application: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ApplicationId.eq(application))
        .exec(db)
        .await?;
    Ok(())
}

/// Sets another amount and span: a decision made anew took the place of the earlier one.
///
/// # Errors
/// The database error.
pub async fn amend(db: &impl ConnectionTrait, id: Uuid, amount: i64, first: &str, last: &str) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Amount, Expr::value(amount))
        .col_expr(Column::FirstMonth, Expr::value(first))
        .col_expr(Column::LastMonth, Expr::value(last))
        .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes an entitlement under which nothing was paid.
///
/// # Errors
/// The database error.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}
