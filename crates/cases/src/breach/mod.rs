//! A breach of personal data (個人資料侵害事故, 個資法 §12): what happened, whom it concerns by the usage ledger, the report to the
//! authority in time, telling the persons, and the measures. A drill (演練) goes the same way and tells nobody.

mod act;
mod count;
mod policy;
mod tell;

use std::collections::BTreeMap;

use civic::ids::{ApplicationId, PersonId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::Tx;
use store::ledger::{self, ActorKind, Entry};
use store::seal::Place;
use store::tables::{application, breach as table, breach_person, person};
use uuid::Uuid;

use crate::boxed;
use crate::guard::{self, Action};
use crate::history::time;
use crate::people::{self, Person};
use crate::staff::{self, Staff};
use crate::{CaseError, Desk};

pub use act::{Opening, ascertain, close, open, report_sent, save_report, scope, tell, told_otherwise};
pub(crate) use count::{COUNT, work as count};
pub use policy::{Choice, Field, Policy, PolicyError, Report};
pub use store::tables::breach::State;
pub use store::tables::breach_person::Told;
pub(crate) use tell::{TELL, work as spread};

/// The platform's key under which breaches are sealed.
const KEY: &str = "breaches";
/// Breaches that are listed.
const LISTED: u64 = 200;
/// Persons of one page.
pub const PAGE: u64 = 50;

/// Whose data is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// Those whose data was used within the scope: an account in wrong hands, a case opened by mistake.
    Used,
    /// Those of whom the platform kept data in that time: the database or a backup in wrong hands.
    Kept,
}

/// What the breach reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Whose data is meant.
    pub means: Means,
    /// From this time on.
    pub from: Timestamp,
    /// Before this time.
    pub to: Timestamp,
    /// Account of a member of staff, for [`Means::Used`].
    #[serde(default)]
    pub account: Option<String>,
    /// Number of a case, for [`Means::Used`].
    #[serde(default)]
    pub number: Option<String>,
    /// Folder name of a service.
    #[serde(default)]
    pub service: Option<String>,
}

/// What was done, for the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who; nothing for the platform.
    pub by: Option<Uuid>,
    /// A word: `opened`, `scoped`, `counted`, `ascertained`, `report_saved`, `reported`, `told`, `told_otherwise`, `closed`.
    pub what: String,
    /// What was said of it.
    #[serde(default)]
    pub note: String,
}

/// What is sealed of a breach.
#[derive(Clone, Serialize, Deserialize)]
struct Content {
    title: String,
    #[serde(default)]
    scope: Option<Scope>,
    #[serde(default)]
    report: BTreeMap<String, String>,
    #[serde(default)]
    told: String,
    #[serde(default)]
    measures: String,
    history: Vec<Event>,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Identifier.
    pub id: Uuid,
    /// Number people read.
    pub number: String,
    /// What it is called.
    pub title: String,
    /// Whether it is a drill.
    pub drill: bool,
    /// How far it has come.
    pub state: State,
    /// When it was discovered.
    pub discovered: Timestamp,
    /// Until when it is reported; nothing before it was ascertained and once it was reported.
    pub report_due: Option<Timestamp>,
    /// Persons concerned, once they were counted.
    pub concerned: Option<u64>,
}

/// One breach with everything.
#[derive(Clone, Debug)]
pub struct File {
    /// As the list has it.
    pub line: Line,
    /// Revision to name in the next change.
    pub revision: i64,
    /// When it was ascertained.
    pub ascertained: Option<Timestamp>,
    /// Until when it is reported, whether it was or not; nothing before it was ascertained.
    pub due: Option<Timestamp>,
    /// When it was reported.
    pub reported: Option<Timestamp>,
    /// When it was counted whom it concerns.
    pub counted: Option<Timestamp>,
    /// Uses within the scope that name no person.
    pub unnamed: u64,
    /// What it reached.
    pub scope: Option<Scope>,
    /// The report, by name of field.
    pub report: BTreeMap<String, String>,
    /// What persons are told.
    pub told: String,
    /// What was done so that it does not happen again.
    pub measures: String,
    /// How many were told in each way.
    pub counts: Vec<(Told, u64)>,
    /// What was done, oldest first, with the name of who did it.
    pub history: Vec<(Event, Option<String>)>,
}

impl File {
    /// How many were told in this way.
    #[must_use]
    pub fn told(&self, how: Told) -> u64 {
        self.counts
            .iter()
            .find(|(one, _)| *one == how)
            .map_or(0, |(_, count)| *count)
    }
}

/// A person concerned.
#[derive(Clone)]
pub struct Concerned {
    /// Name; nothing where the platform keeps none any more.
    pub name: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Number of the case.
    pub number: Option<String>,
    /// Uses within the scope.
    pub uses: u64,
    /// First and last of them.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Whether they were told, and how.
    pub told: Told,
}

/// What a person is told of a breach, on their own page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Number of the breach.
    pub number: String,
    /// When it was told.
    pub at: Timestamp,
    /// What is told.
    pub text: String,
}

/// The breach of this id, for whoever handles those of its office.
async fn row(desk: &Desk, staff: &Staff, id: Uuid) -> Result<table::Model, CaseError> {
    guard::office(desk, staff, Action::Breach)?;
    let found = table::by_id(desk.store.read(), id).await?;
    found
        .filter(|row| row.agency == staff.agency)
        .ok_or(CaseError::NotFound("breach"))
}

async fn content(desk: &Desk, row: &table::Model) -> Result<Content, CaseError> {
    let place = Place::new("breach", "sealed", &row.id);
    let plain = desk
        .store
        .seal()
        .open_own(desk.store.read(), row.key_id.into(), place, &row.sealed)
        .await?;
    serde_json::from_slice(&plain).map_err(|error| CaseError::corrupt("breach", &error))
}

/// Seals the content and writes the row over the one of its revision.
async fn write(tx: &Tx, seal: &store::seal::Seal, mut row: table::Model, content: &Content) -> Result<(), CaseError> {
    let plain =
        zeroize::Zeroizing::new(serde_json::to_vec(content).map_err(|error| CaseError::corrupt("breach", &error))?);
    let id = row.id;
    let place = Place::new("breach", "sealed", &id);
    row.sealed = seal.seal(tx, row.key_id.into(), place, &plain).await?;
    row.changed_at = tx.now().as_microsecond();
    if table::replace(tx, &row).await? {
        Ok(())
    } else {
        Err(CaseError::Conflict("breach"))
    }
}

/// What the ledger says of a use by who handles a breach.
fn entry(desk: &Desk, staff: &Staff, subject: Option<[u8; 32]>, fields: &[&str], count: u64) -> Entry {
    Entry {
        at: desk.now(),
        actor: ActorKind::Staff,
        actor_id: Some(staff.id.uuid()),
        action: Action::Breach.word().to_owned(),
        purpose: guard::of_person(&desk.breach.law, Action::Breach.word()),
        application: None,
        subject,
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
        count,
    }
}

fn line(row: &table::Model, content: &Content) -> Line {
    Line {
        id: row.id,
        number: row.number.clone(),
        title: content.title.clone(),
        drill: row.drill,
        state: row.state,
        discovered: time(row.discovered_at),
        report_due: row.report_due.filter(|_| row.reported_at.is_none()).map(time),
        concerned: row.counted_at.map(|_| row.concerned.try_into().unwrap_or_default()),
    }
}

/// The breaches of the office, newest first.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but who looks after privacy; the store's.
#[boxed]
pub async fn list(desk: &Desk, staff: &Staff) -> Result<Vec<Line>, CaseError> {
    guard::office(desk, staff, Action::Breach)?;
    let mut lines = Vec::new();
    for row in table::of_agency(desk.store.read(), &staff.agency, LISTED).await? {
        lines.push(line(&row, &content(desk, &row).await?));
    }
    Ok(lines)
}

/// One breach with everything but names of persons.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn file(desk: &Desk, staff: &Staff, id: Uuid) -> Result<File, CaseError> {
    let row = row(desk, staff, id).await?;
    let content = content(desk, &row).await?;
    let names = staff::all(desk).await?;
    let name = |id: Option<Uuid>| {
        let found = names.iter().find(|staff| Some(staff.id.uuid()) == id);
        found.map(|staff| staff.name.clone())
    };
    let counts = breach_person::counts(desk.store.read(), id).await?;
    Ok(File {
        line: line(&row, &content),
        revision: row.revision,
        ascertained: row.ascertained_at.map(time),
        due: row.report_due.map(time),
        reported: row.reported_at.map(time),
        counted: row.counted_at.map(time),
        unnamed: row.unnamed.try_into().unwrap_or_default(),
        counts: counts
            .into_iter()
            .map(|(how, count)| (how, count.try_into().unwrap_or_default()))
            .collect(),
        history: content
            .history
            .iter()
            .map(|event| (event.clone(), name(event.by)))
            .collect(),
        scope: content.scope,
        report: content.report,
        told: content.told,
        measures: content.measures,
    })
}

/// Persons concerned who were told in one of these ways, a page of [`PAGE`] behind `after`, and where the next page begins. Each leaves
/// an entry in the usage ledger; in a drill, which needs nobody's name, nobody is named.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn persons(
    desk: &Desk,
    staff: &Staff,
    id: Uuid,
    told: &[Told],
    after: Option<Uuid>,
) -> Result<(Vec<Concerned>, Option<Uuid>), CaseError> {
    let row = row(desk, staff, id).await?;
    let found = breach_person::page(desk.store.read(), row.id, told, after, PAGE).await?;
    let next = (u64::try_from(found.len()).unwrap_or(0) == PAGE)
        .then(|| found.last().map(|last| last.id))
        .flatten();
    let (mut all, mut used) = (Vec::with_capacity(found.len()), Vec::with_capacity(found.len()));
    for one in found {
        let subject: Option<[u8; 32]> = one.subject.clone().try_into().ok();
        let known = match row.drill {
            true => None,
            false => person::by_lookup(desk.store.read(), &one.subject).await?,
        };
        let person = match known {
            Some(known) => Some(people::of(desk, PersonId::from_uuid(known.id)).await?),
            None => None,
        };
        let case = match one.application_id {
            Some(id) => application::by_id(desk.store.read(), id).await?,
            None => None,
        };
        if !row.drill {
            used.push(entry(desk, staff, subject, &["name", "phone"], 1));
        }
        all.push(Concerned {
            name: person.as_ref().map(|person| person.name.clone()),
            phone: person.and_then(|person| person.phone),
            number: case.and_then(|case| case.number),
            uses: one.uses.try_into().unwrap_or_default(),
            span: one
                .first_at
                .zip(one.last_at)
                .map(|(first, last)| (time(first), time(last))),
            told: one.told,
        });
    }
    if !used.is_empty() {
        desk.store
            .write(move |tx| {
                Box::pin(async move {
                    ledger::append_all(tx, used).await?;
                    Ok::<_, CaseError>(())
                })
            })
            .await?;
    }
    Ok((all, next))
}

/// What a person is told of breaches that concern them, newest first.
///
/// # Errors
/// [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn mine(desk: &Desk, person: &Person) -> Result<Vec<Notice>, CaseError> {
    guard::profile(desk, &person.who(), person.id, Action::Exercise.word())?;
    let found = breach_person::of_subject(desk.store.read(), &person.lookup).await?;
    let mut notices = Vec::new();
    for one in found.into_iter().filter(|one| one.told != Told::No) {
        let Some(row) = table::by_id(desk.store.read(), one.breach_id)
            .await?
            .filter(|row| !row.drill)
        else {
            continue;
        };
        notices.push(Notice {
            text: content(desk, &row).await?.told,
            number: row.number,
            at: time(one.told_at.unwrap_or_default()),
        });
    }
    Ok(notices)
}

/// A case of the person to tell them by: the one that was used where it is theirs, else their latest that is not destroyed. A member of
/// a family is named in somebody else's case, on whose ways they are not told.
async fn case_of(desk: &Desk, one: &breach_person::Model) -> Result<Option<application::Model>, CaseError> {
    let Some(known) = person::by_lookup(desk.store.read(), &one.subject).await? else {
        return Ok(None);
    };
    let all = application::by_person(desk.store.read(), known.id).await?;
    let mut usable = all.into_iter().filter(|row| {
        row.state != crate::State::Disposed && row.number.is_some() && desk.catalogue.get(&row.service).is_some()
    });
    let first = usable.next();
    if first.as_ref().is_some_and(|row| Some(row.id) == one.application_id) {
        return Ok(first);
    }
    Ok(usable.find(|row| Some(row.id) == one.application_id).or(first))
}

/// The case of this number.
async fn numbered(desk: &Desk, number: &str) -> Result<ApplicationId, CaseError> {
    let found = application::by_number(desk.store.read(), number).await?;
    found
        .map(|row| ApplicationId::from_uuid(row.id))
        .ok_or(CaseError::Input {
            field: "number",
            problem: "unknown",
        })
}
