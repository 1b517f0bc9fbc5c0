//! Benches. Each runs its rival in the same run, checks first that both give the same answer, prints a table
//! and writes `target/bench/NAME.json`.

mod report;

use crate::shell::Done;

pub use report::Report;

/// Runs the bench of this name. It fails where answers differ or a target is missed.
pub fn run(name: &str, args: &[&str]) -> Done {
    let quick = args.contains(&"--quick");
    match name {
        _ => Err(format!(
            "there is no bench `{name}`{}; see `cargo xtask`",
            if quick { " (quick)" } else { "" }
        )),
    }
}
