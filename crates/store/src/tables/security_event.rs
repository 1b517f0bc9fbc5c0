//! A security event (資安事件): something refused that an administrator should see.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "security_event")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Microseconds UTC.
    pub at: i64,
    /// Short code, such as `mydata.replayed`.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// `notice`, `warning` or `alarm`.
    #[sea_orm(column_type = "Text")]
    pub severity: String,
    /// Case concerned, if known.
    pub application_id: Option<Uuid>,
    /// Where it came from (address of the caller), if known.
    #[sea_orm(column_type = "Text", nullable)]
    pub origin: Option<String>,
    /// One sentence for the administrator; no personal data.
    #[sea_orm(column_type = "Text")]
    pub detail: String,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes an event.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The newest events; `kind` narrows to codes that begin so.
///
/// # Errors
/// The database error.
pub async fn newest(db: &impl ConnectionTrait, kind: Option<&str>, limit: u64) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find();
    if let Some(kind) = kind {
        query = query.filter(Column::Kind.starts_with(kind));
    }
    query
        .order_by_desc(Column::At)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}
