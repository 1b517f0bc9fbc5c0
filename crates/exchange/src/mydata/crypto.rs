//! The platform's own cipher: AES-256-CBC with PKCS#7 padding under `client_secret` written twice and one fixed
//! initialisation vector. It is the platform's choice, kept here for speaking with it and used for nothing else.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Key and initialisation vector of one registered service.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ServiceKey {
    key: [u8; 32],
    iv: [u8; 16],
}

/// Why a value of the platform can't be read: not Base64, or made with another key. Which of the two is not told, so
/// that the answer to a forged value says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value is not one made with this service's key")]
pub struct CryptoError;

impl ServiceKey {
    /// The key of `client_secret` and `cbc_iv`, 16 bytes each; `None` if they are not.
    #[must_use]
    pub fn new(client_secret: &str, cbc_iv: &str) -> Option<ServiceKey> {
        let half: [u8; 16] = client_secret.as_bytes().try_into().ok()?;
        let iv = cbc_iv.as_bytes().try_into().ok()?;
        let mut key = [0; 32];
        key[..16].copy_from_slice(&half);
        key[16..].copy_from_slice(&half);
        Some(ServiceKey { key, iv })
    }

    /// Standard Base64 of the encrypted text.
    #[must_use]
    pub fn seal(&self, text: &str) -> String {
        let cipher = cbc::Encryptor::<aes::Aes256>::new(&self.key.into(), &self.iv.into());
        STANDARD.encode(cipher.encrypt_padded_vec::<Pkcs7>(text.as_bytes()))
    }

    /// The text of a sealed value. Spaces are read as `+`: the platform does not percent-encode.
    ///
    /// # Errors
    ///
    /// [`CryptoError`] if the value was not made with this key.
    pub fn open(&self, sealed: &str) -> Result<String, CryptoError> {
        let bytes = STANDARD
            .decode(sealed.trim_end_matches(['\r', '\n']).replace(' ', "+"))
            .map_err(|_| CryptoError)?;
        let cipher = cbc::Decryptor::<aes::Aes256>::new(&self.key.into(), &self.iv.into());
        let text = cipher.decrypt_padded_vec::<Pkcs7>(&bytes).map_err(|_| CryptoError)?;
        String::from_utf8(text).map_err(|_| CryptoError)
    }
}
