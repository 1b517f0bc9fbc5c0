//! The rules of all services over a whole city, in one process and on a Ballista cluster of one scheduler and two
//! executors, each a process of its own on loopback. Their answers are compared row by row before any time is told.

use super::client::Client;
use super::load;
use super::report::{Report, Target};
use crate::shell::{Done, command, must, output, root, target};
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The day whose law decides.
const DATE: &str = "2026-11-01";
const EXECUTORS: usize = 2;
/// Longest wait for the processes of the cluster, and for its answers.
const START: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(900);

/// What `tongban sweep --json` says.
#[derive(Deserialize)]
struct Ours {
    persons: u32,
    services: Vec<Service>,
    seconds: f64,
    reading_thread_seconds: f64,
    peak_mib: f64,
}

#[derive(Deserialize)]
struct Service {
    service: String,
    cases: u32,
    entitled: u32,
    unknown: u32,
    thread_seconds: f64,
}

/// What the client of the cluster says.
#[derive(Deserialize)]
struct Theirs {
    rows: u32,
    expected_rows: u32,
    differing: u32,
    counts_equal: bool,
    first_s: f64,
    count_s: f64,
    rows_s: f64,
}

/// 100,000 residents with `--quick`, else 2.3 million. `built` takes the programs as they are.
pub fn run(quick: bool, built: bool) -> Done {
    let cluster = target().join("cluster");
    if !built {
        load::build()?;
        build_cluster(&cluster)?;
    }
    let cluster = cluster.join("release/cluster");
    let folder = target().join("bench/sweep");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let residents = if quick { "100000" } else { "2300000" };
    let (people, results) = (
        folder.join(format!("people-{residents}.parquet")),
        folder.join("results.parquet"),
    );
    println!("{residents} residents, the law of {DATE}");
    let mut write = tongban(&["rules", "people", "--services", "services", "--date", DATE]);
    write.args(["--residents", residents, "--out"]).arg(&people);
    must(write)?;
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(sweep(&people, None)?);
    }
    sweep(&people, Some(&results))?;
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let ours = runs.get(1).ok_or("it was not swept")?;
    let peak = runs.iter().map(|run| run.peak_mib).fold(0.0, f64::max);
    for service in &ours.services {
        println!(
            "  {:<20} {:>9} cases, {:>9} entitled, {:>8} not known, {:>7.3} s of a core",
            service.service, service.cases, service.entitled, service.unknown, service.thread_seconds
        );
    }
    let (theirs, used) = on_cluster(&cluster, &folder, &people, &results)?;
    println!(
        "the cluster sent {} rows of {}; {} are missing or say otherwise",
        theirs.rows, theirs.expected_rows, theirs.differing
    );
    let equal = theirs.differing == 0
        && theirs.counts_equal
        && theirs.rows == theirs.expected_rows
        && theirs.rows > 0
        && ours.services.iter().all(|service| service.entitled > 0);
    let at_full = |target: Target| (!quick).then_some(target);
    let number = |count: usize| u32::try_from(count).map_or(f64::MAX, f64::from);
    let mut report = Report::new("sweep", equal);
    report.figure("all_services_2_3m_s", ours.seconds, at_full(Target::Max(5.0)));
    report.figure("peak_mib", peak, at_full(Target::Max(3072.0)));
    report.figure("cluster_equal", f64::from(u8::from(equal)), Some(Target::Min(1.0)));
    report.figure("cluster_s", theirs.rows_s, None);
    report.figure("cluster_counts_s", theirs.count_s, None);
    report.figure("cluster_first_s", theirs.first_s, None);
    report.figure("executors_used", number(used), at_full(Target::Min(number(EXECUTORS))));
    report.figure("persons", f64::from(ours.persons), None);
    report.figure("services", number(ours.services.len()), None);
    report.figure("reading_core_s", ours.reading_thread_seconds, None);
    report.finish()
}

/// Compiles the cluster, which is a workspace of its own, into a folder of its own.
fn build_cluster(folder: &Path) -> Done {
    println!("building the cluster; from nothing this takes as long as the platform itself");
    let mut cargo = command("cargo", &["build", "--release", "--locked", "--manifest-path"]);
    cargo
        .arg(root().join("bench/cluster/Cargo.toml"))
        .arg("--target-dir")
        .arg(folder);
    must(cargo)
}

fn tongban(args: &[&str]) -> Command {
    let mut run = Command::new(load::binary());
    run.args(args).current_dir(root()).stdin(Stdio::null());
    run
}

fn sweep(people: &Path, out: Option<&Path>) -> Done<Ours> {
    let mut run = tongban(&["sweep", "--json", "--services", "services", "--date", DATE]);
    run.arg("--population").arg(people);
    if let Some(out) = out {
        run.arg("--out").arg(out);
    }
    read(&output(run)?)
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Done<T> {
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))
}

/// Processes that end with this value, however it ends.
#[derive(Default)]
struct Processes(Vec<Child>);

impl Processes {
    fn start(&mut self, mut command: Command) -> Done<&mut Child> {
        let shown = format!("{command:?}");
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("{shown} did not start: {error}"))?;
        self.0.push(child);
        self.0.last_mut().ok_or_else(|| format!("{shown} is gone"))
    }

    /// Refuses to go on where one has ended.
    fn alive(&mut self) -> Done {
        for child in &mut self.0 {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("a process of the cluster ended with {status}"));
            }
        }
        Ok(())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts the cluster, asks it, ends it. Also returns how many executors took part.
fn on_cluster(cluster: &Path, folder: &Path, people: &Path, results: &Path) -> Done<(Theirs, usize)> {
    let work: Vec<PathBuf> = (1..=EXECUTORS)
        .map(|number| folder.join(format!("executor-{number}")))
        .collect();
    for folder in &work {
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut processes = Processes::default();
    let mut scheduler = Command::new(cluster);
    scheduler
        .args(["scheduler", "--executors", &EXECUTORS.to_string()])
        .stdout(Stdio::piped());
    let mut line = String::new();
    if let Some(out) = processes.start(scheduler)?.stdout.take() {
        BufReader::new(out)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
    }
    let port = line.trim().to_owned();
    if port.parse::<u16>().is_err() {
        return Err("the scheduler did not say its port".to_owned());
    }
    for work in &work {
        let mut executor = Command::new(cluster);
        executor.args(["executor", "--scheduler", &port, "--work"]).arg(work);
        processes.start(executor)?;
    }
    let ready = format!("http://127.0.0.1:{port}/readyz");
    wait("the executors", START, || {
        processes.alive()?;
        Ok(Client::default().get(&ready).is_ok_and(|answer| answer.status == 200))
    })?;
    let mut client = Command::new(cluster);
    client
        .args(["compare", "--scheduler", &port, "--date", DATE, "--services"])
        .arg(root().join("services"))
        .arg("--population")
        .arg(people)
        .arg("--expected")
        .arg(results)
        .stdout(Stdio::piped());
    let mut asking = Processes::default();
    let answer = asking.start(client)?.stdout.take();
    wait("the cluster's answer", ANSWER, || {
        processes.alive()?;
        let ended = asking.0.iter_mut().all(|child| matches!(child.try_wait(), Ok(Some(_))));
        Ok(ended)
    })?;
    let mut line = String::new();
    if let Some(out) = answer {
        BufReader::new(out)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
    }
    let theirs = read(&line)?;
    let used = work.iter().filter(|folder| holds_results(folder)).count();
    drop(processes);
    for folder in &work {
        let _ = std::fs::remove_dir_all(folder);
    }
    Ok((theirs, used))
}

/// Whether an executor has written anything.
fn holds_results(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// Looks again and again until it is so.
fn wait(what: &str, longest: Duration, mut so: impl FnMut() -> Done<bool>) -> Done {
    let begun = Instant::now();
    while !so()? {
        if begun.elapsed() > longest {
            return Err(format!("{what} did not come within {} s", longest.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
