//! Evidence (佐證資料): one data set received for a case, with where it came from and how it was checked.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One data set.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "evidence")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// The MyData transaction it came with.
    pub transaction_id: Option<Uuid>,
    /// Identifier of the data set, such as `API.household`.
    #[sea_orm(column_type = "Text")]
    pub resource: String,
    /// `received`, `empty` (the agency holds nothing on the person) or `unavailable`.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// SHA-256 in hex of the bytes received.
    #[sea_orm(column_type = "Text")]
    pub digest: String,
    /// Subject of the certificate that signed it; an agency, not a person.
    #[sea_orm(column_type = "Text", nullable)]
    pub signer: Option<String>,
    /// Microseconds UTC at which the agency made it, if said.
    pub issued_at: Option<i64>,
    /// Microseconds UTC.
    pub received_at: i64,
    /// Sealed content.
    pub sealed: Option<Vec<u8>>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes several rows.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    Entity::insert_many(rows.into_iter().map(|row| row.into_active_model()))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// All evidence of a case, oldest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_asc(Column::ReceivedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Deletes all evidence of a case.
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
