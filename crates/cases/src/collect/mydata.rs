//! The person's data from MyData: out with an encrypted id, back with a ticket, fetched once, sealed before it is
//! opened, checked to the last digest, turned into answers with their source.

use crate::boxed;
use civic::Language;
use civic::ids::{ApplicationId, ConsentId, EvidenceId, FileId, SecurityEventId, TransactionId};
use exchange::mydata::{CheckError, DataSet, Fetch, Notification, Package, Progress, Results, ReturnCode, SecretKey};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use store::outbox::{Outcome, Task};
use store::seal::Place;
use store::tables::mydata_transaction::{self as transaction, Model, State};
use store::tables::{consent, evidence, security_event};
use url::Url;
use uuid::Uuid;

use super::still_draft;
use crate::change::Change;
use crate::guard::{self, Action, Who};
use crate::people::Person;
use crate::record::{self, Record};
use crate::{CaseError, Desk};

/// Kind of the work that fetches a package.
pub(crate) const FETCH: &str = "mydata.fetch";
/// Rounds in which an answer saved meanwhile is merged with what arrived.
const ROUNDS: usize = 5;

/// Where the fetch of an application stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MyDataState {
    /// Nobody asked yet.
    NotUsed,
    /// The person was sent to the platform.
    Asked,
    /// The platform has the data ready, we are fetching it.
    Arriving,
    /// The data is in the form.
    Arrived {
        /// Data sets that came.
        sets: usize,
        /// Data sets that did not.
        missing: Vec<String>,
    },
    /// It ended without data; a short code for the page's text.
    Ended(String),
}

/// What became of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notified {
    /// Taken.
    Accepted,
    /// It was taken before.
    Repeated,
    /// It does not fit anything we asked for, or is not genuine; recorded as a security event.
    Refused,
}

pub(crate) fn words(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

/// Where the fetch of an application stands, by its newest transaction.
pub(crate) async fn state(desk: &Desk, id: ApplicationId) -> Result<MyDataState, CaseError> {
    let transactions = transaction::of_application(desk.store.read(), id.uuid()).await?;
    let Some(newest) = transactions.iter().max_by_key(|one| one.started_at) else {
        return Ok(MyDataState::NotUsed);
    };
    Ok(match newest.state {
        State::Started => MyDataState::Asked,
        State::Notified | State::Fetched => MyDataState::Arriving,
        State::Opened => {
            let missing = words(newest.unable_to_deliver.as_deref().unwrap_or_default());
            MyDataState::Arrived {
                sets: words(&newest.resources).len() - missing.len().min(words(&newest.resources).len()),
                missing,
            }
        }
        State::Ended | State::Refused => MyDataState::Ended(newest.failure.clone().unwrap_or_default()),
    })
}

/// Sends the person to the platform: notes what was agreed to and gives the address for the browser.
///
/// # Errors
/// [`CaseError::Outside`] where MyData is not connected; [`CaseError::Illegal`] after submission; the store's.
#[boxed]
pub async fn begin(desk: &Desk, person: &Person, id: ApplicationId, language: Language) -> Result<Url, CaseError> {
    let record = record::own(desk, person, id, Action::MyData).await?;
    still_draft(&record.row)?;
    let connector = desk
        .mydata
        .as_ref()
        .ok_or_else(|| outside("MyData is not connected; answer the questions yourself"))?;
    let resources = record.service.meta.mydata.clone();
    if resources.is_empty() {
        return Err(outside("this service uses no data from MyData"));
    }
    let tx_id = TransactionId::from_uuid(Uuid::new_v4());
    let begun = connector
        .begin(tx_id, &person.national_id, &resources, &connector.config().return_url)
        .map_err(|error| outside(&error.to_string()))?;
    let (row, consent) = asked(desk, person, id, tx_id, &resources, language);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                transaction::insert(tx, row).await?;
                consent::insert(tx, consent).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(begun.redirect)
}

/// The rows of a transaction that begins: itself, and what the person agreed to.
pub(super) fn asked(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    tx_id: TransactionId,
    resources: &[String],
    language: Language,
) -> (Model, consent::Model) {
    let now = desk.now().as_microsecond();
    let row = Model {
        id: tx_id.uuid(),
        application_id: id.uuid(),
        person_id: person.id.uuid(),
        resources: resources.join(" "),
        state: State::Started,
        return_code: None,
        permission_ticket: None,
        secret_key: None,
        unable_to_deliver: None,
        file_id: None,
        failure: None,
        verified_by: None,
        started_at: now,
        notified_at: None,
        fetched_at: None,
        opened_at: None,
        revision: 1,
    };
    let consent = consent::Model {
        id: ConsentId::generate(desk.clock.as_ref()).uuid(),
        person_id: person.id.uuid(),
        application_id: id.uuid(),
        kind: "mydata".to_owned(),
        digest: hex::encode(Sha256::digest(resources.join(" "))),
        language: language.tag().to_owned(),
        resources: resources.join(" "),
        shown_at: now,
        agreed_at: now,
        withdrawn_at: None,
    };
    (row, consent)
}

pub(crate) fn outside(problem: &str) -> CaseError {
    CaseError::Outside {
        party: "MyData",
        problem: problem.to_owned(),
    }
}

/// The browser is back. The code tells the person what to expect; the data comes by the notification.
///
/// # Errors
/// [`CaseError::Outside`] for an address nobody can have been sent to; [`CaseError::NotFound`] for another person's transaction.
#[boxed]
pub async fn returned(desk: &Desk, person: &Person, query: &str) -> Result<(ApplicationId, MyDataState), CaseError> {
    let connector = desk.mydata.as_ref().ok_or_else(|| outside("MyData is not connected"))?;
    let back = match connector.read_return(query) {
        Ok(back) => back,
        Err(error) => {
            suspicious(desk, "mydata.return", None, &error.to_string()).await?;
            return Err(outside(&error.to_string()));
        }
    };
    let row = transaction::by_id(desk.store.read(), back.tx_id.uuid())
        .await?
        .filter(|row| row.person_id == person.id.uuid());
    let row = row.ok_or(CaseError::NotFound("transaction"))?;
    let id = ApplicationId::from_uuid(row.application_id);
    let application = record::row(desk, id).await?;
    guard::case(
        desk,
        &person.who(),
        Action::MyData,
        &application,
        desk.service(&application.service)?,
    )?;
    let code = back.code.number();
    let ends = back.code != ReturnCode::Agreed && row.state == State::Started;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if ends {
                    let mut next = row;
                    next.return_code = Some(i32::from(code));
                    next.state = State::Ended;
                    next.failure = Some(code.to_string());
                    // a notification may have moved the transaction on in the meantime; the code is then of no further use
                    transaction::replace(tx, &next).await?;
                } else {
                    // in this moment the package is perhaps being fetched, which can be done once only
                    transaction::note_return(tx, row.id, i32::from(code)).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok((id, state(desk, id).await?))
}

/// The platform's notification. Whatever comes is answered at once; the fetch follows in the background.
///
/// # Errors
/// The store's; everything else is an answer.
#[boxed]
pub async fn notified(desk: &Desk, content_type: Option<&str>, body: &[u8]) -> Result<Notified, CaseError> {
    let Some(connector) = desk.mydata.as_ref() else {
        return Ok(Notified::Refused);
    };
    let notification = match connector.read_notification(content_type, body) {
        Ok(notification) => notification,
        Err(error) => {
            suspicious(desk, "mydata.notification", None, &error.to_string()).await?;
            return Ok(Notified::Refused);
        }
    };
    let Some(row) = transaction::by_id(desk.store.read(), notification.tx_id.uuid()).await? else {
        suspicious(
            desk,
            "mydata.notification",
            None,
            "it names a transaction that we did not begin",
        )
        .await?;
        return Ok(Notified::Refused);
    };
    if row.state != State::Started {
        let case = Some(row.application_id);
        if row.permission_ticket == Some(notification.permission_ticket) {
            return repeated(desk, case).await;
        }
        let what = "a second notification with another ticket";
        suspicious(desk, "mydata.replayed", case, what).await?;
        return Ok(Notified::Refused);
    }
    let begun = Timestamp::from_microsecond(row.started_at).unwrap_or(Timestamp::MIN);
    if let Err(error) = notification.check(&connector.config().times, begun, &words(&row.resources), desk.now()) {
        suspicious(
            desk,
            "mydata.notification",
            Some(row.application_id),
            &error.to_string(),
        )
        .await?;
        return Ok(Notified::Refused);
    }
    take(desk, row, notification).await
}

pub(crate) async fn take(desk: &Desk, row: Model, notification: Notification) -> Result<Notified, CaseError> {
    let mut next = row;
    let case = Some(next.application_id);
    let key = record::row(desk, ApplicationId::from_uuid(next.application_id))
        .await?
        .key_id;
    next.permission_ticket = Some(notification.permission_ticket);
    next.notified_at = Some(desk.now().as_microsecond());
    let mut task = None;
    if let Some(secret) = &notification.secret_key {
        let place = Place::new("mydata_transaction", "secret_key", &next.id);
        next.secret_key = Some(record::seal(desk, desk.store.read(), key.into(), place, secret).await?);
        next.state = State::Notified;
        task = Some(Task::new(FETCH, format!("mydata:{}", next.id), &next.id));
    } else {
        next.unable_to_deliver = Some(notification.unable_to_deliver.join(" "));
        next.state = State::Ended;
        next.failure = Some("undelivered".to_owned());
    }
    let taken = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                if !transaction::replace(tx, &next).await? {
                    return Err(CaseError::Conflict("transaction"));
                }
                if let Some(task) = task {
                    store::outbox::put(tx, task).await?;
                }
                Ok(())
            })
        })
        .await;
    match taken {
        // Two copies of one notification at once: the other one was taken.
        Err(CaseError::Conflict(_)) => repeated(desk, case).await,
        Err(CaseError::Store(error)) if error.is_duplicate() => {
            let what = "it names the ticket of another transaction";
            suspicious(desk, "mydata.ticket", case, what).await?;
            Ok(Notified::Refused)
        }
        Err(error) => Err(error),
        Ok(()) => Ok(Notified::Accepted),
    }
}

/// The same notification once more: it changes nothing, and is noted.
async fn repeated(desk: &Desk, case: Option<Uuid>) -> Result<Notified, CaseError> {
    let what = "the notification that was taken came once more";
    noted(desk, "notice", "mydata.repeated", case, what).await?;
    Ok(Notified::Repeated)
}

/// Records what was refused as a warning to the administrator.
pub(crate) async fn suspicious(
    desk: &Desk,
    kind: &str,
    application: Option<Uuid>,
    detail: &str,
) -> Result<(), CaseError> {
    noted(desk, "warning", kind, application, detail).await
}

async fn noted(
    desk: &Desk,
    severity: &str,
    kind: &str,
    application: Option<Uuid>,
    detail: &str,
) -> Result<(), CaseError> {
    let event = security_event::Model {
        id: SecurityEventId::generate(desk.clock.as_ref()).uuid(),
        at: desk.now().as_microsecond(),
        kind: kind.to_owned(),
        severity: severity.to_owned(),
        application_id: application,
        origin: None,
        detail: detail.to_owned(),
    };
    desk.store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(security_event::insert(tx, event).await?) }))
        .await
}

/// The work behind: fetches, keeps, opens and takes over one package. Safe to run again after any interruption.
///
/// # Errors
/// Temporary ones, after which the work is tried again.
pub(crate) async fn fetch(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let Some(connector) = desk.mydata.as_ref() else {
        return Ok(Outcome::Later(SignedDuration::from_mins(10)));
    };
    let Some(row) = transaction::by_id(desk.store.read(), id).await? else {
        return Ok(Outcome::Done);
    };
    if !matches!(row.state, State::Notified | State::Fetched) {
        return Ok(Outcome::Done);
    }
    let application = record::row(desk, ApplicationId::from_uuid(row.application_id)).await?;
    if application.state != crate::State::Draft {
        return end(desk, row, State::Ended, "closed").await;
    }
    let record = record::open(desk, &Who::System, Action::Import, application).await?;
    let secret: SecretKey = match &row.secret_key {
        Some(sealed) => {
            record::unseal(
                desk,
                &record.grant,
                record.row.key_id.into(),
                Place::new("mydata_transaction", "secret_key", &row.id),
                sealed,
            )
            .await?
        }
        None => return end(desk, row, State::Ended, "undelivered").await,
    };
    let (row, envelope) = match row.file_id {
        Some(file) => {
            let bytes = desk
                .store
                .files()
                .get(&desk.store, &record.grant, FileId::from_uuid(file))
                .await?;
            (row, bytes)
        }
        None => {
            let received = row
                .notified_at
                .and_then(|at| Timestamp::from_microsecond(at).ok())
                .unwrap_or(Timestamp::MIN);
            if !connector.is_ticket_open(received, desk.now()) {
                let what = "the ticket was older than its life before the package could be fetched";
                suspicious(desk, "mydata.ticket", Some(row.application_id), what).await?;
                return end(desk, row, State::Ended, "ticket_expired").await;
            }
            let notification = Notification {
                tx_id: TransactionId::from_uuid(row.id),
                permission_ticket: row.permission_ticket.unwrap_or(Uuid::nil()),
                secret_key: None,
                unable_to_deliver: Vec::new(),
            };
            let row = match verified(desk, row, &secret).await? {
                Ok(row) => row,
                Err(row) => {
                    suspicious(
                        desk,
                        "mydata.person",
                        Some(row.application_id),
                        "the platform says that the package is another person's",
                    )
                    .await?;
                    return end(desk, row, State::Refused, "409").await;
                }
            };
            match connector.fetch(&notification).await {
                Ok(Fetch::Package(bytes)) => (keep(desk, &record, row, &bytes).await?, bytes.into()),
                Ok(Fetch::Later(wait)) => {
                    return Ok(Outcome::Later(
                        SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(5)),
                    ));
                }
                Ok(Fetch::Empty) => return end(desk, row, State::Ended, "empty").await,
                Ok(Fetch::Taken) => {
                    // the copy there is deleted with its fetch, and none was kept here
                    let what = "the platform says that the package was fetched already; ask it by whom";
                    noted(desk, "alarm", "mydata.taken", Some(row.application_id), what).await?;
                    return end(desk, row, State::Ended, "taken").await;
                }
                Ok(Fetch::Gone) => {
                    let what = "the platform does not know the ticket, or not any more";
                    suspicious(desk, "mydata.ticket", Some(row.application_id), what).await?;
                    return end(desk, row, State::Ended, "ticket_expired").await;
                }
                Ok(Fetch::Failed) => return end(desk, row, State::Ended, "undelivered").await,
                Err(error) if error.may_retry() => return Err(outside(&error.to_string())),
                Err(error) => {
                    suspicious(desk, "mydata.fetch", Some(row.application_id), &error.to_string()).await?;
                    return end(desk, row, State::Ended, "unreadable").await;
                }
            }
        }
    };
    let opened = connector.open(&envelope, &secret, desk.now());
    let checked = opened.and_then(|package| package.check_asked(&words(&row.resources)).map(|()| package));
    match checked {
        Ok(package) => take_over(desk, record, row, package).await,
        Err(error) => {
            suspicious(desk, "mydata.package", Some(row.application_id), &error.to_string()).await?;
            end(desk, row, State::Refused, error.reason()).await
        }
    }
}

/// Asks the platform once more whose package it is and how that person was verified; the row comes back as an error where it is
/// another person's.
async fn verified(desk: &Desk, row: Model, secret: &SecretKey) -> Result<Result<Model, Model>, CaseError> {
    let Some(connector) = desk.mydata.as_ref().filter(|one| one.config().confirm_person) else {
        return Ok(Ok(row));
    };
    if row.verified_by.is_some() {
        return Ok(Ok(row));
    }
    let failed = |error: CheckError| outside(&error.to_string());
    let person = crate::people::of(desk, row.person_id.into()).await?;
    let ticket = row.permission_ticket.unwrap_or(Uuid::nil());
    match connector.is_of(ticket, secret, &person.national_id).await {
        Ok(true) => {}
        Ok(false) | Err(CheckError::Person) => return Ok(Err(row)),
        Err(error) => return Err(failed(error)),
    }
    let how = match connector.verification(TransactionId::from_uuid(row.id)).await {
        Ok(how) => how.word(),
        // the package is this person's all the same
        Err(CheckError::Unknown) => "",
        Err(error) => return Err(failed(error)),
    };
    let mut next = row;
    next.verified_by = Some(how.to_owned());
    replace(desk, next).await.map(Ok)
}

/// How long a person may be on the platform's pages before the platform is asked what became of them.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// Transactions of one round.
const ASKED: u64 = 50;

/// Ends the ways to the platform of which no notification came, by what the platform says of them; says how many.
///
/// # Errors
/// The store's. A platform that can't be reached is asked in the next round.
pub(crate) async fn lapse(desk: &Desk) -> Result<u64, CaseError> {
    let Some(connector) = desk.mydata.as_ref() else {
        return Ok(0);
    };
    let now = desk.now();
    let before = now.checked_sub(PATIENCE).unwrap_or(Timestamp::MIN);
    let longest = SignedDuration::from_secs(connector.config().times.notification_seconds);
    let (mut count, mut reachable) = (0, true);
    for row in transaction::silent(desk.store.read(), before.as_microsecond(), ASKED).await? {
        let begun = Timestamp::from_microsecond(row.started_at).unwrap_or(Timestamp::MIN);
        let over = now.duration_since(begun) > longest;
        // a platform that does not answer is not waited for again in this round
        let said = match reachable {
            true => connector.progress(TransactionId::from_uuid(row.id)).await.ok(),
            false => None,
        };
        if said.is_none() && reachable {
            tracing::warn!("the MyData platform did not say what became of a transaction");
            reachable = false;
        }
        let said = match said {
            Some(said) => said,
            None if over => Progress::Unknown,
            None => continue,
        };
        let failure = match said {
            Progress::Open | Progress::Preparing if !over => continue,
            // nobody came back, or the platform forgot it
            Progress::Open | Progress::Preparing | Progress::Unknown => ReturnCode::TimedOut.number(),
            // it is ready there, and its ticket never came here: it has to be asked for again
            Progress::Ready | Progress::Taken => ReturnCode::NotNotified.number(),
            Progress::PartlyFailed => ReturnCode::Unavailable.number(),
            other => other.number(),
        };
        match end(desk, row, State::Ended, &failure.to_string()).await {
            // the notification came in this moment
            Err(CaseError::Conflict(_)) => {}
            other => {
                other?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Writes the envelope into our own sealed storage before anything else: the platform has deleted its copy.
async fn keep(desk: &Desk, record: &Record, row: Model, bytes: &[u8]) -> Result<Model, CaseError> {
    let file = desk
        .store
        .files()
        .put(&desk.store, record.row.key_id.into(), bytes)
        .await?;
    let mut next = row;
    next.file_id = Some(file.uuid());
    next.state = State::Fetched;
    next.fetched_at = Some(desk.now().as_microsecond());
    replace(desk, next).await
}

async fn replace(desk: &Desk, row: Model) -> Result<Model, CaseError> {
    let mut after = row.clone();
    after.revision += 1;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if transaction::replace(tx, &row).await? {
                    Ok(after)
                } else {
                    Err(CaseError::Conflict("transaction"))
                }
            })
        })
        .await
}

async fn end(desk: &Desk, row: Model, state: State, failure: &str) -> Result<Outcome, CaseError> {
    let mut next = row;
    next.state = state;
    next.failure = Some(failure.to_owned());
    replace(desk, next).await?;
    Ok(Outcome::Done)
}

/// Turns a checked package into evidence and answers. An answer saved meanwhile by the person stands.
async fn take_over(desk: &Desk, record: Record, row: Model, package: Package) -> Result<Outcome, CaseError> {
    let mut record = record;
    let now = desk.now();
    let missing: Vec<&str> = package
        .resources
        .iter()
        .filter(|set| !matches!(set.result, Results::Data | Results::Nothing))
        .map(|set| set.resource_id.as_str())
        .collect();
    let mut next = row.clone();
    next.state = State::Opened;
    next.opened_at = Some(now.as_microsecond());
    next.unable_to_deliver = (!missing.is_empty()).then(|| missing.join(" "));
    for _ in 0..ROUNDS {
        let mut fields: Vec<String> = Vec::new();
        for set in package
            .resources
            .iter()
            .filter(|set| matches!(set.result, Results::Data | Results::Nothing))
        {
            let Some(mapping) = desk.catalogue.mapping(&set.resource_id) else {
                continue;
            };
            match mapping.fill(
                &record.service.form,
                &mut record.answers,
                &set.files,
                package.issued,
                now,
            ) {
                Ok(filled) => fields.extend(filled),
                Err(error) => suspicious(desk, "mydata.mapping", Some(record.row.id), &error.to_string()).await?,
            }
        }
        let mut change = Change::note(desk, &Who::System, &record.row, "mydata_arrived");
        change.answers(desk, &record).await?;
        let subject = guard::subject(desk, &record).await?;
        let names: Vec<&str> = fields.iter().map(String::as_str).collect();
        change.entries.push(guard::entry(
            desk,
            &Who::System,
            Action::Import,
            record.id(),
            &record.service,
            subject,
            &names,
        ));
        let evidence = evidence(desk, &record, &row, &package).await?;
        let closing = next.clone();
        let written = desk
            .store
            .write(move |tx| {
                Box::pin(async move {
                    change.write(tx).await?;
                    evidence::insert(tx, evidence).await?;
                    if transaction::replace(tx, &closing).await? {
                        Ok(())
                    } else {
                        Err(CaseError::Conflict("transaction"))
                    }
                })
            })
            .await;
        match written {
            Ok(()) => return Ok(Outcome::Done),
            Err(CaseError::Conflict("application")) => {
                let fresh = record::row(desk, record.id()).await?;
                record = record::open(desk, &Who::System, Action::Import, fresh).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Err(CaseError::Conflict("application"))
}

async fn evidence(
    desk: &Desk,
    record: &Record,
    row: &Model,
    package: &Package,
) -> Result<Vec<evidence::Model>, CaseError> {
    let mut rows = Vec::with_capacity(package.resources.len());
    for set in &package.resources {
        let id = EvidenceId::generate(desk.clock.as_ref()).uuid();
        let place = Place::new("evidence", "sealed", &id);
        let files: std::collections::BTreeMap<&String, String> = set
            .files
            .iter()
            .map(|(name, bytes)| (name, String::from_utf8_lossy(bytes).into_owned()))
            .collect();
        rows.push(evidence::Model {
            id,
            application_id: record.row.id,
            transaction_id: Some(row.id),
            resource: set.resource_id.clone(),
            status: status(set).to_owned(),
            digest: digest(set),
            signer: set.signer.as_ref().map(|signer| signer.subject.clone()),
            issued_at: Some(package.issued.as_microsecond()),
            received_at: desk.now().as_microsecond(),
            sealed: Some(record::seal(desk, desk.store.read(), record.row.key_id.into(), place, &files).await?),
        });
    }
    Ok(rows)
}

fn status(set: &DataSet) -> &'static str {
    match set.result {
        Results::Data => "received",
        Results::Nothing => "empty",
        Results::Failed(_) | Results::HeldBack => "unavailable",
    }
}

/// SHA-256 over the names and bytes of the files, each with its length before it.
fn digest(set: &DataSet) -> String {
    let mut hash = Sha256::new();
    for (name, bytes) in &set.files {
        hash.update(name.len().to_be_bytes());
        hash.update(name.as_bytes());
        hash.update(bytes.len().to_be_bytes());
        hash.update(bytes);
    }
    hex::encode(hash.finalize())
}
