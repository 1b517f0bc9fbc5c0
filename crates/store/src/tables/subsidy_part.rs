//! A version of a part of a plan: a text, a table, the self-assessment or the contact. The newest is what the plan says.

use sea_orm::Condition;
use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{QueryOrder as _, QuerySelect as _};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_part")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The plan.
    pub plan_id: Uuid,
    /// Name of the part.
    #[sea_orm(column_type = "Text")]
    pub part: String,
    /// Counts from 1; unique for a part.
    pub version: i64,
    /// Data key under which `sealed` is closed.
    pub key_id: Uuid,
    /// Sealed JSON of the part.
    pub sealed: Vec<u8>,
    /// Member of staff who saved it.
    pub saved_by: Uuid,
    /// Microseconds UTC.
    pub saved_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new row.
///
/// # Errors
/// The database error; a version that somebody else saved breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The newest version of each part saved by a moment, microseconds UTC.
///
/// # Errors
/// The database error.
pub async fn newest(db: &impl ConnectionTrait, plan: Uuid, by: i64) -> Result<Vec<Model>, DbErr> {
    let tops: Vec<(String, i64)> = Entity::find()
        .select_only()
        .column(Column::Part)
        .column_as(Column::Version.max(), "version")
        .filter(Column::PlanId.eq(plan))
        .filter(Column::SavedAt.lte(by))
        .group_by(Column::Part)
        .into_tuple()
        .all(db)
        .await?;
    let mut any = Condition::any();
    for (part, version) in &tops {
        any = any.add(Column::Part.eq(part.as_str()).and(Column::Version.eq(*version)));
    }
    if tops.is_empty() {
        return Ok(Vec::new());
    }
    Entity::find()
        .filter(Column::PlanId.eq(plan))
        .filter(any)
        .order_by_asc(Column::Part)
        .all(db)
        .await
}

/// The versions of a part, the newest first.
///
/// # Errors
/// The database error.
pub async fn versions(db: &impl ConnectionTrait, plan: Uuid, part: &str, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PlanId.eq(plan))
        .filter(Column::Part.eq(part))
        .order_by_desc(Column::Version)
        .limit(limit)
        .all(db)
        .await
}

/// One version of a part.
///
/// # Errors
/// The database error.
pub async fn version(db: &impl ConnectionTrait, plan: Uuid, part: &str, version: i64) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::PlanId.eq(plan))
        .filter(Column::Part.eq(part))
        .filter(Column::Version.eq(version))
        .one(db)
        .await
}
