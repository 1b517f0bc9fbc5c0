//! `tongban rules check|decide|explain|sweep|people`: the rules of a service folder with facts given as data alone, no
//! server, no database.

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, UInt64Array};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use rules::{CaseInput, Decision, RuleError, RuleSet, Swept};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use super::{refused, sweep};
use crate::demo::{self, CityError};

/// What `rules` is told.
#[derive(Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Subcommand)]
enum RulesCommand {
    /// Says every mistake of the rules with file, line and column
    Check {
        /// Folder of the service
        folder: PathBuf,
        /// Day on which every parameter should have a value; today without
        #[arg(long)]
        date: Option<Date>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Decides one case given as JSON, or every case of a population given as Parquet
    Decide(Given),
    /// Decides one case and explains it step by step with the law
    Explain(Given),
    /// Decides every case of a population and counts
    Sweep {
        /// Folder of the service
        folder: PathBuf,
        /// Parquet file of the population: a row a person
        #[arg(long)]
        people: PathBuf,
        /// Day whose law decides
        #[arg(long)]
        date: Date,
        /// Parquet file for the results: row of the applicant, outcome, amounts
        #[arg(long)]
        out: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Writes the residents of a made-up city as a population to sweep
    People {
        /// Parquet file to write: a row a person
        #[arg(long)]
        out: PathBuf,
        /// How many residents
        #[arg(long, default_value_t = 100_000)]
        residents: usize,
        /// The same seed makes the same city
        #[arg(long, default_value_t = 115)]
        seed: u64,
        /// Day the city is looked at
        #[arg(long)]
        date: Date,
        /// Folder of services: write everything they ask for, for `tongban sweep`
        #[arg(long)]
        services: Option<PathBuf>,
    },
    /// Times decisions and sweeps for the bench
    #[command(hide = true)]
    Time {
        /// Folder of the service
        folder: PathBuf,
        /// A case as JSON
        #[arg(long)]
        input: PathBuf,
        /// Parquet file of a population
        #[arg(long)]
        people: PathBuf,
        /// Day whose law decides
        #[arg(long)]
        date: Date,
    },
}

#[derive(Args)]
struct Given {
    /// Folder of the service
    folder: PathBuf,
    /// The facts: a case as JSON, or a population as Parquet
    #[arg(long)]
    input: PathBuf,
    /// Day whose law decides
    #[arg(long)]
    date: Date,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Why a command of rules was refused.
#[derive(Debug, thiserror::Error)]
enum RulesError {
    #[error("the rules have mistakes:\n{0}")]
    Mistakes(String),
    #[error("nothing is decided:\n{0}")]
    Undecided(String),
    #[error("{path}: {why}", path = path.display())]
    File { path: PathBuf, why: String },
    #[error(transparent)]
    Rules(#[from] rules::RuleError),
    #[error(transparent)]
    City(#[from] CityError),
    #[error(transparent)]
    Services(#[from] sweep::SweepError),
}

/// Runs the command.
pub fn run(args: RulesArgs) -> ExitCode {
    let done = match args.command {
        RulesCommand::Check { folder, date, json } => {
            let today = || civic::legal_day(civic::Clock::now(&civic::SystemClock));
            check(&folder, date.unwrap_or_else(today), json)
        }
        RulesCommand::Decide(given) if given.input.extension().is_some_and(|ending| ending == "parquet") => {
            decide_all(&given.folder, &given.input, given.date, None, given.json)
        }
        RulesCommand::Decide(given) => decide(&given, false),
        RulesCommand::Explain(given) => decide(&given, true),
        RulesCommand::Sweep {
            folder,
            people,
            date,
            out,
            json,
        } => decide_all(&folder, &people, date, out.as_deref(), json),
        RulesCommand::People {
            out,
            residents,
            seed,
            date,
            services,
        } => write_people(&out, residents, seed, date, services.as_deref()),
        RulesCommand::Time {
            folder,
            input,
            people,
            date,
        } => time(&folder, &input, &people, date),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refused(&error),
    }
}

fn load(folder: &Path) -> Result<RuleSet, RulesError> {
    RuleSet::load(folder).map_err(|mistakes| {
        let lines: Vec<String> = mistakes
            .iter()
            .map(|mistake| format!("{}/{mistake}", folder.display()))
            .collect();
        RulesError::Mistakes(lines.join("\n"))
    })
}

/// Why nothing was decided; where the rules are at fault, with the path of their folder before the place.
fn undecided(folder: &Path, error: RuleError) -> RulesError {
    match error.mistake() {
        Some(mistake) => RulesError::Undecided(format!("{}/{mistake}", folder.display())),
        None => RulesError::Rules(error),
    }
}

fn read(path: &Path) -> Result<CaseInput, RulesError> {
    let file = |why: String| RulesError::File {
        path: path.to_path_buf(),
        why,
    };
    let bytes = std::fs::read(path).map_err(|error| file(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        file(format!(
            "line {}, column {}: it is no case; see docs/reference/service-folder.md",
            error.line(),
            error.column()
        ))
    })
}

/// Says every mistake. A parameter without a value on the day is only warned of: a folder may be made for the next year.
fn check(folder: &Path, on: Date, json: bool) -> Result<(), RulesError> {
    let set = match RuleSet::load(folder) {
        Ok(set) => set,
        Err(mistakes) => {
            if json {
                println!("{}", json!({ "sound": false, "mistakes": mistakes }));
            }
            return load(folder).map(|_| ());
        }
    };
    let warnings = set.not_in_force(on);
    if json {
        println!(
            "{}",
            json!({ "sound": true, "digest": set.digest(), "inputs": set.inputs(), "steps": set.steps(),
                "warnings": warnings })
        );
    } else {
        for warning in &warnings {
            eprintln!("warning: {}/{warning}", folder.display());
        }
        println!(
            "{}: {} inputs, {} steps, {} parameters, no mistake",
            folder.display(),
            set.inputs().len(),
            set.steps().len(),
            set.parameters().len()
        );
    }
    Ok(())
}

fn decide(given: &Given, explain: bool) -> Result<(), RulesError> {
    let set = load(&given.folder)?;
    let decision = set
        .decide(&read(&given.input)?, given.date)
        .map_err(|error| undecided(&given.folder, error))?;
    if given.json {
        println!("{}", as_json(&set, &decision));
        return Ok(());
    }
    println!("{}", outcome(&decision));
    for (name, amount) in &decision.amounts {
        println!(
            "{}: {}",
            title(&set, name),
            amount.map_or_else(|| "還不知道".to_owned(), |amount| civic::Money(amount).to_string())
        );
    }
    for name in &decision.minimum {
        println!("不符合：{}（{}）", title(&set, name), law(&set, name));
    }
    if !decision.waiting.is_empty() {
        let waiting: Vec<String> = decision.waiting.iter().map(ToString::to_string).collect();
        println!("還需要：{}", waiting.join("、"));
    }
    if explain {
        println!();
        for step in &decision.steps {
            let person = step
                .person
                .as_ref()
                .map_or_else(String::new, |person| format!("（{person}）"));
            let value = match &step.value {
                Value::Null => "還不知道".to_owned(),
                Value::Bool(true) => "是".to_owned(),
                Value::Bool(false) => "否".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            println!(
                "{}{person}：{value}　〔{}〕",
                title(&set, &step.name),
                law(&set, &step.name)
            );
        }
    }
    Ok(())
}

fn outcome(decision: &Decision) -> &'static str {
    match decision.outcome {
        Some(true) => "符合 eligible",
        Some(false) => "不符合 not eligible",
        None => "還不能判斷 not known yet",
    }
}

fn title<'a>(set: &'a RuleSet, name: &'a str) -> &'a str {
    set.steps()
        .iter()
        .find(|step| step.name == name)
        .map_or(name, |step| step.title.get(civic::Language::ZhTw))
}

fn law<'a>(set: &'a RuleSet, name: &str) -> &'a str {
    set.steps()
        .iter()
        .find(|step| step.name == name)
        .map_or("", |step| step.law.as_str())
}

/// A decision with the title and the law beside every step.
fn as_json(set: &RuleSet, decision: &Decision) -> Value {
    let steps: Vec<Value> = decision
        .steps
        .iter()
        .map(|step| {
            json!({ "name": step.name, "entity": step.entity, "person": step.person, "value": step.value,
                "title": title(set, &step.name), "law": law(set, &step.name) })
        })
        .collect();
    json!({
        "outcome": decision.outcome, "amounts": decision.amounts, "failed": decision.failed, "minimum": decision.minimum,
        "waiting": decision.waiting, "reference_date": decision.reference_date, "digest": decision.digest, "steps": steps,
    })
}

fn decide_all(folder: &Path, people: &Path, date: Date, out: Option<&Path>, json: bool) -> Result<(), RulesError> {
    let set = load(folder)?;
    let (swept, persons, households) = set.sweep_file(people, date).map_err(|error| undecided(folder, error))?;
    let (entitled, refused, unknown) = swept.counts();
    if let Some(out) = out {
        write(&swept, out)?;
    }
    let sums: serde_json::Map<String, Value> = swept
        .amounts
        .iter()
        .map(|(name, array)| (name.clone(), Value::from(sum(array))))
        .collect();
    if json {
        println!(
            "{}",
            json!({ "persons": persons, "households": households, "cases": swept.outcome.len(),
                "entitled": entitled, "refused": refused, "unknown": unknown, "sums": sums, "reference_date": date, "digest": set.digest() })
        );
    } else {
        println!(
            "{persons} persons, {households} households, {} cases on {date}",
            swept.outcome.len()
        );
        println!("{entitled} eligible, {refused} not eligible, {unknown} not known");
        for (name, sum) in &sums {
            println!(
                "{}: {} in sum",
                title(&set, name),
                civic::Money(sum.as_i64().unwrap_or_default())
            );
        }
    }
    Ok(())
}

fn sum(array: &Int64Array) -> i64 {
    array.iter().flatten().fold(0, i64::saturating_add)
}

fn write(swept: &Swept, path: &Path) -> Result<(), RulesError> {
    let file = |why: String| RulesError::File {
        path: path.to_path_buf(),
        why,
    };
    let mut columns: Vec<(String, ArrayRef)> = vec![
        (
            "applicant_row".to_owned(),
            Arc::new(UInt64Array::from(swept.applicant.clone())),
        ),
        ("outcome".to_owned(), Arc::new(BooleanArray::clone(&swept.outcome))),
    ];
    columns.extend(
        swept
            .amounts
            .iter()
            .map(|(name, array)| (name.clone(), Arc::new(array.clone()) as ArrayRef)),
    );
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .map_err(|error| file(error.to_string()))?;
    let out = std::fs::File::create(path).map_err(|error| file(error.to_string()))?;
    let mut writer = ArrowWriter::try_new(out, batch.schema(), None).map_err(|error| file(error.to_string()))?;
    writer.write(&batch).map_err(|error| file(error.to_string()))?;
    writer.close().map_err(|error| file(error.to_string()))?;
    Ok(())
}

fn write_people(
    out: &Path,
    residents: usize,
    seed: u64,
    date: Date,
    services: Option<&Path>,
) -> Result<(), RulesError> {
    let city = demo::generate(residents, seed, date)?;
    match services {
        None => city.write_people(out, &mut |_| {})?,
        Some(services) => {
            let mut asked = Vec::new();
            for (service, folder) in sweep::folders(services)? {
                asked.push(demo::Asked {
                    service,
                    rules: sweep::load(&folder)?,
                    worked: services::worked(&folder).map_err(|mistakes| sweep::told(&folder, &mistakes))?,
                });
            }
            for difference in city.write_people_for(out, &asked)? {
                println!("a column of its own: {difference}");
            }
        }
    }
    println!("{}: {} persons", out.display(), city.residents());
    Ok(())
}

/// Prints what the bench asks for: medians of single decisions, and of sweeps with and without loading.
fn time(folder: &Path, input: &Path, people: &Path, date: Date) -> Result<(), RulesError> {
    let set = load(folder)?;
    let case = read(input)?;
    let text = std::fs::read(input).map_err(|error| RulesError::File {
        path: input.to_path_buf(),
        why: error.to_string(),
    })?;
    set.decide(&case, date)?;
    let decisions = median(2_000, || set.decide(&case, date).map(|_| ()))?;
    let with_json = median(2_000, || {
        let case: CaseInput =
            serde_json::from_slice(&text).map_err(|error| rules::RuleError::Population(error.to_string()))?;
        set.decide(&case, date).map(|_| ())
    })?;
    let load = median(3, || set.read_population(people).map(|_| ()))?;
    let population = set.read_population(people)?;
    let sweep = median(5, || set.sweep(&population, date).map(|_| ()))?;
    let persons = population.persons();
    drop(population);
    let from_file = median(5, || set.sweep_file(people, date).map(|_| ()))?;
    let peak = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find(|line| line.starts_with("VmHWM"))?.to_owned();
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    });
    println!(
        "{}",
        json!({ "decision_s": decisions, "decision_with_json_s": with_json, "load_s": load, "sweep_s": sweep,
            "from_file_s": from_file, "persons": persons, "peak_mib": peak.map(|kib| kib / 1024.0) })
    );
    Ok(())
}

fn median(times: usize, mut run: impl FnMut() -> Result<(), rules::RuleError>) -> Result<f64, RulesError> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let begun = Instant::now();
        run()?;
        taken.push(begun.elapsed().as_secs_f64());
    }
    taken.sort_by(f64::total_cmp);
    Ok(taken.get(times / 2).copied().unwrap_or_default())
}
