//! A conflict of interest (利益迴避): this reviewer has no part in the plan of this government.

use sea_orm::IntoActiveModel as _;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_conflict")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the programme.
    #[sea_orm(column_type = "Text")]
    pub programme: String,
    /// Member of the panel.
    pub reviewer: Uuid,
    /// The government, as the programme names it.
    #[sea_orm(column_type = "Text")]
    pub government: String,
    /// Why.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// Microseconds UTC.
    pub declared_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new row.
///
/// # Errors
/// The database error; a second one of the same pair breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The conflicts declared for a programme.
///
/// # Errors
/// The database error.
pub async fn of_programme(db: &impl ConnectionTrait, programme: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Programme.eq(programme))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}
