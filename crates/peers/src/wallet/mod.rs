//! 數位憑證皮夾 as the city sees it: a wallet on a phone that fetches and shows cards, another issuer with its status lists and
//! the registry of issuers, and the two modules of 數位發展部. Tokens are made by josekit, keys by OpenSSL.

mod issuer;
mod jose;
mod modules;
mod page;
mod phone;

use crate::serve::Served;
use crate::{PeerError, Population, Terms};
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post, put};
pub use issuer::{CardFaults, NewCard};
pub use phone::{Phone, Showing};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What the twin needs to know.
#[derive(Clone)]
pub struct Config {
    /// The clock.
    pub terms: Terms,
    /// `Access-Token` of the modules.
    pub access_token: String,
    /// Where the verifier module calls the city back, if it does.
    pub callback_url: Option<url::Url>,
    /// The people for whom the other issuer has cards; without them it gives none on its page.
    pub population: Option<Arc<dyn Population>>,
    /// Port; 0 takes any free one.
    pub port: u16,
}

/// The running twin: `/wallet` is the phone's page, to which links of the city may lead, `/api/…` are the modules, the lists and the registry.
pub struct Running {
    /// Its address.
    pub address: String,
    /// Identifier of the other issuer.
    pub issuer: String,
    /// Keys for the city (P-256, PKCS#8 PEM), as it would make and register them: for its requests and for its cards.
    pub city_keys: (String, String),
    shared: Arc<Shared>,
    _served: Served,
}

struct Shared {
    address: String,
    config: Config,
    phone: Phone,
    issuer: issuer::Issuer,
    modules: Mutex<modules::Kept>,
    /// Status of identifiers in the registry; the issuer's own is 1 (effective) from the start.
    registry: Mutex<HashMap<String, i64>>,
}

/// Starts the twin.
///
/// # Errors
/// [`PeerError`].
pub async fn start(config: Config) -> Result<Running, PeerError> {
    let port = config.port;
    let mut made = None;
    let served = Served::start("wallet", port, |address| {
        let issuer = issuer::Issuer::new(address)?;
        let registry = HashMap::from([(issuer.did.clone(), 1)]);
        let shared = Arc::new(Shared {
            address: address.to_owned(),
            phone: Phone::new(config.terms.clone())?,
            config,
            issuer,
            modules: Mutex::default(),
            registry: Mutex::new(registry),
        });
        made = Some(Arc::clone(&shared));
        Ok(Router::new()
            .route("/wallet", get(page::show).post(page::act))
            .route("/wallet/take", post(page::take))
            .route("/api/status-list/{kind}/{group}", get(issuer::list))
            .route("/api/did/{did}", get(registered))
            .route("/api/qrcode/data", post(modules::offer))
            .route("/api/credential/nonce/{transaction}", get(modules::fetched))
            .route("/api/credential/datatag/{tag}", get(modules::by_tag))
            .route("/api/credential/vcdata", post(modules::cards))
            .route("/api/credential/multiaction", put(modules::act_on_all))
            .route("/api/credential/{cid}/{action}", put(modules::act))
            .route("/api/oidvp/qrcode", get(modules::begin))
            .route("/api/oidvp/result", post(modules::result))
            .with_state(shared))
    })
    .await?;
    let shared = made.ok_or_else(|| PeerError::Folder {
        path: std::path::PathBuf::new(),
        why: "the twin made no pages".to_owned(),
    })?;
    Ok(Running {
        address: served.address.clone(),
        issuer: shared.issuer.did.clone(),
        city_keys: (jose::pem()?, jose::pem()?),
        shared,
        _served: served,
    })
}

impl Running {
    /// The wallet on the phone.
    #[must_use]
    pub fn phone(&self) -> &Phone {
        &self.shared.phone
    }

    /// A card by the other issuer for a wallet, put into that wallet; `None` if OpenSSL fails.
    pub fn give(&self, phone: &Phone, card: &NewCard, faults: &CardFaults) -> Option<String> {
        let text = self
            .shared
            .issuer
            .make(phone, card, faults, self.shared.config.terms.now())?;
        phone.put(text.clone());
        Some(text)
    }

    /// Sets or clears a bit of the other issuer's lists (`revocation`, `suspension`).
    pub fn mark(&self, purpose: &str, index: usize, is_set: bool) {
        self.shared.issuer.mark(purpose, index, is_set);
    }

    /// Lets the lists fail: they are signed by another key.
    pub fn forge_lists(&self, is_forged: bool) {
        self.shared.issuer.forge_lists(is_forged);
    }

    /// What the registry says of an identifier; `None` forgets it.
    pub fn register(&self, did: &str, status: Option<i64>) {
        let mut registry = self.shared.registry.lock().unwrap_or_else(PoisonError::into_inner);
        match status {
            Some(status) => registry.insert(did.to_owned(), status),
            None => registry.remove(did),
        };
    }

    /// The person scans the module's offer: the card is made and put into the wallet; whether there was one.
    pub fn scan_offer(&self, transaction: &str) -> bool {
        modules::scan(&self.shared, transaction)
    }

    /// The person shows cards to the module: its result from now on, and its callback to the city.
    pub async fn show_to_module(&self, transaction: &str, claims: &[(&str, &str)], is_good: bool) -> Option<u16> {
        modules::shown(&self.shared, transaction, claims, is_good).await
    }
}

async fn registered(
    State(shared): State<Arc<Shared>>,
    axum::extract::Path(did): axum::extract::Path<String>,
) -> axum::Json<serde_json::Value> {
    let registry = shared.registry.lock().unwrap_or_else(PoisonError::into_inner);
    let data = registry
        .get(&did)
        .map(|status| serde_json::json!({ "did": did, "status": status }));
    axum::Json(serde_json::json!({ "code": "0", "msg": "SUCCESS", "data": data }))
}
