//! `tongban ledger verify`: goes through the record of every use of personal data, offline.

use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::{block, refused};
use crate::config::Config;
use crate::{server, terminal};

/// What `ledger` is told.
#[derive(Args)]
pub struct LedgerArgs {
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(Subcommand)]
enum LedgerCommand {
    /// Checks every entry against the chain of hashes
    #[command(group(clap::ArgGroup::new("which").required(true).args(["config", "data"])))]
    Verify {
        /// The configuration file of the platform
        #[arg(long)]
        config: Option<PathBuf>,
        /// The data folder of a platform on SQLite, such as the demonstration's
        #[arg(long)]
        data: Option<PathBuf>,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(args: &LedgerArgs) -> ExitCode {
    terminal::log(true);
    let LedgerCommand::Verify { config, data, json } = &args.command;
    let config = match (config, data) {
        (Some(path), _) => match Config::read(path) {
            Ok(config) => config,
            Err(error) => return refused(&error),
        },
        (None, Some(data)) => {
            if !data.join("tongban.sqlite").exists() {
                eprintln!(
                    "error: there is no database in {}; name the data folder of a platform",
                    data.display()
                );
                return ExitCode::FAILURE;
            }
            super::demo::config_for(data)
        }
        (None, None) => return ExitCode::from(2),
    };
    let verified = block(async {
        let store = server::store(&config, Arc::new(civic::SystemClock)).await?;
        let verified = store::ledger::verify(&store, None).await;
        store.close().await;
        Ok::<_, server::ServeError>(verified)
    });
    match verified {
        Ok(Ok(Ok(verified))) => {
            let head = verified.head;
            if *json {
                println!(
                    "{}",
                    serde_json::json!({ "sound": true, "entries": verified.entries, "head": hex(&head.hash) })
                );
            } else {
                println!(
                    "{} entries, the chain holds; head {}",
                    verified.entries,
                    hex(&head.hash)
                );
            }
            ExitCode::SUCCESS
        }
        Ok(Ok(Err(error))) => {
            if *json {
                println!("{}", serde_json::json!({ "sound": false, "fault": error.to_string() }));
            }
            refused(&error)
        }
        Ok(Err(error)) => refused(&error),
        Err(error) => refused(&error),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
