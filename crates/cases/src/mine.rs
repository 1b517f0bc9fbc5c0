//! What a resident sees of their own cases.

use crate::boxed;
use civic::Text;
use civic::ids::{ApplicationId, FileId, LetterId};
use jiff::Timestamp;
use jiff::civil::Date;
use rules::Decision;
use services::Service;
use services::form::Answers;
use std::sync::Arc;
use store::ledger::{self, Recorded};
use store::tables::{application, entitlement};

use crate::agents;
use crate::guard::{self, Action};
use crate::history::{self, EventView, LetterView, PaymentView, time};
use crate::people::Person;
use crate::review::{CorrectionView, SideBySide, correction, side_by_side};
use crate::succession::{self, Reporting};
use crate::transition::State;
use crate::{CaseError, Desk, claim, decide, measure, record, round};

/// A line of 我的申請.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mine {
    /// The application.
    pub id: ApplicationId,
    /// Its number, once handed in.
    pub number: Option<String>,
    /// Folder name of its service.
    pub service_id: String,
    /// Its service.
    pub service: Text,
    /// Whether the service is on offer; a case of one that is not can't be opened for the time being.
    pub on_offer: bool,
    /// Where it stands.
    pub state: State,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was handed in.
    pub submitted: Option<Timestamp>,
    /// Legal day by which it is decided.
    pub deadline: Option<Date>,
    /// `approved` or `refused`, once the letter has left.
    pub outcome: Option<String>,
    /// Revision to name in the next change.
    pub revision: i64,
    /// Whether the city began it of its own motion, and nobody applied.
    pub is_listed: bool,
}

/// An own case with all there is to see of it.
pub struct MyCase {
    /// The line of the list.
    pub mine: Mine,
    /// Its service.
    pub service: Arc<Service>,
    /// The answers, page by page.
    pub rows: Vec<SideBySide>,
    /// The answers.
    pub answers: Answers,
    /// What the rules said, once the letter has left.
    pub decision: Option<Decision>,
    /// What happened.
    pub events: Vec<EventView>,
    /// Letters.
    pub letters: Vec<LetterView>,
    /// Payments.
    pub payments: Vec<PaymentView>,
    /// What to correct.
    pub correction: Option<CorrectionView>,
    /// Whether the bank refused the account.
    pub account_refused: bool,
    /// The survey, once the letter has left.
    pub survey: Option<measure::Survey>,
    /// What it took into draws.
    pub tickets: Vec<round::MyTicket>,
    /// The roll it stands on, where nobody applied.
    pub line: Option<crate::roll::MyLine>,
    /// What it is the later case of, where it took the place of another.
    pub later: Option<succession::Later>,
    /// Whether a change can be reported.
    pub reporting: Reporting,
    /// What was paid too much and is claimed back.
    pub claims: Vec<claim::View>,
    /// Whether it can still be taken back.
    pub can_withdraw: bool,
    /// Whether who looks may answer offers of places.
    pub may_answer: bool,
    /// Whether who looks may correct it.
    pub may_correct: bool,
    /// Whether who looks may give the bank account.
    pub may_account: bool,
    /// Whether who looks may object to what the city gives of its own motion.
    pub may_object: bool,
    /// Whether answers are kept from the agent who looks; figures made of them are then not to be shown either.
    pub hidden: bool,
}

fn mine(desk: &Desk, row: &application::Model) -> Mine {
    // An outcome that may still be taken back is nobody's news yet.
    let left = matches!(row.state, State::Completed | State::Disposed);
    Mine {
        id: ApplicationId::from_uuid(row.id),
        number: row.number.clone(),
        service: desk
            .catalogue
            .name(&row.service)
            .map_or_else(|| Text::chinese(row.service.clone()), Clone::clone),
        on_offer: desk.catalogue.get(&row.service).is_some(),
        service_id: row.service.clone(),
        state: shown_state(row.state),
        opened: time(row.opened_at),
        submitted: row.submitted_at.map(time),
        deadline: row.deadline.as_ref().and_then(|day| day.parse().ok()),
        outcome: row.outcome.clone().filter(|_| left),
        revision: row.revision,
        is_listed: row.roll_id.is_some(),
    }
}

/// The state a resident sees: until the letter has left, a decided case is still being reviewed.
fn shown_state(state: State) -> State {
    match state {
        State::Approved | State::Refused => State::Review,
        other => other,
    }
}

/// All own cases, newest first.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn cases(desk: &Desk, person: &Person) -> Result<Vec<Mine>, CaseError> {
    let rows = application::by_person(desk.store.read(), person.id.uuid()).await?;
    let who = person.who();
    // A case of a service that is offered no more has no purpose left that an agent could be trusted with.
    let sees = |row: &application::Model| match desk.catalogue.get(&row.service) {
        Some(service) => guard::case(desk, &who, Action::View, row, service).is_ok(),
        None => person.acting().is_none(),
    };
    let mut found = Vec::with_capacity(rows.len());
    for row in rows.iter().filter(|row| sees(row)) {
        if crate::roll::is_told(desk, row).await? {
            found.push(mine(desk, row));
        }
    }
    Ok(found)
}

/// One own case.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn case(desk: &Desk, person: &Person, id: ApplicationId) -> Result<MyCase, CaseError> {
    let mut record = record::own(desk, person, id, Action::View).await?;
    let who = person.who();
    let row = record.row.clone();
    let service = Arc::clone(&record.service);
    let may = |action| guard::case(desk, &who, action, &row, &service).is_ok();
    let line = mine(desk, &record.row);
    let decided = line.outcome.is_some();
    let mut events = history::events(desk, &record).await?;
    if !decided {
        // what was decided before an earlier letter left stays told when the case is decided anew
        let told = events.iter().rposition(|event| event.kind == "completed");
        let told = told.map_or(0, |at| at + 1);
        let later = events.split_off(told.min(events.len()));
        let secret = |kind: &str| matches!(kind, "approved" | "refused" | "decision_undone");
        events.extend(later.into_iter().filter(|event| !secret(&event.kind)));
    }
    for event in &mut events {
        // Residents see the office, not the person behind the desk; and the officer's notes stay in the file. Their
        // agents they see by name.
        if event.actor != history::AGENT && event.actor != history::ASSISTANT {
            event.name = None;
        }
        if !matches!(event.kind.as_str(), "correction_requested" | history::IDENTITY) {
            event.text = None;
        }
    }
    let entitlements = entitlement::of_application(desk.store.read(), id.uuid()).await?;
    let decision = if decided {
        decide::latest(desk, &record).await?
    } else {
        None
    };
    let hidden = agents::hide(desk, person, &mut record);
    Ok(MyCase {
        hidden,
        may_answer: may(Action::Answer),
        may_correct: may(Action::Correct),
        may_account: may(Action::Account),
        may_object: may(Action::Object),
        rows: side_by_side(&record, record.row.language.parse().unwrap_or_default()),
        decision,
        events,
        letters: match may(Action::Letters) {
            true => history::letters(desk, id.uuid()).await?,
            false => Vec::new(),
        },
        payments: match may(Action::Payments) {
            true => history::payments(desk, id.uuid()).await?,
            false => Vec::new(),
        },
        correction: correction(desk, &record).await?,
        account_refused: entitlements.iter().any(|one| one.account_refused) && may(Action::Account),
        survey: match may(Action::Survey) {
            true => measure::survey(desk, person, id).await?,
            false => None,
        },
        tickets: round::of_case(desk, &record.service, id.uuid()).await?,
        line: crate::roll::of_case(desk, &record).await?,
        later: succession::later(desk, &record.row).await?,
        reporting: succession::reporting(desk, person, &record.row).await?,
        claims: match may(Action::Payments) {
            true => claim::of_case(desk, &record).await?,
            false => Vec::new(),
        },
        can_withdraw: matches!(record.row.state, State::Submitted | State::Review | State::Correction)
            && may(Action::Withdraw),
        mine: line,
        answers: record.answers,
        service: record.service,
    })
}

/// An own letter.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn letter(desk: &Desk, person: &Person, id: LetterId) -> Result<Vec<u8>, CaseError> {
    let letter = store::tables::letter::by_id(desk.store.read(), id.uuid())
        .await?
        .filter(|letter| letter.left_at.is_some());
    let letter = letter.ok_or(CaseError::NotFound("letter"))?;
    let record = record::own(desk, person, letter.application_id.into(), Action::Letters).await?;
    Ok(desk
        .store
        .files()
        .get(&desk.store, &record.grant, FileId::from_uuid(letter.file_id))
        .await?
        .to_vec())
}

/// Who used my data, newest first: every entry of the usage ledger about the person, or those before an entry.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn uses(desk: &Desk, person: &Person, before: Option<u64>, limit: u64) -> Result<Vec<Recorded>, CaseError> {
    guard::profile(desk, &person.who(), person.id, "uses")?;
    Ok(ledger::of_subject(desk.store.read(), &person.lookup, before, limit).await?)
}
