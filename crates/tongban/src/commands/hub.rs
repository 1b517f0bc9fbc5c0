//! `tongban hub check|ingest|profile|keep`: datasets of the data aggregation platform (資料彙集平臺) from files alone.

use clap::{Args, Subcommand};
use hub::{At, Dataset, HubError, Job, Lake, Outcome};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::{block, refused};

/// What `hub` is told.
#[derive(Args)]
pub struct HubArgs {
    #[command(subcommand)]
    command: HubCommand,
}

/// Where the tables are and the key of the dataset.
#[derive(Args)]
struct LakeArgs {
    /// Folder of the dataset
    dataset: PathBuf,
    /// Folder of the lake
    #[arg(long)]
    lake: PathBuf,
    /// File with the key of the dataset: 32 or 64 hexadecimal digits
    #[arg(long)]
    key: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum HubCommand {
    /// Says every mistake of dataset folders with file and line
    Check {
        /// Folders of datasets
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Brings a file in: all of it is published, or nothing
    Ingest {
        #[command(flatten)]
        to: LakeArgs,
        /// The file
        file: PathBuf,
        /// Folder for what is staged, on a disk of this machine
        #[arg(long)]
        staging: PathBuf,
        /// A rule that held the load and that the steward has looked at
        #[arg(long)]
        accept: Vec<String>,
    },
    /// Says what a version holds, column by column; of personal columns counts alone
    Profile {
        #[command(flatten)]
        of: LakeArgs,
        /// The version; without it the latest
        #[arg(long)]
        version: Option<u64>,
    },
    /// Puts small files together, takes out rows whose years are over, deletes versions older than the history
    Keep {
        #[command(flatten)]
        of: LakeArgs,
        /// Folder for what is staged, as for `ingest`
        #[arg(long)]
        staging: PathBuf,
    },
}

/// Why a command of the hub was refused.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error("{path}: {error}", path = path.display())]
    Key { path: PathBuf, error: std::io::Error },
    #[error("{path}: this is no key; write 32 or 64 hexadecimal digits", path = .0.display())]
    NoKey(PathBuf),
    #[error(transparent)]
    Runtime(#[from] std::io::Error),
}

/// Runs the command.
pub fn run(args: HubArgs) -> ExitCode {
    let done = match args.command {
        HubCommand::Check { folders, json } => return check(&folders, json),
        HubCommand::Ingest {
            to,
            file,
            staging,
            accept,
        } => ingest(&to, &file, &staging, accept),
        HubCommand::Profile { of, version } => profile(&of, version),
        HubCommand::Keep { of, staging } => keep(&of, &staging),
    };
    match done {
        Ok(code) => code,
        Err(error) => refused(&error),
    }
}

fn check(folders: &[PathBuf], json: bool) -> ExitCode {
    let reports: Vec<(&PathBuf, hub::FolderReport)> = folders
        .iter()
        // so that `datasets/x/` and `datasets/x` are the same folder
        .map(|folder| {
            (
                folder,
                hub::check(&folder.canonicalize().unwrap_or_else(|_| folder.clone())),
            )
        })
        .collect();
    let sound = reports.iter().all(|(_, report)| report.is_sound());
    if json {
        let list: Vec<_> = reports.iter().map(|(_, report)| report).collect();
        println!("{}", serde_json::json!({ "sound": sound, "datasets": list }));
    } else {
        for (folder, report) in &reports {
            for mistake in &report.mistakes {
                println!("mistake: {}/{mistake}", folder.display());
            }
            for warning in &report.warnings {
                println!("warning: {}/{warning}", folder.display());
            }
            println!(
                "{} {}: {} columns, {} quality rules, {} mistakes, {} warnings",
                if report.is_sound() { "ok  " } else { "FAIL" },
                folder.display(),
                report.columns,
                report.rules,
                report.mistakes.len(),
                report.warnings.len()
            );
        }
    }
    if sound {
        ExitCode::SUCCESS
    } else {
        eprintln!("error: mistakes were found; put them right and check again");
        ExitCode::FAILURE
    }
}

impl LakeArgs {
    fn key(&self) -> Result<Option<Vec<u8>>, CommandError> {
        let Some(path) = &self.key else { return Ok(None) };
        let text = std::fs::read_to_string(path).map_err(|error| CommandError::Key {
            path: path.clone(),
            error,
        })?;
        hex::decode(text.trim())
            .map(Some)
            .map_err(|_| CommandError::NoKey(path.clone()))
    }

    fn open(&self) -> Result<(Arc<Dataset>, Lake), CommandError> {
        let folder = self.dataset.canonicalize().unwrap_or_else(|_| self.dataset.clone());
        Ok((Arc::new(Dataset::load(&folder)?), Lake::local(&self.lake)?))
    }
}

fn ingest(to: &LakeArgs, file: &Path, staging: &Path, accept: Vec<String>) -> Result<ExitCode, CommandError> {
    let (dataset, lake) = to.open()?;
    let mut job = Job::new(staging, to.key()?.as_deref(), jiff::Timestamp::now());
    job.accepted = accept.into_iter().collect();
    let report = block(hub::ingest(&lake, &dataset, file, &job))??;
    if to.json {
        println!("{}", serde_json::json!(report));
    } else {
        for (reason, count) in &report.reasons {
            println!("rejected: {count} times {reason}");
        }
        for (rule, count) in &report.warnings {
            println!("warning: {count} times `{rule}`");
        }
        println!(
            "read {}, added {}, replaced {}, deleted {}, superseded {}, rejected {}; the table has {} rows",
            report.read, report.added, report.replaced, report.deleted, report.superseded, report.rejected, report.rows
        );
    }
    match &report.outcome {
        Outcome::Published(_) | Outcome::AlreadyPublished if to.json => {}
        Outcome::Published(version) => println!("published as version {version}, load {}", report.load),
        Outcome::AlreadyPublished => println!("published before, nothing was done"),
        Outcome::Held(why) => {
            for held in why {
                eprintln!("held: {}", held.why);
            }
            eprintln!("error: nothing was published");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn profile(of: &LakeArgs, version: Option<u64>) -> Result<ExitCode, CommandError> {
    let (dataset, lake) = of.open()?;
    let at = version.map_or(At::Latest, At::Version);
    let key = of.key()?;
    let found = block(hub::profile(&lake, &dataset, at, key.as_deref()))??;
    if of.json {
        println!("{}", serde_json::json!(found));
        return Ok(ExitCode::SUCCESS);
    }
    let Some(version) = found.version else {
        println!("nothing was published yet");
        return Ok(ExitCode::SUCCESS);
    };
    println!("version {version}: {} rows", found.rows);
    for column in &found.columns {
        let bounds = column
            .bounds
            .as_ref()
            .map(|(low, high)| format!(", {low} to {high}"))
            .unwrap_or_default();
        println!(
            "{:<28} {} empty, about {} different{bounds}",
            column.name, column.nulls, column.distinct
        );
        for (value, count) in &column.top {
            println!("{:<28}   {count} {value}", "");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn keep(of: &LakeArgs, staging: &Path) -> Result<ExitCode, CommandError> {
    let (dataset, lake) = of.open()?;
    let key = of.key()?;
    let now = jiff::Timestamp::now();
    let compacted = block(hub::compact(&lake, &dataset, staging, key.as_deref(), now))??;
    let retained = block(hub::retain(&lake, &dataset, staging, key.as_deref(), now))??;
    if of.json {
        println!(
            "{}",
            serde_json::json!({ "compacted": compacted, "retained": retained })
        );
    } else {
        println!(
            "{} files became {}; {} rows expired; {} files and {} log entries deleted",
            compacted.files_before,
            compacted.files_after,
            retained.rows_expired,
            retained.files_deleted,
            retained.log_entries_deleted
        );
    }
    Ok(ExitCode::SUCCESS)
}
