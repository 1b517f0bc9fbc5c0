//! Whole applications a second, on SQLite and on PostgreSQL, all through HTTP and each on disk before its answer.

use super::load::{self, Outcome, Platform};
use super::report::{Report, Target};
use crate::postgres;
use crate::shell::Done;
use std::path::Path;
use std::time::Duration;

/// Residents who apply at once.
const CLIENTS: usize = 64;

/// Sixty seconds on each database; six with `--quick`.
pub fn run(quick: bool) -> Done {
    load::build()?;
    let services = load::services()?;
    let time = Duration::from_secs(if quick { 6 } else { 60 });
    let folder = std::env::temp_dir().join(format!("tongban-portal-{}", std::process::id()));
    let measured = measure(&folder, &services, time);
    let _ = std::fs::remove_dir_all(&folder);
    let (sqlite, postgres, idle) = measured?;
    for error in sqlite.errors.iter().chain(&postgres.errors).take(5) {
        println!("error: {error}");
    }
    let is_clean = sqlite.errors.is_empty() && postgres.errors.is_empty();
    let rate = |outcome: &Outcome| u32::try_from(outcome.accepted.len()).map_or(0.0, f64::from) / outcome.seconds;
    let mut report = Report::new("portal", is_clean);
    report.figure("sqlite_applications_per_s", rate(&sqlite), Some(Target::Min(300.0)));
    report.figure("sqlite_p50_ms", sqlite.percentile(50), None);
    report.figure("sqlite_p99_ms", sqlite.percentile(99), Some(Target::Max(250.0)));
    report.figure("postgres_applications_per_s", rate(&postgres), None);
    report.figure("postgres_p99_ms", postgres.percentile(99), None);
    report.figure("idle_mib", idle, Some(Target::Max(200.0)));
    report.finish()
}

fn measure(folder: &Path, services: &Path, time: Duration) -> Done<(Outcome, Outcome, f64)> {
    let idle = {
        let platform = Platform::start(&folder.join("idle"), services, 100_000, 0, None)?;
        // what making the city took goes back to the system by and by; a server is idle after that
        std::thread::sleep(Duration::from_secs(30));
        platform.memory().ok_or("the memory of the server can't be read")?
    };
    let sqlite = {
        let platform = Platform::start(&folder.join("sqlite"), services, 2000, CLIENTS, None)?;
        load::run(&platform.portal, &platform.residents, time, false)?
    };
    let server = postgres::Server::start()?;
    let platform = Platform::start(&folder.join("postgres"), services, 2000, CLIENTS, Some(&server.url()))?;
    let postgres = load::run(&platform.portal, &platform.residents, time, false)?;
    drop(platform);
    drop(server);
    Ok((sqlite, postgres, idle))
}
