//! A run (月底撥款作業): the payments of one service and month made and put into batches, step by step, so that it goes on where
//! it was after a crash. One runs at a time for each service and month.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// Payments are made from what cases are entitled to.
    #[sea_orm(string_value = "preparing")]
    Preparing,
    /// Payments are put into batches.
    #[sea_orm(string_value = "batching")]
    Batching,
    /// Its batches wait for a second person.
    #[sea_orm(string_value = "ready")]
    Ready,
    /// Stopped by a person; what was made stays.
    #[sea_orm(string_value = "stopped")]
    Stopped,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_run")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Month paid for, `YYYY-MM`.
    #[sea_orm(column_type = "Text")]
    pub period: String,
    /// Where it stands.
    pub state: State,
    /// The last entitlement looked at.
    pub cursor: Option<Uuid>,
    /// The part that is being made into a batch.
    pub part_id: Option<Uuid>,
    /// Most payments of one batch: the bank's limit.
    pub most: i32,
    /// Payments made.
    pub prepared: i32,
    /// Their sum, New Taiwan dollars.
    pub prepared_total: i64,
    /// Payments of the part whose account is noted.
    pub sealed: i32,
    /// Batches made.
    pub batches: i32,
    /// Payments in them.
    pub batched: i32,
    /// Their sum, New Taiwan dollars.
    pub batched_total: i64,
    /// Member of staff who began it.
    pub made_by: Uuid,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Microseconds UTC.
    pub changed_at: i64,
    /// Microseconds UTC.
    pub finished_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The run with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The newest runs; of one service and month where they are given.
///
/// # Errors
/// The database error.
pub async fn newest(db: &impl ConnectionTrait, of: Option<(&str, &str)>, limit: u64) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find();
    if let Some((service, period)) = of {
        query = query
            .filter(Column::Service.eq(service))
            .filter(Column::Period.eq(period));
    }
    query
        .order_by_desc(Column::MadeAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Writes a new run.
///
/// # Errors
/// The database error; a second run of a service and month that has not ended breaks a unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Notes how far a run has come; false when it does not stand any more as it was read.
///
/// # Errors
/// The database error.
pub async fn advance(db: &impl ConnectionTrait, was: &Model, row: &Model) -> Result<bool, DbErr> {
    let cursor = match was.cursor {
        Some(cursor) => Column::Cursor.eq(cursor),
        None => Column::Cursor.is_null(),
    };
    let part = match was.part_id {
        Some(part) => Column::PartId.eq(part),
        None => Column::PartId.is_null(),
    };
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(row.state))
        .col_expr(Column::Cursor, Expr::value(row.cursor))
        .col_expr(Column::PartId, Expr::value(row.part_id))
        .col_expr(Column::Prepared, Expr::value(row.prepared))
        .col_expr(Column::PreparedTotal, Expr::value(row.prepared_total))
        .col_expr(Column::Sealed, Expr::value(row.sealed))
        .col_expr(Column::Batches, Expr::value(row.batches))
        .col_expr(Column::Batched, Expr::value(row.batched))
        .col_expr(Column::BatchedTotal, Expr::value(row.batched_total))
        .col_expr(Column::ChangedAt, Expr::value(row.changed_at))
        .col_expr(Column::FinishedAt, Expr::value(row.finished_at))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(was.state))
        .filter(Column::Sealed.eq(was.sealed))
        .filter(cursor)
        .filter(part)
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}
