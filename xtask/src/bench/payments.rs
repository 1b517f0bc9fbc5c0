//! The end of a month in a city of 100,000 payments, on SQLite and on PostgreSQL: the run, the order, the bank's report.
//! The measured test itself checks that sums agree and that nobody is doubled.

use super::report::{Report, Target};
use crate::postgres;
use crate::shell::{Done, command, watched};
use serde::Deserialize;

/// What the measurement says of one engine, as a line of JSON.
#[derive(Deserialize)]
struct Line {
    engine: String,
    payments: u32,
    doubled: u32,
    run_s: f64,
    pain001_s: f64,
    file_s: f64,
    file_mib: f64,
    report_s: f64,
    compare_s: f64,
    before_mib: f64,
    peak_mib: f64,
}

/// 100,000 payments on each database; 5,000 with `--quick`.
pub fn run(quick: bool) -> Done {
    let payments: u32 = if quick { 5_000 } else { 100_000 };
    let server = postgres::Server::start()?;
    let mut run = command(
        "cargo",
        &[
            "test",
            "--release",
            "--locked",
            "-p",
            "cases",
            "-p",
            "tongban",
            "--test",
            "it",
            "--",
            "--ignored",
            "--nocapture",
            "a_hundred_thousand",
        ],
    );
    run.env("PAYMENTS", payments.to_string())
        .env("TONGBAN_TEST_POSTGRES", server.url());
    let mut lines: Vec<Line> = Vec::new();
    let sound = watched(run, |text| {
        if let Ok(line) = serde_json::from_str::<Line>(text) {
            lines.push(line);
        }
    })?;
    drop(server);
    let is_equal = sound && lines.len() == 2 && lines.iter().all(|line| line.doubled == 0 && line.payments == payments);
    let mut report = Report::new("payments", is_equal);
    let goal = |most: f64| (!quick).then_some(Target::Max(most));
    for line in &lines {
        let named = |what: &str| format!("{}_{what}", line.engine);
        report.figure(&named("run_100k_s"), line.run_s, goal(300.0));
        report.figure(&named("pain001_100k_s"), line.pain001_s, goal(10.0));
        report.figure(&named("file_100k_s"), line.file_s, None);
        report.figure(&named("file_mib"), line.file_mib, None);
        report.figure(&named("report_100k_s"), line.report_s, goal(120.0));
        report.figure(&named("compare_100k_s"), line.compare_s, None);
        report.figure(&named("before_mib"), line.before_mib, None);
        report.figure(&named("peak_mib"), line.peak_mib, None);
    }
    report.finish()
}
