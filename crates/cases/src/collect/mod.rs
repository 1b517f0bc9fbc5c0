//! Collect (受理): from the first click to the submission.

pub mod mydata;
pub mod signature;
mod submit;

use crate::boxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use civic::ids::{ApplicationId, ConsentId};
use civic::{Channel, Language};
use jiff::{SignedDuration, Timestamp};
use rules::Decision;
use services::Service;
use services::form::{Answers, Items, Raw};
use services::round::Window;
use store::ledger;
use store::seal::{Owner, Place};
use store::tables::{application, consent, succession};
use uuid::Uuid;

use crate::agents::{self, Hold};
use crate::change::{Change, same_revision};
use crate::guard::{self, Action};
use crate::people::Person;
use crate::record::{self, OwnDraft, Record};
use crate::succession::Link;
use crate::transition::{Act, Illegal, State};
use crate::{CaseError, Desk, decide, identity, notify};

pub use mydata::MyDataState;
pub(crate) use submit::withdrawn_row;
pub use submit::{Receipt, submit};

/// How long a draft lives after it was touched last.
const DRAFT_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A question still to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Address of its page.
    pub address: String,
    /// Key of its answer.
    pub key: String,
}

/// An application being filled in.
pub struct Draft {
    /// The application.
    pub id: ApplicationId,
    /// Its service.
    pub service: Arc<Service>,
    /// Where it stands.
    pub state: State,
    /// Revision to name in the next change.
    pub revision: i64,
    /// Token that makes a double click one submission.
    pub form_token: Uuid,
    /// Whether the notice of Personal Data Protection Act §8 was agreed to.
    pub agreed: bool,
    /// Where the MyData fetch stands.
    pub mydata: MyDataState,
    /// The answers so far.
    pub answers: Answers,
    /// What the rules say of them today.
    pub decision: Arc<Decision>,
    /// What is still to answer, in the order of the pages.
    pub questions: Vec<Asked>,
    /// When the draft is destroyed if nobody touches it.
    pub draft_until: Timestamp,
    /// Whether answers are kept from the agent who acts; figures made of them are then not to be shown either.
    pub hidden: bool,
    /// Whether who acts may give the bank account.
    pub may_account: bool,
    /// Whether the bank account is still to be given, and only by the person themself.
    pub waits_for_account: bool,
}

/// Opens an application for a person, or continues their draft.
///
/// # Errors
/// [`CaseError::NoService`]; [`CaseError::Weak`] for a sign-in that is too weak; [`CaseError::Closed`] between rounds and in a
/// pause; the store's.
#[boxed]
pub async fn open(
    desk: &Desk,
    person: &Person,
    service: &str,
    channel: Channel,
    language: Language,
) -> Result<ApplicationId, CaseError> {
    let service = Arc::clone(desk.service(service)?);
    if let Some(row) = application::draft(desk.store.read(), person.id.uuid(), &service.id, channel.word()).await? {
        guard::case(desk, &person.who(), Action::Fill, &row, &service)?;
        return Ok(ApplicationId::from_uuid(row.id));
    }
    not_paused(desk, &service)?;
    identity::enough(desk, person, &service)?;
    if let Some(rounds) = &service.rounds
        && let Window::Closed(next) = rounds.at(civic::legal_time(desk.now()))
    {
        return Err(CaseError::Closed {
            next: next.map(|round| round.opens),
        });
    }
    let mut answers = Answers::new(&service.form);
    service.form.prefill_profile(&mut answers, &profile(person), desk.now());
    begin(desk, person, &service, (channel, language), &answers, None).await
}

/// Opens a draft with what is known already; `link` says what it is the later case of.
///
/// # Errors
/// As [`open`].
pub(crate) async fn begin(
    desk: &Desk,
    person: &Person,
    service: &Arc<Service>,
    (channel, language): (Channel, Language),
    answers: &Answers,
    link: Option<Link>,
) -> Result<ApplicationId, CaseError> {
    if !service.meta.channels.contains(&channel) {
        return Err(CaseError::Channel);
    }
    let id = ApplicationId::generate(desk.clock.as_ref());
    guard::opening(desk, &person.who(), person.id, id, service, channel)?;
    let now = desk.now();
    let plain = zeroize::Zeroizing::new(
        serde_json::to_vec(answers).map_err(|error| CaseError::corrupt("application", &error))?,
    );
    let entry = guard::entry(
        desk,
        &person.who(),
        Action::Open,
        id,
        service,
        Some(person.lookup),
        &["name", "national_id"],
    );
    let row = application::Model {
        id: id.uuid(),
        number: None,
        service: service.id.clone(),
        service_digest: service.digest.clone(),
        person_id: Some(person.id.uuid()),
        key_id: Uuid::nil(),
        channel: channel.word().to_owned(),
        language: language.tag().to_owned(),
        state: State::Draft,
        revision: 1,
        answers: None,
        form_token: Some(Uuid::new_v4()),
        opened_at: now.as_microsecond(),
        updated_at: now.as_microsecond(),
        draft_until: until(now),
        submitted_at: None,
        deadline: None,
        clock_stopped_at: None,
        stopped_days: 0,
        assigned_to: None,
        finding: None,
        correction: None,
        correction_due: None,
        decided_at: None,
        outcome: None,
        completed_at: None,
        uploads: 0,
        measure_id: None,
        dispose_after: None,
        disposed_at: None,
        reference_date: None,
        roll_id: None,
    };
    let seal = desk.store.seal().clone();
    let hold = Hold::of(desk, &person.who());
    let made = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                hold.check(tx).await?;
                let mut row = row;
                let key = seal.new_key(tx, Owner::Application(row.id)).await?;
                row.key_id = key.uuid();
                row.answers = Some(
                    seal.seal(tx, key, Place::new("application", "answers", &row.id), &plain)
                        .await?,
                );
                let opened = row.id;
                application::insert(tx, row).await?;
                if let Some(link) = link {
                    succession::insert(tx, link.of(opened)).await?;
                }
                hold.opened(tx, opened).await?;
                ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await;
    match made {
        // Two windows opened it at once: both continue the one draft there is.
        Err(CaseError::Store(error)) if error.is_duplicate() => {
            let row = application::draft(desk.store.read(), person.id.uuid(), &service.id, channel.word()).await?;
            row.map(|row| ApplicationId::from_uuid(row.id))
                .ok_or(CaseError::Conflict("application"))
        }
        Err(error) => Err(error),
        Ok(()) => Ok(id),
    }
}

/// Whether the service takes applications today.
fn not_paused(desk: &Desk, service: &Service) -> Result<(), CaseError> {
    match service.meta.paused_on(desk.today()) {
        Some(paused) => Err(CaseError::Closed {
            next: paused.until.map(|day| day.at(0, 0, 0, 0)),
        }),
        None => Ok(()),
    }
}

pub(crate) fn until(now: Timestamp) -> i64 {
    now.checked_add(DRAFT_LIFE).unwrap_or(Timestamp::MAX).as_microsecond()
}

/// What the account knows of the person, for the form.
fn profile(person: &Person) -> BTreeMap<String, String> {
    let mut profile = BTreeMap::from([
        ("name".to_owned(), person.name.clone()),
        ("national_id".to_owned(), person.national_id.reveal().to_owned()),
    ]);
    profile.extend(person.email.clone().map(|email| ("email".to_owned(), email)));
    profile.extend(person.phone.clone().map(|phone| ("phone".to_owned(), phone)));
    profile
}

/// Notes that the person read the notice of Personal Data Protection Act §8 and agreed. Agreeing again changes nothing.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Illegal`] after submission; the store's.
#[boxed]
pub async fn agree(desk: &Desk, person: &Person, id: ApplicationId, language: Language) -> Result<(), CaseError> {
    let row = record::row(desk, id).await?;
    if row.person_id != Some(person.id.uuid()) {
        return Err(CaseError::NotFound("application"));
    }
    let service = desk.service(&row.service)?;
    guard::case(desk, &person.who(), Action::Fill, &row, service)?;
    still_draft(&row)?;
    if agreed(desk, id).await? {
        return Ok(());
    }
    let hold = Hold::of(desk, &person.who());
    let entry = guard::entry(
        desk,
        &person.who(),
        Action::Fill,
        id,
        service,
        Some(person.lookup),
        &["notice"],
    );
    let entry = person.acting().map(|_| entry);
    let now = desk.now().as_microsecond();
    let consent = consent::Model {
        id: ConsentId::generate(desk.clock.as_ref()).uuid(),
        person_id: person.id.uuid(),
        application_id: id.uuid(),
        kind: "notice".to_owned(),
        digest: service.notice(language).digest.clone(),
        language: language.tag().to_owned(),
        resources: String::new(),
        shown_at: now,
        agreed_at: now,
        withdrawn_at: None,
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                hold.check(tx).await?;
                if let Some(entry) = entry {
                    ledger::append(tx, entry).await?;
                }
                Ok::<_, CaseError>(consent::insert(tx, consent).await?)
            })
        })
        .await
}

pub(crate) async fn agreed(desk: &Desk, id: ApplicationId) -> Result<bool, CaseError> {
    let consents = consent::of_application(desk.store.read(), id.uuid()).await?;
    Ok(consents
        .iter()
        .any(|consent| consent.kind == "notice" && consent.withdrawn_at.is_none()))
}

pub(crate) fn still_draft(row: &application::Model) -> Result<(), CaseError> {
    if row.state == State::Draft {
        Ok(())
    } else {
        Err(Illegal {
            state: row.state,
            act: Act::Submit,
        }
        .into())
    }
}

/// An own application as it is being filled in or corrected.
///
/// # Errors
/// [`CaseError::NotFound`]; the rules' and the store's.
#[boxed]
pub async fn draft(desk: &Desk, person: &Person, id: ApplicationId) -> Result<Draft, CaseError> {
    let own = record::own_draft(desk, person, id, Action::View).await?;
    let mydata = fetched(desk, &own).await?;
    shown(desk, person, own.record, own.agreed, mydata)
}

/// Where the MyData fetch stands; most drafts were never sent there, which costs no query.
async fn fetched(desk: &Desk, own: &OwnDraft) -> Result<MyDataState, CaseError> {
    if own.mydata {
        mydata::state(desk, own.record.id()).await
    } else {
        Ok(MyDataState::NotUsed)
    }
}

fn shown(
    desk: &Desk,
    person: &Person,
    mut record: Record,
    agreed: bool,
    mydata: MyDataState,
) -> Result<Draft, CaseError> {
    let decision = decide::of(desk, &record, law_day(desk, &record.row))?;
    let mut questions = questions(&record, &decision);
    let may_account = agents::may_account(desk, person, &record);
    let open = questions.len();
    questions.retain(|asked| may_account || !agents::is_account(&record.service.form, &asked.key));
    let hidden = agents::hide(desk, person, &mut record);
    Ok(Draft {
        hidden,
        may_account,
        waits_for_account: questions.len() < open,
        id: record.id(),
        state: record.row.state,
        revision: record.row.revision,
        form_token: record.row.form_token.unwrap_or(Uuid::nil()),
        agreed,
        mydata,
        questions,
        decision,
        draft_until: Timestamp::from_microsecond(record.row.draft_until).unwrap_or(Timestamp::MAX),
        answers: record.answers,
        service: record.service,
    })
}

fn questions(record: &Record, decision: &Decision) -> Vec<Asked> {
    let form = &record.service.form;
    let questions = form.questions(&record.answers, decision);
    let mut asked: Vec<Asked> = questions
        .into_iter()
        .map(|question| Asked {
            address: question.address,
            key: question.key,
        })
        .collect();
    // who belongs to the family is asked before anything about its persons, unless a register has said it
    let group = form.person_group().filter(|group| group.max > 1);
    if let Some(group) = group.filter(|group| !record.answers.is_complete(&group.id)) {
        let of_group = |asked: &Asked| asked.key.starts_with(&format!("{}.", group.id));
        let place = asked.iter().position(of_group).unwrap_or(asked.len());
        asked.insert(
            place,
            Asked {
                address: group.id.clone(),
                key: group.id.clone(),
            },
        );
    }
    asked
}

/// The day whose law holds: the reference date of its roll, the day of submission, or today for a draft.
pub(crate) fn law_day(desk: &Desk, row: &application::Model) -> jiff::civil::Date {
    if let Some(day) = row.reference_date.as_ref().and_then(|day| day.parse().ok()) {
        return day;
    }
    let submitted = row.submitted_at.and_then(|at| Timestamp::from_microsecond(at).ok());
    submitted.map_or_else(|| desk.today(), civic::legal_day)
}

/// Takes a page of the form. Nothing is kept unless the whole page can be read; what was typed comes back with the error.
///
/// # Errors
/// [`CaseError::Invalid`] with a sentence for each field; [`CaseError::Conflict`] when the form was changed elsewhere;
/// [`CaseError::Illegal`] when it is neither a draft nor to be corrected; the rules' and the store's.
#[boxed]
pub async fn save(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    revision: i64,
    page: &str,
    raw: Raw,
    language: Language,
) -> Result<Draft, CaseError> {
    let own = record::own_draft(desk, person, id, Action::Fill).await?;
    let mydata = fetched(desk, &own).await?;
    let OwnDraft { mut record, agreed, .. } = own;
    if record.row.state != State::Correction {
        still_draft(&record.row)?;
    }
    let kept = agents::kept(desk, person, &record);
    let now = desk.now();
    record.answers = record
        .service
        .form
        .validate(page, &raw, &record.answers, language, now)
        .map_err(|invalid| CaseError::Invalid(Box::new(invalid)))?;
    kept.unchanged(&record.service.form, &record.answers)?;
    // Checked after the page: a mistyped page is told first, and nothing typed is lost by a second window.
    same_revision(&record.row, revision)?;
    let mut row = record.row.clone();
    row.draft_until = until(now);
    let mut change = Change::quiet(desk, row);
    change.hold = Hold::of(desk, &person.who());
    change.answers(desk, &record).await?;
    desk.store
        .write(move |tx| Box::pin(async move { change.write(tx).await }))
        .await?;
    record.row.revision += 1;
    shown(desk, person, record, agreed, mydata)
}

/// What is done to the persons of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// Somebody more.
    Add,
    /// This one does not belong to it.
    Remove(String),
    /// These are all.
    Complete,
}

/// Changes who belongs to the family; gives the draft, and for a person added the page that asks about them.
///
/// # Errors
/// [`CaseError::Conflict`] when the form was changed elsewhere; [`CaseError::Illegal`] when it is neither a draft nor to be
/// corrected; [`CaseError::Input`] when the family is full; [`CaseError::NotFound`]; the rules' and the store's.
#[boxed]
pub async fn members(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    revision: i64,
    change: Members,
) -> Result<(Draft, Option<String>), CaseError> {
    let own = record::own_draft(desk, person, id, Action::Fill).await?;
    let mydata = fetched(desk, &own).await?;
    let OwnDraft { mut record, agreed, .. } = own;
    if record.row.state != State::Correction {
        still_draft(&record.row)?;
    }
    same_revision(&record.row, revision)?;
    let kept = agents::kept(desk, person, &record);
    let form = &record.service.form;
    let group = form.person_group().ok_or(CaseError::NotFound("family"))?;
    let mut added = None;
    match change {
        Members::Add => {
            let item = record.answers.add_item(form, &group.id).ok_or(CaseError::Input {
                field: "members",
                problem: "full",
            })?;
            let page = form
                .pages
                .iter()
                .find(|page| page.group.as_deref() == Some(&group.id) && page.items != Items::Applicant);
            added = page.map(|page| format!("{}.{item}", page.id));
        }
        Members::Remove(item) => {
            record.answers.remove_item(&group.id, &item);
        }
        Members::Complete => record.answers.answer(&group.id, Some(true.into()), desk.now()),
    }
    kept.unchanged(&record.service.form, &record.answers)?;
    let mut row = record.row.clone();
    row.draft_until = until(desk.now());
    let mut change = Change::quiet(desk, row);
    change.hold = Hold::of(desk, &person.who());
    change.answers(desk, &record).await?;
    desk.store
        .write(move |tx| Box::pin(async move { change.write(tx).await }))
        .await?;
    record.row.revision += 1;
    Ok((shown(desk, person, record, agreed, mydata)?, added))
}

/// Takes the application back (撤回); only before the decision.
///
/// # Errors
/// [`CaseError::Illegal`] after the decision; [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn withdraw(desk: &Desk, person: &Person, id: ApplicationId, revision: i64) -> Result<(), CaseError> {
    let record = record::own(desk, person, id, Action::Withdraw).await?;
    same_revision(&record.row, revision)?;
    let mut change = Change::act(desk, &person.who(), &record.row, Act::Withdraw)?;
    withdrawn_row(desk, &mut change.row, &record.service);
    change.entries.push(guard::entry(
        desk,
        &person.who(),
        Action::Withdraw,
        id,
        &record.service,
        Some(person.lookup),
        &[],
    ));
    let message = notify::Draft::new(desk, &record, "withdrawn", BTreeMap::new());
    let (seal, number) = (desk.store.seal().clone(), record.row.number.clone().unwrap_or_default());
    let (measure, listed) = (record.row.measure_id, record.row.clone());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                store::tables::round_entry::delete_of(tx, id.uuid()).await?;
                crate::roll::declined(tx, &listed).await?;
                if let Some(measure) = measure {
                    store::tables::measure::set_outcome(tx, measure, Some("withdrawn"), None).await?;
                }
                message.seal(tx, &seal, &number).await?.write(tx).await
            })
        })
        .await
}
