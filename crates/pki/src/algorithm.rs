//! The signature algorithms that are accepted, by their object identifiers (RFC 4055, RFC 5754, RFC 5758). SHA-1 and RSA keys
//! below 2048 bits are not among them.

use der::asn1::ObjectIdentifier;
use der::oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ID_EC_PUBLIC_KEY, ID_MGF_1, ID_RSASSA_PSS, ID_SHA_256, ID_SHA_384,
    ID_SHA_512, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SHA_256_WITH_RSA_ENCRYPTION, SHA_384_WITH_RSA_ENCRYPTION,
    SHA_512_WITH_RSA_ENCRYPTION,
};
use der::{Any, Decode, Encode, Sequence};
use ring::digest::{Digest, SHA256, SHA384, SHA512, digest};
use ring::signature::{self as keys, UnparsedPublicKey, VerificationAlgorithm};
use x509_cert::Certificate;
use x509_cert::spki::AlgorithmIdentifierOwned;

/// A digest that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The digest an identifier names. `None` for what is not accepted.
    #[must_use]
    pub fn of(oid: &ObjectIdentifier) -> Option<Hash> {
        match *oid {
            ID_SHA_256 => Some(Hash::Sha256),
            ID_SHA_384 => Some(Hash::Sha384),
            ID_SHA_512 => Some(Hash::Sha512),
            _ => None,
        }
    }

    /// The digest of these bytes.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let algorithm = match self {
            Hash::Sha256 => &SHA256,
            Hash::Sha384 => &SHA384,
            Hash::Sha512 => &SHA512,
        };
        digest(algorithm, bytes)
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
    /// RSA PKCS#1 v1.5.
    RsaPkcs1(Hash),
    /// RSA-PSS, MGF1 by the same digest, salt as long as the digest.
    RsaPss(Hash),
    /// ECDSA on the key's curve, signature in ASN.1. Not with SHA-512.
    Ecdsa(Hash),
}

impl Algorithm {
    /// The algorithm an identifier names. Where it names the key alone (`rsaEncryption`, as PKCS#7 does), `digest` says
    /// the rest. `None` for what is not accepted, and where the two name different digests.
    #[must_use]
    pub fn of(identifier: &AlgorithmIdentifierOwned, digest: Option<Hash>) -> Option<Algorithm> {
        let (algorithm, hash) = match identifier.oid {
            RSA_ENCRYPTION => (Algorithm::RsaPkcs1(digest?), digest?),
            SHA_256_WITH_RSA_ENCRYPTION => (Algorithm::RsaPkcs1(Hash::Sha256), Hash::Sha256),
            SHA_384_WITH_RSA_ENCRYPTION => (Algorithm::RsaPkcs1(Hash::Sha384), Hash::Sha384),
            SHA_512_WITH_RSA_ENCRYPTION => (Algorithm::RsaPkcs1(Hash::Sha512), Hash::Sha512),
            ID_RSASSA_PSS => {
                let hash = pss(identifier.parameters.as_ref()?)?;
                (Algorithm::RsaPss(hash), hash)
            }
            ECDSA_WITH_SHA_256 => (Algorithm::Ecdsa(Hash::Sha256), Hash::Sha256),
            ECDSA_WITH_SHA_384 => (Algorithm::Ecdsa(Hash::Sha384), Hash::Sha384),
            _ => return None,
        };
        digest.is_none_or(|digest| digest == hash).then_some(algorithm)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    P256,
    P384,
    Rsa,
}

/// The key of a certificate, of a kind that is accepted: P-256, P-384, RSA of 2048 to 8192 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kind: Kind,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// The key in a certificate. `None` where it is of another kind.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Option<PublicKey> {
        let info = certificate.tbs_certificate().subject_public_key_info();
        let parameters = info.algorithm.parameters.as_ref()?;
        let kind = match (info.algorithm.oid, parameters.decode_as().ok()) {
            (ID_EC_PUBLIC_KEY, Some(SECP_256_R_1)) => Kind::P256,
            (ID_EC_PUBLIC_KEY, Some(SECP_384_R_1)) => Kind::P384,
            (RSA_ENCRYPTION, None) if parameters.is_null() => Kind::Rsa,
            _ => return None,
        };
        let bytes = info.subject_public_key.as_bytes()?.to_vec();
        Some(PublicKey { kind, bytes })
    }

    /// How keys of this kind usually sign: ECDSA, or RSA PKCS#1 v1.5.
    #[must_use]
    pub fn usual(&self, hash: Hash) -> Algorithm {
        match self.kind {
            Kind::P256 | Kind::P384 => Algorithm::Ecdsa(hash),
            Kind::Rsa => Algorithm::RsaPkcs1(hash),
        }
    }

    /// Whether the key made this signature over the message.
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verification: &'static dyn VerificationAlgorithm = match (self.kind, algorithm) {
            (Kind::P256, Algorithm::Ecdsa(Hash::Sha256)) => &keys::ECDSA_P256_SHA256_ASN1,
            (Kind::P256, Algorithm::Ecdsa(Hash::Sha384)) => &keys::ECDSA_P256_SHA384_ASN1,
            (Kind::P384, Algorithm::Ecdsa(Hash::Sha256)) => &keys::ECDSA_P384_SHA256_ASN1,
            (Kind::P384, Algorithm::Ecdsa(Hash::Sha384)) => &keys::ECDSA_P384_SHA384_ASN1,
            (Kind::Rsa, Algorithm::RsaPkcs1(Hash::Sha256)) => &keys::RSA_PKCS1_2048_8192_SHA256,
            (Kind::Rsa, Algorithm::RsaPkcs1(Hash::Sha384)) => &keys::RSA_PKCS1_2048_8192_SHA384,
            (Kind::Rsa, Algorithm::RsaPkcs1(Hash::Sha512)) => &keys::RSA_PKCS1_2048_8192_SHA512,
            (Kind::Rsa, Algorithm::RsaPss(Hash::Sha256)) => &keys::RSA_PSS_2048_8192_SHA256,
            (Kind::Rsa, Algorithm::RsaPss(Hash::Sha384)) => &keys::RSA_PSS_2048_8192_SHA384,
            (Kind::Rsa, Algorithm::RsaPss(Hash::Sha512)) => &keys::RSA_PSS_2048_8192_SHA512,
            _ => return false,
        };
        UnparsedPublicKey::new(verification, &self.bytes)
            .verify(message, signature)
            .is_ok()
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
    let is_plain = mask.oid == ID_MGF_1
        && Hash::of(&inner.oid) == Some(hash)
        && parameters.salt == Some(hash.length())
        && parameters.trailer.is_none_or(|trailer| trailer == 1);
    is_plain.then_some(hash)
}
