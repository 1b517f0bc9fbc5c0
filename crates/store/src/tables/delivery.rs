//! A message on its way (遞送) on one channel, and what became of it.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

use super::channel::Kind;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// Not tried yet.
    #[sea_orm(string_value = "queued")]
    Queued,
    /// Tried, and to be tried again.
    #[sea_orm(string_value = "later")]
    Later,
    /// The other side has taken it.
    #[sea_orm(string_value = "sent")]
    Sent,
    /// The other side will never take it.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// The address is gone.
    #[sea_orm(string_value = "gone")]
    Gone,
    /// Tried as often as it is; a person has to look.
    #[sea_orm(string_value = "dead")]
    Dead,
    /// Not to be sent any more: the person withdrew the channel, or somebody gave it up.
    #[sea_orm(string_value = "ended")]
    Ended,
}

impl State {
    /// All states.
    pub const ALL: [State; 7] = [
        State::Queued,
        State::Later,
        State::Sent,
        State::Failed,
        State::Gone,
        State::Dead,
        State::Ended,
    ];

    /// Whether it is still to be sent.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, State::Queued | State::Later)
    }

    /// Whether somebody may have it sent again.
    #[must_use]
    pub const fn is_stuck(self) -> bool {
        matches!(self, State::Dead | State::Failed)
    }

    /// The word in keys of texts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Later => "later",
            State::Sent => "sent",
            State::Failed => "failed",
            State::Gone => "gone",
            State::Dead => "dead",
            State::Ended => "ended",
        }
    }
}

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    /// Identifier, uuid v7; the key by which the other side knows a repeated message. A mail to the address of an
    /// application's form has the identifier of its message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The message.
    pub message_id: Uuid,
    /// The case of the message.
    pub application_id: Uuid,
    /// On which kind of channel.
    pub channel: Kind,
    /// The person's channel; nothing where the address is the one of the application's form.
    pub channel_id: Option<Uuid>,
    /// Where it stands.
    pub state: State,
    /// Tries since it was queued.
    pub tries: i32,
    /// How often somebody had it sent again.
    pub again: i32,
    /// What went wrong last, as a code.
    #[sea_orm(column_type = "Text", nullable)]
    pub problem: Option<String>,
    /// Why somebody gave it up, in their words.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Microseconds UTC.
    pub made_at: i64,
    /// Microseconds UTC: the last try.
    pub tried_at: Option<i64>,
    /// Microseconds UTC: the next try.
    pub next_at: Option<i64>,
    /// Microseconds UTC.
    pub sent_at: Option<i64>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Deliveries of one channel in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// On which kind of channel.
    pub channel: Kind,
    /// In which state.
    pub state: State,
    /// How many.
    pub number: i64,
    /// When the oldest was made, microseconds UTC.
    pub oldest: i64,
}

/// The row with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The deliveries of a message, in the order in which they were made.
///
/// # Errors
/// The database error.
pub async fn of_message(db: &impl ConnectionTrait, message: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::MessageId.eq(message))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// The deliveries of a case, the newest first.
///
/// # Errors
/// The database error.
pub async fn of_application(db: &impl ConnectionTrait, application: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ApplicationId.eq(application))
        .order_by_desc(Column::MadeAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Writes new rows with one statement.
///
/// # Errors
/// The database error.
pub async fn insert_all(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    Entity::insert_many(rows.into_iter().map(|row| row.into_active_model()))
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes a row in the place of the one with its identifier, as long as that is still in the state it was read in.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: Model, was: State) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(row.state))
        .col_expr(Column::Tries, Expr::value(row.tries))
        .col_expr(Column::Again, Expr::value(row.again))
        .col_expr(Column::Problem, Expr::value(row.problem))
        .col_expr(Column::Reason, Expr::value(row.reason))
        .col_expr(Column::TriedAt, Expr::value(row.tried_at))
        .col_expr(Column::NextAt, Expr::value(row.next_at))
        .col_expr(Column::SentAt, Expr::value(row.sent_at))
        .filter(Column::Id.eq(row.id))
        .filter(Column::State.eq(was))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// How many stand where on which channel; of those that were sent or are over, the ones made since a time.
///
/// # Errors
/// The database error.
pub async fn counts(db: &impl ConnectionTrait, since: i64) -> Result<Vec<Count>, DbErr> {
    let rows: Vec<(Kind, State, i64, i64)> = Entity::find()
        .select_only()
        .column(Column::Channel)
        .column(Column::State)
        .column_as(Column::Id.count(), "number")
        .column_as(Column::MadeAt.min(), "oldest")
        .filter(
            sea_orm::Condition::any()
                .add(Column::State.is_in([State::Queued, State::Later, State::Dead, State::Failed]))
                .add(Column::MadeAt.gte(since)),
        )
        .group_by(Column::Channel)
        .group_by(Column::State)
        .into_tuple()
        .all(db)
        .await?;
    let count = |(channel, state, number, oldest)| Count {
        channel,
        state,
        number,
        oldest,
    };
    Ok(rows.into_iter().map(count).collect())
}

/// What a person has to look at, the newest first.
///
/// # Errors
/// The database error.
pub async fn stuck(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::State.is_in([State::Dead, State::Failed]))
        .order_by_desc(Column::MadeAt)
        .limit(limit)
        .all(db)
        .await
}

/// Ends what is still to be sent on a channel.
///
/// # Errors
/// The database error.
pub async fn end_of_channel(db: &impl ConnectionTrait, channel: Uuid, problem: &str) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Ended))
        .col_expr(Column::Problem, Expr::value(problem))
        .filter(Column::ChannelId.eq(channel))
        .filter(Column::State.is_in([State::Queued, State::Later, State::Dead, State::Failed]))
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
