//! All that the city registered with the platform, and all that is assumed of a platform whose technical document is
//! not public.

use crate::client::{ClientConfig, ClientError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// The registered service and the platform's assumed values.
///
/// `Debug` shows no secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the platform, such as `https://mydata.nat.gov.tw`.
    pub platform: Url,
    /// Registered name of the service, such as `CLI.` and ten characters.
    pub client_id: String,
    /// Secret of the service, 16 characters; written twice it is the AES-256 key of `pid` and `tx_id`.
    pub client_secret: String,
    /// The service's fixed CBC initialisation vector, 16 characters.
    pub cbc_iv: String,
    /// Registered return address. The part before `?` must be sent exactly as registered.
    pub return_url: Url,
    /// Key that the platform must show in a notification (`apiKey`), if one was registered.
    #[serde(default)]
    pub api_key: Option<String>,
    /// PEM certificates of the government roots (政府憑證總管理中心) that data providers' certificates must lead to.
    pub government_roots: String,
    /// PEM certificates between those roots and the data providers.
    #[serde(default)]
    pub intermediates: String,
    /// Who may sign a data set: by `resource_id`, what one value of the certificate's subject must be, such as the
    /// agency's name as its organisation. A data set without an entry may be signed by any agency under the roots.
    #[serde(default)]
    pub signers: BTreeMap<String, String>,
    /// How the platform is called.
    #[serde(default)]
    pub client: ClientConfig,
    /// Times of the protocol.
    #[serde(default)]
    pub times: Times,
    /// Bounds of a package.
    #[serde(default)]
    pub limits: PackageLimits,
    /// Whether the platform is asked once more, before a fetch, whose package it is and how that person was verified.
    #[serde(default = "yes")]
    pub confirm_person: bool,
    /// Name of the folder that holds manifest, signature and certificate. Assumed: `META-INFO`.
    #[serde(default = "meta_folder")]
    pub meta_folder: String,
    /// Start of the payload's `data` before the Base64. Assumed: `application/zip;data:`.
    #[serde(default = "data_prefix")]
    pub data_prefix: String,
}

/// Times of the protocol, in seconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Times {
    /// Life of a permission ticket. Assumed: 8 hours.
    pub ticket_seconds: i64,
    /// Longest time from the redirect to the notification. The platform's pages close after 120 s without a touch and
    /// data providers may take 90 minutes. Assumed: 3 hours.
    pub notification_seconds: i64,
    /// How far the two clocks may differ.
    pub skew_seconds: i64,
    /// Least wait before the next try. Assumed: 10 s.
    pub least_retry_seconds: u64,
    /// Longest wait that is believed.
    pub longest_retry_seconds: u64,
}

impl Default for Times {
    fn default() -> Times {
        Times {
            ticket_seconds: 8 * 3600,
            notification_seconds: 3 * 3600,
            skew_seconds: 120,
            least_retry_seconds: 10,
            longest_retry_seconds: 5400,
        }
    }
}

/// Bounds of a package: what is larger is refused before it is unpacked.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PackageLimits {
    /// Most bytes of the fetched JWE text.
    pub jwe_bytes: usize,
    /// Most entries of one ZIP.
    pub entries: usize,
    /// Most bytes of one unpacked file.
    pub file_bytes: u64,
    /// Most bytes of all unpacked files of one ZIP.
    pub total_bytes: u64,
    /// Most times that a file may be larger than its packed form, once it is over 1 MiB.
    pub ratio: u64,
    /// Most bytes of a manifest.
    pub manifest_bytes: usize,
}

impl Default for PackageLimits {
    fn default() -> PackageLimits {
        PackageLimits {
            jwe_bytes: 96 << 20,
            entries: 1000,
            file_bytes: 32 << 20,
            total_bytes: 64 << 20,
            ratio: 200,
            manifest_bytes: 1 << 20,
        }
    }
}

fn yes() -> bool {
    true
}

fn meta_folder() -> String {
    "META-INFO".to_owned()
}

fn data_prefix() -> String {
    "application/zip;data:".to_owned()
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("platform", &self.platform.as_str())
            .field("client_id", &self.client_id)
            .field("return_url", &self.return_url.as_str())
            .finish_non_exhaustive()
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A secret of the wrong length.
    #[error("`{name}` must be 16 bytes, it has {found}; copy it again from the platform's registration")]
    Length {
        /// Name of the value.
        name: &'static str,
        /// Bytes it has.
        found: usize,
    },
    /// `client_id` is not letters, digits, dots, hyphens or underscores.
    #[error("`client_id` may hold letters, digits, `.`, `-` and `_` only")]
    ClientId,
    /// The platform's address can't carry a path.
    #[error("`platform` must be an address such as https://mydata.nat.gov.tw")]
    Platform,
    /// A certificate can't be read.
    #[error("`{name}`: {what}")]
    Certificate {
        /// Name of the value.
        name: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The HTTP client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
}
