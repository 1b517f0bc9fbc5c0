//! Signed requests over two gateways with mutual TLS, all on this machine, beside the same call straight to the provider. The
//! measured test itself compares the answers and verifies the logs it leaves. Once with answers that wait until their record is
//! written (the default), once until it is on disk; latencies are compared at 500 calls a second.

use super::report::{Report, Target};
use crate::shell::{Done, command, watched};
use serde::Deserialize;

/// What the measurement says, as a line of JSON.
#[derive(Deserialize)]
struct Line {
    equal: bool,
    requests_per_s: f64,
    full_p50_ms: f64,
    full_p99_ms: f64,
    paced_per_s: f64,
    direct_p50_ms: f64,
    direct_p99_ms: f64,
    paced_p50_ms: f64,
    paced_p99_ms: f64,
    records: f64,
}

/// Twenty seconds for each phase; four with `--quick`.
pub fn run(quick: bool) -> Done {
    let args = [
        "test",
        "--release",
        "--locked",
        "-p",
        "troad",
        "-p",
        "tongban",
        "--test",
        "it",
        "--",
        "--ignored",
        "--nocapture",
        "signed_requests",
    ];
    let mut run = command("cargo", &args);
    run.env("SECONDS", if quick { "4" } else { "20" });
    let mut lines: Vec<Line> = Vec::new();
    let sound = watched(run, |text| {
        if let Ok(line) = serde_json::from_str::<Line>(text) {
            lines.push(line);
        }
    })?;
    let [line, disk] = lines.as_slice() else {
        return Err("the measurement printed no figures".to_owned());
    };
    let mut report = Report::new("troad", sound && line.equal && disk.equal);
    let goal = |target: Target| (!quick).then_some(target);
    let added = |line: &Line| line.paced_p99_ms - line.direct_p99_ms;
    report.figure("requests_per_s", line.requests_per_s, goal(Target::Min(1500.0)));
    report.figure("added_p99_ms", added(line), goal(Target::Max(10.0)));
    report.figure("added_p50_ms", line.paced_p50_ms - line.direct_p50_ms, None);
    report.figure("paced_per_s", line.paced_per_s, None);
    report.figure("direct_p50_ms", line.direct_p50_ms, None);
    report.figure("direct_p99_ms", line.direct_p99_ms, None);
    report.figure("full_p50_ms", line.full_p50_ms, None);
    report.figure("full_p99_ms", line.full_p99_ms, None);
    report.figure("records", line.records, None);
    report.figure("disk_requests_per_s", disk.requests_per_s, None);
    report.figure("disk_added_p99_ms", added(disk), None);
    report.finish()
}
