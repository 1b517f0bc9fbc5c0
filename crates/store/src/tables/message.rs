//! A message (通知) to a person; its text is sealed. What becomes of it on each channel stands in [`super::delivery`].

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// What it tells, such as `received`, `decided`, `correction`, `account`.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Name that makes the message unique, so that a repeated job sends no second one.
    #[sea_orm(column_type = "Text")]
    pub idempotency_key: String,
    /// Sealed JSON: address, subject, text, and what the languages of the person's channels say.
    pub sealed: Option<Vec<u8>>,
    /// Letter that goes with it.
    pub letter_id: Option<Uuid>,
    /// `queued`; `sent` once one channel has taken it; `failed` when none ever will; `no_address` where there was none.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// Tries so far.
    pub tries: i32,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Microseconds UTC.
    pub sent_at: Option<i64>,
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

/// The message with this name.
///
/// # Errors
/// The database error.
pub async fn by_key(db: &impl ConnectionTrait, key: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::IdempotencyKey.eq(key)).one(db).await
}

/// All messages of a case, newest first.
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
/// The database error; a second message of the same name breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes new rows with one statement.
///
/// # Errors
/// The database error; a second message of the same name breaks its unique index.
pub async fn insert_all(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    Entity::insert_many(rows.into_iter().map(|row| row.into_active_model()))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The messages with these identifiers, in no order.
///
/// # Errors
/// The database error.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// Has a message that failed wait for its channels again.
///
/// # Errors
/// The database error.
pub async fn requeue(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Status, Expr::value("queued"))
        .filter(Column::Id.eq(id))
        .filter(Column::Status.eq("failed"))
        .exec(db)
        .await?;
    Ok(())
}

/// Counts one more try.
///
/// # Errors
/// The database error.
pub async fn count_try(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Moves a queued message to its end; false when it was not queued any more.
///
/// # Errors
/// The database error.
pub async fn finish(db: &impl ConnectionTrait, id: Uuid, status: &str, at: Option<i64>) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::Status, Expr::value(status))
        .col_expr(Column::SentAt, Expr::value(at))
        .filter(Column::Id.eq(id))
        .filter(Column::Status.eq("queued"))
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

/// Which of these cases have a message of one of these kinds.
///
/// # Errors
/// The database error.
pub async fn with_kinds(db: &impl ConnectionTrait, kinds: &[&str], applications: &[Uuid]) -> Result<Vec<Uuid>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::ApplicationId)
        .filter(Column::Kind.is_in(kinds.iter().copied()))
        .filter(Column::ApplicationId.is_in(applications.iter().copied()))
        .into_tuple()
        .all(db)
        .await
}

/// Whether a message of this name was ever made.
///
/// # Errors
/// The database error.
pub async fn known(db: &impl ConnectionTrait, key: &str) -> Result<bool, DbErr> {
    let found = Entity::find().filter(Column::IdempotencyKey.eq(key)).one(db).await?;
    Ok(found.is_some())
}
