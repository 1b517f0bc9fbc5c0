//! The signature algorithms that are accepted, by their object identifiers (RFC 4055, RFC 5754, RFC 5758). SHA-1 and RSA keys
//! below 2048 bits are not among them.

use der::asn1::ObjectIdentifier;
use der::{Any, Decode, Encode, Sequence};
use rustls::pki_types::SignatureVerificationAlgorithm;
use sha2::{Digest, Sha256, Sha384, Sha512};
use webpki::ring;
use x509_cert::spki::AlgorithmIdentifierOwned;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// A digest that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) fn of(oid: &ObjectIdentifier) -> Option<Hash> {
        match *oid {
            SHA256 => Some(Hash::Sha256),
            SHA384 => Some(Hash::Sha384),
            SHA512 => Some(Hash::Sha512),
            _ => None,
        }
    }

    pub(super) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha256 => Sha256::digest(bytes).to_vec(),
            Hash::Sha384 => Sha384::digest(bytes).to_vec(),
            Hash::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    fn length(self) -> u32 {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }
}

/// A signature algorithm with its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA PKCS#1 v1.5 with SHA-256.
    RsaPkcs1Sha256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    RsaPkcs1Sha384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    RsaPkcs1Sha512,
    /// RSA-PSS with SHA-256, MGF1 by the same digest, salt as long as the digest.
    RsaPssSha256,
    /// RSA-PSS with SHA-384, likewise.
    RsaPssSha384,
    /// RSA-PSS with SHA-512, likewise.
    RsaPssSha512,
    /// ECDSA on P-256 or P-384 with SHA-256, signature in ASN.1.
    EcdsaSha256,
    /// ECDSA on P-256 or P-384 with SHA-384, signature in ASN.1.
    EcdsaSha384,
}

impl Algorithm {
    /// The verifications to try: the curve is the key's.
    pub(super) fn candidates(self) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
        static RSA_256: [&dyn SignatureVerificationAlgorithm; 1] = [ring::RSA_PKCS1_2048_8192_SHA256];
        static RSA_384: [&dyn SignatureVerificationAlgorithm; 1] = [ring::RSA_PKCS1_2048_8192_SHA384];
        static RSA_512: [&dyn SignatureVerificationAlgorithm; 1] = [ring::RSA_PKCS1_2048_8192_SHA512];
        static PSS_256: [&dyn SignatureVerificationAlgorithm; 1] = [ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY];
        static PSS_384: [&dyn SignatureVerificationAlgorithm; 1] = [ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY];
        static PSS_512: [&dyn SignatureVerificationAlgorithm; 1] = [ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY];
        static EC_256: [&dyn SignatureVerificationAlgorithm; 2] = [ring::ECDSA_P256_SHA256, ring::ECDSA_P384_SHA256];
        static EC_384: [&dyn SignatureVerificationAlgorithm; 2] = [ring::ECDSA_P384_SHA384, ring::ECDSA_P256_SHA384];
        match self {
            Algorithm::RsaPkcs1Sha256 => &RSA_256,
            Algorithm::RsaPkcs1Sha384 => &RSA_384,
            Algorithm::RsaPkcs1Sha512 => &RSA_512,
            Algorithm::RsaPssSha256 => &PSS_256,
            Algorithm::RsaPssSha384 => &PSS_384,
            Algorithm::RsaPssSha512 => &PSS_512,
            Algorithm::EcdsaSha256 => &EC_256,
            Algorithm::EcdsaSha384 => &EC_384,
        }
    }

    /// RSA PKCS#1 v1.5 with a digest.
    pub(crate) fn rsa_pkcs1(hash: Hash) -> Algorithm {
        match hash {
            Hash::Sha256 => Algorithm::RsaPkcs1Sha256,
            Hash::Sha384 => Algorithm::RsaPkcs1Sha384,
            Hash::Sha512 => Algorithm::RsaPkcs1Sha512,
        }
    }

    /// The algorithm an identifier names. Where it names the key alone (`rsaEncryption`, as PKCS#7 does), `digest` says
    /// the rest. `None` for what is not accepted, and where the two name different digests.
    pub(super) fn of(identifier: &AlgorithmIdentifierOwned, digest: Option<Hash>) -> Option<Algorithm> {
        let (algorithm, hash) = match identifier.oid {
            RSA_ENCRYPTION => (Algorithm::rsa_pkcs1(digest?), digest?),
            RSA_SHA256 => (Algorithm::RsaPkcs1Sha256, Hash::Sha256),
            RSA_SHA384 => (Algorithm::RsaPkcs1Sha384, Hash::Sha384),
            RSA_SHA512 => (Algorithm::RsaPkcs1Sha512, Hash::Sha512),
            RSA_PSS => {
                let hash = pss(identifier.parameters.as_ref()?)?;
                let algorithm = match hash {
                    Hash::Sha256 => Algorithm::RsaPssSha256,
                    Hash::Sha384 => Algorithm::RsaPssSha384,
                    Hash::Sha512 => Algorithm::RsaPssSha512,
                };
                (algorithm, hash)
            }
            ECDSA_SHA256 => (Algorithm::EcdsaSha256, Hash::Sha256),
            ECDSA_SHA384 => (Algorithm::EcdsaSha384, Hash::Sha384),
            _ => return None,
        };
        digest.is_none_or(|digest| digest == hash).then_some(algorithm)
    }
}

/// `RSASSA-PSS-params` (RFC 4055 section 3.1). What is absent would be SHA-1.
#[derive(Sequence)]
struct PssParameters {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    hash: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    mask: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    salt: Option<u32>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    trailer: Option<u32>,
}

fn pss(parameters: &Any) -> Option<Hash> {
    let bytes = parameters.to_der().ok()?;
    let parameters = PssParameters::from_der(&bytes).ok()?;
    let hash = Hash::of(&parameters.hash?.oid)?;
    let mask = parameters.mask?;
    let inner = mask.parameters?.to_der().ok()?;
    let inner = AlgorithmIdentifierOwned::from_der(&inner).ok()?;
    let is_plain = mask.oid == MGF1
        && Hash::of(&inner.oid) == Some(hash)
        && parameters.salt == Some(hash.length())
        && parameters.trailer.is_none_or(|trailer| trailer == 1);
    is_plain.then_some(hash)
}
