//! A browser that takes Web Push: its keys, and reading what was encrypted for it, by OpenSSL (RFC 8188, RFC 8291).

use crate::base64url;
use openssl::bn::BigNumContext;
use openssl::derive::Deriver;
use openssl::ec::{EcGroup, EcKey, EcPoint, PointConversionForm};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt_aead};

/// A browser with a subscription.
#[derive(Clone)]
pub struct Browser {
    key: PKey<Private>,
    public: Vec<u8>,
    auth: Vec<u8>,
}

fn group() -> Result<EcGroup, ErrorStack> {
    EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Result<Vec<u8>, ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
    for part in parts {
        signer.update(part)?;
    }
    signer.sign_to_vec()
}

impl Browser {
    /// New keys.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn new() -> Result<Browser, ErrorStack> {
        let mut auth = vec![0; 16];
        openssl::rand::rand_bytes(&mut auth)?;
        Browser::of(&EcKey::generate(&*group()?)?, auth)
    }

    /// Known keys, for recorded messages: the private number and the point in the uncompressed form.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn known(private: &[u8], public: &[u8], auth: &[u8]) -> Result<Browser, ErrorStack> {
        let group = group()?;
        let mut context = BigNumContext::new()?;
        let point = EcPoint::from_bytes(&group, public, &mut context)?;
        let number = openssl::bn::BigNum::from_slice(private)?;
        let key = EcKey::from_private_components(&group, &number, &point)?;
        Browser::of(&key, auth.to_vec())
    }

    fn of(key: &EcKey<Private>, auth: Vec<u8>) -> Result<Browser, ErrorStack> {
        let mut context = BigNumContext::new()?;
        let form = PointConversionForm::UNCOMPRESSED;
        Ok(Browser {
            public: key.public_key().to_bytes(key.group(), form, &mut context)?,
            key: PKey::from_ec_key(key.clone())?,
            auth,
        })
    }

    /// `p256dh` and `auth` of the subscription.
    #[must_use]
    pub fn keys(&self) -> (String, String) {
        (base64url::encode(&self.public), base64url::encode(&self.auth))
    }

    /// The content of a message; `None` for what was not made for this browser.
    #[must_use]
    pub fn open(&self, body: &[u8]) -> Option<Vec<u8>> {
        let (salt, rest) = body.split_at_checked(16)?;
        let (size, rest) = rest.split_at_checked(4)?;
        let (length, rest) = rest.split_first()?;
        let (sender, record) = rest.split_at_checked(usize::from(*length))?;
        let size = u32::from_be_bytes(size.try_into().ok()?);
        if record.len() > usize::try_from(size).ok()? {
            return None;
        }
        self.decrypt(salt, sender, record).ok().flatten()
    }

    fn decrypt(&self, salt: &[u8], sender: &[u8], record: &[u8]) -> Result<Option<Vec<u8>>, ErrorStack> {
        let group = group()?;
        let mut context = BigNumContext::new()?;
        let point = EcPoint::from_bytes(&group, sender, &mut context)?;
        let peer = PKey::from_ec_key(EcKey::from_public_key(&group, &point)?)?;
        let mut deriver = Deriver::new(&self.key)?;
        deriver.set_peer(&peer)?;
        let shared = deriver.derive_to_vec()?;
        let secret = hmac(&self.auth, &[&shared])?;
        let input = hmac(&secret, &[b"WebPush: info\0", &self.public, sender, &[1]])?;
        let pseudo = hmac(salt, &[&input])?;
        let key = hmac(&pseudo, &[b"Content-Encoding: aes128gcm\0\x01"])?;
        let nonce = hmac(&pseudo, &[b"Content-Encoding: nonce\0\x01"])?;
        let Some((sealed, tag)) = record.len().checked_sub(16).and_then(|at| record.split_at_checked(at)) else {
            return Ok(None);
        };
        let (key, nonce) = (key.get(..16).unwrap_or_default(), nonce.get(..12));
        let mut text = decrypt_aead(Cipher::aes_128_gcm(), key, nonce, &[], sealed, tag)?;
        // padding: zeros after the mark of the last record
        while text.last() == Some(&0) {
            text.pop();
        }
        Ok((text.pop() == Some(2)).then_some(text))
    }
}

/// A new key of an application server: P-256, PKCS#8, PEM.
///
/// # Errors
/// OpenSSL's.
pub fn key() -> Result<String, ErrorStack> {
    let key = EcKey::generate(&*group()?)?;
    let pem = PKey::from_ec_key(key)?.private_key_to_pem_pkcs8()?;
    Ok(String::from_utf8_lossy(&pem).into_owned())
}
