//! The MyData platform as a service provider sees it: the citizen's pages, the notification, the one-time fetch, the checks.

mod cipher;
mod fetch;
mod notify;
mod package;
mod pages;

use crate::keys::Keys;
use crate::{Config, MyDataFacts, Population, Resource};
use axum::Router;
use axum::routing::{get, post};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;
use uuid::Uuid;

/// Idle seconds after which the citizen's pages close (code 408).
const IDLE: i64 = 120;
/// Life of a ticket, seconds.
const TICKET: i64 = 8 * 3600;

/// How the platform misbehaves, for tests of refusal.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Data sets whose agency fails (they come back in `unable_to_deliver`).
    pub unavailable: Vec<String>,
    /// The file of a data set is changed after it was signed.
    pub altered: bool,
    /// The envelope is made with another key than the notification names.
    pub wrong_key: bool,
    /// The agency's certificate is out of date.
    pub expired: bool,
    /// A file unpacks to a thousand times its size.
    pub bomb: bool,
    /// The notification shows another API key.
    pub forged: bool,
    /// The notification is sent a second time with another ticket.
    pub replayed: bool,
}

/// The faults of now.
#[derive(Clone, Default)]
pub struct FaultSwitch(Arc<Mutex<Faults>>);

impl FaultSwitch {
    pub fn set(&self, faults: Faults) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    fn now(&self) -> Faults {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A citizen on the platform's pages.
#[derive(Clone)]
struct Visit {
    tx_id: String,
    resources: Vec<String>,
    return_url: String,
    pid: String,
    touched: i64,
    verified: bool,
}

/// A package that waits to be fetched.
struct Ticket {
    tx_id: String,
    national_id: String,
    key: String,
    package: Option<Vec<u8>>,
    failed: bool,
    made: i64,
    ready: i64,
    /// What the city answered to the notification; `None` while it has not answered yet.
    answered: Option<u16>,
    taken: bool,
}

struct Shared {
    facts: MyDataFacts,
    population: Arc<dyn Population>,
    resources: Vec<Resource>,
    return_url: Url,
    notify_url: Url,
    wait: i64,
    keys: Keys,
    faults: FaultSwitch,
    visits: Mutex<HashMap<Uuid, Visit>>,
    tickets: Mutex<HashMap<Uuid, Ticket>>,
    /// What became of each transaction: the code of `txid_status`.
    statuses: Mutex<HashMap<String, &'static str>>,
}

impl Shared {
    fn visits(&self) -> MutexGuard<'_, HashMap<Uuid, Visit>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tickets(&self) -> MutexGuard<'_, HashMap<Uuid, Ticket>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a ticket for its life; those whose life is over go.
    fn hold(&self, id: Uuid, ticket: Ticket) {
        let mut tickets = self.tickets();
        tickets.retain(|_, ticket| now() - ticket.made <= TICKET);
        tickets.insert(id, ticket);
    }

    fn note(&self, tx_id: &str, status: &'static str) {
        self.statuses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tx_id.to_owned(), status);
    }

    fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

pub fn router(config: &Config, facts: &MyDataFacts, keys: Keys, faults: FaultSwitch) -> Router {
    let shared = Shared {
        facts: facts.clone(),
        population: Arc::clone(&config.population),
        resources: config.resources.clone(),
        return_url: config.return_url.clone(),
        notify_url: config.notify_url.clone(),
        wait: i64::try_from(config.wait_seconds).unwrap_or(i64::MAX),
        keys,
        faults,
        visits: Mutex::default(),
        tickets: Mutex::default(),
        statuses: Mutex::default(),
    };
    Router::new()
        .route("/service/{client_id}/{resources}/{tx_id}", get(pages::arrive))
        .route("/verify", post(pages::verify))
        .route("/consent", post(pages::consent))
        .route("/service/data", get(fetch::data))
        .route("/service/uid_valid", get(fetch::uid_valid))
        .route("/service/type_valid", get(fetch::type_valid))
        .route("/service/txid_status", get(fetch::txid_status))
        .route("/find_all_resources", get(fetch::find_all))
        .with_state(Arc::new(shared))
}
