//! Sign-in by OpenID Connect (OpenID Connect Core 1.0): authorization code with PKCE (RFC 7636), state and nonce, any
//! issuer by discovery. Which claim holds the national id and the name is configured: issuers differ. So are the words for
//! how strongly somebody was verified ([`Levels`]).
//!
//! Signing out goes both ways: RP-Initiated Logout 1.0 ([`Provider::logout_url`]) and Back-Channel Logout 1.0
//! ([`Provider::read_logout`]).

mod config;
mod error;
mod http;
mod level;
mod logout;
mod provider;

pub use config::Config;
pub use error::OidcError;
pub use level::{Level, LevelRule, Levels};
pub use logout::{LogoutToken, check_form};
pub use provider::{Identity, Pending, Provider, StepUp};
