//! Decentralised identifiers of the form `did:key:z…` with a P-256 key inside (multicodec `jwk_jcs-pub`), and the registry that
//! says whose they are.

use crate::client::{self, BodyError, ClientConfig, ClientError};
use crate::jose::PublicKey;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// The multicodec `jwk_jcs-pub` (0xeb51) as a varint.
const JWK_JCS_PUB: [u8; 3] = [0xd1, 0xd6, 0x03];
/// Most characters of an identifier.
const LONGEST: usize = 512;
/// Most bytes of the registry's answer.
const LARGEST: usize = 256 << 10;

/// Why an identifier gives no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the identifier is not a did:key with a P-256 key")]
pub struct DidError;

/// The identifier of a key.
#[must_use]
pub fn of(key: &PublicKey) -> String {
    let bytes = [&JWK_JCS_PUB[..], key.canonical().as_bytes()].concat();
    format!("did:key:z{}", bs58::encode(bytes).into_string())
}

/// The key of an identifier. What follows a `#` names the same key and is not read. The JWK must be in its canonical form,
/// so that one key has one identifier.
///
/// # Errors
///
/// [`DidError`].
pub fn key(did: &str) -> Result<PublicKey, DidError> {
    let did = did.split('#').next().unwrap_or_default();
    if did.len() > LONGEST {
        return Err(DidError);
    }
    let encoded = did.strip_prefix("did:key:z").ok_or(DidError)?;
    let bytes = bs58::decode(encoded).into_vec().map_err(|_| DidError)?;
    let jwk = bytes.strip_prefix(&JWK_JCS_PUB).ok_or(DidError)?;
    let value: Value = serde_json::from_slice(jwk).map_err(|_| DidError)?;
    let key = PublicKey::from_jwk(&value).map_err(|_| DidError)?;
    if key.canonical().as_bytes() == jwk {
        Ok(key)
    } else {
        Err(DidError)
    }
}

/// What the registry says of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// 0: registered, not yet on the chain.
    NotYet,
    /// 1: effective.
    Effective,
    /// 2: revoked.
    Revoked,
    /// 3: not qualified.
    NotQualified,
    /// Nothing is known of it.
    Unknown,
}

/// The registry of issuers (數位發展部), such as `https://frontend.wallet.gov.tw/`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// Its address.
    pub address: Url,
    /// How it is called.
    #[serde(default)]
    pub client: ClientConfig,
}

/// Why the registry gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The HTTP client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Not an identifier.
    #[error(transparent)]
    Did(#[from] DidError),
    /// It can't be reached or answers otherwise than agreed.
    #[error("the registry of issuers can't be asked now: {0}")]
    Unreachable(String),
}

/// Asks the registry of an issuer; a city does so before it pins one, and may do so once a day after.
///
/// # Errors
///
/// [`RegistryError`].
pub async fn registration(config: &RegistryConfig, did: &str) -> Result<Registration, RegistryError> {
    key(did)?;
    let unreachable = |what: &str| RegistryError::Unreachable(what.to_owned());
    let address = client::below(&config.address, &["api", "did", did])
        .ok_or_else(|| unreachable("its address can't carry a path"))?;
    let failed = |error: reqwest::Error| RegistryError::Unreachable(error.without_url().to_string());
    let answer = client::build(&config.client)?
        .get(address)
        .send()
        .await
        .map_err(failed)?;
    if answer.status() == reqwest::StatusCode::NOT_FOUND {
        return Ok(Registration::Unknown);
    }
    let body = client::bounded_body(answer, LARGEST)
        .await
        .map_err(|error| match error {
            BodyError::TooLarge => unreachable("its answer is too large"),
            BodyError::Broken(error) => failed(error),
        })?;
    let answer: Value = serde_json::from_slice(&body).map_err(|_| unreachable("its answer can't be read"))?;
    let data = answer.get("data").filter(|data| !data.is_null());
    let status = data.and_then(|data| data.get("status"));
    match status.and_then(|status| status.as_i64().or_else(|| status.as_str()?.parse().ok())) {
        Some(0) => Ok(Registration::NotYet),
        Some(1) => Ok(Registration::Effective),
        Some(2) => Ok(Registration::Revoked),
        Some(3) => Ok(Registration::NotQualified),
        Some(_) => Err(unreachable("its answer is none of those known")),
        None if data.is_none() => Ok(Registration::Unknown),
        None => Err(unreachable("its answer has no status")),
    }
}
