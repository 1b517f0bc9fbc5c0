//! Certificates of a public key infrastructure, such as the government's (GPKI): what stands in them, whether they lead to a
//! configured root, may serve a purpose and still stand (RFC 5280), and what was signed with them.
//!
//! - [`Trust`]: roots, chains, time, purpose, lists of revoked certificates
//! - [`PublicKey`], [`Algorithm`]: the signatures that are accepted
//! - [`cms`]: PKCS#7 signatures (RFC 5652)
//!
//! One definition for data sets, cards, phones, gateways and timestamps. Nothing here reads a clock, a file or a network. No error
//! names the holder: the certificate of a person is personal.

mod algorithm;
mod certificate;
pub mod cms;
mod trust;

pub use algorithm::{Algorithm, Hash, PublicKey};
pub use certificate::{CertificateError, Facts, chain_of, fingerprint, pem, read};
pub use trust::{Purpose, Revocation, RevocationList, Trust, TrustError, Trusted, revocation_lists};
