//! Certificates of members: their chain to a configured government root (GCA), their time, their purpose, their revocation.

use der::{Decode, Encode};
use jiff::Timestamp;
use ring::signature as keys;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
};
use std::time::Duration;
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage,
    OwnedCertRevocationList, RequiredEkuNotFoundContext, RevocationCheckDepth, RevocationOptionsBuilder,
    UnknownStatusPolicy, anchor_from_trusted_cert, ring as algorithms,
};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{self, ExtendedKeyUsage};

/// Algorithms of a chain. RSA keys under 2048 bits and SHA-1 are refused.
static CHAIN_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

/// Extended key usages, as numbers.
const CLIENT_AUTH: &[usize] = &[1, 3, 6, 1, 5, 5, 7, 3, 2];
const SERVER_AUTH: &[usize] = &[1, 3, 6, 1, 5, 5, 7, 3, 1];
const TIME_STAMPING: &[usize] = &[1, 3, 6, 1, 5, 5, 7, 3, 8];
/// What a certificate that states purposes may state to sign messages: e-mail protection, document signing (RFC 9336), any.
const SIGNING: &[&[usize]] = &[
    &[1, 3, 6, 1, 5, 5, 7, 3, 4],
    &[1, 3, 6, 1, 5, 5, 7, 3, 36],
    &[2, 5, 29, 37, 0],
];

/// What a certificate is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A gateway calls another.
    ClientAuthentication,
    /// A gateway is called.
    ServerAuthentication,
    /// Messages are signed.
    Signing,
    /// Timestamps are signed; the usage must be stated (RFC 3161 §2.3).
    TimeStamping,
}

/// Why a certificate is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not an X.509 certificate.
    #[error("the certificate can't be read")]
    Unreadable,
    /// Past its last day.
    #[error("the certificate has expired")]
    Expired,
    /// Before its first day.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// No chain to a configured root.
    #[error("the certificate does not lead to a configured government root")]
    UnknownIssuer,
    /// Taken back by its authority.
    #[error("the certificate is revoked")]
    Revoked,
    /// No list of revoked certificates that speaks of it, or an old one.
    #[error("no current revocation list speaks of the certificate; renew the files in `crls`")]
    RevocationUnknown,
    /// For something else.
    #[error("the certificate is for another purpose")]
    WrongPurpose,
    /// Not acceptable for another reason.
    #[error("the certificate's chain is not acceptable: {0}")]
    Chain(String),
}

/// Key of a certificate that signs messages.
#[derive(Clone)]
pub struct VerifyKey {
    algorithm: &'static dyn keys::VerificationAlgorithm,
    bytes: Vec<u8>,
    /// Whether it is an RSA key.
    pub is_rsa: bool,
}

impl VerifyKey {
    /// Whether the key made this signature (ECDSA or RSA PKCS#1 v1.5, both with SHA-256) over the message.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        keys::UnparsedPublicKey::new(self.algorithm, &self.bytes)
            .verify(message, signature)
            .is_ok()
    }

    /// The key in a certificate, where it is of a kind we take: P-256, P-384, RSA.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Option<VerifyKey> {
        let info = certificate.tbs_certificate().subject_public_key_info();
        let curve = || info.algorithm.parameters.as_ref()?.decode_as().ok();
        let curve: Option<der::asn1::ObjectIdentifier> = curve();
        let algorithm: &'static dyn keys::VerificationAlgorithm = match (
            info.algorithm.oid.to_string().as_str(),
            curve.map(|oid| oid.to_string()).as_deref(),
        ) {
            ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => &keys::ECDSA_P256_SHA256_ASN1,
            ("1.2.840.10045.2.1", Some("1.3.132.0.34")) => &keys::ECDSA_P384_SHA256_ASN1,
            ("1.2.840.113549.1.1.1", _) => &keys::RSA_PKCS1_2048_8192_SHA256,
            _ => return None,
        };
        Some(VerifyKey {
            algorithm,
            bytes: info.subject_public_key.as_bytes()?.to_vec(),
            is_rsa: info.algorithm.oid.to_string() == "1.2.840.113549.1.1.1",
        })
    }
}

/// What stands in a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 of its DER form.
    pub fingerprint: [u8; 32],
    /// Name of the holder (RFC 4514).
    pub subject: String,
    /// Serial number in hexadecimal.
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
    out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, der).as_ref());
    out
}

/// Reads what stands in a certificate.
///
/// # Errors
/// [`CertificateError::Unreadable`]
pub fn read(der: &[u8]) -> Result<(Facts, Certificate), CertificateError> {
    let certificate = Certificate::from_der(der).map_err(|_| CertificateError::Unreadable)?;
    let content = certificate.tbs_certificate();
    let at = |time: x509_cert::time::Time| {
        i64::try_from(time.to_unix_duration().as_secs())
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .ok_or(CertificateError::Unreadable)
    };
    let facts = Facts {
        fingerprint: fingerprint(der),
        subject: content.subject().to_string(),
        serial: hex::encode(content.serial_number().as_bytes()),
        not_before: at(content.validity().not_before)?,
        not_after: at(content.validity().not_after)?,
    };
    Ok((facts, certificate))
}

/// The certificates of a PEM text.
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

/// The roots, the certificates between, and the lists of revoked certificates.
pub struct Trust {
    anchors: Vec<TrustAnchor<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
    crls: Vec<CertRevocationList<'static>>,
    require_crls: bool,
}

impl Trust {
    /// Reads PEM texts of roots and intermediates, and revocation lists (PEM or DER). With `require_crls` a certificate whose
    /// state no current list tells is refused.
    ///
    /// # Errors
    /// [`CertificateError::Unreadable`] also where there is no root at all.
    pub fn read(
        roots: &str,
        intermediates: &str,
        crls: &[Vec<u8>],
        require_crls: bool,
    ) -> Result<Trust, CertificateError> {
        let anchors = pem(roots)?
            .iter()
            .map(|der| anchor_from_trusted_cert(der).map(|anchor| anchor.to_owned()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| CertificateError::Unreadable)?;
        if anchors.is_empty() {
            return Err(CertificateError::Unreadable);
        }
        let mut lists = Vec::new();
        for bytes in crls {
            let ders: Vec<CertificateRevocationListDer<'_>> = match bytes.first() {
                Some(0x30) => vec![CertificateRevocationListDer::from(bytes.clone())],
                _ => CertificateRevocationListDer::pem_slice_iter(bytes)
                    .collect::<Result<_, _>>()
                    .map_err(|_| CertificateError::Unreadable)?,
            };
            for der in ders {
                let list = OwnedCertRevocationList::from_der(&der).map_err(|_| CertificateError::Unreadable)?;
                lists.push(CertRevocationList::Owned(list));
            }
        }
        Ok(Trust {
            anchors,
            intermediates: pem(intermediates)?,
            crls: lists,
            require_crls,
        })
    }

    /// Checks that a certificate leads to a root at the time `now`, may serve the purpose, and is not revoked.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn check(&self, der: &CertificateDer<'_>, purpose: Purpose, now: Timestamp) -> Result<(), CertificateError> {
        let (_, parsed) = read(der)?;
        let end = EndEntityCert::try_from(der).map_err(|_| CertificateError::Unreadable)?;
        let lists: Vec<&CertRevocationList<'_>> = self.crls.iter().collect();
        let revocation = match (lists.is_empty(), self.require_crls) {
            (true, true) => return Err(CertificateError::RevocationUnknown),
            (true, false) => None,
            (false, required) => Some(
                RevocationOptionsBuilder::new(&lists)
                    .map_err(|_| CertificateError::RevocationUnknown)?
                    .with_depth(RevocationCheckDepth::EndEntity)
                    .with_status_policy(if required {
                        UnknownStatusPolicy::Deny
                    } else {
                        UnknownStatusPolicy::Allow
                    })
                    // where no list is required an old one still tells of those that were revoked by then
                    .with_expiration_policy(if required {
                        ExpirationPolicy::Enforce
                    } else {
                        ExpirationPolicy::Ignore
                    })
                    .build(),
            ),
        };
        let seconds = u64::try_from(now.as_second()).map_err(|_| CertificateError::NotYetValid)?;
        end.verify_for_usage(
            CHAIN_ALGORITHMS,
            &self.anchors,
            &self.intermediates,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            purpose,
            revocation,
            None,
        )
        .map_err(refusal)?;
        let content = parsed.tbs_certificate();
        if purpose == Purpose::TimeStamping && !matches!(content.get_extension::<ExtendedKeyUsage>(), Ok(Some(_))) {
            return Err(CertificateError::WrongPurpose);
        }
        let usage = content.get_extension::<pkix::KeyUsage>();
        let may = match usage {
            Ok(None) => true,
            Ok(Some((_, usage))) => {
                usage.digital_signature()
                    || (matches!(purpose, Purpose::Signing | Purpose::TimeStamping) && usage.non_repudiation())
            }
            Err(_) => false,
        };
        if may {
            Ok(())
        } else {
            Err(CertificateError::WrongPurpose)
        }
    }
}

impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, stated: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let mut any = false;
        for purpose in stated {
            any = true;
            let oid = purpose?.to_decoded_oid();
            let oid = oid.as_slice();
            let serves = match self {
                Purpose::ClientAuthentication => oid == CLIENT_AUTH,
                Purpose::ServerAuthentication => oid == SERVER_AUTH,
                Purpose::Signing => SIGNING.contains(&oid),
                Purpose::TimeStamping => oid == TIME_STAMPING,
            };
            if serves {
                return Ok(());
            }
        }
        if !any {
            return Ok(());
        }
        let required = match self {
            Purpose::ServerAuthentication => KeyUsage::server_auth(),
            _ => KeyUsage::client_auth(),
        };
        Err(webpki::Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext {
            required,
            present: Vec::new(),
        }))
    }
}

/// The refusal of a chain in our words.
fn refusal(error: webpki::Error) -> CertificateError {
    match error {
        webpki::Error::CertExpired { .. } => CertificateError::Expired,
        webpki::Error::CertNotValidYet { .. } => CertificateError::NotYetValid,
        webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => CertificateError::UnknownIssuer,
        webpki::Error::CertRevoked => CertificateError::Revoked,
        webpki::Error::UnknownRevocationStatus
        | webpki::Error::CrlExpired { .. }
        | webpki::Error::InvalidCrlSignatureForPublicKey
        | webpki::Error::IssuerNotCrlSigner => CertificateError::RevocationUnknown,
        webpki::Error::CaUsedAsEndEntity
        | webpki::Error::EndEntityUsedAsCa
        | webpki::Error::RequiredEkuNotFoundContext(_) => CertificateError::WrongPurpose,
        other => CertificateError::Chain(format!("{other:?}")),
    }
}
