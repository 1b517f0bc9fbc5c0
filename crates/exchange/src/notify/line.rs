//! LINE: a push message of the city's official account (Messaging API).

use super::delivery::{Delivery, NotifyError, Why, send};
use crate::client::{self, ClientConfig};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use url::Url;
use uuid::Uuid;

/// Most UTF-16 units of a text message.
const LONGEST: usize = 5000;

/// The city's account. `Debug` shows no token.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the push call.
    #[serde(default = "endpoint")]
    pub endpoint: String,
    /// Channel access token.
    pub token: String,
    /// How it is called.
    #[serde(default)]
    pub client: ClientConfig,
}

fn endpoint() -> String {
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
