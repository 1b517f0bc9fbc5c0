//! The rights of people over their data (當事人權利, 個資法 §3): to ask and read, to have it corrected, its use stopped, or it
//! deleted; each is answered in time, and what the answer says is done.

mod act;
mod copy;

use std::collections::HashMap;

use civic::Text;
use civic::ids::{ApplicationId, PersonId};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use store::access::{Grant, Resource};
use store::ledger::{self, Entry, Recorded};
use store::seal::Place;
use store::tables::{application, person, rights_request as table};
use uuid::Uuid;

use crate::boxed;
use crate::guard::{self, Action, Who};
use crate::history::time;
use crate::people::{self, Person};
use crate::record;
use crate::staff::Staff;
use crate::{CaseError, Desk};

pub use act::{Asked, answer, extend, make, withdraw};
pub use copy::copy;
pub use store::tables::rights_request::{Kind, State};

/// The law by which a request is made and answered.
const BASIS: &str = "個人資料保護法 §3、§13";
/// Requests of a person that are shown, newest first.
const SHOWN: u64 = 100;
/// Requests of an office that are shown.
const LISTED: u64 = 500;

/// What is sealed of a request.
#[derive(Clone, Serialize, Deserialize)]
struct Content {
    /// What the person says.
    text: String,
    /// Why the answer takes longer.
    longer: Option<String>,
    answer: Option<String>,
}

/// A request as the person sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct View {
    /// Identifier.
    pub id: Uuid,
    /// Which right.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// The entry of the usage ledger it is about.
    pub entry: Option<u64>,
    /// The case it is about.
    pub application: Option<ApplicationId>,
    /// Number of the case.
    pub number: Option<String>,
    /// Service of the case.
    pub service: Option<Text>,
    /// Legal day it was made.
    pub made: Option<Date>,
    /// Legal day by which it is answered.
    pub due: Option<Date>,
    /// Whether the time was extended.
    pub extended: bool,
    /// What the person says.
    pub text: String,
    /// Why it takes longer.
    pub longer: Option<String>,
    /// The answer.
    pub answer: Option<String>,
    /// When it was last changed.
    pub changed: Timestamp,
    /// Revision to name in the next change.
    pub revision: i64,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A line of the office's list; it shows no person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Identifier.
    pub id: Uuid,
    /// Which right.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Number of the case it is about.
    pub number: Option<String>,
    /// Legal day it was made.
    pub made: Option<Date>,
    /// Legal day by which it is answered.
    pub due: Option<Date>,
    /// Calendar days left; negative when it is late.
    pub days_left: Option<i32>,
}

/// A request as who answers it sees it.
#[derive(Clone, Debug)]
pub struct File {
    /// The request.
    pub view: View,
    /// The person.
    pub person: Person,
    /// The entry it is about.
    pub entry: Option<Recorded>,
    /// Name of the member of staff who is in that entry.
    pub by: Option<String>,
    /// Whether its time may be extended.
    pub may_extend: bool,
    /// Whether what it is about can be deleted now: a case that is closed, with nothing claimed or appealed.
    pub may_delete: bool,
}

fn allowed(desk: &Desk, who: &Who, action: Action, row: &table::Model) -> Result<Grant, CaseError> {
    let resource = Resource::Request {
        id: row.id,
        owner: row.person_id,
        agency: row.agency.as_deref(),
    };
    let purpose = guard::of_person(BASIS, action.word());
    Ok(desk
        .store
        .access()
        .decide(who.actor(), action.word(), resource, purpose)?)
}

fn entry(desk: &Desk, who: &Who, action: Action, row: &table::Model, subject: [u8; 32], fields: &[&str]) -> Entry {
    let (actor, actor_id) = who.in_ledger();
    let application = row.application_id.map(ApplicationId::from_uuid);
    let mut purpose = guard::of_person(BASIS, action.word());
    purpose.application = application;
    Entry {
        at: desk.now(),
        actor,
        actor_id,
        action: action.word().to_owned(),
        purpose,
        application,
        subject: Some(subject),
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
        count: 1,
    }
}

async fn key(desk: &Desk, row: &table::Model) -> Result<civic::ids::KeyId, CaseError> {
    let person = person::by_id(desk.store.read(), row.person_id)
        .await?
        .ok_or(CaseError::NotFound("person"))?;
    Ok(person.key_id.into())
}

async fn open(desk: &Desk, grant: &Grant, row: &table::Model) -> Result<Content, CaseError> {
    let place = Place::new("rights_request", "sealed", &row.id);
    record::unseal(desk, grant, key(desk, row).await?, place, &row.sealed).await
}

async fn close(desk: &Desk, row: &table::Model, content: &Content) -> Result<Vec<u8>, CaseError> {
    let place = Place::new("rights_request", "sealed", &row.id);
    record::seal(desk, desk.store.read(), key(desk, row).await?, place, content).await
}

async fn case_of(desk: &Desk, row: &table::Model) -> Result<Option<application::Model>, CaseError> {
    Ok(match row.application_id {
        Some(id) => application::by_id(desk.store.read(), id).await?,
        None => None,
    })
}

async fn view(desk: &Desk, grant: &Grant, row: &table::Model) -> Result<View, CaseError> {
    let content = open(desk, grant, row).await?;
    let case = case_of(desk, row).await?;
    let service = case.as_ref().and_then(|case| desk.catalogue.name(&case.service));
    Ok(View {
        id: row.id,
        kind: row.kind,
        state: row.state,
        entry: row.entry.and_then(|entry| entry.try_into().ok()),
        application: row.application_id.map(ApplicationId::from_uuid),
        number: case.as_ref().and_then(|case| case.number.clone()),
        service: service.cloned(),
        made: row.made.parse().ok(),
        due: row.due.parse().ok(),
        extended: row.extended,
        text: content.text,
        longer: content.longer,
        answer: content.answer,
        changed: time(row.changed_at),
        revision: row.revision,
    })
}

/// The requests of a person, newest first.
///
/// # Errors
/// [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn mine(desk: &Desk, person: &Person) -> Result<Vec<View>, CaseError> {
    let who = person.who();
    guard::profile(desk, &who, person.id, Action::Exercise.word())?;
    let mut views = Vec::new();
    for row in table::of_person(desk.store.read(), person.id.uuid(), SHOWN).await? {
        let grant = allowed(desk, &who, Action::Exercise, &row)?;
        views.push(view(desk, &grant, &row).await?);
    }
    Ok(views)
}

/// The entry of the usage ledger with this number, if it is about the person.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn entry_of(desk: &Desk, person: &Person, seq: u64) -> Result<Recorded, CaseError> {
    guard::profile(desk, &person.who(), person.id, Action::Exercise.word())?;
    recorded(desk, &person.lookup, seq)
        .await?
        .ok_or(CaseError::NotFound("entry"))
}

async fn recorded(desk: &Desk, subject: &[u8; 32], seq: u64) -> Result<Option<Recorded>, CaseError> {
    let before = seq.saturating_add(1);
    let found = ledger::of_subject(desk.store.read(), subject, Some(before), 1).await?;
    Ok(found.into_iter().next().filter(|one| one.seq == seq))
}

/// The requests that wait for the office's answer, the most urgent first; or those that are over, newest first.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but who looks after privacy; the store's.
#[boxed]
pub async fn list(desk: &Desk, staff: &Staff, is_open: bool) -> Result<Vec<Line>, CaseError> {
    guard::office(desk, staff, Action::Privacy)?;
    let rows = table::of_agency(desk.store.read(), &staff.agency, is_open, LISTED).await?;
    let cases: Vec<Uuid> = rows.iter().filter_map(|row| row.application_id).collect();
    let numbers: HashMap<Uuid, String> = application::by_ids(desk.store.read(), cases)
        .await?
        .into_iter()
        .filter_map(|case| Some((case.id, case.number?)))
        .collect();
    let mut lines = Vec::new();
    for row in rows {
        let due: Option<Date> = row.due.parse().ok();
        lines.push(Line {
            id: row.id,
            kind: row.kind,
            state: row.state,
            number: row.application_id.and_then(|id| numbers.get(&id).cloned()),
            made: row.made.parse().ok(),
            due,
            days_left: due
                .filter(|_| row.state == State::Open)
                .and_then(|due| desk.today().until(due).ok())
                .map(|span| span.get_days()),
        });
    }
    Ok(lines)
}

/// One request, for who answers it; leaves an entry in the usage ledger.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn file(desk: &Desk, staff: &Staff, id: Uuid) -> Result<File, CaseError> {
    let row = table::by_id(desk.store.read(), id)
        .await?
        .ok_or(CaseError::NotFound("request"))?;
    let grant = allowed(desk, &staff.who(), Action::AnswerRequest, &row)?;
    let person = people::of(desk, PersonId::from_uuid(row.person_id)).await?;
    let fields = ["name", "email", "phone", "request"];
    let used = entry(desk, &staff.who(), Action::AnswerRequest, &row, person.lookup, &fields);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                ledger::append(tx, used).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    let about = match row.entry.and_then(|entry| u64::try_from(entry).ok()) {
        Some(seq) => recorded(desk, &person.lookup, seq).await?,
        None => None,
    };
    let actor = about
        .as_ref()
        .filter(|about| about.entry.actor == ledger::ActorKind::Staff)
        .and_then(|about| about.entry.actor_id);
    let by = match actor {
        Some(actor) => crate::staff::all(desk)
            .await?
            .into_iter()
            .find(|staff| staff.id.uuid() == actor)
            .map(|staff| staff.name),
        None => None,
    };
    Ok(File {
        view: view(desk, &grant, &row).await?,
        may_extend: row.state == State::Open && !row.extended,
        may_delete: case_of(desk, &row).await?.as_ref().is_some_and(act::is_over),
        person,
        entry: about,
        by,
    })
}
