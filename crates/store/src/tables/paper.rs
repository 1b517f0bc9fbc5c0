//! Papers of a case at the counter (臨櫃書面): summaries to sign, and scans of what a person brought.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One paper.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "paper")]
pub struct Model {
    /// Identifier, uuid v4.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// `summary` (申請摘要) or `scan` (掃描文件).
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Its content, sealed among the files under the case's key.
    pub file_id: Uuid,
    /// Media type, by its content.
    #[sea_orm(column_type = "Text")]
    pub media: String,
    /// SHA-256 in hex of the content.
    #[sea_orm(column_type = "Text")]
    pub digest: String,
    /// How many pages it has.
    pub pages: i32,
    /// Revision of the case it belongs to: a summary with another one shows answers that are not those in force.
    pub shows: i64,
    /// The clerk.
    pub made_by: Uuid,
    /// Microseconds UTC.
    pub made_at: i64,
    /// When the person signed a summary, microseconds UTC.
    pub signed_at: Option<i64>,
    /// Sealed JSON of the lines read from a scan; empty when nothing was read.
    pub read: Option<Vec<u8>>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// All of a case, oldest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_asc(Column::MadeAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Writes a new row.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Notes that a summary was signed; false when it was noted before.
///
/// # Errors
/// The database error.
pub async fn sign(db: &impl ConnectionTrait, id: Uuid, at: i64) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::SignedAt, Expr::value(Some(at)))
        .filter(Column::Id.eq(id))
        .filter(Column::SignedAt.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Deletes all rows of a case.
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
