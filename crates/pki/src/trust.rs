//! Whether a certificate counts: its chain to a configured root, the time, its purpose, and whether it was revoked (RFC 5280).

use crate::certificate::{instant, pem, read};
use crate::{Algorithm, CertificateError, Facts, PublicKey};
use der::asn1::ObjectIdentifier;
use der::oid::db::rfc5280::{
    ANY_EXTENDED_KEY_USAGE, ID_KP_CLIENT_AUTH, ID_KP_EMAIL_PROTECTION, ID_KP_OCSP_SIGNING, ID_KP_SERVER_AUTH,
    ID_KP_TIME_STAMPING,
};
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
};
use std::time::Duration;
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter,
    KeyUsage, OwnedCertRevocationList, RequiredEkuNotFoundContext, RevocationCheckDepth, RevocationOptionsBuilder,
    UnknownStatusPolicy, anchor_from_trusted_cert, ring as algorithms,
};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::{self, ExtendedKeyUsage};

/// Algorithms of a chain. Shorter RSA keys than 2048 bits and SHA-1 are refused, and so is a digest of another strength than the
/// curve's.
static CHAIN_ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

/// Most certificates of a chain that comes from outside.
const LONGEST_CHAIN: usize = 8;

/// id-kp-documentSigning (RFC 9336).
const ID_KP_DOCUMENT_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.36");
/// Logon with a smart card, a number of Microsoft's (`szOID_KP_SMARTCARD_LOGON`).
const SMART_CARD_LOGON: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.20.2.2");

/// What a certificate is used for. Key usage and extended key usage must allow it where the certificate states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A gateway calls another.
    ClientAuthentication,
    /// A gateway is called.
    ServerAuthentication,
    /// Data, texts or messages are signed. A certificate that states purposes states e-mail protection, document signing or any.
    Signing,
    /// A person's card signs who they are or what they agree to. One that states purposes states one of signing, or that its holder
    /// is known by it: client authentication or logon with a smart card.
    Card,
    /// Timestamps are signed; the purpose must be stated (RFC 3161 section 2.3).
    TimeStamping,
    /// OCSP answers are signed for the authority; the purpose must be stated (RFC 6960 section 4.2.2.2).
    OcspSigning,
}

impl Purpose {
    /// The extended key usages that serve it.
    fn usages(self) -> &'static [ObjectIdentifier] {
        match self {
            Purpose::ClientAuthentication => &[ID_KP_CLIENT_AUTH],
            Purpose::ServerAuthentication => &[ID_KP_SERVER_AUTH],
            Purpose::Signing => &[ID_KP_EMAIL_PROTECTION, ID_KP_DOCUMENT_SIGNING, ANY_EXTENDED_KEY_USAGE],
            Purpose::Card => &[
                ID_KP_EMAIL_PROTECTION,
                ID_KP_DOCUMENT_SIGNING,
                ANY_EXTENDED_KEY_USAGE,
                ID_KP_CLIENT_AUTH,
                SMART_CARD_LOGON,
            ],
            Purpose::TimeStamping => &[ID_KP_TIME_STAMPING],
            Purpose::OcspSigning => &[ID_KP_OCSP_SIGNING],
        }
    }

    /// Whether the usages a certificate states itself allow it. Those of its chain webpki asks.
    fn is_allowed(self, certificate: &Certificate) -> bool {
        let content = certificate.tbs_certificate();
        let is_tls = matches!(self, Purpose::ClientAuthentication | Purpose::ServerAuthentication);
        let is_usage = match content.get_extension::<pkix::KeyUsage>() {
            Ok(None) => true,
            Ok(Some((_, usage))) => usage.digital_signature() || (!is_tls && usage.non_repudiation()),
            Err(_) => false,
        };
        let must_state = matches!(self, Purpose::TimeStamping | Purpose::OcspSigning);
        is_usage && (!must_state || matches!(content.get_extension::<ExtendedKeyUsage>(), Ok(Some(_))))
    }
}

impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, stated: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let mut is_silent = true;
        for usage in stated {
            is_silent = false;
            let stated = usage?;
            if self
                .usages()
                .iter()
                .any(|oid| stated == KeyPurposeId::new(oid.as_bytes()))
            {
                return Ok(());
            }
        }
        if is_silent {
            return Ok(());
        }
        // what it names is not shown to anybody
        Err(webpki::Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext {
            required: KeyUsage::client_auth(),
            present: Vec::new(),
        }))
    }
}

/// A list of revoked certificates (RFC 5280 section 5).
pub type RevocationList = CertRevocationList<'static>;

/// The revocation lists of a file: DER, or PEM with none to many.
///
/// # Errors
/// [`CertificateError::Unreadable`] also for what is not a complete list of version 2.
pub fn revocation_lists(file: &[u8]) -> Result<Vec<RevocationList>, CertificateError> {
    let ders = match file.first() {
        Some(0x30) => vec![CertificateRevocationListDer::from(file)],
        _ => CertificateRevocationListDer::pem_slice_iter(file)
            .collect::<Result<_, _>>()
            .map_err(|_| CertificateError::Unreadable)?,
    };
    ders.iter()
        .map(|der| OwnedCertRevocationList::from_der(der).map(CertRevocationList::Owned))
        .collect::<Result<_, _>>()
        .map_err(|_| CertificateError::Unreadable)
}

/// What is asked for the standing of a certificate. By default nothing.
#[derive(Clone, Copy, Default)]
pub struct Revocation<'a> {
    /// Lists of any authorities.
    pub lists: &'a [RevocationList],
    /// Whether a certificate of which no current list speaks is refused. Where it is not, an old list still refuses those that
    /// were revoked by then.
    pub is_required: bool,
}

/// Which of the two texts can't be read.
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

impl Trust {
    /// Reads PEM texts; says which of the two is wrong.
    ///
    /// # Errors
    /// [`TrustError`]; no root at all is an error too, because then everything would be refused.
    pub fn read(roots: &str, intermediates: &str) -> Result<Trust, TrustError> {
        let roots = pem(roots).map_err(|error| TrustError::Roots(error.to_string()))?;
        if roots.is_empty() {
            let what = "no certificate in the text; without one everything signed is refused";
            return Err(TrustError::Roots(what.to_owned()));
        }
        let intermediates = pem(intermediates).map_err(|error| TrustError::Intermediates(error.to_string()))?;
        Trust::new(&roots, intermediates).map_err(|error| TrustError::Roots(error.to_string()))
    }

    /// Takes certificates in DER.
    ///
    /// # Errors
    /// [`CertificateError::Unreadable`] for a root that can't be one.
    pub fn new(
        roots: &[CertificateDer<'_>],
        intermediates: Vec<CertificateDer<'static>>,
    ) -> Result<Trust, CertificateError> {
        let mut trust = Trust {
            anchors: Vec::new(),
            roots: Vec::new(),
            intermediates,
        };
        for der in roots {
            let anchor = anchor_from_trusted_cert(der).map_err(|_| CertificateError::Unreadable)?;
            trust.anchors.push(anchor.to_owned());
            trust.roots.push(read(der)?.1);
        }
        Ok(trust)
    }

    /// Checks that the first of `chain` (DER) leads to a root at the time `now`, over the others and the configured ones, may
    /// serve the purpose, and is not revoked.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn check(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        revocation: Revocation<'_>,
        now: Timestamp,
    ) -> Result<Trusted, CertificateError> {
        let Some((leaf, others)) = chain.split_first() else {
            return Err(CertificateError::Unreadable);
        };
        if chain.len() > LONGEST_CHAIN {
            return Err(CertificateError::PathTooLong);
        }
        let (facts, certificate) = read(leaf)?;
        let end = EndEntityCert::try_from(leaf).map_err(|_| CertificateError::Unreadable)?;
        let seconds = u64::try_from(now.as_second()).map_err(|_| CertificateError::NotYetValid(facts.not_before))?;
        let between = others.iter().chain(&self.intermediates);
        let between: Vec<_> = between.map(|der| CertificateDer::from(&**der)).collect();
        let lists: Vec<&RevocationList> = revocation.lists.iter().collect();
        let (unknown, expiration) = match revocation.is_required {
            true => (UnknownStatusPolicy::Deny, ExpirationPolicy::Enforce),
            false => (UnknownStatusPolicy::Allow, ExpirationPolicy::Ignore),
        };
        // without a list there are no options
        let options = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            options
                .with_depth(RevocationCheckDepth::EndEntity)
                .with_status_policy(unknown)
                .with_expiration_policy(expiration)
                .build()
        });
        let path = end
            .verify_for_usage(
                CHAIN_ALGORITHMS,
                &self.anchors,
                &between,
                UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
                purpose,
                options,
                None,
            )
            .map_err(refusal)?;
        if !purpose.is_allowed(&certificate) {
            return Err(CertificateError::WrongPurpose);
        }
        if revocation.is_required && lists.is_empty() {
            return Err(CertificateError::UnknownStanding);
        }
        let issuers = match path.intermediate_certificates().next() {
            Some(issuer) => Certificate::from_der(&issuer.der()).into_iter().collect(),
            // the anchor itself: its certificate is among the configured roots by name
            None => {
                let issuer = certificate.tbs_certificate().issuer();
                let roots = self.roots.iter().cloned();
                roots
                    .filter(|root| root.tbs_certificate().subject() == issuer)
                    .collect()
            }
        };
        Ok(Trusted {
            facts,
            certificate,
            issuers,
        })
    }
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self
            .roots
            .iter()
            .map(|root| root.tbs_certificate().subject().to_string());
        formatter
            .debug_struct("Trust")
            .field("roots", &names.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A certificate whose chain, time, purpose and standing were found good.
#[derive(Debug)]
pub struct Trusted {
    /// What stands in it.
    pub facts: Facts,
    /// All of it.
    pub certificate: Certificate,
    /// The certificate of its authority; several where configured roots have one name.
    pub issuers: Vec<Certificate>,
}

impl Trusted {
    /// Checks a signature by this certificate over `message`.
    ///
    /// # Errors
    /// [`CertificateError::UnknownSignature`]
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), CertificateError> {
        match PublicKey::of(&self.certificate) {
            Some(key) if key.verifies(algorithm, message, signature) => Ok(()),
            _ => Err(CertificateError::UnknownSignature),
        }
    }
}

/// The refusal of a chain in our words.
fn refusal(error: webpki::Error) -> CertificateError {
    let at = |time: UnixTime| instant(time.as_secs()).unwrap_or(Timestamp::MAX);
    match error {
        webpki::Error::CertExpired { not_after, .. } => CertificateError::Expired(at(not_after)),
        webpki::Error::CertNotValidYet { not_before, .. } => CertificateError::NotYetValid(at(not_before)),
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer,
        webpki::Error::InvalidSignatureForPublicKey => CertificateError::WrongChainSignature,
        webpki::Error::UnsupportedSignatureAlgorithmContext(_)
        | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => CertificateError::WeakAlgorithm,
        webpki::Error::PathLenConstraintViolated | webpki::Error::MaximumPathDepthExceeded => {
            CertificateError::PathTooLong
        }
        webpki::Error::CaUsedAsEndEntity
        | webpki::Error::EndEntityUsedAsCa
        | webpki::Error::RequiredEkuNotFoundContext(_) => CertificateError::WrongPurpose,
        webpki::Error::CertRevoked => CertificateError::Revoked,
        webpki::Error::UnknownRevocationStatus
        | webpki::Error::CrlExpired { .. }
        | webpki::Error::InvalidCrlSignatureForPublicKey
        | webpki::Error::IssuerNotCrlSigner => CertificateError::UnknownStanding,
        other => CertificateError::Chain(format!("{other:?}")),
    }
}
