//! What the city asks the platform about a token: whether it stands (`/connect/introspect`) and whose it is (`/connect/userinfo`).

use super::super::checks::Verification;
use super::Config;
use crate::client::{self, BodyError};
use civic::NationalId;
use jiff::civil::Date;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Most bytes of an answer.
const LARGEST: usize = 64 << 10;

/// A citizen's token: `mydata::` and 64 small letters and digits. `Debug` is empty.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Token(String);

impl Token {
    /// The token of a text with the platform's prefix; nothing where it has another form.
    #[must_use]
    pub fn parse(prefix: &str, text: &str) -> Option<Token> {
        let rest = text.strip_prefix(prefix)?;
        let sound = rest.len() == 64
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        sound.then(|| Token(text.to_owned()))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token")
    }
}

/// Whose data is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Holder {
    /// The person.
    pub national_id: NationalId,
    /// Name; may be empty.
    pub name: String,
    /// Day of birth, where it is told.
    pub birth_date: Option<Date>,
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Holder")
    }
}

/// Why there is no answer to go by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// A data set that is not registered here.
    #[error("the data set `{0}` is not among those registered")]
    Unregistered(String),
    /// No connection, no answer in time, or a broken one.
    #[error("the platform can't be reached: {0}")]
    Unreachable(String),
    /// Another status than the protocol knows.
    #[error("the platform answered with status {0}")]
    Status(u16),
    /// The answer is not what the protocol says.
    #[error("the platform's answer can't be understood")]
    Answer,
    /// The platform's address can't carry a path.
    #[error("the platform's address can't carry a path")]
    Address,
    /// What the platform says of the person is not verified, or holds no national id.
    #[error("the platform does not say who the person is")]
    Person,
}

pub(super) fn address(config: &Config, path: &[&str]) -> Result<url::Url, PlatformError> {
    crate::client::below(&config.platform, path).ok_or(PlatformError::Address)
}

pub(super) fn unreachable_by(error: &reqwest::Error) -> PlatformError {
    PlatformError::Unreachable(super::super::fetch::unreachable_by(error).to_string())
}

pub(super) async fn body(response: reqwest::Response, limit: usize) -> Result<Vec<u8>, PlatformError> {
    match client::bounded_body(response, limit).await {
        Ok(body) => Ok(body),
        Err(BodyError::TooLarge) => Err(PlatformError::Answer),
        Err(BodyError::Broken(error)) => Err(unreachable_by(&error)),
    }
}

pub(super) async fn introspect(
    config: &Config,
    client: &reqwest::Client,
    resource_id: &str,
    token: &Token,
) -> Result<Option<Verification>, PlatformError> {
    #[derive(Deserialize)]
    struct Answer {
        active: bool,
        #[serde(default)]
        verification: String,
    }
    let offered = config
        .resources
        .get(resource_id)
        .ok_or_else(|| PlatformError::Unregistered(resource_id.to_owned()))?;
    let response = client
        .post(address(config, &["connect", "introspect"])?)
        .basic_auth(resource_id, Some(&offered.secret))
        .form(&[("token", token.0.as_str())])
        .send()
        .await
        .map_err(|error| unreachable_by(&error))?;
    match response.status() {
        StatusCode::OK => {
            let body = body(response, LARGEST).await?;
            let answer: Answer = serde_json::from_slice(&body).map_err(|_| PlatformError::Answer)?;
            Ok(answer.active.then(|| Verification::of(&answer.verification)))
        }
        // the test platform says so for a wrong token
        StatusCode::UNAUTHORIZED => Ok(None),
        other => Err(PlatformError::Status(other.as_u16())),
    }
}

pub(super) async fn holder(
    config: &Config,
    client: &reqwest::Client,
    token: &Token,
) -> Result<Option<Holder>, PlatformError> {
    #[derive(Deserialize)]
    struct Answer {
        uid: String,
        #[serde(default)]
        uid_verified: Value,
        #[serde(default)]
        cn: String,
        #[serde(default)]
        birthdate: String,
    }
    let response = client
        .get(address(config, &["connect", "userinfo"])?)
        .bearer_auth(&token.0)
        .send()
        .await
        .map_err(|error| unreachable_by(&error))?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED => return Ok(None),
        other => return Err(PlatformError::Status(other.as_u16())),
    }
    let body = body(response, LARGEST).await?;
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| PlatformError::Answer)?;
    // the platform writes the text `True`; a boolean is read too
    let is_verified = match &answer.uid_verified {
        Value::Bool(verified) => *verified,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    let national_id = NationalId::parse(&answer.uid).map_err(|_| PlatformError::Person)?;
    if !is_verified {
        return Err(PlatformError::Person);
    }
    Ok(Some(Holder {
        national_id,
        name: answer.cn.chars().take(100).collect(),
        birth_date: answer.birthdate.parse().ok(),
    }))
}
