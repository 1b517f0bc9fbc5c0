//! The connector: one registered service and its platform.

use super::checks::{self, CheckError, Offered, Progress, Verification};
use super::config::{Config, ConfigError};
use super::counter::{self, CounterCall, CounterError};
use super::crypto::ServiceKey;
use super::fetch::{self, Fetch, FetchError};
use super::notification::{self, Notification, NotificationError, SecretKey};
use super::package::{self, Package, PackageError};
use super::request::{self, Begin, RequestError};
use super::return_codes::{self, Return, ReturnError};
use super::signature::{self, Salt, SignatureError, Statement, ThirdParty};
use crate::certificate::{Trust, TrustError};
use crate::client;
use civic::NationalId;
use civic::ids::TransactionId;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use url::Url;
use uuid::Uuid;

/// One registered service of the city and the platform it speaks to. Cheap to clone.
#[derive(Clone)]
pub struct Connector(Arc<Parts>);

struct Parts {
    config: Config,
    key: ServiceKey,
    trust: Trust,
    client: reqwest::Client,
}

impl Connector {
    /// A connector of a configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for secrets of the wrong length, unreadable certificates, or an unusable address.
    pub fn new(config: Config) -> Result<Connector, ConfigError> {
        for (name, value) in [("client_secret", &config.client_secret), ("cbc_iv", &config.cbc_iv)] {
            if value.len() != 16 {
                return Err(ConfigError::Length {
                    name,
                    found: value.len(),
                });
            }
        }
        let key = ServiceKey::new(&config.client_secret, &config.cbc_iv).ok_or(ConfigError::Length {
            name: "client_secret",
            found: config.client_secret.len(),
        })?;
        if !request::is_id(&config.client_id) {
            return Err(ConfigError::ClientId);
        }
        if config.platform.cannot_be_a_base() || !matches!(config.platform.scheme(), "http" | "https") {
            return Err(ConfigError::Platform);
        }
        let trust = Trust::read(&config.government_roots, &config.intermediates).map_err(|error| {
            let (name, what) = match error {
                TrustError::Roots(what) => ("government_roots", what),
                TrustError::Intermediates(what) => ("intermediates", what),
            };
            ConfigError::Certificate { name, what }
        })?;
        let client = client::build(&config.client)?;
        Ok(Connector(Arc::new(Parts {
            config,
            key,
            trust,
            client,
        })))
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Begins a transaction for one person and some data sets: where to send the browser.
    ///
    /// # Errors
    ///
    /// [`RequestError`] for what the platform would refuse.
    pub fn begin(
        &self,
        tx_id: TransactionId,
        person: &NationalId,
        resources: &[String],
        return_url: &Url,
    ) -> Result<Begin, RequestError> {
        request::begin(&self.0.config, &self.0.key, tx_id, person, resources, return_url)
    }

    /// Begins flow B: the salt of a new transaction.
    ///
    /// # Errors
    ///
    /// [`SignatureError`].
    pub async fn salt(&self, tx_id: TransactionId) -> Result<Salt, SignatureError> {
        signature::salt(&self.0.config, &self.0.client, tx_id).await
    }

    /// The text that the citizen's card signs in flow B.
    #[must_use]
    pub fn to_sign(&self, salt: &Salt, of: &Statement<'_>) -> String {
        signature::to_sign(&self.0.key, salt, of)
    }

    /// Whether a text to sign states this person; one that came back through a browser is asked so before it is handed in.
    #[must_use]
    pub fn states(&self, signed: &str, person: &NationalId) -> bool {
        signature::states(&self.0.key, signed, person)
    }

    /// Hands in the citizen's signature (Base64 of PKCS#7) over that text, and gives the address of the consent page.
    ///
    /// # Errors
    ///
    /// [`SignatureError`] for a signature that is not taken; the inner error for what the platform would refuse.
    pub async fn sign(
        &self,
        tx_id: TransactionId,
        (signed, pkcs7): (&str, &str),
        third_party: Option<ThirdParty<'_>>,
        resources: &[String],
        return_url: &Url,
    ) -> Result<Result<Begin, RequestError>, SignatureError> {
        signature::sign(&self.0.config, &self.0.client, tx_id, signed, pkcs7, third_party).await?;
        Ok(request::consent(&self.0.config, tx_id, resources, return_url))
    }

    /// Whether the package of a ticket is this person's (`uid_valid`).
    ///
    /// # Errors
    ///
    /// [`CheckError`].
    pub async fn is_of(&self, ticket: Uuid, key: &SecretKey, person: &NationalId) -> Result<bool, CheckError> {
        checks::is_of(&self.0.config, &self.0.client, ticket, key, person).await
    }

    /// How the person of a transaction was verified (`type_valid`).
    ///
    /// # Errors
    ///
    /// [`CheckError`].
    pub async fn verification(&self, tx_id: TransactionId) -> Result<Verification, CheckError> {
        checks::verification(&self.0.config, &self.0.client, tx_id).await
    }

    /// What became of a transaction (`txid_status`).
    ///
    /// # Errors
    ///
    /// [`CheckError`].
    pub async fn progress(&self, tx_id: TransactionId) -> Result<Progress, CheckError> {
        checks::progress(&self.0.config, &self.0.client, tx_id).await
    }

    /// The data sets of the platform, each with its state (`find_all_resources`).
    ///
    /// # Errors
    ///
    /// [`CheckError`].
    pub async fn offered(&self) -> Result<Vec<Offered>, CheckError> {
        checks::offered(&self.0.config, &self.0.client).await
    }

    /// Reads the query of the return address as the browser sent it (not decoded).
    ///
    /// # Errors
    ///
    /// [`ReturnError`] for a query not made by the platform.
    pub fn read_return(&self, query: &str) -> Result<Return, ReturnError> {
        return_codes::read(&self.0.key, query)
    }

    /// Reads the platform's notification and checks its form and API key. The caller then calls
    /// [`Notification::check`] with the transaction it has kept, stores the notification once for each
    /// (`tx_id`, `permission_ticket`), and answers 200, never 201: after a 201 the platform refuses the fetch.
    ///
    /// # Errors
    ///
    /// [`NotificationError`] for a forged, damaged or incomplete notification.
    pub fn read_notification(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Notification, NotificationError> {
        notification::read(&self.0.config, &self.0.key, content_type, body)
    }

    /// Whether a ticket received at `received` may still be used.
    #[must_use]
    pub fn is_ticket_open(&self, received: Timestamp, now: Timestamp) -> bool {
        now.duration_since(received) <= SignedDuration::from_secs(self.0.config.times.ticket_seconds)
    }

    /// Shows the platform a code of the counter: which data sets the citizen put behind it.
    ///
    /// # Errors
    ///
    /// [`CounterError`] for a code that opens nothing.
    pub async fn counter_code(&self, call: CounterCall<'_>) -> Result<Vec<String>, CounterError> {
        counter::code(&self.0.config, &self.0.key, &self.0.client, call).await
    }

    /// Shows the platform the one-time password that belongs to the code; the answer is the notification of flow A for a
    /// package with these data sets.
    ///
    /// # Errors
    ///
    /// [`CounterError`] for a wrong password, or a code used or past its time.
    pub async fn counter_password(
        &self,
        call: CounterCall<'_>,
        password: &str,
        resources: &[String],
    ) -> Result<Notification, CounterError> {
        counter::password(&self.0.config, &self.0.key, &self.0.client, call, password, resources).await
    }

    /// Fetches the package of a notification. It succeeds one time only.
    ///
    /// # Errors
    ///
    /// [`FetchError`] when there is no answer to go by; [`FetchError::may_retry`] says whether to ask again.
    pub async fn fetch(&self, notification: &Notification) -> Result<Fetch, FetchError> {
        fetch::fetch(&self.0.config, &self.0.client, notification).await
    }

    /// Opens a fetched envelope and checks it whole; certificates must be valid at `now`. It takes some milliseconds of
    /// processor time for each MiB, so it belongs on a thread that may block.
    ///
    /// # Errors
    ///
    /// [`PackageError`] says which part is not what the agency made.
    pub fn open(&self, envelope: &[u8], key: &SecretKey, now: Timestamp) -> Result<Package, PackageError> {
        package::open(&self.0.config, &self.0.trust, envelope, key, now)
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Connector").field(&self.0.config).finish()
    }
}
