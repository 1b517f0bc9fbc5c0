//! By what sessions are found when an issuer ends them (back-channel logout): keyed hashes of its name of the person and of
//! its own session.

use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// One mark of one session.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session_mark")]
pub struct Model {
    /// The session.
    #[sea_orm(primary_key, auto_increment = false)]
    pub session: Vec<u8>,
    /// Keyed hash.
    #[sea_orm(primary_key, auto_increment = false)]
    pub mark: Vec<u8>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionMark").finish_non_exhaustive()
    }
}

/// Gives a session its marks; those it has already stay.
///
/// # Errors
/// The database error.
pub async fn put(db: &impl ConnectionTrait, session: &[u8], marks: Vec<Vec<u8>>) -> Result<(), DbErr> {
    for mark in marks {
        let row = ActiveModel {
            session: ActiveValue::Set(session.to_vec()),
            mark: ActiveValue::Set(mark),
        };
        let again = OnConflict::columns([Column::Session, Column::Mark])
            .do_nothing()
            .to_owned();
        Entity::insert(row)
            .on_conflict(again)
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// The sessions with a mark.
///
/// # Errors
/// The database error.
pub async fn sessions(db: &impl ConnectionTrait, mark: &[u8]) -> Result<Vec<Vec<u8>>, DbErr> {
    let rows = Entity::find().filter(Column::Mark.eq(mark)).all(db).await?;
    Ok(rows.into_iter().map(|row| row.session).collect())
}

/// Takes the marks of a session away.
///
/// # Errors
/// The database error.
pub async fn remove(db: &impl ConnectionTrait, session: &[u8]) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::Session.eq(session))
        .exec(db)
        .await?;
    Ok(())
}
