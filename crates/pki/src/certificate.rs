//! What stands in a certificate (RFC 5280 section 4), and why one is refused.

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::Certificate;
use x509_cert::der::asn1::{Any, BmpString, Ia5StringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{Decode, Encode};

/// Why a certificate or its signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not an X.509 certificate.
    #[error("the certificate can't be read")]
    Unreadable,
    /// Past its last instant. Of any certificate of the chain.
    #[error("the certificate expired at {0}")]
    Expired(Timestamp),
    /// Before its first instant. Of any certificate of the chain.
    #[error("the certificate is not valid before {0}")]
    NotYetValid(Timestamp),
    /// No chain to a configured root.
    #[error("the certificate does not lead to a configured root")]
    UnknownIssuer,
    /// A certificate of the chain was altered, or signed with another key.
    #[error("the certificate's chain holds a wrong signature")]
    WrongChainSignature,
    /// A certificate of the chain was signed with an algorithm that is not accepted.
    #[error("the certificate's chain is signed with an algorithm that is not accepted, such as SHA-1")]
    WeakAlgorithm,
    /// More authorities stand between certificate and root than one of them allows, or than any chain has.
    #[error("the certificate's chain is longer than its authorities allow")]
    PathTooLong,
    /// For something else: an authority's certificate, or one whose usages do not allow this.
    #[error("the certificate is for another purpose")]
    WrongPurpose,
    /// The chain is not acceptable for another reason.
    #[error("the certificate's chain is not acceptable: {0}")]
    Chain(String),
    /// Withdrawn by its authority.
    #[error("the certificate is revoked")]
    Revoked,
    /// Nothing current of its authority speaks of it.
    #[error("whether the certificate still stands can't be told; fetch the authority's revocation lists again")]
    UnknownStanding,
    /// Not a signature by this certificate over this content.
    #[error("the signature is not one by the certificate")]
    UnknownSignature,
}

/// What stands in a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 of its DER form.
    pub fingerprint: [u8; 32],
    /// Distinguished name of the holder (RFC 4514); of a person it is personal.
    pub subject: String,
    /// The values of that name, one by one and not escaped: organisation, unit, common name and so on.
    pub names: Vec<String>,
    /// Distinguished name of the authority.
    pub issuer: String,
    /// Serial number in hexadecimal, two digits a byte.
    pub serial: String,
    /// First instant.
    pub not_before: Timestamp,
    /// Last instant.
    pub not_after: Timestamp,
}

/// SHA-256 of a certificate's DER form.
#[must_use]
pub fn fingerprint(der: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, der).as_ref());
    out
}

/// Reads what stands in a certificate (DER). Nothing of it is believed yet.
///
/// # Errors
/// [`CertificateError::Unreadable`]
pub fn read(der: &[u8]) -> Result<(Facts, Certificate), CertificateError> {
    let certificate = Certificate::from_der(der).map_err(|_| CertificateError::Unreadable)?;
    let content = certificate.tbs_certificate();
    let at =
        |time: x509_cert::time::Time| instant(time.to_unix_duration().as_secs()).ok_or(CertificateError::Unreadable);
    let facts = Facts {
        fingerprint: fingerprint(der),
        subject: content.subject().to_string(),
        names: content.subject().iter().filter_map(|part| text(&part.value)).collect(),
        issuer: content.issuer().to_string(),
        // as a number: the byte that keeps it positive is none of its digits
        serial: hex::encode(match content.serial_number().as_bytes() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            bytes => bytes,
        }),
        not_before: at(content.validity().not_before)?,
        not_after: at(content.validity().not_after)?,
    };
    Ok((facts, certificate))
}

/// The instant so many seconds after 1970. `None` where no calendar has it.
pub(crate) fn instant(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// A value of a name in one of the forms that names are written in (RFC 5280 section 4.1.2.4).
fn text(value: &Any) -> Option<String> {
    let utf8 = Utf8StringRef::try_from(value).map(|text| text.as_str().to_owned());
    utf8.or_else(|_| PrintableStringRef::try_from(value).map(|text| text.as_str().to_owned()))
        .or_else(|_| Ia5StringRef::try_from(value).map(|text| text.as_str().to_owned()))
        .or_else(|_| value.decode_as::<BmpString>().map(|text| text.to_string()))
        .ok()
}

/// The certificates of a PEM text; none where it holds none.
///
/// # Errors
/// [`CertificateError::Unreadable`]
pub fn pem(text: &str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let found = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| CertificateError::Unreadable)?;
    for der in &found {
        Certificate::from_der(der)
            .and_then(|certificate| certificate.to_der())
            .map_err(|_| CertificateError::Unreadable)?;
    }
    Ok(found)
}

/// The certificates of a file: DER, or PEM with the chain after the certificate itself.
///
/// # Errors
/// [`CertificateError::Unreadable`]
pub fn chain_of(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    match file.first() {
        Some(0x30) => Ok(vec![CertificateDer::from(file.to_vec())]),
        _ => pem(&String::from_utf8_lossy(file)),
    }
}
