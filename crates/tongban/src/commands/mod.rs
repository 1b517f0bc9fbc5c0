//! One file a command. Each says what it did on standard output, what went wrong on standard error, and ends with 0, 1
//! (refused input) or 2 (wrong usage).

pub mod backup;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod hub;
pub mod ledger;
pub mod linkage;
pub mod lottery;
pub mod organisation;
pub mod platform;
pub mod programme;
pub mod register;
pub mod rules;
pub mod serve;
pub mod service;
pub mod staff;
pub mod sweep;
pub mod troad;

use std::process::ExitCode;

/// Tells what went wrong, with every cause, and ends with 1.
pub fn refused(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
    ExitCode::FAILURE
}

/// Runs asynchronous work to its end.
pub fn block<T>(work: impl Future<Output = T>) -> Result<T, std::io::Error> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(work))
}
