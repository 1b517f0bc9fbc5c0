//! What a gateway signs of a message: a short text that names the parties, the message and the hashes of headers and body.
//!
//! The text is made anew on each side from what was seen there; it is never sent. Where both saw the same, both have the same
//! text and the signature holds. It stands in the log and in the evidence, also where no content was kept.

use crate::canonical::{Digest, Hashed};
use crate::ids::{MemberId, ServiceId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Which of the two messages of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client.
    Request,
    /// From the provider.
    Response,
}

impl Direction {
    /// Its word in file names and texts.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Direction::Request => "request",
            Direction::Response => "response",
        }
    }
}

/// What is the same in both statements of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Who calls.
    pub client: MemberId,
    /// What is called.
    pub service: ServiceId,
    /// Message id.
    pub id: String,
    /// Id of the exchange.
    pub request_id: String,
    /// HTTP method.
    pub method: String,
}

/// Headers and body of one message by their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// SHA-512 of the headers in their one form.
    pub headers: Digest,
    /// The body.
    pub body: Hashed,
}

/// The text signed. `answer` is the status and the hash of the request it answers.
#[must_use]
pub fn text(direction: Direction, subject: &Subject, message: &Message, answer: Option<(u16, &str)>) -> String {
    let body = message.body.digest.map_or_else(|| "none".to_owned(), hex::encode);
    let mut text = String::with_capacity(800);
    let _ = write!(
        text,
        "message of the road, form 1\nkind: {}\nclient: {}\nservice: {}\nid: {}\nrequest-id: {}\nmethod: {}\n",
        direction.word(),
        subject.client,
        subject.service,
        subject.id,
        subject.request_id,
        subject.method
    );
    if let Some((status, request_hash)) = answer {
        let _ = write!(text, "status: {status}\nrequest-hash: {request_hash}\n");
    }
    let _ = write!(
        text,
        "headers-sha512: {}\nbody-sha512: {body}\nbody-bytes: {}\n",
        hex::encode(message.headers),
        message.body.bytes
    );
    text
}

/// The manifest of an ASiC-E container that names one file by its SHA-512 (ETSI EN 319 162-1 §A.4): what a signature or a
/// timestamp in such a container covers.
#[must_use]
pub fn manifest(signature: (&str, &str), file: &str, content: &[u8]) -> String {
    let (uri, kind) = signature;
    let digest = STANDARD.encode(crate::canonical::sha512(content));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<asic:ASiCManifest xmlns:asic=\"http://uri.etsi.org/02918/v1.2.1#\" \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><asic:SigReference URI=\"{uri}\" MimeType=\"{kind}\"/>\
         <asic:DataObjectReference URI=\"{file}\" MimeType=\"text/plain\"><ds:DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha512\"/><ds:DigestValue>{digest}</ds:DigestValue>\
         </asic:DataObjectReference></asic:ASiCManifest>\n"
    )
}

/// The manifest a message's signature covers.
#[must_use]
pub fn message_manifest(direction: Direction, statement: &str) -> String {
    let word = direction.word();
    manifest(
        (
            &format!("META-INF/signature-{word}.p7s"),
            "application/x-pkcs7-signature",
        ),
        &format!("{word}.txt"),
        statement.as_bytes(),
    )
}
