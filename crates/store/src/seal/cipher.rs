//! AES-256-GCM with a random nonce for each sealing.
//!
//! Sealed bytes: one byte for the format, 12 bytes of nonce, ciphertext, 16 bytes of tag. With
//! random 96-bit nonces a key may seal about 2^32 values before repetition becomes likely; a key
//! here serves one case or person and seals thousands at most.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use zeroize::Zeroizing;

use crate::StoreError;

const FORMAT: u8 = 1;
const NONCE: usize = 12;

pub(super) fn random_key() -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let mut key = Zeroizing::new([0; 32]);
    fill(key.as_mut_slice())?;
    Ok(key)
}

/// Ten bytes for a name.
pub(super) fn random() -> Result<[u8; 10], StoreError> {
    let mut bytes = [0; 10];
    fill(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn fill(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|error| StoreError::Randomness(error.to_string()))
}

pub(super) fn seal(key: &[u8; 32], associated: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE];
    fill(&mut nonce)?;
    let body = Aes256Gcm::new(key.into())
        .encrypt(
            &Nonce::from(nonce),
            Payload {
                msg: plain,
                aad: associated,
            },
        )
        .map_err(|_| StoreError::FileTooLarge {
            size: plain.len() as u64,
            limit: 1 << 36,
        })?;
    let mut sealed = Vec::with_capacity(1 + NONCE + body.len());
    sealed.push(FORMAT);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&body);
    Ok(sealed)
}

/// Nothing when the bytes aren't what [`seal`] made with the same key and associated data.
pub(super) fn open(key: &[u8; 32], associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (&format, rest) = sealed.split_first()?;
    if format != FORMAT {
        return None;
    }
    let (nonce, body) = rest.split_first_chunk::<NONCE>()?;
    Aes256Gcm::new(key.into())
        .decrypt(
            &Nonce::from(*nonce),
            Payload {
                msg: body,
                aad: associated,
            },
        )
        .ok()
        .map(Zeroizing::new)
}

/// Parts as one string of bytes that no other parts give: each behind its length.
pub(super) fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}
