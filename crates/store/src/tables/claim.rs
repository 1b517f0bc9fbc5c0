//! What was paid too much and is claimed back (溢領追繳).

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// The accounts show it; nobody has told the person (待通知).
    #[sea_orm(string_value = "found")]
    Found,
    /// The person was told to pay it back (已通知).
    #[sea_orm(string_value = "told")]
    Told,
    /// It came back (已繳清).
    #[sea_orm(string_value = "settled")]
    Settled,
    /// It is not claimed any more (免予追繳).
    #[sea_orm(string_value = "waived")]
    Waived,
}

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "claim")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case whose decision or stop showed it.
    pub application_id: Uuid,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// How far it has come.
    pub state: State,
    /// New Taiwan dollars paid too much.
    pub total: i64,
    /// New Taiwan dollars that came back.
    pub recovered: i64,
    /// Last legal day to pay back, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text", nullable)]
    pub due: Option<String>,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Member of staff who told the person.
    pub told_by: Option<Uuid>,
    /// Microseconds UTC.
    pub changed_at: i64,
    /// Grows with every change.
    pub revision: i64,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new claim.
///
/// # Errors
/// The database error.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The claim with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The claims of a case, oldest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Claims of some services in some states, oldest first.
///
/// # Errors
/// The database error.
pub async fn in_states(
    db: &impl ConnectionTrait,
    services: &[String],
    states: &[State],
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.is_in(services))
        .filter(Column::State.is_in(states.iter().copied()))
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Writes `row` over the stored one and raises the revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(row.state))
        .col_expr(Column::Total, Expr::value(row.total))
        .col_expr(Column::Recovered, Expr::value(row.recovered))
        .col_expr(Column::Due, Expr::value(row.due.clone()))
        .col_expr(Column::ToldBy, Expr::value(row.told_by))
        .col_expr(Column::ChangedAt, Expr::value(row.changed_at))
        .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
        .filter(Column::Id.eq(row.id))
        .filter(Column::Revision.eq(row.revision))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Deletes a claim with its months; only one that nobody was told of.
///
/// # Errors
/// The database error.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    super::claim_line::delete_of(db, id).await?;
    Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}
