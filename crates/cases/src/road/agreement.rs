//! Approvals: asked for by one member of staff, decided by another, ended at any time; and the switch of an interface.

use crate::boxed;
use civic::ids::EventId;
use jiff::civil::Date;
use store::access::Resource;
use store::tables::road_agreement::{self as table, Model, State};
use store::tables::road_switch;
use troad::ids::{MemberId, ServiceId};
use uuid::Uuid;

use super::{allowed, load, purpose};
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// Longest text, in characters.
const LONGEST: usize = 500;
/// Most fields of an approval.
const FIELDS: usize = 200;
/// Longest an approval may run, in days: it is asked for anew every five years at least.
const DAYS: i32 = 5 * 366;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewAgreement {
    /// Number of the document.
    pub number: String,
    /// The interface.
    pub service: String,
    /// Who calls.
    pub client: String,
    /// Purpose.
    pub purpose: String,
    /// Law.
    pub legal_ground: String,
    /// Fields, one a line.
    pub fields: String,
    /// First legal day.
    pub from: Option<Date>,
    /// Last legal day.
    pub to: Option<Date>,
    /// Most calls a day.
    pub daily_quota: Option<u32>,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be used within its days.
    Approve,
    /// It is refused, with a reason.
    Refuse,
}

fn wrong(field: &'static str, problem: &'static str) -> CaseError {
    CaseError::Input { field, problem }
}

fn text(field: &'static str, text: &str) -> Result<String, CaseError> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(wrong(field, "empty")),
        count if count > LONGEST || text.contains(char::is_control) => Err(wrong(field, "too_long")),
        _ => Ok(text.to_owned()),
    }
}

/// Asks for an approval.
///
/// # Errors
/// [`CaseError::Input`] naming the field; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn apply(desk: &Desk, staff: &Staff, new: &NewAgreement) -> Result<(), CaseError> {
    let road = allowed(desk, staff, "road_change")?;
    let number = text("number", &new.number)?;
    let service: ServiceId = new.service.trim().parse().map_err(|_| wrong("service", "unknown"))?;
    let directory = road.gateway().directory();
    if !directory.interfaces.iter().any(|one| one.id == service) {
        return Err(wrong("service", "unknown"));
    }
    let client: MemberId = new.client.trim().parse().map_err(|_| wrong("client", "unknown"))?;
    if !directory.members.iter().any(|one| one.id.same_owner(&client)) {
        return Err(wrong("client", "unknown"));
    }
    // the city calls what others offer, and others call what the city offers
    if road.offers(&service) == client.same_owner(&road.own) {
        return Err(wrong("client", "side"));
    }
    let fields: Vec<&str> = new
        .fields
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if fields.is_empty() {
        return Err(wrong("fields", "empty"));
    }
    if fields.len() > FIELDS || fields.iter().any(|field| field.chars().count() > LONGEST) {
        return Err(wrong("fields", "too_long"));
    }
    let (Some(from), Some(to)) = (new.from, new.to) else {
        return Err(wrong("from", "no_day"));
    };
    if from > to || to < desk.today() {
        return Err(wrong("to", "order"));
    }
    if from.until(to).map_err(|_| wrong("to", "order"))?.get_days() > DAYS {
        return Err(wrong("to", "too_long"));
    }
    if directory.agreements.iter().any(|one| one.number == number) {
        return Err(wrong("number", "twice"));
    }
    let row = Model {
        id: EventId::generate(desk.clock.as_ref()).uuid(),
        number,
        service: service.to_string(),
        client: client.to_string(),
        purpose: text("purpose", &new.purpose)?,
        legal_ground: text("legal_ground", &new.legal_ground)?,
        fields: serde_json::to_string(&fields).map_err(|error| CaseError::corrupt("road_agreement", &error))?,
        first_day: from.to_string(),
        last_day: to.to_string(),
        daily_quota: new.daily_quota.map(i64::from),
        state: State::Applied,
        applied_by: staff.id.uuid(),
        applied_at: desk.now().as_microsecond(),
        decided_by: None,
        decided_at: None,
        reason: None,
        revision: 1,
    };
    let done = desk
        .store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(table::insert(tx, row).await?) }))
        .await;
    match done {
        Err(CaseError::Store(error)) if error.is_duplicate() => Err(wrong("number", "twice")),
        other => other,
    }
}

async fn found(desk: &Desk, id: Uuid, revision: i64, state: State) -> Result<Model, CaseError> {
    let row = table::by_id(desk.store.read(), id)
        .await?
        .ok_or(CaseError::NotFound("agreement"))?;
    if row.revision != revision || row.state != state {
        return Err(CaseError::Conflict("agreement"));
    }
    Ok(row)
}

async fn keep(desk: &Desk, staff: &Staff, row: Model, state: State, reason: Option<String>) -> Result<(), CaseError> {
    let mut next = row;
    next.state = state;
    next.reason = reason;
    next.decided_by = Some(staff.id.uuid());
    next.decided_at = Some(desk.now().as_microsecond());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                match table::replace(tx, &next).await? {
                    true => Ok(()),
                    false => Err(CaseError::Conflict("agreement")),
                }
            })
        })
        .await?;
    load(desk).await
}

/// Decides what somebody else asked for. What is approved counts from the next call on.
///
/// # Errors
/// [`CaseError::Refused`] for who asked; [`CaseError::Input`] for a refusal without a reason; [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn decide(
    desk: &Desk,
    staff: &Staff,
    id: Uuid,
    revision: i64,
    decision: Decision,
    reason: &str,
) -> Result<(), CaseError> {
    allowed(desk, staff, "road")?;
    let row = found(desk, id, revision, State::Applied).await?;
    let who = staff.who();
    let resource = Resource::Approval {
        id,
        made_by: row.applied_by,
    };
    desk.store
        .access()
        .decide(who.actor(), "approve", resource, purpose("approve"))?;
    match decision {
        Decision::Approve => keep(desk, staff, row, State::Approved, None).await,
        Decision::Refuse => {
            let reason = text("reason", reason)?;
            keep(desk, staff, row, State::Refused, Some(reason)).await
        }
    }
}

/// Ends an approval before its last day; the next call is refused.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::Input`] without a reason; [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn end(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, reason: &str) -> Result<(), CaseError> {
    allowed(desk, staff, "road_change")?;
    let row = found(desk, id, revision, State::Approved).await?;
    let reason = text("reason", reason)?;
    keep(desk, staff, row, State::Ended, Some(reason)).await
}

/// Switches an interface off or on, at once and for good.
///
/// # Errors
/// [`CaseError::NotFound`] for an interface nobody knows; [`CaseError::Input`] without a reason; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn switch(desk: &Desk, staff: &Staff, service: &str, on: bool, reason: &str) -> Result<(), CaseError> {
    let road = allowed(desk, staff, "road_change")?;
    let reason = text("reason", reason)?;
    let id: ServiceId = service.parse().map_err(|_| CaseError::NotFound("interface"))?;
    // the traffic first: what is off must not wait for a disk
    road.gateway()
        .switch(&id, on)
        .map_err(|_| CaseError::NotFound("interface"))?;
    let row = road_switch::Model {
        service: id.to_string(),
        enabled: on,
        reason,
        changed_by: staff.id.uuid(),
        changed_at: desk.now().as_microsecond(),
    };
    desk.store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(road_switch::put(tx, row).await?) }))
        .await?;
    load(desk).await
}
