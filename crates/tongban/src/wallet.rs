//! `[wallet]`: the city and digital wallets (數位憑證皮夾), from the configuration to the ways of the desk.

use cases::wallet::{Wallet, kinds};
use exchange::wallet::issuer::{self, Issuer, IssuerError};
use exchange::wallet::verifier::{self, TrustedIssuer, Verifier, VerifierError};
use serde::Deserialize;
use services::Catalogue;
use url::Url;

use crate::config::Config;

/// How the city asks wallets for cards and gives cards. `Debug` shows no key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletConfig {
    /// Key (P-256, PKCS#8 PEM) that signs requests; its identifier is registered with 數位發展部. Without it no card is asked for.
    #[serde(default)]
    pub request_key: Option<String>,
    /// Key that signs the city's own cards and their status lists, registered likewise. Without it no card is given.
    #[serde(default)]
    pub card_key: Option<String>,
    /// Whose cards are believed, and which.
    #[serde(default)]
    pub issuers: Vec<TrustedIssuer>,
    /// Refuses cards that name no status list.
    #[serde(default = "yes")]
    pub status_required: bool,
    /// Beginning of the address that opens the wallet to show a card.
    #[serde(default = "show_link")]
    pub show_link: String,
    /// Beginning of the address that opens the wallet to take a card.
    #[serde(default = "give_link")]
    pub give_link: String,
    /// How status lists are fetched. The wallet waits for it, so it must be quick.
    #[serde(default = "quick")]
    pub client: exchange::ClientConfig,
}

fn yes() -> bool {
    true
}

fn show_link() -> String {
    "modadigitalwallet://authorize".to_owned()
}

fn give_link() -> String {
    "modadigitalwallet://credential_offer".to_owned()
}

/// Two lists of a card are fetched within the time of one request.
pub fn quick() -> exchange::ClientConfig {
    exchange::ClientConfig {
        connect_seconds: 5,
        answer_seconds: 8,
        ..exchange::ClientConfig::default()
    }
}

impl std::fmt::Debug for WalletConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WalletConfig")
            .field("issuers", &self.issuers)
            .finish_non_exhaustive()
    }
}

/// Why `[wallet]` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// Asking for cards.
    #[error(transparent)]
    Verifier(#[from] VerifierError),
    /// Giving cards.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// An address below the portal.
    #[error("no address of a wallet can stand below the portal `{0}`")]
    Portal(Url),
}

/// The ways to wallets of a configuration, where it has any. The cards given are those of the services on offer.
///
/// # Errors
/// [`WalletError`].
pub fn wallet(config: &Config, catalogue: &Catalogue) -> Result<Option<Wallet>, WalletError> {
    let Some(wallet) = &config.wallet else { return Ok(None) };
    let name = config.city.name.get(civic::Language::ZhTw).to_owned();
    let at = |path: &str| {
        let url = config.portal.join(path);
        url.map_err(|_| WalletError::Portal(config.portal.clone()))
    };
    let verifier = match &wallet.request_key {
        Some(key) => Some(Verifier::new(verifier::Config {
            address: at(web::wallet::VERIFIER)?,
            key: key.clone(),
            name: name.clone(),
            wallet_link: wallet.show_link.clone(),
            issuers: wallet.issuers.clone(),
            status_required: wallet.status_required,
            life_seconds: 300,
            skew_seconds: 60,
            client: wallet.client.clone(),
        })?),
        None => None,
    };
    let issuer = match &wallet.card_key {
        Some(key) => Some(Issuer::new(issuer::Config {
            address: at(web::wallet::ISSUER)?,
            key: key.clone(),
            name,
            kinds: kinds(catalogue),
            lists: at(web::wallet::LISTS)?,
            keys: at(&format!("{}/keys", web::wallet::ISSUER))?,
            wallet_link: wallet.give_link.clone(),
            life_seconds: 600,
            skew_seconds: 60,
            tries: 3,
        })?),
        None => None,
    };
    Ok(Some(Wallet::new(verifier, issuer)))
}
