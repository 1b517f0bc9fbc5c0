//! Service folders from outside: mistakes, forms, letters, notices, the catalogue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod catalogue;
mod confirm;
mod folder;
mod forms;
mod letters;
mod mistakes;
mod mydata;
mod rounds;
mod vocabulary;
mod wallet;
