//! A visit to the counter (臨櫃服務): which person stands before which clerk, from when to when.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One visit.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "visit")]
pub struct Model {
    /// Identifier, uuid v4.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The clerk.
    pub staff_id: Uuid,
    /// Who is served.
    pub person_id: Uuid,
    /// Document by which identity was shown: `national_id_card`, `health_card` (with a second paper) or
    /// `resident_certificate`. It is not copied.
    #[sea_orm(column_type = "Text")]
    pub shown: String,
    /// Sealed JSON, under the person's key, of what the document says and the account does not know.
    pub sealed: Vec<u8>,
    /// Microseconds UTC.
    pub started_at: i64,
    /// Microseconds UTC; empty while the person is served.
    pub ended_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The visit a clerk has open, if it began after `since`.
///
/// # Errors
/// The database error.
pub async fn open_of(db: &impl ConnectionTrait, staff: Uuid, since: i64) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::StaffId.eq(staff))
        .filter(Column::EndedAt.is_null())
        .filter(Column::StartedAt.gt(since))
        .order_by_desc(Column::StartedAt)
        .order_by_desc(Column::Id)
        .one(db)
        .await
}

/// Writes a new visit.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Ends whatever visits a clerk has open.
///
/// # Errors
/// The database error.
pub async fn end_of(db: &impl ConnectionTrait, staff: Uuid, at: i64) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(Some(at)))
        .filter(Column::StaffId.eq(staff))
        .filter(Column::EndedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes the visits that began before `before`. The usage ledger keeps who was served when.
///
/// # Errors
/// The database error.
pub async fn delete_before(db: &impl ConnectionTrait, before: i64) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::StartedAt.lt(before))
        .exec(db)
        .await?;
    Ok(())
}
