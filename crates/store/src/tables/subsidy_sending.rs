//! One sending of what a government handed in, which no later change touches.

use sea_orm::IntoActiveModel as _;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_sending")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What was handed in.
    pub filing_id: Uuid,
    /// Counts from 1.
    pub sending: i32,
    /// JSON of it.
    #[sea_orm(column_type = "Text")]
    pub content: String,
    /// SHA-256 of the JSON.
    pub digest: Vec<u8>,
    /// Member of staff who sent it.
    pub sent_by: Uuid,
    /// Microseconds UTC.
    pub sent_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new row.
///
/// # Errors
/// The database error; a second one of the same count breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The sendings of some of what was handed in, the first first.
///
/// # Errors
/// The database error.
pub async fn of_filings(db: &impl ConnectionTrait, filings: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::FilingId.is_in(filings.iter().copied()))
        .order_by_asc(Column::FilingId)
        .order_by_asc(Column::Sending)
        .all(db)
        .await
}
