//! Residents: who signs in becomes a person of the store, found again by the keyed hash of the national id.

use crate::boxed;
use civic::ids::PersonId;
use civic::{Channel, NationalId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::access::Grant;
use store::seal::{Owner, Place};
use store::tables::person;

use crate::agents::Acting;
use crate::guard::{self, Who};
use crate::identity::Verified;
use crate::{CaseError, Desk};

/// A resident (民眾).
#[derive(Clone)]
pub struct Person {
    /// Identifier.
    pub id: PersonId,
    /// Name as the identity provider or the person gave it; empty for who signed in by a method that gives none and never filled
    /// in a form.
    pub name: String,
    /// National id or number of the resident certificate.
    pub national_id: NationalId,
    /// Address for messages, if known.
    pub email: Option<String>,
    /// Mobile number, if known.
    pub phone: Option<String>,
    /// Keyed hash of the national id, by which the usage ledger names the person.
    pub lookup: [u8; 32],
    /// Who acts for them; nobody while they act themself.
    pub(crate) acting: Option<Arc<Acting>>,
    /// The clerk who acts for the person at the counter.
    served_by: Option<Who>,
    /// How who acts proved who they are, in the session at hand.
    verified: Option<Verified>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What the identity provider said of somebody who signs in.
pub struct NewPerson {
    /// National id.
    pub national_id: NationalId,
    /// Name; empty where the method gives none.
    pub name: String,
    /// Address for messages.
    pub email: Option<String>,
    /// Mobile number.
    pub phone: Option<String>,
}

/// What is sealed of a person.
#[derive(Serialize, Deserialize)]
struct Sealed {
    name: String,
    national_id: String,
    email: Option<String>,
    phone: Option<String>,
}

/// Finds the person who signed in, or notes them for the first time. What the identity provider says today takes the place of what
/// it said before, and of what a clerk or a register knew; what it does not say stays.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn sign_in(desk: &Desk, new: NewPerson) -> Result<Person, CaseError> {
    let said = (new.name.clone(), new.email.clone(), new.phone.clone());
    let row = noted(desk, new).await?;
    let known = open(desk, row).await?;
    let (name, email, phone) = said;
    let person = Person {
        name: if name.is_empty() { known.name.clone() } else { name },
        email: email.or_else(|| known.email.clone()),
        phone: phone.or_else(|| known.phone.clone()),
        ..known.clone()
    };
    if (&person.name, &person.email, &person.phone) == (&known.name, &known.email, &known.phone) {
        return Ok(known);
    }
    match keep(desk, &person).await {
        // another sign-in of theirs was faster
        Err(CaseError::Conflict(_)) => Ok(known),
        other => other.map(|()| person),
    }
}

/// The row of a person, made where there is none.
pub(crate) async fn noted(desk: &Desk, new: NewPerson) -> Result<person::Model, CaseError> {
    let lookup = desk.store.seal().lookup("national_id", new.national_id.reveal());
    if let Some(row) = person::by_lookup(desk.store.read(), &lookup).await? {
        return Ok(row);
    }
    let id = PersonId::generate(desk.clock.as_ref());
    let seal = desk.store.seal().clone();
    let made = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                note(tx, &seal, id, &new).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await;
    match made {
        // Two first sign-ins at once: the other one made the person.
        Err(CaseError::Store(error)) if error.is_duplicate() => {}
        other => other?,
    }
    person::by_lookup(desk.store.read(), &lookup)
        .await?
        .ok_or(CaseError::NotFound("person"))
}

/// A person as the clerk who serves them knows them: every act is the clerk's.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
pub(crate) async fn served(desk: &Desk, row: person::Model, who: Who) -> Result<Person, CaseError> {
    let grant = guard::served_profile(desk, &who, PersonId::from_uuid(row.id))?;
    let mut person = opened(desk, row, &grant).await?;
    person.served_by = Some(who);
    Ok(person)
}

/// Takes over another name: from a document that a clerk has seen, or the one that the person filled in where none was known.
///
/// # Errors
/// [`CaseError::Conflict`]; the store's.
pub(crate) async fn rename(desk: &Desk, person: &Person, name: &str) -> Result<(), CaseError> {
    let renamed = Person {
        name: name.to_owned(),
        ..person.clone()
    };
    keep(desk, &renamed).await
}

/// Keeps what is known of a person in the place of what was.
async fn keep(desk: &Desk, person: &Person) -> Result<(), CaseError> {
    let row = person::by_id(desk.store.read(), person.id.uuid())
        .await?
        .ok_or(CaseError::NotFound("person"))?;
    let sealed = Sealed {
        name: person.name.clone(),
        national_id: person.national_id.reveal().to_owned(),
        email: person.email.clone(),
        phone: person.phone.clone(),
    };
    let place = Place::new("person", "sealed", &row.id);
    let sealed = crate::record::seal(desk, desk.store.read(), row.key_id.into(), place, &sealed).await?;
    let at = desk.now().as_microsecond();
    let done = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                if person::replace(tx, row.id, row.revision, sealed, &row.language, at).await? {
                    Ok(())
                } else {
                    Err(CaseError::Conflict("person"))
                }
            })
        })
        .await;
    desk.recent.forget_person(person.id);
    done
}

/// Finds a person a register names, or notes them, inside a transaction.
///
/// # Errors
/// The store's.
pub(crate) async fn note(
    tx: &store::Tx,
    seal: &store::seal::Seal,
    id: PersonId,
    new: &NewPerson,
) -> Result<PersonId, CaseError> {
    let lookup = seal.lookup("national_id", new.national_id.reveal());
    if let Some(row) = person::by_lookup(tx, &lookup).await? {
        return Ok(PersonId::from_uuid(row.id));
    }
    let sealed = Sealed {
        name: new.name.clone(),
        national_id: new.national_id.reveal().to_owned(),
        email: new.email.clone(),
        phone: new.phone.clone(),
    };
    let plain =
        zeroize::Zeroizing::new(serde_json::to_vec(&sealed).map_err(|error| CaseError::corrupt("person", &error))?);
    let key = seal.new_key(tx, Owner::Person(id.uuid())).await?;
    let sealed = seal
        .seal(tx, key, Place::new("person", "sealed", &id.uuid()), &plain)
        .await?;
    let at = tx.now().as_microsecond();
    let row = person::Model {
        id: id.uuid(),
        lookup: lookup.to_vec(),
        key_id: key.uuid(),
        sealed,
        language: civic::Language::ZhTw.tag().to_owned(),
        created_at: at,
        updated_at: at,
        revision: 1,
    };
    person::insert(tx, row).await?;
    Ok(id)
}

/// The person of a session.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn get(desk: &Desk, id: PersonId) -> Result<Person, CaseError> {
    if let Some(known) = desk.recent.person(id) {
        // The policies are asked as if it were read.
        guard::own_profile(desk, id)?;
        return Ok(known);
    }
    let row = person::by_id(desk.store.read(), id.uuid())
        .await?
        .ok_or(CaseError::NotFound("person"))?;
    let person = open(desk, row).await?;
    desk.recent.keep_person(&person);
    Ok(person)
}

/// A person as somebody else's work knows them: the platform writing to them, or an agent acting for them.
pub(crate) async fn of(desk: &Desk, id: PersonId) -> Result<Person, CaseError> {
    let grant = guard::profile(desk, &Who::System, id, "profile")?;
    if let Some(known) = desk.recent.person(id) {
        return Ok(known);
    }
    let row = person::by_id(desk.store.read(), id.uuid())
        .await?
        .ok_or(CaseError::NotFound("person"))?;
    opened(desk, row, &grant).await
}

async fn open(desk: &Desk, row: person::Model) -> Result<Person, CaseError> {
    let grant = guard::own_profile(desk, PersonId::from_uuid(row.id))?;
    opened(desk, row, &grant).await
}

async fn opened(desk: &Desk, row: person::Model, grant: &Grant) -> Result<Person, CaseError> {
    let id = PersonId::from_uuid(row.id);
    let plain = desk
        .store
        .seal()
        .open(
            desk.store.read(),
            grant,
            row.key_id.into(),
            Place::new("person", "sealed", &row.id),
            &row.sealed,
        )
        .await?;
    let sealed: Sealed = serde_json::from_slice(&plain).map_err(|error| CaseError::corrupt("person", &error))?;
    let corrupt = |why: String| CaseError::Corrupt { what: "person", why };
    Ok(Person {
        id,
        name: sealed.name,
        national_id: NationalId::parse(&sealed.national_id).map_err(|error| corrupt(error.to_string()))?,
        email: sealed.email,
        phone: sealed.phone,
        lookup: row
            .lookup
            .try_into()
            .map_err(|_| corrupt("the lookup has not 32 bytes".to_owned()))?,
        acting: None,
        served_by: None,
        verified: None,
    })
}

impl Person {
    /// Who acts for the person: they themself, the agent, or the clerk who serves them.
    #[must_use]
    pub fn who(&self) -> Who {
        match (&self.acting, &self.served_by) {
            (Some(acting), _) => Who::Agent(Arc::clone(acting)),
            (None, Some(clerk)) => clerk.clone(),
            (None, None) => Who::Resident(self.id),
        }
    }

    /// Who acts for the person; nobody while they act themself.
    #[must_use]
    pub fn acting(&self) -> Option<&Acting> {
        self.acting.as_deref()
    }

    /// The person with what the session knows of how who acts proved who they are.
    #[must_use]
    pub fn proven(self, verified: Option<Verified>) -> Person {
        Person { verified, ..self }
    }

    /// How who acts proved who they are, where the session says so.
    #[must_use]
    pub fn verified(&self) -> Option<&Verified> {
        self.verified.as_ref()
    }

    /// Whether a clerk serves the person at the counter.
    pub(crate) fn is_served(&self) -> bool {
        self.served_by.is_some()
    }

    /// The way their applications come in, as long as no clerk serves them.
    #[must_use]
    pub fn channel(&self) -> Channel {
        if self.acting.is_some() {
            Channel::Agent
        } else {
            Channel::Online
        }
    }
}
