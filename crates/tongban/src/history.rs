//! The past of a demonstration city: made-up residents applied during the last eight weeks, through the same verbs as
//! everybody, with a clock that is moved from day to day. So the queue, the payments and the indicators are not empty.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cases::people::{self, NewPerson};
use cases::{CaseError, Desk, Month, Person, Staff, State, collect, jobs, measure, pay, review, staff};
use civic::ids::ApplicationId;
use civic::{Channel, Clock, FixedClock, Language, NationalId};
use jiff::{SignedDuration, Timestamp};
use peers::{Account, Population as _};
use serde_json::Value;
use services::Service;
use services::form::{Answers, FieldKind, Raw, SHOWN};
use store::sea_orm::{EntityTrait as _, PaginatorTrait as _};
use store::tables::application;

use crate::commands::demo::Member;
use crate::config::Config;
use crate::demo::City;
use crate::server::{self, ServeError};

/// The service the past is about.
const SERVICE: &str = "senior-allowance";
/// Days it goes back.
const DAYS: i64 = 56;
/// Residents who applied.
const APPLIED: usize = 36;
/// What those who answered the survey thought, in turn.
const GRADES: [i16; 8] = [5, 5, 4, 5, 3, 4, 5, 4];
/// Says in the data folder that the past is complete.
const DONE: &str = "history";

/// Why there is no past.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The store or the services.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The accounts of the staff, or the store.
    #[error("the past of the demonstration city can't be made: {0}")]
    Case(#[from] CaseError),
    /// A file of the data folder.
    #[error("{path}: {why}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
}

/// One application of the past.
struct Case {
    id: ApplicationId,
    person: Person,
    submitted: i64,
    number: usize,
    decided: bool,
    asked: bool,
}

/// Makes the past of a new city. One that was interrupted is thrown away and made again: the portal was not open yet.
///
/// # Errors
/// [`HistoryError`] when the store can't be opened. A past that can't be made whole is told and left as far as it came.
pub async fn history(config: &Config, city: &City, members: &[Member]) -> Result<(), HistoryError> {
    if is_made(&config.data) {
        return Ok(());
    }
    let path = config.data.join("history.begun");
    let interrupted = path.exists();
    let begun = file(&path, std::fs::File::create(&path))?;
    if begun.try_lock().is_err() {
        // a process that outlived its portal is still at it
        return Err(ServeError::InUse {
            path: config.data.clone(),
        }
        .into());
    }
    if interrupted && config.database.is_none() {
        for name in ["tongban.sqlite", "tongban.sqlite-wal", "tongban.sqlite-shm"] {
            let path = config.data.join(name);
            if path.exists() {
                file(&path, std::fs::remove_file(&path))?;
            }
        }
    }
    let now = Timestamp::now();
    let begin = civic::legal_start(civic::legal_day(now));
    let begin = begin
        .checked_sub(SignedDuration::from_hours(24 * DAYS - 9))
        .unwrap_or(begin);
    let clock = Arc::new(FixedClock::new(begin));
    let desk = Arc::new(
        server::desk(
            config,
            Arc::clone(&clock) as Arc<dyn Clock>,
            SignedDuration::from_mins(30),
        )
        .await?,
    );
    // a database that was used before keeps its own past
    let used = application::Entity::find()
        .count(desk.store.read())
        .await
        .map_err(store::StoreError::from)
        .map_err(CaseError::from)?;
    if used == 0 {
        for member in members {
            member.open(&desk).await?;
        }
        match pass(&desk, &clock, begin, now, city).await {
            Ok(applied) => tracing::debug!(applied, "the past is made"),
            Err(error) => tracing::warn!(%error, "the past of the city could not be made whole"),
        }
    }
    desk.store.close().await;
    let done = config.data.join(DONE);
    file(&done, std::fs::write(&done, ""))?;
    file(&path, std::fs::remove_file(&path))
}

/// Whether the past of a data folder is complete.
#[must_use]
pub fn is_made(data: &Path) -> bool {
    data.join(DONE).exists()
}

fn file<T>(path: &Path, done: std::io::Result<T>) -> Result<T, HistoryError> {
    done.map_err(|why| HistoryError::File {
        path: path.to_path_buf(),
        why,
    })
}

async fn pass(
    desk: &Arc<Desk>,
    clock: &FixedClock,
    begin: Timestamp,
    real: Timestamp,
    city: &City,
) -> Result<usize, CaseError> {
    let service = Arc::clone(desk.service(SERVICE)?);
    let everybody = staff::all(desk).await?;
    let member = |account: &str| {
        everybody
            .iter()
            .find(|one| one.account == account)
            .cloned()
            .ok_or(CaseError::NotFound("account"))
    };
    let officers = [member("officer")?, member("officer2")?];
    let relay = jobs::relay(desk);
    let elders = elders(desk, city, &service);
    let mut waiting = elders.iter().enumerate().peekable();
    let mut cases: Vec<Case> = Vec::new();
    for day in 0..=DAYS {
        let morning = begin.checked_add(SignedDuration::from_hours(24 * day)).unwrap_or(begin);
        // the last morning may be still to come
        if morning > real {
            break;
        }
        clock.set(morning);
        let span = SignedDuration::from_secs(real.duration_since(morning).as_secs().clamp(0, 8 * 3600) / 40);
        while let Some((number, (account, answers))) =
            waiting.next_if(|(number, _)| i64::try_from(*number).unwrap_or(0) * DAYS / 36 <= day)
        {
            clock.advance(span);
            if let Some((id, person)) = apply(desk, &service, number, account, answers).await? {
                cases.push(Case {
                    id,
                    person,
                    submitted: day,
                    number,
                    decided: false,
                    asked: false,
                });
            }
        }
        if desk.calendar.is_working(desk.today()) {
            for case in cases
                .iter_mut()
                .filter(|case| !case.decided && case.submitted + patience(case.number) <= day)
            {
                clock.advance(span);
                let officer = &officers[case.number % 2];
                decide(desk, officer, case.id).await?;
                case.decided = true;
            }
        }
        clock.advance(span);
        relay.round(&desk.store).await?;
        for case in cases.iter_mut().filter(|case| case.decided && !case.asked) {
            if row(desk, case.id).await?.state != State::Completed {
                continue;
            }
            case.asked = true;
            if case.number % 4 != 1 {
                let grade = GRADES.get(case.number % GRADES.len()).copied().unwrap_or(4);
                measure::answer(desk, &case.person, case.id, grade, "").await?;
            }
        }
    }
    // what is left lies in the queue, but for one that is being looked at and one that is to be corrected
    let mut left = cases.iter().filter(|case| !case.decided);
    if let Some(case) = left.next() {
        review::take(desk, &officers[0], case.id, row(desk, case.id).await?.revision).await?;
    }
    if let Some(case) = left.next() {
        review::take(desk, &officers[1], case.id, row(desk, case.id).await?.revision).await?;
        let due = civic::legal_day(
            clock
                .now()
                .checked_add(SignedDuration::from_hours(24 * 14))
                .unwrap_or(real),
        );
        let text = "請確認匯款帳號是否為申請人本人的帳戶。Please check that the account is in your own name.";
        review::request_correction(
            desk,
            &officers[1],
            case.id,
            row(desk, case.id).await?.revision,
            text,
            due,
        )
        .await?;
    }
    let month = Month::of(desk.today()).plus(-1);
    let (maker, releaser) = (member("cashier")?, member("cashier2")?);
    if pay::prepare(desk, &maker, SERVICE, month).await? > 0 {
        let batch = pay::batch::make(desk, &maker, SERVICE, month).await?;
        pay::batch::release(desk, &releaser, batch).await?;
    }
    Ok(cases.len())
}

/// Days until an officer comes to a case.
fn patience(number: usize) -> i64 {
    5 + i64::try_from(number * 7 % 17).unwrap_or(0)
}

async fn row(desk: &Desk, id: ApplicationId) -> Result<application::Model, CaseError> {
    let found = application::Entity::find_by_id(id.uuid()).one(desk.store.read()).await;
    found
        .map_err(store::StoreError::from)?
        .ok_or(CaseError::NotFound("application"))
}

async fn decide(desk: &Desk, officer: &Staff, id: ApplicationId) -> Result<(), CaseError> {
    let found = row(desk, id).await?;
    review::take(desk, officer, id, found.revision).await?;
    let revision = row(desk, id).await?.revision;
    if found.finding.as_deref() == Some("eligible") {
        review::approve(desk, officer, id, revision, "").await
    } else {
        review::refuse(desk, officer, id, revision, "").await
    }
}

/// Elders who live alone, with what the registers say of them as answers.
fn elders(desk: &Desk, city: &City, service: &Service) -> Vec<(Account, Answers)> {
    let now = desk.now();
    let alone = |account: Account| {
        if civic::roc::age_on(account.birth_date, desk.today()) < 66 {
            return None;
        }
        let mut answers = Answers::new(&service.form);
        let profile = BTreeMap::from([
            ("name".to_owned(), account.name.clone()),
            ("national_id".to_owned(), account.national_id.clone()),
        ]);
        service.form.prefill_profile(&mut answers, &profile, now);
        for resource in &service.meta.mydata {
            if let (Some(mapping), Some(set)) = (
                desk.catalogue.mapping(resource),
                city.data_set(&account.national_id, resource),
            ) {
                let files = BTreeMap::from([(mapping.file.clone(), set.to_string().into_bytes())]);
                mapping.fill(&service.form, &mut answers, &files, now, now).ok()?;
            }
        }
        let group = service.form.person_group()?;
        (answers.items(&group.id).len() == 1).then_some((account, answers))
    };
    (city.accounts().len()..city.families())
        .filter_map(|family| alone(city.head_account(family)?))
        .take(APPLIED)
        .collect()
}

/// Fills the form in as the person would, page by page, and hands it in.
async fn apply(
    desk: &Desk,
    service: &Service,
    number: usize,
    account: &Account,
    known: &Answers,
) -> Result<Option<(ApplicationId, Person)>, CaseError> {
    let Ok(national_id) = NationalId::parse(&account.national_id) else {
        return Ok(None);
    };
    let new = NewPerson {
        national_id,
        name: account.name.clone(),
        email: None,
        phone: None,
    };
    let person = people::sign_in(desk, new).await?;
    let channel = if number % 7 == 3 {
        Channel::Counter
    } else {
        Channel::Online
    };
    let language = Language::ZhTw;
    let id = collect::open(desk, &person, SERVICE, channel, language).await?;
    collect::agree(desk, &person, id, language).await?;
    let mut draft = collect::draft(desk, &person, id).await?;
    let mut seen = BTreeSet::new();
    while let Some(address) = draft.questions.first().map(|question| question.address.clone()) {
        if !seen.insert(address.clone()) {
            tracing::debug!(address, "a page of the past can't be answered");
            return Ok(None);
        }
        let keys: Vec<&String> = draft
            .questions
            .iter()
            .filter(|question| question.address == address)
            .map(|question| &question.key)
            .collect();
        let mut raw = Raw::new();
        raw.insert(SHOWN.to_owned(), keys.iter().map(|key| (*key).clone()).collect());
        for key in keys {
            if let Some((_, field)) = service.form.field(key) {
                raw.extend(typed(key, &field.kind, known.value(key), number));
            }
        }
        draft = match collect::save(desk, &person, id, draft.revision, &address, raw, language).await {
            Ok(draft) => draft,
            Err(CaseError::Invalid(invalid)) => {
                tracing::debug!(address, ?invalid, "a page of the past is not taken");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
    }
    match collect::submit(desk, &person, id, draft.revision, draft.form_token).await {
        Ok(_) => Ok(Some((id, person))),
        Err(CaseError::Incomplete(pages)) => {
            tracing::debug!(?pages, "an application of the past is not complete");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What a browser would send for a field.
fn typed(key: &str, kind: &FieldKind, known: Option<&Value>, number: usize) -> Vec<(String, Vec<String>)> {
    let one = |text: String| vec![(key.to_owned(), vec![text])];
    let part = |name: &str, text: String| (format!("{key}.{name}"), vec![text]);
    let text = known.and_then(Value::as_str).map(str::to_owned);
    match kind {
        FieldKind::YesNo => one(if known
            .and_then(Value::as_bool)
            .unwrap_or(key.ends_with(".lives_at_registration"))
        {
            "yes"
        } else {
            "no"
        }
        .to_owned()),
        FieldKind::Radios(choices) | FieldKind::Select(choices) => {
            let usual = |word: &str| {
                choices
                    .iter()
                    .find(|choice| choice.value == word)
                    .map(|choice| choice.value.clone())
            };
            let choice = text
                .or_else(|| usual("none"))
                .or_else(|| usual("not_working"))
                .or_else(|| choices.first().map(|choice| choice.value.clone()));
            one(choice.unwrap_or_default())
        }
        FieldKind::Money { min, .. } | FieldKind::Integer { min, .. } => {
            one(known.and_then(Value::as_i64).unwrap_or(0).max(*min).to_string())
        }
        FieldKind::Date { .. } => match text.and_then(|text| text.parse::<jiff::civil::Date>().ok()) {
            Some(day) => vec![
                part("year", civic::roc::year(day).to_string()),
                part("month", day.month().to_string()),
                part("day", day.day().to_string()),
            ],
            None => Vec::new(),
        },
        FieldKind::Phone => one(format!("09000001{:02}", number % 100)),
        FieldKind::Address => one(text.unwrap_or_else(|| "臺中市西區民權里民權路1號".to_owned())),
        FieldKind::BankAccount => vec![
            part("bank", "700".to_owned()),
            part("account", format!("0000001{:07}", 1000 + number)),
        ],
        FieldKind::Text { .. } | FieldKind::TextArea { .. } | FieldKind::NationalId => {
            text.map(one).unwrap_or_default()
        }
        FieldKind::Email | FieldKind::Checkboxes(_) | FieldKind::File { .. } => Vec::new(),
    }
}
