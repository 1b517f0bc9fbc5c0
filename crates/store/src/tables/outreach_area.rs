//! How many of a village are entitled to a service and receive it (各里領取情形): the newest day only.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One village of one service.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outreach_area")]
pub struct Model {
    /// Random identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// District and village as the register names them; with the service unique.
    #[sea_orm(column_type = "Text")]
    pub area: String,
    /// Legal day of the sweep.
    #[sea_orm(column_type = "Text")]
    pub day: String,
    /// Entitled by the register.
    pub entitled: i64,
    /// Of them those who receive, or have applied.
    pub receiving: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Puts the rows of a service in the place of those of an earlier day.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, service: &str, rows: Vec<Model>) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::Service.eq(service))
        .exec(db)
        .await?;
    for row in rows {
        Entity::insert(row.into_active_model())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// The villages of a service by name.
///
/// # Errors
/// The database error.
pub async fn of_service(db: &impl ConnectionTrait, service: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.eq(service))
        .order_by_asc(Column::Area)
        .all(db)
        .await
}
