//! One decision with its explanation, and a sweep over a whole city, beside the same rules written for OpenFisca on the
//! same people. Answers are compared person by person before any ratio is told.

use super::report::{Report, Target};
use super::{load, python};
use crate::shell::{Done, must, output, root, target};
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// The day whose law decides; OpenFisca's month begins on it.
const DATE: &str = "2026-11-01";
const SERVICE: &str = "services/senior-allowance";
const RIVAL: &str = "xtask/rivals/openfisca";

#[derive(Deserialize)]
struct Ours {
    decision_s: f64,
    decision_with_json_s: f64,
    load_s: f64,
    sweep_s: f64,
    from_file_s: f64,
    persons: u32,
    peak_mib: f64,
}

#[derive(Deserialize)]
struct Theirs {
    persons: u32,
    cases: u32,
    entitled: u32,
    unknown: u32,
    differing: i64,
    single_s: f64,
    single_outcome: bool,
    single_amount: i64,
    load_s: f64,
    sweep_s: f64,
    peak_mib: f64,
}

/// What `tongban rules decide --json` says of the case both sides decide.
#[derive(Deserialize)]
struct Decided {
    outcome: Option<bool>,
    amounts: std::collections::BTreeMap<String, Option<i64>>,
}

/// 100,000 residents with `--quick`, else 2.3 million.
pub fn run(quick: bool) -> Done {
    load::build()?;
    let python = python::environment("openfisca", RIVAL)?;
    let folder = target().join("bench/rules");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let residents = if quick { "100000" } else { "2300000" };
    let people = folder.join(format!("people-{residents}.parquet"));
    let (case, results) = (folder.join("case.json"), folder.join("results.parquet"));
    println!("{residents} residents, the law of {DATE}");
    must(tongban(
        &["people", "--residents", residents, "--date", DATE, "--out"],
        &[&people],
    ))?;
    must(python_run(&python, &["case"], &[&people, &case]))?;
    must(tongban(
        &["sweep", SERVICE, "--date", DATE, "--people"],
        &[&people, Path::new("--out"), &results],
    ))?;
    let ours: Ours = read(tongban(
        &["time", SERVICE, "--date", DATE, "--people"],
        &[&people, Path::new("--input"), &case],
    ))?;
    let decided: Decided = read(tongban(
        &["decide", SERVICE, "--json", "--date", DATE, "--input"],
        &[&case],
    ))?;
    let service = root().join(SERVICE);
    let theirs: Theirs = read(python_run(
        &python,
        &["time"],
        &[&service, &people, &case, &results, Path::new(DATE)],
    ))?;
    println!(
        "{} persons, {} cases, {} entitled; of {} the sweep does not know the answer, of {} OpenFisca says otherwise",
        theirs.persons, theirs.cases, theirs.entitled, theirs.unknown, theirs.differing
    );
    let amount = decided.amounts.get("monthly_amount").copied().flatten();
    let single = decided.outcome == Some(theirs.single_outcome) && amount == Some(theirs.single_amount);
    let equal = ours.persons == theirs.persons && theirs.cases > 0 && theirs.differing == 0 && single;
    let at_full = |target: Target| (!quick).then_some(target);
    let mut report = Report::new("rules", equal);
    report.figure("decision_median_ms", ours.decision_s * 1e3, Some(Target::Max(0.5)));
    report.figure("sweep_2_3m_s", ours.sweep_s, at_full(Target::Max(1.0)));
    report.figure("sweep_peak_mib", ours.peak_mib, at_full(Target::Max(2048.0)));
    report.figure(
        "ratio_to_openfisca",
        theirs.sweep_s / ours.sweep_s,
        at_full(Target::Min(5.0)),
    );
    report.figure(
        "ratio_to_openfisca_with_load",
        (theirs.load_s + theirs.sweep_s) / ours.from_file_s,
        at_full(Target::Min(8.0)),
    );
    report.figure(
        "ratio_single_case",
        theirs.single_s / ours.decision_with_json_s,
        Some(Target::Min(3.0)),
    );
    report.figure("decision_with_json_ms", ours.decision_with_json_s * 1e3, None);
    report.figure("from_file_s", ours.from_file_s, None);
    report.figure("load_s", ours.load_s, None);
    report.figure("openfisca_sweep_s", theirs.sweep_s, None);
    report.figure("openfisca_load_s", theirs.load_s, None);
    report.figure("openfisca_single_ms", theirs.single_s * 1e3, None);
    report.figure("openfisca_peak_mib", theirs.peak_mib, None);
    report.finish()
}

fn tongban(args: &[&str], paths: &[&Path]) -> Command {
    let mut run = Command::new(load::binary());
    run.arg("rules").args(args).args(paths).current_dir(root());
    run
}

/// OpenFisca by the side's own script. A BLAS kernel that the environment prescribes would slow NumPy down.
fn python_run(python: &Path, args: &[&str], paths: &[&Path]) -> Command {
    let mut run = Command::new(python);
    run.arg(root().join(RIVAL).join("run.py"))
        .args(args)
        .args(paths)
        .env_remove("OPENBLAS_CORETYPE")
        .env_remove("OPENBLAS_L2_SIZE")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    run
}

fn read<T: serde::de::DeserializeOwned>(run: Command) -> Done<T> {
    let text = output(run)?;
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))
}
