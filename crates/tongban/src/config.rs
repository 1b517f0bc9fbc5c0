//! The configuration of `tongban serve`: one TOML file. Unknown keys are refused, secrets stand in files of their own.

pub mod channels;

use cases::breach::Policy;
use civic::{Text, WorkCalendar};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use store::ledger::SigningKey;
use store::seal::{LookupKey, MasterKeys};
use url::Url;
use zeroize::Zeroizing;

use crate::bundled;
use crate::identity::{CertificateConfig, FidoConfig, Identity, IssuerConfig};

/// What a city configures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address to listen on; a proxy with TLS stands before it.
    pub listen: SocketAddr,
    /// Address of the portal as browsers reach it.
    pub portal: Url,
    /// `sqlite://path` or `postgres://user:password@host/database`; without it, SQLite in the data folder.
    #[serde(default)]
    pub database: Option<String>,
    /// Folder of everything that is kept.
    pub data: PathBuf,
    /// File of the master keys; without it `keys/master` in the data folder.
    #[serde(default)]
    pub master_keys: Option<PathBuf>,
    /// File of the lookup key; without it `keys/lookup` in the data folder.
    #[serde(default)]
    pub lookup_key: Option<PathBuf>,
    /// Where it is noted which data keys were destroyed; without it `keys/destroyed` in the data folder.
    #[serde(default)]
    pub destroyed_keys: Option<PathBuf>,
    /// Publishing the record of use.
    #[serde(default)]
    pub ledger: Ledger,
    /// Folder of the services; without it those that were compiled in.
    #[serde(default)]
    pub services: Option<PathBuf>,
    /// Folder of the data sets; without it those that were compiled in.
    #[serde(default)]
    pub datasets: Option<PathBuf>,
    /// Folder of the subsidy programmes; without it those that were compiled in.
    #[serde(default)]
    pub programmes: Option<PathBuf>,
    /// The lake of the data sets; without it nothing is looked up.
    #[serde(default)]
    pub hub: Option<Hub>,
    /// Folder of the access policies; without it those that were compiled in.
    #[serde(default)]
    pub policies: Option<PathBuf>,
    /// Calendar of working days; without it the one that was compiled in.
    #[serde(default)]
    pub calendar: Option<PathBuf>,
    /// What the law asks after a breach of personal data; without it the file that was compiled in.
    #[serde(default)]
    pub breach: Option<PathBuf>,
    /// Who the city is.
    pub city: City,
    /// How far authorisations of agents go.
    #[serde(default)]
    pub agents: Agents,
    /// The issuer residents sign in at, where there is one alone.
    #[serde(default)]
    pub oidc: Option<exchange::oidc::Config>,
    /// Which claims of the issuer of `oidc` mean which level.
    #[serde(default)]
    pub levels: exchange::oidc::Levels,
    /// Several issuers, each with a name and levels of its own.
    #[serde(default)]
    pub issuers: Vec<IssuerConfig>,
    /// 行動自然人憑證.
    #[serde(default)]
    pub fido: Option<FidoConfig>,
    /// 自然人憑證.
    #[serde(default)]
    pub certificate: Option<CertificateConfig>,
    /// What services demand that say nothing of it themselves.
    #[serde(default)]
    pub identity: Identity,
    /// The MyData platform.
    #[serde(default)]
    pub mydata: Option<exchange::mydata::Config>,
    /// What the city gives to the MyData platform as data provider.
    #[serde(default)]
    pub mydata_provider: Option<exchange::mydata::provider::Config>,
    /// Digital wallets; without it no card is asked for or given.
    #[serde(default)]
    pub wallet: Option<crate::wallet::WalletConfig>,
    /// Configuration file of the gateway to T-Road; without it nothing is exchanged with other agencies.
    #[serde(default)]
    pub troad: Option<PathBuf>,
    /// The mail server.
    #[serde(default)]
    pub mail: Option<exchange::mail::Config>,
    /// The gateway of text messages.
    #[serde(default)]
    pub sms: Option<channels::Sms>,
    /// The city's LINE account.
    #[serde(default)]
    pub line: Option<channels::Line>,
    /// Notifications of browsers.
    #[serde(default)]
    pub push: Option<channels::Push>,
}

/// Where the data aggregation platform (資料彙集平臺) keeps its tables.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    /// Folder of the lake; without it `lake` in the data folder.
    #[serde(default)]
    pub lake: Option<PathBuf>,
    /// Folder for what is worked with, on a disk of this machine; without it `hub` in the data folder.
    #[serde(default)]
    pub work: Option<PathBuf>,
    /// Folder of the keys of data sets with personal columns, `<dataset>.key`; without it `keys/datasets` in the data folder.
    #[serde(default)]
    pub keys: Option<PathBuf>,
}

/// Who the city is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct City {
    /// Code of the region in the parameters, such as `taichung`.
    pub region: String,
    /// Name.
    pub name: Text,
    /// Agency that signs letters.
    pub agency: Text,
    /// Telephone for questions.
    pub phone: String,
    /// Address messages come from.
    pub sender: String,
    /// Whom to tell of a weakness of the platform: an address that begins with `mailto:`, `https:` or `tel:`. Without it the
    /// portal's page of help.
    #[serde(default)]
    pub security_contact: Option<String>,
    /// Account payments are made from.
    pub account: Account,
    /// Minutes between a decision and its letter, in which the decision can be taken back.
    #[serde(default = "grace")]
    pub grace_minutes: i64,
}

/// The account the city pays from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Holder.
    pub name: String,
    /// Bank code.
    pub bank: String,
    /// Number.
    pub number: String,
    /// Most payments the bank takes in one order.
    #[serde(default = "most_payments")]
    pub most_payments: u32,
}

fn most_payments() -> u32 {
    20_000
}

/// Publishing the record of use.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// Hours between two checkpoints, 1 to 720; without it the server publishes none by itself.
    pub every_hours: Option<u64>,
    /// Folder of the checkpoints; without it `published` in the data folder.
    pub folder: Option<PathBuf>,
    /// File of the key that signs them; without it `keys/ledger` in the data folder.
    pub key: Option<PathBuf>,
}

/// How far authorisations of agents (數位代理人) go; what is left out is as [`cases::agents::Limits`] has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agents {
    /// Days an authorisation lasts at most, 1 to 365.
    pub longest_days: Option<i64>,
    /// Agents a resident may have in one service at a time, 1 to 3.
    pub most: Option<usize>,
    /// Days within which the agent accepts.
    pub accept_days: Option<i64>,
    /// Days an authorisation is kept after its end.
    pub retention_days: Option<i64>,
    /// Minutes a village officer's one-time password is taken.
    pub password_minutes: Option<i64>,
    /// Minutes without use after which an assisted session ends.
    pub idle_minutes: Option<i64>,
    /// Hours after which an assisted session ends in any case.
    pub assisted_hours: Option<i64>,
}

impl Agents {
    /// The limits for the desk.
    pub fn limits(&self) -> cases::agents::Limits {
        let usual = cases::agents::Limits::default();
        cases::agents::Limits {
            longest_days: self.longest_days.unwrap_or(usual.longest_days),
            most: self.most.unwrap_or(usual.most),
            accept_days: self.accept_days.unwrap_or(usual.accept_days),
            retention_days: self.retention_days.unwrap_or(usual.retention_days),
            password_minutes: self.password_minutes.unwrap_or(usual.password_minutes),
            idle_minutes: self.idle_minutes.unwrap_or(usual.idle_minutes),
            assisted_hours: self.assisted_hours.unwrap_or(usual.assisted_hours),
            ..usual
        }
    }
}

fn grace() -> i64 {
    30
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path}: {why}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The file is not the TOML that is wanted.
    #[error("{path}:{line}:{column}: {message}", path = path.display())]
    Wrong {
        /// Which.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A value can't be used.
    #[error("`{key}`: {why}")]
    Value {
        /// Which.
        key: &'static str,
        /// Why, and what to do.
        why: String,
    },
}

impl Config {
    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`ConfigError`] with the place of the mistake.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_path_buf(),
            why: error.to_string(),
        })?;
        let mut config: Config = toml::from_str(&text).map_err(|error| {
            let before = text
                .get(..error.span().map_or(0, |span| span.start))
                .unwrap_or_default();
            ConfigError::Wrong {
                path: path.to_path_buf(),
                line: before.matches('\n').count() + 1,
                column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
                message: suggested(&error.message().trim().replace('\n', " ")),
            }
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let absolute = |path: &mut PathBuf| *path = folder.join(&*path);
        absolute(&mut config.data);
        for path in [
            &mut config.master_keys,
            &mut config.lookup_key,
            &mut config.destroyed_keys,
            &mut config.ledger.folder,
            &mut config.ledger.key,
            &mut config.services,
            &mut config.datasets,
            &mut config.programmes,
            &mut config.policies,
            &mut config.calendar,
            &mut config.breach,
        ]
        .into_iter()
        .flatten()
        {
            absolute(path);
        }
        if let Some(hub) = &mut config.hub {
            for path in [&mut hub.lake, &mut hub.work, &mut hub.keys].into_iter().flatten() {
                absolute(path);
            }
        }
        for path in channels::files(&mut config) {
            absolute(path);
        }
        config.place_identity(folder);
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, why: &str| {
            Err(ConfigError::Value {
                key,
                why: why.to_owned(),
            })
        };
        if !matches!(self.portal.scheme(), "http" | "https") || self.portal.path() != "/" {
            return wrong(
                "portal",
                "write the address of the portal without a path, such as `https://e.city.gov.tw`",
            );
        }
        let loopback = matches!(self.portal.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if self.portal.scheme() == "http" && !loopback {
            return wrong(
                "portal",
                "a portal that others reach needs https; put a proxy with a certificate before it",
            );
        }
        if let Some(url) = &self.database
            && !["sqlite:", "postgres:", "postgresql:"]
                .iter()
                .any(|scheme| url.starts_with(scheme))
        {
            return wrong(
                "database",
                "write `sqlite://path` or `postgres://user:password@host/database`",
            );
        }
        self.check_identity()?;
        let known = |contact: &str| {
            let kind = ["mailto:", "https://", "tel:"]
                .iter()
                .any(|kind| contact.starts_with(kind));
            kind && contact.chars().all(|c| c.is_ascii_graphic())
        };
        if self
            .city
            .security_contact
            .as_deref()
            .is_some_and(|contact| !known(contact))
        {
            return wrong(
                "city.security_contact",
                "write an address such as `mailto:security@example.gov.tw`",
            );
        }
        if !(0..=7 * 24 * 60).contains(&self.city.grace_minutes) {
            return wrong("city.grace_minutes", "at most a week");
        }
        if !(1..=100_000).contains(&self.city.account.most_payments) {
            return wrong("city.account.most_payments", "1 to 100000; ask the bank");
        }
        if !(1..=720).contains(&self.ledger.every_hours.unwrap_or(1)) {
            return wrong("ledger.every_hours", "1 to 720 hours");
        }
        let agents = self.agents.limits();
        let ranges = [
            ("agents.longest_days", agents.longest_days, 1..=365, "1 to 365 days"),
            (
                "agents.most",
                i64::try_from(agents.most).unwrap_or(i64::MAX),
                1..=3,
                "1 to 3; Administrative Procedure Act §24 allows no more",
            ),
            ("agents.accept_days", agents.accept_days, 1..=365, "1 to 365 days"),
            (
                "agents.retention_days",
                agents.retention_days,
                1..=36_500,
                "1 to 36500 days",
            ),
            (
                "agents.password_minutes",
                agents.password_minutes,
                1..=15,
                "1 to 15 minutes",
            ),
            ("agents.idle_minutes", agents.idle_minutes, 1..=60, "1 to 60 minutes"),
            ("agents.assisted_hours", agents.assisted_hours, 1..=12, "1 to 12 hours"),
        ];
        for (key, value, range, why) in ranges {
            if !range.contains(&value) {
                return wrong(key, why);
            }
        }
        Ok(())
    }

    /// The address of the database.
    pub fn database_url(&self) -> String {
        self.database
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", self.data.join("tongban.sqlite").display()))
    }

    /// The keys. Files that others may read are refused; new ones are made only where nothing was sealed yet.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn keys(&self) -> Result<(MasterKeys, LookupKey), ConfigError> {
        let folder = self.data.join("keys");
        let usual = self.master_keys.is_none() && self.lookup_key.is_none();
        // the keys of datasets come from the administrator, who may put them there before the first start
        let others =
            |entry: std::io::Result<std::fs::DirEntry>| entry.map_or(true, |entry| entry.file_name() != "datasets");
        let used = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.any(others))
            || self.data.join("tongban.sqlite").exists();
        let (master, lookup) = self.key_files();
        let wrong = |key| {
            move |error: store::StoreError| ConfigError::Value {
                key,
                why: error.to_string(),
            }
        };
        if usual && !used {
            let text = MasterKeys::generate().map_err(wrong("master_keys"))?.to_text();
            make_secret(&master, &text)?;
            let text = LookupKey::generate().map_err(wrong("lookup_key"))?.to_text();
            make_secret(&lookup, &text)?;
        }
        let master = MasterKeys::parse(&secret(&master, "master_keys")?).map_err(wrong("master_keys"))?;
        let lookup = LookupKey::parse(&secret(&lookup, "lookup_key")?).map_err(wrong("lookup_key"))?;
        Ok((master, lookup))
    }

    /// Where it is noted which data keys were destroyed.
    pub fn destroyed(&self) -> PathBuf {
        let usual = || self.data.join("keys/destroyed");
        self.destroyed_keys.clone().unwrap_or_else(usual)
    }

    /// Where the datasets and their lake are; nothing where no lake is configured.
    pub fn places(&self) -> Option<cases::datasets::Places> {
        let hub = self.hub.as_ref()?;
        let usual = |path: &Option<PathBuf>, name: &str| path.clone().unwrap_or_else(|| self.data.join(name));
        Some(cases::datasets::Places {
            folders: usual(&self.datasets, "built-in/datasets"),
            lake: usual(&hub.lake, "lake"),
            work: usual(&hub.work, "hub"),
            keys: usual(&hub.keys, "keys/datasets"),
        })
    }

    /// Folder of the published checkpoints.
    pub fn ledger_folder(&self) -> PathBuf {
        let usual = || self.data.join("published");
        self.ledger.folder.clone().unwrap_or_else(usual)
    }

    /// The key that signs checkpoints. One is made where nothing was published yet; it seals nothing.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn ledger_key(&self) -> Result<SigningKey, ConfigError> {
        let usual = || self.data.join("keys/ledger");
        let path = self.ledger.key.clone().unwrap_or_else(usual);
        let wrong = |error: store::StoreError| ConfigError::Value {
            key: "ledger.key",
            why: error.to_string(),
        };
        if !path.exists() && !self.ledger_folder().join("key").exists() {
            let host = self.portal.host_str().unwrap_or("localhost");
            let key = SigningKey::generate(&format!("{host}/ledger")).map_err(wrong)?;
            make_secret(&path, &key.to_text())?;
        }
        SigningKey::parse(&secret(&path, "ledger.key")?).map_err(wrong)
    }

    /// Files of the keys: master and lookup.
    pub fn key_files(&self) -> (PathBuf, PathBuf) {
        let folder = self.data.join("keys");
        let master = self.master_keys.clone().unwrap_or_else(|| folder.join("master"));
        let lookup = self.lookup_key.clone().unwrap_or_else(|| folder.join("lookup"));
        (master, lookup)
    }

    /// Looks at the key files the configuration names, and makes none.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn check_keys(&self) -> Result<(), ConfigError> {
        if let Some(path) = &self.master_keys {
            secret(path, "master_keys")?;
        }
        if let Some(path) = &self.lookup_key {
            secret(path, "lookup_key")?;
        }
        Ok(())
    }

    /// The calendar of working days.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn work_calendar(&self) -> Result<WorkCalendar, ConfigError> {
        let text = match &self.calendar {
            Some(path) => std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
                path: path.clone(),
                why: error.to_string(),
            })?,
            None => bundled::CALENDAR.to_owned(),
        };
        WorkCalendar::from_csv(&text).map_err(|error| ConfigError::Value {
            key: "calendar",
            why: error.to_string(),
        })
    }

    /// What the law asks after a breach of personal data.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn breach_policy(&self) -> Result<Policy, ConfigError> {
        let policy = match &self.breach {
            Some(path) => Policy::parse(&std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
                path: path.clone(),
                why: error.to_string(),
            })?),
            None => Policy::built_in(),
        };
        policy.map_err(|error| ConfigError::Value {
            key: "breach",
            why: error.to_string(),
        })
    }
}

/// A message about an unknown key, with the known one that is nearest.
fn suggested(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let nearest = match (message.starts_with("unknown field"), quoted.next()) {
        (true, Some(unknown)) => quoted
            .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
            .filter(|(distance, known)| *distance <= 1 + known.len() / 3)
            .min(),
        _ => None,
    };
    match nearest {
        Some((_, known)) => format!("{message}; did you mean `{known}`?"),
        None => message.to_owned(),
    }
}

fn unusable(path: &Path) -> impl Fn(std::io::Error) -> ConfigError + '_ {
    |error| ConfigError::Unreadable {
        path: path.to_path_buf(),
        why: error.to_string(),
    }
}

/// Writes a new secret file that only its owner may read.
pub(crate) fn make_secret(path: &Path, text: &str) -> Result<(), ConfigError> {
    let unusable = unusable(path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(&unusable)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(&unusable)?;
    std::io::Write::write_all(&mut file, text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(&unusable)
}

/// The text of a secret file; one that others may read is refused.
pub(crate) fn secret(path: &Path, key: &'static str) -> Result<Zeroizing<String>, ConfigError> {
    let unusable = unusable(path);
    if !path.exists() {
        let why = format!(
            "{} is missing; without it nothing that was sealed can be opened: put it back from where it is kept safe",
            path.display()
        );
        return Err(ConfigError::Value { key, why });
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).map_err(&unusable)?.permissions());
        if mode & 0o077 != 0 {
            let why = format!(
                "others may read {}; run `chmod 600` on it, and change the key if somebody did",
                path.display()
            );
            return Err(ConfigError::Value { key, why });
        }
    }
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(unusable)
}
