//! What comes from outside, read from random bytes: by the crate that reads it.

pub mod outside;
pub mod road;
