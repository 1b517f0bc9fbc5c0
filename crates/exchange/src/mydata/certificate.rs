//! Who signed a data set: the provider's certificate, its chain to a government root, and its signature.

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert, ring};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::KeyUsage;

/// Algorithms of a chain. Shorter RSA keys than 2048 bits and SHA-1 are refused.
static CHAIN_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P384_SHA384,
];

/// Why a certificate or its signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not an X.509 certificate.
    #[error("the certificate can't be read")]
    Unreadable,
    /// Past its last day.
    #[error("the certificate of `{subject}` expired at {not_after}")]
    Expired {
        /// Name of the holder.
        subject: String,
        /// Its end.
        not_after: Timestamp,
    },
    /// Before its first day.
    #[error("the certificate of `{subject}` is not valid before {not_before}")]
    NotYetValid {
        /// Name of the holder.
        subject: String,
        /// Its start.
        not_before: Timestamp,
    },
    /// No chain to a configured government root.
    #[error("the certificate of `{0}` does not lead to a configured government root")]
    UnknownIssuer(String),
    /// A certificate of the chain was altered, or signed with another key.
    #[error("the chain of the certificate of `{0}` holds a wrong signature")]
    WrongChainSignature(String),
    /// A chain for another purpose: an authority's certificate, or one that may not sign.
    #[error("the certificate of `{0}` may not sign data")]
    WrongPurpose(String),
    /// The chain is not acceptable for another reason.
    #[error("the chain of the certificate of `{subject}` is not acceptable: {what}")]
    Chain {
        /// Name of the holder.
        subject: String,
        /// What the check found.
        what: String,
    },
    /// Of another agency than the one that provides this data set.
    #[error("the data set `{resource}` is signed by `{subject}`, which is not its provider")]
    WrongSigner {
        /// The data set.
        resource: String,
        /// Name of the holder.
        subject: String,
    },
    /// The signature is not RSA PKCS#1 v1.5 with SHA-256 by this certificate over the manifest.
    #[error("the signature of the manifest is not one of `{0}`")]
    UnknownSignature(String),
}

/// The agency that signed a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Distinguished name of the certificate's holder (RFC 4514).
    pub subject: String,
    /// Serial number in hexadecimal.
    pub serial: String,
    /// Last instant of the certificate.
    pub not_after: Timestamp,
}

/// The roots and the certificates between.
pub(super) struct Trust {
    anchors: Vec<TrustAnchor<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Reads PEM texts; says which of the two is wrong.
    pub fn read(roots: &str, intermediates: &str) -> Result<Trust, (&'static str, String)> {
        let anchors = pem(roots)
            .map_err(|what| ("government_roots", what))?
            .iter()
            .map(|der| anchor_from_trusted_cert(der).map(|anchor| anchor.to_owned()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| ("government_roots", error.to_string()))?;
        if anchors.is_empty() {
            return Err((
                "government_roots",
                "no certificate in the text; without one every package is refused".to_owned(),
            ));
        }
        let intermediates = pem(intermediates).map_err(|what| ("intermediates", what))?;
        Ok(Trust { anchors, intermediates })
    }

    /// Checks that `certificate` (DER, or PEM with its chain) leads to a root at the time `now`, may sign, and signed
    /// `message`.
    pub fn verify(
        &self,
        certificate: &[u8],
        message: &[u8],
        signature: &[u8],
        now: Timestamp,
    ) -> Result<Signer, CertificateError> {
        let mut chain = match certificate.first() {
            Some(0x30) => vec![CertificateDer::from(certificate.to_vec())],
            _ => pem(&String::from_utf8_lossy(certificate)).map_err(|_| CertificateError::Unreadable)?,
        };
        if chain.is_empty() || chain.len() > 8 {
            return Err(CertificateError::Unreadable);
        }
        let leaf = chain.remove(0);
        let parsed = Certificate::from_der(&leaf).map_err(|_| CertificateError::Unreadable)?;
        let signer = signer(&parsed)?;
        let end = EndEntityCert::try_from(&leaf).map_err(|_| CertificateError::Unreadable)?;
        chain.extend(self.intermediates.iter().cloned());
        let seconds = u64::try_from(now.as_second()).map_err(|_| CertificateError::Unreadable)?;
        end.verify_for_usage(
            CHAIN_ALGORITHMS,
            &self.anchors,
            &chain,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            AnyPurpose,
            None,
            None,
        )
        .map_err(|error| refusal(error, &signer.subject))?;
        if !may_sign(&parsed) {
            return Err(CertificateError::WrongPurpose(signer.subject));
        }
        end.verify_signature(ring::RSA_PKCS1_2048_8192_SHA256, message, signature)
            .map_err(|_| CertificateError::UnknownSignature(signer.subject.clone()))?;
        Ok(signer)
    }
}

/// A data provider's certificate (機關單位憑證) is made for signing documents, not for TLS: its extended purposes say
/// nothing here. That it may sign is in its key usage.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// Whether the key usage, if it is stated, allows signatures over data.
fn may_sign(certificate: &Certificate) -> bool {
    match certificate.tbs_certificate().get_extension::<KeyUsage>() {
        Ok(Some((_, usage))) => usage.digital_signature() || usage.non_repudiation(),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// The names of a certificate.
fn signer(certificate: &Certificate) -> Result<Signer, CertificateError> {
    let content = certificate.tbs_certificate();
    let end = content.validity().not_after.to_unix_duration();
    let not_after = i64::try_from(end.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    Ok(Signer {
        subject: content.subject().to_string(),
        serial: hex::encode(content.serial_number().as_bytes()),
        not_after: not_after.ok_or(CertificateError::Unreadable)?,
    })
}

/// The refusal of a chain in our words.
fn refusal(error: webpki::Error, subject: &str) -> CertificateError {
    let subject = subject.to_owned();
    let at = |time: UnixTime| {
        i64::try_from(time.as_secs())
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .unwrap_or(Timestamp::MAX)
    };
    match error {
        webpki::Error::CertExpired { not_after, .. } => CertificateError::Expired {
            subject,
            not_after: at(not_after),
        },
        webpki::Error::CertNotValidYet { not_before, .. } => CertificateError::NotYetValid {
            subject,
            not_before: at(not_before),
        },
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer(subject),
        webpki::Error::InvalidSignatureForPublicKey => CertificateError::WrongChainSignature(subject),
        webpki::Error::CaUsedAsEndEntity | webpki::Error::EndEntityUsedAsCa => CertificateError::WrongPurpose(subject),
        other => CertificateError::Chain {
            subject,
            what: format!("{other:?}"),
        },
    }
}

/// The certificates of a PEM text.
fn pem(text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    for der in &certificates {
        Certificate::from_der(der)
            .and_then(|certificate| certificate.to_der())
            .map_err(|error| error.to_string())?;
    }
    Ok(certificates)
}
