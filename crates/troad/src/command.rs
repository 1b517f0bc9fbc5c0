//! What a command line does with a gateway: `serve`, `check`, `log verify`, `evidence`.

use crate::config::{Config, ConfigError, text_file};
use crate::directory::Directory;
use crate::evidence::{self, Container, EvidenceError, Unseal};
use crate::gateway::{Gateway, Seal};
use crate::log::{LogError, Stamp, Verified, merkle};
use crate::registry::{Expiry, Registry};
use crate::serve::Running;
use crate::timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use civic::Clock;
use pki::Trust;
use std::path::Path;
use std::sync::Arc;

/// The directory a configuration names; empty where it names none.
///
/// # Errors
/// [`ConfigError`]
pub fn directory(config: &Config) -> Result<Directory, ConfigError> {
    match &config.directory {
        Some(path) => Ok(Directory::from_toml(&text_file(path)?)?),
        None => Ok(Directory::default()),
    }
}

/// Opens and starts a gateway from its configuration file.
///
/// # Errors
/// [`ConfigError`]
pub async fn serve(path: &Path, clock: Arc<dyn Clock>, seal: Option<Seal>) -> Result<Running, ConfigError> {
    let config = Config::read(path)?;
    let directory = directory(&config)?;
    let opened = tokio::task::spawn_blocking(move || Gateway::open(config, directory, clock, seal)).await;
    let gateway = opened.map_err(|error| ConfigError::Text {
        path: path.to_path_buf(),
        why: error.to_string(),
    })??;
    gateway.start().await
}

/// What a check of a set-up finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Members, interfaces, agreements, rights.
    pub counts: [usize; 4],
    /// Certificates, those that end first before the others.
    pub certificates: Vec<Expiry>,
}

/// Checks a configuration file with everything it names, without listening and without touching the log.
///
/// # Errors
/// [`ConfigError`]
pub fn check(path: &Path, clock: &dyn Clock, has_seal: bool) -> Result<Report, ConfigError> {
    let config = Config::read(path)?;
    let directory = directory(&config)?;
    let now = clock.now();
    let authorities = crate::gateway::material(&config)?.authorities;
    let counts = [
        directory.members.len(),
        directory.interfaces.len(),
        directory.agreements.len(),
        directory.rights.len(),
    ];
    let registry = Registry::new(directory, &authorities, has_seal, now)?;
    Ok(Report {
        counts,
        certificates: registry.expiries(now),
    })
}

/// Checks a log in its folder: chain, archives, and timestamps against the authority's `roots` (PEM) where they are given.
/// `anchor` is a line's number and hash noted earlier elsewhere.
///
/// # Errors
/// [`LogError`]
pub fn verify_log(folder: &Path, roots: Option<&str>, anchor: Option<(u64, &str)>) -> Result<Verified, LogError> {
    let trust = roots.map(|roots| Trust::read(roots, ""));
    let trust = trust.transpose().map_err(|error| LogError::Roots(error.to_string()))?;
    let covers = |stamp: &Stamp, data: &[u8]| {
        let Some(trust) = &trust else {
            return true;
        };
        STANDARD
            .decode(&stamp.token)
            .is_ok_and(|token| timestamp::check(&token, data, trust).is_ok())
    };
    crate::log::verify(folder, &covers, anchor)
}

/// The hash of a line as the next line names it, for an outside keeper.
#[must_use]
pub fn line_hash(line: &[u8]) -> String {
    hex::encode(merkle::line_hash(line))
}

/// Writes the containers of the exchanges with this id into a folder.
///
/// # Errors
/// [`EvidenceError`]
pub fn evidence(
    log: &Path,
    id: &str,
    into: &Path,
    stamped: bool,
    unseal: Option<&Unseal>,
) -> Result<Vec<Container>, EvidenceError> {
    let made = evidence::containers(log, id, stamped, unseal)?;
    for container in &made {
        let path = into.join(&container.name);
        std::fs::write(&path, &container.bytes)
            .map_err(|why| EvidenceError::Container(format!("{}: {why}", path.display())))?;
    }
    Ok(made)
}
