//! Asking for cards: OpenID4VP with a signed request, `direct_post` and a presentation definition (DIF Presentation Exchange).
//!
//! [`Verifier::begin`] gives the address for the wallet and [`Pending`], which the caller keeps by its state;
//! [`Verifier::request_object`] is served at the address in it; [`Verifier::read_response`] checks what the wallet posts, and
//! [`Verifier::confirm`] asks the issuers' status lists. Only then there are claims to read.
//!
//! [`module`] is the other way: the verifier module of 數位發展部 speaks with the wallet.

mod config;
mod definition;
pub mod module;
mod request;
mod response;
mod status;

pub use config::{Config, TrustedIssuer};
pub use definition::Wanted;
pub use request::{Pending, Verifier};
pub use response::{Card, Presentation, Presented};

use super::did::DidError;
use super::sd_jwt::SdJwtError;
use super::status_list::{Purpose, StatusError};
use crate::client::ClientError;
use crate::jose::JoseError;

/// Why there is no presentation.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// The configuration can't be used.
    #[error("the wallet's configuration is not usable: {0}")]
    Config(&'static str),
    /// A key of the configuration or a token.
    #[error(transparent)]
    Token(#[from] JoseError),
    /// The HTTP client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The response is not the agreed form.
    #[error("the wallet's response can't be read: {0}")]
    Form(&'static str),
    /// The response does not belong to this request.
    #[error("the response does not belong to this request; begin again")]
    State,
    /// Too late.
    #[error("showing the card took too long; begin again")]
    TooLate,
    /// The wallet says that the person did not show a card.
    #[error("the wallet did not show a card: `{0}`")]
    Denied(String),
    /// The presentation as a whole: its signature, audience, nonce or times.
    #[error("the presentation is refused: {0}")]
    Presentation(&'static str),
    /// A credential by nobody who is trusted.
    #[error("the card was given by an issuer that is not trusted for it")]
    Issuer,
    /// A credential.
    #[error(transparent)]
    Credential(#[from] SdJwtError),
    /// An identifier of holder or issuer.
    #[error(transparent)]
    Did(#[from] DidError),
    /// Not valid yet or any more.
    #[error("the card is not valid at this time")]
    OutOfDate,
    /// The presenter does not hold the key the card was given to.
    #[error("the card belongs to another wallet")]
    Holder,
    /// What was shown is not what was asked.
    #[error("the wallet did not show what was asked: {0}")]
    Submission(&'static str),
    /// The card is on a list.
    #[error("the card was {}", match .0 { Purpose::Revocation => "revoked", Purpose::Suspension => "suspended" })]
    Status(Purpose),
    /// Whether it is on a list can't be told.
    #[error("whether the card is still good can't be told: {0}")]
    UnknownStatus(String),
}

impl From<StatusError> for VerifierError {
    fn from(error: StatusError) -> VerifierError {
        VerifierError::UnknownStatus(error.to_string())
    }
}

impl VerifierError {
    /// Whether the same presentation may be confirmed later.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        matches!(self, VerifierError::UnknownStatus(_))
    }
}
