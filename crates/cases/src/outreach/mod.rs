//! Outreach (主動通知): who is entitled and does not receive is counted every night, and invited to apply.
//!
//! [`night`] sweeps the register of residents over all services at once and compares with who receives ([`known`]): counts by
//! village are kept, no name. [`invite`] finds the persons of some villages anew and writes to them, once in the time that the
//! service names, and to nobody who said no ([`preference`]). Both are work of the outbox: safe to run twice, and an invitation
//! goes on where it stopped.

mod invite;
mod known;
mod night;
mod preference;
mod send;
mod sweep;
mod view;
mod visit;

pub use invite::begin;
pub(crate) use invite::{WRITE, tidy, write};
pub(crate) use night::{NIGHT, night, schedule};
pub use preference::{Linked, by_link, set, stop, wants};
pub(crate) use send::{SEND, send};
pub use view::{
    AreaRow, CampaignRow, CampaignView, Number, Overview, ServiceRow, TakeUp, Tally, campaign, list, take_up, view,
};
pub use visit::{Contact, VisitList, to_visit, visits};

pub use store::tables::campaign::State as CampaignState;
pub use store::tables::invitation::Standing as InvitationStanding;

use services::Service;
use store::access::{Grant, Resource};
use store::ledger::Entry;
use uuid::Uuid;

use crate::guard::{self, Action, Who};
use crate::{CaseError, Desk};

/// The register is used, and its use recorded, under this function.
const FUNCTION: &str = "outreach";

/// May `who` do this with invitations that the office of a service sent together.
fn allowed(desk: &Desk, who: &Who, action: Action, campaign: Uuid, service: &Service) -> Result<Grant, CaseError> {
    let resource = Resource::Campaign {
        id: campaign,
        agency: guard::agency(service),
    };
    let purpose = desk.purpose(service, action.word(), None);
    Ok(desk
        .store
        .access()
        .decide(who.actor(), action.word(), resource, purpose)?)
}

/// The entry of the usage ledger about one person.
fn entry(desk: &Desk, who: &Who, action: Action, service: &Service, subject: &[u8], fields: &[&str]) -> Entry {
    let (actor, actor_id) = who.in_ledger();
    Entry {
        at: desk.now(),
        actor,
        actor_id,
        action: action.word().to_owned(),
        purpose: desk.purpose(service, action.word(), None),
        application: None,
        subject: subject.try_into().ok(),
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
        count: 1,
    }
}

fn refuse(problem: &'static str) -> CaseError {
    CaseError::Input {
        field: "campaign",
        problem,
    }
}
