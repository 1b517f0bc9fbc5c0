//! What the verifier module and the issuer module of 數位發展部 have in common: an address, a token and codes of refusal.

use crate::client::{self, BodyError, ClientConfig, ClientError};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// Most bytes of an answer; it holds a picture.
const LARGEST: usize = 4 << 20;
/// `59999`: the module's own fault.
const INTERNAL: i64 = 59_999;

/// How a module is called. `Debug` shows no token.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its address; it may have a path.
    pub address: Url,
    /// `Access-Token`.
    pub access_token: String,
    /// How it is called.
    #[serde(default)]
    pub client: ClientConfig,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("address", &self.address.as_str())
            .finish_non_exhaustive()
    }
}

/// Why a module gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// The HTTP client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The module refuses, with its code.
    #[error("the wallet's module refuses with code {0}")]
    Refused(i64),
    /// The answer is not what the interface says.
    #[error("the wallet's module answers otherwise than agreed: {0}")]
    Answer(&'static str),
    /// It can't be reached.
    #[error("the wallet's module can't be reached now: {0}")]
    Unreachable(String),
}

impl ModuleError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        matches!(self, ModuleError::Unreachable(_) | ModuleError::Refused(INTERNAL))
    }
}

/// A module with its client.
pub(super) struct Caller {
    config: Config,
    /// Makes the requests that [`Caller::call`] sends.
    pub client: reqwest::Client,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.config.fmt(formatter)
    }
}

impl Caller {
    pub fn new(config: Config) -> Result<Caller, ModuleError> {
        let client = client::build(&config.client)?;
        Ok(Caller { config, client })
    }

    /// An address below the module's.
    pub fn address(&self, path: &[&str]) -> Result<Url, ModuleError> {
        client::below(&self.config.address, path).ok_or(ModuleError::Answer("its address can't carry a path"))
    }

    /// One call: an answer, or the module's code.
    pub async fn call<T: for<'a> Deserialize<'a>>(&self, request: reqwest::RequestBuilder) -> Result<T, ModuleError> {
        let failed = |error: reqwest::Error| ModuleError::Unreachable(error.without_url().to_string());
        let request = request.header("Access-Token", &self.config.access_token);
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body = client::bounded_body(answer, LARGEST)
            .await
            .map_err(|error| match error {
                BodyError::TooLarge => ModuleError::Answer("it is too large"),
                BodyError::Broken(error) => failed(error),
            })?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| ModuleError::Answer("it is not the agreed JSON object"));
        }
        let refusal: Option<Value> = serde_json::from_slice(&body).ok();
        match refusal.as_ref().and_then(|refusal| number(refusal.get("code"))) {
            Some(code) => Err(ModuleError::Refused(code)),
            None => Err(ModuleError::Unreachable(format!(
                "it answers with status {}",
                status.as_u16()
            ))),
        }
    }
}

/// A number, which the modules also write as text.
pub(super) fn number(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
