//! The request: an address for the wallet, and the signed object it fetches there.

use super::VerifierError;
use super::config::{Config, TrustedIssuer};
use super::definition::{Wanted, definition};
use crate::client;
use crate::jose::{PublicKey, SigningKey};
use crate::wallet::did;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use url::Url;

/// Most cards of one request.
const MOST_CARDS: usize = 8;

/// The city as a verifier. Cheap to clone.
#[derive(Clone)]
pub struct Verifier(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub config: Config,
    pub key: SigningKey,
    pub client_id: String,
    pub issuers: Vec<(TrustedIssuer, PublicKey)>,
    pub client: reqwest::Client,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Verifier").field(&self.0.config).finish()
    }
}

/// A request begun, kept by its state and taken out when a response came, so that it serves once. `Debug` is empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Names the request in its address.
    pub state: String,
    /// What is asked.
    pub wanted: Vec<Wanted>,
    pub(super) nonce: String,
    pub(super) definition_id: String,
    pub(super) purpose: String,
    pub(super) begun: Timestamp,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Pending")
    }
}

/// 32 hexadecimal characters by the system's randomness.
pub(crate) fn random_text(random: &dyn SecureRandom) -> Option<String> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes).ok()?;
    Some(hex::encode(bytes))
}

impl Verifier {
    /// A verifier of a configuration.
    ///
    /// # Errors
    ///
    /// [`VerifierError`] for an unusable key, address or identifier.
    pub fn new(config: Config) -> Result<Verifier, VerifierError> {
        let key = SigningKey::from_pem(&config.key)?;
        if config.address.cannot_be_a_base() {
            return Err(VerifierError::Config("`address` must be an https address"));
        }
        let issuers = config
            .issuers
            .iter()
            .map(|issuer| Ok((issuer.clone(), did::key(&issuer.did)?)))
            .collect::<Result<_, VerifierError>>()?;
        let client = client::build(&config.client)?;
        let client_id = did::of(key.public());
        Ok(Verifier(Arc::new(Parts {
            config,
            key,
            client_id,
            issuers,
            client,
        })))
    }

    /// The city's identifier, which is registered with 數位發展部.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// Begins a request: the address to show as a QR code or to open on the same phone, and what to keep.
    ///
    /// # Errors
    ///
    /// [`VerifierError::Config`] for nothing or too much asked, or a system without randomness.
    pub fn begin(
        &self,
        wanted: &[Wanted],
        purpose: &str,
        random: &dyn SecureRandom,
        now: Timestamp,
    ) -> Result<(String, Pending), VerifierError> {
        if wanted.is_empty() || wanted.len() > MOST_CARDS {
            return Err(VerifierError::Config("1 to 8 cards can be asked at once"));
        }
        let text = || random_text(random).ok_or(VerifierError::Config("the system has no randomness"));
        let pending = Pending {
            state: text()?,
            nonce: text()?,
            definition_id: text()?,
            wanted: wanted.to_vec(),
            purpose: purpose.to_owned(),
            begun: now,
        };
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.0.client_id)
            .append_pair("client_id_scheme", "did")
            .append_pair("request_uri", self.below(&["request", &pending.state])?.as_str())
            .finish();
        Ok((format!("{}?{query}", self.0.config.wallet_link), pending))
    }

    /// The signed request (`application/oauth-authz-req+jwt`), served at `request/{state}`.
    ///
    /// # Errors
    ///
    /// [`VerifierError::TooLate`] when its time is over.
    pub fn request_object(&self, pending: &Pending, now: Timestamp) -> Result<String, VerifierError> {
        let config = &self.0.config;
        self.check_time(pending, now)?;
        let until = pending.begun.as_second().saturating_add(config.life_seconds);
        let client_id = &self.0.client_id;
        let formats = json!({
            "jwt_vp": { "alg": ["ES256"] }, "jwt_vc": { "alg": ["ES256"] },
            "vc+sd-jwt": { "sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"] },
        });
        let claims = json!({
            "iss": client_id, "aud": client_id, "iat": now.as_second(), "exp": until,
            "client_id": client_id, "client_id_scheme": "did",
            "response_type": "vp_token", "response_mode": "direct_post",
            "response_uri": self.below(&["authorization-response"])?,
            "nonce": pending.nonce, "state": pending.state,
            "presentation_definition": definition(&pending.definition_id, &pending.purpose, &pending.wanted),
            "client_metadata": { "client_name": config.name, "vp_formats": formats },
        });
        let mut header: Map<String, Value> = Map::new();
        header.insert("typ".to_owned(), json!("oauth-authz-req+jwt"));
        header.insert(
            "kid".to_owned(),
            json!(format!("{client_id}#{}", client_id.trim_start_matches("did:key:"))),
        );
        Ok(self.0.key.sign(header, &claims)?)
    }

    /// When a request is over.
    #[must_use]
    pub fn until(&self, pending: &Pending) -> Timestamp {
        let life = SignedDuration::from_secs(self.0.config.life_seconds);
        pending.begun.saturating_add(life).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn check_time(&self, pending: &Pending, now: Timestamp) -> Result<(), VerifierError> {
        let age = now.duration_since(pending.begun);
        match age > SignedDuration::from_secs(self.0.config.life_seconds) {
            true => Err(VerifierError::TooLate),
            false => Ok(()),
        }
    }

    fn below(&self, path: &[&str]) -> Result<Url, VerifierError> {
        client::below(&self.0.config.address, path).ok_or(VerifierError::Config("`address` must be an https address"))
    }
}
