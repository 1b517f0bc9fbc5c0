//! Who signed something: a certificate, its chain to a configured government root, its standing on the day, and its
//! signature (RFC 5280). One definition for data sets, sign-in by card and signatures by phone.

use super::algorithm::Algorithm;
use super::evidence::{Evidence, Standing};

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{
    EndEntityCert, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeIdIter, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert, ring,
};
use x509_cert::Certificate;
use x509_cert::der::asn1::{Any, BmpString, Ia5StringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::KeyUsage;

/// Algorithms of a chain. Shorter RSA keys than 2048 bits and SHA-1 are refused.
pub(super) static CHAIN_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P384_SHA384,
];

/// Most certificates of a chain that comes from outside.
const LONGEST_CHAIN: usize = 8;

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
    /// Withdrawn by its authority (CRL or OCSP).
    #[error("the certificate of `{0}` was revoked")]
    Revoked(String),
    /// No list and no answer of the authority speaks of it, or only ones that are out of date.
    #[error("whether the certificate of `{0}` is still good can't be told; fetch the authority's lists again")]
    UnknownStanding(String),
    /// Not a signature by this certificate over this content, or with an algorithm that is not accepted.
    #[error("the signature is not one of `{0}`")]
    UnknownSignature(String),
}

/// Who signed, as the certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Distinguished name of the certificate's holder (RFC 4514).
    pub subject: String,
    /// The values of that name, one by one and not escaped: organisation, unit, common name and so on.
    pub names: Vec<String>,
    /// Distinguished name of the authority.
    pub issuer: String,
    /// Serial number in hexadecimal, two digits a byte.
    pub serial: String,
    /// Last instant of the certificate.
    pub not_after: Timestamp,
}

/// Which of the two configured texts can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The roots.
    #[error("the roots: {0}")]
    Roots(String),
    /// The certificates between.
    #[error("the certificates between: {0}")]
    Intermediates(String),
}

/// The roots and the certificates between.
pub struct Trust {
    anchors: Vec<TrustAnchor<'static>>,
    roots: Vec<Certificate>,
    intermediates: Vec<CertificateDer<'static>>,
}

/// A certificate whose chain and standing were found good.
#[derive(Debug)]
pub(crate) struct Trusted {
    leaf: CertificateDer<'static>,
    /// Its names.
    pub signer: Signer,
}

impl Trusted {
    /// Checks a signature by this certificate over `message`.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), CertificateError> {
        let end = EndEntityCert::try_from(&self.leaf).map_err(|_| CertificateError::Unreadable)?;
        let is_good = algorithm
            .candidates()
            .iter()
            .any(|candidate| end.verify_signature(*candidate, message, signature).is_ok());
        if is_good {
            Ok(())
        } else {
            Err(CertificateError::UnknownSignature(self.signer.subject.clone()))
        }
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.leaf
    }
}

impl Trust {
    /// Reads PEM texts; says which of the two is wrong.
    ///
    /// # Errors
    ///
    /// [`TrustError`]; no root at all is an error too, because then everything would be refused.
    pub fn read(roots: &str, intermediates: &str) -> Result<Trust, TrustError> {
        let roots = pem(roots).map_err(TrustError::Roots)?;
        let anchors = roots
            .iter()
            .map(|der| anchor_from_trusted_cert(der).map(|anchor| anchor.to_owned()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| TrustError::Roots(error.to_string()))?;
        if anchors.is_empty() {
            let what = "no certificate in the text; without one everything signed is refused";
            return Err(TrustError::Roots(what.to_owned()));
        }
        let intermediates = pem(intermediates).map_err(TrustError::Intermediates)?;
        let roots = roots.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
        Ok(Trust {
            anchors,
            roots,
            intermediates,
        })
    }

    /// Checks that `certificate` (DER, or PEM with its chain) leads to a root at the time `now`, may sign, and signed
    /// `message` by RSA PKCS#1 v1.5 with SHA-256.
    pub(crate) fn verify(
        &self,
        certificate: &[u8],
        message: &[u8],
        signature: &[u8],
        now: Timestamp,
    ) -> Result<Signer, CertificateError> {
        let trusted = self.trusted(chain_of(certificate)?, None, now)?;
        trusted.verify(Algorithm::RsaPkcs1Sha256, message, signature)?;
        Ok(trusted.signer)
    }

    /// Checks that the first of `chain` (DER) leads to a root at the time `now`, over the others and the configured ones,
    /// and may sign. With `evidence` its standing is asked too: whatever it says against the certificate counts, and
    /// where it says nothing the certificate is refused unless the evidence allows that.
    pub(crate) fn trusted(
        &self,
        mut chain: Vec<CertificateDer<'static>>,
        evidence: Option<&Evidence>,
        now: Timestamp,
    ) -> Result<Trusted, CertificateError> {
        if chain.is_empty() || chain.len() > LONGEST_CHAIN {
            return Err(CertificateError::Unreadable);
        }
        let leaf = chain.remove(0);
        let parsed = Certificate::from_der(&leaf).map_err(|_| CertificateError::Unreadable)?;
        let signer = signer(&parsed)?;
        let end = EndEntityCert::try_from(&leaf).map_err(|_| CertificateError::Unreadable)?;
        chain.extend(self.intermediates.iter().cloned());
        let seconds = u64::try_from(now.as_second()).map_err(|_| CertificateError::Unreadable)?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let path = end
            .verify_for_usage(CHAIN_ALGORITHMS, &self.anchors, &chain, time, AnyPurpose, None, None)
            .map_err(|error| refusal(error, &signer.subject))?;
        if !may_sign(&parsed) {
            return Err(CertificateError::WrongPurpose(signer.subject));
        }
        if let Some(evidence) = evidence {
            let between = path.intermediate_certificates().next().map(|cert| cert.der());
            let issuers: Vec<Certificate> = match between {
                Some(der) => Certificate::from_der(&der).into_iter().collect(),
                // The anchor itself: its certificate is among the configured roots by name.
                None => {
                    let is_issuer =
                        |root: &&Certificate| root.tbs_certificate().subject() == parsed.tbs_certificate().issuer();
                    self.roots.iter().filter(is_issuer).cloned().collect()
                }
            };
            let standing = evidence.ask(&parsed, &issuers, now);
            if standing == Standing::Revoked {
                return Err(CertificateError::Revoked(signer.subject));
            }
            let lists: Vec<_> = evidence.lists().iter().collect();
            let policy = match standing == Standing::Good || !evidence.is_required() {
                true => UnknownStatusPolicy::Allow,
                false => UnknownStatusPolicy::Deny,
            };
            // Where nothing hangs on a list, an old one still says what was revoked.
            let expiration = match policy {
                UnknownStatusPolicy::Allow => ExpirationPolicy::Ignore,
                UnknownStatusPolicy::Deny => ExpirationPolicy::Enforce,
            };
            match RevocationOptionsBuilder::new(&lists) {
                Ok(options) => {
                    let options = options
                        .with_depth(RevocationCheckDepth::EndEntity)
                        .with_status_policy(policy)
                        .with_expiration_policy(expiration)
                        .build();
                    end.verify_for_usage(
                        CHAIN_ALGORITHMS,
                        &self.anchors,
                        &chain,
                        time,
                        AnyPurpose,
                        Some(options),
                        None,
                    )
                    .map_err(|error| refusal(error, &signer.subject))?;
                }
                Err(_) if policy == UnknownStatusPolicy::Deny => {
                    return Err(CertificateError::UnknownStanding(signer.subject));
                }
                Err(_) => {}
            }
        }
        Ok(Trusted { leaf, signer })
    }
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self
            .roots
            .iter()
            .map(|root| root.tbs_certificate().subject().to_string())
            .collect();
        formatter
            .debug_struct("Trust")
            .field("roots", &names)
            .finish_non_exhaustive()
    }
}

/// The certificates of a file: DER, or PEM with the chain after the certificate itself.
pub(crate) fn chain_of(certificate: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    match certificate.first() {
        Some(0x30) => Ok(vec![CertificateDer::from(certificate.to_vec())]),
        _ => pem(&String::from_utf8_lossy(certificate)).map_err(|_| CertificateError::Unreadable),
    }
}

/// Certificates of agencies (機關單位憑證) and persons (自然人憑證) are made for signing documents, not for TLS: their extended
/// purposes say nothing here. That it may sign is in its key usage.
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

/// A value of a name in one of the forms that names are written in (RFC 5280 section 4.1.2.4).
fn text(value: &Any) -> Option<String> {
    let utf8 = Utf8StringRef::try_from(value).map(|text| text.as_str().to_owned());
    utf8.or_else(|_| PrintableStringRef::try_from(value).map(|text| text.as_str().to_owned()))
        .or_else(|_| Ia5StringRef::try_from(value).map(|text| text.as_str().to_owned()))
        .or_else(|_| value.decode_as::<BmpString>().map(|text| text.to_string()))
        .ok()
}

/// The names of a certificate.
pub(super) fn signer(certificate: &Certificate) -> Result<Signer, CertificateError> {
    let content = certificate.tbs_certificate();
    let end = content.validity().not_after.to_unix_duration();
    let not_after = i64::try_from(end.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    Ok(Signer {
        subject: content.subject().to_string(),
        names: content.subject().iter().filter_map(|part| text(&part.value)).collect(),
        issuer: content.issuer().to_string(),
        // as a number: the byte that keeps it positive is none of its digits
        serial: hex::encode(match content.serial_number().as_bytes() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            bytes => bytes,
        }),
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
        webpki::Error::CertRevoked => CertificateError::Revoked(subject),
        webpki::Error::UnknownRevocationStatus
        | webpki::Error::CrlExpired { .. }
        | webpki::Error::InvalidCrlSignatureForPublicKey
        | webpki::Error::IssuerNotCrlSigner => CertificateError::UnknownStanding(subject),
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
