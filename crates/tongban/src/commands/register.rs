//! `tongban register import|show`: the register of residents from which rolls are drawn up.

use cases::register::{self, Imported};
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use jiff::civil::Date;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{block, refused};
use crate::config::Config;
use crate::{server, terminal};

/// What `register` is told.
#[derive(Args)]
pub struct RegisterArgs {
    #[command(subcommand)]
    command: RegisterCommand,
}

#[derive(Subcommand)]
enum RegisterCommand {
    /// Takes in a register in the place of the one before; see docs/reference/register.md for its columns
    Import {
        /// The configuration file of the platform
        #[arg(long)]
        config: PathBuf,
        /// Parquet file: a row a resident, families together
        file: PathBuf,
        /// Day whose facts it holds
        #[arg(long)]
        as_of: Date,
        /// Take it in although many of those who are paid are missing
        #[arg(long)]
        thin: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Says which register there is
    Show {
        /// The configuration file of the platform
        #[arg(long)]
        config: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(args: &RegisterArgs) -> ExitCode {
    terminal::log(true);
    let path = match &args.command {
        RegisterCommand::Import { config, .. } | RegisterCommand::Show { config, .. } => config,
    };
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(error) => return refused(&error),
    };
    let done = block(async {
        let desk = server::desk(&config, std::sync::Arc::new(civic::SystemClock), SignedDuration::ZERO).await?;
        let code = match &args.command {
            RegisterCommand::Import {
                file,
                as_of,
                thin,
                json,
                ..
            } => import(&desk, file, *as_of, *thin, *json).await,
            RegisterCommand::Show { json, .. } => show(&desk, *json).await,
        };
        desk.store.close().await;
        Ok::<_, server::ServeError>(code)
    });
    match done {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => refused(&error),
        Err(error) => refused(&error),
    }
}

async fn import(desk: &cases::Desk, file: &Path, as_of: Date, thin: bool, json: bool) -> ExitCode {
    match register::import(desk, file, as_of, thin).await {
        Ok(Imported::Taken {
            persons,
            households,
            held,
        }) => {
            if json {
                println!(
                    "{}",
                    json!({ "persons": persons, "households": households, "held": held, "as_of": as_of })
                );
            } else {
                println!("{persons} residents in {households} households, as of {as_of}");
                if held > 0 {
                    println!("{held} paid cases whose persons left the register are held until an officer has looked");
                }
            }
            ExitCode::SUCCESS
        }
        Ok(Imported::Thin { paid, missing }) => {
            eprintln!(
                "error: of {paid} cases that are paid, the persons of {missing} are missing, and the register before stays in force; \
                 if it is the whole register all the same, say --thin"
            );
            ExitCode::FAILURE
        }
        Ok(Imported::Refused(wrong)) => {
            eprintln!("error: the register has mistakes and the one before stays in force:");
            for (row, what) in wrong {
                eprintln!("  row {row}: {what}");
            }
            ExitCode::FAILURE
        }
        Err(error) => refused(&error),
    }
}

async fn show(desk: &cases::Desk, json: bool) -> ExitCode {
    match register::summary(desk).await {
        Ok(Some(found)) => {
            if json {
                println!(
                    "{}",
                    json!({ "persons": found.persons, "households": found.households, "as_of": found.as_of })
                );
            } else {
                println!(
                    "{} residents in {} households, as of {}",
                    found.persons, found.households, found.as_of
                );
            }
            ExitCode::SUCCESS
        }
        Ok(None) => {
            eprintln!("error: there is no register; take one in with `tongban register import`");
            ExitCode::FAILURE
        }
        Err(error) => refused(&error),
    }
}
