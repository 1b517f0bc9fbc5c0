//! The platform's call to the city: the permission ticket and the key of one package, or what could not be delivered.

use super::config::{Config, Times};
use super::crypto::ServiceKey;
use super::request::is_id;
use civic::ids::TransactionId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Most bytes of a notification.
const LARGEST: usize = 64 << 10;
/// Most data sets of a notification.
const MOST_RESOURCES: usize = 200;

/// The key of one package (`secret_key`): 32 characters of which the bytes are the AES-256 key. `Debug` is empty; it is
/// serialised so that the caller can seal it with the transaction.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(try_from = "String", into = "String")]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// The key's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<String> for SecretKey {
    type Error = NotificationError;

    fn try_from(mut text: String) -> Result<SecretKey, NotificationError> {
        let key = text
            .as_bytes()
            .try_into()
            .ok()
            .filter(|bytes: &[u8; 32]| bytes.is_ascii());
        text.zeroize();
        key.map(SecretKey).ok_or(NotificationError::SecretKey)
    }
}

impl From<SecretKey> for String {
    fn from(key: SecretKey) -> String {
        String::from_utf8_lossy(&key.0).into_owned()
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecretKey")
    }
}

/// A notification that is well-formed and carries the right API key. Whether its transaction is open, in time and not
/// notified before is the caller's to say: it is idempotent on (`tx_id`, `permission_ticket`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The transaction.
    pub tx_id: TransactionId,
    /// Right to fetch one package, once.
    pub permission_ticket: Uuid,
    /// Key of the package; absent when a data set failed.
    pub secret_key: Option<SecretKey>,
    /// Data sets that could not be delivered.
    pub unable_to_deliver: Vec<String>,
}

impl Notification {
    /// Checks that the notification belongs to a transaction begun at `begun` for `resources`, in time.
    ///
    /// # Errors
    ///
    /// [`NotificationError::TooEarly`], [`NotificationError::TooLate`], [`NotificationError::NotAsked`].
    pub fn check(
        &self,
        times: &Times,
        begun: Timestamp,
        resources: &[String],
        now: Timestamp,
    ) -> Result<(), NotificationError> {
        let age = now.duration_since(begun);
        if age < SignedDuration::from_secs(-times.skew_seconds) {
            return Err(NotificationError::TooEarly);
        }
        if age > SignedDuration::from_secs(times.notification_seconds.saturating_add(times.skew_seconds)) {
            return Err(NotificationError::TooLate);
        }
        match self
            .unable_to_deliver
            .iter()
            .find(|resource| !resources.contains(resource))
        {
            Some(resource) => Err(NotificationError::NotAsked(resource.clone())),
            None => Ok(()),
        }
    }
}

/// Why a notification is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// Larger than any notification.
    #[error("the notification is larger than {LARGEST} bytes")]
    TooLarge,
    /// Not announced as JSON.
    #[error("the notification must be sent as application/json")]
    ContentType,
    /// Not JSON, or a field missing or of the wrong type. Neither is quoted: it may hold a key.
    #[error("the notification is not the expected JSON object (line {line}, column {column})")]
    Json {
        /// Line of the fault.
        line: usize,
        /// Column of the fault.
        column: usize,
    },
    /// `apiKey` missing or wrong.
    #[error("the notification does not carry the registered API key")]
    ApiKey,
    /// `permission_ticket` is not a UUID.
    #[error("`permission_ticket` is not a UUID")]
    Ticket,
    /// `tx_id` is not a UUID.
    #[error("`tx_id` is not a UUID")]
    Transaction,
    /// `secret_key` is not one made with the service's key, or not 32 characters.
    #[error("`secret_key` can't be opened with this service's key")]
    SecretKey,
    /// Neither `secret_key` nor `unable_to_deliver`.
    #[error("the notification has neither `secret_key` nor `unable_to_deliver`")]
    Nothing,
    /// Both `secret_key` and `unable_to_deliver`.
    #[error("the notification has both `secret_key` and `unable_to_deliver`")]
    Both,
    /// `unable_to_deliver` holds something that is no `resource_id`, or too many.
    #[error("`unable_to_deliver` is not a list of resource ids")]
    Resources,
    /// It came before its transaction began.
    #[error("the notification is older than its transaction; compare the clocks")]
    TooEarly,
    /// It came long after its transaction began.
    #[error("the notification came after its transaction had run out")]
    TooLate,
    /// It names a data set that was not asked for.
    #[error("the notification names the data set `{0}`, which was not asked for")]
    NotAsked(String),
}

/// The notification as sent. Unknown fields are let through: the platform may add some.
#[derive(Deserialize)]
struct Wire {
    tx_id: String,
    #[serde(rename = "apiKey")]
    api_key: Option<String>,
    permission_ticket: String,
    secret_key: Option<String>,
    unable_to_deliver: Option<Vec<String>>,
}

/// Reads a notification.
pub(super) fn read(
    config: &Config,
    key: &ServiceKey,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Notification, NotificationError> {
    if body.len() > LARGEST {
        return Err(NotificationError::TooLarge);
    }
    let media = content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(NotificationError::ContentType);
    }
    let wire: Wire = serde_json::from_slice(body).map_err(|error| NotificationError::Json {
        line: error.line(),
        column: error.column(),
    })?;
    if let Some(expected) = &config.api_key {
        let shown = wire.api_key.as_deref().unwrap_or_default();
        if !bool::from(expected.as_bytes().ct_eq(shown.as_bytes())) {
            return Err(NotificationError::ApiKey);
        }
    }
    let tx_id = wire.tx_id.parse().map_err(|_| NotificationError::Transaction)?;
    let permission_ticket = Uuid::try_parse(&wire.permission_ticket).map_err(|_| NotificationError::Ticket)?;
    let unable_to_deliver = wire.unable_to_deliver.unwrap_or_default();
    if unable_to_deliver.len() > MOST_RESOURCES || !unable_to_deliver.iter().all(|resource| is_id(resource)) {
        return Err(NotificationError::Resources);
    }
    let secret_key = match wire.secret_key.filter(|text| !text.is_empty()) {
        Some(sealed) => Some(SecretKey::try_from(
            key.open(&sealed).map_err(|_| NotificationError::SecretKey)?,
        )?),
        None => None,
    };
    match (&secret_key, unable_to_deliver.is_empty()) {
        (None, true) => Err(NotificationError::Nothing),
        (Some(_), false) => Err(NotificationError::Both),
        _ => Ok(Notification {
            tx_id,
            permission_ticket,
            secret_key,
            unable_to_deliver,
        }),
    }
}
