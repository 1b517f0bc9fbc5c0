//! `tongban programme check`: for those who keep subsidy programmes as data.

use clap::{Args, Subcommand};
use grants::{Mistake, Report};
use std::path::PathBuf;
use std::process::ExitCode;

/// What `programme` is told.
#[derive(Args)]
pub struct ProgrammeArgs {
    #[command(subcommand)]
    command: ProgrammeCommand,
}

#[derive(Subcommand)]
enum ProgrammeCommand {
    /// Says every mistake with file, line and column, runs every worked case
    Check {
        /// Folders of subsidy programmes
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(args: ProgrammeArgs) -> ExitCode {
    match args.command {
        ProgrammeCommand::Check { folders, json } => check(&folders, json),
    }
}

fn check(folders: &[PathBuf], json: bool) -> ExitCode {
    let reports: Vec<(&PathBuf, Report)> = folders
        .iter()
        .map(|folder| {
            // the folder's name is the programme's, also where it is called `.`
            let whole = folder.canonicalize().unwrap_or_else(|_| folder.clone());
            (folder, grants::check(&whole))
        })
        .collect();
    let sound = reports.iter().all(|(_, report)| report.is_sound());
    if json {
        let list: Vec<_> = reports.iter().map(|(_, report)| report).collect();
        println!("{}", serde_json::json!({ "sound": sound, "programmes": list }));
    } else {
        for (folder, report) in &reports {
            let tell = |kind: &str, mistake: &Mistake| println!("{kind} {}/{mistake}", folder.display());
            report.mistakes.iter().for_each(|mistake| tell("mistake:", mistake));
            report.warnings.iter().for_each(|mistake| tell("warning:", mistake));
            println!(
                "{} {}: {} worked cases hold, {} mistakes, {} warnings",
                if report.is_sound() { "ok  " } else { "FAIL" },
                folder.display(),
                report.cases,
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
