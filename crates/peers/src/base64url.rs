//! Base64 for addresses and tokens, without padding (RFC 4648, 5).

use openssl::base64::encode_block;

pub fn encode(bytes: &[u8]) -> String {
    encode_block(bytes)
        .replace('+', "-")
        .replace('/', "_")
        .trim_end_matches('=')
        .to_owned()
}
