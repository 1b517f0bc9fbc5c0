//! A ticket (籤): what an approved application takes into a draw, and what it holds since.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// Takes part; not drawn yet (符合資格).
    #[sea_orm(string_value = "qualified")]
    Qualified,
    /// Drawn without a place, on the waiting list (備取).
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// Has a place to accept or decline (正取).
    #[sea_orm(string_value = "offered")]
    Offered,
    /// The person accepted the place (確認就讀、承租).
    #[sea_orm(string_value = "accepted")]
    Accepted,
    /// The place was taken up in person (報到).
    #[sea_orm(string_value = "checked_in")]
    CheckedIn,
    /// The person wants no place any more (放棄).
    #[sea_orm(string_value = "declined")]
    Declined,
    /// The time to answer or to check in is over (逾期).
    #[sea_orm(string_value = "lapsed")]
    Lapsed,
}

/// One ticket.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Name of the round.
    #[sea_orm(column_type = "Text")]
    pub round: String,
    /// Set of places it asks in; unique within the application.
    #[sea_orm(column_type = "Text")]
    pub place_set: String,
    /// The application.
    pub application_id: Uuid,
    /// The keyed hash it has in published lists; unique.
    #[sea_orm(column_type = "Text", nullable)]
    pub mark: Option<String>,
    /// JSON of what it takes into the draw: group, points, seats needed, choices.
    #[sea_orm(column_type = "Text")]
    pub spec: String,
    /// Where it stands.
    pub state: State,
    /// Number of the choice it holds, from 0.
    pub held: Option<i32>,
    /// Last legal day of the next step of the person, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text", nullable)]
    pub due: Option<String>,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Microseconds UTC.
    pub changed_at: i64,
    /// Grows with every change.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The ticket with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The tickets of an application, by set.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_asc(Column::PlaceSet)
        .all(db)
        .await
}

/// All tickets of a round, by identifier.
///
/// # Errors
/// The database error.
pub async fn of_round(db: &impl ConnectionTrait, service: &str, round: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.eq(service))
        .filter(Column::Round.eq(round))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// How many tickets of a round stand in each state.
///
/// # Errors
/// The database error.
pub async fn counts(db: &impl ConnectionTrait, service: &str, round: &str) -> Result<Vec<(State, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::State)
        .column_as(Column::Id.count(), "n")
        .filter(Column::Service.eq(service))
        .filter(Column::Round.eq(round))
        .group_by(Column::State)
        .into_tuple()
        .all(db)
        .await
}

/// Rounds in which a person's next step is overdue.
///
/// # Errors
/// The database error.
pub async fn overdue(db: &impl ConnectionTrait, today: &str) -> Result<Vec<(String, String)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Service)
        .column(Column::Round)
        .filter(Column::State.is_in([State::Offered, State::Accepted]))
        .filter(Column::Due.lt(today))
        .distinct()
        .into_tuple()
        .all(db)
        .await
}

/// Writes a ticket.
///
/// # Errors
/// The database error; a second ticket of the same application and set breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Gives a ticket the name it has in published lists.
///
/// # Errors
/// The database error.
pub async fn mark(db: &impl ConnectionTrait, id: Uuid, mark: &str) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Mark, Expr::value(Some(mark)))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// What changes of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it stands now.
    pub state: State,
    /// What it holds now.
    pub held: Option<i32>,
    /// Until when the person does the next step.
    pub due: Option<String>,
    /// Microseconds UTC.
    pub at: i64,
}

/// Moves a ticket; false when somebody else did so since it was read.
///
/// # Errors
/// The database error.
pub async fn step(db: &impl ConnectionTrait, id: Uuid, revision: i64, step: &Step) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(step.state))
        .col_expr(Column::Held, Expr::value(step.held))
        .col_expr(Column::Due, Expr::value(step.due.clone()))
        .col_expr(Column::ChangedAt, Expr::value(step.at))
        .col_expr(Column::Revision, Expr::value(revision + 1))
        .filter(Column::Id.eq(id))
        .filter(Column::Revision.eq(revision))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Deletes the tickets of an application.
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
