//! `tongban sweep`: the rules of all services over one population, each part of its file read once.

use clap::Args;
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rules::{Effort, PopulationFile, RuleSet, Swept};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::refused;

/// What `sweep` is told.
#[derive(Args)]
pub struct SweepArgs {
    /// Parquet file of the population: a row a person
    #[arg(long)]
    population: PathBuf,
    /// Folder of the services
    #[arg(long, default_value = "services")]
    services: PathBuf,
    /// Day whose law decides
    #[arg(long)]
    date: Date,
    /// Parquet file for the results: service, household, row of the applicant, outcome, amounts
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Why a sweep was refused.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The rules of a service have mistakes.
    #[error("the rules have mistakes:\n{0}")]
    Mistakes(String),
    /// No service there.
    #[error("{}: there is no service in it", .0.display())]
    NoService(PathBuf),
    /// A file.
    #[error("{path}: {why}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The rules or the population.
    #[error(transparent)]
    Rules(#[from] rules::RuleError),
}

/// Runs the command.
pub fn run(args: &SweepArgs) -> ExitCode {
    match sweep(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refused(&error),
    }
}

/// The folders of services in a folder, by name.
///
/// # Errors
/// [`SweepError::File`] when it can't be read; [`SweepError::NoService`] when there is none.
pub fn folders(services: &Path) -> Result<Vec<(String, PathBuf)>, SweepError> {
    let entries = std::fs::read_dir(services).map_err(|error| SweepError::File {
        path: services.to_path_buf(),
        why: error.to_string(),
    })?;
    let mut found: Vec<(String, PathBuf)> = entries
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .filter(|(name, path)| !name.starts_with('.') && path.join("rules.toml").is_file())
        .collect();
    found.sort();
    match found.is_empty() {
        true => Err(SweepError::NoService(services.to_path_buf())),
        false => Ok(found),
    }
}

/// The rules of a service.
///
/// # Errors
/// [`SweepError::Mistakes`].
pub fn load(folder: &Path) -> Result<RuleSet, SweepError> {
    RuleSet::load(folder).map_err(|mistakes| told(folder, &mistakes))
}

/// Mistakes with the path of their folder.
pub fn told(folder: &Path, mistakes: &[rules::Mistake]) -> SweepError {
    let lines: Vec<String> = mistakes
        .iter()
        .map(|mistake| format!("{}/{mistake}", folder.display()))
        .collect();
    SweepError::Mistakes(lines.join("\n"))
}

fn sweep(args: &SweepArgs) -> Result<(), SweepError> {
    let mut sets: Vec<(String, RuleSet)> = Vec::new();
    for (name, folder) in folders(&args.services)? {
        sets.push((name, load(&folder)?));
    }
    let services: Vec<(&str, &RuleSet)> = sets.iter().map(|(name, set)| (name.as_str(), set)).collect();
    let begun = Instant::now();
    let file = PopulationFile::open(&args.population)?;
    let (swept, effort) = file.sweep_timed(&services, args.date, &|| begun.elapsed())?;
    let seconds = begun.elapsed();
    // before the results are written: that is no part of the sweep
    let peak = peak_mib();
    if let Some(out) = &args.out {
        write(&file, &services, &swept, out)?;
    }
    match args.json {
        true => println!(
            "{}",
            as_json(&file, &services, &swept, (&effort, seconds, peak), args.date)
        ),
        false => tell(&file, &services, &swept, (&effort, seconds), args.date),
    }
    Ok(())
}

/// The most memory the process has had.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn sums(swept: &Swept) -> impl Iterator<Item = (&String, i64)> {
    let sum = |(name, amounts)| {
        let amounts: &arrow::array::Int64Array = amounts;
        (name, amounts.iter().flatten().fold(0, i64::saturating_add))
    };
    swept.amounts.iter().map(sum)
}

fn as_json(
    file: &PopulationFile,
    services: &[(&str, &RuleSet)],
    swept: &[Swept],
    (effort, seconds, peak): (&Effort, Duration, Option<f64>),
    date: Date,
) -> Value {
    let found: Vec<Value> = services
        .iter()
        .zip(swept)
        .zip(&effort.services)
        .map(|(((name, set), swept), effort)| {
            let (entitled, refused, unknown) = swept.counts();
            let sums: serde_json::Map<String, Value> = sums(swept)
                .map(|(name, sum)| (name.clone(), Value::from(sum)))
                .collect();
            json!({ "service": name, "digest": set.digest(), "cases": swept.outcome.len(), "entitled": entitled,
                "refused": refused, "unknown": unknown, "sums": sums, "thread_seconds": effort.as_secs_f64() })
        })
        .collect();
    json!({ "persons": file.persons(), "households": file.households(), "reference_date": date, "services": found,
        "seconds": seconds.as_secs_f64(), "reading_thread_seconds": effort.reading.as_secs_f64(), "peak_mib": peak })
}

fn tell(
    file: &PopulationFile,
    services: &[(&str, &RuleSet)],
    swept: &[Swept],
    (effort, seconds): (&Effort, Duration),
    date: Date,
) {
    println!(
        "{} persons, {} households on {date}: {} services in {:.2} s",
        file.persons(),
        file.households(),
        services.len(),
        seconds.as_secs_f64()
    );
    for (((name, set), swept), effort) in services.iter().zip(swept).zip(&effort.services) {
        let (entitled, refused, unknown) = swept.counts();
        println!("\n{name}  ({:.2} s of a core)", effort.as_secs_f64());
        println!(
            "  {} cases: {entitled} eligible, {refused} not eligible, {unknown} not known",
            swept.outcome.len()
        );
        for (name, sum) in sums(swept) {
            let title = set.steps().iter().find(|step| step.name == *name);
            let title = title.map_or(name.as_str(), |step| step.title.get(civic::Language::ZhTw));
            println!("  {title}: {} in sum", civic::Money(sum));
        }
    }
}

fn write(file: &PopulationFile, services: &[(&str, &RuleSet)], swept: &[Swept], out: &Path) -> Result<(), SweepError> {
    let wrong = |why: &dyn std::fmt::Display| SweepError::File {
        path: out.to_path_buf(),
        why: why.to_string(),
    };
    let target = std::fs::File::create(out).map_err(|error| wrong(&error))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let mut writer = ArrowWriter::try_new(target, PopulationFile::table_schema(), Some(properties))
        .map_err(|error| wrong(&error))?;
    for ((name, _), swept) in services.iter().zip(swept) {
        let table = file.table(name, swept)?;
        writer.write(&table).map_err(|error| wrong(&error))?;
    }
    writer.close().map_err(|error| wrong(&error))?;
    Ok(())
}
