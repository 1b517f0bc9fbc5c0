//! The gateway as a whole: what it is set up with, what it decides by, and what can be changed while it runs.

use crate::config::{Config, ConfigError, Stamping, System, file, text_file};
use crate::connect::Pool;
use crate::directory::Directory;
use crate::fault::{Fault, Kind, Place};
use crate::ids::{MemberId, ServiceId};
use crate::log::{Filter, Log, Record, Stamp};
use crate::registry::{Authorities, Expiry, Registry};
use crate::replay::{Quotas, Replays, lock};
use crate::serve::Refused;
use crate::signature::Signer;
use crate::timestamp::{self, StampError};
use crate::tls::{self, Current, Identity};
use civic::{Clock, legal_day};
use jiff::Timestamp;
use pki::Trust;
use rustls::{ClientConfig, ServerConfig};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// Seals bytes so that only who may open them can; none when it can't.
pub type Seal = Arc<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;

struct Stamper {
    url: url::Url,
    trust: Trust,
    records: usize,
    interval: Duration,
    failure_period_s: i64,
}

/// What all tasks share.
pub struct Inner {
    pub(crate) config: Config,
    pub(crate) current: Current,
    pub(crate) signer: Signer,
    pub(crate) log: Log,
    pub(crate) replays: Replays,
    pub(crate) quotas: Quotas,
    /// Connections to provider systems and the timestamp authority.
    pub(crate) systems: Pool,
    pub(crate) spool: PathBuf,
    pub(crate) server_tls: Arc<ServerConfig>,
    /// SHA-256 of the keys of this side's systems, in the order of the configuration.
    pub(crate) system_keys: Vec<[u8; 32]>,
    identity: Identity,
    authorities: RwLock<Arc<Authorities>>,
    roads: Mutex<HashMap<MemberId, Arc<Pool>>>,
    /// Held while a directory is read, changed and put in place: two changes at once would undo one of them.
    changing: Mutex<()>,
    pub(crate) refused: Refused,
    /// Held while a batch is stamped, so that no other takes the same records.
    stamping: tokio::sync::Mutex<()>,
    seal: Option<Seal>,
    stamper: Option<Stamper>,
}

/// A gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) fn read_authorities(config: &Config) -> Result<Authorities, ConfigError> {
    let keys = &config.keys;
    let roots = text_file(&keys.roots)?;
    let intermediates = keys.intermediates.as_deref().map(text_file).transpose()?;
    let key = |what| move |why: String| ConfigError::Key { what, why };
    let trust = Trust::read(&roots, &intermediates.unwrap_or_default());
    let mut lists = Vec::new();
    for path in &keys.crls {
        let found = pki::revocation_lists(&file(path)?);
        lists.extend(found.map_err(|_| key("keys.crls")(format!("`{}` holds no revocation list", path.display())))?);
    }
    Ok(Authorities {
        trust: trust.map_err(|error| key("keys.roots or keys.intermediates")(error.to_string()))?,
        lists,
        require_lists: keys.require_crls,
    })
}

/// What stands in the files a configuration names, except the directory.
pub(crate) struct Material {
    identity: Identity,
    signer: Signer,
    pub(crate) authorities: Authorities,
    /// For provider systems and an authority that are reached over `https`.
    ordinary: Option<Arc<ClientConfig>>,
    stamper: Option<Stamper>,
}

/// Reads every key, certificate and list a configuration names.
pub(crate) fn material(config: &Config) -> Result<Material, ConfigError> {
    let key = |what| move |why: String| ConfigError::Key { what, why };
    let keys = &config.keys;
    let identity = Identity::read(
        &text_file(&keys.authentication_certificate)?,
        &text_file(&keys.authentication_key)?,
    )
    .map_err(key("keys.authentication_certificate"))?;
    let signer = Signer::new(&text_file(&keys.signing_certificate)?, &text_file(&keys.signing_key)?)
        .map_err(|error| key("keys.signing_key")(error.to_string()))?;
    let ordinary = keys.system_roots.as_deref().map(text_file).transpose()?;
    let ordinary = ordinary.map(|roots| tls::ordinary(&roots)).transpose();
    let stamper = config.timestamp.as_ref().map(read_stamper).transpose()?;
    Ok(Material {
        identity,
        signer,
        authorities: read_authorities(config)?,
        ordinary: ordinary.map_err(key("keys.system_roots"))?,
        stamper,
    })
}

fn read_stamper(stamping: &Stamping) -> Result<Stamper, ConfigError> {
    let trust = Trust::read(&text_file(&stamping.roots)?, "").map_err(|error| ConfigError::Key {
        what: "timestamp.roots",
        why: error.to_string(),
    })?;
    Ok(Stamper {
        url: stamping.url.clone(),
        trust,
        records: stamping.records.max(1),
        interval: Duration::from_secs(stamping.interval_s.max(1)),
        failure_period_s: i64::try_from(stamping.failure_period_s).unwrap_or(i64::MAX),
    })
}

impl Gateway {
    /// Opens the log, reads keys and checks the directory. Nothing listens yet. `seal` is needed where an interface keeps full
    /// content. Blocks while the log is read.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub fn open(
        config: Config,
        directory: Directory,
        clock: Arc<dyn Clock>,
        seal: Option<Seal>,
    ) -> Result<Gateway, ConfigError> {
        config.check()?;
        let now = clock.now();
        let Material {
            identity,
            signer,
            authorities,
            ordinary,
            stamper,
        } = material(&config)?;
        let registry = Registry::new(directory, &authorities, seal.is_some(), now)?;
        let current = Current::new(registry, clock);
        let server_tls = tls::server(&identity, &current).map_err(|why| ConfigError::Key {
            what: "keys.authentication_key",
            why,
        })?;
        let within = Duration::from_secs(config.limits.connect_s);
        let replay_s = i64::try_from(config.limits.replay_s).unwrap_or(i64::MAX);
        let since = Timestamp::from_second(now.as_second().saturating_sub(replay_s)).unwrap_or(Timestamp::MIN);
        let log = Log::open(&config.log, Some(since))?;
        if config.timestamp.is_none() {
            log.expect_no_timestamps();
        }
        let spool = config.log.folder.join("spool");
        std::fs::create_dir_all(&spool).map_err(|why| ConfigError::File {
            path: spool.clone(),
            why,
        })?;
        let limits = &config.limits;
        let replays = Replays::new(limits.replay_s, limits.replay_ids, now);
        for (client, id) in log.take_young() {
            replays.see(&client.to_string(), &id, now);
        }
        let system_keys = config.systems.iter().map(System::key).collect::<Result<Vec<_>, _>>()?;
        let today = legal_day(now);
        let quotas = Quotas::new(today, log.counts(|counts| counts.quotas(today)));
        let inner = Inner {
            systems: Pool::ordinary(ordinary, within),
            current,
            signer,
            log,
            replays,
            quotas,
            spool,
            server_tls,
            system_keys,
            identity,
            authorities: RwLock::new(Arc::new(authorities)),
            roads: Mutex::default(),
            changing: Mutex::default(),
            refused: Refused::default(),
            stamping: tokio::sync::Mutex::default(),
            seal,
            stamper,
            config,
        };
        Ok(Gateway { inner: Arc::new(inner) })
    }

    /// Puts another directory in place of the one of now; it counts from the next call on.
    ///
    /// # Errors
    /// [`ConfigError::Directory`]; the one of now then stays.
    pub fn set_directory(&self, directory: Directory) -> Result<(), ConfigError> {
        let _changing = lock(&self.inner.changing);
        self.inner.set_directory(directory)
    }

    /// The directory of now.
    #[must_use]
    pub fn directory(&self) -> Directory {
        self.inner.current.get().directory().clone()
    }

    /// Switches an interface on or off, at once. The next directory put in place decides anew.
    ///
    /// # Errors
    /// [`ConfigError::Directory`] where there is no such interface.
    pub fn switch(&self, service: &ServiceId, on: bool) -> Result<(), ConfigError> {
        let _changing = lock(&self.inner.changing);
        let mut directory = self.directory();
        let found = directory
            .interfaces
            .iter_mut()
            .find(|interface| interface.id == *service);
        let Some(interface) = found else {
            return Err(crate::directory::DirectoryError::UnknownInterface {
                what: "switch".to_owned(),
                service: Box::new(service.clone()),
            }
            .into());
        };
        interface.enabled = on;
        self.inner.set_directory(directory)
    }

    /// Reads roots and revocation lists anew, and checks every certificate with them.
    ///
    /// # Errors
    /// [`ConfigError`]; what was in force then stays.
    pub fn reload_trust(&self) -> Result<(), ConfigError> {
        let _changing = lock(&self.inner.changing);
        let authorities = read_authorities(&self.inner.config)?;
        *self.inner.authorities.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(authorities);
        self.inner.set_directory(self.directory())
    }

    /// All certificates of the directory, those that end first before the others.
    #[must_use]
    pub fn expiries(&self) -> Vec<Expiry> {
        self.inner.current.get().expiries(self.inner.now())
    }

    /// The message log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.inner.log
    }

    /// Exchanges of late, newest first.
    #[must_use]
    pub fn recent(&self, filter: &Filter, most: usize) -> Vec<(u64, Arc<Record>)> {
        self.inner.log.recent(filter, most)
    }

    /// Calls of today under an agreement.
    #[must_use]
    pub fn quota_used(&self, agreement: &str) -> u64 {
        self.inner.quotas.used(agreement)
    }

    /// Stamps what has no timestamp yet, batch by batch. Returns how many records got one.
    ///
    /// # Errors
    /// [`StampError`]
    pub async fn stamp(&self) -> Result<usize, StampError> {
        self.inner.stamp().await
    }

    /// Why no call would be taken now, if so.
    ///
    /// # Errors
    /// The fault a call would meet.
    pub fn is_open(&self) -> Result<(), Fault> {
        let now = self.inner.now();
        self.inner.admit(&self.inner.current.get(), Place::ClientProxy, now)
    }
}

impl Inner {
    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.current.clock.now()
    }

    fn set_directory(&self, directory: Directory) -> Result<(), ConfigError> {
        let authorities = Arc::clone(&self.authorities.read().unwrap_or_else(PoisonError::into_inner));
        let registry = Registry::new(directory, &authorities, self.seal.is_some(), self.now())?;
        self.current.set(registry);
        // connections that are open were checked by the old one
        lock(&self.roads).clear();
        Ok(())
    }

    /// Checks certificates and revocation lists against the time again.
    pub(crate) fn recheck(&self) {
        let _changing = lock(&self.changing);
        let before = self.current.get();
        let authorities = Arc::clone(&self.authorities.read().unwrap_or_else(PoisonError::into_inner));
        match Registry::new(
            before.directory().clone(),
            &authorities,
            self.seal.is_some(),
            self.now(),
        ) {
            Ok(registry) => {
                let changed = registry.expiries(self.now()) != before.expiries(self.now());
                self.current.set(registry);
                if changed {
                    lock(&self.roads).clear();
                }
            }
            Err(error) => tracing::error!(%error, "the directory can't be checked again"),
        }
    }

    /// Refuses everything while the log can't be written, has gone too long without a timestamp, or the directory is old.
    pub(crate) fn admit(&self, registry: &Registry, place: Place, now: Timestamp) -> Result<(), Fault> {
        if !self.log.is_sound() {
            return Err(Fault::new(
                place,
                Kind::LoggingFailed,
                "the message log can't be written",
            ));
        }
        if let (Some(stamper), Some(oldest)) = (&self.stamper, self.log.oldest_pending())
            && now.as_second().saturating_sub(oldest.as_second()) > stamper.failure_period_s
        {
            return Err(Fault::new(
                place,
                Kind::TimestamperFailed,
                "the message log has had no timestamp for longer than is acceptable",
            ));
        }
        registry.is_current(place, now)
    }

    /// The pool of connections to the gateways of a member.
    pub(crate) fn road(&self, owner: &MemberId) -> Result<Arc<Pool>, Fault> {
        let mut roads = lock(&self.roads);
        if let Some(pool) = roads.get(owner) {
            return Ok(Arc::clone(pool));
        }
        let tls = tls::client(&self.identity, &self.current, owner)
            .map_err(|why| Fault::new(Place::ClientProxy, Kind::InternalError, format!("TLS: {why}")))?;
        let pool = Arc::new(Pool::to_gateway(tls, Duration::from_secs(self.config.limits.connect_s)));
        roads.insert(owner.clone(), Arc::clone(&pool));
        Ok(pool)
    }

    /// Seals the content of an exchange: each part with its length (8 bytes, big-endian) before it.
    pub(crate) fn seal_content(&self, parts: &[Vec<u8>; 4]) -> Option<Vec<u8>> {
        let seal = self.seal.as_ref()?;
        let mut plain = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            plain.extend_from_slice(&(part.len() as u64).to_be_bytes());
            plain.extend_from_slice(part);
        }
        seal(&plain)
    }

    /// How long the stamper waits between batches.
    pub(crate) fn stamp_interval(&self) -> Option<Duration> {
        self.stamper.as_ref().map(|stamper| stamper.interval)
    }

    /// Whether a whole batch waits.
    pub(crate) fn batch_is_full(&self) -> bool {
        self.stamper
            .as_ref()
            .is_some_and(|stamper| self.log.pending_count() >= stamper.records)
    }

    pub(crate) async fn stamp(&self) -> Result<usize, StampError> {
        use crate::log::merkle::{batch_manifest, batch_text, root};
        let Some(stamper) = &self.stamper else {
            return Ok(0);
        };
        let _stamping = self.stamping.lock().await;
        let mut stamped = 0;
        loop {
            let batch = self.log.pending(stamper.records);
            let (Some(first), Some(last)) = (batch.first(), batch.last()) else {
                return Ok(stamped);
            };
            let leaves: Vec<_> = batch.iter().map(|pending| pending.leaf).collect();
            let root = root(&leaves).map(hex::encode).unwrap_or_default();
            let count = batch.len() as u64;
            let manifest = batch_manifest(&batch_text(first.seq, last.seq, count, &root));
            let skew = i64::try_from(self.config.limits.skew_s).unwrap_or(i64::MAX);
            let within = Duration::from_secs(self.config.limits.answer_s);
            let asked = timestamp::ask(
                &self.systems,
                &stamper.url,
                manifest.as_bytes(),
                &stamper.trust,
                self.now(),
                skew,
                within,
            );
            let token = asked.await?;
            let stamp = Stamp {
                time: self.now().as_millisecond(),
                first: first.seq,
                last: last.seq,
                count,
                root,
                token: base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &token.der),
            };
            let written = self.log.append_stamp(stamp).await;
            if !matches!(written, Ok(Ok(_))) {
                return Err(StampError::Unreadable("the log can't be written".to_owned()));
            }
            stamped += batch.len();
        }
    }
}
