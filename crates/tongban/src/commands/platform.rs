//! Which platform a command is about.

use clap::Args;
use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigError};

/// A platform by its configuration, or by its data folder where that is on SQLite.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Platform {
    /// The configuration file of the platform
    #[arg(long)]
    config: Option<PathBuf>,
    /// The data folder of a platform on SQLite, such as the demonstration's
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Platform {
    /// Its configuration, whether or not there is anything yet.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn configuration(&self) -> Result<Config, ConfigError> {
        configuration(self.config.as_deref(), self.data.as_deref())
    }

    /// As [`existing`].
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn existing(&self) -> Result<Config, ConfigError> {
        existing(self.config.as_deref(), self.data.as_deref())
    }
}

fn configuration(config: Option<&Path>, data: Option<&Path>) -> Result<Config, ConfigError> {
    match config {
        Some(path) => Config::read(path),
        None => Ok(super::demo::config_for(data.unwrap_or(Path::new(".")))),
    }
}

/// The configuration of a platform that is there: a data folder that was mistyped is not made.
///
/// # Errors
/// [`ConfigError`].
pub fn existing(config: Option<&Path>, data: Option<&Path>) -> Result<Config, ConfigError> {
    let found = configuration(config, data)?;
    match data {
        Some(data) if !data.join("tongban.sqlite").exists() => Err(ConfigError::Unreadable {
            path: data.to_path_buf(),
            why: "there is no database in it; name the data folder of a platform".to_owned(),
        }),
        _ => Ok(found),
    }
}
