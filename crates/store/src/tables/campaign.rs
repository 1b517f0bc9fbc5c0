//! Invitations sent together (主動通知): to whom of which villages, by whom, and how many received before.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _};

/// How far the work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// The outbox finds the persons and writes to them.
    #[sea_orm(string_value = "writing")]
    Writing,
    /// Everybody was found.
    #[sea_orm(string_value = "written")]
    Written,
    /// The names of whom no mail reaches were destroyed.
    #[sea_orm(string_value = "closed")]
    Closed,
}

/// Invitations sent together.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// How far the work has come.
    pub state: State,
    /// JSON list of the villages chosen; an empty one means all.
    #[sea_orm(column_type = "Text")]
    pub areas: String,
    /// Legal day of the counts it was begun by.
    #[sea_orm(column_type = "Text")]
    pub day: String,
    /// Entitled in these villages on that day.
    pub entitled: i64,
    /// Of them those who received.
    pub receiving: i64,
    /// Key of the addresses.
    pub key_id: Uuid,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Member of staff who began it.
    pub made_by: Uuid,
    /// Legal day after which the addresses are destroyed.
    #[sea_orm(column_type = "Text")]
    pub dispose_on: String,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

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

/// The row with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Those of a service, newest first.
///
/// # Errors
/// The database error.
pub async fn of_service(db: &impl ConnectionTrait, service: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.eq(service))
        .order_by_desc(Column::MadeAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// Those whose addresses have had their last day before this one.
///
/// # Errors
/// The database error.
pub async fn over(db: &impl ConnectionTrait, today: &str) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::State.eq(State::Written))
        .filter(Column::DisposeOn.lt(today))
        .all(db)
        .await
}

/// Moves one on; false when somebody else did before.
///
/// # Errors
/// The database error.
pub async fn step(db: &impl ConnectionTrait, id: Uuid, from: State, to: State) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(to))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(from))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}
