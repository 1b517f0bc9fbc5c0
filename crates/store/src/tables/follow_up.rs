//! A result of the questionnaire that a person left with an office (留下試算結果), so that it can come back to them.
//!
//! The row lives until the person takes it back, the office is done, or its last day is over; then its key is destroyed.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One result, left with the office of one service.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow_up")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who left it; with the service unique.
    pub person_id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Key of what is sealed.
    pub key_id: Uuid,
    /// How to reach the person, and what they said.
    pub sealed: Vec<u8>,
    /// SHA-256 in hex of the notice agreed to.
    #[sea_orm(column_type = "Text")]
    pub digest: String,
    /// Language of the notice, as a tag.
    #[sea_orm(column_type = "Text")]
    pub language: String,
    /// Microseconds UTC.
    pub agreed_at: i64,
    /// Legal day after which it is destroyed.
    #[sea_orm(column_type = "Text")]
    pub dispose_on: String,
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
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// What a person left, newest first.
///
/// # Errors
/// The database error.
pub async fn of_person(db: &impl ConnectionTrait, person: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PersonId.eq(person))
        .order_by_desc(Column::AgreedAt)
        .all(db)
        .await
}

/// What was left for services, oldest first.
///
/// # Errors
/// The database error.
pub async fn of_services(db: &impl ConnectionTrait, services: &[String]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.is_in(services))
        .order_by_asc(Column::AgreedAt)
        .all(db)
        .await
}

/// What has had its last day before this one.
///
/// # Errors
/// The database error.
pub async fn over(db: &impl ConnectionTrait, today: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::DisposeOn.lt(today)).all(db).await
}

/// Deletes a row; false when it was gone before.
///
/// # Errors
/// The database error.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}
