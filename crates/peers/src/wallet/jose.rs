//! Keys by OpenSSL, tokens by josekit, identifiers by hand.

use crate::base64url;
use josekit::jws::{ES256, JwsHeader, serialize_compact};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use serde_json::{Value, json};

/// A P-256 key.
#[derive(Clone)]
pub struct Key {
    pub pem: Vec<u8>,
    pub x: String,
    pub y: String,
}

impl Key {
    pub fn new() -> Result<Key, ErrorStack> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        Key::of(&EcKey::generate(&group)?)
    }

    fn of(key: &EcKey<Private>) -> Result<Key, ErrorStack> {
        let mut context = BigNumContext::new()?;
        let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
        key.public_key()
            .affine_coordinates(key.group(), &mut x, &mut y, &mut context)?;
        Ok(Key {
            pem: PKey::from_ec_key(key.clone())?.private_key_to_pem_pkcs8()?,
            x: base64url::encode(&x.to_vec_padded(32)?),
            y: base64url::encode(&y.to_vec_padded(32)?),
        })
    }

    pub fn jwk(&self) -> Value {
        json!({ "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y })
    }

    /// `did:key` with the JWK in its canonical form (members in alphabetical order) behind `d1 d6 03`.
    pub fn did(&self) -> String {
        let jwk = format!(
            "{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{}\",\"y\":\"{}\"}}",
            self.x, self.y
        );
        let bytes = [&[0xd1, 0xd6, 0x03][..], jwk.as_bytes()].concat();
        format!("did:key:z{}", base58(&bytes).unwrap_or_default())
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> Option<String> {
        let mut made = JwsHeader::new();
        for (name, value) in header.as_object()? {
            made.set_claim(name, Some(value.clone())).ok()?;
        }
        let signer = ES256.signer_from_pem(&self.pem).ok()?;
        serialize_compact(claims.to_string().as_bytes(), &made, &signer).ok()
    }
}

/// A new key as PEM.
pub fn pem() -> Result<String, ErrorStack> {
    Ok(String::from_utf8_lossy(&Key::new()?.pem).into_owned())
}

fn base58(bytes: &[u8]) -> Result<String, ErrorStack> {
    const LETTERS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut number = BigNum::from_slice(bytes)?;
    let mut letters = Vec::new();
    while number.num_bits() > 0 {
        let rest = number.div_word(58)?;
        let letter = usize::try_from(rest).ok().and_then(|rest| LETTERS.get(rest));
        letters.extend(letter);
    }
    letters.extend(bytes.iter().take_while(|byte| **byte == 0).map(|_| b'1'));
    letters.reverse();
    Ok(String::from_utf8_lossy(&letters).into_owned())
}

/// The content of a token without any check: its own cards, and what a test looks at.
pub fn peek(token: &str) -> Option<Value> {
    let part = token.split('.').nth(1)?;
    serde_json::from_slice(&decode(part)?).ok()
}

/// Base64url without padding.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut text = text.replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    openssl::base64::decode_block(&text).ok()
}

pub fn digest(text: &str) -> String {
    base64url::encode(&openssl::sha::sha256(text.as_bytes()))
}
