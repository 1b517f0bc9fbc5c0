//! Whom no mail reaches: lists for a letter or a visit (訪視), kept for the days of their invitations.

use crate::boxed;
use civic::Text;
use jiff::Timestamp;
use jiff::civil::Date;
use services::Service;
use store::seal::Place;
use store::tables::campaign as table;
use store::tables::invitation;
use uuid::Uuid;

use super::invite::Reach;
use super::{CampaignState, InvitationStanding, allowed, entry};
use crate::guard::Action;
use crate::history::{day, time};
use crate::staff::Staff;
use crate::{CaseError, Desk, record};

/// Names of one page.
const PAGE: u64 = 100;

/// Somebody whom no mail reaches.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// Which invitation.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// District and village.
    pub area: String,
    /// Address.
    pub address: String,
    /// Telephone; empty where none is known.
    pub phone: String,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A list of whom to visit, without the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitList {
    /// The invitations.
    pub campaign: Uuid,
    /// Folder name of the service.
    pub service: String,
    /// Its name.
    pub name: Text,
    /// When they were begun.
    pub at: Timestamp,
    /// How many persons stand on it.
    pub persons: i64,
    /// Last day of the list.
    pub until: Date,
}

/// The lists that a member of staff may open, newest first for each service.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn to_visit(desk: &Desk, staff: &Staff) -> Result<Vec<VisitList>, CaseError> {
    let (db, who) = (desk.store.read(), staff.who());
    let mut lists = Vec::new();
    for service in desk.catalogue.all() {
        for found in table::of_service(db, &service.id).await? {
            if found.state == CampaignState::Closed || allowed(desk, &who, Action::Visit, found.id, service).is_err() {
                continue;
            }
            let counts = invitation::counts(db, found.id).await?;
            let mut counts = counts.into_iter();
            let Some((_, persons, _)) = counts.find(|(standing, ..)| *standing == InvitationStanding::NoAddress) else {
                continue;
            };
            lists.push(VisitList {
                campaign: found.id,
                service: service.id.clone(),
                name: service.meta.name.clone(),
                at: time(found.made_at),
                persons,
                until: day("campaign", &found.dispose_on)?,
            });
        }
    }
    Ok(lists)
}

/// The invitations of a service.
pub(super) async fn find(desk: &Desk, service: &Service, id: Uuid) -> Result<table::Model, CaseError> {
    table::by_id(desk.store.read(), id)
        .await?
        .filter(|row| row.service == service.id)
        .ok_or(CaseError::NotFound("campaign"))
}

/// Names and addresses of whom no mail reaches, from after an invitation on: for a letter or a visit. Each that is shown stands
/// in the usage ledger.
///
/// # Errors
/// [`CaseError::NotFound`], after the days of the list too; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn visits(
    desk: &Desk,
    staff: &Staff,
    service: &str,
    id: Uuid,
    after: Option<Uuid>,
) -> Result<Vec<Contact>, CaseError> {
    let service = desk.service(service)?;
    let found = find(desk, service, id).await?;
    let who = staff.who();
    let grant = allowed(desk, &who, Action::Visit, id, service)?;
    if found.state == CampaignState::Closed {
        return Err(CaseError::NotFound("campaign"));
    }
    let rows = invitation::page(desk.store.read(), id, InvitationStanding::NoAddress, after, PAGE).await?;
    let (mut contacts, mut entries) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        let Some(sealed) = &row.sealed else { continue };
        let place = Place::new("invitation", "sealed", &row.id);
        let reach: Reach = record::unseal(desk, &grant, found.key_id.into(), place, sealed).await?;
        let fields = ["name", "address", "phone"];
        entries.push(entry(desk, &who, Action::Visit, service, &row.subject, &fields));
        contacts.push(Contact {
            id: row.id,
            name: reach.name,
            area: reach.area,
            address: reach.address,
            phone: reach.phone,
        });
    }
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for entry in entries {
                    store::ledger::append(tx, entry).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(contacts)
}
