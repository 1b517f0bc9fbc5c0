//! A record of an exchange, and the line it stands in.

use crate::canonical::{Digest, Hashed};
use crate::ids::{MemberId, ServiceId};
use crate::statement::{self, Direction, Message, Subject};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// On which side of an exchange this gateway was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// It called.
    Consumer,
    /// It was called.
    Provider,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Answered with a status under 400.
    Done,
    /// The provider's application answered with an error.
    Application,
    /// A fault of the caller's own side.
    Own,
    /// A fault of the road.
    Road,
    /// The answer's reader went away before its end.
    Aborted,
}

/// One message of an exchange: hashes, size, signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// SHA-512 of the headers in their one form, hexadecimal.
    pub headers: String,
    /// SHA-512 of the body, hexadecimal; none for no body.
    pub body: Option<String>,
    /// Size of the body.
    pub bytes: u64,
    /// Signature as it travelled.
    pub signature: Option<String>,
}

impl Part {
    /// Of what was seen.
    #[must_use]
    pub fn new(message: &Message, signature: Option<String>) -> Part {
        Part {
            headers: hex::encode(message.headers),
            body: message.body.digest.map(hex::encode),
            bytes: message.body.bytes,
            signature,
        }
    }

    /// The hashes again.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        let digest = |text: &str| -> Option<Digest> {
            let mut digest = [0; 64];
            hex::decode_to_slice(text, &mut digest).ok()?;
            Some(digest)
        };
        let body = match &self.body {
            None => None,
            Some(text) => Some(digest(text)?),
        };
        Some(Message {
            headers: digest(&self.headers)?,
            body: Hashed {
                digest: body,
                bytes: self.bytes,
            },
        })
    }
}

/// Where sealed content stands in the content file of the record's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// First byte.
    pub offset: u64,
    /// Length.
    pub length: u64,
}

/// One exchange. No content, no path, no query: the endpoint's pattern stands for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When the exchange began, milliseconds since 1970.
    pub time: i64,
    /// This gateway's side.
    pub side: Side,
    /// Who called; none where the message does not say it in a readable way.
    pub client: Option<MemberId>,
    /// What was called.
    pub service: Option<ServiceId>,
    /// HTTP method; empty where a connection was refused before its first message.
    pub method: String,
    /// Pattern of the endpoint.
    pub endpoint: Option<String>,
    /// Message id.
    pub id: String,
    /// Id of the exchange.
    pub request_id: String,
    /// Number of the agreement whose quota the call was counted on.
    pub agreement: Option<String>,
    /// The own side's system that called.
    pub system: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// Type of the fault.
    pub fault: Option<String>,
    /// Id of the fault for support.
    pub detail: Option<String>,
    /// The request.
    pub request: Option<Part>,
    /// The answer.
    pub response: Option<Part>,
    /// `X-Road-Request-Hash`.
    pub request_hash: Option<String>,
    /// From the first byte to the last, microseconds.
    pub latency_us: u64,
    /// Sealed content.
    pub content: Option<Content>,
}

impl Record {
    /// What the signature of a message of this exchange covers, and that signature; none where there is none.
    #[must_use]
    pub fn signed(&self, direction: Direction) -> Option<(String, String)> {
        let subject = Subject {
            client: self.client.clone()?,
            service: self.service.clone()?,
            id: self.id.clone(),
            request_id: self.request_id.clone(),
            method: self.method.clone(),
        };
        let (part, answer) = match direction {
            Direction::Request => (self.request.as_ref()?, None),
            Direction::Response => (
                self.response.as_ref()?,
                Some((self.status, self.request_hash.as_deref().unwrap_or("none"))),
            ),
        };
        let text = statement::text(direction, &subject, &part.message()?, answer);
        Some((text, part.signature.clone()?))
    }
}

/// A timestamp over a batch of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// When it came, milliseconds since 1970; the authority's own time stands in the token.
    pub time: i64,
    /// Sequence number of the first record of the batch.
    pub first: u64,
    /// Of the last.
    pub last: u64,
    /// Records in it.
    pub count: u64,
    /// Root of the tree over their lines, hexadecimal.
    pub root: String,
    /// The token (DER), Base64.
    pub token: String,
}

/// What a line says: a message (m) or a timestamp (t), as in X-Road's `discriminator`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// An exchange.
    #[serde(rename = "m")]
    Message(Box<Record>),
    /// A timestamp.
    #[serde(rename = "t")]
    Timestamp(Stamp),
}

/// A line of the log. The next line names its SHA-256.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Sequence number, from 1 without a gap.
    pub seq: u64,
    /// SHA-256 of the line before, hexadecimal; zeros for the first.
    pub previous: String,
    /// What it says.
    pub entry: Entry,
}

/// Milliseconds since 1970 as a time.
#[must_use]
pub fn at(time: i64) -> Timestamp {
    Timestamp::from_millisecond(time).unwrap_or(Timestamp::MIN)
}
