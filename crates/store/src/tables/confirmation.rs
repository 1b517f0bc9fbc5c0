//! A confirmation by an outside body (如學校確認): which application waits for whose word.

use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

use super::application;

/// Where a confirmation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// The body has not answered yet.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// It confirmed or corrected the values.
    #[sea_orm(string_value = "confirmed")]
    Confirmed,
    /// It did not answer in time; the office decides by what there is.
    #[sea_orm(string_value = "lapsed")]
    Lapsed,
}

/// One confirmation; a case has at most one.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "confirmation")]
pub struct Model {
    /// The case.
    #[sea_orm(primary_key, auto_increment = false)]
    pub application_id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Id of the body.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// Keys to be confirmed, a space between them.
    #[sea_orm(column_type = "Text")]
    pub fields: String,
    /// Where it stands.
    pub state: State,
    /// Legal day by which it is expected, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text")]
    pub due: String,
    /// Microseconds UTC.
    pub asked_at: i64,
    /// Microseconds UTC.
    pub answered_at: Option<i64>,
    /// Member of the body's staff.
    pub answered_by: Option<Uuid>,
    /// Grows with every change.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// States of a case in which a body is still asked.
const OPEN: [application::State; 3] = [
    application::State::Submitted,
    application::State::Review,
    application::State::Correction,
];

/// The confirmation of a case.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(application).one(db).await
}

/// What a body has to confirm, the nearest day first: only cases that are still to be decided.
///
/// # Errors
/// The database error.
pub async fn waiting(
    db: &impl ConnectionTrait,
    body: &str,
    limit: u64,
) -> Result<Vec<(Model, application::Model)>, DbErr> {
    let rows = Entity::find()
        .filter(Column::Body.eq(body))
        .filter(Column::State.eq(State::Waiting))
        .filter(Column::ApplicationId.in_subquery(open()))
        .order_by_asc(Column::Due)
        .order_by_asc(Column::AskedAt)
        .limit(limit)
        .all(db)
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(application) = application::by_id(db, row.application_id).await? {
            found.push((row, application));
        }
    }
    Ok(found)
}

/// Confirmations for some services that were expected before `today` and did not come.
///
/// # Errors
/// The database error.
pub async fn overdue(
    db: &impl ConnectionTrait,
    services: &[String],
    today: &str,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.is_in(services))
        .filter(Column::State.eq(State::Waiting))
        .filter(Column::Due.lt(today))
        .filter(Column::ApplicationId.in_subquery(open()))
        .order_by_asc(Column::Due)
        .limit(limit)
        .all(db)
        .await
}

fn open() -> sea_orm::sea_query::SelectStatement {
    sea_orm::sea_query::Query::select()
        .column(application::Column::Id)
        .from(application::Entity)
        .and_where(application::Column::State.is_in(OPEN))
        .to_owned()
}

/// Writes a new confirmation.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes `row` over the stored one and raises the revision; false when somebody else changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::ApplicationId, Column::Revision).await
}

/// Deletes the confirmation of a case.
///
/// # Errors
/// The database error.
pub async fn delete_of(db: &impl ConnectionTrait, application: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(application).exec(db).await?;
    Ok(())
}
