//! Confirm (確認): an outside body, such as a school, confirms or corrects what it knows better than the applicant, before
//! the office decides. Its staff see of an application only what is to be confirmed, and whom it is about.

mod bulk;
mod way;

use crate::boxed;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use civic::ids::ApplicationId;
use civic::{Language, Text};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use services::Service;
use services::confirm::{About, Body, Confirmation};
use services::form::{Answers, FieldError, Invalid, Raw};
use store::Tx;
use store::tables::confirmation::State;
use store::tables::{application, confirmation as table, decision};

use crate::change::{Change, same_revision};
use crate::guard::{self, Action};
use crate::history::time;
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::{CaseError, Desk, collect, decide, notify};

pub use bulk::{Difference, Preview, Row, apply, check, sheet};
pub use store::tables::confirmation::State as ConfirmationState;
pub use way::standing;
pub(crate) use way::{again, begin, lapse, settled};

/// Most lines of a list, and rows of a sheet.
const MOST: u64 = services::confirm::MOST_ROWS as u64;

/// A line of what waits. It names no person: whom it is about shows when it is opened, which leaves an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The application.
    pub id: ApplicationId,
    /// Its number.
    pub number: String,
    /// When the body was asked.
    pub asked: Timestamp,
    /// Legal day by which the answer is expected.
    pub due: Option<Date>,
    /// Working days left; negative when it is late.
    pub days_left: Option<i32>,
}

/// What waits for one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Folder name of the service.
    pub service: String,
    /// Its name.
    pub name: Text,
    /// What the confirmation is called.
    pub title: Text,
    /// The nearest day first.
    pub rows: Vec<Waiting>,
}

/// One application as the body sees it.
pub struct Opened {
    /// The application.
    pub id: ApplicationId,
    /// Its number.
    pub number: String,
    /// Its service.
    pub service: Arc<Service>,
    /// Whom it is about.
    pub about: About,
    /// Keys to be confirmed or filled in, in order.
    pub keys: Vec<String>,
    /// The answers to these keys, and no others.
    pub answers: Answers,
    /// Legal day by which the answer is expected.
    pub due: Option<Date>,
    /// Revision to name in the answer.
    pub revision: i64,
}

/// Where the confirmation of a case stands, for the office and for the applicant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is called.
    pub title: Text,
    /// Who confirms.
    pub body: Text,
    /// Where it stands.
    pub state: State,
    /// Legal day by which it is expected.
    pub due: Option<Date>,
    /// When the body answered.
    pub answered: Option<Timestamp>,
    /// Whether the office decides when the body does not answer.
    pub lapses: bool,
}

/// What a service has confirmed, and the body of a member of its staff.
fn of<'a>(service: &'a Service, staff: &Staff) -> Result<(&'a Confirmation, &'a Body), CaseError> {
    let confirmation = service.confirmation.as_ref();
    let confirmation = confirmation.ok_or(CaseError::NotFound("confirmation"))?;
    let body = confirmation.body(&staff.agency);
    Ok((confirmation, body.ok_or(CaseError::NotFound("confirmation"))?))
}

/// The name of a member of staff's body, where they work for one.
#[must_use]
pub fn body_name(desk: &Desk, staff: &Staff) -> Option<Text> {
    let mut services = desk.catalogue.all();
    services.find_map(|service| Some(service.confirmation.as_ref()?.body(&staff.agency)?.name.clone()))
}

/// What waits for the own body, by service.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but staff of bodies; the store's.
#[boxed]
pub async fn waiting(desk: &Desk, staff: &Staff) -> Result<Vec<Group>, CaseError> {
    guard::office(desk, staff, Action::Confirm)?;
    let today = desk.today();
    let found = table::waiting(desk.store.read(), &staff.agency, MOST).await?;
    let mut groups: Vec<Group> = Vec::new();
    for service in desk.catalogue.all() {
        let Ok((confirmation, _)) = of(service, staff) else {
            continue;
        };
        let rows = found.iter().filter(|(row, _)| row.service == service.id);
        let rows = rows.map(|(row, application)| {
            let due: Option<Date> = row.due.parse().ok();
            Waiting {
                id: ApplicationId::from_uuid(row.application_id),
                number: application.number.clone().unwrap_or_default(),
                asked: time(row.asked_at),
                days_left: due.map(|day| desk.calendar.working_days_between(today, day)),
                due,
            }
        });
        groups.push(Group {
            service: service.id.clone(),
            name: service.meta.name.clone(),
            title: confirmation.title.clone(),
            rows: rows.collect(),
        });
    }
    Ok(groups)
}

/// An application of the own body, opened for the confirmation.
async fn open(desk: &Desk, staff: &Staff, row: application::Model, body: &str) -> Result<Record, CaseError> {
    let service = Arc::clone(desk.service(&row.service)?);
    let grant = guard::confirmation(desk, staff, &row, &service, body)?;
    let answers = record::answers(desk, &grant, &row, &service).await?;
    Ok(Record {
        row,
        service,
        answers,
        grant,
    })
}

/// What is asked of the own body for one application; what is another body's is not found.
async fn asked(desk: &Desk, staff: &Staff, id: ApplicationId) -> Result<(table::Model, Record), CaseError> {
    guard::office(desk, staff, Action::Confirm)?;
    let missing = || CaseError::NotFound("confirmation");
    let row = table::of_application(desk.store.read(), id.uuid()).await?;
    let row = row.filter(|row| row.body == staff.agency).ok_or_else(missing)?;
    let application = record::row(desk, id).await?;
    if row.state != State::Waiting || !is_open(&application) {
        return Err(missing());
    }
    let record = open(desk, staff, application, &row.body).await?;
    Ok((row, record))
}

fn is_open(row: &application::Model) -> bool {
    use application::State;
    matches!(row.state, State::Submitted | State::Review | State::Correction)
}

/// The keys of a confirmation as the ledger names them.
fn used(confirmation: &Confirmation) -> Vec<&str> {
    let fields = confirmation.fields.iter().map(String::as_str);
    ["name", "national_id"].into_iter().chain(fields).collect()
}

/// Opens one application; leaves an entry in the usage ledger that the person can read.
///
/// # Errors
/// [`CaseError::NotFound`] for what is not waiting for the own body; the store's.
#[boxed]
pub async fn one(desk: &Desk, staff: &Staff, id: ApplicationId) -> Result<Opened, CaseError> {
    let (row, record) = asked(desk, staff, id).await?;
    let (confirmation, _) = of(&record.service, staff)?;
    let subject = guard::subject(desk, &record).await?;
    let fields = used(confirmation);
    let entry = guard::entry(
        desk,
        &staff.who(),
        Action::Confirm,
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
    let decision = decide::decide(&record.service, &record.answers, collect::law_day(desk, &record.row))?;
    let about = confirmation.about(&record.service.form, &record.answers, &decision);
    let shown: BTreeSet<String> = record.service.form.shown_keys(&record.answers).into_iter().collect();
    let keys: Vec<String> = confirmation
        .fields
        .iter()
        .filter(|key| shown.contains(*key))
        .cloned()
        .collect();
    let mut answers = Answers::default();
    for key in &keys {
        if let Some(answer) = record.answers.get(key) {
            answers.values.insert(key.clone(), answer.clone());
        }
    }
    Ok(Opened {
        id,
        number: record.row.number.clone().unwrap_or_default(),
        about,
        keys,
        answers,
        due: row.due.parse().ok(),
        revision: record.row.revision,
        service: Arc::clone(&record.service),
    })
}

/// Confirms or corrects one application by what was entered on its page.
///
/// # Errors
/// [`CaseError::Invalid`] with a sentence at each field; [`CaseError::Conflict`]; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn answer(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    revision: i64,
    raw: &Raw,
    language: Language,
) -> Result<(), CaseError> {
    let (row, record) = asked(desk, staff, id).await?;
    same_revision(&record.row, revision)?;
    let (confirmation, _) = of(&record.service, staff)?;
    let form = &record.service.form;
    let values = form
        .read_some(&confirmation.fields, raw, language, desk.now())
        .map_err(|invalid| CaseError::Invalid(Box::new(invalid)))?;
    let missing = missing(&record, &row, &values, desk.now());
    if !missing.is_empty() {
        let errors = missing.into_iter().filter_map(|key| {
            let (_, field) = form.field(&key)?;
            let message = field.missing(language);
            Some(FieldError { key, message })
        });
        return Err(CaseError::Invalid(Box::new(Invalid {
            errors: errors.collect(),
            raw: raw.clone(),
        })));
    }
    let ready = Ready::new(desk, staff, row, record, &values).await?;
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| Box::pin(async move { ready.write(tx, &seal).await }))
        .await
}

/// The answers with the values of a body in force, and without those that they make pointless.
fn confirmed(record: &Record, body: &Body, values: &BTreeMap<String, Value>, at: Timestamp) -> (Answers, usize) {
    let mut answers = record.answers.clone();
    let mut changed = 0;
    for (key, value) in values {
        changed += usize::from(answers.confirm(key, value.clone(), Confirmation::source(body), at));
    }
    (answers, changed)
}

/// What was to be confirmed, is still called for, and has no value.
fn missing(record: &Record, row: &table::Model, values: &BTreeMap<String, Value>, at: Timestamp) -> Vec<String> {
    let confirmation = record.service.confirmation.as_ref();
    let Some(body) = confirmation.and_then(|confirmation| confirmation.body(&row.body)) else {
        return Vec::new();
    };
    let (answers, _) = confirmed(record, body, values, at);
    let shown = record.service.form.shown_keys(&answers);
    let asked = row.fields.split_whitespace();
    asked
        .filter(|key| !values.contains_key(*key) && shown.iter().any(|one| one == key))
        .map(str::to_owned)
        .collect()
}

/// A confirmation of one application, ready to be written.
struct Ready {
    row: table::Model,
    change: Change,
    kept: decision::Model,
    message: notify::Draft,
    number: String,
}

impl Ready {
    async fn new(
        desk: &Desk,
        staff: &Staff,
        mut row: table::Model,
        mut record: Record,
        values: &BTreeMap<String, Value>,
    ) -> Result<Ready, CaseError> {
        let service = Arc::clone(&record.service);
        let (_, body) = of(&service, staff)?;
        let now = desk.now();
        let (mut answers, changed) = confirmed(&record, body, values, now);
        let shown: BTreeSet<String> = service.form.shown_keys(&answers).into_iter().collect();
        for key in row.fields.split_whitespace() {
            if !values.contains_key(key) && !shown.contains(key) {
                answers.values.remove(key);
            }
        }
        record.answers = answers;
        let decision = decide::decide(&service, &record.answers, collect::law_day(desk, &record.row))?;
        let event = if changed > 0 {
            "confirmed_with_changes"
        } else {
            "confirmed"
        };
        let mut change = Change::note(desk, &staff.who(), &record.row, event);
        change.say(desk, body.name.get(Language::ZhTw)).await?;
        change.answers(desk, &record).await?;
        change.row.finding = Some(decide::finding(&decision).to_owned());
        let subject = guard::subject(desk, &record).await?;
        let keys: Vec<&str> = values.keys().map(String::as_str).collect();
        let who = staff.who();
        change.entries.push(guard::entry(
            desk,
            &who,
            Action::Confirm,
            record.id(),
            &service,
            subject,
            &keys,
        ));
        let kept = decide::row(desk, &record, &decision, "confirmed").await?;
        let language: Language = record.row.language.parse().unwrap_or_default();
        let words = BTreeMap::from([
            ("body".to_owned(), body.name.get(language).to_owned()),
            ("changes".to_owned(), changes(language, changed)),
        ]);
        let message = notify::Draft::new(desk, &record, "confirmed", words);
        row.state = State::Confirmed;
        row.answered_at = Some(now.as_microsecond());
        row.answered_by = Some(staff.id.uuid());
        desk.recent.forget(&record.row.id);
        Ok(Ready {
            row,
            change,
            kept,
            message,
            number: record.row.number.clone().unwrap_or_default(),
        })
    }

    async fn write(self, tx: &Tx, seal: &store::seal::Seal) -> Result<(), CaseError> {
        if !table::replace(tx, &self.row).await? {
            return Err(CaseError::Conflict("confirmation"));
        }
        self.change.write(tx).await?;
        decision::insert(tx, self.kept).await?;
        self.message.seal(tx, seal, &self.number).await?.write(tx).await
    }
}

fn changes(language: Language, changed: usize) -> String {
    match (language, changed) {
        (Language::ZhTw, 0) => "和您填的相同".to_owned(),
        (Language::ZhTw, n) => format!("其中 {n} 項和您填的不同，以學校或機構確認的為準"),
        (_, 0) => "It is the same as you answered.".to_owned(),
        (_, n) => format!("{n} of the answers differ from yours; the confirmed ones count."),
    }
}
