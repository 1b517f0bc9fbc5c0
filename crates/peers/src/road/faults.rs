//! How the member misbehaves, for tests of refusal.

use super::pki::Issued;
use std::sync::{Arc, Mutex, PoisonError};

/// What is wrong with an answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyFault {
    /// Nothing.
    #[default]
    None,
    /// A byte every few seconds, without an end.
    Slow,
    /// The connection ends within the body.
    Truncated,
    /// A body that never ends, as fast as it is read.
    Endless,
    /// A declared length of 2 GiB.
    Declared,
}

/// How the member's gateway misbehaves.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// It states another hash of the request.
    pub wrong_hash: bool,
    /// It signs something else.
    pub bad_signature: bool,
    /// It does not sign.
    pub unsigned: bool,
    /// It signs with the certificate of another member.
    pub foreign_signature: bool,
    /// Its signatures are this many seconds old.
    pub late_s: i64,
    /// It answers under another message id.
    pub other_message: bool,
    /// It shows a TLS certificate that is out of date.
    pub outdated: bool,
    /// It shows this TLS certificate instead of its own.
    pub shows: Option<Issued>,
    /// It signs with this certificate instead of its own.
    pub signs: Option<Issued>,
    /// It refuses before it has read a body, without a hash of the request.
    pub hasty: bool,
    /// Its text of a refusal is followed by so many spaces.
    pub wordy: usize,
    /// It refuses every message with this type of fault.
    pub refuse: Option<String>,
    /// It refuses in this way without a signature.
    pub refuse_unsigned: bool,
    /// Its system answers with this status.
    pub status: Option<u16>,
    /// The body.
    pub body: BodyFault,
    /// The body is changed after it was signed.
    pub altered: bool,
    /// It never answers.
    pub silent: bool,
    /// The timestamp authority answers nobody.
    pub no_stamps: bool,
    /// It stamps something else than it was asked.
    pub other_stamps: bool,
}

/// The faults of now.
#[derive(Clone, Default)]
pub struct FaultSwitch(Arc<Mutex<Faults>>);

impl FaultSwitch {
    pub fn set(&self, faults: Faults) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    pub fn now(&self) -> Faults {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
