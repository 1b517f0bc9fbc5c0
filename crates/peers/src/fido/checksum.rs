//! The checksum by OpenSSL: AES-256-GCM over the text of a SHA-256.

use openssl::error::ErrorStack;
use openssl::symm::{Cipher, encrypt_aead};
use std::fmt::Write;

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

pub fn make(key: &[u8], joined: &str) -> Result<String, ErrorStack> {
    let digest = hex(&openssl::sha::sha256(joined.as_bytes()));
    let mut tag = [0; 16];
    let sealed = encrypt_aead(
        Cipher::aes_256_gcm(),
        key,
        Some(&[0; 12]),
        &[],
        digest.as_bytes(),
        &mut tag,
    )?;
    Ok(format!("{}{}{}", hex(&[0; 12]), hex(&sealed), hex(&tag)))
}
