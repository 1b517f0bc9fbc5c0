//! Timestamps (RFC 3161): asks an authority to stamp the manifest of a batch, and checks what it answers before it counts.

use crate::asn1::{MessageImprint, TimeStampReq, TimeStampResp, TstInfo};
use crate::body;
use crate::connect::Pool;
use der::asn1::{Any, Int, OctetString};
use der::oid::db::{rfc3161::ID_CT_TST_INFO, rfc5912::ID_SHA_256};
use der::{Decode, Encode};
use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::{Method, Request, StatusCode};
use jiff::Timestamp;
use pki::cms::{CmsError, Signed};
use pki::{Hash, Purpose, Revocation, Trust};
use std::time::Duration;
use x509_cert::spki::AlgorithmIdentifierOwned;

/// Largest answer of an authority, bytes.
const LARGEST: u64 = 256 << 10;

/// Why there is no timestamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// The authority can't be reached or answers with an HTTP error.
    #[error("the timestamp authority gives no answer: {0}")]
    Unreachable(String),
    /// It refuses.
    #[error("the timestamp authority refuses with status {0}")]
    Refused(u8),
    /// The answer is no token.
    #[error("the timestamp can't be read: {0}")]
    Unreadable(String),
    /// It stamps something else.
    #[error("the timestamp covers something else than was asked")]
    Other,
    /// The authority's signature, or its certificate.
    #[error("the timestamp can't be believed: {0}")]
    Signature(#[from] CmsError),
    /// Its time is far from ours.
    #[error("the timestamp's time is more than {0} seconds from this machine's")]
    Skew(i64),
}

impl From<der::Error> for StampError {
    fn from(error: der::Error) -> StampError {
        StampError::Unreadable(error.to_string())
    }
}

/// A checked token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its DER form: a CMS `ContentInfo`.
    pub der: Vec<u8>,
    /// The authority's time.
    pub time: Timestamp,
}

/// The request for a timestamp over `data`, and the nonce it must come back with.
///
/// # Errors
/// [`StampError::Unreadable`]
pub fn request(data: &[u8]) -> Result<(Vec<u8>, Int), StampError> {
    let mut random = *uuid::Uuid::new_v4().as_bytes();
    // positive and in its shortest form
    random[0] = (random[0] & 0x7f) | 0x40;
    let nonce = Int::new(&random)?;
    let request = TimeStampReq {
        version: 1,
        message_imprint: MessageImprint {
            hash_algorithm: AlgorithmIdentifierOwned {
                oid: ID_SHA_256,
                parameters: Some(Any::null()),
            },
            hashed_message: OctetString::new(Hash::Sha256.digest(data).as_ref().to_vec())?,
        },
        req_policy: None,
        nonce: Some(nonce.clone()),
        cert_req: true,
    };
    Ok((request.to_der()?, nonce))
}

/// Asks the authority at `url` for a timestamp over `data`.
///
/// # Errors
/// [`StampError`]
pub async fn ask(
    pool: &Pool,
    url: &url::Url,
    data: &[u8],
    trust: &Trust,
    now: Timestamp,
    skew_s: i64,
    within: Duration,
) -> Result<Token, StampError> {
    let unreachable = |why: String| StampError::Unreachable(why);
    let (body, nonce) = request(data)?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(url.as_str())
        .header(CONTENT_TYPE, "application/timestamp-query")
        .header(ACCEPT, "application/timestamp-reply")
        .body(body::full(body))
        .map_err(|error| unreachable(error.to_string()))?;
    let answer = pool
        .send(request, within)
        .await
        .map_err(|error| unreachable(format!("{error:?}")))?;
    if answer.status() != StatusCode::OK {
        return Err(unreachable(format!("HTTP status {}", answer.status().as_u16())));
    }
    let mut incoming = answer.into_body();
    let until = tokio::time::Instant::now() + within;
    let read = body::start(&mut incoming, LARGEST, LARGEST, within, until).await;
    let bytes = read.map_err(|error| unreachable(error.to_string()))?.joined();
    let response = TimeStampResp::from_der(&bytes)?;
    if response.status.status > 1 {
        return Err(StampError::Refused(response.status.status));
    }
    let token = response
        .time_stamp_token
        .ok_or_else(|| StampError::Unreadable("granted, but without a token".to_owned()))?
        .to_der()?;
    let (time, of) = check(&token, data, trust)?;
    if of.as_ref() != Some(&nonce) {
        return Err(StampError::Other);
    }
    if (time.as_second() - now.as_second()).abs() > skew_s {
        return Err(StampError::Skew(skew_s));
    }
    Ok(Token { der: token, time })
}

/// Checks a token over `data`: imprint, signature, the authority's certificate at the token's own time. Returns that time and
/// the nonce.
///
/// # Errors
/// [`StampError`]
pub fn check(token: &[u8], data: &[u8], trust: &Trust) -> Result<(Timestamp, Option<Int>), StampError> {
    let signed = Signed::read(token)?;
    let content = signed.content(ID_CT_TST_INFO).ok_or(StampError::Other)?;
    let stated = TstInfo::from_der(&content)?;
    let imprint = &stated.message_imprint;
    let hash = Hash::of(&imprint.hash_algorithm.oid).ok_or(StampError::Other)?;
    if hash.digest(data).as_ref() != imprint.hashed_message.as_bytes() {
        return Err(StampError::Other);
    }
    let time = stated.time();
    let time = time.ok_or_else(|| StampError::Unreadable("its time is none".to_owned()))?;
    // authorities between stand in the configuration, whatever the token carries
    let mut chain = signed.chain()?;
    chain.truncate(1);
    let trusted = trust.check(&chain, Purpose::TimeStamping, Revocation::default(), time);
    signed.verify(&trusted.map_err(CmsError::from)?, &content)?;
    Ok((time, stated.nonce))
}
