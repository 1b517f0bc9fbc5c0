//! Everything a change must pass, and one closing line `N passed, N failed, N skipped`.

use crate::shell::{Done, command, must, root, target, watched};
use crate::{bench, browser, postgres, setup, tidy};
use std::time::Instant;

/// What has passed so far.
#[derive(Default)]
pub struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    failures: Vec<String>,
    times: Vec<(String, u64)>,
}

impl Tally {
    /// Runs one check that passes or fails as a whole.
    fn check(&mut self, name: &str, run: impl FnOnce() -> Done) {
        println!("\n== {name}");
        let began = Instant::now();
        match run() {
            Ok(()) => self.passed += 1,
            Err(message) => {
                println!("FAIL {name}: {message}");
                self.failed += 1;
                self.failures.push(format!("{name}: {message}"));
            }
        }
        self.times.push((name.to_owned(), began.elapsed().as_secs()));
    }

    /// Runs a test runner whose own counts are added.
    fn counted(&mut self, name: &str, command: std::process::Command, read: fn(&str, &mut Counts)) {
        println!("\n== {name}");
        let began = Instant::now();
        let mut counts = Counts::default();
        let ended = watched(command, |line| read(line, &mut counts));
        self.passed += counts.passed;
        self.failed += counts.failed;
        self.skipped += counts.skipped;
        match ended {
            Ok(true) if counts.passed > 0 => {}
            Ok(true) => self.fail(name, "it ran no test"),
            Ok(false) if counts.failed > 0 => self.failures.push(format!("{name}: {} failed", counts.failed)),
            Ok(false) => self.fail(name, "it ended with an error"),
            Err(message) => self.fail(name, &message),
        }
        self.times.push((name.to_owned(), began.elapsed().as_secs()));
    }

    fn fail(&mut self, name: &str, message: &str) {
        self.failed += 1;
        self.failures.push(format!("{name}: {message}"));
    }
}

/// Counts a test runner printed.
#[derive(Default)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; …` and lines of tests that say `skipped: <what>`.
fn cargo_line(line: &str, counts: &mut Counts) {
    if let Some(rest) = line.strip_prefix("test result: ") {
        for part in rest.split([';', '.']) {
            let mut words = part.split_whitespace();
            if let (Some(number), Some(word)) = (words.next().and_then(|word| word.parse::<usize>().ok()), words.next())
            {
                match word {
                    "passed" => counts.passed += number,
                    "failed" => counts.failed += number,
                    "ignored" => counts.skipped += number,
                    _ => {}
                }
            }
        }
    } else if line.starts_with("skipped: ") {
        counts.skipped += 1;
    }
}

/// Packages whose tests belong to an area; every package where no area was named.
fn packages(area: Option<&str>) -> Option<&'static [&'static str]> {
    match area {
        None => Some(&[
            "civic",
            "grants",
            "linkage",
            "pki",
            "press",
            "rules",
            "services",
            "hub",
            "spreadsheet",
            "store",
            "exchange",
            "troad",
            "subsidies",
            "cases",
            "web",
            "peers",
            "tongban",
            "xtask",
        ]),
        Some("rules") => Some(&["rules"]),
        Some("grants") => Some(&["press", "grants", "subsidies"]),
        Some("linkage") => Some(&["linkage"]),
        Some("services") => Some(&["press", "services"]),
        // of identity, wallet and notify the tests of `filters` alone
        Some("mydata") => Some(&["exchange", "peers"]),
        Some("identity") => Some(&["pki", "store", "exchange", "cases", "web", "tongban"]),
        Some("wallet") => Some(&["exchange", "peers", "services", "store", "cases", "web", "tongban"]),
        Some("notify") => Some(&[
            "exchange", "peers", "services", "store", "cases", "web", "tongban", "xtask",
        ]),
        Some("troad") => Some(&["pki", "troad", "peers"]),
        Some("store") => Some(&["store"]),
        Some("portal") => Some(&["cases", "web", "tongban"]),
        Some("pages") => Some(&["web"]),
        Some("journey" | "crash" | "tidy") => Some(&[]),
        Some(_) => None,
    }
}

/// Beginnings of the names of an area's tests, where it is a part of its packages.
fn filters(area: Option<&str>) -> &'static [&'static str] {
    match area {
        Some("identity") => &[
            "certificate::",
            "chain::",
            "fido::",
            "ics::",
            "identity_properties::",
            "oidc",
            "corpus::",
            // of store, cases, web and tongban
            "sessions::",
            "identity::",
            "resident::identity::",
            "resident::issuer::",
        ],
        Some("wallet") => &["wallet", "identity_properties::", "corpus::"],
        Some("notify") => &[
            "notify::",
            "notices::",
            "push::",
            "messages::",
            "mistakes::",
            "channels::",
            "deliveries::",
            "outbox::",
            "mail",
        ],
        _ => &[],
    }
}

/// The journeys that are walked on PostgreSQL too: the main job, and a subsidy from the call to the payment.
const ON_POSTGRES: &[&str] = &["apply", "call", "execution"];

/// The journeys of an area, by the names of their files.
fn journeys(area: &str) -> &'static [&'static str] {
    match area {
        "grants" => &["call", "execution"],
        "mydata" => &["mydata-provider"],
        "troad" => &["road"],
        "identity" => &["identity"],
        "wallet" => &["wallet"],
        "notify" => &["channels"],
        _ => &[],
    }
}

/// `cargo xtask test [--only AREA] [--quick]`. Quick leaves out the browser and the crash rounds.
pub fn run(args: &[&str]) -> Done {
    let mut only = None;
    let mut quick = false;
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match *arg {
            "--only" => only = rest.next().copied(),
            "--quick" => quick = true,
            other => return Err(format!("`{other}` is no option of test; see `cargo xtask`")),
        }
    }
    let Some(packages) = packages(only) else {
        return Err(format!("`{}` is no area; see `cargo xtask`", only.unwrap_or_default()));
    };
    let wanted = |area: &str| only.is_none_or(|only| only == area);
    let mut tally = Tally::default();
    tally.check("packages the tests need", setup::install);
    if wanted("tidy") {
        tally.check("format", || {
            must(command("cargo", &["fmt", "--all", "--check"]))?;
            let cluster = "bench/cluster/Cargo.toml";
            must(command("cargo", &["fmt", "--check", "--manifest-path", cluster]))
        });
        for (name, check) in tidy::CHECKS {
            tally.check(name, || check().map(|looked| println!("{looked}")));
        }
        tally.check("clippy", || {
            must(command(
                "cargo",
                &[
                    "clippy",
                    "--release",
                    "--workspace",
                    "--all-targets",
                    "--locked",
                    "--",
                    "-D",
                    "warnings",
                ],
            ))
        });
    }
    // Built first and alone, so that the time of building is not mistaken for the time of testing.
    tally.check("build", || {
        must(command(
            "cargo",
            &["build", "--release", "--workspace", "--all-targets", "--locked"],
        ))
    });
    let binary = target().join("release/tongban");
    let server = postgres::Server::start();
    match &server {
        Ok(_) => tally.passed += 1,
        Err(message) => tally.fail("PostgreSQL", message),
    }
    let address = server.as_ref().map(postgres::Server::url).unwrap_or_default();
    if !packages.is_empty() {
        // Naming all packages keeps the features of the dependencies the same, so that nothing is built twice.
        let mut args = vec!["test", "--release", "--locked", "--no-fail-fast"];
        match only.is_none() {
            true => args.push("--workspace"),
            // with the program among them dependencies have the features that they were built with
            false => packages
                .iter()
                .chain(["tongban"].iter().filter(|program| !packages.contains(program)))
                .for_each(|package| args.extend(["-p", package])),
        }
        args.extend(["--", "--nocapture"]);
        args.extend(filters(only));
        let mut cargo = command("cargo", &args);
        cargo.env("TONGBAN_TEST_POSTGRES", &address).env("RUST_BACKTRACE", "1");
        tally.counted("unit, property and store tests", cargo, cargo_line);
    }
    if wanted("services") || wanted("rules") {
        let folders = folders("services");
        let mut args: Vec<&str> = vec!["service", "check"];
        args.extend(folders.iter().map(String::as_str));
        let mut check = std::process::Command::new(&binary);
        check.args(&args).current_dir(root());
        tally.check("service folders and their worked cases", || must(check));
    }
    if !quick && (wanted("journey") || wanted("pages")) {
        tally.counted("journeys in a browser", browser::journeys(&binary), browser::node_line);
        let walked = browser::named_on_postgres(&binary, ON_POSTGRES, &address);
        tally.counted("journeys on PostgreSQL", walked, browser::node_line);
    } else if let Some(area) = only.filter(|_| !quick) {
        let names = journeys(area);
        if !names.is_empty() {
            let walked = browser::named(&binary, names);
            tally.counted("the area's journeys in a browser", walked, browser::node_line);
        }
        if names.iter().any(|name| ON_POSTGRES.contains(name)) {
            let walked = browser::named_on_postgres(&binary, names, &address);
            tally.counted("the area's journeys on PostgreSQL", walked, browser::node_line);
        }
    }
    if wanted("notify") {
        tally.check("two thousand messages and two sudden deaths", || {
            bench::run("notify", &["--quick"])
        });
    }
    if !quick && wanted("crash") {
        tally.check("five rounds of sudden death", || bench::run("crash", &["--quick"]));
    }
    drop(server);
    println!("\nseconds:");
    for (name, seconds) in &tally.times {
        println!("{seconds:>6}  {name}");
    }
    for failure in &tally.failures {
        println!("FAILED {failure}");
    }
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    );
    if tally.failed == 0 {
        Ok(())
    } else {
        Err(format!("{} failed", tally.failed))
    }
}

/// Folders of a kind of data, for example each public service.
fn folders(kind: &str) -> Vec<String> {
    let mut found: Vec<String> = std::fs::read_dir(root().join(kind))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_of_cargo_test_is_read() {
        let mut counts = Counts::default();
        cargo_line(
            "test result: ok. 12 passed; 1 failed; 2 ignored; 0 measured; 3 filtered out; finished in 0.01s",
            &mut counts,
        );
        cargo_line("test a::b ... ok", &mut counts);
        cargo_line("skipped: postgres", &mut counts);
        assert_eq!((counts.passed, counts.failed, counts.skipped), (12, 1, 3));
    }
}
