//! A letter (公文書) made for a case; the PDF lies sealed among the files.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// One letter.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "letter")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// `approved`, `refused` or `correction`.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Language, as a tag.
    #[sea_orm(column_type = "Text")]
    pub language: String,
    /// Name that makes the letter unique, so that a repeated job makes no second one.
    #[sea_orm(column_type = "Text")]
    pub idempotency_key: String,
    /// Sealed PDF.
    pub file_id: Uuid,
    /// SHA-256 in hex of the PDF.
    #[sea_orm(column_type = "Text")]
    pub digest: String,
    /// Microseconds UTC.
    pub made_at: i64,
    /// When it left, microseconds UTC; after that the decision stands.
    pub left_at: Option<i64>,
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

/// The letter with this name.
///
/// # Errors
/// The database error.
pub async fn by_key(db: &impl ConnectionTrait, key: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::IdempotencyKey.eq(key)).one(db).await
}

/// All letters of a case, newest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_desc(Column::MadeAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// Writes a new row.
///
/// # Errors
/// The database error; a second letter of the same name breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Notes that the letter has left; false when it had left before.
///
/// # Errors
/// The database error.
pub async fn leave(db: &impl ConnectionTrait, id: Uuid, at: i64) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::LeftAt, Expr::value(Some(at)))
        .filter(Column::Id.eq(id))
        .filter(Column::LeftAt.is_null())
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
