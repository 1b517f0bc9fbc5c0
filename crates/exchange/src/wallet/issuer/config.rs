//! The city as an issuer: its key, its cards, and how it describes itself.

use crate::jose::{JoseError, SigningKey};
use crate::wallet::did;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use url::Url;

/// The city as an issuer. `Debug` shows no key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The issuer's address (`credential_issuer`), without a slash at the end; below it stand `token`, `credential`,
    /// `credential-offer-object/{code}` and `.well-known/openid-credential-issuer`.
    pub address: Url,
    /// The city's P-256 key (PKCS#8, PEM), registered with 數位發展部 by its identifier.
    pub key: String,
    /// The city's name.
    pub name: String,
    /// The cards it gives.
    pub kinds: Vec<CardKind>,
    /// Address below which the status lists are published, as `{type}/revocation` and `{type}/suspension`.
    pub lists: Url,
    /// Where the city's public keys are published (`jku`).
    pub keys: Url,
    /// Beginning of the address that opens the wallet.
    #[serde(default = "wallet_link")]
    pub wallet_link: String,
    /// Seconds that an offer, a token and a nonce live.
    #[serde(default = "life_seconds")]
    pub life_seconds: i64,
    /// Seconds that a wallet's clock may differ.
    #[serde(default = "skew_seconds")]
    pub skew_seconds: i64,
    /// Wrong PINs after which a code is dead.
    #[serde(default = "tries")]
    pub tries: u8,
}

fn wallet_link() -> String {
    "modadigitalwallet://credential_offer".to_owned()
}

fn life_seconds() -> i64 {
    600
}

fn skew_seconds() -> i64 {
    60
}

fn tries() -> u8 {
    3
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("address", &self.address.as_str())
            .field("kinds", &self.kinds)
            .finish_non_exhaustive()
    }
}

/// A kind of card.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardKind {
    /// Its type, and its name in offers.
    pub credential_type: String,
    /// Its name for people.
    pub title: String,
    /// Its claims; each is disclosed by itself.
    pub fields: Vec<Field>,
    /// Days that a card is good for.
    pub valid_days: u32,
}

/// A claim of a card.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in the card (`ename`).
    pub name: String,
    /// Its name for people.
    pub title: String,
}

/// Why the configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// The key.
    #[error(transparent)]
    Key(#[from] JoseError),
    /// An address that can't carry a path.
    #[error("`{0}` must be an https address")]
    Address(&'static str),
    /// A kind that stands twice, or a field.
    #[error("the card `{0}` or one of its fields stands twice")]
    Twice(String),
    /// No such card.
    #[error("there is no card `{0}`")]
    Kind(String),
    /// No randomness.
    #[error("the system has no randomness")]
    Randomness,
}

/// The city as an issuer. Cheap to clone.
#[derive(Clone)]
pub struct Issuer(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub config: Config,
    pub key: SigningKey,
    pub did: String,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Issuer").field(&self.0.config).finish()
    }
}

impl Issuer {
    /// An issuer of a configuration.
    ///
    /// # Errors
    ///
    /// [`IssuerError`].
    pub fn new(config: Config) -> Result<Issuer, IssuerError> {
        for (name, url) in [
            ("address", &config.address),
            ("lists", &config.lists),
            ("keys", &config.keys),
        ] {
            if url.cannot_be_a_base() {
                return Err(IssuerError::Address(name));
            }
        }
        for (at, kind) in config.kinds.iter().enumerate() {
            let again = config.kinds.iter().skip(at.saturating_add(1));
            let mut names: Vec<&str> = kind.fields.iter().map(|field| field.name.as_str()).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            if names.len() < count
                || again
                    .into_iter()
                    .any(|other| other.credential_type == kind.credential_type)
            {
                return Err(IssuerError::Twice(kind.credential_type.clone()));
            }
        }
        let key = SigningKey::from_pem(&config.key)?;
        let did = did::of(key.public());
        Ok(Issuer(Arc::new(Parts { config, key, did })))
    }

    /// The city's identifier, which is registered with 數位發展部.
    #[must_use]
    pub fn did(&self) -> &str {
        &self.0.did
    }

    /// The key, for signing status lists.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.0.key
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    pub(super) fn kind(&self, name: &str) -> Option<&CardKind> {
        self.0.config.kinds.iter().find(|kind| kind.credential_type == name)
    }

    /// An address below the issuer's.
    pub(super) fn below(&self, base: &Url, path: &[&str]) -> Result<Url, IssuerError> {
        crate::client::below(base, path).ok_or(IssuerError::Address("address"))
    }

    /// The issuer's name for itself.
    pub(super) fn identifier(&self) -> &str {
        self.0.config.address.as_str().trim_end_matches('/')
    }

    /// Address of a status list.
    ///
    /// # Errors
    ///
    /// [`IssuerError::Address`].
    pub fn list_address(
        &self,
        credential_type: &str,
        purpose: crate::wallet::status_list::Purpose,
    ) -> Result<Url, IssuerError> {
        self.below(&self.0.config.lists, &[credential_type, purpose.name()])
    }

    /// The issuer's description (`.well-known/openid-credential-issuer`).
    ///
    /// # Errors
    ///
    /// [`IssuerError::Address`].
    pub fn metadata(&self) -> Result<Value, IssuerError> {
        let config = &self.0.config;
        let kinds: Map<String, Value> = config
            .kinds
            .iter()
            .map(|kind| {
                let subject: Map<String, Value> = kind
                    .fields
                    .iter()
                    .map(|field| {
                        let display = json!([{ "name": field.title, "locale": "zh-TW" }]);
                        (field.name.clone(), json!({ "mandatory": true, "display": display }))
                    })
                    .collect();
                let described = json!({
                    "format": "jwt_vc_json",
                    "scope": kind.credential_type,
                    "cryptographic_binding_methods_supported": ["jwk"],
                    "credential_signing_alg_values_supported": ["ES256"],
                    "proof_types_supported": { "jwt": { "proof_signing_alg_values_supported": ["ES256"] } },
                    "credential_definition": {
                        "type": ["VerifiableCredential", kind.credential_type],
                        "credentialSubject": subject,
                    },
                    "display": [{ "name": kind.title, "locale": "zh-TW" }],
                });
                (kind.credential_type.clone(), described)
            })
            .collect();
        Ok(json!({
            "credential_issuer": self.identifier(),
            "authorization_servers": [self.identifier()],
            "token_endpoint": self.below(&config.address, &["token"])?,
            "credential_endpoint": self.below(&config.address, &["credential"])?,
            "credential_configurations_supported": kinds,
            "display": [{ "name": config.name, "locale": "zh-TW" }],
        }))
    }

    /// The city's public keys (JWK Set), published at `keys`.
    #[must_use]
    pub fn jwks(&self) -> Value {
        let public = self.0.key.public();
        let mut jwk = public.jwk();
        if let Some(jwk) = jwk.as_object_mut() {
            jwk.insert("kid".to_owned(), json!(public.thumbprint()));
            jwk.insert("use".to_owned(), json!("sig"));
            jwk.insert("alg".to_owned(), json!("ES256"));
        }
        json!({ "keys": [jwk] })
    }
}
