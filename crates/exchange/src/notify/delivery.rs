//! What becomes of a message.

use crate::client::{BodyError, ClientError, bounded_body};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// Shortest wait before the next try.
const LEAST: Duration = Duration::from_secs(30);
/// Longest wait that is believed.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Wait where the other side names none.
const USUAL: Duration = Duration::from_secs(300);
/// Wait where somebody must put the configuration right first.
pub(super) const REPAIR: Duration = Duration::from_secs(3600);
/// Most bytes of an answer.
const LARGEST: usize = 64 << 10;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The other side has taken it.
    Delivered,
    /// To be tried again, not before this time has passed.
    Later {
        /// Wait.
        after: Duration,
        /// Why.
        why: Why,
    },
    /// The same message to the same receiver will never be taken.
    Never {
        /// Why.
        why: Why,
    },
}

/// Why a message was not taken. None holds the receiver or the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// No connection or no answer in time; whether it was taken is not known.
    #[error("the service can't be reached")]
    Unreachable,
    /// Out of order for the moment.
    #[error("the service is out of order")]
    Busy,
    /// Too many messages.
    #[error("the service takes no more messages now")]
    TooMany,
    /// The service does not let the city in: token or key are wrong.
    #[error("the service refuses the city's credentials; put the configuration right")]
    Credentials,
    /// The receiver is gone or never was: forget the address.
    #[error("the receiver is gone")]
    Gone,
    /// The message is too long.
    #[error("the message is too long")]
    TooLong,
    /// The service refuses the message.
    #[error("the service refuses the message")]
    Refused,
}

/// Why a message can't be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The HTTP client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A value of the configuration.
    #[error("the configuration of the service is not usable: {0}")]
    Config(&'static str),
    /// The receiver's address is none, or of a service that is not known.
    #[error("the receiver's address is not usable: {0}")]
    Receiver(&'static str),
    /// A call that is said to come from the service does not.
    #[error("the call is not signed with the channel secret; nothing of it was used")]
    Signature,
    /// The message is empty or too long for any receiver.
    #[error("the message is not usable: {0}")]
    Message(&'static str),
}

impl Delivery {
    /// By the status alone: the common part of all three.
    pub(super) fn of(status: u16, headers: &HeaderMap, now: Timestamp) -> Delivery {
        let later = |why| Delivery::Later {
            after: after(headers, now),
            why,
        };
        match status {
            200..=299 => Delivery::Delivered,
            401 | 403 => Delivery::Later {
                after: REPAIR,
                why: Why::Credentials,
            },
            404 | 410 => Delivery::Never { why: Why::Gone },
            413 => Delivery::Never { why: Why::TooLong },
            408 | 425 => later(Why::Busy),
            429 => later(Why::TooMany),
            500..=599 => later(Why::Busy),
            _ => Delivery::Never { why: Why::Refused },
        }
    }

    /// No answer.
    pub(super) fn unreachable() -> Delivery {
        Delivery::Later {
            after: USUAL,
            why: Why::Unreachable,
        }
    }
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date.
fn after(headers: &HeaderMap, now: Timestamp) -> Duration {
    let said = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| {
            let text = text.trim();
            let date = || {
                let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
                Duration::try_from(at.duration_since(now)).ok()
            };
            text.parse().ok().map(Duration::from_secs).or_else(date)
        });
    said.unwrap_or(USUAL).clamp(LEAST, LONGEST)
}

/// Sends a request; `None` without an answer.
pub(super) async fn send(request: reqwest::RequestBuilder) -> Option<(u16, HeaderMap, Vec<u8>)> {
    let answer = request.send().await.ok()?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    match bounded_body(answer, LARGEST).await {
        Ok(body) => Some((status, headers, body)),
        // what was said is in the status already
        Err(BodyError::TooLarge) => Some((status, headers, Vec::new())),
        Err(BodyError::Broken(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn a_wait_is_read_in_both_forms_and_within_bounds() {
        let now = "2026-12-01T02:00:00Z".parse().unwrap_or_default();
        for (text, seconds) in [
            ("120", 120),
            (" 120 ", 120),
            ("1", 30),
            ("99999999", 86_400),
            ("Tue, 01 Dec 2026 02:10:00 GMT", 600),
            ("Tue, 01 Dec 2026 01:00:00 GMT", 300),
            ("soon", 300),
            ("-5", 300),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            assert_eq!(after(&headers, now).as_secs(), seconds, "{text}");
        }
        assert_eq!(after(&HeaderMap::new(), now), USUAL);
    }
}
