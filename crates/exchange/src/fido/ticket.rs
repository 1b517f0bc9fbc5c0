//! `sp_ticket`: two parts in Base64url, a JSON object and its SHA-256. There is no secret in it, so it proves nothing by
//! itself; what makes it believable is the checksum of the answer it came in.

use super::operation::Operation;
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Most bytes of a ticket.
const LARGEST: usize = 16 << 10;

/// Why a ticket is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Longer than any ticket.
    #[error("the ticket is larger than {LARGEST} bytes")]
    TooLarge,
    /// Not two parts of Base64url with the agreed JSON.
    #[error("the ticket can't be read")]
    Form,
    /// The second part is not the digest of the first.
    #[error("the ticket was altered")]
    Altered,
    /// Of another transaction, service or operation than was asked.
    #[error("the ticket is of another transaction")]
    Other,
}

/// A ticket's content. `Debug` is empty.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Ticket {
    /// The transaction it was asked with.
    pub transaction_id: String,
    /// The operation.
    pub op_code: Operation,
    /// The service.
    pub sp_service_id: String,
    /// Its name, for ATH-02.
    pub sp_ticket_id: String,
    /// The authority's digest of the national id.
    #[serde(default)]
    pub hashed_id_num: String,
    /// Its end, in the authority's words.
    #[serde(default)]
    pub expiration_time: String,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Ticket")
    }
}

impl Ticket {
    /// Reads a ticket and checks its digest.
    ///
    /// # Errors
    ///
    /// [`TicketError`].
    pub fn parse(text: &str) -> Result<Ticket, TicketError> {
        if text.len() > LARGEST {
            return Err(TicketError::TooLarge);
        }
        let (content, digest) = text.split_once('.').ok_or(TicketError::Form)?;
        let decode = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part)
                .or_else(|_| URL_SAFE.decode(part))
                .map_err(|_| TicketError::Form)
        };
        let found = decode(digest)?;
        if !bool::from(Sha256::digest(content.as_bytes()).as_slice().ct_eq(&found)) {
            return Err(TicketError::Altered);
        }
        serde_json::from_slice(&decode(content)?).map_err(|_| TicketError::Form)
    }
}
