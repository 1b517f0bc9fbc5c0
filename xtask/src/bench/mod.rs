//! Benches. Each runs its rival in the same run where it has one, checks first that both give the same answer, prints a
//! table and writes `target/bench/NAME.json`.

mod client;
mod crash;
mod ingest;
mod ledger;
mod linkage;
mod load;
mod lookup;
mod lottery;
mod mydata;
mod notify;
mod payments;
mod portal;
mod python;
mod report;
mod rules;
mod sweep;
mod troad;

use crate::shell::Done;

/// Runs the bench of this name. It fails where answers differ or a target is missed.
pub fn run(name: &str, args: &[&str]) -> Done {
    let quick = args.contains(&"--quick");
    match name {
        "rules" => rules::run(quick),
        "ingest" => ingest::run(quick),
        "lookup" => lookup::run(quick),
        "lottery" => lottery::run(quick),
        "linkage" => linkage::run(quick),
        "ledger" => ledger::run(quick),
        "portal" => portal::run(quick),
        "crash" => crash::run(quick),
        "sweep" => sweep::run(quick, args.contains(&"--built")),
        "payments" => payments::run(quick),
        "mydata" => mydata::run(quick),
        "notify" => notify::run(quick),
        "troad" => troad::run(quick),
        _ => Err(format!("there is no bench `{name}`; see `cargo xtask`")),
    }
}
