//! A card that the city gave into a digital wallet (數位憑證皮夾): enough to say whether it still stands, and nothing of what is in it.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

use super::{application, succession};

/// Whether it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// It stands, until its last day.
    #[sea_orm(string_value = "valid")]
    Valid,
    /// For good.
    #[sea_orm(string_value = "revoked")]
    Revoked,
}

/// One card.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wallet_card")]
pub struct Model {
    /// The card's own name, random.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The case whose decision it tells.
    pub application_id: Uuid,
    /// Its type.
    #[sea_orm(column_type = "Text")]
    pub credential_type: String,
    /// Its entry in the status lists of its type; unique.
    pub list_index: i32,
    /// Whether it stands.
    pub state: State,
    /// Why it was revoked: `fallen`, the decision does not stand any more, or `renewed`, the person took another.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Microseconds UTC.
    pub given_at: i64,
    /// Microseconds UTC.
    pub valid_until: i64,
    /// Microseconds UTC.
    pub revoked_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new row.
///
/// # Errors
/// The database error; an entry of the list that another card has breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// The cards of a case, newest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_desc(Column::GivenAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// Whether an entry of the lists of a type is a card's.
///
/// # Errors
/// The database error.
pub async fn is_used(db: &impl ConnectionTrait, credential_type: &str, index: i32) -> Result<bool, DbErr> {
    let found = Entity::find()
        .filter(Column::CredentialType.eq(credential_type))
        .filter(Column::ListIndex.eq(index))
        .count(db)
        .await?;
    Ok(found > 0)
}

/// Entries of the revoked cards of a type.
///
/// # Errors
/// The database error.
pub async fn revoked(db: &impl ConnectionTrait, credential_type: &str) -> Result<Vec<i32>, DbErr> {
    Entity::find()
        .filter(Column::CredentialType.eq(credential_type))
        .filter(Column::State.eq(State::Revoked))
        .select_only()
        .column(Column::ListIndex)
        .into_tuple()
        .all(db)
        .await
}

fn revoking(reason: &str, now: i64) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Revoked))
        .col_expr(Column::Reason, Expr::value(reason))
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::State.eq(State::Valid))
}

/// Revokes the cards of a case.
///
/// # Errors
/// The database error.
pub async fn revoke_of(db: &impl ConnectionTrait, application: Uuid, reason: &str, now: i64) -> Result<u64, DbErr> {
    let done = revoking(reason, now)
        .filter(Column::ApplicationId.eq(application))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Revokes the cards whose decision does not stand in this month: it ended, a later case took its place, or it is being looked at
/// again. Gives how many.
///
/// # Errors
/// The database error.
pub async fn revoke_fallen(db: &impl ConnectionTrait, month: &str, now: i64) -> Result<u64, DbErr> {
    let stands = Query::select()
        .expr(Expr::val(1))
        .from(application::Entity)
        .and_where(Expr::col((application::Entity, application::Column::Id)).equals((Entity, Column::ApplicationId)))
        .cond_where(succession::standing(month))
        .to_owned();
    let done = revoking("fallen", now)
        .filter(Expr::exists(stands).not())
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}

/// Forgets the cards that ended before a time by themselves: nobody asks for their entries any more.
///
/// # Errors
/// The database error.
pub async fn delete_before(db: &impl ConnectionTrait, before: i64) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ValidUntil.lt(before))
        .exec(db)
        .await?;
    Ok(())
}
