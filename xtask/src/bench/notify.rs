//! Fifty thousand people told at once, on SQLite and on PostgreSQL, by a process that is killed again and again while it sends.
//! The measured test itself compares what the other side got with what was queued.

use super::report::{Report, Target};
use crate::postgres;
use crate::shell::{Done, command, watched};
use serde::Deserialize;

/// What the measurement says of one engine, as a line of JSON.
#[derive(Deserialize)]
struct Line {
    engine: String,
    messages: u32,
    queued_s: f64,
    delivered_s: f64,
    kills: u32,
    repeated: u32,
    lost: u32,
    doubled: u32,
}

/// 50,000 messages on each database and five deaths; 2,000 and two with `--quick`, both databases side by side: what is left of
/// the time is the wait for the leases of what was killed.
pub fn run(quick: bool) -> Done {
    let (messages, kills) = if quick { (2_000, 2) } else { (50_000, 5) };
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
            "fifty_thousand",
        ],
    );
    run.env("MESSAGES", messages.to_string())
        .env("KILLS", kills.to_string())
        .env("TONGBAN_TEST_POSTGRES", server.url());
    if quick {
        run.env("SIDE_BY_SIDE", "1");
    }
    let mut lines: Vec<Line> = Vec::new();
    let sound = watched(run, |text| {
        if let Ok(line) = serde_json::from_str::<Line>(text) {
            lines.push(line);
        }
    })?;
    drop(server);
    let is_equal = sound
        && lines.len() == 2
        && lines
            .iter()
            .all(|line| line.lost == 0 && line.messages == messages && line.kills == kills);
    let mut report = Report::new("notify", is_equal);
    for line in &lines {
        let named = |what: &str| format!("{}_{what}", line.engine);
        report.figure(&named("queued_s"), line.queued_s, (!quick).then_some(Target::Max(30.0)));
        report.figure(&named("delivered_s"), line.delivered_s, None);
        report.figure(&named("lost"), f64::from(line.lost), Some(Target::Max(0.0)));
        report.figure(&named("doubled"), f64::from(line.doubled), None);
        report.figure(&named("sent_again"), f64::from(line.repeated), None);
    }
    report.finish()
}
