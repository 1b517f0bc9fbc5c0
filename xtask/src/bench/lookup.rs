//! Lookups for cases: each opens the case, asks the policies, finds the person's row in a lake of a million encrypted rows and
//! commits its entry of the usage ledger before it answers. First as many as sixteen clients get in, then 2,000 a second
//! begun by the clock, whose latencies count from when each was due. DuckDB finds the same rows in the same run, in a plain
//! Parquet file sorted by the key; it asks nobody and records nothing, so its figure has no target.

use super::python;
use super::report::{Report, Target};
use crate::shell::{Done, command, must, output, root, target};
use serde::Deserialize;
use std::process::Command;

const RIVAL: &str = "xtask/rivals/duckdb";

/// What the program says.
#[derive(Deserialize)]
struct Asked {
    ingest_s: f64,
    copy_s: f64,
    lookups_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    paced_per_s: f64,
    paced_p50_ms: f64,
    paced_p99_ms: f64,
    recorded: bool,
    peak_mib: Option<f64>,
}

/// What DuckDB says.
#[derive(Deserialize)]
struct Theirs {
    lookups_per_s: f64,
    found: bool,
}

/// 20,000 rows with `--quick`, else a million.
pub fn run(quick: bool) -> Done {
    // with the program, so that the libraries are compiled with the same features
    let build = [
        "build",
        "--release",
        "--locked",
        "-p",
        "cases",
        "-p",
        "tongban",
        "--example",
        "lookup",
    ];
    must(command("cargo", &build))?;
    let (rows, seconds) = if quick { ("20000", "3") } else { ("1000000", "20") };
    let mut ours = Command::new(target().join("release/examples/lookup"));
    ours.args([rows, "1000", seconds, "16", "2000"]);
    let text = output(ours)?;
    let asked: Asked = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    let python = python::environment("duckdb", RIVAL)?;
    let mut rival = Command::new(python);
    rival.arg(root().join(RIVAL).join("lookup.py")).args([rows, seconds]);
    let text = output(rival)?;
    let theirs: Theirs = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    let at_full = |target: Target| (!quick).then_some(target);
    let mut report = Report::new("lookup", asked.recorded && theirs.found);
    report.figure("lookups_per_s", asked.lookups_per_s, at_full(Target::Min(2000.0)));
    report.figure("lookup_p99_ms", asked.paced_p99_ms, at_full(Target::Max(20.0)));
    report.figure("lookup_p50_ms", asked.paced_p50_ms, None);
    report.figure("paced_per_s", asked.paced_per_s, None);
    report.figure("busy_p50_ms", asked.p50_ms, None);
    report.figure("busy_p99_ms", asked.p99_ms, None);
    report.figure("ingest_s", asked.ingest_s, None);
    report.figure("copy_s", asked.copy_s, None);
    report.figure("duckdb_lookups_per_s", theirs.lookups_per_s, None);
    report.figure("ratio_to_duckdb", asked.lookups_per_s / theirs.lookups_per_s, None);
    if let Some(peak) = asked.peak_mib {
        report.figure("peak_mib", peak, None);
    }
    report.finish()
}
