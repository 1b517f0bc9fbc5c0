//! `tongban config check|example`.

use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

use super::refused;
use crate::config::Config;

/// A configuration to begin with.
const EXAMPLE: &str = include_str!("example.toml");

/// What `config` is told.
#[derive(Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Says whether a configuration file can be used, and what is wrong with it
    Check {
        /// The file
        file: PathBuf,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Prints a configuration to begin with
    Example,
}

/// Runs the command.
pub fn run(args: &ConfigArgs) -> ExitCode {
    match &args.command {
        ConfigCommand::Example => {
            print!("{EXAMPLE}");
            ExitCode::SUCCESS
        }
        ConfigCommand::Check { file, json } => {
            match Config::read(file).and_then(|config| {
                config
                    .work_calendar()
                    .and_then(|_| config.breach_policy())
                    .and_then(|_| config.check_keys())
                    .and_then(|()| config.ways().map(drop))
                    .map(|()| config)
            }) {
                Ok(config) => {
                    if *json {
                        println!(
                            "{}",
                            serde_json::json!({ "usable": true, "portal": config.portal.as_str() })
                        );
                    } else {
                        println!("{} can be used; the portal is {}", file.display(), config.portal);
                    }
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    if *json {
                        println!("{}", serde_json::json!({ "usable": false, "why": error.to_string() }));
                    }
                    refused(&error)
                }
            }
        }
    }
}
