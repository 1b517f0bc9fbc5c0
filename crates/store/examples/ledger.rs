//! What `cargo xtask bench ledger` runs: `generate FILE ENTRIES` writes an exported ledger of made-up entries, `verify FILE`
//! verifies it and prints a line of JSON with the seconds and the most memory it took.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["generate", path, entries] => {
            let head = store::ledger::generate(Path::new(path), entries.parse().unwrap()).unwrap();
            println!("{head}");
        }
        ["verify", path] => {
            let begun = Instant::now();
            let verified = store::ledger::verify_file(Path::new(path), None);
            let seconds = begun.elapsed().as_secs_f64();
            let (entries, fault) = match verified {
                Ok(verified) => (verified.entries, None),
                Err(fault) => (0, Some(fault.to_string())),
            };
            let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak: f64 = peak
                .and_then(|kib| kib.trim().trim_end_matches(" kB").parse().ok())
                .unwrap_or(f64::NAN);
            println!(
                "{}",
                serde_json::json!({ "entries": entries, "seconds": seconds, "peak_mib": peak / 1024.0, "fault": fault })
            );
        }
        _ => panic!("generate FILE ENTRIES, or verify FILE"),
    }
}
