//! A result left with an office (留下試算結果): only with consent, sealed, for a time, and taken back whenever the person wants.

use crate::boxed;
use std::sync::Arc;

use civic::Language;
use civic::ids::{ApplicationId, ConsentId};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use services::Service;
use sha2::{Digest as _, Sha256};
use store::ledger;
use store::seal::{Owner, Place};
use store::tables::{follow_up as table, person};
use uuid::Uuid;

use super::look::{self, Open};
use super::state::Screening;
use crate::guard::{self, Action, Who};
use crate::people::Person;
use crate::staff::Staff;
use crate::{CaseError, Desk, record};

/// A result that was left.
#[derive(Clone, Debug)]
pub struct FollowUp {
    /// Identifier.
    pub id: Uuid,
    /// The service whose office has it.
    pub service: Arc<Service>,
    /// When the person agreed.
    pub agreed: Timestamp,
    /// Last legal day on which it is kept.
    pub until: Date,
}

/// What is sealed of it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// Name of the person.
    pub name: String,
    /// Telephone, if known.
    pub phone: Option<String>,
    /// Address for messages, if known.
    pub email: Option<String>,
    /// What the rules came to; None while something was not known.
    pub outcome: Option<bool>,
    /// Titles of what an open outcome waits for.
    pub open: Vec<String>,
    /// Questions and answers as the person read them.
    pub said: Vec<(String, String)>,
}

impl std::fmt::Debug for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Left")
            .field("said", &self.said.len())
            .finish_non_exhaustive()
    }
}

fn view(desk: &Desk, row: &table::Model) -> Option<FollowUp> {
    Some(FollowUp {
        id: row.id,
        service: Arc::clone(desk.catalogue.get(&row.service)?),
        agreed: Timestamp::from_microsecond(row.agreed_at).unwrap_or(Timestamp::UNIX_EPOCH),
        until: row.dispose_on.parse().ok()?,
    })
}

/// Leaves the result for one service with its office, in place of one left before. `notice` is what the person agreed to.
///
/// # Errors
/// [`CaseError::NotFound`] where the office takes none, or the person is not entitled; the store's.
#[boxed]
pub async fn leave(
    desk: &Desk,
    person: &Person,
    screening: &Screening,
    service: &str,
    notice: &str,
    language: Language,
) -> Result<(), CaseError> {
    let view = look::look(&desk.catalogue, screening, desk.today());
    let standing = view.standings.iter().find(|standing| standing.service.id == service);
    let standing = standing
        .filter(|standing| standing.outcome() != Some(false))
        .ok_or(CaseError::NotFound("result"))?;
    let service = Arc::clone(&standing.service);
    let days = service.meta.follow_up_days.ok_or(CaseError::NotFound("result"))?;
    let id = ConsentId::generate(desk.clock.as_ref()).uuid();
    guard::follow_up(desk, &person.who(), Action::FollowUp, id, person.id.uuid(), &service)?;
    let form = &service.form;
    let said = form
        .places(&standing.answers)
        .iter()
        .flat_map(|place| form.view(place, &standing.answers, None, None, language).fields)
        .filter(|field| !field.shown.is_empty())
        .map(|field| (field.label.to_owned(), field.shown.clone()))
        .collect();
    let open = standing.open.iter().filter_map(|open| match open {
        Open::Fact(asked) => Some(look::field(&desk.catalogue, asked)?.1.label.get(language).to_owned()),
        Open::Family => None,
    });
    let left = Left {
        name: person.name.clone(),
        phone: person.phone.clone(),
        email: person.email.clone(),
        outcome: standing.outcome(),
        open: open.collect(),
        said,
    };
    let plain =
        zeroize::Zeroizing::new(serde_json::to_vec(&left).map_err(|error| CaseError::corrupt("follow_up", &error))?);
    let until = desk.today().checked_add(i64::from(days).days()).unwrap_or(Date::MAX);
    let row = table::Model {
        id,
        person_id: person.id.uuid(),
        service: service.id.clone(),
        key_id: Uuid::nil(),
        sealed: Vec::new(),
        digest: hex::encode(Sha256::digest(notice)),
        language: language.tag().to_owned(),
        agreed_at: desk.now().as_microsecond(),
        dispose_on: until.to_string(),
    };
    let before = table::of_person(desk.store.read(), person.id.uuid()).await?;
    let before: Vec<table::Model> = before.into_iter().filter(|one| one.service == row.service).collect();
    let fields = ["name", "phone", "email", "answers"];
    let entry = entry(
        desk,
        &person.who(),
        Action::FollowUp,
        id,
        &service,
        Some(person.lookup),
        &fields,
    );
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for old in before {
                    table::delete(tx, old.id).await?;
                    seal.destroy(tx, old.key_id.into(), "replaced").await?;
                }
                let mut row = row;
                let key = seal.new_key(tx, Owner::Application(row.id)).await?;
                row.key_id = key.uuid();
                row.sealed = seal
                    .seal(tx, key, Place::new("follow_up", "sealed", &row.id), &plain)
                    .await?;
                table::insert(tx, row).await?;
                ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}

fn entry(
    desk: &Desk,
    who: &Who,
    action: Action,
    id: Uuid,
    service: &Service,
    subject: Option<[u8; 32]>,
    fields: &[&str],
) -> ledger::Entry {
    guard::entry(
        desk,
        who,
        action,
        ApplicationId::from_uuid(id),
        service,
        subject,
        fields,
    )
}

/// What a person left, newest first.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn left(desk: &Desk, person: &Person) -> Result<Vec<FollowUp>, CaseError> {
    let rows = table::of_person(desk.store.read(), person.id.uuid()).await?;
    Ok(rows.iter().filter_map(|row| view(desk, row)).collect())
}

/// The person takes a result back: it is destroyed at once.
///
/// # Errors
/// [`CaseError::NotFound`] for what is not there, or another's; the store's.
#[boxed]
pub async fn take_back(desk: &Desk, person: &Person, id: Uuid) -> Result<(), CaseError> {
    let row = table::by_id(desk.store.read(), id).await?;
    let row = row
        .filter(|row| row.person_id == person.id.uuid())
        .ok_or(CaseError::NotFound("result"))?;
    let service = Arc::clone(desk.service(&row.service)?);
    guard::follow_up(desk, &person.who(), Action::Withdraw, id, row.person_id, &service)?;
    let entry = entry(
        desk,
        &person.who(),
        Action::Withdraw,
        id,
        &service,
        Some(person.lookup),
        &[],
    );
    destroy(desk, row, "withdrawn", Some(entry)).await
}

/// What was left with the office of a member of staff, oldest first. Names nobody.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn waiting(desk: &Desk, staff: &Staff) -> Result<Vec<FollowUp>, CaseError> {
    guard::office(desk, staff, Action::Queue)?;
    let own = desk
        .catalogue
        .all()
        .filter(|service| guard::is_own(desk, staff, &service.id));
    let own: Vec<String> = own.map(|service| service.id.clone()).collect();
    let rows = table::of_services(desk.store.read(), &own).await?;
    Ok(rows.iter().filter_map(|row| view(desk, row)).collect())
}

/// Opens one: a use of personal data, which the person can read about.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn open(desk: &Desk, staff: &Staff, id: Uuid) -> Result<(FollowUp, Left), CaseError> {
    let row = table::by_id(desk.store.read(), id)
        .await?
        .ok_or(CaseError::NotFound("result"))?;
    let service = Arc::clone(desk.service(&row.service)?);
    let grant = guard::follow_up(desk, &staff.who(), Action::Read, id, row.person_id, &service)?;
    let place = Place::new("follow_up", "sealed", &row.id);
    let left: Left = record::unseal(desk, &grant, row.key_id.into(), place, &row.sealed).await?;
    let subject = person::by_id(desk.store.read(), row.person_id).await?;
    let subject = subject.and_then(|row| row.lookup.try_into().ok());
    let fields = ["name", "phone", "email", "answers"];
    let entry = entry(desk, &staff.who(), Action::Read, id, &service, subject, &fields);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    let found = view(desk, &row).ok_or(CaseError::NotFound("result"))?;
    Ok((found, left))
}

/// The office is done with one: it is destroyed.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn close(desk: &Desk, staff: &Staff, id: Uuid) -> Result<(), CaseError> {
    let row = table::by_id(desk.store.read(), id)
        .await?
        .ok_or(CaseError::NotFound("result"))?;
    let service = Arc::clone(desk.service(&row.service)?);
    guard::follow_up(desk, &staff.who(), Action::Decide, id, row.person_id, &service)?;
    let entry = entry(desk, &staff.who(), Action::Dispose, id, &service, None, &[]);
    destroy(desk, row, "done", Some(entry)).await
}

/// Destroys what has had its last day; gives how many.
///
/// # Errors
/// The store's.
pub(crate) async fn dispose(desk: &Desk) -> Result<u64, CaseError> {
    let rows = table::over(desk.store.read(), &desk.today().to_string()).await?;
    let mut count = 0;
    for row in rows {
        let id = ApplicationId::from_uuid(row.id);
        let entry = guard::plain_entry(desk, &Who::System, Action::Dispose, id, &row.service);
        destroy(desk, row, "retention", Some(entry)).await?;
        count += 1;
    }
    Ok(count)
}

async fn destroy(
    desk: &Desk,
    row: table::Model,
    why: &'static str,
    entry: Option<ledger::Entry>,
) -> Result<(), CaseError> {
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if table::delete(tx, row.id).await? {
                    seal.destroy(tx, row.key_id.into(), why).await?;
                    if let Some(entry) = entry {
                        ledger::append(tx, entry).await?;
                    }
                }
                Ok::<_, CaseError>(())
            })
        })
        .await
}
