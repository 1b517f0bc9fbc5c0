//! The MyData platform as a service provider and as a data provider see it: the citizen's pages, the notification, the one-time fetch,
//! the checks, and the calls for the city's own data sets.

mod cipher;
mod citizen;
mod counter;
mod counter_agent;
mod deliver;
mod faults;
mod fetch;
mod kept;
mod notify;
mod package;
mod pages;
mod provider;
mod signature;
mod unpack;

use crate::keys::Keys;
use crate::{Config, MyDataFacts, Population, Resource, Terms};
use axum::Router;
use axum::routing::{get, post};
pub use faults::{FaultSwitch, Faults};
use kept::Kept;
pub use provider::CityDataSet;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

/// Idle seconds after which the citizen's pages close (code 408).
const IDLE: i64 = 120;
/// Life of a ticket and of what is known of its transaction, seconds.
const TICKET: i64 = 8 * 3600;

struct Shared {
    facts: MyDataFacts,
    population: Arc<dyn Population>,
    resources: Vec<Resource>,
    offered: Vec<CityDataSet>,
    return_url: Url,
    notify_url: Url,
    /// Seconds from the consent to a package with a data set that is not immediate.
    wait: i64,
    /// Least seconds of `Retry-After`.
    retry: i64,
    terms: Terms,
    keys: Keys,
    cards: CardRegister,
    faults: FaultSwitch,
    kept: Mutex<Kept>,
}

impl Shared {
    fn now(&self) -> i64 {
        self.terms.now()
    }

    /// What is kept, without what is past its time.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.sweep(self.now());
        kept
    }

    fn cards(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.cards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }
}

/// Whose certificate carries which serial number, as the certificate authority knows it (ICS).
pub type CardRegister = Arc<Mutex<HashMap<String, String>>>;

pub fn router(
    config: &Config,
    terms: &Terms,
    facts: &MyDataFacts,
    keys: Keys,
    cards: CardRegister,
    faults: FaultSwitch,
) -> Router {
    let seconds = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let shared = Shared {
        facts: facts.clone(),
        population: Arc::clone(&config.population),
        resources: config.resources.clone(),
        offered: config.offered.clone(),
        return_url: config.return_url.clone(),
        notify_url: config.notify_url.clone(),
        wait: seconds(config.wait_seconds.saturating_add(terms.settle_seconds)),
        retry: seconds(terms.retry_seconds),
        terms: terms.clone(),
        keys,
        cards,
        faults,
        kept: Mutex::default(),
    };
    Router::new()
        .route("/service/{client_id}/{resources}/{tx_id}", get(pages::arrive))
        .route(
            "/service/{client_id}/{resources}/",
            get(pages::arrive_without_transaction),
        )
        .route("/service/spsignature/{client_id}", post(signature::sign))
        .route(
            "/service/spsignature/{client_id}/{resources}/{tx_id}",
            get(signature::arrive),
        )
        .route("/verify", post(pages::verify))
        .route("/consent", post(pages::consent))
        .route("/counter", get(counter::begin).post(counter::choose))
        .route("/counter/box", post(counter::make))
        .route("/counter/show", post(counter::show))
        .route("/counter/agent", get(counter_agent::begin).post(counter_agent::answer))
        .route("/counter/agent/name", post(counter_agent::name))
        .route("/counter/agent/end", post(counter_agent::end))
        .route("/organ/code", post(counter::code))
        .route("/organ/password", post(counter::password))
        .route("/service/data", get(fetch::data))
        .route("/service/uid_valid", get(fetch::uid_valid))
        .route("/service/type_valid", get(fetch::type_valid))
        .route("/service/txid_status", get(fetch::txid_status))
        .route("/find_all_resources", get(fetch::find_all))
        .route("/data", get(citizen::begin).post(citizen::choose))
        .route("/data/fetch", post(citizen::fetch))
        .route("/data/again", post(citizen::again))
        .route("/connect/introspect", post(provider::introspect))
        .route("/connect/userinfo", get(provider::userinfo))
        .route("/log/dp", post(provider::log))
        .with_state(Arc::new(shared))
}
