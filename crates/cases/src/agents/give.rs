//! The principal's side: give an authorisation, see all, end one.

use crate::boxed;
use civic::ids::{AuthorisationId, PersonId};
use civic::{Channel, NationalId, UnifiedBusinessNumber};
use jiff::ToSpan as _;
use jiff::civil::Date;
use store::ledger;
use store::seal::{Owner, Place};
use store::tables::{authorisation, organisation};
use uuid::Uuid;

use super::tell::{self, Note};
use super::view::{self, Kind, Names, View};
use super::{Power, take};
use crate::guard;
use crate::{CaseError, Desk, Person};

/// Longest name a principal gives an agent, in characters.
const LONGEST_NAME: usize = 60;

/// To whom an authorisation is given.
pub enum To {
    /// A person.
    Person {
        /// National id as typed.
        national_id: String,
        /// What the principal calls them.
        name: String,
    },
    /// An organisation.
    Organisation {
        /// Unified business number as typed.
        number: String,
    },
}

/// An authorisation to be given.
pub struct NewAuthorisation {
    /// To whom.
    pub to: To,
    /// Folder names of the services.
    pub services: Vec<String>,
    /// What may be done and seen.
    pub powers: Vec<Power>,
    /// Last legal day.
    pub until: Option<Date>,
    /// Where the principal wants to be told; empty for nowhere but their page.
    pub email: String,
}

fn input(field: &'static str, problem: &'static str) -> CaseError {
    CaseError::Input { field, problem }
}

/// The services and powers of a form, each once; services that take no applications by agents are refused.
pub(crate) fn scope(desk: &Desk, services: &[String], powers: &[Power]) -> Result<(String, String), CaseError> {
    let mut chosen: Vec<&str> = services.iter().map(String::as_str).collect();
    chosen.sort_unstable();
    chosen.dedup();
    if chosen.is_empty() {
        return Err(input("services", "empty"));
    }
    for id in &chosen {
        let takes = |service: &services::Service| service.meta.channels.contains(&Channel::Agent);
        if !desk.catalogue.get(id).is_some_and(|service| takes(service)) {
            return Err(input("services", "not_offered"));
        }
    }
    let acts: Vec<&str> = Power::ALL
        .into_iter()
        .filter(|power| powers.contains(power))
        .map(Power::word)
        .collect();
    if acts.is_empty() {
        return Err(input("powers", "empty"));
    }
    Ok((chosen.join(" "), acts.join(" ")))
}

/// A row that waits to be accepted.
pub(crate) fn offered(
    desk: &Desk,
    kind: Kind,
    principal: PersonId,
    scope: (String, String),
    until: Date,
) -> authorisation::Model {
    authorisation::Model {
        id: AuthorisationId::generate(desk.clock.as_ref()).uuid(),
        kind: kind.word().to_owned(),
        state: "offered".to_owned(),
        principal_id: Some(principal.uuid()),
        agent_lookup: None,
        agent_id: None,
        services: scope.0,
        acts: scope.1,
        until: until.to_string(),
        key_id: Uuid::nil(),
        sealed: None,
        notice_digest: None,
        notice_language: None,
        password: None,
        password_until: None,
        tries: 0,
        offered_at: desk.now().as_microsecond(),
        accepted_at: None,
        used_at: None,
        ended_at: None,
        ended_by: None,
        dispose_after: None,
        revision: 1,
    }
}

/// Writes a new authorisation with its key, its entry of the ledger and the notices about it.
pub(crate) async fn insert(
    desk: &Desk,
    row: authorisation::Model,
    names: &Names,
    entry: ledger::Entry,
    notes: Vec<Note>,
) -> Result<AuthorisationId, CaseError> {
    let plain = zeroize::Zeroizing::new(
        serde_json::to_vec(names).map_err(|error| CaseError::corrupt("authorisation", &error))?,
    );
    let seal = desk.store.seal().clone();
    let id = AuthorisationId::from_uuid(row.id);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let mut row = row;
                let key = seal.new_key(tx, Owner::Authorisation(row.id)).await?;
                row.key_id = key.uuid();
                row.sealed = Some(
                    seal.seal(tx, key, Place::new("authorisation", "sealed", &row.id), &plain)
                        .await?,
                );
                authorisation::insert(tx, row).await?;
                ledger::append(tx, entry).await?;
                for note in notes {
                    note.under(key).write(tx).await?;
                }
                Ok::<_, CaseError>(id)
            })
        })
        .await
}

/// Gives an authorisation; it is in force once the agent accepts it. Whether the person has an account is not told.
///
/// # Errors
/// [`CaseError::Input`] for what can't be given; [`CaseError::Refused`] to somebody who acts for another; the store's.
#[boxed]
pub async fn give(desk: &Desk, person: &Person, new: NewAuthorisation) -> Result<AuthorisationId, CaseError> {
    guard::profile(desk, &person.who(), person.id, "authorise")?;
    let limits = desk.agents;
    let mut names = Names {
        principal: person.name.clone(),
        agent: String::new(),
        masked: None,
        email: tell::address(new.email.trim())?,
    };
    let kind = match &new.to {
        To::Person { .. } => Kind::Person,
        To::Organisation { .. } => Kind::Organisation,
    };
    let (lookup, agent) = match &new.to {
        To::Person { national_id, name } => {
            let id = NationalId::parse(national_id).map_err(|_| input("national_id", "unusable"))?;
            if id == person.national_id {
                return Err(input("national_id", "oneself"));
            }
            let name = name.trim();
            if name.is_empty() {
                return Err(input("name", "empty"));
            }
            if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
                return Err(input("name", "too_long"));
            }
            names.agent = name.to_owned();
            names.masked = Some(id.masked());
            let lookup = desk.store.seal().lookup("national_id", id.reveal());
            (Some(lookup.to_vec()), None)
        }
        To::Organisation { number } => {
            let number = UnifiedBusinessNumber::parse(number).map_err(|_| input("number", "unusable"))?;
            let found = organisation::by_number(desk.store.read(), number.as_str()).await?;
            let found = found
                .filter(|one| one.active)
                .ok_or_else(|| input("number", "not_registered"))?;
            names.agent = found.name;
            (None, Some(found.id))
        }
    };
    let scope = scope(desk, &new.services, &new.powers)?;
    let today = desk.today();
    let until = new.until.ok_or_else(|| input("until", "empty"))?;
    if until < today {
        return Err(input("until", "past"));
    }
    if until > today.saturating_add(limits.longest_days.days()) {
        return Err(input("until", "too_long"));
    }
    let known = authorisation::of_principal(desk.store.read(), person.id.uuid()).await?;
    let live = known.iter().filter(|row| {
        row.kind != Kind::Assisted.word()
            && matches!(row.state.as_str(), "offered" | "accepted")
            && row.until >= today.to_string()
    });
    let live: Vec<Vec<String>> = live.map(|row| view::words(&row.services)).collect();
    for service in view::words(&scope.0) {
        if live.iter().filter(|services| services.contains(&service)).count() >= limits.most {
            return Err(input("services", "too_many"));
        }
    }
    let mut row = offered(desk, kind, person.id, scope, until);
    row.agent_lookup = lookup;
    row.agent_id = agent;
    let entry = view::entry(desk, &person.who(), "authorise", Some(person.lookup));
    let mut notes = vec![tell::principal(desk, &row, &names, "agent-offered").await?];
    notes.extend(tell::asked(desk, &row, &names).await?);
    insert(desk, row, &names, entry, notes).await
}

/// All authorisations a person has given, newest first.
///
/// # Errors
/// [`CaseError::Refused`] to somebody who acts for another; the store's.
#[boxed]
pub async fn given(desk: &Desk, person: &Person) -> Result<Vec<View>, CaseError> {
    guard::profile(desk, &person.who(), person.id, "revoke")?;
    let rows = authorisation::of_principal(desk.store.read(), person.id.uuid()).await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        let grant = view::own(desk, person, row, "entrust")?;
        views.push(view::view(desk, &grant, row).await?);
    }
    Ok(views)
}

/// Ends an authorisation at once (終止). One that has ended stays as it is.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn revoke(desk: &Desk, person: &Person, id: AuthorisationId) -> Result<(), CaseError> {
    loop {
        let row = authorisation::by_id(desk.store.read(), id.uuid())
            .await?
            .filter(|row| row.principal_id == Some(person.id.uuid()))
            .ok_or(CaseError::NotFound("authorisation"))?;
        view::own(desk, person, &row, "revoke")?;
        let entry = view::entry(desk, &person.who(), "revoke", Some(person.lookup));
        match take::end(desk, row, "principal", Some(entry)).await {
            // Accepted in this very moment: what is accepted is ended too.
            Err(CaseError::Conflict(_)) => {}
            other => return other,
        }
    }
}
