//! Whom a breach of personal data concerns, and whether they were told.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{QueryOrder as _, QuerySelect as _};

/// Whether somebody was told, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Told {
    /// Not yet.
    #[sea_orm(string_value = "no")]
    No,
    /// By a message on a way of theirs.
    #[sea_orm(string_value = "message")]
    Message,
    /// It stands on their page, but no way leads to them.
    #[sea_orm(string_value = "page")]
    Page,
    /// By the office itself: a letter, a call, a visit.
    #[sea_orm(string_value = "otherwise")]
    Otherwise,
}

/// One person of one breach.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "breach_person")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The breach.
    pub breach_id: Uuid,
    /// Keyed hash of the national id, as the usage ledger names the person.
    pub subject: Vec<u8>,
    /// A case of theirs that was used.
    pub application_id: Option<Uuid>,
    /// Uses within the scope.
    pub uses: i64,
    /// First use, microseconds UTC.
    pub first_at: Option<i64>,
    /// Last use, microseconds UTC.
    pub last_at: Option<i64>,
    /// Whether they were told, and how.
    pub told: Told,
    /// When, microseconds UTC.
    pub told_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Rows of one statement: 9 values each, and SQLite takes 32,766.
const STATEMENT: usize = 1_000;

/// Writes new rows.
///
/// # Errors
/// The database error.
pub async fn insert_all(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    for part in rows.chunks(STATEMENT) {
        Entity::insert_many(part.iter().cloned().map(sea_orm::IntoActiveModel::into_active_model))
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// Forgets everybody of a breach, before it is counted again.
///
/// # Errors
/// The database error.
pub async fn delete_of(db: &impl ConnectionTrait, breach: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::BreachId.eq(breach))
        .exec(db)
        .await?;
    Ok(())
}

/// Those of a breach who were told in one of these ways, in the order of their identifiers: at most `limit`, behind `after`.
///
/// # Errors
/// The database error.
pub async fn page(
    db: &impl ConnectionTrait,
    breach: Uuid,
    told: &[Told],
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find()
        .filter(Column::BreachId.eq(breach))
        .filter(Column::Told.is_in(told.iter().copied()));
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after));
    }
    query.order_by_asc(Column::Id).limit(limit).all(db).await
}

/// How many of a breach were told in each way.
///
/// # Errors
/// The database error.
pub async fn counts(db: &impl ConnectionTrait, breach: Uuid) -> Result<Vec<(Told, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Told)
        .column_as(Column::Id.count(), "number")
        .filter(Column::BreachId.eq(breach))
        .group_by(Column::Told)
        .into_tuple()
        .all(db)
        .await
}

/// Notes that these were told.
///
/// # Errors
/// The database error.
pub async fn told(db: &impl ConnectionTrait, ids: Vec<Uuid>, how: Told, at: i64) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Told, Expr::val(how.to_value()))
        .col_expr(Column::ToldAt, Expr::val(at))
        .filter(Column::Id.is_in(ids))
        .exec(db)
        .await?;
    Ok(())
}

/// Notes that the office told everybody who is left itself.
///
/// # Errors
/// The database error.
pub async fn told_otherwise(db: &impl ConnectionTrait, breach: Uuid, at: i64) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Told, Expr::val(Told::Otherwise.to_value()))
        .col_expr(Column::ToldAt, Expr::val(at))
        .filter(Column::BreachId.eq(breach))
        .filter(Column::Told.is_in([Told::No, Told::Page]))
        .exec(db)
        .await?;
    Ok(())
}

/// What concerns one person.
///
/// # Errors
/// The database error.
pub async fn of_subject(db: &impl ConnectionTrait, subject: &[u8; 32]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Subject.eq(subject.to_vec()))
        .order_by_desc(Column::Id)
        .all(db)
        .await
}
