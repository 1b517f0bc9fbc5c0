//! The usage ledger (使用紀錄): who used whose data, when, for which purpose and case.
//!
//! Entries are chained: the hash of each covers the hash before it, so that none can be changed,
//! taken out, put in or moved without every later hash changing too, and none can be cut off the end
//! without falling short of a published [`Head`]. Texts that entries repeat stand once in a
//! dictionary; the hash covers the texts, not their numbers.
//!
//! Entries name fields and count records. They hold no value of any field, and the person concerned
//! appears as a keyed hash, so an entry may outlive the data it tells about.

mod append;
mod checkpoint;
mod hash;
mod merkle;
mod proof;
mod publish;
mod read;
mod scope;
mod transfer;
mod verify;
mod verify_file;

pub(crate) use append::{Chain, Words};
pub use append::{append, append_all};
pub use checkpoint::{Checkpoint, SigningKey, VerifyingKey};
pub use hash::Head;
pub use merkle::Hash;
pub use proof::{Proof, Proven, prove_entry, prove_extension};
pub use publish::{Publisher, published};
pub use read::{between, head, of_application, of_subject};
pub use scope::{Scope, Use, span, within};
pub use transfer::export;
#[cfg(feature = "testing")]
pub use transfer::generate;
pub(crate) use verify::verify_on;
pub use verify::{Fault, Published, Verified, verify};
pub use verify_file::verify_file;

use civic::Purpose;
use civic::ids::ApplicationId;
use jiff::Timestamp;
use uuid::Uuid;

/// Who used the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// A job of the platform itself.
    System,
    /// A member of staff.
    Staff,
    /// A resident: the person concerned or an agent.
    Resident,
    /// Another organisation: through an interface, or as the agent of a resident.
    Organisation,
}

impl ActorKind {
    /// Number in the table and in the hash; never changed.
    pub(crate) fn number(self) -> u8 {
        match self {
            ActorKind::System => 0,
            ActorKind::Staff => 1,
            ActorKind::Resident => 2,
            ActorKind::Organisation => 3,
        }
    }

    pub(crate) fn from_number(number: i64) -> Option<ActorKind> {
        match number {
            0 => Some(ActorKind::System),
            1 => Some(ActorKind::Staff),
            2 => Some(ActorKind::Resident),
            3 => Some(ActorKind::Organisation),
            _ => None,
        }
    }
}

/// One use of personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, to the microsecond.
    pub at: Timestamp,
    /// What kind of actor.
    pub actor: ActorKind,
    /// Staff or person id; absent for the platform itself.
    pub actor_id: Option<Uuid>,
    /// What was done, as an action of the access policies (`read_case`).
    pub action: String,
    /// What for: official code of the purpose (特定目的), legal basis, function.
    pub purpose: Purpose,
    /// The case it was done for.
    pub application: Option<ApplicationId>,
    /// The person concerned, as [`crate::seal::Seal::lookup`] gives it.
    pub subject: Option<[u8; 32]>,
    /// Names of the fields used.
    pub fields: Vec<String>,
    /// How many records were used.
    pub count: u64,
}

/// An entry with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Counted up from 1 without a gap.
    pub seq: u64,
    /// The entry.
    pub entry: Entry,
    /// Hash of this entry and all before it.
    pub hash: [u8; 32],
}

/// Stands between the parts of a dictionary text; never inside a part.
const SEPARATOR: char = '\u{1f}';

fn clean(part: &str) -> String {
    part.replace(|c: char| c.is_control(), " ")
}

/// A purpose as one text of the dictionary.
fn purpose_text(purpose: &Purpose) -> String {
    [&purpose.code, &purpose.basis, &purpose.function]
        .map(|part| clean(part))
        .join(&SEPARATOR.to_string())
}

fn purpose_of(text: &str, application: Option<ApplicationId>) -> Purpose {
    let mut parts = text.split(SEPARATOR).map(str::to_owned);
    Purpose {
        code: parts.next().unwrap_or_default(),
        basis: parts.next().unwrap_or_default(),
        function: parts.next().unwrap_or_default(),
        application,
    }
}

/// Field names as one text of the dictionary: sorted, so that one set has one text.
fn fields_text(fields: &[String]) -> String {
    let mut names: Vec<String> = fields.iter().map(|field| clean(field)).collect();
    names.sort();
    names.dedup();
    names.join(&SEPARATOR.to_string())
}

fn fields_of(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(SEPARATOR).map(str::to_owned).collect()
}
