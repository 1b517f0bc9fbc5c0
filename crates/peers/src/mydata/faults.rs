//! How the platform misbehaves, or is set up otherwise than usual, for tests of refusal.

use std::sync::{Arc, Mutex, PoisonError};

/// How the platform misbehaves, for tests of refusal.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Data sets whose agency fails after the consent (they come back in `unable_to_deliver`).
    pub unavailable: Vec<String>,
    /// Data sets known to be out of order beforehand: status `00`, and code 504 before the citizen sees a page.
    pub faulty: Vec<String>,
    /// No data set is approved for the service (code 403).
    pub nothing_approved: bool,
    /// The operators have disabled the service (code 423).
    pub disabled: bool,
    /// The city's address is not on the list of callers (401 of the fetch and the checks).
    pub unlisted: bool,
    /// The file of a data set is changed after it was signed.
    pub altered: bool,
    /// The envelope is made with another key than the notification names.
    pub wrong_key: bool,
    /// The agency's certificate is out of date.
    pub expired: bool,
    /// A file unpacks to a thousand times its size.
    pub bomb: bool,
    /// The agencies write the names in their ZIPs with a backslash, as one of them does.
    pub backslash: bool,
    /// The notification shows another API key.
    pub forged: bool,
    /// The token of a call for the city's data set is of another platform.
    pub forged_token: bool,
    /// The platform does not vouch for the national id of a token.
    pub unverified: bool,
    /// The notification is sent a second time with another ticket.
    pub replayed: bool,
    /// The notification is sent a second time as it was.
    pub repeated: bool,
    /// The notification names a ticket that the platform never gave.
    pub wrong_ticket: bool,
    /// The ticket is not known any more when the package is fetched (403).
    pub gone: bool,
    /// Somebody else has fetched the package before (201).
    pub taken: bool,
    /// The fetch gives an envelope of 8 MiB.
    pub oversize: bool,
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
