//! The sweep of all services by a Ballista cluster: one binary that is scheduler, executor or the client that asks and
//! compares. `cargo xtask bench sweep` starts them; docs/how-to/sweep-on-a-cluster.md says more.

mod codec;
mod compare;
mod decide;
mod job;
mod nodes;
mod table;

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

/// Columns of thousands of rows are made and dropped all the time, by all threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
usage: cluster scheduler --executors N
       cluster executor --scheduler PORT --work FOLDER
       cluster compare --scheduler PORT --population FILE --services FOLDER --date DAY --expected FILE";

/// What may go wrong here is told and ends the process.
pub type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// `--name value` pairs.
pub struct Options(BTreeMap<String, String>);

impl Options {
    fn read(words: &[String]) -> Done<Options> {
        let mut options = BTreeMap::new();
        for pair in words.chunks(2) {
            match pair {
                [name, value] if name.starts_with("--") => {
                    options.insert(name.trim_start_matches('-').to_owned(), value.clone());
                }
                _ => return Err(USAGE.into()),
            }
        }
        Ok(Options(options))
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Done<&str> {
        let value = self.0.get(name).map(String::as_str);
        value.ok_or_else(|| format!("--{name} is missing\n{USAGE}").into())
    }

    /// The value of an option that is a number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Done<T> {
        let value = self.get(name)?;
        value
            .parse()
            .map_err(|_| format!("--{name} {value} is no number").into())
    }
}

/// Tells on the standard error what goes wrong inside Ballista, which otherwise only says that it did.
struct Complaints;

impl log::Log for Complaints {
    fn enabled(&self, found: &log::Metadata<'_>) -> bool {
        found.level() <= log::Level::Error
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{}: {}", record.target(), record.args());
        }
    }

    fn flush(&self) {}
}

fn main() -> ExitCode {
    if log::set_logger(&Complaints).is_ok() {
        log::set_max_level(log::LevelFilter::Error);
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Done {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((what, rest)) = words.split_first() else {
        return Err(USAGE.into());
    };
    let options = Options::read(rest)?;
    // plans recurse, on the threads of the runtime
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(16 << 20)
        .build()?;
    runtime.block_on(async {
        match what.as_str() {
            "scheduler" => nodes::scheduler(&options).await,
            "executor" => nodes::executor(&options).await,
            "compare" => compare::run(&options).await,
            _ => Err(USAGE.into()),
        }
    })
}
