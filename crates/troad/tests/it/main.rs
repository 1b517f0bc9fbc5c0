//! The gateway against another member of the road and a timestamp authority that share no protocol code with it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// As in the program, so that a measurement is one of it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod answers;
mod bodies;
mod certificates;
mod command;
mod consumer;
mod corpus;
mod evidence;
mod faults;
mod laws;
mod load;
mod log;
mod provider;
mod stamps;
mod support;
