//! One issuer and how the city is registered there.

use crate::client::ClientConfig;
use serde::Deserialize;
use url::Url;

/// An issuer and how the city is registered there. `Debug` shows no secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The issuer's address, exactly as it names itself.
    pub issuer: String,
    /// The city's name at the issuer.
    pub client_id: String,
    /// The city's secret; a public client has none.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Registered address for the way back.
    pub redirect_url: Url,
    /// Scopes beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The claim that holds the national id (`uid` at 我的E政府).
    #[serde(default = "national_id_claim")]
    pub national_id_claim: String,
    /// The claim that holds the name (`cn` at 我的E政府).
    #[serde(default = "name_claim")]
    pub name_claim: String,
    /// Seconds that a sign-in may take.
    #[serde(default = "pending_seconds")]
    pub pending_seconds: i64,
    /// Seconds that the issuer's clock may be behind.
    #[serde(default = "skew_seconds")]
    pub skew_seconds: i64,
    /// Refuses a return that does not name its issuer (`iss`, RFC 9207). On where the issuer says that it always does and the
    /// city uses several issuers: then one can't hand another's code over as its own.
    #[serde(default)]
    pub iss_required: bool,
    /// How the issuer is called.
    #[serde(default)]
    pub client: ClientConfig,
}

fn national_id_claim() -> String {
    "uid".to_owned()
}

fn name_claim() -> String {
    "name".to_owned()
}

fn pending_seconds() -> i64 {
    900
}

fn skew_seconds() -> i64 {
    60
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
