//! Tasks done to the repository. `cargo xtask test` is the one check a change must pass.

mod advisories;
mod bench;
mod browser;
mod licences;
mod postgres;
mod setup;
mod shell;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <task>
  test [--only AREA] [--quick]   everything a change must pass; AREA: rules, linkage, grants, hub, portal, mydata, troad, store,
                                 services, identity, wallet, notify, pages, journey, crash, tidy
  setup [--print]                install the Debian and npm packages the tests use, or print the commands
  tidy                           structure checks: import table, lints, paths, licences, advisories
  bench NAME [--quick]           rules, ingest, lookup, lottery, linkage, ledger, portal, crash, payments, mydata, notify, troad, sweep (--built: with the programs as they are)
  postgres                       start a PostgreSQL of its own, print its address, stop it on Enter";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test", rest @ ..] => test::run(rest),
        ["setup", "--print"] => setup::print(),
        ["setup"] => setup::install(),
        ["tidy"] => tidy::run(),
        ["bench", name, rest @ ..] => bench::run(name, rest),
        ["postgres"] => postgres::interactive(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
