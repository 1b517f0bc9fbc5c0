//! What the hash of an entry covers: a fixed number of bytes, each value at its own place.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// Hash before the first entry.
pub(super) const START: [u8; 32] = [0; 32];

/// The end of the ledger at some moment. Published, it shows later that nothing was cut off.
/// Written as `seq:hash`, the hash in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last entry; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

impl Head {
    /// The end of a ledger without entries.
    pub const EMPTY: Head = Head { seq: 0, hash: START };
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, hex::encode(self.hash))
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Head, String> {
        let wrong = || "a ledger head is written `seq:hash`, the hash as 64 hexadecimal digits".to_owned();
        let (seq, hash) = text.trim().split_once(':').ok_or_else(wrong)?;
        let seq = seq.parse().map_err(|_| wrong())?;
        let bytes = hex::decode(hash).map_err(|_| wrong())?;
        Ok(Head {
            seq,
            hash: bytes.try_into().map_err(|_| wrong())?,
        })
    }
}

/// An entry as the hash sees it: texts by their own SHA-256.
pub(super) struct Canonical<'a> {
    pub seq: u64,
    pub at: i64,
    pub actor: u8,
    pub actor_id: Option<&'a [u8; 16]>,
    pub action: &'a [u8; 32],
    pub purpose: &'a [u8; 32],
    pub application: Option<&'a [u8; 16]>,
    pub subject: Option<&'a [u8; 32]>,
    pub fields: &'a [u8; 32],
    pub count: u64,
}

/// Length of the input: previous hash, seq, at, actor, three optional values each behind one byte
/// that says whether it is there, three texts, count.
const LENGTH: usize = 32 + 8 + 8 + 1 + 17 + 17 + 33 + 32 * 3 + 8;

/// Hash of an entry that follows an entry with the hash `previous`.
pub(super) fn chained(previous: &[u8; 32], entry: &Canonical<'_>) -> [u8; 32] {
    let mut input = Input {
        bytes: [0; LENGTH],
        filled: 0,
    };
    input.put(previous);
    input.put(&entry.seq.to_be_bytes());
    input.put(&entry.at.to_be_bytes());
    input.put(&[entry.actor]);
    input.optional(entry.actor_id);
    input.optional(entry.application);
    input.optional(entry.subject);
    input.put(entry.action);
    input.put(entry.purpose);
    input.put(entry.fields);
    input.put(&entry.count.to_be_bytes());
    Sha256::digest(input.bytes).into()
}

/// What is hashed, filled from the left. It stands on the stack: a hundred million of them are made in a row.
struct Input {
    bytes: [u8; LENGTH],
    filled: usize,
}

impl Input {
    fn put<const N: usize>(&mut self, value: &[u8; N]) {
        if let Some(place) = self.bytes.get_mut(self.filled..).and_then(<[u8]>::first_chunk_mut) {
            *place = *value;
        }
        self.filled += N;
    }

    fn optional<const N: usize>(&mut self, value: Option<&[u8; N]>) {
        self.put(&[u8::from(value.is_some())]);
        self.put(value.unwrap_or(&[0; N]));
    }
}

/// SHA-256 of a dictionary text.
pub(super) fn text(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
