//! Sign-in by OpenID Connect (OpenID Connect Core 1.0): authorization code with PKCE (RFC 7636), state and nonce, any
//! issuer by discovery. Which claim holds the national id and the name is configured: issuers differ.

mod http;
mod provider;

pub use provider::{Config, Identity, OidcError, Pending, Provider};
