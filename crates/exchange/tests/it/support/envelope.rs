//! The envelope and the platform's own cipher, by OpenSSL.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::aes::{AesKey, wrap_key};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::{Cipher, encrypt};

/// The header as the platform writes it.
pub const HEADER: &str = r#"{"alg":"A256KW","enc":"A256CBC-HS512"}"#;

/// A compact JWE of A256KW and A256CBC-HS512.
pub fn seal(header: &str, key: &[u8; 32], iv: &[u8; 16], content: &[u8]) -> String {
    let mut content_key = [0; 64];
    openssl::rand::rand_bytes(&mut content_key).unwrap();
    let mut wrapped = [0; 72];
    wrap_key(&AesKey::new_encrypt(key).unwrap(), None, &mut wrapped, &content_key).unwrap();
    let header = URL_SAFE_NO_PAD.encode(header);
    let sealed = encrypt(Cipher::aes_256_cbc(), &content_key[32..], Some(iv), content).unwrap();
    let hmac = PKey::hmac(&content_key[..32]).unwrap();
    let mut signer = Signer::new(MessageDigest::sha512(), &hmac).unwrap();
    for part in [header.as_bytes(), iv, &sealed, &(header.len() as u64 * 8).to_be_bytes()] {
        signer.update(part).unwrap();
    }
    let tag = signer.sign_to_vec().unwrap();
    let parts = [&wrapped[..], iv, &sealed, &tag[..32]].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{}", parts.join("."))
}

/// Base64 of AES-256-CBC with the service's secret twice, as `pid`, `tx_id` and `secret_key` are sent.
pub fn service_seal(client_secret: &str, cbc_iv: &str, text: &str) -> String {
    let key = client_secret.repeat(2);
    let iv = Some(cbc_iv.as_bytes());
    STANDARD.encode(encrypt(Cipher::aes_256_cbc(), key.as_bytes(), iv, text.as_bytes()).unwrap())
}

/// The text of such a value.
pub fn service_open(client_secret: &str, cbc_iv: &str, sealed: &str) -> String {
    let key = client_secret.repeat(2);
    let bytes = STANDARD.decode(sealed).unwrap();
    let text = openssl::symm::decrypt(Cipher::aes_256_cbc(), key.as_bytes(), Some(cbc_iv.as_bytes()), &bytes).unwrap();
    String::from_utf8(text).unwrap()
}
