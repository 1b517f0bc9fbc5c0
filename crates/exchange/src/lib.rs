//! The city's way to the outside world: every protocol spoken with another party, one module each.
//!
//! What comes in from outside is checked here and handed on as plain typed values; what can't be trusted is refused
//! with an error that says why. The crate keeps nothing: transactions, replays and retries are the caller's.
//!
//! - [`mydata`]: the citizen's data from government registers (個人化資料自主運用平臺), as service provider
//! - [`oidc`]: sign-in by OpenID Connect
//! - [`certificate`]: who signed; sign-in by card (自然人憑證)
//! - [`fido`]: sign-in and signatures by phone (行動自然人憑證)
//! - [`wallet`]: cards asked and given (數位憑證皮夾)
//! - [`mail`]: messages by SMTP
//! - [`notify`]: text messages, LINE, Web Push
//! - [`iso20022`]: payment orders to the bank and its answers

pub mod certificate;
mod client;
pub mod fido;
pub mod iso20022;
pub mod jose;
pub mod mail;
pub mod mydata;
pub mod notify;
pub mod ocr;
pub mod oidc;
mod remember;
pub mod wallet;
mod xml;

pub use client::{ClientConfig, ClientError};
pub use remember::Remember;
