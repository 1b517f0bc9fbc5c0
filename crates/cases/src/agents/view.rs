//! An authorisation as its two sides see it.

use civic::Text;
use civic::ids::{AuthorisationId, PersonId};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use store::access::{Grant, Refused, Resource};
use store::seal::Place;
use store::tables::{authorisation, organisation};
use uuid::Uuid;

use super::acting::By;
use super::{BASIS, Power, in_force};
use crate::guard::{self, Who};
use crate::history::time;
use crate::staff::{Role, Staff};
use crate::{CaseError, Desk, Person, record};

/// Of what kind an authorisation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To a person.
    Person,
    /// To an organisation.
    Organisation,
    /// A village officer's assisted session.
    Assisted,
}

impl Kind {
    /// The word kept in the table.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Organisation => "organisation",
            Kind::Assisted => "assisted",
        }
    }

    pub(crate) fn of(word: &str) -> Result<Kind, CaseError> {
        [Kind::Person, Kind::Organisation, Kind::Assisted]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| CaseError::Corrupt {
                what: "authorisation",
                why: "unknown kind".to_owned(),
            })
    }
}

/// Where an authorisation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for the agent.
    Offered,
    /// It is in force.
    InForce,
    /// The agent did not want it.
    Declined,
    /// It has ended.
    Ended,
}

impl Standing {
    /// A word for the texts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Standing::Offered => "offered",
            Standing::InForce => "in-force",
            Standing::Declined => "declined",
            Standing::Ended => "ended",
        }
    }
}

/// Who stands on the agent's side.
#[derive(Clone, Copy, Debug)]
pub enum Party<'a> {
    /// A resident; always they themself, never somebody who acts for them.
    Person(&'a Person),
    /// A member of an organisation, or a village officer.
    Staff(&'a Staff),
}

impl Party<'_> {
    pub(crate) fn who(&self) -> Who {
        match self {
            Party::Person(person) => person.who(),
            Party::Staff(staff) => staff.who(),
        }
    }

    pub(crate) fn by(&self) -> By {
        match self {
            Party::Person(person) => By::Person(person.id),
            Party::Staff(staff) => By::Staff(staff.id),
        }
    }

    /// The agent's name under what they do.
    pub(crate) fn signature(&self, names: &Names) -> String {
        match self {
            Party::Person(person) => person.name.clone(),
            Party::Staff(staff) if staff.role == Role::Organisation => format!("{}（{}）", names.agent, staff.name),
            Party::Staff(staff) => staff.name.clone(),
        }
    }
}

/// What is sealed of an authorisation.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Names {
    /// Name of the principal.
    pub(crate) principal: String,
    /// Name of the agent: what the principal calls them, then as they signed in.
    pub(crate) agent: String,
    /// The agent's national id with its middle left out, as the principal wrote it.
    pub(crate) masked: Option<String>,
    /// Where the principal is told.
    pub(crate) email: Option<String>,
}

/// An authorisation as its two sides see it.
#[derive(Clone, PartialEq, Eq)]
pub struct View {
    /// Identifier.
    pub id: AuthorisationId,
    /// Of what kind.
    pub kind: Kind,
    /// Where it stands now.
    pub standing: Standing,
    /// Name of the principal; empty after disposal.
    pub principal: String,
    /// Name of the agent; empty after disposal.
    pub agent: String,
    /// The agent's national id with its middle left out; what only the principal's side shows.
    pub masked: Option<String>,
    /// Folder name and name of each service.
    pub services: Vec<(String, Text)>,
    /// What may be done and seen.
    pub powers: Vec<Power>,
    /// Last legal day.
    pub until: Date,
    /// When it was given.
    pub offered: Timestamp,
    /// When it was accepted.
    pub accepted: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Who ended it: `principal`, `agent`, `time` or `tries`.
    pub ended_by: Option<String>,
    /// The agent as the ledger knows them, once it was accepted by a person.
    pub agent_id: Option<Uuid>,
    /// Revision to name when it is accepted.
    pub revision: i64,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("id", &self.id)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

pub(crate) fn words(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

/// The member of staff an authorisation is given to: the village officer themself, or who works for the organisation.
async fn member(desk: &Desk, staff: &Staff, row: &authorisation::Model) -> Result<Option<Uuid>, CaseError> {
    let is_theirs = match row.kind.as_str() {
        "assisted" => row.agent_id == Some(staff.id.uuid()),
        "organisation" => {
            let found = organisation::by_number(desk.store.read(), &staff.agency).await?;
            found.is_some_and(|one| one.active && row.agent_id == Some(one.id))
        }
        _ => false,
    };
    Ok(is_theirs.then(|| staff.id.uuid()))
}

/// May this party do this with an authorisation. The outer error is the store's, the inner one the policies'.
pub(crate) async fn grant(
    desk: &Desk,
    party: &Party<'_>,
    row: &authorisation::Model,
    action: &'static str,
) -> Result<Result<Grant, Refused>, CaseError> {
    let (person, staff) = match party {
        Party::Person(person) => {
            let is_theirs = row.agent_lookup.as_deref() == Some(person.lookup.as_slice());
            (is_theirs.then(|| person.id.uuid()), None)
        }
        Party::Staff(staff) => (None, member(desk, staff, row).await?),
    };
    Ok(ask(desk, &party.who(), row, person, staff, action))
}

/// May the principal do this with an authorisation of theirs.
pub(crate) fn own(
    desk: &Desk,
    person: &Person,
    row: &authorisation::Model,
    action: &'static str,
) -> Result<Grant, Refused> {
    ask(desk, &person.who(), row, None, None, action)
}

/// What the platform needs to tell people of an authorisation.
pub(crate) fn system(desk: &Desk, row: &authorisation::Model) -> Result<Grant, Refused> {
    ask(desk, &Who::System, row, None, None, "entrust")
}

fn ask(
    desk: &Desk,
    who: &Who,
    row: &authorisation::Model,
    person: Option<Uuid>,
    staff: Option<Uuid>,
    action: &'static str,
) -> Result<Grant, Refused> {
    let resource = Resource::Authorisation {
        id: row.id,
        principal: row.principal_id,
        person,
        staff,
    };
    desk.store
        .access()
        .decide(who.actor(), action, resource, guard::of_person(BASIS, action))
}

/// The names of an authorisation; empty ones after disposal.
pub(crate) async fn names(desk: &Desk, grant: &Grant, row: &authorisation::Model) -> Result<Names, CaseError> {
    match &row.sealed {
        Some(sealed) => {
            let place = Place::new("authorisation", "sealed", &row.id);
            record::unseal(desk, grant, row.key_id.into(), place, sealed).await
        }
        None => Ok(Names {
            principal: String::new(),
            agent: String::new(),
            masked: None,
            email: None,
        }),
    }
}

/// The names of an authorisation, sealed again after a change.
pub(crate) async fn sealed(desk: &Desk, row: &authorisation::Model, names: &Names) -> Result<Vec<u8>, CaseError> {
    let place = Place::new("authorisation", "sealed", &row.id);
    record::seal(desk, desk.store.read(), row.key_id.into(), place, names).await
}

pub(crate) async fn view(desk: &Desk, grant: &Grant, row: &authorisation::Model) -> Result<View, CaseError> {
    let names = names(desk, grant, row).await?;
    let services = words(&row.services).into_iter().map(|id| {
        let name = desk
            .catalogue
            .get(&id)
            .map_or_else(|| Text::chinese(id.clone()), |service| service.meta.name.clone());
        (id, name)
    });
    let standing = match row.state.as_str() {
        "offered" if desk.today().to_string() <= row.until => Standing::Offered,
        "accepted" if in_force(row, desk.now(), &desk.agents) => Standing::InForce,
        "declined" => Standing::Declined,
        _ => Standing::Ended,
    };
    Ok(View {
        id: AuthorisationId::from_uuid(row.id),
        kind: Kind::of(&row.kind)?,
        standing,
        principal: names.principal,
        agent: names.agent,
        masked: names.masked,
        services: services.collect(),
        powers: words(&row.acts).iter().filter_map(|word| Power::parse(word)).collect(),
        until: row.until.parse().map_err(|_| CaseError::Corrupt {
            what: "authorisation",
            why: "its last day is none".to_owned(),
        })?,
        offered: time(row.offered_at),
        accepted: row.accepted_at.map(time),
        ended: row.ended_at.map(time),
        ended_by: row.ended_by.clone(),
        agent_id: row.agent_id,
        revision: row.revision,
    })
}

/// The principal as the ledger names them.
pub(crate) async fn subject(desk: &Desk, principal: PersonId) -> Result<Option<[u8; 32]>, CaseError> {
    let row = store::tables::person::by_id(desk.store.read(), principal.uuid()).await?;
    Ok(row.and_then(|row| row.lookup.try_into().ok()))
}

/// The entry of the usage ledger for something done with an authorisation.
pub(crate) fn entry(desk: &Desk, who: &Who, action: &'static str, subject: Option<[u8; 32]>) -> store::ledger::Entry {
    let (actor, actor_id) = who.in_ledger();
    store::ledger::Entry {
        at: desk.now(),
        actor,
        actor_id,
        action: action.to_owned(),
        purpose: guard::of_person(BASIS, action),
        application: None,
        subject,
        fields: vec!["name".to_owned()],
        count: 1,
    }
}
