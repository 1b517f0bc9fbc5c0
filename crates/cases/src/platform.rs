//! Running the platform (系統管理): what the administrator sees of it. Nothing here opens the data of a case.

use crate::boxed;
use civic::ids::OutboxId;
use jiff::Timestamp;
use store::outbox;
use store::sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _};
use store::tables::{message, outbox as work, staff as table};

use crate::guard::{self, Action};
use crate::history::time;
use crate::staff::{Role, Staff};
use crate::{CaseError, Desk};

/// Most pieces of given-up work shown.
const SHOWN: u64 = 200;

/// An account as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Name to sign in with.
    pub account: String,
    /// Name shown.
    pub name: String,
    /// What they may do; nothing for a word no version of the platform knows.
    pub role: Option<Role>,
    /// Office they work for.
    pub agency: String,
    /// Whether they may sign in at all.
    pub active: bool,
    /// Wrong attempts in a row.
    pub failures: i32,
    /// Until when they have to wait, where they do.
    pub locked_until: Option<Timestamp>,
    /// When the account was opened.
    pub created: Timestamp,
}

/// Work of one kind that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Kind of the work.
    pub kind: String,
    /// How many pieces.
    pub count: u64,
    /// When the first of them is due.
    pub due: Timestamp,
    /// Most attempts that failed so far.
    pub attempts: i32,
    /// Why the last of these failed.
    pub error: Option<String>,
}

/// A piece of work that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// Identifier.
    pub id: OutboxId,
    /// Kind of the work.
    pub kind: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was put.
    pub put: Timestamp,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// How the platform is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Time the database took to answer, in microseconds; nothing when it did not.
    pub database: Option<i64>,
    /// Whether the MyData platform is set up.
    pub mydata: bool,
    /// Whether a mail server is set up.
    pub mail: bool,
    /// Messages that wait for the mail server.
    pub messages: u64,
    /// Work that waits, by kind.
    pub waiting: Vec<Waiting>,
    /// Work that was given up, newest first.
    pub given_up: Vec<GivenUp>,
}

/// How the platform is.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but administrators; the store's.
#[boxed]
pub async fn health(desk: &Desk, staff: &Staff) -> Result<Health, CaseError> {
    guard::office(desk, staff, Action::Administer)?;
    let asked = std::time::Instant::now();
    let answered = store::ledger::head(desk.store.read()).await.is_ok();
    let database = answered.then(|| i64::try_from(asked.elapsed().as_micros()).unwrap_or(i64::MAX));
    let db = desk.store.read();
    let rows = work::Entity::find()
        .filter(work::Column::State.eq("waiting"))
        .order_by_asc(work::Column::DueAt)
        .all(db)
        .await?;
    let mut waiting: Vec<Waiting> = Vec::new();
    for row in rows {
        match waiting.iter_mut().find(|one| one.kind == row.kind) {
            Some(one) => {
                one.count += 1;
                if row.attempts > one.attempts {
                    one.attempts = row.attempts;
                    one.error = row.last_error;
                }
            }
            None => waiting.push(Waiting {
                kind: row.kind,
                count: 1,
                due: time(row.due_at),
                attempts: row.attempts,
                error: row.last_error,
            }),
        }
    }
    let dead = outbox::dead(&desk.store, SHOWN).await?;
    let view = |row: work::Model| GivenUp {
        id: OutboxId::from_uuid(row.id),
        kind: row.kind,
        attempts: row.attempts,
        put: time(row.created_at),
        error: row.last_error,
    };
    Ok(Health {
        database,
        mydata: desk.mydata.is_some(),
        mail: desk.mail.is_some(),
        messages: message::Entity::find()
            .filter(message::Column::Status.eq("queued"))
            .count(db)
            .await?,
        waiting,
        given_up: dead.into_iter().map(view).collect(),
    })
}

/// Sealed rounds whose seats the folders change, so that who edits `seats.csv` is told that it does not count.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but administrators; the store's.
#[boxed]
pub async fn seats(desk: &Desk, staff: &Staff) -> Result<Vec<crate::round::ChangedRound>, CaseError> {
    guard::office(desk, staff, Action::Administer)?;
    crate::round::changes(&desk.store, &desk.catalogue).await
}

/// Gives up work another chance. Work that is not given up any more stays as it is.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::Conflict`] when somebody else did so before; the store's.
#[boxed]
pub async fn retry(desk: &Desk, staff: &Staff, id: OutboxId) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Administer)?;
    let revived = desk
        .store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(outbox::revive(tx, id).await?) }))
        .await?;
    if revived {
        Ok(())
    } else {
        Err(CaseError::Conflict("work"))
    }
}

/// All accounts of the staff, by name to sign in with.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn accounts(desk: &Desk, staff: &Staff) -> Result<Vec<AccountRow>, CaseError> {
    guard::office(desk, staff, Action::Administer)?;
    let now = desk.now();
    let view = |row: table::Model| AccountRow {
        account: row.account,
        name: row.name,
        role: Role::parse(&row.role),
        agency: row.agency,
        active: row.active,
        failures: row.failures,
        locked_until: Some(time(row.locked_until)).filter(|until| *until > now),
        created: time(row.created_at),
    };
    let mut rows: Vec<AccountRow> = table::all(desk.store.read()).await?.into_iter().map(view).collect();
    rows.sort_by(|one, other| one.account.cmp(&other.account));
    Ok(rows)
}
