//! The full history of a case, as its pages tell it.

use civic::ids::LetterId;
use exchange::oidc::Level;
use jiff::Timestamp;
use store::seal::Place;
use store::tables::{event, letter, payment};
use uuid::Uuid;

use crate::identity::{Method, Verified};
use crate::record::{self, Record};
use crate::{CaseError, Desk, staff};

/// The actor's word for an agent of the person.
pub const AGENT: &str = "agent";
/// The actor's word for a village officer who assisted the person.
pub const ASSISTANT: &str = "assistant";

/// Kind of the event that says how somebody proved who they are; its text is what [`proof`] wrote.
pub const IDENTITY: &str = "identity";

/// A proof as the event keeps it: the method, an issuer with its id, and the level.
pub(crate) fn proof(verified: &Verified) -> String {
    let level = verified.level.map_or(0, Level::number);
    match &verified.method {
        Method::Issuer(id) => format!("issuer {level} {id}"),
        Method::Phone => format!("phone {level}"),
        Method::Card => format!("card {level}"),
    }
}

/// Reads what an [`IDENTITY`] event keeps: the method's word (`issuer`, `phone`, `card`), the level if there is one, and the id
/// of an issuer.
#[must_use]
pub fn read_proof(text: &str) -> Option<(&str, Option<u8>, Option<&str>)> {
    let mut parts = text.splitn(3, ' ');
    let (method, level) = (parts.next()?, parts.next()?.parse().ok()?);
    Some((method, (1..=4).contains(&level).then_some(level), parts.next()))
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventView {
    /// When.
    pub at: Timestamp,
    /// What, such as `submitted`; the page has a text for each.
    pub kind: String,
    /// `person`, `staff` or `system`; [`AGENT`] or [`ASSISTANT`] for who acted for the person.
    pub actor: String,
    /// Name of the agent; for pages of the staff also of the member of staff.
    pub name: Option<String>,
    /// What was said with it.
    pub text: Option<String>,
}

/// A letter that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterView {
    /// Identifier.
    pub id: LetterId,
    /// `approved`, `refused` or `correction`.
    pub kind: String,
    /// When it left, or was made.
    pub at: Timestamp,
}

/// A payment, without its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentView {
    /// Month paid for, `YYYY-MM`.
    pub period: String,
    /// NT dollars.
    pub amount: i64,
    /// Where it stands.
    pub state: payment::State,
    /// The bank's reason code for a refusal.
    pub reason: Option<String>,
    /// When the bank paid.
    pub paid_at: Option<Timestamp>,
}

pub(crate) fn time(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A legal day as it is kept in a table.
pub(crate) fn day(what: &'static str, text: &str) -> Result<jiff::civil::Date, CaseError> {
    text.parse().map_err(|_| CaseError::Corrupt {
        what,
        why: "a day can't be read".to_owned(),
    })
}

/// A month as a row keeps it.
pub(crate) fn month(what: &'static str, text: &str) -> Result<civic::Month, CaseError> {
    text.parse().map_err(|_| CaseError::Corrupt {
        what,
        why: "a month can't be read".to_owned(),
    })
}

/// What happened, oldest first.
pub(crate) async fn events(desk: &Desk, record: &Record) -> Result<Vec<EventView>, CaseError> {
    let rows = event::of_application(desk.store.read(), record.row.id).await?;
    let names = if rows.iter().any(|row| row.actor == "staff") {
        staff::all(desk).await?
    } else {
        Vec::new()
    };
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let staff = names.iter().find(|staff| Some(staff.id.uuid()) == row.actor_id);
        let agent = match (row.actor.as_str(), staff.map(|staff| staff.role)) {
            ("person", _) if record.row.person_id.is_some() && row.actor_id != record.row.person_id => Some(AGENT),
            ("staff", Some(staff::Role::Organisation)) => Some(AGENT),
            ("staff", Some(staff::Role::VillageOfficer)) => Some(ASSISTANT),
            _ => None,
        };
        let mut text = text(desk, record, &row).await?;
        let name = match agent {
            // the name of the agent stands in the text of the event beside this one
            Some(_) if row.kind == IDENTITY => None,
            Some(_) => text.take(),
            None => staff.map(|staff| staff.name.clone()),
        };
        views.push(EventView {
            at: time(row.at),
            text,
            name,
            kind: row.kind,
            actor: agent.map_or(row.actor, str::to_owned),
        });
    }
    Ok(views)
}

async fn text(desk: &Desk, record: &Record, row: &event::Model) -> Result<Option<String>, CaseError> {
    match &row.detail {
        Some(sealed) => record::unseal(
            desk,
            &record.grant,
            record.row.key_id.into(),
            Place::new("event", "detail", &row.id),
            sealed,
        )
        .await
        .map(Some),
        None => Ok(None),
    }
}

/// What was said with the newest event of this kind.
pub(crate) async fn latest_text(desk: &Desk, record: &Record, kind: &str) -> Result<Option<String>, CaseError> {
    let rows = event::of_application(desk.store.read(), record.row.id).await?;
    match rows
        .iter()
        .filter(|row| row.kind == kind)
        .max_by_key(|row| row.revision)
    {
        Some(row) => text(desk, record, row).await,
        None => Ok(None),
    }
}

pub(crate) async fn letters(desk: &Desk, application: Uuid) -> Result<Vec<LetterView>, CaseError> {
    let rows = letter::of_application(desk.store.read(), application).await?;
    Ok(rows
        .into_iter()
        .map(|row| LetterView {
            id: LetterId::from_uuid(row.id),
            at: time(row.left_at.unwrap_or(row.made_at)),
            kind: row.kind,
        })
        .collect())
}

pub(crate) async fn payments(desk: &Desk, application: Uuid) -> Result<Vec<PaymentView>, CaseError> {
    let rows = payment::of_application(desk.store.read(), application).await?;
    let view = |row: payment::Model| PaymentView {
        period: row.period,
        amount: row.amount,
        state: row.state,
        reason: row.reason,
        paid_at: row.paid_at.map(time),
    };
    Ok(rows.into_iter().map(view).collect())
}
