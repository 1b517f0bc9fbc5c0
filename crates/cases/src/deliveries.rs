//! What became of messages (訊息遞送), for who keeps the platform and for the office of a case. Neither address nor text is shown.

use crate::boxed;
use std::collections::BTreeMap;

use civic::ids::DeliveryId;
use jiff::{SignedDuration, Timestamp};
use store::outbox;
use store::tables::channel::Kind;
use store::tables::delivery::{self, State};
use store::tables::{application, message};
use uuid::Uuid;

use crate::guard::{self, Action};
use crate::history::time;
use crate::notify;
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// Days over which messages that were sent are counted.
pub const DAYS: i64 = 30;
/// Most messages shown that a person has to look at.
const SHOWN: u64 = 200;
/// Most characters of a reason.
const REASON: usize = 500;

/// One kind of channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRow {
    /// Which.
    pub kind: Kind,
    /// Whether the city has a way of this kind.
    pub is_set: bool,
    /// Not tried yet.
    pub queued: i64,
    /// Tried, and to be tried again.
    pub later: i64,
    /// Sent in the last [`DAYS`].
    pub sent: i64,
    /// Given up after all tries, or refused for good: somebody has to look.
    pub stuck: i64,
    /// Gone or ended in the last [`DAYS`].
    pub ended: i64,
    /// When the oldest that is still to be sent was made.
    pub oldest: Option<Timestamp>,
}

/// A delivery as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Identifier.
    pub id: DeliveryId,
    /// What the message tells, such as `approved`.
    pub message: String,
    /// Number of the case.
    pub number: Option<String>,
    /// On which kind of channel.
    pub channel: Kind,
    /// Where it stands.
    pub state: State,
    /// What went wrong last, as a code.
    pub problem: Option<String>,
    /// Why somebody gave it up.
    pub reason: Option<String>,
    /// Tries.
    pub tries: i32,
    /// When the message was made.
    pub made: Timestamp,
    /// The last try.
    pub tried: Option<Timestamp>,
    /// The next try.
    pub next: Option<Timestamp>,
}

/// Everything that the page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// One line for each kind.
    pub channels: Vec<ChannelRow>,
    /// What somebody has to look at, the newest first.
    pub stuck: Vec<DeliveryRow>,
}

/// Where messages stand on each channel, and those that somebody has to look at.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but administrators; the store's.
#[boxed]
pub async fn overview(desk: &Desk, staff: &Staff) -> Result<Overview, CaseError> {
    guard::office(desk, staff, Action::Administer)?;
    let db = desk.store.read();
    let month = SignedDuration::from_hours(24 * DAYS);
    let since = desk.now().checked_sub(month).unwrap_or(Timestamp::MIN);
    let counts = delivery::counts(db, since.as_microsecond()).await?;
    let channels = Kind::ALL.into_iter().map(|kind| {
        let own = || counts.iter().filter(move |count| count.channel == kind);
        let number = |states: &[State]| {
            own()
                .filter(|count| states.contains(&count.state))
                .map(|count| count.number)
                .sum()
        };
        let oldest = own()
            .filter(|count| count.state.is_open())
            .map(|count| count.oldest)
            .min();
        ChannelRow {
            kind,
            is_set: desk.can_send(kind),
            queued: number(&[State::Queued]),
            later: number(&[State::Later]),
            sent: number(&[State::Sent]),
            stuck: number(&[State::Dead, State::Failed]),
            ended: number(&[State::Gone, State::Ended]),
            oldest: oldest.map(time),
        }
    });
    let channels = channels.collect();
    let stuck = rows(desk, delivery::stuck(db, SHOWN).await?).await?;
    Ok(Overview { channels, stuck })
}

/// What became of the messages of a case, the newest first. Who may read the case is asked by who shows it.
pub(crate) async fn of_case(desk: &Desk, application: Uuid) -> Result<Vec<DeliveryRow>, CaseError> {
    let found = delivery::of_application(desk.store.read(), application).await?;
    rows(desk, found).await
}

async fn rows(desk: &Desk, found: Vec<delivery::Model>) -> Result<Vec<DeliveryRow>, CaseError> {
    let db = desk.store.read();
    let ids = |id: fn(&delivery::Model) -> Uuid| {
        let mut ids: Vec<Uuid> = found.iter().map(id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let messages = message::by_ids(db, ids(|row| row.message_id)).await?;
    let kinds: BTreeMap<Uuid, String> = messages.into_iter().map(|row| (row.id, row.kind)).collect();
    let cases = application::by_ids(db, ids(|row| row.application_id)).await?;
    let numbers: BTreeMap<Uuid, Option<String>> = cases.into_iter().map(|row| (row.id, row.number)).collect();
    let view = |row: delivery::Model| DeliveryRow {
        id: DeliveryId::from_uuid(row.id),
        message: kinds.get(&row.message_id).cloned().unwrap_or_default(),
        number: numbers.get(&row.application_id).cloned().flatten(),
        channel: row.channel,
        state: row.state,
        problem: row.problem,
        reason: row.reason,
        tries: row.tries,
        made: time(row.made_at),
        tried: row.tried_at.map(time),
        next: row.next_at.map(time),
    };
    Ok(found.into_iter().map(view).collect())
}

/// Has a message sent again on its channel.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but administrators; [`CaseError::NotFound`]; [`CaseError::Conflict`] when it does not wait for
/// somebody any more; the store's.
#[boxed]
pub async fn again(desk: &Desk, staff: &Staff, id: DeliveryId) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Administer)?;
    let id = id.uuid();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let mut row = delivery::by_id(tx, id).await?.ok_or(CaseError::NotFound("delivery"))?;
                let was = row.state;
                if !was.is_stuck() {
                    return Err(CaseError::Conflict("delivery"));
                }
                row.state = State::Queued;
                row.tries = 0;
                row.again = row.again.saturating_add(1);
                row.next_at = None;
                let task = notify::task(&row);
                let message = row.message_id;
                if !delivery::replace(tx, row, was).await? {
                    return Err(CaseError::Conflict("delivery"));
                }
                message::requeue(tx, message).await?;
                outbox::put(tx, task).await?;
                Ok(())
            })
        })
        .await
}

/// Gives a message up on its channel, and says why.
///
/// # Errors
/// [`CaseError::Input`] with field `reason` without one; [`CaseError::Refused`]; [`CaseError::NotFound`]; [`CaseError::Conflict`] when it
/// does not wait for somebody any more; the store's.
#[boxed]
pub async fn give_up(desk: &Desk, staff: &Staff, id: DeliveryId, reason: &str) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Administer)?;
    let reason = reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > REASON {
        return Err(CaseError::Input {
            field: "reason",
            problem: "needed",
        });
    }
    let id = id.uuid();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let mut row = delivery::by_id(tx, id).await?.ok_or(CaseError::NotFound("delivery"))?;
                let was = row.state;
                row.state = State::Ended;
                row.reason = Some(reason);
                row.next_at = None;
                if !was.is_stuck() || !delivery::replace(tx, row, was).await? {
                    return Err(CaseError::Conflict("delivery"));
                }
                Ok(())
            })
        })
        .await
}
