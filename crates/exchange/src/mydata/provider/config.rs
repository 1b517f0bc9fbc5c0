//! What the city registered as data provider, and what is assumed of the platform.

use crate::client::{ClientConfig, ClientError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

use super::super::request::is_id;

/// The registered data sets and the platform's assumed values. `Debug` shows no secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the platform, such as `https://mydata.nat.gov.tw`.
    pub platform: Url,
    /// The data sets by `resource_id`.
    pub resources: BTreeMap<String, Offered>,
    /// PEM certificate of the agency (機關單位憑證), with those between it and the government root behind it.
    pub certificate: String,
    /// PEM of its RSA key in PKCS#8.
    pub private_key: String,
    /// How the platform is called.
    #[serde(default)]
    pub client: ClientConfig,
    /// What a token begins with: `mydata::`, on the test platform `mydatadev::`.
    #[serde(default = "token_prefix")]
    pub token_prefix: String,
    /// Name of the folder that holds manifest, signature and certificate. Assumed: `META-INFO`.
    #[serde(default = "meta_folder")]
    pub meta_folder: String,
    /// Seconds after which the platform gives up asking for a data set that is not immediate. Assumed: 5400.
    #[serde(default = "longest_seconds")]
    pub longest_seconds: u64,
}

/// One registered data set.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// Its `resource_secret`, for the introspection of tokens.
    pub secret: String,
}

fn token_prefix() -> String {
    "mydata::".to_owned()
}

fn meta_folder() -> String {
    "META-INFO".to_owned()
}

fn longest_seconds() -> u64 {
    5400
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("platform", &self.platform.as_str())
            .field("resources", &self.resources.keys())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Offered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Offered")
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.platform.cannot_be_a_base() || !matches!(self.platform.scheme(), "http" | "https") {
            return Err(ConfigError::Platform);
        }
        for (id, offered) in &self.resources {
            if !is_id(id) || offered.secret.is_empty() || offered.secret.contains(char::is_control) {
                return Err(ConfigError::Resource(id.clone()));
            }
        }
        Ok(())
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The platform's address can't carry a path.
    #[error("`platform` must be an address such as https://mydata.nat.gov.tw")]
    Platform,
    /// A data set's name or secret is none.
    #[error("the data set `{0}` needs a `resource_id` as registered and its `secret`")]
    Resource(String),
    /// The certificate can't be read.
    #[error("`certificate` holds no readable PEM certificate")]
    Certificate,
    /// The key can't be read.
    #[error("`private_key` is no RSA key of 2048 to 4096 bits in PKCS#8 PEM")]
    Key,
    /// The key belongs to another certificate.
    #[error("`private_key` is not the key of `certificate`")]
    Pair,
    /// The HTTP client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
}
