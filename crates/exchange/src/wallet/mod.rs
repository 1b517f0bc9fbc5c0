//! 數位憑證皮夾 (Taiwan Digital Wallet): the city asks for cards ([`verifier`]) and gives cards ([`issuer`]).
//!
//! Both speak the public protocols (OpenID4VP, OpenID4VCI, SD-JWT VC, StatusList2021) in the early drafts that the wallet
//! implements, and both have a second adapter for the modules that 數位發展部 gives to be run beside a system: then the module
//! speaks the protocol and the city calls the module.

pub mod did;
pub mod issuer;
mod module;
pub mod sd_jwt;
pub mod status_list;
pub mod verifier;

pub use module::{Config as ModuleConfig, ModuleError};
