//! The code of the counter (臨櫃核驗): the citizen chose data sets on the platform and has a code of 8 characters; the clerk
//! types it, the platform gives the citizen a one-time password, the clerk types that too, and the package can be fetched
//! by the same ticket as in flow A.
//!
//! Public of it are the two steps, the 8 characters, and the times (code 20 minutes, password 2 minutes, 5 mistakes in 15
//! minutes close the counter for 15). How a program says it to the platform is not public. Assumed here: two `POST`s of
//! JSON, `{platform}/organ/code` and `{platform}/organ/password`, with `client_id`, `tx_id` and `data`, the last made with the
//! service's key as `pid` is; the password is answered by the notification of flow A.
//!
//! An agent (代辦人) whom the citizen named on the platform comes with a number of their own, 8 characters too; the password is
//! still shown to the citizen. Assumed: the agent's id number is sent as `agent` beside the citizen's, and 412 says that the
//! platform knows of no such agent for this number.

use super::config::Config;
use super::crypto::ServiceKey;
use super::fetch;
use super::notification::{self, Notification, NotificationError};
use super::request::is_id;
use crate::client::{self, BodyError};
use civic::NationalId;
use civic::ids::TransactionId;
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Most bytes of an answer.
const LARGEST: usize = 64 << 10;
/// Most data sets of a code.
const MOST_RESOURCES: usize = 200;
/// Longest wait that is believed.
const LONGEST_LOCK: u64 = 24 * 3600;

/// A code of the counter: 8 letters and digits. `Debug` is empty: with the password it opens a person's data.
#[derive(Clone, PartialEq, Eq)]
pub struct CounterCode(String);

impl CounterCode {
    /// Reads a typed code; blanks, hyphens and small letters are forgiven.
    ///
    /// # Errors
    /// [`CounterError::Form`].
    pub fn parse(text: &str) -> Result<CounterCode, CounterError> {
        let code: String = text
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        if code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(CounterCode(code))
        } else {
            Err(CounterError::Form)
        }
    }

    /// The code, to be shown in the form of the second step.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for CounterCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CounterCode")
    }
}

/// Why a code opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CounterError {
    /// Not 8 letters and digits.
    #[error("a code of the counter has 8 letters and digits")]
    Form,
    /// Not digits.
    #[error("a one-time password has 6 digits")]
    PasswordForm,
    /// 404: there is no such code.
    #[error("the platform does not know this code")]
    Unknown,
    /// 201: its package was fetched before.
    #[error("this code was used before")]
    Used,
    /// 410: the code or the password is past its time.
    #[error("this code is past its time")]
    Expired,
    /// 409: the code belongs to another person.
    #[error("this code belongs to another person")]
    OtherPerson,
    /// 412: the citizen named no such agent, or the agent has not agreed.
    #[error("the person did not name this agent for this code")]
    OtherAgent,
    /// 403: the password is not the one the platform gave.
    #[error("the one-time password is wrong")]
    Password,
    /// 423: too many mistakes at this counter.
    #[error("too many wrong codes; the platform takes none from this counter for {} seconds", .0.as_secs())]
    Locked(Duration),
    /// The answer is not what the protocol says.
    #[error("the platform's answer can't be understood")]
    Answer,
    /// The notification in the answer is refused.
    #[error(transparent)]
    Notification(#[from] NotificationError),
    /// The platform can't be reached or answers otherwise than agreed.
    #[error("{0}")]
    Unreachable(String),
}

/// What both steps say: who asks, for whom, with which code.
#[derive(Clone, Copy)]
pub struct CounterCall<'a> {
    /// The transaction, made by the city.
    pub tx_id: TransactionId,
    /// The person at the counter.
    pub person: &'a NationalId,
    /// Who stands at the counter in the person's place.
    pub agent: Option<&'a NationalId>,
    /// The code typed.
    pub code: &'a CounterCode,
    /// Which counter asks, by a name that says nothing of the clerk; mistakes are counted for each.
    pub counter: &'a str,
}

#[derive(Deserialize)]
struct Offered {
    resources: Vec<String>,
}

/// The first step: the data sets the citizen put behind the code. The platform then shows the citizen the password.
pub(super) async fn code(
    config: &Config,
    key: &ServiceKey,
    client: &reqwest::Client,
    call: CounterCall<'_>,
) -> Result<Vec<String>, CounterError> {
    let body = post(config, key, client, "code", call, json!({})).await?;
    let offered: Offered = serde_json::from_slice(&body).map_err(|_| CounterError::Answer)?;
    let usable = offered.resources.len() <= MOST_RESOURCES && offered.resources.iter().all(|id| is_id(id));
    if usable {
        Ok(offered.resources)
    } else {
        Err(CounterError::Answer)
    }
}

/// The second step: the ticket and the key of a package with `resources`.
pub(super) async fn password(
    config: &Config,
    key: &ServiceKey,
    client: &reqwest::Client,
    call: CounterCall<'_>,
    password: &str,
    resources: &[String],
) -> Result<Notification, CounterError> {
    let password: String = password.chars().filter(|letter| !letter.is_whitespace()).collect();
    if password.len() != 6 || !password.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CounterError::PasswordForm);
    }
    let more = json!({ "password": password, "resources": resources });
    let body = post(config, key, client, "password", call, more).await?;
    let notification = notification::read(config, key, Some("application/json"), &body)?;
    if notification.tx_id == call.tx_id {
        Ok(notification)
    } else {
        Err(CounterError::Answer)
    }
}

async fn post(
    config: &Config,
    key: &ServiceKey,
    client: &reqwest::Client,
    step: &str,
    call: CounterCall<'_>,
    mut more: Value,
) -> Result<Vec<u8>, CounterError> {
    if let Some(fields) = more.as_object_mut() {
        fields.insert("code".to_owned(), call.code.0.clone().into());
        fields.insert("pid".to_owned(), call.person.reveal().into());
        fields.insert("counter".to_owned(), call.counter.into());
        if let Some(agent) = call.agent {
            fields.insert("agent".to_owned(), agent.reveal().into());
        }
    }
    let no_path = || CounterError::Unreachable("the platform's address can't carry a path".to_owned());
    let address = crate::client::below(&config.platform, &["organ", step]).ok_or_else(no_path)?;
    let sent = json!({
        "client_id": config.client_id,
        "tx_id": call.tx_id.to_string(),
        "data": key.seal(&more.to_string()),
    });
    let unreachable = |error: reqwest::Error| CounterError::Unreachable(fetch::unreachable_by(&error).to_string());
    let response = client
        .post(address)
        .header(reqwest::header::CONTENT_TYPE, "application/json")
        .body(sent.to_string())
        .send()
        .await
        .map_err(unreachable)?;
    match response.status() {
        StatusCode::OK => match client::bounded_body(response, LARGEST).await {
            Ok(body) => Ok(body),
            Err(BodyError::TooLarge) => Err(CounterError::Answer),
            Err(BodyError::Broken(error)) => Err(unreachable(error)),
        },
        StatusCode::CREATED => Err(CounterError::Used),
        StatusCode::FORBIDDEN => Err(CounterError::Password),
        StatusCode::NOT_FOUND => Err(CounterError::Unknown),
        StatusCode::CONFLICT => Err(CounterError::OtherPerson),
        StatusCode::PRECONDITION_FAILED => Err(CounterError::OtherAgent),
        StatusCode::GONE => Err(CounterError::Expired),
        StatusCode::LOCKED => Err(CounterError::Locked(wait(&response))),
        StatusCode::UNAUTHORIZED => Err(CounterError::Unreachable(
            fetch::FetchError::AddressNotAllowed.to_string(),
        )),
        other => Err(CounterError::Unreachable(
            fetch::FetchError::Status(other.as_u16()).to_string(),
        )),
    }
}

/// The platform's own 15 minutes where it says nothing else.
fn wait(response: &reqwest::Response) -> Duration {
    let said = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse::<u64>().ok());
    Duration::from_secs(said.unwrap_or(15 * 60).min(LONGEST_LOCK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for typed in ["ABCD2345", " abcd-2345 ", "ab cd 23 45"] {
            assert_eq!(CounterCode::parse(typed).map(|code| code.0), Ok("ABCD2345".to_owned()));
        }
        for typed in ["", "ABCD234", "ABCD23456", "ABCD234!", "ＡＢＣＤ２３４５"] {
            assert_eq!(CounterCode::parse(typed), Err(CounterError::Form), "{typed}");
        }
        assert_eq!(format!("{:?}", CounterCode::parse("ABCD2345")), "Ok(CounterCode)");
    }
}
