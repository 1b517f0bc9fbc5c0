//! `tongban service check|new|list`: for those who keep services as data.

use clap::{Args, Subcommand};
use rules::Branch;
use services::{Catalogue, Mistake, Report};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{block, refused};
use crate::config::Config;
use crate::server;

/// What `service` is told.
#[derive(Args)]
pub struct ServiceArgs {
    #[command(subcommand)]
    command: ServiceCommand,
}

#[derive(Subcommand)]
enum ServiceCommand {
    /// Says every mistake with file and line, makes every letter, runs every worked case
    Check {
        /// Folders of services
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        /// Folder of the data sets; without it `datasets` beside the folder `services`
        #[arg(long)]
        datasets: Option<PathBuf>,
        /// The configuration of the platform whose sealed rounds the seats are compared with
        #[arg(long)]
        config: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Makes a folder that passes its own check
    New {
        /// The folder to make; its last part is the id of the service
        folder: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists the services of a folder, and those that are withdrawn
    List {
        /// Folder of the services
        #[arg(default_value = "services")]
        folder: PathBuf,
        /// Folder of the data sets; without it `datasets` beside it
        #[arg(long)]
        datasets: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(args: ServiceArgs) -> ExitCode {
    match args.command {
        ServiceCommand::Check {
            folders,
            datasets,
            config,
            json,
        } => check(&folders, datasets, config.as_deref(), json),
        ServiceCommand::New { folder, json } => match services::start(&folder) {
            Ok(made) => {
                if json {
                    println!("{}", serde_json::json!({ "folder": folder, "files": made }));
                } else {
                    println!(
                        "{} files made; look at them with `tongban service check {}`",
                        made.len(),
                        folder.display()
                    );
                }
                ExitCode::SUCCESS
            }
            Err(error) => refused(&error),
        },
        ServiceCommand::List { folder, datasets, json } => list(&folder, datasets, json),
    }
}

/// The data sets beside the folder of services, if they are there.
fn beside(services: &Path) -> Option<PathBuf> {
    let datasets = services.parent().unwrap_or(Path::new("")).join("datasets");
    datasets.is_dir().then_some(datasets)
}

/// The seats of a folder that count for no sealed round of a platform, as warnings of its `seats.csv`.
fn sealed(config: &Path, folder: &Path, datasets: Option<&Path>) -> Result<Vec<Mistake>, String> {
    let config = Config::read(config).map_err(|error| error.to_string())?;
    let catalogue = Catalogue::load(folder.parent().unwrap_or(folder), datasets.unwrap_or(folder));
    let id = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let Some(service) = id.as_deref().and_then(|id| catalogue.get(id)) else {
        // its mistakes are told elsewhere
        return Ok(Vec::new());
    };
    let found = block(async {
        let store = server::store(&config, std::sync::Arc::new(civic::SystemClock))
            .await
            .map_err(|error| error.to_string())?;
        let found = cases::round::changes_of(&store, service).await;
        store.close().await;
        found.map_err(|error| error.to_string())
    });
    let found = found.map_err(|error| error.to_string())??;
    Ok(found
        .into_iter()
        .map(|round| Mistake {
            file: "seats.csv".to_owned(),
            line: 1,
            column: 1,
            message: round.sentence(),
            suggestion: None,
        })
        .collect())
}

fn check(folders: &[PathBuf], datasets: Option<PathBuf>, config: Option<&Path>, json: bool) -> ExitCode {
    let reports: Vec<(&PathBuf, Report)> = folders
        .iter()
        .map(|folder| {
            // so that `services/x/` and `services/x` are the same folder
            let whole = folder.canonicalize().unwrap_or_else(|_| folder.clone());
            let datasets = datasets.clone().or_else(|| beside(whole.parent().unwrap_or(&whole)));
            let mut report = services::check(&whole, datasets.as_deref());
            if let Some(config) = config {
                match sealed(config, &whole, datasets.as_deref()) {
                    Ok(mut found) => report.warnings.append(&mut found),
                    Err(message) => report.mistakes.push(Mistake {
                        file: "seats.csv".to_owned(),
                        line: 1,
                        column: 1,
                        message: format!("the sealed rounds can't be looked at: {message}"),
                        suggestion: Some("check `--config`".to_owned()),
                    }),
                }
            }
            (folder, report)
        })
        .collect();
    let sound = reports.iter().all(|(_, report)| report.is_sound());
    if json {
        let list: Vec<_> = reports.iter().map(|(_, report)| report).collect();
        println!("{}", serde_json::json!({ "sound": sound, "services": list }));
    } else {
        for (folder, report) in &reports {
            let tell = |kind: &str, mistake: &Mistake| println!("{kind} {}/{mistake}", folder.display());
            report.mistakes.iter().for_each(|mistake| tell("mistake:", mistake));
            report.warnings.iter().for_each(|mistake| tell("warning:", mistake));
            for Branch { step, branch } in &report.untested {
                println!("untested: {}/rules.toml: step `{step}`, {branch}", folder.display());
            }
            println!(
                "{} {}: {} worked cases through {} of {} branches, {} letters, {} mistakes, {} warnings",
                if report.is_sound() { "ok  " } else { "FAIL" },
                folder.display(),
                report.examples,
                report.branches - report.untested.len(),
                report.branches,
                report.letters,
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

fn list(folder: &Path, datasets: Option<PathBuf>, json: bool) -> ExitCode {
    if !folder.is_dir() {
        eprintln!(
            "error: there is no folder {}; name the folder of the services",
            folder.display()
        );
        return ExitCode::FAILURE;
    }
    let datasets = datasets
        .or_else(|| beside(&folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf())))
        .unwrap_or_default();
    let catalogue = Catalogue::load(folder, &datasets);
    if json {
        let offered: Vec<_> = catalogue
            .all()
            .map(|service| serde_json::json!({ "id": service.id, "digest": service.digest, "name": service.meta.name }))
            .collect();
        let withdrawn: Vec<_> = catalogue
            .withdrawn()
            .iter()
            .map(|one| serde_json::json!({ "id": one.id, "mistakes": one.mistakes }))
            .collect();
        println!("{}", serde_json::json!({ "services": offered, "withdrawn": withdrawn }));
    } else {
        for service in catalogue.all() {
            println!("{:<28} {}", service.id, service.meta.name.get(civic::Language::ZhTw));
        }
        for one in catalogue.withdrawn() {
            println!("{:<28} withdrawn: {} mistakes", one.id, one.mistakes.len());
        }
    }
    ExitCode::SUCCESS
}
