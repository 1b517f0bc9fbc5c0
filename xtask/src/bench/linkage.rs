//! Record linkage beside Splink on sets whose truth is known, with the same blocking and comparisons on all but the historical set, where
//! each side has the best it was tuned to, and a million made-up residents against a million. Times of both are wall time on the same
//! cores, one side after the other; best F1 is over every threshold, of the scored pairs and of what is decided by them.

use super::python;
use super::report::{Report, Target};
use crate::shell::{Done, command, must, output, root, target};
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

const FOLDER: &str = "bench/linkage";
/// The sets, beside the repository.
const DATA: &str = "../shared/data/linkage";
/// Memory Splink's database may use, in GB; the bar for a million of ours is lower.
const SPLINK_GB: &str = "8";

/// A set: its name, its model, its files, the column of the truth, and Splink's settings.
struct Set {
    name: &'static str,
    model: &'static str,
    files: &'static [&'static str],
    entity: &'static [&'static str],
    splink: &'static str,
}

const SETS: &[Set] = &[
    Set {
        name: "febrl1",
        model: "febrl.toml",
        files: &["febrl_dataset1.csv"],
        entity: &["--entity", "rec_id", "--part", "1"],
        splink: "febrl1",
    },
    Set {
        name: "febrl2",
        model: "febrl.toml",
        files: &["febrl_dataset2.csv"],
        entity: &["--entity", "rec_id", "--part", "1"],
        splink: "febrl2",
    },
    Set {
        name: "febrl4",
        model: "febrl.toml",
        files: &["febrl_dataset4a.csv", "febrl_dataset4b.csv"],
        entity: &["--entity", "rec_id", "--part", "1"],
        splink: "febrl4",
    },
    Set {
        name: "fake_1000",
        model: "fake_1000.toml",
        files: &["fake_1000.csv"],
        entity: &["--entity", "cluster"],
        splink: "fake_1000",
    },
    Set {
        name: "historical",
        model: "historical.toml",
        files: &["historical_half_a.csv"],
        entity: &["--entity", "cluster"],
        splink: "historical_tuned",
    },
];

#[derive(Deserialize)]
struct Ours {
    f1: f64,
    decided_f1: f64,
    training_s: f64,
    prediction_s: f64,
    decided_s: f64,
    peak_mib: f64,
    true_pairs: u64,
}

#[derive(Deserialize)]
struct Splink {
    f1: f64,
    clusters_f1: f64,
    training_s: f64,
    prediction_s: f64,
    peak_mib: f64,
    true_pairs: u64,
}

/// All sets and a million residents; with `--quick` without the historical set, and a tenth of the residents.
pub fn run(quick: bool) -> Done {
    must(command(
        "cargo",
        &[
            "build",
            "--release",
            "--locked",
            "-p",
            "linkage",
            "--example",
            "measure",
        ],
    ))?;
    let mut report_lines: Vec<(String, f64)> = Vec::new();
    let mut equal = true;
    let (mut total, mut predict, mut f1, mut pairs_f1) = (f64::INFINITY, f64::INFINITY, f64::INFINITY, f64::INFINITY);
    let mut memory = f64::INFINITY;
    let mut historical = None;
    let data = root().join(DATA);
    if !data.is_dir() {
        println!("skipped: the linkage sets are not there, and so is Splink");
    } else {
        let python = python::environment("splink", FOLDER)?;
        let sets = SETS.iter().filter(|set| !quick || set.name != "historical");
        println!(
            "{:<12} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9} {:>8}",
            "set", "pairs F1", "decided", "train s", "predict s", "MiB", "total x", "predict x"
        );
        for set in sets {
            let ours = ours(set, &data)?;
            let splink = splink(&python, set.splink, &data)?;
            // both must have counted the same truth
            equal &= ours.true_pairs == splink.true_pairs;
            let ratio = (splink.training_s + splink.prediction_s) / (ours.training_s + ours.prediction_s);
            let ratio_predict = splink.prediction_s / ours.prediction_s;
            println!(
                "{:<12} {:>8.4} {:>8.4} {:>9.2} {:>9.3} {:>9.0} {:>9.1} {:>8.1}",
                set.name,
                ours.f1,
                ours.decided_f1,
                ours.training_s,
                ours.prediction_s,
                ours.peak_mib,
                ratio,
                ratio_predict
            );
            println!(
                "{:<12} {:>8.4} {:>8.4} {:>9.2} {:>9.3} {:>9.0}",
                "  Splink", splink.f1, splink.clusters_f1, splink.training_s, splink.prediction_s, splink.peak_mib
            );
            let best = |pairs: f64, decided: f64| pairs.max(decided);
            let minus = best(ours.f1, ours.decided_f1) - best(splink.f1, splink.clusters_f1);
            (total, predict) = (total.min(ratio), predict.min(ratio_predict));
            (f1, pairs_f1) = (f1.min(minus), pairs_f1.min(ours.f1 - splink.f1));
            memory = memory.min(splink.peak_mib / ours.peak_mib);
            if set.name == "historical" {
                historical = Some((minus, ours.f1 - splink.f1));
                report_lines.push(("historical_clusters_s".to_owned(), ours.decided_s));
            }
            report_lines.push((format!("{}_f1", set.name), best(ours.f1, ours.decided_f1)));
            report_lines.push((format!("{}_splink_f1", set.name), best(splink.f1, splink.clusters_f1)));
        }
    }
    let (small, large) = if quick { (25_000, 100_000) } else { (250_000, 1_000_000) };
    let (quarter, whole) = (residents(small)?, residents(large)?);
    let seconds = |ours: &Ours| ours.training_s + ours.prediction_s + ours.decided_s;
    let mut report = Report::new("linkage", equal);
    if total.is_finite() {
        report.figure("ratio_to_splink", total, Some(Target::Min(5.0)));
        report.figure("ratio_predict", predict, Some(Target::Min(2.0)));
        report.figure("ratio_memory", memory, Some(Target::Min(1.0)));
        // equal shares in another order of summing may differ in the last bit
        report.figure("f1_minus_splink", f1, Some(Target::Min(-1e-9)));
        report.figure("pairs_f1_minus_splink", pairs_f1, Some(Target::Min(-1e-9)));
    }
    if let Some((best, pairs)) = historical {
        report.figure("historical_f1_minus_splink", best, Some(Target::Min(0.05)));
        report.figure("historical_pairs_f1_minus_splink", pairs, None);
    }
    let at_full = |target: Target| (!quick).then_some(target);
    report.figure("million_s", seconds(&whole), at_full(Target::Max(90.0)));
    report.figure("million_f1", whole.f1, Some(Target::Min(0.98)));
    report.figure("million_peak_mib", whole.peak_mib, at_full(Target::Max(6144.0)));
    report.figure(
        "growth_of_four_times",
        seconds(&whole) / seconds(&quarter),
        Some(Target::Max(5.0)),
    );
    for (key, value) in report_lines {
        report.figure(&key, value, None);
    }
    report.finish()
}

fn measure() -> Command {
    let mut run = Command::new(target().join("release/examples/measure"));
    run.current_dir(root());
    run
}

fn ours(set: &Set, data: &Path) -> Done<Ours> {
    let mut run = measure();
    run.arg("set").arg(Path::new(FOLDER).join(set.model));
    run.args(set.files.iter().map(|file| data.join(file))).args(set.entity);
    read(run)
}

fn splink(python: &Path, name: &str, data: &Path) -> Done<Splink> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut run = Command::new(python);
    run.arg(root().join(FOLDER).join("splink_run.py"))
        .arg(name)
        .arg(data)
        .args([threads.to_string().as_str(), SPLINK_GB])
        .env("PYTHONDONTWRITEBYTECODE", "1");
    read(run)
}

fn residents(count: u32) -> Done<Ours> {
    let folder = target().join(format!("bench/linkage-{count}"));
    let mut make = measure();
    make.args(["residents", &count.to_string()]).arg(&folder);
    must(make)?;
    let mut run = measure();
    run.arg("set").arg(Path::new(FOLDER).join("residents.toml"));
    run.args([folder.join("left.csv"), folder.join("right.csv")])
        .args(["--entity", "entity"]);
    let found: Ours = read(run)?;
    println!(
        "{count} residents against {count}: {:.1} s reading and training, {:.1} s prediction, {:.0} MiB, F1 {:.6}",
        found.training_s, found.prediction_s, found.peak_mib, found.f1
    );
    Ok(found)
}

fn read<T: serde::de::DeserializeOwned>(run: Command) -> Done<T> {
    let text = output(run)?;
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))
}
