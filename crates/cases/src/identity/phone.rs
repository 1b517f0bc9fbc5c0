//! 行動自然人憑證 (TW FidO): the person gives the national id, the phone asks them, and the city asks the authority for the result.

use crate::boxed;
use std::time::Duration;

use civic::NationalId;
use exchange::Remember;
use exchange::fido::{Ask, FidoError, Mode, Polled, Reason, Service, Waiting};
use exchange::oidc::Level;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::watch::{self, Whose};
use super::{Method, Proven, Refusal, Verified, national_id};
use crate::Desk;

/// The method as the city registered it.
#[derive(Debug)]
pub struct Phone {
    /// The registered service.
    pub service: Service,
    /// How strongly it proves who somebody is.
    pub level: Level,
    /// Seconds that the person has, 30 to 600.
    pub seconds: u16,
}

/// How the request reaches the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A message to the phone.
    Push,
    /// The app reads a QR code.
    Scan,
    /// This phone opens the app.
    App,
}

/// A request that waits for the phone, kept in the session. `Debug` is empty.
#[derive(Clone, Serialize, Deserialize)]
pub struct Confirming {
    /// How the request reached the phone.
    pub way: Way,
    waiting: Waiting,
    person: String,
}

impl std::fmt::Debug for Confirming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Confirming")
    }
}

impl Confirming {
    /// What the QR code shows.
    #[must_use]
    pub fn ticket(&self) -> &str {
        &self.waiting.ticket
    }

    /// When nothing more is to be expected.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.waiting.until
    }

    /// How long to wait before the authority may be asked again.
    #[must_use]
    pub fn pause(&self, now: Timestamp) -> Duration {
        self.waiting.pause(now)
    }
}

/// What a look at a request gave.
#[derive(Debug)]
pub enum Look {
    /// Not confirmed yet, or asked for too early: keep this instead of what was kept.
    Waiting(Box<Confirming>),
    /// Confirmed.
    Done(Box<Proven>),
}

/// Sends a request to somebody's phone. `session` is a value that only this session has, for the count of attempts.
///
/// # Errors
/// [`Refusal::No`] with `national-id`, `too-many`, or the reason of the authority; the store's.
#[boxed]
pub async fn ask(desk: &Desk, typed: &str, way: Way, session: &str) -> Result<Confirming, Refusal> {
    let phone = desk.identity.phone.as_ref().ok_or(Refusal::No("off"))?;
    let person = national_id(typed)?;
    watch::attempt(desk, Whose::Session(session)).await?;
    let lookup = desk.store.seal().lookup("national_id", person.reveal());
    watch::attempt(desk, Whose::Person(&lookup)).await?;
    let hint = desk.city.name.get(civic::Language::ZhTw);
    let ask = Ask {
        person: &person,
        mode: match way {
            Way::Push => Mode::Push { device: String::new() },
            Way::Scan => Mode::Scan,
            Way::App => Mode::MobileWeb,
        },
        hint,
        seconds: phone.seconds,
        signing: None,
        by_card: false,
    };
    match phone.service.ask(Uuid::new_v4(), &ask, desk.now()).await {
        Ok(waiting) => Ok(Confirming {
            way,
            waiting,
            person: person.reveal().to_owned(),
        }),
        Err(error) => refused(desk, &error).await,
    }
}

/// The address that opens the app on this phone and comes back to `back`.
#[must_use]
pub fn app_link(desk: &Desk, confirming: &Confirming, back: &Url) -> Option<String> {
    let phone = desk.identity.phone.as_ref()?;
    Some(phone.service.app_link(&confirming.waiting, back, ""))
}

/// Looks whether the person has confirmed. The authority is asked no more often than it allows, however often this is called.
///
/// # Errors
/// [`Refusal::No`] with the reason, after which the request is over; the store's.
#[boxed]
pub async fn look(desk: &Desk, confirming: Confirming) -> Result<Look, Refusal> {
    let phone = desk.identity.phone.as_ref().ok_or(Refusal::No("off"))?;
    let now = desk.now();
    match phone.service.poll(&confirming.waiting, now).await {
        Ok(Polled::TooSoon(_)) => Ok(Look::Waiting(Box::new(confirming))),
        Ok(Polled::Pending(waiting)) => Ok(Look::Waiting(Box::new(Confirming {
            waiting: *waiting,
            ..confirming
        }))),
        Ok(Polled::Done(_)) => {
            let remember = Remember {
                key: confirming.waiting.transaction_id.to_string(),
                until: confirming
                    .waiting
                    .until
                    .saturating_add(SignedDuration::from_hours(1))
                    .unwrap_or(Timestamp::MAX),
            };
            watch::once(desk, "phone", remember).await?;
            let national_id = NationalId::parse(&confirming.person).map_err(|_| Refusal::No("national-id"))?;
            Ok(Look::Done(Box::new(Proven {
                national_id,
                name: None,
                verified: Verified {
                    method: Method::Phone,
                    level: Some(phone.level),
                    at: now,
                },
                marks: Vec::new(),
                id_token: None,
            })))
        }
        // a fault of the line ends nothing: the page looks again until the time is over
        Err(error) if error.may_retry() && now <= confirming.waiting.until => {
            tracing::warn!(%error, "TW FidO");
            Ok(Look::Waiting(Box::new(confirming)))
        }
        Err(error) => refused(desk, &error).await,
    }
}

/// The word for an error, told to the administrator where somebody may be up to something.
async fn refused<T>(desk: &Desk, error: &FidoError) -> Result<T, Refusal> {
    tracing::warn!(%error, "TW FidO");
    match error {
        FidoError::Refused(reason) => {
            let word = word(*reason);
            match reason {
                Reason::Checksum | Reason::Service | Reason::TooLong | Reason::TimeLimit | Reason::Repeated => {
                    let detail =
                        "the authority of 行動自然人憑證 refuses the city's own request; see the configuration";
                    watch::refuse(desk, "phone", word, "warning", detail).await
                }
                Reason::Used | Reason::Unknown | Reason::Signature => {
                    let detail = "a ticket or a signature of 行動自然人憑證 was refused by its authority";
                    watch::refuse(desk, "phone", word, "warning", detail).await
                }
                _ => Err(Refusal::No(word)),
            }
        }
        FidoError::TooLate => Err(Refusal::No("phone-too-late")),
        FidoError::OtherPerson => {
            let detail = "an answer of 行動自然人憑證 was for another person than was asked";
            watch::refuse(desk, "phone", "phone-other-person", "alarm", detail).await
        }
        FidoError::Checksum | FidoError::Ticket(_) | FidoError::OtherTransaction => {
            let detail = "an answer of 行動自然人憑證 was altered or came from somebody else";
            watch::refuse(desk, "phone", "phone-answer", "alarm", detail).await
        }
        FidoError::Answer(_) => Err(Refusal::No("phone-answer")),
        FidoError::Request(_) | FidoError::Unreachable(_) | FidoError::Client(_) => Err(Refusal::No("unreachable")),
    }
}

/// The pages' word for a reason of the authority.
#[must_use]
pub fn word(reason: Reason) -> &'static str {
    match reason {
        // no refusal: the page goes on waiting
        Reason::Pending => "lost",
        Reason::Expired => "phone-expired",
        Reason::Used => "phone-used",
        Reason::Unknown => "phone-unknown",
        Reason::Checksum => "phone-checksum",
        Reason::IdForm => "phone-id-form",
        Reason::NotEnrolled => "phone-not-enrolled",
        Reason::Device => "phone-device",
        Reason::Service => "phone-service",
        Reason::TooLong => "phone-too-long",
        Reason::TimeLimit => "phone-time-limit",
        Reason::Signature => "phone-signature",
        Reason::Cancelled => "phone-cancelled",
        Reason::PhoneFailed => "phone-phone-failed",
        Reason::Repeated => "phone-repeated",
        Reason::Push => "phone-push",
        Reason::Busy => "phone-busy",
        Reason::Other => "phone-other",
    }
}
