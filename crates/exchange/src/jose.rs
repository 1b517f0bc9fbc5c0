//! Signed tokens (JWS compact, RFC 7515) by ECDSA on P-256 with SHA-256 (ES256), the one algorithm that the wallet and Web Push
//! use, and keys as JWK (RFC 7517).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Map, Value, json};

/// Why a key or a token is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// The key is not one on P-256.
    #[error("the key is not a P-256 key (private: PKCS#8 PEM; public: JWK)")]
    Key,
    /// Larger than accepted.
    #[error("the token is too large")]
    TooLarge,
    /// Not three parts of Base64url with JSON objects.
    #[error("the token is not a signed JSON object")]
    Form,
    /// Another algorithm than ES256.
    #[error("the token is not signed with ES256")]
    Algorithm,
    /// A header that must be understood and is not (`crit`).
    #[error("the token's header asks for what is not known here")]
    Critical,
    /// The signature is not this key's.
    #[error("the token's signature does not match")]
    Signature,
}

/// A public key on P-256.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey([u8; 65]);

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PublicKey({})", self.thumbprint())
    }
}

impl PublicKey {
    /// A point in the uncompressed form (SEC 1).
    ///
    /// # Errors
    ///
    /// [`JoseError::Key`].
    pub fn from_point(point: &[u8]) -> Result<PublicKey, JoseError> {
        let point: [u8; 65] = point.try_into().map_err(|_| JoseError::Key)?;
        if point.first() == Some(&4) {
            Ok(PublicKey(point))
        } else {
            Err(JoseError::Key)
        }
    }

    /// Reads a JWK.
    ///
    /// # Errors
    ///
    /// [`JoseError::Key`] for another kind of key.
    pub fn from_jwk(jwk: &Value) -> Result<PublicKey, JoseError> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if (text("kty"), text("crv")) != (Some("EC"), Some("P-256")) {
            return Err(JoseError::Key);
        }
        let part = |name: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text(name).ok_or(JoseError::Key)?);
            bytes.ok().filter(|bytes| bytes.len() == 32).ok_or(JoseError::Key)
        };
        PublicKey::from_point(&[&[4][..], &part("x")?, &part("y")?].concat())
    }

    /// The point in the uncompressed form (SEC 1).
    #[must_use]
    pub fn point(&self) -> &[u8; 65] {
        &self.0
    }

    fn halves(&self) -> (&[u8], &[u8]) {
        let (_, rest) = self.0.split_at(1);
        rest.split_at(32)
    }

    /// The JWK with its required members only.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let (x, y) = self.halves();
        json!({ "crv": "P-256", "kty": "EC", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
    }

    /// The JWK as canonical text (RFC 7638, RFC 8785): members in order, no blanks.
    #[must_use]
    pub fn canonical(&self) -> String {
        let (x, y) = self.halves();
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}")
    }

    /// The key's name by RFC 7638.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.canonical().as_bytes());
        URL_SAFE_NO_PAD.encode(digest)
    }
}

/// A private key on P-256. `Debug` names its public key.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
    random: SystemRandom,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("SigningKey").field(&self.public).finish()
    }
}

impl SigningKey {
    /// Reads a key in PKCS#8 PEM, as `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` writes it.
    ///
    /// # Errors
    ///
    /// [`JoseError::Key`].
    pub fn from_pem(pem: &str) -> Result<SigningKey, JoseError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| JoseError::Key)?;
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der(), &random)
            .map_err(|_| JoseError::Key)?;
        let public = PublicKey::from_point(pair.public_key().as_ref())?;
        Ok(SigningKey { pair, public, random })
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs claims; `header` says the members beside `alg`.
    ///
    /// # Errors
    ///
    /// [`JoseError::Signature`] if the system has no randomness.
    pub fn sign(&self, mut header: Map<String, Value>, claims: &Value) -> Result<String, JoseError> {
        header.insert("alg".to_owned(), json!("ES256"));
        let header = URL_SAFE_NO_PAD.encode(Value::Object(header).to_string());
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self
            .pair
            .sign(&self.random, signed.as_bytes())
            .map_err(|_| JoseError::Signature)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// A token that was read and not yet believed.
#[derive(Clone)]
pub struct Token {
    /// Its header.
    pub header: Map<String, Value>,
    /// Its claims.
    pub claims: Map<String, Value>,
    signed: String,
    signature: Vec<u8>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token")
    }
}

impl Token {
    /// Reads a token of at most `largest` bytes.
    ///
    /// # Errors
    ///
    /// [`JoseError`].
    pub fn parse(text: &str, largest: usize) -> Result<Token, JoseError> {
        if text.len() > largest {
            return Err(JoseError::TooLarge);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JoseError::Form)?;
        let (header, claims) = signed.split_once('.').ok_or(JoseError::Form)?;
        let object = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| JoseError::Form)?;
            serde_json::from_slice::<Map<String, Value>>(&bytes).map_err(|_| JoseError::Form)
        };
        let header = object(header)?;
        if header.get("alg").and_then(Value::as_str) != Some("ES256") {
            return Err(JoseError::Algorithm);
        }
        if header.contains_key("crit") || header.get("b64").is_some() {
            return Err(JoseError::Critical);
        }
        Ok(Token {
            claims: object(claims)?,
            header,
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| JoseError::Form)?,
            signed: signed.to_owned(),
        })
    }

    /// Checks the signature.
    ///
    /// # Errors
    ///
    /// [`JoseError::Signature`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), JoseError> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.point())
            .verify(self.signed.as_bytes(), &self.signature)
            .map_err(|_| JoseError::Signature)
    }

    /// A header parameter.
    #[must_use]
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// A claim that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// A claim that is a time in whole seconds since 1970.
    #[must_use]
    pub fn seconds(&self, name: &str) -> Option<i64> {
        self.claims.get(name).and_then(Value::as_i64)
    }
}
