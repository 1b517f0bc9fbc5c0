//! The case file: form, evidence and the rule's explanation side by side.

use crate::boxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use civic::ids::{ApplicationId, FileId, LetterId};
use civic::{Language, Text};
use jiff::Timestamp;
use jiff::civil::Date;
use rules::Decision;
use serde::{Deserialize, Serialize};
use services::Service;
use services::form::{Answers, Source};
use store::ledger;
use store::seal::Place;
use store::tables::{entitlement, evidence};

use crate::datasets::lookup;
use crate::deliveries::{self, DeliveryRow};
use crate::guard::{self, Action};
use crate::history::{self, EventView, LetterView, PaymentView, time};
use crate::notify::letter as press;
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::transition::{self, Act, State};
use crate::{CaseError, Desk, collect, decide, succession};

/// What the person is asked to correct (補正事項).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionView {
    /// In the officer's words.
    pub message: String,
    /// Legal day by which it is expected.
    pub due: Date,
}

/// One answer beside what its source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideBySide {
    /// Key of the answer.
    pub key: String,
    /// Heading of its page, with the person it is about.
    pub page: String,
    /// The question.
    pub label: String,
    /// The value in force.
    pub form: String,
    /// What the source said.
    pub source: Option<String>,
    /// Which source: the MyData set, `profile`, `register`; nothing where the person answered alone.
    pub source_name: Option<String>,
    /// Whether the person changed what the source said, or an outside body what the person said.
    pub differs: bool,
    /// What the person had answered, where an outside body corrected it.
    pub before: Option<String>,
}

/// Evidence as the file lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceView {
    /// The data set.
    pub resource: String,
    /// `received`, `empty` or `unavailable`.
    pub status: String,
    /// Who signed it.
    pub signer: Option<String>,
    /// When it came.
    pub received: Timestamp,
    /// SHA-256 of what came.
    pub digest: String,
}

/// Everything an officer needs to decide.
pub struct CaseFile {
    /// The application.
    pub id: ApplicationId,
    /// Its number.
    pub number: String,
    /// Its service.
    pub service: Arc<Service>,
    /// Where it stands.
    pub state: State,
    /// Revision to name in the next change.
    pub revision: i64,
    /// `online`, `counter` or `agent`.
    pub channel: String,
    /// When it was handed in.
    pub submitted: Timestamp,
    /// The answers.
    pub answers: Answers,
    /// Form value, source value, difference.
    pub rows: Vec<SideBySide>,
    /// What the city's datasets may be asked.
    pub lookups: Vec<lookup::Question>,
    /// What came from outside.
    pub evidence: Vec<EvidenceView>,
    /// What the rules say.
    pub decision: Decision,
    /// What happened.
    pub events: Vec<EventView>,
    /// Letters made.
    pub letters: Vec<LetterView>,
    /// What became of the messages to the person.
    pub deliveries: Vec<DeliveryRow>,
    /// Payments.
    pub payments: Vec<PaymentView>,
    /// What it is the later case of, where it takes the place of another.
    pub later: Option<succession::Later>,
    /// Whether the bank refused the account.
    pub account_refused: bool,
    /// Legal day by which it is decided.
    pub deadline: Option<Date>,
    /// Working days left.
    pub days_left: Option<i32>,
    /// Legal days the clock stood still.
    pub stopped_days: i32,
    /// Whether it stands still now.
    pub stopped: bool,
    /// What the person was asked to correct.
    pub correction: Option<CorrectionView>,
    /// Who holds it.
    pub assigned_to_me: bool,
    /// What may be done now.
    pub allowed: Vec<Act>,
    /// Until when the decision can be taken back.
    pub undo_until: Option<Timestamp>,
}

/// Opens a case; leaves an entry in the usage ledger that the person can read.
///
/// # Errors
/// [`CaseError::Refused`] by the access policies; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn case(desk: &Desk, staff: &Staff, id: ApplicationId) -> Result<CaseFile, CaseError> {
    let row = record::row(desk, id).await?;
    if matches!(row.state, State::Draft | State::Disposed) {
        return Err(CaseError::NotFound("application"));
    }
    let record = record::open(desk, &staff.who(), Action::Read, row).await?;
    let subject = guard::subject(desk, &record).await?;
    let entry = guard::entry(
        desk,
        &staff.who(),
        Action::Read,
        id,
        &record.service,
        subject,
        &["answers", "evidence", "decision"],
    );
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    let decision = match decide::latest(desk, &record).await? {
        Some(decision) => decision,
        None => decide::decide(&record.service, &record.answers, collect::law_day(desk, &record.row))?,
    };
    let deadline: Option<Date> = record.row.deadline.as_ref().and_then(|day| day.parse().ok());
    let undo_until = match (record.row.state, record.row.decided_at) {
        (State::Approved | State::Refused, Some(at)) => time(at).checked_add(desk.city.grace).ok(),
        _ => None,
    };
    let account_refused = entitlement::of_application(desk.store.read(), id.uuid())
        .await?
        .iter()
        .any(|row| row.account_refused);
    Ok(CaseFile {
        id,
        number: record.row.number.clone().unwrap_or_default(),
        state: record.row.state,
        revision: record.row.revision,
        channel: match record.row.roll_id {
            Some(_) => "proactive".to_owned(),
            None => record.row.channel.clone(),
        },
        submitted: time(record.row.submitted_at.unwrap_or(record.row.opened_at)),
        rows: side_by_side(&record, Language::ZhTw),
        lookups: lookup::questions(desk, staff, &record),
        evidence: came(desk, &record).await?,
        events: history::events(desk, &record).await?,
        letters: history::letters(desk, id.uuid()).await?,
        deliveries: deliveries::of_case(desk, id.uuid()).await?,
        payments: history::payments(desk, id.uuid()).await?,
        later: succession::later(desk, &record.row).await?,
        account_refused,
        days_left: deadline.map(|day| desk.calendar.working_days_between(desk.today(), day)),
        deadline,
        stopped_days: record.row.stopped_days,
        stopped: record.row.clock_stopped_at.is_some(),
        correction: correction(desk, &record).await?,
        assigned_to_me: record.row.assigned_to == Some(staff.id.uuid()),
        allowed: allowed(desk, staff, &record),
        undo_until: undo_until.filter(|until| *until > desk.now()),
        decision,
        answers: record.answers,
        service: record.service,
    })
}

/// Acts that have a place in the state and that the policies let this member of staff do.
fn allowed(desk: &Desk, staff: &Staff, record: &Record) -> Vec<Act> {
    let may = |act: &Act| match act {
        Act::Take | Act::GiveBack | Act::Approve | Act::Refuse | Act::RequestCorrection | Act::Undo => {
            guard::case(desk, &staff.who(), Action::Decide, &record.row, &record.service).is_ok()
        }
        _ => false,
    };
    transition::allowed(record.row.state).into_iter().filter(may).collect()
}

/// What the person is asked to correct, if anything.
pub(crate) async fn correction(desk: &Desk, record: &Record) -> Result<Option<CorrectionView>, CaseError> {
    match &record.row.correction {
        Some(sealed) => record::unseal(
            desk,
            &record.grant,
            record.row.key_id.into(),
            Place::new("application", "correction", &record.row.id),
            sealed,
        )
        .await
        .map(Some),
        None => Ok(None),
    }
}

/// Every answer, page by page.
pub(crate) fn side_by_side(record: &Record, language: Language) -> Vec<SideBySide> {
    let form = &record.service.form;
    let mut rows = Vec::new();
    for place in form.places(&record.answers) {
        let view = form.view(&place, &record.answers, None, None, language);
        let page = match &view.item {
            Some(item) => format!("{} · {item}", view.title),
            None => view.title.to_owned(),
        };
        for field in view.fields {
            let corrected = matches!(field.source, Some(Source::Body { .. }));
            let before = field
                .changed_from
                .as_ref()
                .filter(|_| corrected)
                .map(|(said, _)| said.clone());
            let (source, differs) = match (&field.changed_from, field.source) {
                // what the body says is in force; what the person had said stands beside it
                (Some(_), Some(source)) if corrected => (Some((field.shown.clone(), source)), true),
                (Some((said, source)), _) => (Some((said.clone(), *source)), true),
                (None, Some(source)) if !matches!(source, Source::Person | Source::Screening) => {
                    (Some((field.shown.clone(), source)), false)
                }
                _ => (None, false),
            };
            let name = source.as_ref().and_then(|(_, source)| source_name(source));
            rows.push(SideBySide {
                key: field.key,
                page: page.clone(),
                label: field.label.to_owned(),
                form: field.shown,
                source: source.map(|(said, _)| said),
                source_name: name,
                differs,
                before,
            });
        }
    }
    rows
}

/// Before the number of the earlier application, as the name of a source.
pub const EARLIER: &str = "earlier:";

fn source_name(source: &Source) -> Option<String> {
    match source {
        Source::Person | Source::Screening => None,
        Source::Earlier { number, .. } => Some(format!("{EARLIER}{number}")),
        Source::Profile => Some("profile".to_owned()),
        Source::Register => Some("register".to_owned()),
        Source::Body { name, .. } => Some(name.clone()),
        Source::MyData { resource, .. } => Some(resource.clone()),
        Source::Wallet { card, .. } => Some(card.clone()),
    }
}

async fn came(desk: &Desk, record: &Record) -> Result<Vec<EvidenceView>, CaseError> {
    let rows = evidence::of_application(desk.store.read(), record.row.id).await?;
    let view = |row: evidence::Model| EvidenceView {
        resource: row.resource,
        status: row.status,
        signer: row.signer,
        received: time(row.received_at),
        digest: row.digest,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// A letter of a case, for staff.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn letter(desk: &Desk, staff: &Staff, id: LetterId) -> Result<Vec<u8>, CaseError> {
    let letter = store::tables::letter::by_id(desk.store.read(), id.uuid())
        .await?
        .ok_or(CaseError::NotFound("letter"))?;
    let row = record::row(desk, letter.application_id.into()).await?;
    let record = record::open(desk, &staff.who(), Action::Read, row).await?;
    let subject = guard::subject(desk, &record).await?;
    let entry = guard::entry(
        desk,
        &staff.who(),
        Action::Read,
        record.id(),
        &record.service,
        subject,
        &["letter"],
    );
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(desk
        .store
        .files()
        .get(&desk.store, &record.grant, FileId::from_uuid(letter.file_id))
        .await?
        .to_vec())
}

/// The letter as it would leave, before the decision.
///
/// # Errors
/// [`CaseError::Letter`]; as [`case`].
#[boxed]
pub async fn preview(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    act: Act,
    text: &str,
) -> Result<Vec<u8>, CaseError> {
    let kind = match act {
        Act::Approve => "approved",
        Act::Refuse => "refused",
        _ => "correction",
    };
    let row = record::row(desk, id).await?;
    let record = record::open(desk, &staff.who(), Action::Decide, row).await?;
    let decision = decide::decide(&record.service, &record.answers, collect::law_day(desk, &record.row))?;
    let number = record.row.number.clone().unwrap_or_default();
    let data = press::data(desk, &record, &decision, &number, text).await?;
    press::pdf(&record, kind, data).await
}

/// The services a queue can be narrowed to.
#[must_use]
pub fn services(desk: &Desk, staff: &Staff) -> BTreeMap<String, Text> {
    desk.catalogue
        .all()
        .filter(|service| guard::is_own(desk, staff, &service.id))
        .map(|service| (service.id.clone(), service.meta.name.clone()))
        .collect()
}
