//! Who acts for whom at this moment, and what every act of theirs rests on.

use crate::boxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use civic::ids::{AuthorisationId, KeyId, PersonId, StaffId};
use civic::legal_day;
use jiff::Timestamp;
use store::Tx;
use store::ledger::ActorKind;
use store::seal::{Place, Seal};
use store::tables::authorisation;
use uuid::Uuid;

use super::view::{self, Kind, Party};
use super::{Limits, Power};
use crate::guard::{self, Who};
use crate::{CaseError, Desk, Person, people};

/// Microseconds after which a use is noted again; written at every request it would cost each page a transaction.
const NOTED: i64 = 15_000_000;

/// Who does the acting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A resident.
    Person(PersonId),
    /// A member of an organisation, or a village officer.
    Staff(StaffId),
}

impl By {
    pub(crate) fn columns(self) -> (&'static str, Option<Uuid>) {
        match self {
            By::Person(id) => ("person", Some(id.uuid())),
            By::Staff(id) => ("staff", Some(id.uuid())),
        }
    }
}

/// Cases opened under an authorisation: those of before the request, and those opened in it.
#[derive(Clone, Debug)]
struct Cases(Arc<Mutex<Vec<Uuid>>>);

impl Cases {
    fn of(cases: Vec<Uuid>) -> Cases {
        Cases(Arc::new(Mutex::new(cases)))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Cases {
    fn eq(&self, other: &Cases) -> bool {
        let mine = self.lock().clone();
        mine == *other.lock()
    }
}

impl Eq for Cases {}

/// An authorisation in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acting {
    /// The authorisation.
    pub id: AuthorisationId,
    /// For whom.
    pub principal: PersonId,
    /// Name of the principal.
    pub principal_name: String,
    /// Of what kind.
    pub kind: Kind,
    /// Who does the acting.
    pub by: By,
    /// Name of who does the acting, as the history of a case keeps it.
    pub name: String,
    /// Folder names of the services.
    pub services: Vec<String>,
    /// Words of the powers.
    pub acts: Vec<String>,
    /// Cases opened under it.
    cases: Cases,
}

impl Acting {
    /// Whether the authorisation gives this power.
    #[must_use]
    pub fn has(&self, power: Power) -> bool {
        self.acts.iter().any(|act| act == power.word())
    }

    /// Whether it is for this service.
    #[must_use]
    pub fn is_for(&self, service: &str) -> bool {
        self.services.iter().any(|one| one == service)
    }

    /// As the access policies see it. Only one in force is ever made; its end is looked at in each transaction.
    pub(crate) fn actor(&self) -> store::access::Acting<'_> {
        store::access::Acting {
            id: self.id.uuid(),
            principal: self.principal.uuid(),
            services: &self.services,
            acts: &self.acts,
            in_force: true,
        }
    }

    pub(crate) fn in_ledger(&self) -> (ActorKind, Option<Uuid>) {
        let kind = match self.kind {
            Kind::Person => ActorKind::Resident,
            Kind::Organisation => ActorKind::Organisation,
            Kind::Assisted => ActorKind::Staff,
        };
        (kind, self.by.columns().1)
    }

    /// This authorisation, if the case was opened under it.
    pub(crate) fn opened_under(&self, case: Uuid) -> Option<Uuid> {
        self.cases.lock().contains(&case).then(|| self.id.uuid())
    }
}

/// Whether an authorisation is in force at a time.
pub(crate) fn in_force(row: &authorisation::Model, now: Timestamp, limits: &Limits) -> bool {
    let at = |microseconds: Option<i64>| microseconds.and_then(|at| Timestamp::from_microsecond(at).ok());
    let within = |since: Option<Timestamp>, length| {
        since.is_some_and(|since| since.checked_add(length).unwrap_or(Timestamp::MAX) > now)
    };
    row.state == "accepted"
        && row.principal_id.is_some()
        && legal_day(now).to_string() <= row.until
        && (row.kind != Kind::Assisted.word()
            || within(at(row.used_at), limits.idle()) && within(at(row.accepted_at), limits.assisted()))
}

/// The principal with the agent who acts for them, as every verb takes it. Called anew at each request.
///
/// # Errors
/// [`CaseError::Stopped`] when the authorisation is not in force, or not this party's; the store's.
#[boxed]
pub async fn act(desk: &Desk, party: &Party<'_>, id: AuthorisationId) -> Result<Person, CaseError> {
    let row = authorisation::by_id(desk.store.read(), id.uuid())
        .await?
        .ok_or(CaseError::Stopped)?;
    let now = desk.now();
    if !in_force(&row, now, &desk.agents) {
        return Err(CaseError::Stopped);
    }
    let grant = view::grant(desk, party, &row, "act")
        .await?
        .map_err(|_| CaseError::Stopped)?;
    let names = view::names(desk, &grant, &row).await?;
    let principal = row.principal_id.map(PersonId::from_uuid).ok_or(CaseError::Stopped)?;
    let mut person = people::of(desk, principal).await?;
    let acting = Arc::new(Acting {
        id,
        principal,
        principal_name: person.name.clone(),
        kind: Kind::of(&row.kind)?,
        by: party.by(),
        name: party.signature(&names),
        services: view::words(&row.services),
        acts: view::words(&row.acts),
        cases: Cases::of(authorisation::case::of_authorisation(desk.store.read(), id.uuid()).await?),
    });
    // What the account knows beside name and national id, without which no application can be made, is the principal's own.
    if guard::profile(desk, &Who::Agent(Arc::clone(&acting)), principal, "profile").is_err() {
        person.email = None;
        person.phone = None;
    }
    person.acting = Some(acting);
    if row.used_at.is_none_or(|used| now.as_microsecond() - used >= NOTED) {
        let noted = desk
            .store
            .write(move |tx| {
                Box::pin(
                    async move { Ok::<_, CaseError>(authorisation::touch(tx, id.uuid(), now.as_microsecond()).await?) },
                )
            })
            .await?;
        if !noted {
            return Err(CaseError::Stopped);
        }
    }
    Ok(person)
}

/// What an agent's act rests on: looked at once more in the transaction, because the authorisation may have ended since the
/// request began. An act of anybody else rests on nothing.
#[derive(Default)]
pub(crate) struct Hold(Option<Held>);

struct Held {
    acting: Arc<Acting>,
    limits: Limits,
    seal: Seal,
}

impl Hold {
    /// What an act of `who` rests on.
    pub(crate) fn of(desk: &Desk, who: &Who) -> Hold {
        Hold(match who {
            Who::Agent(acting) => Some(Held {
                acting: Arc::clone(acting),
                limits: desk.agents,
                seal: desk.store.seal().clone(),
            }),
            _ => None,
        })
    }

    /// # Errors
    /// [`CaseError::Stopped`] when the authorisation is in force no more.
    pub(crate) async fn check(&self, tx: &Tx) -> Result<(), CaseError> {
        let Some(held) = &self.0 else { return Ok(()) };
        let row = authorisation::by_id(tx, held.acting.id.uuid()).await?;
        match row {
            Some(row) if in_force(&row, tx.now(), &held.limits) => Ok(()),
            _ => Err(CaseError::Stopped),
        }
    }

    /// Notes that a case was opened under the authorisation.
    pub(crate) async fn opened(&self, tx: &Tx, case: Uuid) -> Result<(), CaseError> {
        let Some(held) = &self.0 else { return Ok(()) };
        let row = authorisation::case::Model {
            application_id: case,
            authorisation_id: held.acting.id.uuid(),
        };
        authorisation::case::insert(tx, row).await?;
        // what follows in the same request is done in the case just opened
        held.acting.cases.lock().push(case);
        Ok(())
    }

    /// The agent's name for an event of the case, sealed with the case's key.
    pub(crate) async fn signature(&self, tx: &Tx, key: KeyId, event: &Uuid) -> Result<Option<Vec<u8>>, CaseError> {
        let Some(held) = &self.0 else { return Ok(None) };
        let plain = serde_json::to_vec(&held.acting.name).map_err(|error| CaseError::corrupt("event", &error))?;
        let place = Place::new("event", "detail", event);
        Ok(Some(held.seal.seal(tx, key, place, &plain).await?))
    }
}
