//! The headers of a message as both gateways see them, whatever the HTTP libraries between did to order and case; and the
//! hashes over them.
//!
//! Form: the start line, then every end-to-end header as `name: value`, names in lower case and sorted, values of one name in
//! their order, each line ended by CR LF.

use crate::dialect::Dialect;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{self, HeaderMap, HeaderName};
use ring::digest::{Context, SHA512, digest};

/// A SHA-512.
pub type Digest = [u8; 64];

/// Headers of one connection, or made anew by every gateway.
const ONE_HOP: &[HeaderName] = &[
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::HOST,
    header::USER_AGENT,
    header::SERVER,
    header::DATE,
    header::CONTENT_LENGTH,
    header::EXPECT,
];

/// The same as plain names, for two without a constant.
const ONE_HOP_NAMES: &[&str] = &["keep-alive", "proxy-connection"];

/// Removes what belongs to one connection (RFC 9110 §7.6.1), and names of one's own server and client.
pub fn strip_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .collect();
    for name in ONE_HOP.iter().chain(&named) {
        headers.remove(name);
    }
    for name in ONE_HOP_NAMES {
        headers.remove(*name);
    }
}

/// Start line and headers in their one form. The signature and the own side's key are no part of it.
#[must_use]
pub fn text(dialect: &Dialect, start: &str, headers: &HeaderMap) -> Vec<u8> {
    let names = &dialect.headers;
    let mut lines: Vec<(&str, &[u8])> = headers
        .iter()
        .filter(|(name, _)| **name != names.signature.0 && **name != names.key.0)
        .filter(|(name, _)| !ONE_HOP.contains(name) && !ONE_HOP_NAMES.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.as_bytes().trim_ascii()))
        .collect();
    lines.sort_by_key(|(name, _)| *name);
    let mut text = Vec::with_capacity(1024);
    text.extend_from_slice(start.as_bytes());
    text.extend_from_slice(b"\r\n");
    for (name, value) in lines {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value);
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// SHA-512 of bytes.
#[must_use]
pub fn sha512(bytes: &[u8]) -> Digest {
    fixed(digest(&SHA512, bytes).as_ref())
}

/// A running SHA-512 that counts.
#[derive(Clone)]
pub struct Running {
    context: Context,
    /// Bytes so far.
    pub bytes: u64,
}

impl Default for Running {
    fn default() -> Running {
        Running {
            context: Context::new(&SHA512),
            bytes: 0,
        }
    }
}

impl Running {
    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
    }

    /// The digest of a body; none where there was no byte.
    #[must_use]
    pub fn finish(self) -> Hashed {
        Hashed {
            digest: (self.bytes > 0).then(|| fixed(self.context.finish().as_ref())),
            bytes: self.bytes,
        }
    }
}

/// Digest and size of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hashed {
    /// SHA-512; none for no body.
    pub digest: Option<Digest>,
    /// Size.
    pub bytes: u64,
}

fn fixed(bytes: &[u8]) -> Digest {
    let mut out = [0; 64];
    if bytes.len() == out.len() {
        out.copy_from_slice(bytes);
    }
    out
}

/// `X-Road-Request-Hash`: Base64 of SHA-512(SHA-512(headers) ‖ SHA-512(body)); without a body of SHA-512(headers).
#[must_use]
pub fn request_hash(headers: &Digest, body: &Hashed) -> String {
    let whole = match &body.digest {
        None => *headers,
        Some(body) => {
            let mut running = Running::default();
            running.update(headers);
            running.update(body);
            running.finish().digest.unwrap_or(*headers)
        }
    };
    STANDARD.encode(whole)
}
