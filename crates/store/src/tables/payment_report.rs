//! The bank's report (pain.002) as imported, once for each message of the bank.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One report.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_report")]
pub struct Model {
    /// SHA-256 in hex of the file.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub digest: String,
    /// MsgId of the bank.
    #[sea_orm(column_type = "Text")]
    pub message: String,
    /// The batch it answers.
    pub batch_id: Uuid,
    /// Payments accepted by this report.
    pub accepted: i32,
    /// Payments refused by this report.
    pub rejected: i32,
    /// Member of staff who imported it.
    pub imported_by: Uuid,
    /// Microseconds UTC.
    pub imported_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The report with this digest.
///
/// # Errors
/// The database error.
pub async fn by_digest(db: &impl ConnectionTrait, digest: &str) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(digest.to_owned()).one(db).await
}

/// All reports on a batch, oldest first.
///
/// # Errors
/// The database error.
pub async fn of_batch(db: &impl ConnectionTrait, batch: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::BatchId.eq(batch))
        .order_by_asc(Column::ImportedAt)
        .all(db)
        .await
}

/// Writes a report; false when the same file was imported before.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<bool, DbErr> {
    let rows = Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::column(Column::Digest).do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(rows == 1)
}
