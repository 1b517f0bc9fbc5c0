//! `tongban troad serve|check|log-verify|evidence`: the city's gateway to T-Road (政府資料傳輸平臺), and what an auditor asks of its log.

use civic::{Clock as _, SystemClock};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use troad::config::ConfigError;
use troad::evidence::EvidenceError;
use troad::log::LogError;

use super::{block, refused};
use crate::{server, terminal};

/// What `troad` is told.
#[derive(Args)]
pub struct TroadArgs {
    #[command(subcommand)]
    command: TroadCommand,
}

#[derive(Subcommand)]
enum TroadCommand {
    /// Starts the gateway; see docs/reference/t-road.md for its configuration
    Serve {
        /// The gateway's configuration file
        #[arg(long)]
        config: PathBuf,
    },
    /// Checks a configuration with everything it names, and lists certificates by their end
    Check {
        /// The gateway's configuration file
        #[arg(long)]
        config: PathBuf,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Checks the chain of a log, its archives and its timestamps, offline
    LogVerify {
        /// Folder of the log
        folder: PathBuf,
        /// PEM file of the roots of the timestamp authority; without it tokens are not looked into
        #[arg(long)]
        roots: Option<PathBuf>,
        /// Number and hash of a line noted elsewhere, such as `1200:ab12…`: a log that was cut off is found by it
        #[arg(long)]
        anchor: Option<String>,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Takes exchanges out of a log as ASiC-E containers that any verifier opens
    Evidence {
        /// Folder of the log
        folder: PathBuf,
        /// Message id, or the id that request and answer share
        #[arg(long)]
        id: String,
        /// Folder to write to
        #[arg(long)]
        into: PathBuf,
        /// Also what no timestamp covers yet
        #[arg(long)]
        unstamped: bool,
    },
}

/// Runs the command.
pub fn run(args: &TroadArgs) -> ExitCode {
    terminal::log(true);
    match &args.command {
        TroadCommand::Serve { config } => serve(config),
        TroadCommand::Check { config, json } => check(config, *json),
        TroadCommand::LogVerify {
            folder,
            roots,
            anchor,
            json,
        } => verify(folder, roots.as_deref(), anchor.as_deref(), *json),
        TroadCommand::Evidence {
            folder,
            id,
            into,
            unstamped,
        } => evidence(folder, id, into, !unstamped),
    }
}

fn serve(config: &std::path::Path) -> ExitCode {
    let done = block(async {
        let running = troad::command::serve(config, Arc::new(SystemClock), None).await?;
        for (what, address) in [("own systems", running.inside), ("other gateways", running.outside)] {
            if let Some(address) = address {
                println!("for {what}: {address}");
            }
        }
        server::asked_to_stop().await;
        running.shutdown().await;
        Ok::<_, ConfigError>(())
    });
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => refused(&error),
        Err(error) => refused(&error),
    }
}

fn check(config: &std::path::Path, json: bool) -> ExitCode {
    let report = match troad::command::check(config, &SystemClock, false) {
        Ok(report) => report,
        Err(error) => return refused(&error),
    };
    let sound = report.certificates.iter().all(|one| one.problem.is_none());
    let [members, interfaces, agreements, rights] = report.counts;
    if json {
        let certificates: Vec<_> = report
            .certificates
            .iter()
            .map(|one| {
                serde_json::json!({
                    "member": one.member.to_string(),
                    "signs_messages": one.signs_messages,
                    "until": one.facts.not_after,
                    "problem": one.problem.as_ref().map(ToString::to_string),
                })
            })
            .collect();
        println!(
            "{}",
            serde_json::json!({
                "sound": sound, "members": members, "interfaces": interfaces, "agreements": agreements, "rights": rights,
                "certificates": certificates,
            })
        );
    } else {
        println!("{members} members, {interfaces} interfaces, {agreements} agreements, {rights} rights");
        let now = SystemClock.now();
        for one in &report.certificates {
            let what = if one.signs_messages { "messages" } else { "connections" };
            let days = one.facts.not_after.duration_since(now).as_hours() / 24;
            match &one.problem {
                None => println!("ok    {} for {what}: {days} days left", one.member),
                Some(problem) => println!("FAIL  {} for {what}: {problem}", one.member),
            }
        }
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verify(folder: &std::path::Path, roots: Option<&std::path::Path>, anchor: Option<&str>, json: bool) -> ExitCode {
    let anchor = match anchor.map(|text| {
        text.split_once(':')
            .and_then(|(seq, hash)| Some((seq.parse().ok()?, hash)))
    }) {
        None => None,
        Some(Some(anchor)) => Some(anchor),
        Some(None) => {
            eprintln!("error: an anchor is a line's number, a colon, and its hash");
            return ExitCode::from(2);
        }
    };
    let text = roots.map(|path| {
        std::fs::read_to_string(path).map_err(|why| ConfigError::File {
            path: path.to_path_buf(),
            why,
        })
    });
    let text = match text.transpose() {
        Ok(text) => text,
        Err(error) => return refused(&error),
    };
    match troad::command::verify_log(folder, text.as_deref(), anchor) {
        Ok(found) => {
            if json {
                println!(
                    "{}",
                    serde_json::json!({
                        "sound": true, "records": found.records, "timestamps": found.timestamps, "unstamped": found.unstamped,
                        "archives": found.archives, "seq": found.seq, "head": found.head,
                    })
                );
            } else {
                println!(
                    "{} records, {} timestamps, {} archives, the chain holds; {} records without a timestamp yet; line {} is {}",
                    found.records, found.timestamps, found.archives, found.unstamped, found.seq, found.head
                );
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            if json {
                println!("{}", serde_json::json!({ "sound": false, "fault": error.to_string() }));
            }
            if let (LogError::Roots(_), Some(path)) = (&error, roots) {
                eprintln!("error: `{}`: {error}", path.display());
                return ExitCode::FAILURE;
            }
            refused(&error)
        }
    }
}

fn evidence(folder: &std::path::Path, id: &str, into: &std::path::Path, stamped: bool) -> ExitCode {
    match troad::command::evidence(folder, id, into, stamped, None) {
        Ok(containers) => {
            for one in containers {
                println!("{}", into.join(one.name).display());
            }
            ExitCode::SUCCESS
        }
        Err(error @ EvidenceError::NotStamped) => {
            eprintln!("error: {error} (--unstamped)");
            ExitCode::FAILURE
        }
        Err(error) => refused(&error),
    }
}
