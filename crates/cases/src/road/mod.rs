//! T-Road (政府資料傳輸平臺) as it is managed: which interfaces are offered and used, who may use them what for, what passed, and the
//! switch of each. The gateway itself is the crate `troad`; here stands what people decide about it.
//!
//! The directory that the gateway goes by is made of the city's own file, the approvals in force, and the switches ([`Road::load`]).

mod agreement;
mod view;

pub use agreement::{Decision, NewAgreement, apply, decide, end, switch};
pub use store::tables::road_agreement::State as AgreementState;
pub use troad::log::{Filter, Outcome as ExchangeOutcome, Side};
pub use view::{AgreementRow, CertificateRow, Exchange, InterfaceRow, Overview, exchanges, overview, probe};

use crate::boxed;
use std::sync::Arc;

use civic::Purpose;
use store::access::Resource;
use store::tables::{road_agreement, road_switch};
use troad::directory::{Agreement, Directory, Right};
use troad::ids::{MemberId, ServiceId};

use crate::history::day;
use crate::staff::Staff;
use crate::{CaseError, Desk, guard};

/// Approvals that are read at most.
const MOST: u64 = 1_000;

/// The gateway with what its file says of the road.
#[derive(Clone)]
pub struct Road {
    gateway: troad::Gateway,
    base: Arc<Directory>,
    own: MemberId,
}

impl Road {
    /// A gateway of the own member; what its file says stays below everything decided here.
    #[must_use]
    pub fn new(gateway: troad::Gateway, own: MemberId) -> Road {
        Road {
            base: Arc::new(gateway.directory()),
            gateway,
            own,
        }
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> &troad::Gateway {
        &self.gateway
    }

    /// Whether this side offers an interface.
    fn offers(&self, service: &ServiceId) -> bool {
        service.provider.same_owner(&self.own)
    }
}

/// Puts in force what is decided: the file's directory with the approvals and switches of the store.
///
/// # Errors
/// [`CaseError::Outside`] when the directory can't be used; the one before stays. The store's.
#[boxed]
pub async fn load(desk: &Desk) -> Result<(), CaseError> {
    let Some(road) = &desk.road else { return Ok(()) };
    let mut directory = Directory::clone(&road.base);
    for row in road_agreement::all(desk.store.read(), MOST).await? {
        if row.state != AgreementState::Approved {
            continue;
        }
        let agreement = agreement(&row)?;
        if road.offers(&agreement.service) {
            directory.rights.push(Right {
                service: agreement.service.clone(),
                client: agreement.client.clone(),
                endpoints: Vec::new(),
            });
        }
        directory.agreements.push(agreement);
    }
    for switch in road_switch::all(desk.store.read()).await? {
        let mut interfaces = directory.interfaces.iter_mut();
        if let Some(found) = interfaces.find(|one| one.id.to_string() == switch.service) {
            found.enabled = switch.enabled;
        }
    }
    road.gateway.set_directory(directory).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> CaseError {
    CaseError::Outside {
        party: "T-Road",
        problem: error.to_string(),
    }
}

/// An approval as the gateway knows it.
fn agreement(row: &road_agreement::Model) -> Result<Agreement, CaseError> {
    let corrupt = |why: String| CaseError::Corrupt {
        what: "road_agreement",
        why,
    };
    Ok(Agreement {
        number: row.number.clone(),
        service: row.service.parse().map_err(|_| corrupt("the interface".to_owned()))?,
        client: row.client.parse().map_err(|_| corrupt("the client".to_owned()))?,
        purpose: row.purpose.clone(),
        legal_ground: row.legal_ground.clone(),
        fields: serde_json::from_str(&row.fields).map_err(|error| CaseError::corrupt("road_agreement", &error))?,
        from: day("road_agreement", &row.first_day)?,
        to: day("road_agreement", &row.last_day)?,
        daily_quota: row.daily_quota.and_then(|quota| u64::try_from(quota).ok()),
        enabled: true,
    })
}

/// The road, for who may do this with it.
fn allowed<'a>(desk: &'a Desk, staff: &Staff, action: &'static str) -> Result<&'a Road, CaseError> {
    let who = staff.who();
    desk.store
        .access()
        .decide(who.actor(), action, Resource::Office(&staff.agency), purpose(action))?;
    desk.road.as_ref().ok_or(CaseError::NotFound("road"))
}

fn purpose(function: &str) -> Purpose {
    guard::of_office(function)
}
