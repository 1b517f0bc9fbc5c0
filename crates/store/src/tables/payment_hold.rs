//! Holds (暫停給付): the payments of a case are kept back, with a reason, until a day or until they are released.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// One hold.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_hold")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case.
    pub application_id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Sealed JSON of the reason; empty after disposal.
    pub reason: Option<Vec<u8>>,
    /// Last legal day of the hold, `YYYY-MM-DD`; nothing until somebody releases it.
    #[sea_orm(column_type = "Text", nullable)]
    pub until: Option<String>,
    /// Member of staff who made it; nobody where the platform did.
    pub made_by: Option<Uuid>,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Member of staff who ended it; nobody where its day was over.
    pub ended_by: Option<Uuid>,
    /// Microseconds UTC.
    pub ended_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new hold.
///
/// # Errors
/// The database error; a second hold of a case breaks a unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The holds of a case, newest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_desc(Column::MadeAt)
        .all(db)
        .await
}

/// Which of these cases are on hold.
///
/// # Errors
/// The database error.
pub async fn open_among(db: &impl ConnectionTrait, applications: Vec<Uuid>) -> Result<Vec<Uuid>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::ApplicationId)
        .filter(Column::ApplicationId.is_in(applications))
        .filter(Column::EndedAt.is_null())
        .into_tuple()
        .all(db)
        .await
}

/// Holds that have not ended, oldest first.
///
/// # Errors
/// The database error.
pub async fn open(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::EndedAt.is_null())
        .order_by_asc(Column::MadeAt)
        .limit(limit)
        .all(db)
        .await
}

/// Holds whose last day is over.
///
/// # Errors
/// The database error.
pub async fn over(db: &impl ConnectionTrait, today: &str, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::EndedAt.is_null())
        .filter(Column::Until.lt(today))
        .limit(limit)
        .all(db)
        .await
}

/// Ends the hold of a case; false when there is none.
///
/// # Errors
/// The database error.
pub async fn end(db: &impl ConnectionTrait, application: Uuid, by: Option<Uuid>, at: i64) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::EndedBy, Expr::value(by))
        .col_expr(Column::EndedAt, Expr::value(Some(at)))
        .filter(Column::ApplicationId.eq(application))
        .filter(Column::EndedAt.is_null())
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Forgets the reasons of a case.
///
/// # Errors
/// The database error.
pub async fn forget(db: &impl ConnectionTrait, application: Uuid) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Reason, Expr::value(Option::<Vec<u8>>::None))
        .filter(Column::ApplicationId.eq(application))
        .exec(db)
        .await?;
    Ok(())
}
