//! What became of a claim: money that came back, or the part that is not claimed any more.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Kind {
    /// Money came back (繳回).
    #[sea_orm(string_value = "received")]
    Received,
    /// The rest is not claimed any more (免予追繳).
    #[sea_orm(string_value = "waived")]
    Waived,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "claim_entry")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The claim.
    pub claim_id: Uuid,
    /// What it is.
    pub kind: Kind,
    /// New Taiwan dollars.
    pub amount: i64,
    /// Legal day on which the money came, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub day: String,
    /// Number of the receipt; unique within the claim, so that a receipt counts once.
    #[sea_orm(column_type = "Text", nullable)]
    pub reference: Option<String>,
    /// Member of staff.
    pub made_by: Option<Uuid>,
    /// Microseconds UTC.
    pub made_at: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes an entry.
///
/// # Errors
/// The database error; a receipt that is noted already breaks a unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The entries of a claim, oldest first.
///
/// # Errors
/// The database error.
pub async fn of_claim(db: &impl ConnectionTrait, claim: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ClaimId.eq(claim))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}
