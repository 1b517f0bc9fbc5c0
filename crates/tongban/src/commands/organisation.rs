//! `tongban organisation add|close|list`: organisations (團體) that may act for residents. Their accounts are opened by
//! `tongban staff add --role organisation --agency <number>`.

use cases::agents;
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{block, refused};
use crate::config::Config;
use crate::{server, terminal};

/// What `organisation` is told.
#[derive(Args)]
pub struct OrganisationArgs {
    /// The configuration file of the platform
    #[arg(long)]
    config: PathBuf,
    #[command(subcommand)]
    command: OrganisationCommand,
}

#[derive(Subcommand)]
enum OrganisationCommand {
    /// Registers an organisation
    Add {
        /// Unified business number
        #[arg(long)]
        number: String,
        /// Name, as residents know it
        #[arg(long)]
        name: String,
    },
    /// Closes an organisation: from now on nobody acts for it
    Close {
        /// Unified business number
        #[arg(long)]
        number: String,
    },
    /// Lists all organisations
    List {
        /// As one line of JSON each
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(args: &OrganisationArgs) -> ExitCode {
    terminal::log(true);
    let config = match Config::read(&args.config) {
        Ok(config) => config,
        Err(error) => return refused(&error),
    };
    let done = block(async {
        let desk = server::desk(&config, std::sync::Arc::new(civic::SystemClock), SignedDuration::ZERO).await?;
        let done = match &args.command {
            OrganisationCommand::Add { number, name } => agents::add(&desk, number, name).await.map(|()| Vec::new()),
            OrganisationCommand::Close { number } => agents::close(&desk, number).await.map(|()| Vec::new()),
            OrganisationCommand::List { .. } => agents::all(&desk).await,
        };
        desk.store.close().await;
        Ok::<_, server::ServeError>(done)
    });
    let found = match done {
        Ok(Ok(Ok(found))) => found,
        Ok(Ok(Err(error))) => return refused(&error),
        Ok(Err(error)) => return refused(&error),
        Err(error) => return refused(&error),
    };
    match &args.command {
        OrganisationCommand::Add { number, .. } => println!("organisation {number} is registered"),
        OrganisationCommand::Close { number } => println!("organisation {number} is closed"),
        OrganisationCommand::List { json } => {
            for one in found {
                if *json {
                    let line = serde_json::json!({ "number": one.number, "name": one.name, "active": one.active });
                    println!("{line}");
                } else {
                    println!(
                        "{}  {}  {}",
                        one.number,
                        one.name,
                        if one.active { "active" } else { "closed" }
                    );
                }
            }
        }
    }
    ExitCode::SUCCESS
}
