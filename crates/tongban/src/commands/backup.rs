//! `tongban backup create|verify|restore`: while the platform works, read whole, into an empty place.

use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use store::backup::{self, BackupError, Manifest, Target};

use super::platform::Platform;
use super::{block, refused};
use crate::config::{Config, ConfigError};
use crate::server::{self, ServeError};
use crate::terminal;

/// What `backup` is told.
#[derive(Args)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: BackupCommand,
    /// Print one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum BackupCommand {
    /// Makes a backup; the platform may go on working
    Create {
        #[command(flatten)]
        whose: Platform,
        /// An empty folder, best on another machine
        #[arg(long)]
        out: PathBuf,
        /// Put the keys into the backup too: who has it can then read everything
        #[arg(long)]
        with_keys: bool,
    },
    /// Reads a backup whole and says whether it can be restored
    Verify {
        /// The backup's folder
        backup: PathBuf,
    },
    /// Restores a backup into an empty data folder and database
    Restore {
        /// The backup's folder
        backup: PathBuf,
        #[command(flatten)]
        whose: Platform,
    },
}

/// Why the command ends with 1.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("the work could not be begun: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Runs the command.
pub fn run(args: &BackupArgs) -> ExitCode {
    terminal::log(true);
    match block(command(&args.command)).map_err(Failed::from).flatten() {
        Ok((manifest, said, again)) => {
            if args.json {
                println!(
                    "{}",
                    serde_json::json!({
                        "sound": true, "at": manifest.at, "head": manifest.head, "root": manifest.root,
                        "files": manifest.files.len(), "keys": manifest.keys, "destroyed_again": again,
                    })
                );
            } else {
                println!("{said}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            if args.json {
                println!("{}", serde_json::json!({ "sound": false, "fault": error.to_string() }));
            }
            refused(&error)
        }
    }
}

async fn command(command: &BackupCommand) -> Result<(Manifest, String, u64), Failed> {
    match command {
        BackupCommand::Create { whose, out, with_keys } => {
            let config = whose.existing()?;
            let (url, files) = (config.database_url(), config.data.join("files"));
            let keys = match with_keys {
                true => keys(&config),
                false => Vec::new(),
            };
            let at = civic::Clock::now(&civic::SystemClock);
            let manifest = backup::create(&url, &files, &keys, out, at).await?;
            let said = format!("{}; it is in {}", told(&manifest), out.display());
            Ok((manifest, said, 0))
        }
        BackupCommand::Verify { backup } => {
            let manifest = backup::verify(backup).await?;
            let said = format!("the backup can be restored: {}", told(&manifest));
            Ok((manifest, said, 0))
        }
        BackupCommand::Restore { backup, whose } => {
            let config = whose.configuration()?;
            let _lock = server::lock(&config.data)?;
            let target = Target {
                url: config.database_url(),
                files: config.data.join("files"),
                keys: keys(&config),
                register: config.destroyed(),
            };
            let restored = backup::restore(backup, &target).await?;
            let said = format!(
                "restored and compared: {}; {} keys that were destroyed since are destroyed again",
                told(&restored.manifest),
                restored.destroyed_again
            );
            Ok((restored.manifest, said, restored.destroyed_again))
        }
    }
}

fn told(manifest: &Manifest) -> String {
    format!(
        "{} of {}, {} rows, {} files, {}, record of use {}",
        manifest.engine,
        manifest.at,
        manifest.tables.values().sum::<u64>(),
        manifest.files.len(),
        match manifest.keys {
            true => "with the keys",
            false => "without keys",
        },
        manifest.head
    )
}

/// The key files by the name they have in a backup.
fn keys(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let (master, lookup) = config.key_files();
    vec![("master", master), ("lookup", lookup)]
}
