//! LINE: a push message of the city's official account (Messaging API), and what LINE tells the city by its webhook.

use super::delivery::{Delivery, NotifyError, Why, send};
use crate::client::{self, ClientConfig};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use url::Url;
use uuid::Uuid;

/// Most UTF-16 units of a text message.
const LONGEST: usize = 5000;
/// Most events read of one call of the webhook; LINE sends fewer.
const EVENTS: usize = 100;

/// The city's account. `Debug` shows no token.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the push call.
    #[serde(default = "endpoint")]
    pub endpoint: String,
    /// Channel access token.
    pub token: String,
    /// Channel secret, by which calls of the webhook are known to be LINE's; without it no account can be linked.
    #[serde(default)]
    pub secret: String,
    /// Address that adds the city's account as a friend, such as `https://line.me/R/ti/p/@city`.
    #[serde(default)]
    pub friend: String,
    /// How it is called.
    #[serde(default)]
    pub client: ClientConfig,
}

/// LINE's own address of the push call.
#[must_use]
pub fn endpoint() -> String {
    "https://api.line.me/v2/bot/message/push".to_owned()
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// What LINE tells: who did something with the city's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Who.
    pub user: UserId,
    /// What.
    pub what: What,
}

/// What somebody did. `Debug` does not show what they wrote.
#[derive(Clone, PartialEq, Eq)]
pub enum What {
    /// Added the account, or let it in again.
    Follow,
    /// Blocked the account.
    Unfollow,
    /// Wrote a text.
    Text(String),
}

impl std::fmt::Debug for What {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            What::Follow => "Follow",
            What::Unfollow => "Unfollow",
            What::Text(_) => "Text",
        })
    }
}

/// Somebody's name for the city's account: `U` and 32 hexadecimal digits. `Debug` is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct UserId(String);

impl UserId {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// [`NotifyError::Receiver`].
    pub fn parse(text: &str) -> Result<UserId, NotifyError> {
        let is_id = text
            .strip_prefix('U')
            .is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
        match is_id {
            true => Ok(UserId(text.to_owned())),
            false => Err(NotifyError::Receiver("a LINE user is U and 32 hexadecimal digits")),
        }
    }

    /// The whole name.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for UserId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("UserId")
    }
}

/// The account. Cheap to clone.
#[derive(Clone)]
pub struct Line(Arc<(Config, Url, reqwest::Client)>);

impl std::fmt::Debug for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Line").field(&self.0.0).finish()
    }
}

impl Line {
    /// An account of a configuration.
    ///
    /// # Errors
    ///
    /// [`NotifyError::Config`], [`NotifyError::Client`].
    pub fn new(config: Config) -> Result<Line, NotifyError> {
        let url = Url::parse(&config.endpoint).map_err(|_| NotifyError::Config("`endpoint` is no address"))?;
        let client = client::build(&config.client)?;
        Ok(Line(Arc::new((config, url, client))))
    }

    /// The address that adds the account as a friend, where one is configured.
    #[must_use]
    pub fn friend(&self) -> Option<&str> {
        Some(self.0.0.friend.as_str()).filter(|friend| !friend.is_empty())
    }

    /// Whether calls of the webhook can be known to be LINE's.
    #[must_use]
    pub fn can_link(&self) -> bool {
        !self.0.0.secret.is_empty()
    }

    /// Reads a call of the webhook. Events that the city has no use for are left out. `signature` is the header
    /// `X-Line-Signature`: HMAC-SHA256 of the body under the channel secret, in Base64.
    ///
    /// # Errors
    ///
    /// [`NotifyError::Signature`] for a call that is not LINE's; [`NotifyError::Message`] for a body that is no list of events.
    pub fn events(&self, body: &[u8], signature: &str) -> Result<Vec<Event>, NotifyError> {
        let secret = self.0.0.secret.as_bytes();
        let given = STANDARD.decode(signature).unwrap_or_default();
        let made = Hmac::<Sha256>::new_from_slice(secret).map(|mut mac| {
            mac.update(body);
            mac.finalize().into_bytes()
        });
        // the time it takes says nothing of how much was guessed right
        let is_ours = made.is_ok_and(|made| bool::from(made.as_slice().ct_eq(&given)));
        if !is_ours || secret.is_empty() {
            return Err(NotifyError::Signature);
        }
        let body: Value = serde_json::from_slice(body).map_err(|_| NotifyError::Message("it is no JSON"))?;
        let events = body.get("events").and_then(Value::as_array);
        let events = events.ok_or(NotifyError::Message("it has no list of events"))?;
        Ok(events.iter().take(EVENTS).filter_map(event).collect())
    }

    /// Sends one text. `retry_key` is the same when the message is sent again within a day: LINE then delivers it once.
    ///
    /// # Errors
    ///
    /// [`NotifyError::Message`] for a text that LINE does not take.
    pub async fn push(
        &self,
        to: &UserId,
        text: &str,
        retry_key: Uuid,
        now: Timestamp,
    ) -> Result<Delivery, NotifyError> {
        if text.is_empty() || text.encode_utf16().count() > LONGEST {
            return Err(NotifyError::Message("it must have 1 to 5000 characters"));
        }
        let (config, url, client) = &*self.0;
        let request = client
            .post(url.clone())
            .bearer_auth(&config.token)
            .header("X-Line-Retry-Key", retry_key.to_string())
            .json(&json!({ "to": to.0, "messages": [{ "type": "text", "text": text }] }));
        let Some((status, headers, _)) = send(request).await else {
            return Ok(Delivery::unreachable());
        };
        Ok(match (status, Delivery::of(status, &headers, now)) {
            // the same key was taken before
            (409, _) => Delivery::Delivered,
            // the address of the call, not the receiver
            (404 | 410, _) => Delivery::Never { why: Why::Refused },
            (_, other) => other,
        })
    }
}

/// One event, where it is one that the city acts on.
fn event(event: &Value) -> Option<Event> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    // an account in standby may not act: another system of the city does
    if text("/mode") == Some("standby") {
        return None;
    }
    let user = UserId::parse(text("/source/userId")?).ok()?;
    let what = match (text("/type")?, text("/message/type")) {
        ("follow", _) => What::Follow,
        ("unfollow", _) => What::Unfollow,
        ("message", Some("text")) => What::Text(text("/message/text")?.chars().take(LONGEST).collect()),
        _ => return None,
    };
    Some(Event { user, what })
}
