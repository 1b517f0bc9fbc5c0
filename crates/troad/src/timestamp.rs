//! Timestamps (RFC 3161): asks an authority to stamp the manifest of a batch, and checks what it answers before it counts.

use crate::asn1::{
    CONTENT_TYPE as CONTENT_TYPE_ATTRIBUTE, MESSAGE_DIGEST, MessageImprint, SHA_256, SHA_384, SHA_512, SIGNED_DATA,
    TST_INFO, TimeStampReq, TimeStampResp, TstInfo,
};
use crate::body;
use crate::certificates::{CertificateError, Purpose, Trust};
use crate::connect::Pool;
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier};
use der::asn1::{Any, Int, ObjectIdentifier, OctetString};
use der::{Decode, Encode};
use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::{Method, Request, StatusCode};
use jiff::Timestamp;
use ring::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use ring::signature as keys;
use rustls::pki_types::CertificateDer;
use std::time::Duration;
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectKeyIdentifier;
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
    /// Its signature is wrong.
    #[error("the timestamp's signature is wrong")]
    Signature,
    /// Its certificate does not serve.
    #[error("the timestamp authority's certificate does not serve: {0}")]
    Certificate(#[from] CertificateError),
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
                oid: SHA_256,
                parameters: Some(Any::null()),
            },
            hashed_message: OctetString::new(digest(&SHA256, data).as_ref().to_vec())?,
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
    let unreadable = |what: &str| StampError::Unreadable(what.to_owned());
    let info = ContentInfo::from_der(token)?;
    if info.content_type != SIGNED_DATA {
        return Err(unreadable("it is not signed"));
    }
    let signed: SignedData = info.content.decode_as()?;
    if signed.encap_content_info.econtent_type != TST_INFO {
        return Err(unreadable("it holds something else"));
    }
    let content = signed.encap_content_info.econtent.as_ref();
    let content = content.ok_or_else(|| unreadable("it is empty"))?.value();
    let stated = TstInfo::from_der(content)?;
    let imprint = &stated.message_imprint;
    let hash = hash_of(imprint.hash_algorithm.oid).ok_or(StampError::Other)?;
    if digest(hash, data).as_ref() != imprint.hashed_message.as_bytes() {
        return Err(StampError::Other);
    }
    let [signer] = signed.signer_infos.0.as_slice() else {
        return Err(unreadable("it must have one signature"));
    };
    let certificates = signed
        .certificates
        .as_ref()
        .map(|set| set.0.as_slice())
        .unwrap_or_default();
    let certificate = certificates
        .iter()
        .find_map(|one| match one {
            CertificateChoices::Certificate(certificate) if is_signer(&signer.sid, certificate) => Some(certificate),
            _ => None,
        })
        .ok_or_else(|| unreadable("the authority's certificate is not in it"))?;
    let attributes = signer.signed_attrs.as_ref().ok_or(StampError::Signature)?;
    let attribute = |oid: ObjectIdentifier| {
        let found = attributes.iter().find(|attribute| attribute.oid == oid);
        found.and_then(|attribute| attribute.values.iter().next())
    };
    // what is signed must itself say that it is a timestamp (RFC 5652 §11.1), or a signature over other content would serve
    let kind = attribute(CONTENT_TYPE_ATTRIBUTE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
    if kind != Some(TST_INFO) {
        return Err(StampError::Signature);
    }
    let stated_digest = attribute(MESSAGE_DIGEST)
        .and_then(|value| value.decode_as::<OctetString>().ok())
        .ok_or(StampError::Signature)?;
    let hash = hash_of(signer.digest_alg.oid).ok_or(StampError::Signature)?;
    if digest(hash, content).as_ref() != stated_digest.as_bytes() {
        return Err(StampError::Signature);
    }
    let algorithm = algorithm(signer.signature_algorithm.oid, hash, certificate).ok_or(StampError::Signature)?;
    let key = certificate.tbs_certificate().subject_public_key_info();
    let key = key.subject_public_key.as_bytes().ok_or(StampError::Signature)?;
    keys::UnparsedPublicKey::new(algorithm, key)
        .verify(&attributes.to_der()?, signer.signature.as_bytes())
        .map_err(|_| StampError::Signature)?;
    let time = stated.time().ok_or_else(|| unreadable("its time is none"))?;
    trust.check(
        &CertificateDer::from(certificate.to_der()?),
        Purpose::TimeStamping,
        time,
    )?;
    Ok((time, stated.nonce))
}

fn is_signer(id: &SignerIdentifier, certificate: &Certificate) -> bool {
    let content = certificate.tbs_certificate();
    match id {
        SignerIdentifier::IssuerAndSerialNumber(named) => {
            named.issuer == *content.issuer() && named.serial_number == *content.serial_number()
        }
        SignerIdentifier::SubjectKeyIdentifier(named) => {
            matches!(content.get_extension::<SubjectKeyIdentifier>(), Ok(Some((_, of))) if of == *named)
        }
    }
}

fn hash_of(oid: ObjectIdentifier) -> Option<&'static Algorithm> {
    match oid {
        SHA_256 => Some(&SHA256),
        SHA_384 => Some(&SHA384),
        SHA_512 => Some(&SHA512),
        _ => None,
    }
}

/// The verification for a signature's algorithm: RSA or ECDSA, with the hash it names or, for plain `rsaEncryption`, the one of
/// the digest.
fn algorithm(
    oid: ObjectIdentifier,
    hash: &'static Algorithm,
    certificate: &Certificate,
) -> Option<&'static dyn keys::VerificationAlgorithm> {
    let curve = certificate
        .tbs_certificate()
        .subject_public_key_info()
        .algorithm
        .parameters
        .as_ref();
    let curve = curve
        .and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok())
        .map(|oid| oid.to_string());
    let is_p384 = curve.as_deref() == Some("1.3.132.0.34");
    let rsa = |hash: &'static Algorithm| -> Option<&'static dyn keys::VerificationAlgorithm> {
        match () {
            () if *hash == SHA256 => Some(&keys::RSA_PKCS1_2048_8192_SHA256),
            () if *hash == SHA384 => Some(&keys::RSA_PKCS1_2048_8192_SHA384),
            () => Some(&keys::RSA_PKCS1_2048_8192_SHA512),
        }
    };
    match (oid.to_string().as_str(), is_p384) {
        ("1.2.840.113549.1.1.1", _) => rsa(hash),
        ("1.2.840.113549.1.1.11", _) => rsa(&SHA256),
        ("1.2.840.113549.1.1.12", _) => rsa(&SHA384),
        ("1.2.840.113549.1.1.13", _) => rsa(&SHA512),
        ("1.2.840.10045.4.3.2", false) => Some(&keys::ECDSA_P256_SHA256_ASN1),
        ("1.2.840.10045.4.3.2", true) => Some(&keys::ECDSA_P384_SHA256_ASN1),
        ("1.2.840.10045.4.3.3", false) => Some(&keys::ECDSA_P256_SHA384_ASN1),
        ("1.2.840.10045.4.3.3", true) => Some(&keys::ECDSA_P384_SHA384_ASN1),
        _ => None,
    }
}
