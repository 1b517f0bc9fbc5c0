//! The checksums of both directions: hexadecimal of an initialisation vector and of AES-256-GCM over the lower-case SHA-256
//! of the joined fields.
//!
//! The vector the interface uses is 12 zero bytes each time. That repeats GCM's nonce under one key: whoever has seen one
//! checksum knows the key stream, and a few of them give the key of the tag, so that anybody through whose hands checksums pass
//! can make the one of other fields. A checksum therefore proves nothing where the browser brought it (WEB-01) until
//! [`super::verify`] and [`crate::certificate::ics`] have; in answers of the authority's own host TLS protects it. The key serves
//! this format and nothing else.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

const IV: usize = 12;
/// The vector, the digest's 64 characters and the tag, in hexadecimal.
const LENGTH: usize = 2 * (IV + 64 + 16);

/// The service's key. `Debug` is empty.
pub(super) struct Key(LessSafeKey);

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key")
    }
}

fn digest(fields: &[&str]) -> String {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update(field.as_bytes());
    }
    hex::encode(hash.finalize())
}

impl Key {
    /// A key of 32 bytes; `None` for another length. The given bytes are wiped.
    pub fn new(mut bytes: Vec<u8>) -> Option<Key> {
        let key = UnboundKey::new(&AES_256_GCM, &bytes).ok();
        bytes.zeroize();
        key.map(|key| Key(LessSafeKey::new(key)))
    }

    /// The checksum of some fields in their order.
    pub fn make(&self, fields: &[&str]) -> Option<String> {
        let mut bytes = digest(fields).into_bytes();
        let nonce = Nonce::assume_unique_for_key([0; IV]);
        self.0.seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes).ok()?;
        Some(format!("{}{}", hex::encode([0; IV]), hex::encode(bytes)))
    }

    /// Whether a checksum is of these fields. The other side may use another vector.
    pub fn check(&self, fields: &[&str], checksum: &str) -> bool {
        if checksum.len() != LENGTH {
            return false;
        }
        let Ok(bytes) = hex::decode(checksum).map(Zeroizing::new) else {
            return false;
        };
        let Some((iv, sealed)) = bytes.split_at_checked(IV) else {
            return false;
        };
        let Ok(nonce) = Nonce::try_assume_unique_for_key(iv) else {
            return false;
        };
        let mut sealed = sealed.to_vec();
        match self.0.open_in_place(nonce, Aad::empty(), &mut sealed) {
            Ok(opened) => digest(fields).as_bytes().ct_eq(opened).into(),
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Interoperation with another implementation is shown against the twin; here only that both directions agree and that
    /// every alteration is told apart.
    #[test]
    fn a_checksum_is_good_for_its_fields_and_key_alone() {
        let Some(key) = Key::new(vec![7; 32]) else {
            unreachable!("32 bytes are a key")
        };
        let made = key.make(&["a", "b"]).unwrap_or_default();
        assert_eq!(made.len(), LENGTH);
        assert!(key.check(&["a", "b"], &made));
        assert!(
            key.check(&["ab"], &made.to_uppercase()),
            "the fields are joined without a mark"
        );
        assert!(!key.check(&["a", "c"], &made));
        assert!(!Key::new(vec![8; 32]).is_some_and(|other| other.check(&["a", "b"], &made)));
        for at in 0..made.len() {
            let mut altered = made.clone().into_bytes();
            if let Some(byte) = altered.get_mut(at) {
                *byte = if *byte == b'1' { b'2' } else { b'1' };
            }
            let altered = String::from_utf8_lossy(&altered).into_owned();
            assert!(!key.check(&["a", "b"], &altered), "character {at}");
        }
        assert!(!key.check(&["a", "b"], ""));
        assert!(Key::new(vec![0; 31]).is_none());
    }
}
