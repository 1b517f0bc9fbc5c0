//! Returns (退匯): what the bank had paid and got back afterwards, once for each payment.

use sea_orm::IntoActiveModel as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// One return.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_return")]
pub struct Model {
    /// The payment.
    #[sea_orm(primary_key, auto_increment = false)]
    pub payment_id: Uuid,
    /// New Taiwan dollars.
    pub amount: i64,
    /// Reason code of ISO 20022 or the bank's own.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// Day the money came back, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub returned_on: String,
    /// SHA-256 in hex of the file that said so.
    #[sea_orm(column_type = "Text")]
    pub digest: String,
    /// Member of staff who imported it.
    pub imported_by: Uuid,
    /// Microseconds UTC.
    pub imported_at: i64,
    /// When the payment had been noted as paid, microseconds UTC.
    pub paid_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a return; false when that of the payment is known.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<bool, DbErr> {
    let rows = Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::column(Column::PaymentId).do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(rows == 1)
}

/// The return of a payment.
///
/// # Errors
/// The database error.
pub async fn by_payment(db: &impl ConnectionTrait, payment: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(payment).one(db).await
}
