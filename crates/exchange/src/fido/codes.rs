//! What the authority's codes mean for the person. A code is `0`, or `{interface}-{name}`, or a number.

use serde::{Deserialize, Serialize};

/// Why there is no result, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Not done yet: ask again.
    Pending,
    /// The ticket's time is over.
    Expired,
    /// The ticket was used before.
    Used,
    /// No such ticket.
    Unknown,
    /// The authority does not take the city's checksum.
    Checksum,
    /// Not the form of a national id.
    IdForm,
    /// The person or the phone is not enrolled.
    NotEnrolled,
    /// Another phone than the one named.
    Device,
    /// The city's service is not known or not allowed.
    Service,
    /// The text to sign is too long.
    TooLong,
    /// The time limit is out of bounds.
    TimeLimit,
    /// The phone's signature is not good.
    Signature,
    /// The person declined on the phone.
    Cancelled,
    /// The phone could not sign.
    PhoneFailed,
    /// The same transaction was sent before.
    Repeated,
    /// The push did not reach the phone.
    Push,
    /// The authority is out of order for the moment.
    Busy,
    /// A code that is not known here.
    Other,
}

impl Reason {
    /// What happened and what to do next, in one sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Reason::Pending => "the person has not confirmed yet; wait and ask again",
            Reason::Expired => "the time for confirming is over; begin again",
            Reason::Used => "this ticket was used before; begin again",
            Reason::Unknown => "the authority does not know this ticket; begin again",
            Reason::Checksum => "the authority refuses the city's checksum; the configured key or field order is wrong",
            Reason::IdForm => "the authority refuses the national id; check how it is written",
            Reason::NotEnrolled => "the phone is not enrolled with 行動自然人憑證; enrol it or sign in another way",
            Reason::Device => "the phone is another than the one named; choose the enrolled one",
            Reason::Service => "the authority does not know the city's service; check the registration",
            Reason::TooLong => "the text to sign is too long for the phone",
            Reason::TimeLimit => "the time limit must be between 30 and 600 seconds",
            Reason::Signature => "the phone's signature is not good; begin again",
            Reason::Cancelled => "the person declined on the phone",
            Reason::PhoneFailed => "the phone could not sign; begin again",
            Reason::Repeated => "this transaction was sent before; begin again with a new one",
            Reason::Push => "the message did not reach the phone; use the QR code or the app instead",
            Reason::Busy => "the authority is out of order now; try again later",
            Reason::Other => {
                "the authority refuses for a reason it does not explain; begin again or sign in another way"
            }
        }
    }

    /// The name pages use for their own sentence, such as `not-enrolled`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Reason::Pending => "pending",
            Reason::Expired => "expired",
            Reason::Used => "used",
            Reason::Unknown => "unknown",
            Reason::Checksum => "checksum",
            Reason::IdForm => "id-form",
            Reason::NotEnrolled => "not-enrolled",
            Reason::Device => "device",
            Reason::Service => "service",
            Reason::TooLong => "too-long",
            Reason::TimeLimit => "time-limit",
            Reason::Signature => "signature",
            Reason::Cancelled => "cancelled",
            Reason::PhoneFailed => "phone-failed",
            Reason::Repeated => "repeated",
            Reason::Push => "push",
            Reason::Busy => "busy",
            Reason::Other => "other",
        }
    }
}

/// The codes of the public digest: the name after the interface, or the beginning of one that ends in `_`.
pub(super) const KNOWN: [(&str, Reason); 23] = [
    ("SPTKTID_TXNLOG_NF", Reason::Pending),
    ("20002", Reason::Pending),
    ("20003", Reason::Pending),
    ("SPTKT_OVD", Reason::Expired),
    ("SPTKTID_SPTKT_RDM", Reason::Used),
    ("SPTKTID_SPTKT_NF", Reason::Unknown),
    ("INV_SP_CHECKSUM", Reason::Checksum),
    ("PM_IDN_FT_ERR", Reason::IdForm),
    ("IDNUM_USERPROF_NF", Reason::NotEnrolled),
    ("IDNUM_DEVPROF_NF", Reason::NotEnrolled),
    ("DEV_DESC_MISMATCH", Reason::Device),
    ("SPSVCID_NF", Reason::Service),
    ("SIGNDATA_LEN_LIMIT", Reason::TooLong),
    ("SPTKT_TIME_ORV", Reason::TimeLimit),
    ("PM_INV_SG", Reason::Signature),
    ("APP_USER_CANCEL", Reason::Cancelled),
    ("APP_SIGN_FAILURE", Reason::PhoneFailed),
    ("TXNLOG_INS_ERR", Reason::Repeated),
    ("PS_", Reason::Push),
    ("SYS_", Reason::Busy),
    ("DB_", Reason::Busy),
    ("500", Reason::Busy),
    ("503", Reason::Busy),
];
