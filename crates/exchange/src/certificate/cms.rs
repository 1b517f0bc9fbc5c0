//! PKCS#7 signatures: CMS SignedData (RFC 5652) with one signer, over content that the caller knows.
//!
//! Everything is read strictly as DER and with bounds. A signature over attributes must name the type and the digest of the
//! content; without attributes it is over the content itself.

use super::algorithm::{Algorithm, Hash};
use super::evidence::Evidence;
use super::trust::{CertificateError, Trust, Trusted};
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Decode, Encode};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use subtle::ConstantTimeEq;
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectKeyIdentifier;

/// Most bytes of a signature with its certificates.
pub const LARGEST: usize = 64 << 10;
/// Most certificates beside it.
const MOST_CERTIFICATES: usize = 8;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");

/// Why a PKCS#7 signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// Larger than any signature over a short text.
    #[error("the signature is larger than {LARGEST} bytes")]
    TooLarge,
    /// Not DER of SignedData, or cut off.
    #[error("the signature is not a PKCS#7 SignedData in DER")]
    Form,
    /// No signer, or more than one.
    #[error("the signature must have one signer, it has {0}")]
    Signers(usize),
    /// More certificates than a chain has.
    #[error("the signature carries more than {MOST_CERTIFICATES} certificates")]
    Certificates,
    /// The signer's certificate is not inside.
    #[error("the signature does not carry the certificate of its signer")]
    NoCertificate,
    /// Signed something else.
    #[error("the signature is over other content")]
    OtherContent,
    /// SHA-1, an unknown algorithm, or parameters that are not the usual ones.
    #[error("the signature is made with an algorithm that is not accepted")]
    Algorithm,
    /// Attributes without content type or digest, or with two of them.
    #[error("the signed attributes are not complete")]
    Attributes,
    /// The certificate or the signature itself.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// Checks a PKCS#7 signature (DER) over `content`, whether it carries the content or not, and the signer's certificate by
/// `trust` at the time `now`.
pub(crate) fn verify(
    signature: &[u8],
    content: &[u8],
    trust: &Trust,
    evidence: Option<&Evidence>,
    now: Timestamp,
) -> Result<Trusted, CmsError> {
    let (data, signer) = read(signature)?;
    let inside = match &data.encap_content_info.econtent {
        Some(any) => Some(any.decode_as::<OctetString>().map_err(|_| CmsError::Form)?),
        None => None,
    };
    if inside.is_some_and(|inside| inside.as_bytes() != content) {
        return Err(CmsError::OtherContent);
    }
    let hash = Hash::of(&signer.digest_alg.oid).ok_or(CmsError::Algorithm)?;
    let algorithm = Algorithm::of(&signer.signature_algorithm, Some(hash)).ok_or(CmsError::Algorithm)?;
    let certificates: Vec<Certificate> = data
        .certificates
        .iter()
        .flat_map(|set| set.0.iter())
        .filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
            CertificateChoices::Other(_) => None,
        })
        .collect();
    if certificates.len() > MOST_CERTIFICATES {
        return Err(CmsError::Certificates);
    }
    let (own, others): (Vec<_>, Vec<_>) = certificates
        .into_iter()
        .partition(|certificate| is_of(&signer.sid, certificate));
    let own = own.first().ok_or(CmsError::NoCertificate)?;
    let chain = std::iter::once(own)
        .chain(&others)
        .map(|certificate| certificate.to_der().map(CertificateDer::from))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| CmsError::Form)?;
    let trusted = trust.trusted(chain, evidence, now)?;
    let message = signed_message(&data, &signer, hash, content)?;
    trusted.verify(algorithm, &message, signer.signature.as_bytes())?;
    Ok(trusted)
}

/// Reads the form alone: for fuzzing and for naming what is wrong before anything is believed.
///
/// # Errors
///
/// [`CmsError::TooLarge`], [`CmsError::Form`], [`CmsError::Signers`].
pub fn check_form(signature: &[u8]) -> Result<(), CmsError> {
    read(signature).map(|_| ())
}

fn read(signature: &[u8]) -> Result<(SignedData, SignerInfo), CmsError> {
    if signature.len() > LARGEST {
        return Err(CmsError::TooLarge);
    }
    let info = ContentInfo::from_der(signature).map_err(|_| CmsError::Form)?;
    if info.content_type != SIGNED_DATA {
        return Err(CmsError::Form);
    }
    let data: SignedData = info.content.decode_as().map_err(|_| CmsError::Form)?;
    let count = data.signer_infos.0.len();
    let signer = data.signer_infos.0.iter().next().cloned();
    match signer {
        Some(signer) if count == 1 => Ok((data, signer)),
        _ => Err(CmsError::Signers(count)),
    }
}

fn is_of(id: &SignerIdentifier, certificate: &Certificate) -> bool {
    let content = certificate.tbs_certificate();
    match id {
        SignerIdentifier::IssuerAndSerialNumber(id) => {
            id.issuer == *content.issuer() && id.serial_number == *content.serial_number()
        }
        SignerIdentifier::SubjectKeyIdentifier(id) => matches!(
            content.get_extension::<SubjectKeyIdentifier>(),
            Ok(Some((_, found))) if found == *id
        ),
    }
}

/// What the signature is over (RFC 5652 section 5.4): the attributes as a set, or the content.
fn signed_message(data: &SignedData, signer: &SignerInfo, hash: Hash, content: &[u8]) -> Result<Vec<u8>, CmsError> {
    let kind = data.encap_content_info.econtent_type;
    let Some(attributes) = &signer.signed_attrs else {
        return match kind == DATA {
            true => Ok(content.to_vec()),
            false => Err(CmsError::Attributes),
        };
    };
    let single = |oid: ObjectIdentifier| {
        let mut found = attributes.iter().filter(|attribute| attribute.oid == oid);
        let values = &found.next()?.values;
        (found.next().is_none() && values.len() == 1)
            .then(|| values.iter().next())
            .flatten()
    };
    let named: ObjectIdentifier = single(CONTENT_TYPE)
        .and_then(|value| value.decode_as().ok())
        .ok_or(CmsError::Attributes)?;
    let digest: OctetString = single(MESSAGE_DIGEST)
        .and_then(|value| value.decode_as().ok())
        .ok_or(CmsError::Attributes)?;
    if named != kind {
        return Err(CmsError::Attributes);
    }
    if !bool::from(digest.as_bytes().ct_eq(&hash.digest(content))) {
        return Err(CmsError::OtherContent);
    }
    attributes.to_der().map_err(|_| CmsError::Form)
}
