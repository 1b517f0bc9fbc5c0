//! The running platform: the desk, the pages, the work behind them, and the way to stop.

use cases::datasets::Datasets;
use cases::{City, CityAccount, Desk};
use civic::Clock;
use grants::Programme;
use jiff::SignedDuration;
use services::Catalogue;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::outbox::{Outcome, Relay};
use store::session::Sessions;
use store::{Store, StoreConfig};
use tokio::net::TcpListener;

use crate::bundled;
use crate::config::{Config, ConfigError};

/// Name of the file that marks a demonstration city's data folder.
pub const DEMO_MARK: &str = "DEMONSTRATION";

/// Why the platform does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store.
    #[error("the store can't be opened: {0}")]
    Store(#[from] store::StoreError),
    /// A folder.
    #[error("{path}: {why}", path = path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The port.
    #[error("can't listen on {address}: {why}; stop the other program or choose another address")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        why: std::io::Error,
    },
    /// MyData.
    #[error("`mydata`: {0}")]
    MyData(#[from] exchange::mydata::ConfigError),
    /// MyData, as data provider.
    #[error("`mydata_provider`: {0}")]
    Provider(#[from] exchange::mydata::provider::ConfigError),
    /// Digital wallets.
    #[error("`wallet`: {0}")]
    Wallet(#[from] crate::wallet::WalletError),
    /// The lake of the datasets.
    #[error("`hub`: {0}")]
    Hub(#[from] hub::HubError),
    /// T-Road.
    #[error("`troad`: {0}")]
    Troad(#[from] troad::config::ConfigError),
    /// Mail.
    #[error("`mail`: {0}")]
    Mail(#[from] exchange::mail::MailError),
    /// Another process works in the data folder.
    #[error("{path} is in use by another process of this program; stop it first, or choose another data folder", path = path.display())]
    InUse {
        /// Which folder.
        path: PathBuf,
    },
    /// The data of a demonstration city.
    #[error("{path} holds a demonstration city's data; `serve` never runs on it: choose another data folder", path = path.display())]
    Demonstration {
        /// Which folder.
        path: PathBuf,
    },
}

/// Opens the store of a configuration.
///
/// # Errors
/// [`ServeError`].
pub async fn store(config: &Config, clock: Arc<dyn Clock>) -> Result<Store, ServeError> {
    std::fs::create_dir_all(&config.data).map_err(|why| ServeError::Folder {
        path: config.data.clone(),
        why,
    })?;
    let (master_keys, lookup_key) = config.keys()?;
    let store = StoreConfig {
        url: config.database_url(),
        files: config.data.join("files"),
        master_keys,
        lookup_key,
        policies: config.policies.clone(),
        destroyed: Some(config.destroyed()),
    };
    Ok(Store::open(store, clock).await?)
}

/// The services of a configuration.
///
/// # Errors
/// [`ServeError::Folder`].
pub fn catalogue(config: &Config) -> Result<Catalogue, ServeError> {
    let built_in = config.data.join("built-in");
    let (services, datasets) = bundled::unpack(&built_in).map_err(|why| ServeError::Folder { path: built_in, why })?;
    Ok(Catalogue::load(
        config.services.as_deref().unwrap_or(&services),
        config.datasets.as_deref().unwrap_or(&datasets),
    ))
}

/// The folders of subsidy programmes within a folder, by name.
///
/// # Errors
/// [`ServeError::Folder`].
pub fn programme_folders(under: &Path) -> Result<Vec<PathBuf>, ServeError> {
    let failed = |why| ServeError::Folder {
        path: under.to_path_buf(),
        why,
    };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(under).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// The subsidy programmes of a configuration, by name. A folder with mistakes is left out and told in the log.
///
/// # Errors
/// [`ServeError::Folder`].
pub fn programmes(config: &Config) -> Result<Vec<Arc<Programme>>, ServeError> {
    let built_in = config.data.join("built-in");
    let folder = match &config.programmes {
        Some(folder) => folder.clone(),
        None => bundled::unpack_programmes(&built_in).map_err(|why| ServeError::Folder { path: built_in, why })?,
    };
    let mut programmes = Vec::new();
    for folder in programme_folders(&folder)? {
        match Programme::load(&folder) {
            Ok(programme) => programmes.push(Arc::new(programme)),
            Err(mistakes) => {
                for mistake in mistakes {
                    tracing::warn!(folder = %folder.display(), %mistake, "a subsidy programme is left out");
                }
            }
        }
    }
    Ok(programmes)
}

/// The datasets of a configuration, where it has a lake. Those that can't be used are told in the log.
///
/// # Errors
/// [`ServeError::Hub`].
pub fn datasets(config: &Config) -> Result<Option<Datasets>, ServeError> {
    let Some(places) = config.places() else {
        return Ok(None);
    };
    let (datasets, unusable) = Datasets::open(&places)?;
    for one in unusable {
        tracing::warn!(dataset = one.id, why = %one.why, "a dataset can't be used");
    }
    Ok(Some(datasets))
}

/// The desk of a configuration.
///
/// # Errors
/// [`ServeError`].
pub async fn desk(config: &Config, clock: Arc<dyn Clock>, grace: SignedDuration) -> Result<Desk, ServeError> {
    let catalogue = catalogue(config)?;
    for withdrawn in catalogue.withdrawn() {
        tracing::warn!(
            service = withdrawn.id,
            mistakes = withdrawn.mistakes.len(),
            "withdrawn: its folder has mistakes; see the administrator's page"
        );
    }
    let city = &config.city;
    Ok(Desk {
        store: store(config, Arc::clone(&clock)).await?,
        clock,
        mydata: config
            .mydata
            .clone()
            .map(exchange::mydata::Connector::new)
            .transpose()?,
        provider: config
            .mydata_provider
            .clone()
            .map(exchange::mydata::provider::Provider::new)
            .transpose()?,
        wallet: crate::wallet::wallet(config, &catalogue)?,
        road: None,
        datasets: datasets(config)?,
        mail: config.mail.as_ref().map(exchange::mail::Mailer::new).transpose()?,
        ways: config.ways()?,
        city: City {
            region: city.region.clone(),
            name: city.name.clone(),
            agency: city.agency.clone(),
            phone: city.phone.clone(),
            portal: config.portal.as_str().trim_end_matches('/').to_owned(),
            sender: city.sender.clone(),
            account: CityAccount {
                name: city.account.name.clone(),
                bank: city.account.bank.clone(),
                number: city.account.number.clone(),
                most: city.account.most_payments,
            },
            grace,
        },
        calendar: config.work_calendar()?,
        agents: config.agents.limits(),
        identity: config.methods()?,
        scans: std::env::var_os("PATH")
            .map_or_else(exchange::ocr::Tools::default, |path| exchange::ocr::Tools::find(&path)),
        breach: config.breach_policy()?,
        recent: cases::Recent::default(),
        catalogue: Arc::new(catalogue),
    })
}

/// Takes the data folder for this process alone, until the file is dropped: there is one writer.
///
/// # Errors
/// [`ServeError::InUse`], [`ServeError::Folder`].
pub fn lock(data: &std::path::Path) -> Result<std::fs::File, ServeError> {
    let path = data.join("lock");
    let failed = |why| ServeError::Folder {
        path: path.clone(),
        why,
    };
    std::fs::create_dir_all(data).map_err(failed)?;
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(ServeError::InUse {
            path: data.to_path_buf(),
        }),
        Err(std::fs::TryLockError::Error(why)) => Err(failed(why)),
    }
}

/// A listener for an address.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|why| ServeError::Listen { address, why })
}

/// Serves until told to stop: the pages, and the work behind them. Requests that have begun are finished.
///
/// # Errors
/// [`ServeError`].
pub async fn run(
    config: &Config,
    desk: Desk,
    listener: TcpListener,
    demo: bool,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let store = desk.store.clone();
    let (desk, gateway) = on_the_road(config, desk).await?;
    let desk = Arc::new(desk);
    let outside = config
        .mydata
        .iter()
        .map(|mydata| mydata.platform.origin().ascii_serialization());
    let outside = outside.chain(
        config
            .oidc
            .iter()
            .chain(config.issuers.iter().map(|issuer| &issuer.oidc))
            .filter_map(|oidc| oidc.issuer.parse::<url::Url>().ok())
            .map(|url| url.origin().ascii_serialization()),
    );
    let site = web::Site {
        city: config.city.name.clone(),
        demo,
        https: config.portal.scheme() == "https",
        outside: outside.collect(),
        security: config.city.security_contact.clone(),
    };
    for issuer in &desk.identity.issuers {
        if let Err(error) = issuer.provider().await {
            tracing::error!(%error, issuer = issuer.id, "the issuer can't be reached; it is asked again at the next sign-in");
        }
    }
    let subsidies = Arc::new(subsidies::Desk {
        store: store.clone(),
        programmes: programmes(config)?,
        city: config.city.name.get(civic::Language::ZhTw).to_owned(),
        clock: Arc::clone(&desk.clock),
    });
    let app = web::App {
        subsidies: Arc::clone(&subsidies),
        desk: Arc::clone(&desk),
        site: Arc::new(site),
    };
    let sessions = Sessions::new(store.clone()).await?;
    let router = web::app(app, sessions.clone());
    let relay = reminding(cases::jobs::relay(&desk), &desk, &subsidies);
    // nobody is said to have been reminded where no message can leave
    let reminded = desk.mail.is_some().then_some(subsidies);
    let upkeep = tokio::spawn(upkeep(store.clone(), sessions, reminded));
    let looking = tokio::spawn(looking(Arc::clone(&desk)));
    let publishing = config.ledger.every_hours.map(|hours| {
        let work = publishing(config.clone(), store.clone(), Duration::from_secs(hours * 3600));
        tokio::spawn(work)
    });
    // work that is interrupted by the stop is done again after the next start
    tokio::select! {
        () = crate::accept::serve(listener, router, stop) => {}
        () = cases::jobs::run_with(Arc::clone(&desk), relay) => {}
    }
    for work in [upkeep, looking].into_iter().chain(publishing) {
        work.abort();
        let _ = work.await;
    }
    if let Some(gateway) = gateway {
        gateway.shutdown().await;
    }
    drop(desk);
    store.close().await;
    Ok(())
}

/// Starts the gateway to T-Road, where one is configured, with the approvals and switches of the store in force.
async fn on_the_road(config: &Config, desk: Desk) -> Result<(Desk, Option<troad::Running>), ServeError> {
    let Some(path) = &config.troad else {
        return Ok((desk, None));
    };
    let member = troad::config::Config::read(path)?.member;
    let running = troad::command::serve(path, Arc::clone(&desk.clock), None).await?;
    let road = cases::road::Road::new(running.gateway.clone(), member);
    let desk = Desk {
        road: Some(road),
        ..desk
    };
    if let Err(error) = cases::road::load(&desk).await {
        tracing::error!(%error, "the approvals of T-Road can't be put in force; those of the gateway's file are");
    }
    for (what, address) in [("own systems", running.inside), ("other gateways", running.outside)] {
        if let Some(address) = address {
            tracing::info!(%address, "the gateway to T-Road is open for {what}");
        }
    }
    Ok((desk, Some(running)))
}

/// Has the outbox send what the subsidy programmes remind governments of.
fn reminding(relay: Relay, desk: &Arc<Desk>, subsidies: &Arc<subsidies::Desk>) -> Relay {
    let (desk, subsidies) = (Arc::clone(desk), Arc::clone(subsidies));
    relay.on(subsidies::REMINDER, move |payload| {
        let (desk, subsidies) = (Arc::clone(&desk), Arc::clone(&subsidies));
        async move {
            let Some(mailer) = &desk.mail else {
                return Ok(Outcome::Done);
            };
            let made = subsidies::reminder(&subsidies, &payload, &desk.city.portal).await;
            let Some(made) = made.map_err(|error| error.to_string())? else {
                return Ok(Outcome::Done);
            };
            let mail = exchange::mail::Mail {
                to: &made.to,
                subject: &made.subject,
                text: &made.text,
                html: None,
                id: &made.id,
                at: desk.now(),
            };
            match mailer.send(&mail).await {
                Ok(()) => Ok(Outcome::Done),
                Err(error) if error.may_retry() => Err(error.to_string()),
                Err(error) => {
                    tracing::warn!(%error, "a reminder of a subsidy programme was refused");
                    Ok(Outcome::Done)
                }
            }
        }
    })
}

/// Hourly: sessions that are over, what signing in remembered long enough, and what governments are reminded of. Daily: the record of
/// use, so that a fault is told before somebody asks.
async fn upkeep(store: Store, sessions: Sessions, reminded: Option<Arc<subsidies::Desk>>) {
    let mut hours = tokio::time::interval(Duration::from_secs(3600));
    hours.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for hour in 0_u64.. {
        hours.tick().await;
        if let Err(error) = sessions.clean().await {
            tracing::warn!(%error, "old sessions could not be taken out");
        }
        if let Err(error) = cases::identity::watch::prune(&store).await {
            tracing::warn!(%error, "old traces of sign-ins could not be taken out");
        }
        if let Some(desk) = &reminded {
            match subsidies::remind(desk).await {
                Ok(0) => {}
                Ok(reminders) => tracing::info!(reminders, "governments are reminded of what runs out"),
                Err(error) => {
                    tracing::warn!(%error, "reminders of a subsidy programme could not be put; they are tried again")
                }
            }
        }
        if hour % 24 == 1 {
            match store::ledger::verify(&store, None).await {
                Ok(verified) => tracing::info!(entries = verified.entries, "the record of use holds"),
                Err(error) => tracing::error!(%error, "the record of use does not hold; run `tongban ledger verify`"),
            }
        }
    }
}

/// Brings in each minute what has arrived for the datasets, and looks for later versions, so that no lookup waits until their
/// copies are made.
async fn looking(desk: Arc<Desk>) {
    let Some(datasets) = &desk.datasets else { return };
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        for one in datasets.bring_in(desk.now()).await {
            tracing::error!(dataset = one.id, why = %one.why, "what has arrived for a dataset can't be brought in");
        }
        for one in datasets.refresh(desk.now()).await {
            tracing::error!(dataset = one.id, why = %one.why, "lookups of a dataset can't be answered");
        }
    }
}

/// Publishes the record of use, at once and then every so often. Whatever fails is tried again from the first entry on.
async fn publishing(config: Config, store: Store, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut publisher = None;
    loop {
        ticks.tick().await;
        match publish(&config, &store, &mut publisher).await {
            Ok(Some(entries)) => tracing::info!(entries, "the record of use was published"),
            Ok(None) => {}
            Err(error) => {
                publisher = None;
                tracing::error!(%error, "the record of use was not published; run `tongban ledger verify`");
            }
        }
    }
}

async fn publish(
    config: &Config,
    store: &Store,
    publisher: &mut Option<store::ledger::Publisher>,
) -> Result<Option<u64>, ServeError> {
    let (key, folder) = (config.ledger_key()?, config.ledger_folder());
    if publisher.is_none() {
        let before = store::ledger::published(&folder, key.public())?;
        *publisher = Some(store::ledger::Publisher::new(&before));
    }
    let Some(publisher) = publisher else { return Ok(None) };
    let done = publisher.publish(store, &key, &folder).await?;
    Ok(done.map(|checkpoint| checkpoint.head.seq))
}

/// Until Ctrl-C or a polite request of the system to stop.
pub async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
