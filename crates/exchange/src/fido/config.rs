//! What the city registered, and what is assumed of the interface.

use super::checksum::Key;
use super::codes::{KNOWN, Reason};
use crate::client::{ClientConfig, ClientError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;
use url::Url;

/// The registered service and the interface's values. `Debug` shows no key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Host of the calls, such as `https://fidoapi.moi.gov.tw`.
    pub api: Url,
    /// Host of the authority's own page, such as `https://fido.moi.gov.tw`.
    pub web: Url,
    /// The service's name (`sp_service_id`).
    pub sp_service_id: String,
    /// The service's AES-256 key in Base64.
    pub key: String,
    /// Order of the joined fields.
    #[serde(default)]
    pub orders: Orders,
    /// Meanings of codes beside those known, by their name without the interface.
    #[serde(default)]
    pub codes: BTreeMap<String, Reason>,
    /// How it is called.
    #[serde(default)]
    pub client: ClientConfig,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("api", &self.api.as_str())
            .field("sp_service_id", &self.sp_service_id)
            .finish_non_exhaustive()
    }
}

/// Names of the fields that are joined for a checksum, in their order. Those to the authority first, then those back.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Orders {
    /// SP-API-ATH-01.
    pub ticket: Vec<String>,
    /// SP-API-ATH-02.
    pub result: Vec<String>,
    /// SP-API-ATH-03.
    pub push: Vec<String>,
    /// SP-API-ATH-04.
    pub batch: Vec<String>,
    /// SP-API-LF-01.
    pub device: Vec<String>,
    /// SP-API-WEB-01. Assumed: as ATH-01 without id and mode.
    pub web: Vec<String>,
    /// Answer of ATH-01, ATH-03 and ATH-04.
    pub ticket_back: Vec<String>,
    /// Answer of ATH-02.
    pub result_back: Vec<String>,
    /// Answer of LF-01.
    pub device_back: Vec<String>,
    /// Callback of WEB-01. Assumed: as ATH-02 with `id_num`.
    pub web_back: Vec<String>,
}

impl Default for Orders {
    fn default() -> Orders {
        let list = |names: &str| names.split(' ').map(str::to_owned).collect();
        Orders {
            ticket: list("transaction_id sp_service_id id_num op_code op_mode hint sign_data"),
            result: list("transaction_id sp_service_id sp_ticket_id"),
            push: list("transaction_id sp_service_id id_num device_user_def_desc op_code hint sign_data"),
            batch: list("transaction_id sp_service_id id_num op_code op_mode hint"),
            device: list("transaction_id sp_service_id id_num"),
            web: list("transaction_id sp_service_id op_code hint sign_data"),
            ticket_back: list("transaction_id error_code sp_ticket"),
            result_back: list("transaction_id error_code hashed_id_num signed_response"),
            device_back: list("transaction_id error_code is_fido is_mcert_sign"),
            web_back: list("transaction_id error_code id_num signed_response"),
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The key is not 32 bytes in Base64.
    #[error("`key` must be 32 bytes in Base64; copy it again from the registration")]
    Key,
    /// An address that can't carry a path.
    #[error("`{0}` must be an address such as https://fido.moi.gov.tw")]
    Address(&'static str),
    /// The HTTP client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Config {
    pub(super) fn key(&self) -> Result<Key, ConfigError> {
        STANDARD
            .decode(self.key.trim())
            .ok()
            .and_then(Key::new)
            .ok_or(ConfigError::Key)
    }

    /// The meaning of a code; `None` for success.
    pub(super) fn reason(&self, code: &str) -> Option<Reason> {
        if code == "0" {
            return None;
        }
        let name = code.rsplit('-').next().unwrap_or(code);
        let known = self.codes.get(name).copied().or_else(|| {
            KNOWN
                .iter()
                .find(|(known, _)| *known == name || (known.ends_with('_') && name.starts_with(known)))
                .map(|(_, reason)| *reason)
        });
        Some(known.unwrap_or(Reason::Other))
    }
}
