//! The agent's side: see what one is asked, accept or decline it, end it, and read what one has done.

use crate::boxed;
use civic::Language;
use civic::ids::{AuthorisationId, PersonId};
use jiff::{SignedDuration, ToSpan as _};
use store::ledger::{self, Recorded};
use store::tables::{authorisation, organisation};

use super::tell;
use super::view::{self, Kind, Party, View};
use crate::{CaseError, Desk, Person};

/// Authorisations shown at most to an organisation or a village officer.
const SHOWN: u64 = 200;
/// Entries of the ledger read back for one authorisation.
const READ: u64 = 2000;

/// The notice the agent was shown before accepting.
pub struct Shown {
    /// SHA-256 in hex of its words.
    pub digest: String,
    /// Its language.
    pub language: Language,
}

/// All authorisations given to this party, newest first.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn entrusted(desk: &Desk, party: &Party<'_>) -> Result<Vec<View>, CaseError> {
    let db = desk.store.read();
    let rows = match party {
        Party::Person(person) => authorisation::of_lookup(db, &person.lookup).await?,
        Party::Staff(staff) => {
            let mut rows = authorisation::of_agent(db, staff.id.uuid(), SHOWN).await?;
            if let Some(found) = organisation::by_number(db, &staff.agency).await? {
                rows.extend(authorisation::of_agent(db, found.id, SHOWN).await?);
            }
            rows
        }
    };
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        if let Ok(grant) = view::grant(desk, party, &row, "entrust").await? {
            views.push(view::view(desk, &grant, &row).await?);
        }
    }
    Ok(views)
}

async fn row(
    desk: &Desk,
    party: &Party<'_>,
    id: AuthorisationId,
    action: &'static str,
) -> Result<(authorisation::Model, store::access::Grant), CaseError> {
    let row = authorisation::by_id(desk.store.read(), id.uuid())
        .await?
        .ok_or(CaseError::NotFound("authorisation"))?;
    // Whose it is not, for them there is none.
    let grant = view::grant(desk, party, &row, action)
        .await?
        .map_err(|_| CaseError::NotFound("authorisation"))?;
    Ok((row, grant))
}

/// One authorisation given to this party.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn one(desk: &Desk, party: &Party<'_>, id: AuthorisationId) -> Result<View, CaseError> {
    let (row, grant) = row(desk, party, id, "entrust").await?;
    view::view(desk, &grant, &row).await
}

/// Accepts an authorisation (接受); from now on the agent may act. Assisted sessions begin by a password instead.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Stopped`] when it is not waiting any more; [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn accept(
    desk: &Desk,
    party: &Party<'_>,
    id: AuthorisationId,
    revision: i64,
    shown: Shown,
) -> Result<(), CaseError> {
    let (row, grant) = row(desk, party, id, "accept").await?;
    if row.kind == Kind::Assisted.word() {
        return Err(CaseError::NotFound("authorisation"));
    }
    let late = SignedDuration::from_hours(desk.agents.accept_days.saturating_mul(24));
    let void = desk
        .now()
        .checked_sub(late)
        .is_ok_and(|at| row.offered_at < at.as_microsecond());
    if row.state != "offered" || void || row.until < desk.today().to_string() {
        return Err(CaseError::Stopped);
    }
    if row.revision != revision {
        return Err(CaseError::Conflict("authorisation"));
    }
    let mut names = view::names(desk, &grant, &row).await?;
    let mut next = row;
    if let Party::Person(person) = party {
        names.agent.clone_from(&person.name);
        next.agent_id = Some(person.id.uuid());
    }
    next.sealed = Some(view::sealed(desk, &next, &names).await?);
    next.state = "accepted".to_owned();
    next.accepted_at = Some(desk.now().as_microsecond());
    next.notice_digest = Some(shown.digest);
    next.notice_language = Some(shown.language.tag().to_owned());
    let principal = next.principal_id.map(PersonId::from_uuid).ok_or(CaseError::Stopped)?;
    let entry = view::entry(desk, &party.who(), "accept", view::subject(desk, principal).await?);
    let note = tell::principal(desk, &next, &names, "agent-accepted").await?;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if !authorisation::replace(tx, &next).await? {
                    return Err(CaseError::Conflict("authorisation"));
                }
                ledger::append(tx, entry).await?;
                note.write(tx).await
            })
        })
        .await
}

/// Declines an authorisation.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Stopped`] when it is not waiting any more; [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn decline(desk: &Desk, party: &Party<'_>, id: AuthorisationId) -> Result<(), CaseError> {
    let (row, grant) = row(desk, party, id, "leave").await?;
    if row.state != "offered" {
        return Err(CaseError::Stopped);
    }
    let names = view::names(desk, &grant, &row).await?;
    let principal = row.principal_id.map(PersonId::from_uuid).ok_or(CaseError::Stopped)?;
    let entry = view::entry(desk, &party.who(), "leave", view::subject(desk, principal).await?);
    let note = tell::principal(desk, &row, &names, "agent-declined").await?;
    let mut next = row;
    next.state = "declined".to_owned();
    next.ended_at = Some(desk.now().as_microsecond());
    next.ended_by = Some("agent".to_owned());
    next.dispose_after = Some(kept_until(desk));
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if !authorisation::replace(tx, &next).await? {
                    return Err(CaseError::Conflict("authorisation"));
                }
                ledger::append(tx, entry).await?;
                note.write(tx).await
            })
        })
        .await
}

/// Ends an authorisation from the agent's side. One that has ended stays as it is.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn leave(desk: &Desk, party: &Party<'_>, id: AuthorisationId) -> Result<(), CaseError> {
    let (row, _) = row(desk, party, id, "leave").await?;
    let principal = row.principal_id.map(PersonId::from_uuid).ok_or(CaseError::Stopped)?;
    let entry = view::entry(desk, &party.who(), "leave", view::subject(desk, principal).await?);
    end(desk, row, "agent", Some(entry)).await
}

fn kept_until(desk: &Desk) -> String {
    desk.today()
        .saturating_add(desk.agents.retention_days.days())
        .to_string()
}

/// Ends one that is offered or in force, and tells the principal; anything else is left as it is.
pub(super) async fn end(
    desk: &Desk,
    row: authorisation::Model,
    by: &'static str,
    entry: Option<ledger::Entry>,
) -> Result<(), CaseError> {
    if !matches!(row.state.as_str(), "offered" | "accepted") {
        return Ok(());
    }
    let names = view::names(desk, &view::system(desk, &row)?, &row).await?;
    let mut next = row;
    next.state = "ended".to_owned();
    next.ended_at = Some(desk.now().as_microsecond());
    next.ended_by = Some(by.to_owned());
    next.password = None;
    next.dispose_after = Some(kept_until(desk));
    let note = tell::principal(desk, &next, &names, "agent-ended").await?;
    let to_agent = tell::ended(desk, &next, &names).await?;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if !authorisation::replace(tx, &next).await? {
                    return Err(CaseError::Conflict("authorisation"));
                }
                if let Some(entry) = entry {
                    ledger::append(tx, entry).await?;
                }
                note.write(tx).await?;
                match to_agent {
                    Some(note) => note.write(tx).await,
                    None => Ok(()),
                }
            })
        })
        .await
}

/// What was done under an authorisation, newest first: the entries of the usage ledger about the principal made by the agent.
/// Both sides read the same; `principal` is the person who gave it, `party` who holds it.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn done(
    desk: &Desk,
    principal: Option<&Person>,
    party: Option<&Party<'_>>,
    id: AuthorisationId,
) -> Result<Vec<Recorded>, CaseError> {
    let row = authorisation::by_id(desk.store.read(), id.uuid())
        .await?
        .ok_or(CaseError::NotFound("authorisation"))?;
    let allowed = match (principal, party) {
        (Some(person), _) => view::own(desk, person, &row, "entrust").is_ok(),
        (None, Some(party)) => view::grant(desk, party, &row, "entrust").await?.is_ok(),
        (None, None) => false,
    };
    let (true, Some(giver)) = (allowed, row.principal_id) else {
        return Err(CaseError::NotFound("authorisation"));
    };
    let Some(subject) = view::subject(desk, PersonId::from_uuid(giver)).await? else {
        return Ok(Vec::new());
    };
    let accounts = match row.kind.as_str() {
        "organisation" => super::organisation::accounts(desk, row.agent_id).await?,
        _ => row.agent_id.into_iter().collect(),
    };
    let from = row.accepted_at.unwrap_or(i64::MAX);
    let to = row.ended_at.unwrap_or(i64::MAX);
    let mut entries = ledger::of_subject(desk.store.read(), &subject, None, READ).await?;
    entries.retain(|one| {
        let at = one.entry.at.as_microsecond();
        one.entry.actor_id.is_some_and(|actor| accounts.contains(&actor)) && from <= at && at <= to
    });
    Ok(entries)
}
