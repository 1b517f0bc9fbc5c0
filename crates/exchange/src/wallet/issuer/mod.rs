//! Giving cards: OpenID4VCI with a pre-authorised code, in the early draft that the wallet implements (`c_nonce` from the token
//! endpoint), cards as SD-JWT VC.
//!
//! Everything is a function of a request and of what the caller kept, and gives the answer and what to keep next:
//! [`Issuer::offer`] → [`Offered`] → [`Issuer::handle_token`] → [`Granted`] → [`Issuer::handle_credential`] → [`Issued`]. What is
//! kept is found by a digest ([`Offered::key`], [`Granted::key`]), so that codes and tokens are not kept themselves. Lists of
//! revoked and suspended cards are [`crate::wallet::status_list::StatusList`].
//!
//! [`module`] is the other way: the issuer module of 數位發展部 speaks with the wallet.

mod config;
mod credential;
pub mod module;
mod offer;
mod token;

pub use config::{CardKind, Config, Field, Issuer, IssuerError};
pub use credential::{Content, CredentialRequest, Issued};
pub use offer::{Offer, Offered};
pub use token::{Granted, TokenRequest};

use serde_json::{Value, json};

/// A refusal in the protocol's words (RFC 6749 section 5.2, OpenID4VCI).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is not complete.
    #[error("the request lacks a field or can't be read")]
    InvalidRequest,
    /// Another grant than the pre-authorised code.
    #[error("only the pre-authorised code is granted")]
    UnsupportedGrantType,
    /// The code is unknown, used, out of time, or its PIN is wrong.
    #[error("the code is not good, or its PIN is wrong")]
    InvalidGrant,
    /// The access token is unknown, used or out of time.
    #[error("the access token is not good")]
    InvalidToken,
    /// Another card than was offered.
    #[error("this card was not offered")]
    UnsupportedCredentialType,
    /// The credential request can't be read.
    #[error("the credential request can't be read")]
    InvalidCredentialRequest,
    /// The proof that the wallet holds its key.
    #[error("the proof of the wallet's key is refused: {0}")]
    InvalidProof(&'static str),
    /// The card can't be made.
    #[error("the card can't be made now")]
    ServerError,
}

impl Refusal {
    /// The protocol's `error`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Refusal::InvalidRequest => "invalid_request",
            Refusal::UnsupportedGrantType => "unsupported_grant_type",
            Refusal::InvalidGrant => "invalid_grant",
            Refusal::InvalidToken => "invalid_token",
            Refusal::UnsupportedCredentialType => "unsupported_credential_type",
            Refusal::InvalidCredentialRequest => "invalid_credential_request",
            Refusal::InvalidProof(_) => "invalid_proof",
            Refusal::ServerError => "server_error",
        }
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Refusal::InvalidToken => 401,
            Refusal::ServerError => 500,
            _ => 400,
        }
    }

    /// The answer's body; `c_nonce` is the new one after a refused proof.
    #[must_use]
    pub fn body(self, c_nonce: Option<(&str, i64)>) -> Value {
        let mut body = json!({ "error": self.code(), "error_description": self.to_string() });
        if let (Some((nonce, seconds)), Some(body)) = (c_nonce, body.as_object_mut()) {
            body.insert("c_nonce".to_owned(), json!(nonce));
            body.insert("c_nonce_expires_in".to_owned(), json!(seconds));
        }
        body
    }
}
