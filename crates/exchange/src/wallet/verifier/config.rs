//! How the city asks wallets, and whose cards it believes.

use crate::client::ClientConfig;
use serde::Deserialize;
use url::Url;

/// The city as a verifier. `Debug` shows no key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Public address of the city's pages for wallets; below it stand `request/{state}` and `authorization-response`.
    pub address: Url,
    /// The city's P-256 key (PKCS#8, PEM). The identifier of its public key is the client id.
    pub key: String,
    /// The city's name, as the wallet shows it.
    pub name: String,
    /// Beginning of the address that opens the wallet.
    #[serde(default = "wallet_link")]
    pub wallet_link: String,
    /// Whose cards are believed. Nobody else's are, whatever address a card names for its keys.
    pub issuers: Vec<TrustedIssuer>,
    /// Refuses cards that name no status list.
    #[serde(default = "yes")]
    pub status_required: bool,
    /// Seconds that showing a card may take.
    #[serde(default = "life_seconds")]
    pub life_seconds: i64,
    /// Seconds that clocks may differ.
    #[serde(default = "skew_seconds")]
    pub skew_seconds: i64,
    /// How status lists are fetched.
    #[serde(default)]
    pub client: ClientConfig,
}

fn wallet_link() -> String {
    "modadigitalwallet://authorize".to_owned()
}

fn yes() -> bool {
    true
}

fn life_seconds() -> i64 {
    300
}

fn skew_seconds() -> i64 {
    60
}

/// An issuer that the registry of 數位發展部 names as effective, pinned by its identifier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuer {
    /// Its `did:key`; the key is in it.
    pub did: String,
    /// Its name.
    pub name: String,
    /// The card types it may give.
    pub credential_types: Vec<String>,
    /// The address its status lists stand below; a card that names another is refused.
    pub lists: Url,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("address", &self.address.as_str())
            .field("issuers", &self.issuers)
            .finish_non_exhaustive()
    }
}
