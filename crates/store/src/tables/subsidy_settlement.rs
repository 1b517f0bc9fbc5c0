//! The settlement (核銷) of a plan: what is paid of what was spent, and when it was paid.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subsidy_settlement")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The plan; once.
    pub plan_id: Uuid,
    /// JSON of how the amount comes about, line by line.
    #[sea_orm(column_type = "Text")]
    pub amounts: String,
    /// NT dollars to be paid.
    pub paid: i64,
    /// What the ministry says of it: why something was struck, or a late request taken.
    #[sea_orm(column_type = "Text")]
    pub note: String,
    /// Member of staff of the ministry.
    pub settled_by: Uuid,
    /// Microseconds UTC.
    pub settled_at: i64,
    /// Legal day of the payment, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text", nullable)]
    pub paid_on: Option<String>,
    /// Number of the payment's document.
    #[sea_orm(column_type = "Text", nullable)]
    pub reference: Option<String>,
    /// Member of staff who recorded the payment.
    pub paid_by: Option<Uuid>,
    /// Grows with every change of this row.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new row.
///
/// # Errors
/// The database error; a second one of the plan breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The settlements of some plans.
///
/// # Errors
/// The database error.
pub async fn of_plans(db: &impl ConnectionTrait, plans: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PlanId.is_in(plans.iter().copied()))
        .all(db)
        .await
}

/// Writes `row` over the stored one and raises the revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}
