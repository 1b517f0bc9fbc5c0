//! `tongban ledger verify|publish|export|prove`: the record of every use of personal data, verified offline, published, and
//! proven entry by entry.

use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use store::Store;
use store::ledger::{self, Checkpoint, Fault, Proof, Proven, Published, VerifyingKey};

use super::platform::{self, Platform};
use super::{block, refused};
use crate::config::{Config, ConfigError};
use crate::server::{self, ServeError};
use crate::terminal;

/// What `ledger` is told.
#[derive(Args)]
pub struct LedgerArgs {
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(Subcommand)]
enum LedgerCommand {
    /// Checks every entry against the chain of hashes and what was published of it, or checks a proof
    #[command(group(clap::ArgGroup::new("which").required(true).args(["config", "data", "file", "proof"])))]
    Verify {
        /// The configuration file of the platform
        #[arg(long)]
        config: Option<PathBuf>,
        /// The data folder of a platform on SQLite, such as the demonstration's
        #[arg(long)]
        data: Option<PathBuf>,
        /// A file made by `tongban ledger export`
        #[arg(long)]
        file: Option<PathBuf>,
        /// A file made by `tongban ledger prove`
        #[arg(long, requires = "key")]
        proof: Option<PathBuf>,
        /// Folder of the published checkpoints
        #[arg(long, requires = "key", conflicts_with = "proof")]
        published: Option<PathBuf>,
        /// File of the public key, as published beside the checkpoints
        #[arg(long)]
        key: Option<PathBuf>,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Verifies the ledger and publishes its root, signed, as a file
    Publish {
        #[command(flatten)]
        whose: Platform,
    },
    /// Writes the ledger into a file that anybody verifies without the database
    Export {
        #[command(flatten)]
        whose: Platform,
        /// The file to write
        #[arg(long)]
        out: PathBuf,
    },
    /// Proves that an entry stands in the published ledger, or that the ledger goes on from an earlier checkpoint
    #[command(group(clap::ArgGroup::new("what").required(true).args(["entry", "since"])))]
    Prove {
        #[command(flatten)]
        whose: Platform,
        /// Number of the entry
        #[arg(long)]
        entry: Option<u64>,
        /// The earlier checkpoint
        #[arg(long)]
        since: Option<PathBuf>,
        /// The published checkpoint to prove it by
        #[arg(long)]
        checkpoint: PathBuf,
    },
}

/// Why the command ends with 1.
#[derive(Debug, thiserror::Error)]
enum LedgerError {
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] store::StoreError),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("{path}: {why}", path = path.display())]
    File { path: PathBuf, why: String },
    #[error("the work could not be begun: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Runs the command.
pub fn run(args: &LedgerArgs) -> ExitCode {
    terminal::log(true);
    let json = matches!(args.command, LedgerCommand::Verify { json: true, .. });
    let done = block(command(&args.command)).map_err(LedgerError::from).flatten();
    match done {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let unsound = matches!(
                error,
                LedgerError::Fault(_) | LedgerError::Store(store::StoreError::Ledger(_))
            );
            if json && unsound {
                println!("{}", serde_json::json!({ "sound": false, "fault": error.to_string() }));
            }
            refused(&error)
        }
    }
}

/// Does what is asked and gives what is to be printed.
async fn command(command: &LedgerCommand) -> Result<String, LedgerError> {
    match command {
        LedgerCommand::Verify {
            config,
            data,
            file,
            proof,
            published,
            key,
            json,
        } => {
            let key = key.as_deref().map(read).transpose()?;
            let key = key.as_deref().map(VerifyingKey::parse).transpose()?;
            if let (Some(path), Some(key)) = (proof, &key) {
                return check(path, key, *json);
            }
            let known = match (published, &key) {
                (Some(folder), Some(key)) => ledger::published(folder, key)?,
                _ => Vec::new(),
            };
            let known: Vec<Published> = known.iter().map(Published::from).collect();
            let verified = match file {
                Some(file) => {
                    let (file, known) = (file.clone(), known.clone());
                    tokio::task::spawn_blocking(move || ledger::verify_file(&file, known))
                        .await
                        .map_err(std::io::Error::other)??
                }
                None => {
                    let store = open(&platform::existing(config.as_deref(), data.as_deref())?).await?;
                    let verified = ledger::verify(&store, known.iter().copied()).await;
                    store.close().await;
                    verified?
                }
            };
            let (head, root) = (hex(&verified.head.hash), hex(&verified.root));
            Ok(match json {
                true => serde_json::json!({
                    "sound": true, "entries": verified.entries, "head": head, "root": root, "published": known.len(),
                })
                .to_string(),
                false if known.is_empty() => {
                    format!(
                        "{} entries, the chain holds; head {head}, root {root}",
                        verified.entries
                    )
                }
                false => format!(
                    "{} entries, the chain holds and contains what was published {} times; head {head}, root {root}",
                    verified.entries,
                    known.len()
                ),
            })
        }
        LedgerCommand::Publish { whose } => {
            let config = whose.existing()?;
            let key = config.ledger_key()?;
            let folder = config.ledger_folder();
            let before = ledger::published(&folder, key.public())?;
            let store = open(&config).await?;
            let done = ledger::Publisher::new(&before).publish(&store, &key, &folder).await;
            store.close().await;
            Ok(match done? {
                Some(Checkpoint { head, root, .. }) => format!(
                    "{} entries published in {}; root {}",
                    head.seq,
                    folder.display(),
                    hex(&root)
                ),
                None => "nothing came since what was published last".to_owned(),
            })
        }
        LedgerCommand::Export { whose, out } => {
            let store = open(&whose.existing()?).await?;
            let head = ledger::export(&store, out).await;
            store.close().await;
            Ok(format!("{} entries written to {}", head?.seq, out.display()))
        }
        LedgerCommand::Prove {
            whose,
            entry,
            since,
            checkpoint,
        } => {
            let config = whose.existing()?;
            let key = config.ledger_key()?;
            let note = read(checkpoint)?;
            let earlier = since.as_deref().map(read).transpose()?;
            let store = open(&config).await?;
            let proof = match (entry, earlier) {
                (Some(entry), _) => ledger::prove_entry(&store, key.public(), &note, *entry).await,
                (None, earlier) => {
                    ledger::prove_extension(&store, key.public(), &earlier.unwrap_or_default(), &note).await
                }
            };
            store.close().await;
            serde_json::to_string_pretty(&proof?).map_err(|error| std::io::Error::other(error).into())
        }
    }
}

/// Checks a proof and says what it proves.
fn check(path: &Path, key: &VerifyingKey, json: bool) -> Result<String, LedgerError> {
    let text = read(path)?;
    let proof: Proof = serde_json::from_str(&text).map_err(|error| LedgerError::File {
        path: path.to_path_buf(),
        why: error.to_string(),
    })?;
    let said = match proof.check(key)? {
        Proven::Entry(entry, checkpoint) => format!(
            "entry {} stands among the {} that `{}` published on {}",
            entry.seq, checkpoint.head.seq, checkpoint.origin, checkpoint.at
        ),
        Proven::Extension(earlier, later) => format!(
            "the {} entries that `{}` published on {} go on from the {} of {}",
            later.head.seq, later.origin, later.at, earlier.head.seq, earlier.at
        ),
    };
    Ok(match json {
        true => serde_json::json!({ "sound": true, "proven": said }).to_string(),
        false => said,
    })
}

/// Longest text file; a proof has some kilobytes.
const LONGEST: u64 = 1 << 20;

fn read(path: &Path) -> Result<String, LedgerError> {
    let failed = |why: String| LedgerError::File {
        path: path.to_path_buf(),
        why,
    };
    let length = std::fs::metadata(path)
        .map_err(|error| failed(error.to_string()))?
        .len();
    if length > LONGEST {
        return Err(failed(format!("it has more than {LONGEST} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))
}

async fn open(config: &Config) -> Result<Store, LedgerError> {
    Ok(server::store(config, Arc::new(civic::SystemClock)).await?)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
