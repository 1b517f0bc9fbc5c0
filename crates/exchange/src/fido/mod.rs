//! 行動自然人憑證 (TW FidO) as service provider: the person confirms on the phone, or signs a text there.
//!
//! [`Service::ask`] asks for a ticket (SP-API-ATH-01, by QR code or by the app) or a push (ATH-03), [`Service::ask_batch`] for
//! several signatures at once (ATH-04); both give [`Waiting`], which the caller keeps. [`Service::poll`] asks for the result
//! (ATH-02), never more often than every 4 seconds. [`Service::device`] says whether somebody is enrolled (LF-01).
//! [`Service::web_form`] and [`Service::read_callback`] are the way over the authority's own page (WEB-01),
//! [`Service::app_link`] opens the app (APP-API-01).
//!
//! The interface is known from a public digest of its specification (v2.9). Addresses, the order of the joined fields and the
//! codes stand in [`Config`]; the order for WEB-01 is assumed.

mod calls;
mod checksum;
mod codes;
mod config;
mod operation;
mod signature;
mod ticket;
mod web;

pub use calls::{Device, Polled, Service, Waiting};
pub use codes::Reason;
pub use config::{Config, ConfigError, Orders};
pub use operation::{Ask, Hash, Mode, Operation, Proof, SignType, Signing};
pub use signature::{SignatureError, verify};
pub use ticket::{Ticket, TicketError};
pub use web::WebForm;

use crate::client::ClientError;

/// Why a call or its answer is of no use.
#[derive(Debug, thiserror::Error)]
pub enum FidoError {
    /// The request would be refused; nothing was sent.
    #[error("the request can't be made: {0}")]
    Request(&'static str),
    /// The authority says no; the reason tells what to do.
    #[error("{}", .0.sentence())]
    Refused(Reason),
    /// `idp_checksum` is not one made with the service's key over this answer.
    #[error("the answer's checksum is wrong: it was altered or comes from somebody else")]
    Checksum,
    /// The ticket in the answer is damaged or of another transaction.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// The answer speaks of another person than the ticket.
    #[error("the answer is for another person than was asked")]
    OtherPerson,
    /// The callback does not belong to this transaction.
    #[error("the callback does not belong to this transaction")]
    OtherTransaction,
    /// The answer is not what the interface says.
    #[error("the authority's answer can't be understood: {0}")]
    Answer(&'static str),
    /// Time is over: no result will come.
    #[error("the time for confirming is over; begin again")]
    TooLate,
    /// No connection, no answer in time, or a status that is none of the interface's.
    #[error("the authority can't be reached now: {0}")]
    Unreachable(String),
    /// The HTTP client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl FidoError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        matches!(self, FidoError::Unreachable(_) | FidoError::Refused(Reason::Busy))
    }
}
