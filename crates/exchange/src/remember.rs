//! What the caller keeps so that nothing serves twice.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A key to keep until a time; a second appearance before that is a replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remember {
    /// SHA-256 in hexadecimal of what may be used once.
    pub key: String,
    /// From then on it may be forgotten: nothing with this key is accepted any more.
    pub until: Timestamp,
}
