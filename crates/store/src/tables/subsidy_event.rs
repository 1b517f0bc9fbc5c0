//! The history of a plan: who did what and when.

use sea_orm::IntoActiveModel as _;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_event")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The plan.
    pub plan_id: Uuid,
    /// What was done, as an action of the access policies.
    #[sea_orm(column_type = "Text")]
    pub act: String,
    /// The part it was done to, or the reason given.
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
    /// Member of staff; nothing for what the platform did by itself.
    pub done_by: Option<Uuid>,
    /// Microseconds UTC.
    pub done_at: i64,
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

/// The history of a plan, the first act first.
///
/// # Errors
/// The database error.
pub async fn of_plan(db: &impl ConnectionTrait, plan: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PlanId.eq(plan))
        .order_by_asc(Column::DoneAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}
