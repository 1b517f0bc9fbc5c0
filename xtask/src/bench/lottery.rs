//! A draw of 100,000 tickets with groups, classes and families, and its verification: whole commands, files read and
//! written. The draw is done twice and must give the same file; a changed one must be told.

use super::load;
use super::report::{Report, Target};
use crate::shell::{Done, must, target};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const PLACES: u64 = 150;
const CLASSES: [(&str, u64); 4] = [("two", 60), ("three", 70), ("four", 80), ("five", 90)];

/// 10,000 tickets with `--quick`, else 100,000.
pub fn run(quick: bool) -> Done {
    load::build()?;
    let folder = target().join("bench/lottery");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let path = |name: &str| folder.join(name);
    let tickets = if quick { 10_000 } else { 100_000 };
    write(&path("list.json"), &list(tickets))?;
    let seal = timed(
        &["seal"],
        &[&path("list.json"), Path::new("--out"), &path("sealed.json")],
    )?;
    let draw = |out: &Path| timed(&["draw", "--seed", "07,41,18", "--out"], &[out, &path("sealed.json")]);
    let (once, again) = (draw(&path("draw.json"))?, draw(&path("again.json"))?);
    let verified = timed(
        &["verify"],
        &[&path("draw.json"), Path::new("--sealed"), &path("sealed.json")],
    )?;
    let same = read(&path("draw.json"))? == read(&path("again.json"))?;
    let changed = String::from_utf8_lossy(&read(&path("draw.json"))?).replacen("07,41,18", "07,41,19", 1);
    std::fs::write(path("changed.json"), changed).map_err(|error| error.to_string())?;
    let told = !lottery(&["verify"], &[&path("changed.json")])
        .stderr(std::process::Stdio::null())
        .status()
        .map_err(|error| error.to_string())?
        .success();
    let at_full = |seconds| (!quick).then_some(Target::Max(seconds));
    let mut report = Report::new("lottery", same && told);
    report.figure("draw_s", once.min(again), at_full(2.0));
    report.figure("verify_s", verified, at_full(2.0));
    report.figure("seal_s", seal, None);
    report.figure("tickets", f64::from(tickets), None);
    report.finish()
}

fn lottery(args: &[&str], paths: &[&Path]) -> Command {
    let mut run = Command::new(load::binary());
    run.arg("lottery").args(args).args(paths);
    run
}

fn timed(args: &[&str], paths: &[&Path]) -> Done<f64> {
    let begun = Instant::now();
    must(lottery(args, paths))?;
    Ok(begun.elapsed().as_secs_f64())
}

fn read(path: &Path) -> Done<Vec<u8>> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, list: &Value) -> Done {
    std::fs::write(path, list.to_string()).map_err(|error| format!("{}: {error}", path.display()))
}

/// A list made by a plain generator: the same every time.
fn list(tickets: u32) -> Value {
    let mut state: u64 = 115;
    // Knuth's MMIX generator; its upper bits are good enough to spread choices
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let seats: serde_json::Map<String, Value> = CLASSES
        .iter()
        .map(|(class, capacity)| {
            (
                (*class).to_owned(),
                json!({ "capacity": capacity, "reserved": capacity / 10 }),
            )
        })
        .collect();
    let places: Vec<Value> = (0..PLACES)
        .map(|number| json!({ "id": format!("p{number:03}"), "seats": seats }))
        .collect();
    let ticket = |number: u32| {
        let class = CLASSES
            .get(usize::try_from(next(4)).unwrap_or_default())
            .map_or("two", |(class, _)| class);
        // one family in forty registers two children
        let seats = if number.is_multiple_of(40) { 2 } else { 1 };
        let (first, count) = (next(PLACES), next(5) + 1);
        let choices: Vec<String> = (0..count)
            .map(|step| format!("p{:03}", (first + step * 31) % PLACES))
            .collect();
        let reserved = next(10) == 0;
        json!({ "id": format!("{number:064x}"), "priority": next(3) + 1, "points": next(4), "reserved": reserved,
            "needs": { class: seats }, "choices": choices })
    };
    let tickets: Vec<Value> = (0..tickets).map(ticket).collect();
    json!({ "round": "bench", "seed_rule": "the balls of the day", "places": places, "tickets": tickets })
}
