//! Verifying what the phone signed: the signature over the city's own text, the certificate, its chain to 內政部憑證管理中心
//! (MOICA), its validity and its standing.

use super::operation::{Hash, Proof, SignType, Signing};
use crate::certificate::{CertificateError, CmsError, Evidence, Facts, Trust};
use jiff::Timestamp;
use pki::Algorithm;

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
) -> Result<Facts, SignatureError> {
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
            SignType::Pkcs7 => evidence.check_signed(trust, signature, content, now)?.facts,
            SignType::Pkcs1 => {
                let certificate = proof.certificate.as_ref().ok_or(SignatureError::NoCertificate)?;
                let trusted = evidence.check(trust, &pki::chain_of(certificate)?, now)?;
                trusted.verify(algorithm(text.hash), content, signature)?;
                trusted.facts
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
    Algorithm::RsaPkcs1(match hash {
        Hash::Sha256 => pki::Hash::Sha256,
        Hash::Sha384 => pki::Hash::Sha384,
        Hash::Sha512 => pki::Hash::Sha512,
    })
}
