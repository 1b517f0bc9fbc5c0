//! Text messages by any gateway that takes one HTTP request a message: address, method, body and what its answers mean are
//! values of the configuration.
//!
//! In the address and in the body `{to}`, `{text}` and `{id}` are replaced, written as the place needs it; `{id}` is the same
//! when a message is sent again, for gateways that know a message by it.

use super::delivery::{Delivery, NotifyError, Why, send};
use crate::client::{self, ClientConfig};
use civic::MobileNumber;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most characters of a message: what gateways join at most.
const LONGEST: usize = 500;

/// How values are written in the body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// Inside the quotes of a JSON text.
    Json,
    /// As it is.
    Plain,
}

/// How a mobile number is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `0912345678`.
    #[default]
    National,
    /// `+886912345678`.
    International,
}

/// A gateway. `Debug` shows no secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address; may hold `{to}`, `{text}`, `{id}` in its query.
    pub url: String,
    /// `POST` or `GET`.
    #[serde(default = "post")]
    pub method: String,
    /// Headers, such as one that lets the city in.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// `Content-Type` of the body.
    #[serde(default = "form_type")]
    pub content_type: String,
    /// Body; may hold `{to}`, `{text}`, `{id}`.
    #[serde(default)]
    pub body: String,
    /// How values are written in the body.
    #[serde(default)]
    pub encoding: Encoding,
    /// How the number is written.
    #[serde(default)]
    pub number: Form,
    /// Texts of which an answer of success holds one; none means that the status is enough.
    #[serde(default)]
    pub success: Vec<String>,
    /// Texts of which an answer holds one when the message will never be taken, such as `invalid number`.
    #[serde(default)]
    pub never: Vec<String>,
    /// How it is called.
    #[serde(default)]
    pub client: ClientConfig,
}

fn post() -> String {
    "POST".to_owned()
}

fn form_type() -> String {
    "application/x-www-form-urlencoded".to_owned()
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// A gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Parts>);

struct Parts {
    config: Config,
    method: Method,
    headers: HeaderMap,
    client: reqwest::Client,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Gateway").field(&self.0.config).finish()
    }
}

/// A template with its values in place. What a value itself holds is never taken for a place to fill.
fn fill(template: &str, values: [(&str, &str); 3], write: impl Fn(&str) -> String) -> String {
    let (mut out, mut rest) = (String::with_capacity(template.len()), template);
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match values.iter().find(|(name, _)| from.starts_with(name)) {
            Some((name, value)) => {
                out.push_str(&write(value));
                rest = from.strip_prefix(name).unwrap_or_default();
            }
            None => {
                out.push('{');
                rest = from.strip_prefix('{').unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

fn percent(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

fn json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
}

impl Gateway {
    /// A gateway of a configuration.
    ///
    /// # Errors
    ///
    /// [`NotifyError::Config`], [`NotifyError::Client`].
    pub fn new(config: Config) -> Result<Gateway, NotifyError> {
        let method = match config.method.as_str() {
            "POST" => Method::POST,
            "GET" => Method::GET,
            _ => return Err(NotifyError::Config("`method` is POST or GET")),
        };
        let both = format!("{}{}", config.url, config.body);
        if !both.contains("{to}") || !both.contains("{text}") {
            return Err(NotifyError::Config("address or body must hold {to} and {text}"));
        }
        // with values in place: what is filled in is written for an address and can't change what it leads to
        let example = fill(&config.url, [("{to}", "0"), ("{text}", "0"), ("{id}", "0")], percent);
        let address = Url::parse(&example).map_err(|_| NotifyError::Config("`url` is no address"))?;
        match (address.scheme(), config.client.https_only) {
            ("https", _) | ("http", false) => {}
            _ => return Err(NotifyError::Config("`url` must be an https: address")),
        }
        let host = config.url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('{') {
            return Err(NotifyError::Config(
                "`url` may hold {to}, {text} and {id} after its host only",
            ));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let name =
                HeaderName::try_from(name.as_str()).map_err(|_| NotifyError::Config("a header has no usable name"))?;
            let mut value = HeaderValue::try_from(value.as_str())
                .map_err(|_| NotifyError::Config("a header has no usable value"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let client = client::build(&config.client)?;
        Ok(Gateway(Arc::new(Parts {
            config,
            method,
            headers,
            client,
        })))
    }

    /// Sends one message. `id` is the outbox's key of it.
    ///
    /// # Errors
    ///
    /// [`NotifyError`] for a message or a configuration that can't be used.
    pub async fn send(&self, to: &MobileNumber, text: &str, id: &str, now: Timestamp) -> Result<Delivery, NotifyError> {
        let Parts {
            config,
            method,
            headers,
            client,
        } = &*self.0;
        if text.is_empty() || text.chars().count() > LONGEST {
            return Err(NotifyError::Message("it must have 1 to 500 characters"));
        }
        let national = to.reveal();
        let number = match config.number {
            Form::National => national.to_owned(),
            Form::International => format!("+886{}", national.strip_prefix('0').unwrap_or(national)),
        };
        let values = [("{to}", number.as_str()), ("{text}", text), ("{id}", id)];
        let address = fill(&config.url, values, percent);
        let address = Url::parse(&address).map_err(|_| NotifyError::Config("`url` is no address"))?;
        let mut request = client.request(method.clone(), address).headers(headers.clone());
        if *method == Method::POST {
            let body = match config.encoding {
                Encoding::Form => fill(&config.body, values, percent),
                Encoding::Json => fill(&config.body, values, json),
                Encoding::Plain => fill(&config.body, values, str::to_owned),
            };
            request = request.header("content-type", &config.content_type).body(body);
        }
        let Some((status, headers, body)) = send(request).await else {
            return Ok(Delivery::unreachable());
        };
        let body = String::from_utf8_lossy(&body);
        let holds = |texts: &[String]| texts.iter().any(|text| body.contains(text.as_str()));
        if holds(&config.never) {
            return Ok(Delivery::Never { why: Why::Refused });
        }
        let by_status = match Delivery::of(status, &headers, now) {
            // of a gateway these are about its own address, not about the receiver
            Delivery::Never { why: Why::Gone } => Delivery::Later {
                after: super::delivery::REPAIR,
                why: Why::Credentials,
            },
            other => other,
        };
        Ok(match by_status {
            Delivery::Delivered if !config.success.is_empty() && !holds(&config.success) => Delivery::Later {
                after: super::delivery::REPAIR,
                why: Why::Busy,
            },
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_can_not_leave_their_place() {
        let values = [("{to}", "0912"), ("{text}", "a&b={to}\"\n{"), ("{id}", "7")];
        for (template, write, expected) in [
            (
                "to={to}&text={text}",
                percent as fn(&str) -> String,
                "to=0912&text=a%26b%3D%7Bto%7D%22%0A%7B",
            ),
            (
                "{\"to\":\"{to}\",\"text\":\"{text}\"}",
                json,
                "{\"to\":\"0912\",\"text\":\"a&b={to}\\\"\\n{\"}",
            ),
            ("{else}{id", percent, "{else}{id"),
            ("{id}{id}", percent, "77"),
        ] {
            assert_eq!(fill(template, values, write), expected);
        }
    }
}
