//! Who takes part in a round: each person once, whichever application names them.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, IntoActiveModel as _, QuerySelect as _};

use super::application;

/// One person of one application in one round.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "round_entry")]
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
    /// Keyed hash of who takes part; unique within the round.
    pub subject: Vec<u8>,
    /// The application.
    pub application_id: Uuid,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The round an application takes part in.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .all(db)
        .await
}

/// Whether one of these persons takes part in the round already.
///
/// # Errors
/// The database error.
pub async fn any_of(
    db: &impl ConnectionTrait,
    service: &str,
    round: &str,
    subjects: &[Vec<u8>],
) -> Result<bool, DbErr> {
    let found = Entity::find()
        .filter(Column::Service.eq(service))
        .filter(Column::Round.eq(round))
        .filter(Column::Subject.is_in(subjects.iter().cloned()))
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Writes who takes part.
///
/// # Errors
/// The database error; a person who takes part already breaks the unique index.
pub async fn insert(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    for row in rows {
        Entity::insert(row.into_active_model())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// Deletes what an application entered.
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

/// How many applications of a round are not decided yet.
///
/// # Errors
/// The database error.
pub async fn undecided(db: &impl ConnectionTrait, service: &str, round: &str) -> Result<i64, DbErr> {
    use application::State;
    let entries = sea_orm::sea_query::Query::select()
        .column(Column::ApplicationId)
        .from(Entity)
        .cond_where(
            Condition::all()
                .add(Column::Service.eq(service))
                .add(Column::Round.eq(round)),
        )
        .to_owned();
    let count: Option<i64> = application::Entity::find()
        .select_only()
        .column_as(application::Column::Id.count(), "n")
        .filter(application::Column::Id.in_subquery(entries))
        .filter(application::Column::State.is_in([
            State::Submitted,
            State::Review,
            State::Correction,
            State::Approved,
            State::Refused,
        ]))
        .into_tuple()
        .one(db)
        .await?;
    Ok(count.unwrap_or(0))
}
