//! A MyData transaction (一次取用): from the redirect to the platform until its package is opened.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// The person was sent to the platform.
    #[sea_orm(string_value = "started")]
    Started,
    /// The platform notified; the package can be fetched.
    #[sea_orm(string_value = "notified")]
    Notified,
    /// The JWE lies sealed in our own storage; the one-time fetch is over.
    #[sea_orm(string_value = "fetched")]
    Fetched,
    /// Opened, verified, turned into evidence.
    #[sea_orm(string_value = "opened")]
    Opened,
    /// The person refused, or the platform said it can't be done.
    #[sea_orm(string_value = "ended")]
    Ended,
    /// What came failed verification; recorded as a security event.
    #[sea_orm(string_value = "refused")]
    Refused,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mydata_transaction")]
pub struct Model {
    /// The `tx_id` given to the platform.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// Who.
    pub person_id: Uuid,
    /// Data sets asked for, separated by blanks.
    #[sea_orm(column_type = "Text")]
    pub resources: String,
    /// Where it stands.
    pub state: State,
    /// Code the browser came back with.
    pub return_code: Option<i32>,
    /// Right to fetch one package; unique.
    pub permission_ticket: Option<Uuid>,
    /// Sealed key of the package.
    pub secret_key: Option<Vec<u8>>,
    /// Data sets the platform could not deliver, separated by blanks.
    #[sea_orm(column_type = "Text", nullable)]
    pub unable_to_deliver: Option<String>,
    /// The JWE as fetched, sealed among the files, until it is opened.
    pub file_id: Option<Uuid>,
    /// Why it ended or was refused; a short code, no personal data.
    #[sea_orm(column_type = "Text", nullable)]
    pub failure: Option<String>,
    /// How the platform verified the person, its word.
    #[sea_orm(column_type = "Text", nullable)]
    pub verified_by: Option<String>,
    /// Microseconds UTC.
    pub started_at: i64,
    /// Microseconds UTC.
    pub notified_at: Option<i64>,
    /// Microseconds UTC.
    pub fetched_at: Option<i64>,
    /// Microseconds UTC.
    pub opened_at: Option<i64>,
    /// Grows with every change.
    pub revision: i64,
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

/// All transactions of a case, newest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_desc(Column::StartedAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// Transactions begun before a time of which the platform never notified, the longest first.
///
/// # Errors
/// The database error.
pub async fn silent(db: &impl ConnectionTrait, before: i64, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::State.eq(State::Started))
        .filter(Column::StartedAt.lt(before))
        .order_by_asc(Column::StartedAt)
        .limit(limit)
        .all(db)
        .await
}

/// Writes `row` over the stored one and raises the revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error; a ticket used by another transaction breaks its unique index.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}

/// Notes the code a browser came back with, and raises no revision: the notification and the one-time fetch go on beside it,
/// and what they hold must not become stale by it.
///
/// # Errors
/// The database error.
pub async fn note_return(db: &impl ConnectionTrait, id: Uuid, code: i32) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::ReturnCode, Expr::value(code))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
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
