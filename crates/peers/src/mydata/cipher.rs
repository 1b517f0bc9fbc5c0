//! The platform's own ciphers, by OpenSSL: AES-256-CBC under the service's doubled secret, and the envelope by josekit.

use crate::{MyDataFacts, base64url};
use josekit::jwe::enc::A256CBC_HS512;
use josekit::jwe::{A256KW, JweContentEncryption, JweEncrypter, JweHeader};
use openssl::base64::{decode_block, encode_block};
use openssl::symm::{Cipher, decrypt, encrypt};

/// Base64 of AES-256-CBC with PKCS#7 padding.
pub fn seal(facts: &MyDataFacts, text: &str) -> Option<String> {
    let key = facts.client_secret.repeat(2);
    let sealed = encrypt(
        Cipher::aes_256_cbc(),
        key.as_bytes(),
        Some(facts.cbc_iv.as_bytes()),
        text.as_bytes(),
    )
    .ok()?;
    Some(encode_block(&sealed))
}

/// The text of such a value; spaces are the plus signs a form decoder took away.
pub fn open(facts: &MyDataFacts, sealed: &str) -> Option<String> {
    let key = facts.client_secret.repeat(2);
    let bytes = decode_block(&sealed.replace(' ', "+")).ok()?;
    let text = decrypt(
        Cipher::aes_256_cbc(),
        key.as_bytes(),
        Some(facts.cbc_iv.as_bytes()),
        &bytes,
    )
    .ok()?;
    String::from_utf8(text).ok()
}

/// The compact JWE (A256KW, A256CBC-HS512) around a ZIP. Its content key is random; its initialisation vector is the
/// service's own, as the platform has it.
pub fn envelope(facts: &MyDataFacts, key: &str, zip: &[u8]) -> Option<Vec<u8>> {
    let payload = serde_json::json!({
        "filename": format!("{}.zip", facts.client_id),
        "data": format!("application/zip;data:{}", encode_block(zip)),
    });
    let header = base64url::encode(br#"{"alg":"A256KW","enc":"A256CBC-HS512"}"#);
    let mut content_key = vec![0; A256CBC_HS512.key_len()];
    openssl::rand::rand_bytes(&mut content_key).ok()?;
    let wrapped = A256KW
        .encrypter_from_bytes(key.as_bytes())
        .ok()?
        .encrypt(&content_key, &JweHeader::new(), &mut JweHeader::new())
        .ok()??;
    let iv = facts.cbc_iv.as_bytes();
    let (text, tag) = A256CBC_HS512
        .encrypt(
            &content_key,
            Some(iv),
            payload.to_string().as_bytes(),
            header.as_bytes(),
        )
        .ok()?;
    let parts = [&wrapped, iv, &text, &tag?].map(base64url::encode);
    Some(format!("{header}.{}", parts.join(".")).into_bytes())
}

/// The national id in the header `uid` of `uid_valid`: AES-192-ECB under the Base64-decoded key, URL-safe Base64.
pub fn open_uid(key: &str, sealed: &str) -> Option<String> {
    let key = decode_block(key).ok()?;
    let mut standard = sealed.replace('-', "+").replace('_', "/");
    while !standard.len().is_multiple_of(4) {
        standard.push('=');
    }
    let text = decrypt(Cipher::aes_192_ecb(), &key, None, &decode_block(&standard).ok()?).ok()?;
    String::from_utf8(text).ok()
}
