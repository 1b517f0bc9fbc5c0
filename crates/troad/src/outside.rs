//! What other members send, read without a gateway: tests with random bytes call these, since nothing that comes over the road
//! may bring a panic.

use crate::dialect::Dialect;
use crate::exchange::{aimed_at, check_optional, head, is_id, last};
use crate::fault::Fault;
use crate::ids::MemberId;
use crate::signature::Proof;
use crate::target::Target;
use crate::timestamp::{self, StampError};
use hyper::Uri;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use pki::Trust;

/// Longest address that is read.
const URI: usize = 8 << 10;

/// Reads a call's path (the first line) and headers (a line each, `name: value`) as the provider's side does, up to the service it
/// names.
///
/// # Errors
/// The protocol's own refusal.
pub fn read_head(dialect: &Dialect, bytes: &[u8]) -> Result<String, Fault> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let uri = Uri::try_from(lines.next().unwrap_or_default()).map_err(|error| Fault::bad_request(error.to_string()))?;
    let mut headers = HeaderMap::new();
    for line in lines.take(100) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = HeaderName::from_bytes(parts.next().unwrap_or_default());
        let value = HeaderValue::from_bytes(parts.next().unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let names = &dialect.headers;
    if let Some(client) = last(&headers, &names.client.0)? {
        let client: Result<MemberId, _> = client.parse();
        client.map_err(|error| Fault::bad_request(error.to_string()))?;
    }
    for name in [&names.id.0, &names.request_id.0] {
        if !last(&headers, name)?.is_none_or(is_id) {
            return Err(Fault::bad_request("an id can't be read"));
        }
    }
    check_optional(dialect, &headers)?;
    aimed_at(dialect, &headers)?;
    let target =
        Target::read(&dialect.prefix, &uri, URI, |_| false).map_err(|error| Fault::bad_request(error.to_string()))?;
    target
        .refuse_repeated()
        .map_err(|error| Fault::bad_request(error.to_string()))?;
    let _ = head(dialect, "GET / HTTP/1.1", &headers);
    if let Some(proof) = last(&headers, &names.signature.0)? {
        let proof: Result<Proof, _> = proof.parse();
        proof.map_err(|error| Fault::bad_request(error.to_string()))?;
    }
    Ok(target.service.to_string())
}

/// Reads a timestamp token (RFC 3161) over `data`.
///
/// # Errors
/// [`StampError`]
pub fn read_stamp(token: &[u8], data: &[u8], trust: &Trust) -> Result<(), StampError> {
    timestamp::check(token, data, trust).map(|_| ())
}
