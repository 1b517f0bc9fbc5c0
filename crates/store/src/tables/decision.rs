//! What the rules said about a case at one moment (審查結果), kept so that a decision can always be explained.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One run of the rules on one set of answers.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "decision")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// Revision of the case whose answers were decided.
    pub revision: i64,
    /// Microseconds UTC.
    pub at: i64,
    /// `submitted`, `corrected` or `reviewed`.
    #[sea_orm(column_type = "Text")]
    pub occasion: String,
    /// Digest of the rules, so that the same law can be run again.
    #[sea_orm(column_type = "Text")]
    pub rules_digest: String,
    /// Reference date, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub reference_date: String,
    /// `eligible`, `ineligible` or `open`.
    #[sea_orm(column_type = "Text")]
    pub finding: String,
    /// Sealed JSON of the whole decision with every step.
    pub sealed: Vec<u8>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a decision.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The newest decision of a case.
///
/// # Errors
/// The database error.
pub async fn latest(db: &impl ConnectionTrait, application: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_desc(Column::Revision)
        .order_by_desc(Column::Id)
        .one(db)
        .await
}

/// Deletes all decisions of a case.
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
