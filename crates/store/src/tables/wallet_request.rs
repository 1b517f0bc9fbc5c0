//! A matter between the city and a digital wallet (數位憑證皮夾): a card asked for, or a card offered. It is kept here and not in
//! the browser's session, because the wallet comes over another connection.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// Which way the card goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Kind {
    /// The resident shows a card.
    #[sea_orm(string_value = "show")]
    Show,
    /// The city gives a card.
    #[sea_orm(string_value = "give")]
    Give,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// For the wallet.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// The wallet was there: what it showed is being checked, or it may fetch the card now.
    #[sea_orm(string_value = "taken")]
    Taken,
    /// The card was shown or given.
    #[sea_orm(string_value = "done")]
    Done,
    /// It ended without a card.
    #[sea_orm(string_value = "ended")]
    Ended,
}

/// One request or offer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "wallet_request")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Which way the card goes.
    pub kind: Kind,
    /// The case.
    pub application_id: Uuid,
    /// Type of the card.
    #[sea_orm(column_type = "Text")]
    pub credential_type: String,
    /// How far it is.
    pub state: State,
    /// Digest of what the wallet names: the state of a request, the code of an offer; unique.
    #[sea_orm(column_type = "Text")]
    pub lookup: String,
    /// Digest of the access token with which an offered card is fetched; unique.
    #[sea_orm(column_type = "Text", nullable)]
    pub token: Option<String>,
    /// Sealed JSON of what has to be remembered until the wallet answers.
    pub sealed: Vec<u8>,
    /// Why it ended; a short word, no personal data.
    #[sea_orm(column_type = "Text", nullable)]
    pub failure: Option<String>,
    /// Microseconds UTC.
    pub started_at: i64,
    /// Microseconds UTC: afterwards the wallet is too late.
    pub until: i64,
    /// Microseconds UTC.
    pub ended_at: Option<i64>,
    /// Grows with every change.
    pub revision: i64,
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

/// The row that a wallet names.
///
/// # Errors
/// The database error.
pub async fn by_lookup(db: &impl ConnectionTrait, kind: Kind, lookup: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Lookup.eq(lookup))
        .filter(Column::Kind.eq(kind))
        .one(db)
        .await
}

/// The offer of an access token.
///
/// # Errors
/// The database error.
pub async fn by_token(db: &impl ConnectionTrait, token: &str) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Token.eq(token))
        .filter(Column::Kind.eq(Kind::Give))
        .one(db)
        .await
}

/// The newest of a case and a card.
///
/// # Errors
/// The database error.
pub async fn newest(
    db: &impl ConnectionTrait,
    kind: Kind,
    application: Uuid,
    credential_type: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .filter(Column::Kind.eq(kind))
        .filter(Column::CredentialType.eq(credential_type))
        .order_by_desc(Column::StartedAt)
        .order_by_desc(Column::Id)
        .limit(1)
        .one(db)
        .await
}

/// How many were begun for a case since a time.
///
/// # Errors
/// The database error.
pub async fn begun_since(db: &impl ConnectionTrait, application: Uuid, since: i64) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .filter(Column::StartedAt.gte(since))
        .count(db)
        .await
}

/// Writes `row` over the stored one and raises the revision; false when somebody changed it in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}

/// Ends what still waits of a case and a card, so that one is open at a time.
///
/// # Errors
/// The database error.
pub async fn end_open(
    db: &impl ConnectionTrait,
    kind: Kind,
    application: Uuid,
    credential_type: &str,
    now: i64,
) -> Result<(), DbErr> {
    ending(now, "begun-again")
        .filter(Column::ApplicationId.eq(application))
        .filter(Column::Kind.eq(kind))
        .filter(Column::CredentialType.eq(credential_type))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends those whose time is over; gives how many.
///
/// # Errors
/// The database error.
pub async fn lapse(db: &impl ConnectionTrait, now: i64) -> Result<u64, DbErr> {
    let done = ending(now, "too-late").filter(Column::Until.lt(now)).exec(db).await?;
    Ok(done.rows_affected)
}

fn ending(now: i64, failure: &str) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Ended))
        .col_expr(Column::Failure, Expr::value(failure))
        .col_expr(Column::EndedAt, Expr::value(now))
        .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
        .filter(Column::State.is_in([State::Waiting, State::Taken]))
}

/// Deletes those begun before a time that wait for nothing any more.
///
/// # Errors
/// The database error.
pub async fn delete_before(db: &impl ConnectionTrait, before: i64) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::StartedAt.lt(before))
        .filter(Column::State.is_in([State::Done, State::Ended]))
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
