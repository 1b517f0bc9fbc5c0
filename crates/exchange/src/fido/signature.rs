//! Verifying what the phone signed: the signature over the city's own text, the certificate, its chain to 內政部憑證管理中心
//! (MOICA), its validity and its standing.

use super::operation::{Hash, Proof, SignType, Signing};
use crate::certificate::cms::{self, CmsError};
use crate::certificate::{Algorithm, CertificateError, Evidence, Signer, Trust, chain_of};
use jiff::Timestamp;

/// Why a signature proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Fewer or more signatures than texts.
    #[error("{found} signatures came for {asked} texts")]
    Count {
        /// Texts.
        asked: usize,
        /// Signatures.
        found: usize,
    },
    /// A bare signature without certificate.
    #[error("the authority sent no certificate with the signature")]
    NoCertificate,
    /// A bare signature: the certificate, or the signature by it.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A PKCS#7 signature.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// The texts were signed with different certificates.
    #[error("the texts were signed by `{first}` and by `{other}`; one person signs all of them")]
    Signers {
        /// Subject of the first certificate.
        first: String,
        /// Subject of the first other one.
        other: String,
    },
}

/// Verifies the signatures of a proof over the texts that were asked, in their order; who signed is the same for all. The
/// certificate names no national id: whose it is, the caller asks by its serial number ([`crate::certificate::ics`]).
///
/// # Errors
///
/// [`SignatureError`] says what is wrong with the first bad one.
pub fn verify(
    proof: &Proof,
    texts: &[Signing],
    trust: &Trust,
    evidence: &Evidence,
    now: Timestamp,
) -> Result<Signer, SignatureError> {
    let count = || SignatureError::Count {
        asked: texts.len(),
        found: proof.signatures.len(),
    };
    if texts.len() != proof.signatures.len() {
        return Err(count());
    }
    let mut signers = Vec::new();
    for (text, signature) in texts.iter().zip(&proof.signatures) {
        let content = text.text.as_bytes();
        signers.push(match text.sign_type {
            SignType::Pkcs7 => cms::verify(signature, content, trust, Some(evidence), now)?.signer,
            SignType::Pkcs1 => {
                let certificate = proof.certificate.as_ref().ok_or(SignatureError::NoCertificate)?;
                let trusted = trust.trusted(chain_of(certificate)?, Some(evidence), now)?;
                trusted.verify(algorithm(text.hash), content, signature)?;
                trusted.signer
            }
        });
    }
    let first = signers.first().cloned().ok_or_else(count)?;
    match signers.iter().find(|signer| **signer != first) {
        Some(other) => Err(SignatureError::Signers {
            first: first.subject,
            other: other.subject.clone(),
        }),
        None => Ok(first),
    }
}

fn algorithm(hash: Hash) -> Algorithm {
    match hash {
        Hash::Sha256 => Algorithm::RsaPkcs1Sha256,
        Hash::Sha384 => Algorithm::RsaPkcs1Sha384,
        Hash::Sha512 => Algorithm::RsaPkcs1Sha512,
    }
}
