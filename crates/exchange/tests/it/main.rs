//! The protocols from outside: what this crate reads is made here by other libraries.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod certificate;
mod corpus;
mod envelope;
mod fido;
mod ics;
mod identity_properties;
mod iso20022;
mod mail;
mod notify;
mod oidc;
mod oidc_logout;
mod oidc_peer;
mod package;
mod platform;
mod properties;
mod provider;
mod support;
mod throughput;
mod wallet_issuer;
mod wallet_modules;
mod wallet_verifier;
