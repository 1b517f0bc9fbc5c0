//! Signatures over messages. What is signed are the signed attributes of a CAdES-BES signature (ETSI EN 319 122-1) over the
//! message's manifest; what travels is time, certificate and signature value in one header. Both sides can put the CMS
//! structure together again from what they have, so that the signature of the sender itself stands in the evidence.
//!
//! ECDSA on P-256: fast enough for every message, made by government authorities as well as RSA, and known to every CMS
//! verifier, which Ed25519 is not yet. RSA keys sign and verify too.

use crate::asn1::{EssCertIdV2, SigningCertificateV2};
use crate::statement::{Direction, message_manifest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos};
use der::asn1::{Any, ObjectIdentifier, OctetString, SetOfVec, UtcTime};
use der::oid::db::rfc5911::{
    ID_AA_SIGNING_CERTIFICATE_V_2, ID_CONTENT_TYPE, ID_DATA, ID_MESSAGE_DIGEST, ID_SIGNED_DATA, ID_SIGNING_TIME,
};
use der::oid::db::rfc5912::{ECDSA_WITH_SHA_256, ID_SHA_256, SHA_256_WITH_RSA_ENCRYPTION};
use der::{Decode, Encode};
use jiff::Timestamp;
use jiff::tz::Offset;
use pki::{Algorithm, Hash, PublicKey};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use x509_cert::Certificate;
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::spki::AlgorithmIdentifierOwned;

/// Longest signature value, bytes: RSA of 8192 bits.
const LONGEST: usize = 1024;

/// Why a signature can't be made or is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The key is none we can sign with, or not that of the certificate.
    #[error("the signing key must be a PKCS#8 PEM of the certificate's P-256 or RSA key")]
    Key,
    /// The header is none.
    #[error("the signature's header must read `t=<seconds>;cert=<hex>;sig=<base64>`")]
    Header,
    /// The library refuses.
    #[error("the signature can't be made or put together: {0}")]
    Library(String),
}

impl From<der::Error> for SignatureError {
    fn from(error: der::Error) -> SignatureError {
        SignatureError::Library(error.to_string())
    }
}

/// A signature as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// When it was made, seconds since 1970.
    pub time: i64,
    /// SHA-256 of the signer's certificate.
    pub certificate: [u8; 32],
    /// ECDSA (DER) or RSA PKCS#1 v1.5, both with SHA-256.
    pub value: Vec<u8>,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "t={};cert={};sig={}",
            self.time,
            hex::encode(self.certificate),
            STANDARD.encode(&self.value)
        )
    }
}

impl FromStr for Proof {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Proof, SignatureError> {
        let mut parts = text.split(';');
        let mut take = |name: &str| {
            parts
                .next()
                .and_then(|part| part.strip_prefix(name))
                .ok_or(SignatureError::Header)
        };
        let time = take("t=")?.parse().map_err(|_| SignatureError::Header)?;
        let mut certificate = [0; 32];
        hex::decode_to_slice(take("cert=")?, &mut certificate).map_err(|_| SignatureError::Header)?;
        let value = take("sig=")?;
        if value.len() > LONGEST * 2 || parts.next().is_some() {
            return Err(SignatureError::Header);
        }
        let value = STANDARD.decode(value).map_err(|_| SignatureError::Header)?;
        Ok(Proof {
            time,
            certificate,
            value,
        })
    }
}

impl Proof {
    /// Whether `key` made this signature over the statement.
    #[must_use]
    pub fn holds(&self, key: &PublicKey, direction: Direction, statement: &str) -> bool {
        let manifest = message_manifest(direction, statement);
        signed_bytes(&manifest, self.time, &self.certificate)
            .is_ok_and(|signed| key.verifies(key.usual(Hash::Sha256), &signed, &self.value))
    }

    /// The detached CMS signature (DER) over the message's manifest, with the signer's certificate inside.
    ///
    /// # Errors
    /// [`SignatureError::Library`]
    pub fn cms(&self, certificate: &[u8], direction: Direction, statement: &str) -> Result<Vec<u8>, SignatureError> {
        let parsed = Certificate::from_der(certificate)?;
        let manifest = message_manifest(direction, statement);
        let plain = |oid: ObjectIdentifier| AlgorithmIdentifierOwned { oid, parameters: None };
        let algorithm = match PublicKey::of(&parsed).map(|key| key.usual(Hash::Sha256)) {
            Some(Algorithm::RsaPkcs1(_)) => AlgorithmIdentifierOwned {
                oid: SHA_256_WITH_RSA_ENCRYPTION,
                parameters: Some(Any::null()),
            },
            _ => plain(ECDSA_WITH_SHA_256),
        };
        let content = parsed.tbs_certificate();
        let signer = SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
                issuer: content.issuer().clone(),
                serial_number: content.serial_number().clone(),
            }),
            digest_alg: plain(ID_SHA_256),
            signed_attrs: Some(signed_attributes(&manifest, self.time, &self.certificate)?),
            signature_algorithm: algorithm,
            signature: OctetString::new(self.value.clone())?,
            unsigned_attrs: None,
        };
        let data = SignedData {
            version: CmsVersion::V1,
            digest_algorithms: SetOfVec::try_from(vec![plain(ID_SHA_256)])?,
            encap_content_info: EncapsulatedContentInfo {
                econtent_type: ID_DATA,
                econtent: None,
            },
            certificates: Some(vec![CertificateChoices::Certificate(parsed)].try_into()?),
            crls: None,
            signer_infos: SignerInfos::try_from(vec![signer])?,
        };
        let info = ContentInfo {
            content_type: ID_SIGNED_DATA,
            content: Any::encode_from(&data)?,
        };
        Ok(info.to_der()?)
    }
}

/// The signed attributes of CAdES-BES: content type, digest, time, the signer's certificate.
fn signed_attributes(manifest: &str, time: i64, certificate: &[u8; 32]) -> Result<Attributes, SignatureError> {
    let one = |oid: ObjectIdentifier, value: Any| -> Result<Attribute, SignatureError> {
        Ok(Attribute {
            oid,
            values: SetOfVec::try_from(vec![value])?,
        })
    };
    let seconds = u64::try_from(time).map_err(|_| SignatureError::Header)?;
    let time = UtcTime::from_unix_duration(Duration::from_secs(seconds))?;
    let digest = OctetString::new(digest(&SHA256, manifest.as_bytes()).as_ref().to_vec())?;
    let named = SigningCertificateV2 {
        certs: vec![EssCertIdV2 {
            cert_hash: OctetString::new(certificate.to_vec())?,
        }],
    };
    Ok(Attributes::try_from(vec![
        one(ID_CONTENT_TYPE, Any::encode_from(&ID_DATA)?)?,
        one(ID_MESSAGE_DIGEST, Any::encode_from(&digest)?)?,
        one(ID_SIGNING_TIME, Any::encode_from(&time)?)?,
        one(ID_AA_SIGNING_CERTIFICATE_V_2, Any::encode_from(&named)?)?,
    ])?)
}

/// The DER form of [`signed_attributes`]. Every message needs it twice, and in all of them only time, digest and certificate
/// differ: it is put together from its fixed parts.
fn signed_bytes(manifest: &str, time: i64, certificate: &[u8; 32]) -> Result<Vec<u8>, SignatureError> {
    /// A set of 162 bytes; content type `data`; the head of the signing time as `UTCTime`.
    const TO_TIME: &[u8] = b"\x31\x81\xa2\
        \x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03\x31\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\
        \x30\x1c\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05\x31\x0f\x17\x0d";
    /// The head of the message digest.
    const TO_DIGEST: &[u8] = b"\x30\x2f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04\x31\x22\x04\x20";
    /// The head of the signing certificate, version 2.
    const TO_CERTIFICATE: &[u8] = b"\x30\x37\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\
        \x31\x28\x30\x26\x30\x24\x30\x22\x04\x20";
    let time = Timestamp::from_second(time).map_err(|_| SignatureError::Header)?;
    let time = Offset::UTC.to_datetime(time);
    // the years a `UTCTime` has, from 1970 on
    if !(1970..2050).contains(&time.year()) {
        return Err(SignatureError::Header);
    }
    let mut signed = Vec::with_capacity(165);
    signed.extend_from_slice(TO_TIME);
    signed.extend_from_slice(time.strftime("%y%m%d%H%M%SZ").to_string().as_bytes());
    signed.extend_from_slice(TO_DIGEST);
    signed.extend_from_slice(digest(&SHA256, manifest.as_bytes()).as_ref());
    signed.extend_from_slice(TO_CERTIFICATE);
    signed.extend_from_slice(certificate);
    Ok(signed)
}

enum Key {
    Ecdsa(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

/// Signs messages of this side.
pub struct Signer {
    key: Key,
    random: SystemRandom,
    certificate: Arc<[u8]>,
    fingerprint: [u8; 32],
}

impl Signer {
    /// Takes the signing certificate and its key, both PEM, the key as PKCS#8.
    ///
    /// # Errors
    /// [`SignatureError::Key`]
    pub fn new(certificate: &str, key: &str) -> Result<Signer, SignatureError> {
        let certificate = pki::pem(certificate)
            .ok()
            .and_then(|found| found.into_iter().next())
            .ok_or(SignatureError::Key)?;
        let random = SystemRandom::new();
        let der = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| SignatureError::Key)?;
        let PrivateKeyDer::Pkcs8(pkcs8) = der else {
            return Err(SignatureError::Key);
        };
        let bytes = pkcs8.secret_pkcs8_der();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, bytes, &random)
            .map(|key| Key::Ecdsa(Box::new(key)))
            .or_else(|_| RsaKeyPair::from_pkcs8(bytes).map(|key| Key::Rsa(Box::new(key))))
            .map_err(|_| SignatureError::Key)?;
        let signer = Signer {
            key,
            random,
            fingerprint: pki::fingerprint(&certificate),
            certificate: Arc::from(&*certificate),
        };
        let public = Certificate::from_der(&signer.certificate)
            .ok()
            .and_then(|parsed| PublicKey::of(&parsed))
            .ok_or(SignatureError::Key)?;
        let try_out = signer.sign(Direction::Request, "", Timestamp::UNIX_EPOCH)?;
        match try_out.holds(&public, Direction::Request, "") {
            true => Ok(signer),
            false => Err(SignatureError::Key),
        }
    }

    /// Fingerprint and DER form of the certificate.
    #[must_use]
    pub fn certificate(&self) -> (&[u8; 32], &Arc<[u8]>) {
        (&self.fingerprint, &self.certificate)
    }

    /// Signs a statement.
    ///
    /// # Errors
    /// [`SignatureError`]
    pub fn sign(&self, direction: Direction, statement: &str, now: Timestamp) -> Result<Proof, SignatureError> {
        let time = now.as_second();
        let manifest = message_manifest(direction, statement);
        let signed = signed_bytes(&manifest, time, &self.fingerprint)?;
        let refused = |_| SignatureError::Library("the key refuses to sign".to_owned());
        let value = match &self.key {
            Key::Ecdsa(key) => key.sign(&self.random, &signed).map_err(refused)?.as_ref().to_vec(),
            Key::Rsa(key) => {
                let mut value = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &self.random, &signed, &mut value)
                    .map_err(refused)?;
                value
            }
        };
        Ok(Proof {
            time,
            certificate: self.fingerprint,
            value,
        })
    }
}
