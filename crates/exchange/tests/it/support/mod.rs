//! Makers of what the outside world sends, by OpenSSL and by hand.

pub mod envelope;
pub mod issuer;
pub mod package;
pub mod people;
pub mod pki;
pub mod wallet;
pub mod zip;

use civic::ids::TransactionId;
use exchange::mydata::{Config, Connector, SecretKey};
use jiff::Timestamp;

/// The secret of the service in the tests.
pub const CLIENT_SECRET: &str = "abcdefghij012345";
/// Its initialisation vector.
pub const CBC_IV: &str = "0123456789abcdef";
/// Its name.
pub const CLIENT_ID: &str = "CLI.0123456789";
/// The key of a package.
pub const SECRET_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// A time at which the certificates of the tests are valid.
pub fn now() -> Timestamp {
    "2025-11-24T02:00:00Z".parse().unwrap()
}

pub fn secret_key() -> SecretKey {
    SecretKey::try_from(SECRET_KEY.to_owned()).unwrap()
}

pub fn transaction() -> TransactionId {
    "019ab3c4-d5e6-7f80-9a1b-2c3d4e5f6071".parse().unwrap()
}

/// The configuration of a connector that trusts `roots`.
pub fn config(roots: &str) -> Config {
    toml::from_str(&format!(
        r#"
platform = "http://127.0.0.1:9"
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"
cbc_iv = "{CBC_IV}"
return_url = "https://city.example/mydata/return"
api_key = "the-registered-key"
government_roots = """{roots}"""
[client]
https_only = false
"#
    ))
    .unwrap()
}

pub fn connector(roots: &str) -> Connector {
    Connector::new(config(roots)).unwrap()
}
