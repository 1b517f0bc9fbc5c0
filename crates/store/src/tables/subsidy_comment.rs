//! A comment of a colleague on a part of a plan. The ministry never sees it.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_comment")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The plan.
    pub plan_id: Uuid,
    /// Name of the part.
    #[sea_orm(column_type = "Text")]
    pub part: String,
    /// The comment.
    #[sea_orm(column_type = "Text")]
    pub text: String,
    /// Member of staff.
    pub written_by: Uuid,
    /// Microseconds UTC.
    pub written_at: i64,
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

/// The comments on a part, the newest first.
///
/// # Errors
/// The database error.
pub async fn of_part(db: &impl ConnectionTrait, plan: Uuid, part: &str, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PlanId.eq(plan))
        .filter(Column::Part.eq(part))
        .order_by_desc(Column::WrittenAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}
