//! What a person at a terminal sees: the log on standard error, progress as a bar or as plain lines.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts the log. `TONGBAN_LOG` chooses what is told, such as `debug` or `web=info`; `quiet` leaves warnings only.
pub fn log(quiet: bool) {
    let usual = if quiet {
        "warn"
    } else {
        "info,sqlx=warn,sea_orm=warn,sea_orm_migration=warn"
    };
    let filter = EnvFilter::try_from_env("TONGBAN_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let color = std::io::stderr().is_terminal();
    // a second start in one process, as in tests, keeps the first log
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(color)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Steps of something that takes a while.
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins; on a terminal there is a bar with a clock, elsewhere each step is a line.
    pub fn begin() -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            bar
        });
        Progress { bar }
    }

    /// What is done now.
    pub fn step(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => eprintln!("{text}"),
        }
    }

    /// All is done.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
