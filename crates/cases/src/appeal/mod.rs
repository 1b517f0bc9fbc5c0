//! Appeal (訴願): a person appeals against a decision, the deciding office examines it again and sets it aside or answers
//! and forwards the file (訴願法 §14, §56–§60). The period is counted from the day the letter left, which is never later
//! than its delivery; what comes after it is taken and marked late, since only the appeal body may reject it (§77).

mod act;

use crate::boxed;
use civic::ids::ApplicationId;
use civic::{Text, legal_day};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use services::{Appeal as Rules, Service};
use store::seal::Place;
use store::tables::{appeal as table, application, event, evidence, letter};
use uuid::Uuid;

use crate::guard::{self, Action};
use crate::history::time;
use crate::people::Person;
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::transition::State as Step;
use crate::{CaseError, Desk, notify};

pub(crate) use act::settled;
pub use act::{forward, lodge, record_paper, set_aside, withdraw};
pub use store::tables::appeal::State;

/// Lines of a list.
const MOST: u64 = 300;

/// What is sealed of an appeal.
#[derive(Serialize, Deserialize)]
struct Content {
    /// What the person says.
    text: String,
    /// What the office answers.
    answer: Option<String>,
}

/// An appeal with what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Identifier.
    pub id: Uuid,
    /// Where it stands.
    pub state: State,
    /// Whether it came on paper.
    pub paper: bool,
    /// Legal day of the delivery it is counted from.
    pub delivered: Option<Date>,
    /// Legal day it was lodged.
    pub lodged: Option<Date>,
    /// Whether it came after the period.
    pub late: bool,
    /// Legal day by which the office answers.
    pub due: Option<Date>,
    /// What the person says.
    pub text: String,
    /// What the office answers.
    pub answer: Option<String>,
    /// Revision to name in the next change.
    pub revision: i64,
}

/// The appeals of a case, and whether another may be lodged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appeals {
    /// The application.
    pub id: ApplicationId,
    /// Its number.
    pub number: String,
    /// Its service.
    pub service: Text,
    /// The rules of its service.
    pub rules: Rules,
    /// Newest first.
    pub all: Vec<View>,
    /// Whether there is a decision without an appeal against it.
    pub may_lodge: bool,
    /// Last legal day of the period against that decision.
    pub until: Option<Date>,
    /// Whether that day is over.
    pub over: bool,
}

/// A document of the file that goes to the appeal body (卷證目錄).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is: `application`, a kind of letter, `evidence`, or a kind of event.
    pub kind: String,
    /// The data set, for evidence.
    pub name: Option<String>,
    /// When it was made or came.
    pub at: Timestamp,
    /// SHA-256, where it is a file.
    pub digest: Option<String>,
}

/// A line of the office's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The application.
    pub application: ApplicationId,
    /// Its number.
    pub number: String,
    /// Its service.
    pub service: Text,
    /// Where the appeal stands.
    pub state: State,
    /// Whether it came after the period.
    pub late: bool,
    /// Legal day it was lodged.
    pub lodged: Option<Date>,
    /// Legal day by which the office answers.
    pub due: Option<Date>,
    /// Working days left; negative when it is late.
    pub days_left: Option<i32>,
}

fn rules(service: &Service) -> Result<&Rules, CaseError> {
    service.meta.appeal.as_ref().ok_or(CaseError::NotFound("appeal"))
}

/// The decision that can be appealed against: its time, and the day its letter left.
async fn decision(desk: &Desk, row: &application::Model) -> Result<Option<(i64, Date)>, CaseError> {
    let (Step::Completed, Some(at)) = (row.state, row.decided_at) else {
        return Ok(None);
    };
    let key = notify::letter::key(row.id, at);
    let letter = letter::by_key(desk.store.read(), &key).await?;
    let left = letter.and_then(|letter| letter.left_at).or(row.completed_at);
    Ok(left.map(|left| (at, legal_day(time(left)))))
}

async fn views(desk: &Desk, record: &Record) -> Result<Vec<(table::Model, View)>, CaseError> {
    let mut views = Vec::new();
    for row in table::of_application(desk.store.read(), record.row.id).await? {
        let content = open(desk, record, &row).await?;
        let day = |text: &str| text.parse().ok();
        let view = View {
            id: row.id,
            state: row.state,
            paper: row.channel == "paper",
            delivered: day(&row.delivered),
            lodged: day(&row.lodged),
            late: row.late,
            due: day(&row.due),
            text: content.text,
            answer: content.answer,
            revision: row.revision,
        };
        views.push((row, view));
    }
    Ok(views)
}

async fn open(desk: &Desk, record: &Record, row: &table::Model) -> Result<Content, CaseError> {
    let place = Place::new("appeal", "sealed", &row.id);
    record::unseal(desk, &record.grant, record.row.key_id.into(), place, &row.sealed).await
}

async fn of_record(desk: &Desk, record: &Record) -> Result<Appeals, CaseError> {
    let rules = rules(&record.service)?.clone();
    let views = views(desk, record).await?;
    let open = decision(desk, &record.row).await?;
    let open = open.filter(|(at, _)| views.iter().all(|(row, _)| row.decided_at != *at));
    let until = open.map(|(_, left)| desk.calendar.add_calendar_days(left, rules.days));
    Ok(Appeals {
        id: record.id(),
        number: record.row.number.clone().unwrap_or_default(),
        service: record.service.meta.name.clone(),
        rules,
        all: views.into_iter().map(|(_, view)| view).collect(),
        may_lodge: open.is_some(),
        until,
        over: until.is_some_and(|until| desk.today() > until),
    })
}

/// The appeals of an own case.
///
/// # Errors
/// [`CaseError::NotFound`], also where the service names no appeal; the store's.
#[boxed]
pub async fn mine(desk: &Desk, person: &Person, id: ApplicationId) -> Result<Appeals, CaseError> {
    let record = record::own(desk, person, id, Action::Appeal).await?;
    of_record(desk, &record).await
}

/// The appeals of a case of the own office, with the list of its file; leaves an entry in the usage ledger.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn of_case(desk: &Desk, staff: &Staff, id: ApplicationId) -> Result<(Appeals, Vec<Document>), CaseError> {
    let record = record::open(desk, &staff.who(), Action::Appeal, record::row(desk, id).await?).await?;
    let appeals = of_record(desk, &record).await?;
    let subject = guard::subject(desk, &record).await?;
    let fields = ["appeal", "letters", "evidence"];
    let entry = guard::entry(
        desk,
        &staff.who(),
        Action::Appeal,
        id,
        &record.service,
        subject,
        &fields,
    );
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                store::ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    let documents = documents(desk, &record).await?;
    Ok((appeals, documents))
}

/// The list of the file, oldest first.
async fn documents(desk: &Desk, record: &Record) -> Result<Vec<Document>, CaseError> {
    let (db, id) = (desk.store.read(), record.row.id);
    let mut all = Vec::new();
    for row in evidence::of_application(db, id).await? {
        all.push(Document {
            kind: "evidence".to_owned(),
            name: Some(row.resource),
            at: time(row.received_at),
            digest: Some(row.digest),
        });
    }
    for row in letter::of_application(db, id).await? {
        all.push(Document {
            kind: row.kind,
            name: None,
            at: time(row.left_at.unwrap_or(row.made_at)),
            digest: Some(row.digest),
        });
    }
    let told = [
        "submitted",
        "corrected",
        "confirmed",
        "confirmed_with_changes",
        "appeal_lodged",
    ];
    for row in event::of_application(db, id).await? {
        if told.contains(&row.kind.as_str()) {
            all.push(Document {
                kind: row.kind,
                name: None,
                at: time(row.at),
                digest: None,
            });
        }
    }
    all.sort_by_key(|document| document.at);
    Ok(all)
}

/// Appeals the own office has to work on, the nearest day first. It names no person.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn list(desk: &Desk, staff: &Staff) -> Result<Vec<Line>, CaseError> {
    guard::office(desk, staff, Action::Queue)?;
    let services: Vec<String> = crate::review::services(desk, staff).into_keys().collect();
    let today = desk.today();
    let mut lines = Vec::new();
    for row in table::open(desk.store.read(), &services, MOST).await? {
        let application = record::row(desk, row.application_id.into()).await?;
        let due: Option<Date> = row.due.parse().ok();
        lines.push(Line {
            application: row.application_id.into(),
            number: application.number.unwrap_or_default(),
            service: desk.service(&row.service)?.meta.name.clone(),
            state: row.state,
            late: row.late,
            lodged: row.lodged.parse().ok(),
            days_left: due.map(|day| desk.calendar.working_days_between(today, day)),
            due,
        });
    }
    Ok(lines)
}
