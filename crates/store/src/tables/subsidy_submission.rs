//! A plan as it was sent: the whole of it, which no later change touches.

use sea_orm::IntoActiveModel as _;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_submission")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The plan.
    pub plan_id: Uuid,
    /// 1 the plan, 2 the corrected plan (修正計畫書).
    pub round: i32,
    /// Data key under which `sealed` is closed.
    pub key_id: Uuid,
    /// Sealed JSON of the plan.
    pub sealed: Vec<u8>,
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
/// The database error; a second one of the same round breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// All that was sent of a plan, the first first.
///
/// # Errors
/// The database error.
pub async fn of_plan(db: &impl ConnectionTrait, plan: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PlanId.eq(plan))
        .order_by_asc(Column::Round)
        .all(db)
        .await
}

/// What was sent last.
///
/// # Errors
/// The database error.
pub async fn last(db: &impl ConnectionTrait, plan: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::PlanId.eq(plan))
        .order_by_desc(Column::Round)
        .one(db)
        .await
}

/// What was sent last of each of these plans, in no order.
///
/// # Errors
/// The database error.
pub async fn last_of_plans(db: &impl ConnectionTrait, plans: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    let mut rows = Entity::find()
        .filter(Column::PlanId.is_in(plans.iter().copied()))
        .order_by_asc(Column::PlanId)
        .order_by_desc(Column::Round)
        .all(db)
        .await?;
    rows.dedup_by_key(|row| row.plan_id);
    Ok(rows)
}
