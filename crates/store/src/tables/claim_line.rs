//! One month of a claim: what was paid too much in it.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One month.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "claim_line")]
pub struct Model {
    /// The claim.
    #[sea_orm(primary_key, auto_increment = false)]
    pub claim_id: Uuid,
    /// Month, `YYYY-MM`.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub period: String,
    /// New Taiwan dollars.
    pub amount: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes the months of a claim.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    for row in rows {
        Entity::insert(row.into_active_model())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// The months of a claim, in order.
///
/// # Errors
/// The database error.
pub async fn of_claim(db: &impl ConnectionTrait, claim: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ClaimId.eq(claim))
        .order_by_asc(Column::Period)
        .all(db)
        .await
}

/// Deletes the months of a claim.
///
/// # Errors
/// The database error.
pub async fn delete_of(db: &impl ConnectionTrait, claim: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ClaimId.eq(claim)).exec(db).await?;
    Ok(())
}
