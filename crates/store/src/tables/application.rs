//! An application (申請案): one person's request for one service, from draft to disposal.
//!
//! The row carries what queues are ordered by; everything the person said is sealed in `answers`.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, NullOrdering, OnConflict, Order, Query};
use sea_orm::{Condition, FromQueryResult, IntoActiveModel as _, QueryOrder as _, QuerySelect as _};

/// Where an application stands (案件狀態).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum State {
    /// Being filled in; lives 90 days (草稿).
    #[sea_orm(string_value = "draft")]
    Draft,
    /// Handed in, nobody has taken it (已送件).
    #[sea_orm(string_value = "submitted")]
    Submitted,
    /// An officer is working on it (審查中).
    #[sea_orm(string_value = "review")]
    Review,
    /// The person was asked to correct; the legal clock stands still (補正中).
    #[sea_orm(string_value = "correction")]
    Correction,
    /// Approved, the letter has not left (核准).
    #[sea_orm(string_value = "approved")]
    Approved,
    /// Refused, the letter has not left (駁回).
    #[sea_orm(string_value = "refused")]
    Refused,
    /// Taken back by the person (撤回).
    #[sea_orm(string_value = "withdrawn")]
    Withdrawn,
    /// The letter has left; payments and the survey follow (結案).
    #[sea_orm(string_value = "completed")]
    Completed,
    /// Its data has been destroyed (已銷毀).
    #[sea_orm(string_value = "disposed")]
    Disposed,
}

/// One application.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "application")]
pub struct Model {
    /// Identifier, uuid v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Number people read, such as `115-SA-000123`; given at submission, unique.
    #[sea_orm(column_type = "Text", nullable)]
    pub number: Option<String>,
    /// Folder name of the service.
    #[sea_orm(column_type = "Text")]
    pub service: String,
    /// Digest of the service folder the application was opened under.
    #[sea_orm(column_type = "Text")]
    pub service_digest: String,
    /// The person applied for; empty after disposal.
    pub person_id: Option<Uuid>,
    /// Data key of this case.
    pub key_id: Uuid,
    /// `online`, `counter` or `agent`.
    #[sea_orm(column_type = "Text")]
    pub channel: String,
    /// Language chosen, as a tag.
    #[sea_orm(column_type = "Text")]
    pub language: String,
    /// Where it stands.
    pub state: State,
    /// Grows with every change; a writer who read an older one is refused.
    pub revision: i64,
    /// Sealed JSON of the answers; empty before the first page and after disposal.
    pub answers: Option<Vec<u8>>,
    /// Token of the form that was handed in; unique, so a double click makes one application.
    pub form_token: Option<Uuid>,
    /// Microseconds UTC.
    pub opened_at: i64,
    /// Microseconds UTC.
    pub updated_at: i64,
    /// When an untouched draft is destroyed, microseconds UTC.
    pub draft_until: i64,
    /// Microseconds UTC.
    pub submitted_at: Option<i64>,
    /// Legal day the decision is due, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text", nullable)]
    pub deadline: Option<String>,
    /// When the legal clock was stopped, microseconds UTC; empty while it runs.
    pub clock_stopped_at: Option<i64>,
    /// Legal days the clock has stood still so far.
    pub stopped_days: i32,
    /// Member of staff working on it.
    pub assigned_to: Option<Uuid>,
    /// What the rules said at submission or after correction: `eligible`, `ineligible`, `open`.
    #[sea_orm(column_type = "Text", nullable)]
    pub finding: Option<String>,
    /// Sealed JSON of what the person is asked to correct.
    pub correction: Option<Vec<u8>>,
    /// Legal day by which the correction is expected, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text", nullable)]
    pub correction_due: Option<String>,
    /// Microseconds UTC.
    pub decided_at: Option<i64>,
    /// `approved` or `refused`.
    #[sea_orm(column_type = "Text", nullable)]
    pub outcome: Option<String>,
    /// When the letter left, microseconds UTC.
    pub completed_at: Option<i64>,
    /// Uploads the person had to make.
    pub uploads: i32,
    /// Anonymous row of the measures, until disposal cuts the link.
    pub measure_id: Option<Uuid>,
    /// Legal day from which the data is destroyed, `YYYY-MM-DD`.
    #[sea_orm(column_type = "Text", nullable)]
    pub dispose_after: Option<String>,
    /// Microseconds UTC.
    pub disposed_at: Option<i64>,
    /// Legal day whose law decides, `YYYY-MM-DD`, where it is not the day of submission.
    #[sea_orm(column_type = "Text", nullable)]
    pub reference_date: Option<String>,
    /// The roll it stands on, where nobody applied and the city gives of its own motion.
    pub roll_id: Option<Uuid>,
}

/// No relation is walked through the entity layer.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a queue (待辦清單) shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these states; none means the states an officer works on.
    pub states: Vec<State>,
    /// Only these services; `None` means all.
    pub services: Option<Vec<String>>,
    /// Only this service.
    pub service: Option<String>,
    /// Only what this member of staff holds.
    pub assigned_to: Option<Uuid>,
    /// Only what nobody holds.
    pub unassigned: bool,
    /// Only what is due on or before this day, `YYYY-MM-DD`.
    pub due_by: Option<String>,
    /// Only what the rules found so.
    pub finding: Option<String>,
    /// Only numbers that begin so.
    pub number: Option<String>,
}

impl Filter {
    fn condition(&self) -> Condition {
        let states = if self.states.is_empty() {
            vec![
                State::Submitted,
                State::Review,
                State::Correction,
                State::Approved,
                State::Refused,
            ]
        } else {
            self.states.clone()
        };
        let mut all = Condition::all().add(Column::State.is_in(states)).add(looked_at());
        if let Some(services) = &self.services {
            all = all.add(Column::Service.is_in(services));
        }
        if let Some(service) = &self.service {
            all = all.add(Column::Service.eq(service));
        }
        if let Some(staff) = self.assigned_to {
            all = all.add(Column::AssignedTo.eq(staff));
        }
        if self.unassigned {
            all = all.add(Column::AssignedTo.is_null());
        }
        if let Some(day) = &self.due_by {
            all = all.add(Column::Deadline.lte(day));
        }
        if let Some(finding) = &self.finding {
            all = all.add(Column::Finding.eq(finding));
        }
        if let Some(number) = &self.number {
            all = all.add(Column::Number.starts_with(number));
        }
        all
    }
}

/// Leaves out the lines of a roll that wait for the decision on the whole roll; one whose person objects is in it.
pub fn looked_at() -> Condition {
    use super::roll_entry::{self, Standing};
    let objected = Query::select()
        .expr(Expr::val(1))
        .from(roll_entry::Entity)
        .and_where(Expr::col((roll_entry::Entity, roll_entry::Column::ApplicationId)).equals((Entity, Column::Id)))
        .and_where(ExprTrait::eq(
            Expr::col((roll_entry::Entity, roll_entry::Column::Standing)),
            Standing::Objected,
        ))
        .to_owned();
    Condition::any()
        .add(Column::RollId.is_null())
        .add(Column::State.ne(State::Submitted))
        .add(Expr::exists(objected))
}

/// The application with this identifier.
///
/// # Errors
/// The database error.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// An application with how far its draft has come: what pages of the form ask on every request, in one query.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Progress {
    /// The application.
    #[sea_orm(nested)]
    pub row: Model,
    /// Whether the notice of Personal Data Protection Act §8 was agreed to and not taken back.
    pub agreed: bool,
    /// Whether the person was ever sent to MyData for it.
    pub mydata: bool,
}

/// The application with this identifier, with its progress.
///
/// # Errors
/// The database error.
pub async fn progress(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Progress>, DbErr> {
    use super::{consent, mydata_transaction as transaction};
    let agreed = Query::select()
        .expr(Expr::val(1))
        .from(consent::Entity)
        .and_where(Expr::col((consent::Entity, consent::Column::ApplicationId)).equals((Entity, Column::Id)))
        .and_where(ExprTrait::eq(
            Expr::col((consent::Entity, consent::Column::Kind)),
            "notice",
        ))
        .and_where(Expr::col((consent::Entity, consent::Column::WithdrawnAt)).is_null())
        .to_owned();
    let mydata = Query::select()
        .expr(Expr::val(1))
        .from(transaction::Entity)
        .and_where(Expr::col((transaction::Entity, transaction::Column::ApplicationId)).equals((Entity, Column::Id)))
        .to_owned();
    Entity::find_by_id(id)
        .expr_as(Expr::exists(agreed), "agreed")
        .expr_as(Expr::exists(mydata), "mydata")
        .into_model::<Progress>()
        .one(db)
        .await
}

/// The applications with these identifiers, in no order.
///
/// # Errors
/// The database error.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// The application with this number.
///
/// # Errors
/// The database error.
pub async fn by_number(db: &impl ConnectionTrait, number: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Number.eq(number)).one(db).await
}

/// The application handed in with this form token.
///
/// # Errors
/// The database error.
pub async fn by_form_token(db: &impl ConnectionTrait, token: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::FormToken.eq(token)).one(db).await
}

/// All applications of a person, newest first.
///
/// # Errors
/// The database error.
pub async fn by_person(db: &impl ConnectionTrait, person: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::PersonId.eq(person))
        .order_by_desc(Column::OpenedAt)
        .all(db)
        .await
}

/// Identifiers and services of the newest `most` applications of a person that hold answers and were not taken back, newest
/// first.
///
/// # Errors
/// The database error.
pub async fn with_answers(db: &impl ConnectionTrait, person: Uuid, most: u64) -> Result<Vec<(Uuid, String)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .column(Column::Service)
        .filter(Column::PersonId.eq(person))
        .filter(Column::State.is_not_in([State::Withdrawn, State::Disposed]))
        .filter(Column::Answers.is_not_null())
        .order_by_desc(Column::OpenedAt)
        .limit(most)
        .into_tuple()
        .all(db)
        .await
}

/// Whether a person applied for a service themself since a time, and was not refused and did not take it back.
///
/// # Errors
/// The database error.
pub async fn applied(db: &impl ConnectionTrait, person: Uuid, service: &str, since: i64) -> Result<bool, DbErr> {
    let under_way = [State::Submitted, State::Review, State::Correction, State::Approved];
    let found = Entity::find()
        .filter(Column::PersonId.eq(person))
        .filter(Column::Service.eq(service))
        .filter(Column::RollId.is_null())
        .filter(Column::SubmittedAt.gte(since))
        .filter(
            Condition::any()
                .add(Column::State.is_in(under_way))
                .add(Column::State.eq(State::Completed).and(Column::Outcome.eq("approved"))),
        )
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// The open draft of a person for a service through a channel; there is at most one.
///
/// # Errors
/// The database error.
pub async fn draft(
    db: &impl ConnectionTrait,
    person: Uuid,
    service: &str,
    channel: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::PersonId.eq(person))
        .filter(Column::Service.eq(service))
        .filter(Column::Channel.eq(channel))
        .filter(Column::State.eq(State::Draft))
        .one(db)
        .await
}

/// Writes a new application.
///
/// # Errors
/// The database error; a second open draft for the same person, service and channel breaks its unique index.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes `row` over the stored one and raises the revision; false when the stored revision is not `row.revision`
/// any more, that is, when somebody else changed the application in the meantime.
///
/// # Errors
/// The database error.
pub async fn replace(db: &impl ConnectionTrait, row: &Model) -> Result<bool, DbErr> {
    super::over::replace::<Entity>(db, row.clone(), Column::Id, Column::Revision).await
}

/// A page of the queue, the nearest legal deadline first and what has none last, and how many there are in all. The order is that
/// of both engines and has no ties, so that no page repeats or leaves out what another shows.
///
/// # Errors
/// The database error.
pub async fn queue(
    db: &impl ConnectionTrait,
    filter: &Filter,
    offset: u64,
    limit: u64,
) -> Result<(Vec<Model>, u64), DbErr> {
    let rows = Entity::find()
        .filter(filter.condition())
        .order_by_with_nulls(Column::Deadline, Order::Asc, NullOrdering::Last)
        .order_by_with_nulls(Column::SubmittedAt, Order::Asc, NullOrdering::Last)
        .order_by_asc(Column::Id)
        .offset(offset)
        .limit(limit)
        .all(db)
        .await?;
    let total: Option<i64> = Entity::find()
        .select_only()
        .column_as(Column::Id.count(), "n")
        .filter(filter.condition())
        .into_tuple()
        .one(db)
        .await?;
    Ok((rows, total.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)))
}

/// How many applications of some services stand in each state.
///
/// # Errors
/// The database error.
pub async fn counts(db: &impl ConnectionTrait, services: &[String]) -> Result<Vec<(State, i64)>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::State)
        .column_as(Column::Id.count(), "n")
        .filter(Column::Service.is_in(services))
        .group_by(Column::State)
        .into_tuple()
        .all(db)
        .await
}

/// Applications whose data may be destroyed: drafts past their time and closed cases past their retention
/// of which nothing is claimed back any more.
///
/// # Errors
/// The database error.
pub async fn disposable(db: &impl ConnectionTrait, now: i64, today: &str, limit: u64) -> Result<Vec<Model>, DbErr> {
    use super::claim;
    let claimed = Query::select()
        .expr(Expr::val(1))
        .from(claim::Entity)
        .and_where(Expr::col((claim::Entity, claim::Column::ApplicationId)).equals((Entity, Column::Id)))
        .and_where(ExprTrait::is_in(
            Expr::col((claim::Entity, claim::Column::State)),
            [claim::State::Found, claim::State::Told],
        ))
        .to_owned();
    // a value bound in the place of the word would keep SQLite from using the index of drafts
    let drafts = Condition::all()
        .add(Expr::cust(r#""application"."state" = 'draft'"#))
        .add(Column::DraftUntil.lte(now));
    let closed = Condition::all()
        .add(Column::State.is_in([State::Withdrawn, State::Completed]))
        .add(Column::DisposeAfter.lte(today));
    Entity::find()
        .filter(Condition::any().add(drafts).add(closed))
        .filter(Expr::exists(claimed).not())
        .order_by_asc(Column::OpenedAt)
        .limit(limit)
        .all(db)
        .await
}

/// Cases whose correction was expected before `today` and has not come.
///
/// # Errors
/// The database error.
pub async fn uncorrected(db: &impl ConnectionTrait, today: &str, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::State.eq(State::Correction))
        .filter(Column::CorrectionDue.lt(today))
        .order_by_asc(Column::CorrectionDue)
        .limit(limit)
        .all(db)
        .await
}

/// Cases of a service whose correction is due from one day to another, `YYYY-MM-DD`, both included.
///
/// # Errors
/// The database error.
pub async fn correcting(
    db: &impl ConnectionTrait,
    service: &str,
    from: &str,
    until: &str,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Service.eq(service))
        .filter(Column::State.eq(State::Correction))
        .filter(Column::CorrectionDue.between(from, until))
        .order_by_asc(Column::CorrectionDue)
        .all(db)
        .await
}

/// Counter of one series of case numbers; see [`next_in_series`].
pub mod series {
    use sea_orm::entity::prelude::*;

    /// One series.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "number_series")]
    pub struct Model {
        /// Name of the series, such as `115-SA`.
        #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
        pub name: String,
        /// Last number given.
        pub last: i64,
    }

    /// No relation is walked through the entity layer.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The next number of a series, from 1, without gaps as long as the transaction commits.
///
/// # Errors
/// The database error.
pub async fn next_in_series(db: &impl ConnectionTrait, name: &str) -> Result<i64, DbErr> {
    let mut raise = OnConflict::column(series::Column::Name);
    raise.value(
        series::Column::Last,
        Expr::col((series::Entity, series::Column::Last)).add(1),
    );
    let query = Query::insert()
        .into_table(series::Entity)
        .columns([series::Column::Name, series::Column::Last])
        .values_panic([name.into(), 1i64.into()])
        .on_conflict(raise)
        .returning_col(series::Column::Last)
        .to_owned();
    match db.query_one(&query).await? {
        Some(row) => row.try_get_by_index(0),
        None => Err(DbErr::RecordNotFound(format!("number series `{name}` gave no number"))),
    }
}
