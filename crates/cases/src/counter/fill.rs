//! The application of the person at the counter: opened, agreed to before a witness, and filled in on one screen.

use crate::boxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use civic::ids::{ApplicationId, ConsentId};
use civic::{Channel, Language};
use jiff::Timestamp;
use services::Service;
use services::form::{Answers, Raw};
use store::ledger;
use store::tables::{application, consent, witness};

use super::Visit;
use crate::change::{Change, same_revision};
use crate::collect::{self, Draft, Members};
use crate::guard::{self, Action};
use crate::history::time;
use crate::record;
use crate::transition::State;
use crate::{CaseError, Desk};

/// A case of the person that was opened at the counter.
#[derive(Clone)]
pub struct CounterCase {
    /// The application.
    pub id: ApplicationId,
    /// Its service.
    pub service: Arc<Service>,
    /// Where it stands.
    pub state: State,
    /// Its number, once handed in.
    pub number: Option<String>,
    /// When it was opened.
    pub opened: Timestamp,
}

fn line(desk: &Desk, row: application::Model) -> Option<CounterCase> {
    // an outcome that may still be taken back is nobody's news yet
    let state = match row.state {
        State::Approved | State::Refused => State::Review,
        other => other,
    };
    Some(CounterCase {
        id: row.id.into(),
        service: Arc::clone(desk.service(&row.service).ok()?),
        state,
        number: row.number,
        opened: time(row.opened_at),
    })
}

/// The person's cases that were opened at the counter, newest first. What they do online is not the clerk's to see.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn cases(desk: &Desk, visit: &Visit) -> Result<Vec<CounterCase>, CaseError> {
    let rows = application::by_person(desk.store.read(), visit.person.id.uuid()).await?;
    let counter = rows.into_iter().filter(|row| row.channel == Channel::Counter.word());
    Ok(counter.filter_map(|row| line(desk, row)).collect())
}

/// One of them.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn case(desk: &Desk, visit: &Visit, id: ApplicationId) -> Result<CounterCase, CaseError> {
    let row = record::own(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?
        .row;
    line(desk, row).ok_or(CaseError::NotFound("application"))
}

/// What the policies refuse at the counter is not found there: it may be the person's own case online.
pub(super) fn unseen(error: CaseError) -> CaseError {
    match error {
        CaseError::Refused(_) => CaseError::NotFound("application"),
        other => other,
    }
}

/// Opens an application for the person, or goes on with the one there is.
///
/// # Errors
/// [`CaseError::NoService`] for a service that is not offered at the counter; as [`collect::open`].
#[boxed]
pub async fn open(desk: &Desk, visit: &Visit, service: &str, language: Language) -> Result<ApplicationId, CaseError> {
    let offered = Arc::clone(desk.service(service)?);
    if !offered.meta.channels.contains(&Channel::Counter) {
        return Err(CaseError::NoService(service.to_owned()));
    }
    let id = collect::open(desk, &visit.person, service, Channel::Counter, language).await?;
    let mut record = record::own(desk, &visit.person, id, Action::Fill).await?;
    let before = record.answers.clone();
    let birth = BTreeMap::from([("birth_date".to_owned(), visit.birth_date.to_string())]);
    offered.form.prefill_profile(&mut record.answers, &birth, desk.now());
    if record.row.state == State::Draft && record.answers != before {
        let mut change = Change::quiet(desk, record.row.clone());
        change.answers(desk, &record).await?;
        desk.store
            .write(move |tx| Box::pin(async move { change.write(tx).await }))
            .await?;
    }
    Ok(id)
}

/// Notes that the notice of Personal Data Protection Act §8 was shown or read out and agreed to, with the clerk as witness.
/// Agreeing again changes nothing.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Illegal`] after submission; [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn agree(desk: &Desk, visit: &Visit, id: ApplicationId, language: Language) -> Result<(), CaseError> {
    let record = record::own(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?;
    collect::still_draft(&record.row)?;
    if collect::agreed(desk, id).await? {
        return Ok(());
    }
    let notice = record.service.notice(language);
    let now = desk.now().as_microsecond();
    let consent = consent::Model {
        id: ConsentId::generate(desk.clock.as_ref()).uuid(),
        person_id: visit.person.id.uuid(),
        application_id: id.uuid(),
        kind: "notice".to_owned(),
        digest: notice.digest.clone(),
        language: language.tag().to_owned(),
        resources: String::new(),
        shown_at: now,
        agreed_at: now,
        withdrawn_at: None,
    };
    let witness = witnessed(visit, &consent);
    let who = visit.person.who();
    let mut change = Change::note(desk, &who, &record.row, "notice_witnessed");
    change.entries.push(guard::entry(
        desk,
        &who,
        Action::Fill,
        id,
        &record.service,
        Some(visit.person.lookup),
        &["consent"],
    ));
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                consent::insert(tx, consent).await?;
                witness::insert(tx, witness).await?;
                Ok(())
            })
        })
        .await
}

/// The clerk as witness of an agreement.
pub(super) fn witnessed(visit: &Visit, consent: &consent::Model) -> witness::Model {
    witness::Model {
        consent_id: consent.id,
        application_id: consent.application_id,
        staff_id: visit.staff.uuid(),
        shown: visit.known_by(),
        at: consent.agreed_at,
    }
}

/// The application as it is being filled in.
///
/// # Errors
/// [`CaseError::NotFound`]; the rules' and the store's.
#[boxed]
pub async fn draft(desk: &Desk, visit: &Visit, id: ApplicationId) -> Result<Draft, CaseError> {
    collect::draft(desk, &visit.person, id).await.map_err(unseen)
}

/// Takes the dense form. Nothing is kept unless all of what was shown can be read; what was typed comes back with the error.
///
/// # Errors
/// As [`collect::save`].
#[boxed]
pub async fn save(
    desk: &Desk,
    visit: &Visit,
    id: ApplicationId,
    revision: i64,
    raw: &Raw,
    language: Language,
) -> Result<Draft, CaseError> {
    let own = record::own_draft(desk, &visit.person, id, Action::Fill)
        .await
        .map_err(unseen)?;
    let mut record = own.record;
    collect::still_draft(&record.row)?;
    if !own.agreed {
        return Err(CaseError::Incomplete(vec!["notice".to_owned()]));
    }
    let now = desk.now();
    let answers = record
        .service
        .form
        .validate_all(raw, &record.answers, language, now)
        .map_err(|invalid| CaseError::Invalid(Box::new(invalid)))?;
    same_revision(&record.row, revision)?;
    let changed = changed(&record.answers, &answers);
    if changed.is_empty() {
        return draft(desk, visit, id).await;
    }
    record.answers = answers;
    let mut row = record.row.clone();
    row.draft_until = collect::until(now);
    let mut change = Change::quiet(desk, row);
    change.answers(desk, &record).await?;
    let names: Vec<&str> = changed.iter().map(String::as_str).collect();
    change.entries.push(guard::entry(
        desk,
        &visit.person.who(),
        Action::Fill,
        id,
        &record.service,
        Some(visit.person.lookup),
        &names,
    ));
    desk.store
        .write(move |tx| Box::pin(async move { change.write(tx).await }))
        .await?;
    draft(desk, visit, id).await
}

/// Names of the answers that are not what they were.
pub(super) fn changed(before: &Answers, after: &Answers) -> Vec<String> {
    let gone = before.values.keys().filter(|key| after.get(key).is_none());
    let new = after
        .values
        .iter()
        .filter(|(key, answer)| before.value(key) != Some(&answer.value));
    new.map(|(key, _)| key).chain(gone).cloned().collect()
}

/// Changes who belongs to the family.
///
/// # Errors
/// As [`collect::members`].
#[boxed]
pub async fn members(
    desk: &Desk,
    visit: &Visit,
    id: ApplicationId,
    revision: i64,
    change: Members,
) -> Result<Draft, CaseError> {
    let (draft, _) = collect::members(desk, &visit.person, id, revision, change)
        .await
        .map_err(unseen)?;
    let entry = guard::entry(
        desk,
        &visit.person.who(),
        Action::Fill,
        id,
        &draft.service,
        Some(visit.person.lookup),
        &["members"],
    );
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(draft)
}
