//! What authorities say of their certificates: revocation lists and OCSP answers, read from files or fetched by the caller.

use super::ocsp::{self, Answer};
use jiff::{SignedDuration, Timestamp};
use pki::cms::{CmsError, Signed};
use pki::{CertificateError, Purpose, Revocation, RevocationList, Trust, Trusted};
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;

/// Most bytes of one revocation list: the largest public ones have some tens of MiB.
const LARGEST_LIST: usize = 64 << 20;
/// Most bytes of one OCSP answer.
const LARGEST_ANSWER: usize = 64 << 10;
/// Most of each.
const MOST: usize = 64;

/// Revocation lists and OCSP answers at hand when a certificate is checked.
pub struct Evidence {
    lists: Vec<RevocationList>,
    answers: Vec<Answer>,
    required: bool,
    skew: SignedDuration,
}

/// Why evidence can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// More than is accepted.
    #[error("the {0} are too many or too large")]
    TooLarge(&'static str),
    /// No list, or one that is not a complete X.509 CRL of version 2.
    #[error("revocation list {0} can't be read")]
    List(usize),
    /// An answer that is not a successful basic OCSP response.
    #[error("OCSP answer {0} can't be read or says that the responder failed")]
    Answer(usize),
}

/// What the evidence says of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    Revoked,
    Unknown,
}

impl Evidence {
    /// Reads lists (DER or PEM) and OCSP answers (DER). With `required` a certificate of which neither speaks is refused; `skew` is
    /// how far the authority's clock may be ahead.
    ///
    /// # Errors
    ///
    /// [`EvidenceError`] names the file by its place, counted from 0.
    pub fn read(
        lists: &[Vec<u8>],
        answers: &[Vec<u8>],
        required: bool,
        skew: SignedDuration,
    ) -> Result<Evidence, EvidenceError> {
        if lists.len() > MOST || lists.iter().any(|list| list.len() > LARGEST_LIST) {
            return Err(EvidenceError::TooLarge("revocation lists"));
        }
        if answers.len() > MOST || answers.iter().any(|answer| answer.len() > LARGEST_ANSWER) {
            return Err(EvidenceError::TooLarge("OCSP answers"));
        }
        let mut read = Vec::new();
        for (at, file) in lists.iter().enumerate() {
            match pki::revocation_lists(file) {
                Ok(found) if !found.is_empty() => read.extend(found),
                _ => return Err(EvidenceError::List(at)),
            }
        }
        let answers = answers
            .iter()
            .enumerate()
            .map(|(at, der)| ocsp::read(der).ok_or(EvidenceError::Answer(at)))
            .collect::<Result<_, _>>()?;
        Ok(Evidence {
            lists: read,
            answers,
            required,
            skew,
        })
    }

    /// Checks that the first of `chain` (DER) leads to a root at the time `now`, may sign, and stands: whatever lists or answers
    /// say against it counts, and where they say nothing it is refused unless that is allowed.
    pub(crate) fn check(
        &self,
        trust: &Trust,
        chain: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<Trusted, CertificateError> {
        // only an issuer that is believed can be asked by its answers
        let trusted = trust.check(chain, Purpose::Card, Revocation::default(), now)?;
        let standing = self.ask(&trusted.certificate, &trusted.issuers, now);
        if standing == Standing::Revoked {
            return Err(CertificateError::Revoked);
        }
        let revocation = Revocation {
            lists: &self.lists,
            is_required: self.required && standing == Standing::Unknown,
        };
        trust.check(chain, Purpose::Card, revocation, now)
    }

    /// Checks a PKCS#7 signature (DER) over `content`, whether it carries the content or not, and the signer's certificate.
    pub(crate) fn check_signed(
        &self,
        trust: &Trust,
        signature: &[u8],
        content: &[u8],
        now: Timestamp,
    ) -> Result<Trusted, CmsError> {
        let signed = Signed::read(signature)?;
        let trusted = self.check(trust, &signed.chain()?, now)?;
        signed.verify(&trusted, content)?;
        Ok(trusted)
    }

    /// What the OCSP answers say. One that says revoked wins over one that says good.
    fn ask(&self, certificate: &Certificate, issuers: &[Certificate], now: Timestamp) -> Standing {
        let mut standing = Standing::Unknown;
        for answer in &self.answers {
            for issuer in issuers {
                match answer.about(certificate, issuer, now, self.skew) {
                    Standing::Revoked => return Standing::Revoked,
                    Standing::Good => standing = Standing::Good,
                    Standing::Unknown => {}
                }
            }
        }
        standing
    }
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Evidence")
            .field("lists", &self.lists.len())
            .field("answers", &self.answers.len())
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}
