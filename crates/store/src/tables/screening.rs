//! What the questionnaire over all services came to for one service, without the person (試算統計).
//!
//! A row says nothing of who asked, nor which rows belong to the same person; the identifier is random and carries no time.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// One service of one questionnaire.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "screening")]
pub struct Model {
    /// Random identifier (uuid v4).
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Month, `YYYY-MM`.
    #[sea_orm(column_type = "Text")]
    pub month: String,
    /// `entitled`, `maybe` or `not`.
    #[sea_orm(column_type = "Text")]
    pub outcome: String,
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

/// Number of rows by service and outcome, from one month to another where they are given.
///
/// # Errors
/// The database error.
pub async fn counts(
    db: &impl ConnectionTrait,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Vec<(String, String, i64)>, DbErr> {
    let mut query = Entity::find();
    if let Some(from) = from {
        query = query.filter(Column::Month.gte(from));
    }
    if let Some(to) = to {
        query = query.filter(Column::Month.lte(to));
    }
    query
        .select_only()
        .column(Column::Service)
        .column(Column::Outcome)
        .column_as(Column::Id.count(), "n")
        .group_by(Column::Service)
        .group_by(Column::Outcome)
        .order_by_asc(Column::Service)
        .order_by_asc(Column::Outcome)
        .into_tuple()
        .all(db)
        .await
}
