//! Consents to use earlier cases of a person for a new one (再利用同意): what was shown, and which cases were read.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;

/// One consent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reuse")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who.
    pub person_id: Uuid,
    /// The new case.
    pub application_id: Uuid,
    /// SHA-256 in hex of the words shown.
    #[sea_orm(column_type = "Text")]
    pub digest: String,
    /// Language of the words shown, as a tag.
    #[sea_orm(column_type = "Text")]
    pub language: String,
    /// Identifiers of the earlier cases read, separated by blanks.
    #[sea_orm(column_type = "Text")]
    pub sources: String,
    /// Microseconds UTC.
    pub agreed_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

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

/// The consents of a case.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .all(db)
        .await
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
