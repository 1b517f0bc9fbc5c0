//! Whether somebody wants to be told of what they may be entitled to (主動通知意願): theirs to say, with or without an account.

use crate::boxed;
use std::sync::Arc;

use services::Service;
use store::Tx;
use store::ledger::{self, Entry};
use store::tables::{invitation, preference as table};
use uuid::Uuid;

use super::{allowed, entry, send};
use crate::guard::{self, Action, Who};
use crate::people::Person;
use crate::{CaseError, Desk};

/// The law by which a person's wish is kept: they may ask that the use of their data ends.
const BASIS: &str = "個人資料保護法 §11 IV";

/// Whether a person wants to be told; who has said nothing is told.
///
/// # Errors
/// [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn wants(desk: &Desk, person: &Person) -> Result<bool, CaseError> {
    guard::profile(desk, &person.who(), person.id, Action::Prefer.word())?;
    Ok(table::find(desk.store.read(), &person.lookup).await?.unwrap_or(true))
}

/// Says whether a person wants to be told.
///
/// # Errors
/// [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn set(desk: &Desk, person: &Person, wants: bool) -> Result<(), CaseError> {
    let who = person.who();
    guard::profile(desk, &who, person.id, Action::Prefer.word())?;
    let (actor, actor_id) = who.in_ledger();
    let used = Entry {
        at: desk.now(),
        actor,
        actor_id,
        action: Action::Prefer.word().to_owned(),
        purpose: guard::of_person(BASIS, Action::Prefer.word()),
        application: None,
        subject: Some(person.lookup),
        fields: Vec::new(),
        count: 1,
    };
    write(desk, person.lookup.to_vec(), wants, used).await
}

async fn write(desk: &Desk, subject: Vec<u8>, wants: bool, used: Entry) -> Result<(), CaseError> {
    desk.store
        .write(move |tx: &Tx| {
            Box::pin(async move {
                let row = table::Model {
                    id: Uuid::new_v4(),
                    subject,
                    wants,
                    changed_at: tx.now().as_microsecond(),
                };
                table::put(tx, row).await?;
                ledger::append(tx, used).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// What the link of an invitation leads to. Nothing of it is about the person, beside their wish.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The service they were told of.
    pub service: Arc<Service>,
    /// Whether they still want to be told.
    pub wants: bool,
}

async fn linked(desk: &Desk, token: &str) -> Result<(invitation::Model, Arc<Service>), CaseError> {
    let id = send::named(desk.store.seal(), token).ok_or(CaseError::NotFound("invitation"))?;
    let row = invitation::by_id(desk.store.read(), id)
        .await?
        .ok_or(CaseError::NotFound("invitation"))?;
    let service = desk
        .catalogue
        .get(&row.service)
        .ok_or(CaseError::NotFound("invitation"))?;
    allowed(desk, &Who::System, Action::Prefer, row.campaign_id, service)?;
    Ok((row, Arc::clone(service)))
}

/// What the link of an invitation leads to.
///
/// # Errors
/// [`CaseError::NotFound`] for a link that is not ours; the store's.
#[boxed]
pub async fn by_link(desk: &Desk, token: &str) -> Result<Linked, CaseError> {
    let (row, service) = linked(desk, token).await?;
    let said = table::find(desk.store.read(), &row.subject).await?;
    Ok(Linked {
        service,
        wants: said.unwrap_or(true),
    })
}

/// Ends the invitations to the person whom a link was sent to. Saying it again changes nothing.
///
/// # Errors
/// [`CaseError::NotFound`] for a link that is not ours; the store's.
#[boxed]
pub async fn stop(desk: &Desk, token: &str) -> Result<(), CaseError> {
    let (row, service) = linked(desk, token).await?;
    if table::find(desk.store.read(), &row.subject).await? == Some(false) {
        return Ok(());
    }
    let used = entry(desk, &Who::System, Action::Prefer, &service, &row.subject, &[]);
    write(desk, row.subject, false, used).await
}
