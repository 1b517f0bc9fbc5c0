//! A month that was paid before a later decision said what it owes (差額): what is owed, and what was paid.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One month of one amount.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "adjustment")]
pub struct Model {
    /// The case whose decision counts for the month.
    #[sea_orm(primary_key, auto_increment = false)]
    pub application_id: Uuid,
    /// Name of the amount in the service's rules.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub purpose: String,
    /// Month, `YYYY-MM`.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub period: String,
    /// New Taiwan dollars that are owed.
    pub owed: i64,
    /// New Taiwan dollars that were paid by earlier decisions.
    pub paid: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes rows.
///
/// # Errors
/// The database error; a month of an amount has one row.
pub async fn insert(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    for row in rows {
        Entity::insert(row.into_active_model())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// The months of a case, in order.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_asc(Column::Period)
        .order_by_asc(Column::Purpose)
        .all(db)
        .await
}

/// Deletes the months of a case.
///
/// # Errors
/// The database error.
pub async fn delete_of(db: &impl ConnectionTrait, application: Uuid) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ApplicationId.eq(application))
        .exec(db)
        .await?;
    Ok(())
}
