//! `tongban serve`: the platform of a real city. It starts no peer and knows no demonstration account.

use clap::Args;
use jiff::SignedDuration;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{block, refused};
use crate::config::Config;
use crate::server::{self, DEMO_MARK, ServeError};
use crate::terminal;

/// What `serve` is told.
#[derive(Args)]
pub struct ServeArgs {
    /// The configuration file; `tongban config example` prints one to begin with
    #[arg(long)]
    config: PathBuf,
}

/// Runs the command.
pub fn run(args: &ServeArgs) -> ExitCode {
    terminal::log(false);
    match block(serve(args)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => refused(&error),
        Err(error) => refused(&error),
    }
}

async fn serve(args: &ServeArgs) -> Result<(), ServeError> {
    let config = Config::read(&args.config)?;
    if config.data.join(DEMO_MARK).exists() {
        return Err(ServeError::Demonstration { path: config.data });
    }
    let listener = server::listen(config.listen).await?;
    let _lock = server::lock(&config.data)?;
    let desk = server::desk(
        &config,
        std::sync::Arc::new(civic::SystemClock),
        SignedDuration::from_mins(config.city.grace_minutes),
    )
    .await?;
    match cases::round::changes(&desk.store, &desk.catalogue).await {
        Ok(changed) => changed.iter().for_each(|round| tracing::warn!("{}", round.sentence())),
        Err(error) => tracing::warn!(%error, "the seats of sealed rounds could not be compared with the folders"),
    }
    tracing::info!(listen = %config.listen, portal = %config.portal, services = desk.catalogue.all().len(), "the portal is open");
    server::run(&config, desk, listener, false, server::asked_to_stop()).await
}
