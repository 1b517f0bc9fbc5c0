//! Certificates of the government's public key infrastructure (GPKI): whom they name, whether they lead to a configured root,
//! whether they still stand, and what was signed with them.
//!
//! - [`Trust`]: roots, chains, validity, key usage (RFC 5280)
//! - [`Evidence`]: revocation lists (RFC 5280 section 5) and OCSP answers (RFC 6960)
//! - [`cms`]: PKCS#7 signatures (RFC 5652)
//! - [`sign_in`]: sign-in by natural-person certificate (自然人憑證)
//! - [`ics`]: whether a certificate belongs to a national id (內政部憑證狀態查詢)

mod algorithm;
pub mod cms;
mod evidence;
pub mod ics;
mod ocsp;
pub mod sign_in;
mod trust;

pub use algorithm::Algorithm;
pub use evidence::{Evidence, EvidenceError};
pub(crate) use trust::chain_of;
pub use trust::{CertificateError, Signer, Trust, TrustError};
