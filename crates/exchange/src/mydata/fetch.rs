//! Fetching a package: `GET {platform}/service/data`, one time only.

use super::config::Config;
use super::notification::Notification;
use crate::client::{self, BodyError};
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use std::time::Duration;

/// What the platform answered.
#[derive(Clone, PartialEq, Eq)]
pub enum Fetch {
    /// 200: the envelope, as fetched. The platform has deleted its copy: write it to durable storage before anything
    /// else.
    Package(Vec<u8>),
    /// 204: there is nothing for this person.
    Empty,
    /// 429: not ready; ask again after this time.
    Later(Duration),
    /// 201: it was fetched before.
    Taken,
    /// 403: the ticket is unknown or older than its life, or the notification was not taken as successful.
    Gone,
    /// 504: every data set failed.
    Failed,
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fetch::Package(bytes) => write!(formatter, "Package({} bytes)", bytes.len()),
            Fetch::Empty => formatter.write_str("Empty"),
            Fetch::Later(wait) => write!(formatter, "Later({wait:?})"),
            Fetch::Taken => formatter.write_str("Taken"),
            Fetch::Gone => formatter.write_str("Gone"),
            Fetch::Failed => formatter.write_str("Failed"),
        }
    }
}

/// Why there is no answer to go by.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// 400: the platform saw no ticket; a proxy on the way drops headers with underscores.
    #[error("the platform saw no ticket; let headers with underscores through every proxy on the way")]
    NoTicketSeen,
    /// 401: the platform does not know the city's address.
    #[error("the platform does not know the address that calls it; have the calling address registered")]
    AddressNotAllowed,
    /// Another status than the protocol knows.
    #[error("the platform answered with status {0}")]
    Status(u16),
    /// The package is larger than accepted.
    #[error("the package is larger than {0} bytes")]
    TooLarge(usize),
    /// No connection, no answer in time, or a broken one.
    #[error("the platform can't be reached: {0}")]
    Unreachable(String),
    /// The platform's address can't carry a path.
    #[error("the platform's address can't carry a path")]
    Address,
}

impl FetchError {
    /// Whether the same call may be made again later.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        match self {
            FetchError::Unreachable(_) | FetchError::NoTicketSeen | FetchError::AddressNotAllowed => true,
            FetchError::Status(status) => *status >= 500,
            FetchError::TooLarge(_) | FetchError::Address => false,
        }
    }
}

/// Fetches the package of a notification.
pub(super) async fn fetch(
    config: &Config,
    client: &reqwest::Client,
    notification: &Notification,
) -> Result<Fetch, FetchError> {
    let address = crate::client::below(&config.platform, &["service", "data"]).ok_or(FetchError::Address)?;
    let response = client
        .get(address)
        .header("permission_ticket", notification.permission_ticket.to_string())
        .header("tx_id", notification.tx_id.to_string())
        .send()
        .await
        .map_err(|error| unreachable_by(&error))?;
    match response.status() {
        StatusCode::OK => match client::bounded_body(response, config.limits.jwe_bytes).await {
            Ok(body) => Ok(Fetch::Package(body)),
            Err(BodyError::TooLarge) => Err(FetchError::TooLarge(config.limits.jwe_bytes)),
            Err(BodyError::Broken(error)) => Err(unreachable_by(&error)),
        },
        StatusCode::CREATED => Ok(Fetch::Taken),
        StatusCode::NO_CONTENT => Ok(Fetch::Empty),
        StatusCode::BAD_REQUEST => Err(FetchError::NoTicketSeen),
        StatusCode::UNAUTHORIZED => Err(FetchError::AddressNotAllowed),
        StatusCode::FORBIDDEN => Ok(Fetch::Gone),
        StatusCode::TOO_MANY_REQUESTS => Ok(Fetch::Later(wait(config, &response))),
        StatusCode::GATEWAY_TIMEOUT => Ok(Fetch::Failed),
        other => Err(FetchError::Status(other.as_u16())),
    }
}

/// The wait that the platform asks for, within what is believed.
fn wait(config: &Config, response: &reqwest::Response) -> Duration {
    let (least, longest) = (config.times.least_retry_seconds, config.times.longest_retry_seconds);
    let asked = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse::<u64>().ok())
        .unwrap_or(least);
    Duration::from_secs(asked.min(longest).max(least))
}

/// The error without the address: it is known, and nothing personal may come into a log with it.
pub(super) fn unreachable_by(error: &reqwest::Error) -> FetchError {
    let what = match error {
        error if error.is_timeout() => "no answer in time",
        error if error.is_connect() => "no connection",
        error if error.is_body() || error.is_decode() => "the answer broke off",
        _ => "the call failed",
    };
    FetchError::Unreachable(what.to_owned())
}
