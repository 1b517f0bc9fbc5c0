//! A payment batch (撥款清冊): the payments of one pain.001 file, made by one person and released by another.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// Made, waiting for a second person.
    #[sea_orm(string_value = "made")]
    Made,
    /// Released to the bank by a second person.
    #[sea_orm(string_value = "released")]
    Released,
    /// The bank has answered for every payment.
    #[sea_orm(string_value = "answered")]
    Answered,
    /// Dissolved before its release; its payments are due again.
    #[sea_orm(string_value = "dissolved")]
    Dissolved,
}

/// One batch.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_batch")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// MsgId of the pain.001 file, at most 35 characters; unique.
    #[sea_orm(column_type = "Text")]
    pub number: String,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Month paid for, `YYYY-MM`.
    #[sea_orm(column_type = "Text")]
    pub period: String,
    /// Where it stands.
    pub state: State,
    /// Number of payments.
    pub count: i32,
    /// New Taiwan dollars.
    pub total: i64,
    /// Day the bank is asked to pay, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub pay_on: String,
    /// Data key of the file.
    pub key_id: Uuid,
    /// Sealed pain.001 file.
    pub file_id: Uuid,
    /// SHA-256 in hex of the pain.001 file.
    #[sea_orm(column_type = "Text")]
    pub digest: String,
    /// Member of staff who made it.
    pub made_by: Uuid,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Member of staff who released it; never the one who made it.
    pub released_by: Option<Uuid>,
    /// Microseconds UTC.
    pub released_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The batch with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The batch with this MsgId.
///
/// # Errors
/// The database error.
pub async fn by_number(db: &impl ConnectionTrait, number: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Number.eq(number)).one(db).await
}

/// The newest batches.
///
/// # Errors
/// The database error.
pub async fn newest(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .order_by_desc(Column::MadeAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// The batches of a service and month that were not dissolved, oldest first.
///
/// # Errors
/// The database error.
pub async fn of_month(db: &impl ConnectionTrait, service: &str, period: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.eq(service))
        .filter(Column::Period.eq(period))
        .filter(Column::State.ne(State::Dissolved))
        .order_by_asc(Column::MadeAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Writes a new batch.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Moves a batch from one state to another; false when it was not in `from`. `by` is who releases it.
///
/// # Errors
/// The database error; a release by the maker breaks a check of the table.
pub async fn step(
    db: &impl ConnectionTrait,
    id: Uuid,
    from: State,
    to: State,
    by: Option<Uuid>,
    at: i64,
) -> Result<bool, DbErr> {
    let mut query = Entity::update_many()
        .col_expr(Column::State, Expr::value(to))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(from));
    if let Some(by) = by {
        query = query
            .col_expr(Column::ReleasedBy, Expr::value(Some(by)))
            .col_expr(Column::ReleasedAt, Expr::value(Some(at)));
    }
    Ok(query.exec(db).await?.rows_affected == 1)
}
