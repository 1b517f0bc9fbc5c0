//! The switch of one interface of T-Road: off at once, with a reason, and still off after a restart.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// One switch.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "road_switch")]
pub struct Model {
    /// The interface, as the road names it.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub service: String,
    /// Whether it may be used.
    pub enabled: bool,
    /// Why it was switched.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// Member of staff who did.
    pub changed_by: Uuid,
    /// Microseconds UTC.
    pub changed_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All switches that were ever moved.
///
/// # Errors
/// The database error.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().all(db).await
}

/// Writes the switch of an interface over the one before.
///
/// # Errors
/// The database error.
pub async fn put(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let over = OnConflict::column(Column::Service)
        .update_columns([Column::Enabled, Column::Reason, Column::ChangedBy, Column::ChangedAt])
        .to_owned();
    Entity::insert(row.into_active_model())
        .on_conflict(over)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
