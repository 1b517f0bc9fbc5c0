//! The envelope of a package: compact JWE (RFC 7516) with A256KW and A256CBC-HS512 (RFC 7518), and nothing else. The
//! header can't choose another algorithm.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use aes_kw::{KeyInit, KwAes256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha512;
use zeroize::Zeroizing;

/// Why an envelope is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JweError {
    /// Not five Base64url parts.
    #[error("the envelope is not a compact JWE of five parts")]
    Form,
    /// The protected header is not a JSON object.
    #[error("the envelope's header can't be read")]
    Header,
    /// Another algorithm than the one agreed.
    #[error("the envelope's `{name}` is not `{expected}`")]
    Algorithm {
        /// Header parameter.
        name: &'static str,
        /// The one value accepted.
        expected: &'static str,
    },
    /// A header parameter that changes how the envelope must be read (`zip`, `crit`).
    #[error("the envelope's header asks for `{0}`, which is not accepted")]
    Parameter(&'static str),
    /// The content key can't be unwrapped: another key, or altered.
    #[error("the envelope was not made with this key")]
    WrongKey,
    /// The authentication tag does not match: header, initialisation vector or content were altered.
    #[error("the envelope was altered")]
    Altered,
}

/// Opens a compact JWE under a 32-byte key.
///
/// # Errors
///
/// [`JweError`]; content is given out only after its tag was checked.
pub fn open(compact: &str, key: &[u8; 32]) -> Result<Vec<u8>, JweError> {
    let mut parts = compact.trim_ascii().split('.');
    let mut part = || parts.next().ok_or(JweError::Form);
    let (header, wrapped, iv, content, tag) = (part()?, part()?, part()?, part()?, part()?);
    if parts.next().is_some() {
        return Err(JweError::Form);
    }
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| JweError::Form);
    check_header(&decode(header)?)?;
    let wrapped = decode(wrapped)?;
    if wrapped.len() != 72 {
        return Err(JweError::WrongKey);
    }
    let mut content_key = Zeroizing::new([0_u8; 64]);
    KwAes256::new(key.into())
        .unwrap_key(&wrapped, content_key.as_mut_slice())
        .map_err(|_| JweError::WrongKey)?;
    decrypt(
        &content_key,
        header.as_bytes(),
        &decode(iv)?,
        &decode(content)?,
        &decode(tag)?,
    )
}

/// AES_256_CBC_HMAC_SHA_512 decryption (RFC 7518 section 5.2.2.2): the first half of the key is for the tag, the second
/// for the cipher.
///
/// # Errors
///
/// [`JweError::Altered`] if the tag does not match the associated data, the vector and the content.
pub fn decrypt(key: &[u8; 64], associated: &[u8], iv: &[u8], content: &[u8], tag: &[u8]) -> Result<Vec<u8>, JweError> {
    let (tag_key, cipher_key) = key.split_at(32);
    let bits = u64::try_from(associated.len())
        .ok()
        .and_then(|bytes| bytes.checked_mul(8))
        .ok_or(JweError::Altered)?;
    let mut mac = Hmac::<Sha512>::new_from_slice(tag_key).map_err(|_| JweError::Altered)?;
    mac.update(associated);
    mac.update(iv);
    mac.update(content);
    mac.update(&bits.to_be_bytes());
    if tag.len() != 32 || mac.verify_truncated_left(tag).is_err() {
        return Err(JweError::Altered);
    }
    let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(cipher_key, iv).map_err(|_| JweError::Altered)?;
    cipher
        .decrypt_padded_vec::<Pkcs7>(content)
        .map_err(|_| JweError::Altered)
}

/// Checks that the header names the agreed algorithms and nothing that changes the reading.
fn check_header(bytes: &[u8]) -> Result<(), JweError> {
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(bytes).map_err(|_| JweError::Header)?;
    for (name, expected) in [("alg", "A256KW"), ("enc", "A256CBC-HS512")] {
        if header.get(name).and_then(serde_json::Value::as_str) != Some(expected) {
            return Err(JweError::Algorithm { name, expected });
        }
    }
    match ["zip", "crit"].into_iter().find(|name| header.contains_key(*name)) {
        Some(name) => Err(JweError::Parameter(name)),
        None => Ok(()),
    }
}
