//! The score sheet (評分表) of one reviewer for one plan.

use sea_orm::IntoActiveModel as _;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_sheet")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The plan.
    pub plan_id: Uuid,
    /// Member of the panel; once for a plan.
    pub reviewer: Uuid,
    /// JSON list of criterion, tenths of a point and comment.
    #[sea_orm(column_type = "Text")]
    pub scores: String,
    /// Microseconds UTC.
    pub saved_at: i64,
    /// Grows with every change.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new row.
///
/// # Errors
/// The database error; a second sheet of the reviewer breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The sheets of some plans.
///
/// # Errors
/// The database error.
pub async fn of_plans(db: &impl ConnectionTrait, plans: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PlanId.is_in(plans.iter().copied()))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Writes `row` over the stored one and raises the revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}
