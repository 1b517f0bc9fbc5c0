//! 行動自然人憑證 (TW FidO) as a service provider sees it: tickets, pushes, results, and a page that stands in for the phone.

mod calls;
mod checksum;
mod phone;

use crate::authority::Authority;
use crate::serve::Served;
use crate::{PeerError, Population, Terms};
use axum::Router;
use axum::routing::{get, post};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

/// What the twin needs to know.
#[derive(Clone)]
pub struct Config {
    /// The people; all of them have a phone.
    pub population: Arc<dyn Population>,
    /// The authority that made their certificates.
    pub authority: Authority,
    /// Registered address for the callback of the authority's page.
    pub callback_url: Url,
    /// The clock.
    pub terms: Terms,
    /// Port; 0 takes any free one.
    pub port: u16,
}

/// What the city is told when it registers.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Address of the calls and of the page.
    pub address: String,
    /// The service's name.
    pub sp_service_id: String,
    /// Its AES-256 key in Base64.
    pub key: String,
}

/// How the authority misbehaves, for tests of refusal.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Every ticket is over at once.
    pub expired: bool,
    /// Answers carry a checksum over something else.
    pub wrong_checksum: bool,
    /// The phone signs another text.
    pub wrong_signature: bool,
    /// Nobody is enrolled.
    pub not_enrolled: bool,
    /// The result is for another person.
    pub other_person: bool,
    /// The ticket's digest is not its own.
    pub altered_ticket: bool,
    /// The answers are cut off.
    pub truncated: bool,
    /// A code nobody knows.
    pub strange_code: bool,
}

/// The running twin. It stops when it is dropped.
pub struct Running {
    /// What to register with.
    pub facts: Facts,
    shared: Arc<Shared>,
    _served: Served,
}

impl Running {
    /// Makes it misbehave from now on.
    pub fn misbehave(&self, faults: Faults) {
        *self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// The page that stands in for the phone.
    #[must_use]
    pub fn phone(&self) -> String {
        format!("{}/phone", self.facts.address)
    }

    /// Confirms or declines what waits on the phones, as a click on the page does; how many that were.
    pub fn answer_all(&self, is_confirmed: bool) -> usize {
        let mut count = 0;
        for asked in self.shared.asked().values_mut().filter(|asked| asked.answer.is_none()) {
            asked.answer = Some(is_confirmed);
            count += 1;
        }
        count
    }
}

/// One request of a city.
#[derive(Clone)]
struct Asked {
    transaction: String,
    id: String,
    op_code: String,
    hint: String,
    /// Texts to sign; one of an authentication is empty.
    texts: Vec<String>,
    sign_type: String,
    hash: String,
    until: i64,
    answer: Option<bool>,
    is_read: bool,
    /// Over the authority's own page: the result goes back with the browser.
    is_web: bool,
}

struct Shared {
    facts: Facts,
    key: Vec<u8>,
    population: Arc<dyn Population>,
    authority: Authority,
    callback_url: Url,
    terms: Terms,
    faults: Mutex<Faults>,
    asked: Mutex<HashMap<String, Asked>>,
    transactions: Mutex<Vec<String>>,
}

impl Shared {
    fn faults(&self) -> Faults {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<String, Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the twin.
///
/// # Errors
/// [`PeerError`].
pub async fn start(config: Config) -> Result<Running, PeerError> {
    let mut key = vec![0; 32];
    openssl::rand::rand_bytes(&mut key)?;
    let mut made = None;
    let served = Served::start("TW FidO", config.port, |address| {
        let facts = Facts {
            address: address.to_owned(),
            sp_service_id: "SPTONGBAN001".to_owned(),
            key: openssl::base64::encode_block(&key),
        };
        let shared = Arc::new(Shared {
            facts,
            key: key.clone(),
            population: Arc::clone(&config.population),
            authority: config.authority.clone(),
            callback_url: config.callback_url.clone(),
            terms: config.terms.clone(),
            faults: Mutex::default(),
            asked: Mutex::default(),
            transactions: Mutex::default(),
        });
        made = Some(Arc::clone(&shared));
        Ok(Router::new()
            .route("/moise/sp/getSpTicket", post(calls::ticket))
            .route("/moise/sp/requestAthOrSignPush", post(calls::push))
            .route("/moise/sp/doBatchSigning", post(calls::batch))
            .route("/moise/sp/getAthOrSignResult", post(calls::result))
            .route("/moise/sp/checkDeviceStatus", post(calls::device))
            .route("/fidoRedirect/web", post(phone::arrive))
            .route("/fidoRedirect/confirm", post(phone::confirm_web))
            .route("/phone", get(phone::show).post(phone::answer))
            .with_state(shared))
    })
    .await?;
    let shared = made.ok_or_else(|| PeerError::Folder {
        path: std::path::PathBuf::new(),
        why: "the twin made no pages".to_owned(),
    })?;
    Ok(Running {
        facts: shared.facts.clone(),
        shared,
        _served: served,
    })
}
