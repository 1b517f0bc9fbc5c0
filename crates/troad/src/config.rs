//! How a gateway is set up: a TOML file, with keys and certificates in files beside it.

use crate::dialect::Dialect;
use crate::ids::MemberId;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// The whole set-up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// This side's member.
    pub member: MemberId,
    /// Code of this gateway, the last part of `X-Road-Security-Server`.
    #[serde(default = "gateway_code")]
    pub server_code: String,
    /// Where this side's own systems call, plain HTTP; loopback, or a network of their own.
    pub inside: Option<SocketAddr>,
    /// Where other members' gateways call, mutual TLS.
    pub outside: Option<SocketAddr>,
    /// Keys, certificates, roots.
    pub keys: Keys,
    /// This side's systems.
    #[serde(default, rename = "system")]
    pub systems: Vec<System>,
    /// How the road spells things.
    #[serde(default)]
    pub dialect: Dialect,
    /// Bounds.
    #[serde(default)]
    pub limits: Limits,
    /// The message log.
    pub log: Log,
    /// Timestamps; without it the log has none.
    #[serde(default)]
    pub timestamp: Option<Stamping>,
    /// A directory as a TOML file, where no platform feeds one.
    #[serde(default)]
    pub directory: Option<PathBuf>,
}

fn gateway_code() -> String {
    "gateway".to_owned()
}

/// Files of keys and certificates, PEM; relative to the configuration's folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Certificate for mutual TLS, intermediates behind it.
    pub authentication_certificate: PathBuf,
    /// Its key, PKCS#8.
    pub authentication_key: PathBuf,
    /// Certificate that signs messages.
    pub signing_certificate: PathBuf,
    /// Its key, PKCS#8.
    pub signing_key: PathBuf,
    /// Roots of the government's certificates (GCA).
    pub roots: PathBuf,
    /// Certificates between members' and roots.
    #[serde(default)]
    pub intermediates: Option<PathBuf>,
    /// Lists of revoked certificates, DER or PEM.
    #[serde(default)]
    pub crls: Vec<PathBuf>,
    /// Whether a certificate whose state no current list tells is refused.
    #[serde(default = "yes")]
    pub require_crls: bool,
    /// Roots for provider systems and a timestamp authority that are reached over `https`.
    #[serde(default)]
    pub system_roots: Option<PathBuf>,
}

fn yes() -> bool {
    true
}

/// A system of this side that may call through the gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Its name, for the log.
    pub name: String,
    /// SHA-256 of its key, hexadecimal.
    pub key_sha256: String,
    /// The clients it may call as: the own member or subsystems of it.
    pub clients: Vec<MemberId>,
}

impl System {
    /// SHA-256 of its key.
    ///
    /// # Errors
    /// [`ConfigError::Value`]
    pub fn key(&self) -> Result<[u8; 32], ConfigError> {
        let mut key = [0; 32];
        hex::decode_to_slice(&self.key_sha256, &mut key).map_err(|_| ConfigError::Value {
            what: self.name.clone(),
            why: "`key_sha256` must be the SHA-256 of the system's key, 64 hexadecimal digits",
        })?;
        Ok(key)
    }
}

/// Bounds on what comes from outside. Sizes in bytes, times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Longest path with query, characters.
    pub uri: usize,
    /// Most headers of a message.
    pub headers: usize,
    /// Largest head of a message.
    pub head_bytes: usize,
    /// Bodies up to this are held whole and signed in the header; larger ones pass with a trailing signature.
    pub small_bytes: u64,
    /// Bodies of requests up to this wait in memory for their signature, larger ones in a file.
    pub memory_bytes: u64,
    /// Largest body of a request.
    pub request_bytes: u64,
    /// Largest body of an answer.
    pub answer_bytes: u64,
    /// Largest content of an exchange the log keeps where it keeps content; beyond it only hashes.
    pub content_bytes: u64,
    /// Most connections of each listener.
    pub connections: usize,
    /// Time for a TLS handshake or a connection.
    pub connect_s: u64,
    /// Time for the head of a request.
    pub head_s: u64,
    /// Longest pause within a body.
    pub pause_s: u64,
    /// Longest time a whole body of a request may take.
    pub body_s: u64,
    /// Time for the head of an answer.
    pub answer_s: u64,
    /// Largest difference between the clocks of two gateways.
    pub skew_s: u64,
    /// How long a message id is remembered, at least `skew_s` twice.
    pub replay_s: u64,
    /// Most message ids remembered; when they are all young, new messages are refused.
    pub replay_ids: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            uri: 2000,
            headers: 100,
            head_bytes: 64 << 10,
            small_bytes: 64 << 10,
            memory_bytes: 1 << 20,
            request_bytes: 64 << 20,
            answer_bytes: 1 << 30,
            content_bytes: 1 << 20,
            connections: 512,
            connect_s: 10,
            head_s: 10,
            pause_s: 30,
            body_s: 300,
            answer_s: 60,
            skew_s: 120,
            replay_s: 600,
            replay_ids: 2_000_000,
        }
    }
}

/// What the end of an answer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// Until the operating system has its record: the death of the gateway loses nothing, the loss of power what was written
    /// within the last second or two. Such a record still stands in the other party's log.
    #[default]
    Written,
    /// Until its record is on disk.
    Disk,
}

/// The message log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Its folder.
    pub folder: PathBuf,
    /// Days its records are kept after they stand in an archive.
    #[serde(default = "thirty")]
    pub keep_days: u32,
    /// What the end of an answer waits for.
    #[serde(default)]
    pub wait: Wait,
    /// How many exchanges of late are held in memory for the pages.
    #[serde(default = "ten_thousand")]
    pub recent: usize,
}

fn thirty() -> u32 {
    30
}

fn ten_thousand() -> usize {
    10_000
}

/// The timestamp authority (RFC 3161) and how often it is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamping {
    /// Its address.
    pub url: url::Url,
    /// Its root, PEM.
    pub roots: PathBuf,
    /// Longest time between batches, seconds.
    #[serde(default = "sixty")]
    pub interval_s: u64,
    /// Most records of a batch (`timestamp-records-limit`).
    #[serde(default = "records_limit")]
    pub records: usize,
    /// How long the oldest record may be without a timestamp before traffic stops, seconds
    /// (`acceptable-timestamp-failure-period`).
    #[serde(default = "failure_period")]
    pub failure_period_s: u64,
}

fn sixty() -> u64 {
    60
}

fn records_limit() -> usize {
    10_000
}

fn failure_period() -> u64 {
    14_400
}

/// Why a set-up can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file can't be read.
    #[error("`{path}` can't be read: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The text is no set-up.
    #[error("the gateway's configuration `{path}` can't be used: {why}")]
    Text {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A certificate or key can't be used.
    #[error("`{what}` can't be used: {why}")]
    Key {
        /// Which.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// A value that makes no sense.
    #[error("`{what}`: {why}")]
    Value {
        /// Which.
        what: String,
        /// Why.
        why: &'static str,
    },
    /// A port is taken.
    #[error("can't listen on {address}: {why}; stop the other program or choose another port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        why: std::io::Error,
    },
    /// The directory can't be used.
    #[error(transparent)]
    Directory(#[from] crate::directory::DirectoryError),
    /// The log can't be used.
    #[error(transparent)]
    Log(#[from] crate::log::LogError),
}

/// Reads a file, naming it where that fails.
pub(crate) fn file(path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|why| ConfigError::File {
        path: path.to_path_buf(),
        why,
    })
}

pub(crate) fn text_file(path: &Path) -> Result<String, ConfigError> {
    Ok(String::from_utf8_lossy(&file(path)?).into_owned())
}

impl Config {
    /// Reads a configuration file; relative paths in it count from its folder.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let mut config: Config = toml::from_str(&text_file(path)?).map_err(|error| ConfigError::Text {
            path: path.to_path_buf(),
            why: error.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let keys = &mut config.keys;
        let mut paths = vec![
            &mut keys.authentication_certificate,
            &mut keys.authentication_key,
            &mut keys.signing_certificate,
            &mut keys.signing_key,
            &mut keys.roots,
            &mut config.log.folder,
        ];
        paths.extend(&mut keys.intermediates);
        paths.extend(&mut keys.crls);
        paths.extend(&mut keys.system_roots);
        paths.extend(config.timestamp.as_mut().map(|stamping| &mut stamping.roots));
        paths.extend(&mut config.directory);
        for path in paths {
            *path = folder.join(&*path);
        }
        config.check()?;
        Ok(config)
    }

    /// Checks values that contradict each other.
    ///
    /// # Errors
    /// [`ConfigError::Value`]
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |what: &str, why| {
            Err(ConfigError::Value {
                what: what.to_owned(),
                why,
            })
        };
        if self.member.subsystem.is_some() {
            return wrong("member", "must be a member without a subsystem");
        }
        let is_own = |address: SocketAddr| match address.ip() {
            IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
            IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
        };
        if self.inside.is_some_and(|address| !is_own(address)) {
            return wrong("inside", "speaks plain HTTP: it must be a loopback or private address");
        }
        if self.dialect.prefix.is_empty() || self.dialect.prefix.contains(['%', '?', '#']) {
            return wrong("dialect.prefix", "must be the first part of every path, such as `r1`");
        }
        if self.limits.replay_s < self.limits.skew_s.saturating_mul(2) {
            return wrong(
                "limits.replay_s",
                "must be at least twice `skew_s`, or a message could come twice",
            );
        }
        if self.limits.small_bytes > self.limits.memory_bytes {
            return wrong("limits.small_bytes", "must not be more than `memory_bytes`");
        }
        for system in &self.systems {
            system.key()?;
            if system.clients.is_empty() || !system.clients.iter().all(|client| client.same_owner(&self.member)) {
                return wrong(&system.name, "`clients` must name the own member or subsystems of it");
            }
        }
        Ok(())
    }
}
