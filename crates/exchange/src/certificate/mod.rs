//! Certificates of persons in the government's public key infrastructure (GPKI). Chains and signatures are `pki`'s.
//!
//! - [`Evidence`]: what authorities say of a certificate: revocation lists (RFC 5280 section 5) and OCSP answers (RFC 6960)
//! - [`sign_in`]: sign-in by natural-person certificate (自然人憑證)
//! - [`ics`]: whether a certificate belongs to a national id (內政部憑證狀態查詢)

mod evidence;
pub mod ics;
mod ocsp;
pub mod sign_in;

pub use evidence::{Evidence, EvidenceError};
pub use pki::cms::{self, CmsError};
pub use pki::{CertificateError, Facts, Trust, TrustError};
