//! Verifying an exported ledger: a file of ten million entries written once, and a hundred million that come through a pipe
//! as they are made, because their file would take 15 GB. A changed byte in the middle must be told with its entry.

use super::report::{Report, Target};
use crate::shell::{Done, command, must, output, target};
use serde::Deserialize;
use std::path::Path;
use std::process::{Command, Stdio};

/// Bytes of an entry in the file.
const RECORD: u64 = 147;

/// What a verification says.
#[derive(Deserialize)]
struct Verified {
    entries: u64,
    seconds: f64,
    peak_mib: f64,
    fault: Option<String>,
}

/// One million entries with `--quick`, else ten and a hundred.
pub fn run(quick: bool) -> Done {
    // With the program, so that the libraries are compiled with the same features.
    let build = [
        "build",
        "--release",
        "--locked",
        "-p",
        "store",
        "-p",
        "tongban",
        "--example",
        "ledger",
    ];
    must(command("cargo", &build))?;
    let folder = target().join("bench/ledger");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let entries: u64 = if quick { 1_000_000 } else { 10_000_000 };
    let path = folder.join(format!("{entries}.ledger"));
    if !path.exists() {
        let half = path.with_extension("half");
        must(program(&["generate"], &half, &[&entries.to_string()]))?;
        std::fs::rename(&half, &path).map_err(|error| error.to_string())?;
    }
    // The first run may read from the disk; the others measure the verification.
    let mut best = verify(&path)?;
    for _ in 0..2 {
        let next = verify(&path)?;
        if next.seconds < best.seconds {
            best = next;
        }
    }
    let told = changed(&path, entries)?;
    let sound = best.fault.is_none() && best.entries == entries && told;
    let mut report = Report::new("ledger", sound);
    let at_full = |target: Target| (!quick).then_some(target);
    report.figure("entries", count(entries), None);
    report.figure("verify_per_s", count(entries) / best.seconds, Some(Target::Min(1e6)));
    report.figure("peak_mib", best.peak_mib, at_full(Target::Max(64.0)));
    if !quick {
        let through = piped(&folder.join("pipe"), 100_000_000)?;
        if let Some(fault) = through.fault {
            return Err(fault);
        }
        report.figure("piped_entries", count(through.entries), Some(Target::Min(1e8)));
        let rate = count(through.entries) / through.seconds;
        report.figure("piped_verify_per_s", rate, Some(Target::Min(1e6)));
        report.figure("piped_peak_mib", through.peak_mib, Some(Target::Max(64.0)));
    }
    report.finish()
}

fn count(entries: u64) -> f64 {
    u32::try_from(entries).map_or(f64::INFINITY, f64::from)
}

fn program(before: &[&str], path: &Path, after: &[&str]) -> Command {
    let mut run = Command::new(target().join("release/examples/ledger"));
    run.args(before).arg(path).args(after);
    run
}

fn verify(path: &Path) -> Done<Verified> {
    let text = output(program(&["verify"], path, &[]))?;
    serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
}

/// Whether a byte changed in the middle is told as the entry it stands in; the file is put right again.
fn changed(path: &Path, entries: u64) -> Done<bool> {
    use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(failed)?;
    let middle = entries / 2;
    // The head of 41 bytes ends the file; the time of an entry begins at its tenth byte.
    let back = i64::try_from(41 + (entries - middle + 1) * RECORD - 9).map_err(|error| error.to_string())?;
    let mut flip = || {
        let mut byte = [0];
        file.seek(SeekFrom::End(-back))?;
        file.read_exact(&mut byte)?;
        file.seek(SeekFrom::End(-back))?;
        file.write_all(&byte.map(|byte| byte ^ 1))
    };
    flip().map_err(failed)?;
    let told = verify(path);
    flip().map_err(failed)?;
    let wanted = format!("entry {middle} does not fit its hash");
    Ok(told?.fault.is_some_and(|fault| fault.contains(&wanted)))
}

/// Verifies entries while another process makes them.
fn piped(pipe: &Path, entries: u64) -> Done<Verified> {
    if !pipe.exists() {
        must(command("mkfifo", &[&pipe.to_string_lossy()]))?;
    }
    let mut maker = program(&["generate"], pipe, &[&entries.to_string()]);
    let mut maker = maker.stdout(Stdio::null()).spawn().map_err(|error| error.to_string())?;
    let verified = verify(pipe);
    let _ = maker.kill();
    maker.wait().map_err(|error| error.to_string())?;
    verified
}
