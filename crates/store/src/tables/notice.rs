//! A notice (通知) to a person about an authorisation: shown on their page and sent by mail where an address is known.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// One notice.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notice")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it is about.
    pub authorisation_id: Uuid,
    /// Whom it is for.
    pub person_id: Uuid,
    /// Kind, such as `agent-accepted`.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Unique, so that nothing is told twice.
    #[sea_orm(column_type = "Text")]
    pub idempotency_key: String,
    /// Sealed JSON under the authorisation's key: address, subject, text.
    pub sealed: Option<Vec<u8>>,
    /// `queued`, `sent`, `no_address`, `failed`.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// Attempts at sending.
    pub tries: i32,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Microseconds UTC.
    pub sent_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The notice with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The newest notices of a person.
///
/// # Errors
/// The database error.
pub async fn of_person(db: &impl ConnectionTrait, person: Uuid, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PersonId.eq(person))
        .order_by_desc(Column::MadeAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Writes a new notice.
///
/// # Errors
/// The database error; a second one of the same key breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Counts an attempt at sending.
///
/// # Errors
/// The database error.
pub async fn count_try(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Notes what became of the sending.
///
/// # Errors
/// The database error.
pub async fn finish(db: &impl ConnectionTrait, id: Uuid, status: &str, at: i64) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Status, Expr::value(status))
        .col_expr(Column::SentAt, Expr::value(Some(at)))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes the notices of an authorisation.
///
/// # Errors
/// The database error.
pub async fn delete_of(db: &impl ConnectionTrait, authorisation: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::AuthorisationId.eq(authorisation))
        .exec(db)
        .await?;
    Ok(())
}
