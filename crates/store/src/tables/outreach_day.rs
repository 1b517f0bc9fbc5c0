//! How many are entitled to a service on a day, and how many of them receive it (領取情形).

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One service on one day.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outreach_day")]
pub struct Model {
    /// Random identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Legal day of the sweep; with the service unique.
    #[sea_orm(column_type = "Text")]
    pub day: String,
    /// Legal day of the register that was swept.
    #[sea_orm(column_type = "Text")]
    pub as_of: String,
    /// Entitled by the register: persons or households.
    pub entitled: i64,
    /// Of them those who receive, or have applied.
    pub receiving: i64,
    /// Facts the service needs and the register lacks, by a comma; with one, nothing was counted.
    #[sea_orm(column_type = "Text")]
    pub lacking: String,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new row.
///
/// # Errors
/// The database error; a second row of the day breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The row of a service on a day.
///
/// # Errors
/// The database error.
pub async fn find(db: &impl ConnectionTrait, service: &str, day: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.eq(service))
        .filter(Column::Day.eq(day))
        .one(db)
        .await
}

/// The newest row of a service.
///
/// # Errors
/// The database error.
pub async fn latest(db: &impl ConnectionTrait, service: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.eq(service))
        .order_by_desc(Column::Day)
        .one(db)
        .await
}

/// Whether anything was ever counted.
///
/// # Errors
/// The database error.
pub async fn any(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(Entity::find().one(db).await?.is_some())
}
