//! A way (通知管道) on which a person chose to be told: e-mail, text message, LINE or the browser's own notifications.

use sea_orm::IntoActiveModel as _;
use sea_orm::QueryOrder as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;

/// Kinds of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Kind {
    /// Electronic mail.
    #[sea_orm(string_value = "email")]
    Email,
    /// Text messages to a mobile number (簡訊).
    #[sea_orm(string_value = "sms")]
    Sms,
    /// LINE.
    #[sea_orm(string_value = "line")]
    Line,
    /// Notifications of a browser (Web Push).
    #[sea_orm(string_value = "push")]
    Push,
}

impl Kind {
    /// All kinds, in the order in which pages name them.
    pub const ALL: [Kind; 4] = [Kind::Email, Kind::Sms, Kind::Line, Kind::Push];

    /// The word in tables, addresses and keys of texts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Email => "email",
            Kind::Sms => "sms",
            Kind::Line => "line",
            Kind::Push => "push",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Where a channel stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// The person wants it and has not yet shown that the address is theirs.
    #[sea_orm(string_value = "asked")]
    Asked,
    /// Messages go there.
    #[sea_orm(string_value = "confirmed")]
    Confirmed,
    /// The person does not want it any more.
    #[sea_orm(string_value = "withdrawn")]
    Withdrawn,
    /// The other side says that the address is gone.
    #[sea_orm(string_value = "gone")]
    Gone,
}

/// One channel of one person.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub person_id: Uuid,
    /// Which kind.
    pub kind: Kind,
    /// Keyed hash of kind and address; while a LINE account is not linked, of the code that links it.
    pub lookup: Vec<u8>,
    /// Sealed JSON under the person's key: address, and the code while one is awaited. Nothing once the channel has ended.
    pub sealed: Option<Vec<u8>>,
    /// Where it stands.
    pub state: State,
    /// Language of what is sent there, as a tag.
    #[sea_orm(column_type = "Text")]
    pub language: String,
    /// Microseconds UTC: until when the code is taken.
    pub code_until: Option<i64>,
    /// Wrong codes typed since the last was sent.
    pub tries: i32,
    /// Codes sent since `asked_at` began a day.
    pub asked: i32,
    /// Microseconds UTC: when the first of these codes was asked for.
    pub asked_at: i64,
    /// Microseconds UTC.
    pub confirmed_at: Option<i64>,
    /// Microseconds UTC.
    pub ended_at: Option<i64>,
    /// Why it is gone, as a code.
    #[sea_orm(column_type = "Text", nullable)]
    pub problem: Option<String>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The channel with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Every channel of a person, ended ones too, the oldest first.
///
/// # Errors
/// The database error.
pub async fn of_person(db: &impl ConnectionTrait, person: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PersonId.eq(person))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// The channels on which these persons are told.
///
/// # Errors
/// The database error.
pub async fn confirmed(db: &impl ConnectionTrait, persons: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PersonId.is_in(persons.iter().copied()))
        .filter(Column::State.eq(State::Confirmed))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Every channel with this keyed hash, whoever it belongs to.
///
/// # Errors
/// The database error.
pub async fn by_lookup(db: &impl ConnectionTrait, lookup: &[u8]) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Lookup.eq(lookup.to_vec())).all(db).await
}

/// Writes a new row.
///
/// # Errors
/// The database error; the same address of the same person twice breaks a unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes a row in the place of the one with its identifier.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::update(row.into_active_model().reset_all()).exec(db).await?;
    Ok(())
}

/// Ends a channel and forgets its address; false when it had ended before.
///
/// # Errors
/// The database error.
pub async fn end(
    db: &impl ConnectionTrait,
    id: Uuid,
    state: State,
    problem: Option<&str>,
    at: i64,
) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::Sealed, Expr::value(Option::<Vec<u8>>::None))
        .col_expr(Column::CodeUntil, Expr::value(Option::<i64>::None))
        .col_expr(Column::EndedAt, Expr::value(at))
        .col_expr(Column::Problem, Expr::value(problem.map(str::to_owned)))
        .filter(Column::Id.eq(id))
        .filter(Column::State.is_in([State::Asked, State::Confirmed]))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Sets the language of what a person is sent.
///
/// # Errors
/// The database error.
pub async fn set_language(db: &impl ConnectionTrait, person: Uuid, language: &str) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Language, Expr::value(language))
        .filter(Column::PersonId.eq(person))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes a row.
///
/// # Errors
/// The database error.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// Deletes what was asked for before a time and never confirmed; gives how many.
///
/// # Errors
/// The database error.
pub async fn delete_unconfirmed(db: &impl ConnectionTrait, before: i64) -> Result<u64, DbErr> {
    let done = Entity::delete_many()
        .filter(Column::State.ne(State::Confirmed))
        .filter(Column::ConfirmedAt.is_null())
        .filter(Column::AskedAt.lt(before))
        .exec(db)
        .await?;
    Ok(done.rows_affected)
}
