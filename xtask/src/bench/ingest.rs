//! A CSV of ten million parking bills into validated Parquet under one version: how many megabytes a minute, how much memory,
//! and that a load killed half-way gives the same rows. DuckDB reads the same file, casts the same columns and writes
//! Parquet, in the same run; it has no identifiers, rejects, journal or versions, so its figure has no target.

use super::python;
use super::report::{Report, Target};
use crate::shell::{Done, command, must, output, root, target};
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const RIVAL: &str = "xtask/rivals/duckdb";

/// What the loader says.
#[derive(Deserialize)]
struct Loaded {
    read: u64,
    rows: u64,
    rejected: u64,
    seconds: f64,
    peak_mib: f64,
    digest: Option<String>,
}

/// What DuckDB says.
#[derive(Deserialize)]
struct Theirs {
    rows: u64,
    rejected: u64,
    seconds: f64,
    peak_mib: f64,
}

/// 500,000 rows with `--quick`, else ten million.
pub fn run(quick: bool) -> Done {
    must(command(
        "cargo",
        &["build", "--release", "--locked", "-p", "hub", "--example", "load"],
    ))?;
    let folder = target().join("bench/ingest");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("datasets")).map_err(|error| format!("{}: {error}", folder.display()))?;
    let rows: u64 = if quick { 500_000 } else { 10_000_000 };
    let source = folder.join("bills.csv");
    write(&source, rows)?;
    let bytes = std::fs::metadata(&source).map_err(|error| error.to_string())?.len();
    let megabytes = f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1000.0;
    println!("{rows} rows, {megabytes:.0} MB");
    let dataset = dataset(&folder)?;
    let whole = load(&dataset, &source, &folder.join("whole"), None)?;
    println!(
        "whole: {} rows, {} rejected, {:.1} s, {:.0} MiB",
        whole.rows, whole.rejected, whole.seconds, whole.peak_mib
    );
    // killed by the system when half of it is staged
    let killed = folder.join("killed");
    load(&dataset, &source, &killed, Some(rows / 2))?;
    let resumed = load(&dataset, &source, &killed, None)?;
    println!("resumed: {} rows, {:.1} s", resumed.rows, resumed.seconds);
    let theirs = rival(&source, &folder)?;
    let same = whole.digest.is_some() && whole.digest == resumed.digest && whole.rejected == resumed.rejected;
    let equal = same
        && whole.read == rows
        && whole.read == whole.rows + whole.rejected
        && theirs.rows == whole.rows
        && theirs.rejected == whole.rejected;
    let at_full = |target| (!quick).then_some(target);
    let per_minute = |seconds: f64| megabytes / seconds * 60.0;
    let peak = whole.peak_mib.max(resumed.peak_mib);
    let mut report = Report::new("ingest", equal);
    report.figure("csv_mb_per_min", per_minute(whole.seconds), at_full(Target::Min(500.0)));
    report.figure("peak_mib", peak, at_full(Target::Max(2048.0)));
    report.figure("resumed_s", resumed.seconds, None);
    report.figure("whole_s", whole.seconds, None);
    report.figure("duckdb_mb_per_min", per_minute(theirs.seconds), None);
    report.figure("duckdb_peak_mib", theirs.peak_mib, None);
    report.figure("ratio_to_duckdb", theirs.seconds / whole.seconds, None);
    report.figure(
        "rejected",
        f64::from(u32::try_from(whole.rejected).unwrap_or(u32::MAX)),
        None,
    );
    report.finish()
}

/// The dataset of parking bills, with a whole source in place of an incremental one.
fn dataset(folder: &Path) -> Done<PathBuf> {
    let from = root().join("datasets/parking-events/dataset.toml");
    let to = folder.join("datasets/parking-events");
    std::fs::create_dir_all(&to).map_err(|error| format!("{}: {error}", to.display()))?;
    let text = std::fs::read_to_string(&from).map_err(|error| format!("{}: {error}", from.display()))?;
    let text = text.replace("mode = \"incremental\"", "mode = \"full\"");
    std::fs::write(to.join("dataset.toml"), text).map_err(|error| error.to_string())?;
    Ok(to)
}

/// Loads into a folder of its own; killed when so many rows are staged.
fn load(dataset: &Path, source: &Path, into: &Path, kill_at: Option<u64>) -> Done<Loaded> {
    let mut run = Command::new(target().join("release/examples/load"));
    run.arg(dataset).arg(source);
    run.arg(into.join("lake")).arg(into.join("staging"));
    run.arg("000102030405060708090a0b0c0d0e0f");
    run.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = run
        .spawn()
        .map_err(|error| format!("the loader did not start: {error}"))?;
    if let Some(at) = kill_at {
        let told = child.stderr.take().ok_or("the loader says nothing")?;
        for line in BufReader::new(told).lines().map_while(Result::ok) {
            let rows: u64 = line.split(' ').next().and_then(|rows| rows.parse().ok()).unwrap_or(0);
            if rows >= at {
                break;
            }
        }
        child.kill().map_err(|error| error.to_string())?;
        child.wait().map_err(|error| error.to_string())?;
        println!("killed when {at} rows were staged");
        return Ok(Loaded {
            read: 0,
            rows: 0,
            rejected: 0,
            seconds: 0.0,
            peak_mib: 0.0,
            digest: None,
        });
    }
    let done = child.wait_with_output().map_err(|error| error.to_string())?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    serde_json::from_slice(&done.stdout).map_err(|error| format!("what the loader says: {error}"))
}

/// DuckDB on the same file.
fn rival(source: &Path, folder: &Path) -> Done<Theirs> {
    let python = python::environment("duckdb", RIVAL)?;
    let mut run = Command::new(&python);
    run.arg(root().join(RIVAL).join("ingest.py"));
    run.arg(source).arg(folder.join("duckdb.parquet"));
    serde_json::from_str(&output(run)?).map_err(|error| format!("what DuckDB says: {error}"))
}

/// Bills made by a plain generator: the same every time. One in a thousand is wrong in one of four ways.
fn write(path: &Path, rows: u64) -> Done {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).map_err(fail)?);
    let heading = "停車單號|車號|路段代碼|格位號|專用格位|停車日期|進場時間|離場時間|停車費|減免|應繳|異動時間";
    writeln!(out, "{heading}").map_err(fail)?;
    let mut state: u64 = 115;
    // Knuth's MMIX generator; its upper bits are good enough to spread values
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for number in 0..rows {
        let letter = |of: u64| char::from(b'A' + u8::try_from(of % 24).unwrap_or(0));
        let plate = next(10_000_000);
        let (day, hour, minutes) = (next(28) + 1, next(20), next(180));
        let fee = (minutes / 30 + 1) * 20;
        let reduction = if number.is_multiple_of(40) { fee / 2 } else { 0 };
        let wrong = if number.is_multiple_of(1000) {
            number / 1000 % 4
        } else {
            9
        };
        let due = if wrong == 0 { fee + 1 } else { fee - reduction };
        let place = if wrong == 1 { "?" } else { "N" };
        let month = if wrong == 2 { 13 } else { 11 };
        let left = if wrong == 3 {
            hour.saturating_sub(30)
        } else {
            hour + minutes / 60
        };
        let left = if wrong == 3 {
            format!("2025-01-01 {left:02}:00:00")
        } else {
            format!("2026-11-{day:02} {left:02}:{:02}:30", minutes % 60)
        };
        writeln!(
            out,
            "B{number:09}|{}{}{}-{:04}|XT{:03}|{:03}|{place}|2026-{month}-{day:02}|2026-11-{day:02} {hour:02}:00:00|{left}|{fee}|{reduction}|{due}|2026-11-{day:02} 23:00:00",
            letter(plate / 24 / 24),
            letter(plate / 24),
            letter(plate),
            plate % 10_000,
            next(400),
            next(60),
        )
        .map_err(fail)?;
    }
    out.flush().map_err(fail)
}
