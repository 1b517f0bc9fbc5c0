//! Certificates that OpenSSL makes here, and what each is refused for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chain;
mod keys;
mod maker;
