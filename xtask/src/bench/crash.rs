//! Sudden death under load, again and again: what clients were told was accepted is there, once, and the ledger holds.

use super::load::{self, Platform};
use super::report::{Report, Target};
use crate::shell::{Done, must};
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Residents who apply at once.
const CLIENTS: usize = 64;

/// Five rounds with `--quick`, else fifty.
pub fn run(quick: bool) -> Done {
    load::build()?;
    let services = load::services()?;
    let data = std::env::temp_dir().join(format!("tongban-crash-{}", std::process::id()));
    let done = rounds(if quick { 5 } else { 50 }, &data, &services);
    let _ = std::fs::remove_dir_all(&data);
    let (rounds, accepted, lost, doubled) = done?;
    let mut report = Report::new("crash", lost == 0 && doubled == 0);
    let figure = |number: usize| u32::try_from(number).map_or(f64::MAX, f64::from);
    report.figure("rounds", figure(rounds), None);
    report.figure("accepted", figure(accepted), Some(Target::Min(1.0)));
    report.figure("lost", figure(lost), Some(Target::Max(0.0)));
    report.figure("doubled", figure(doubled), Some(Target::Max(0.0)));
    report.finish()
}

fn rounds(rounds: usize, data: &std::path::Path, services: &std::path::Path) -> Done<(usize, usize, usize, usize)> {
    let mut accepted: BTreeMap<String, usize> = BTreeMap::new();
    let mut residents = Vec::new();
    for round in 0..rounds {
        let mut platform = Platform::start(data, services, 2000, CLIENTS, None)?;
        residents.clone_from(&platform.residents);
        let portal = platform.portal.clone();
        // a different moment in each round: during sign-ins, first applications, full load
        let life = Duration::from_millis(1500 + 700 * u64::try_from(round % 5).unwrap_or(0));
        let outcome = std::thread::scope(|scope| {
            let clients = residents.clone();
            let load = scope.spawn(move || load::run(&portal, &clients, Duration::from_secs(60), true));
            std::thread::sleep(life);
            platform.kill();
            load.join().map_err(|_| "the load stopped".to_owned())
        })?;
        // a round that died during the sign-ins has accepted nothing
        if let Ok(outcome) = outcome {
            for number in outcome.accepted {
                *accepted.entry(number).or_default() += 1;
            }
        }
        verify(data)?;
    }
    let platform = Platform::start(data, services, 2000, CLIENTS, None)?;
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for resident in &residents {
        let mut client = load::sign_in(&platform.portal, resident)?;
        let page = client.get(&format!("{}/applications", platform.portal))?;
        for number in load::numbers(&page.body) {
            *found.entry(number).or_default() += 1;
        }
    }
    let lost = accepted.keys().filter(|number| !found.contains_key(*number)).count();
    let doubled = found
        .values()
        .chain(accepted.values())
        .filter(|times| **times > 1)
        .count();
    println!("{} numbers were told, {} are there", accepted.len(), found.len());
    Ok((rounds, accepted.len(), lost, doubled))
}

/// The ledger holds together after each death.
fn verify(data: &std::path::Path) -> Done {
    let mut verify = Command::new(load::binary());
    verify
        .args(["ledger", "verify", "--data"])
        .arg(data)
        .stdout(Stdio::null());
    must(verify)
}
