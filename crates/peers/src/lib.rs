//! The demonstration's outside world: an OpenID issuer, the MyData platform, a mail server with its mailbox and a bank, each
//! on a loopback listener of its own.
//!
//! Written from what is publicly known of the protocols alone. It shares no protocol code with the product: other libraries,
//! other reading, so that a shared mistake can't hide. `tongban demo` and the tests start it; `tongban serve` never does.

mod authority;
mod bank;
mod base64url;
mod call;
mod cards;
pub mod fido;
mod html;
pub mod ics;
pub mod identity;
mod issuer;
mod keep;
mod keys;
mod mail;
mod mydata;
pub mod notices;
pub mod push;
pub mod road;
mod serve;
mod terms;
pub mod wallet;

use jiff::civil::Date;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

pub use authority::Authority;
pub use mydata::{CityDataSet, Faults};
pub use terms::Terms;

/// Somebody of the demonstration city who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// National id, made up.
    pub national_id: String,
    /// Name, made up.
    pub name: String,
    /// Day of birth.
    pub birth_date: Date,
    /// Address of the demonstration's mailbox.
    pub email: Option<String>,
    /// Mobile number.
    pub phone: Option<String>,
    /// What this person's case shows.
    pub note: String,
}

/// The people of the demonstration city, as registers know them.
pub trait Population: Send + Sync {
    /// The people the issuer offers by name.
    fn accounts(&self) -> Vec<Account>;
    /// Anybody, by national id.
    fn find(&self, national_id: &str) -> Option<Account>;
    /// The content of a data set for a person; `None` where the agency has nothing (204).
    fn data_set(&self, national_id: &str, resource_id: &str) -> Option<serde_json::Value>;
}

/// A data set the platform offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// `API.` and ten characters.
    pub id: String,
    /// Name.
    pub title: String,
    /// The agency that signs it.
    pub agency: String,
    /// Name of its file.
    pub file: String,
    /// Whether it is there at once; others are prepared for [`Config::wait_seconds`].
    pub immediate: bool,
}

/// A member of the demonstration's staff, for the page with the current one-time codes.
#[derive(Clone)]
pub struct Card {
    /// Name to sign in with.
    pub account: String,
    /// Password.
    pub password: String,
    /// What they do.
    pub role: String,
    /// Secret of the one-time code.
    pub secret: Vec<u8>,
}

/// Ports of the listeners; 0 takes any free one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// The issuer.
    pub issuer: u16,
    /// The MyData platform.
    pub mydata: u16,
    /// The mail server.
    pub smtp: u16,
    /// The mailbox page.
    pub mailbox: u16,
    /// The bank.
    pub bank: u16,
}

/// What the peers need to know.
#[derive(Clone)]
pub struct Config {
    /// The people.
    pub population: Arc<dyn Population>,
    /// Folder for keys, mails and the bank's books; made when missing.
    pub folder: PathBuf,
    /// Registered address the issuer sends people back to.
    pub redirect_url: Url,
    /// Registered address MyData sends people back to.
    pub return_url: Url,
    /// Registered address for MyData's notifications.
    pub notify_url: Url,
    /// The data sets.
    pub resources: Vec<Resource>,
    /// The data sets that the city offers.
    pub offered: Vec<CityDataSet>,
    /// The staff, shown with their codes beside the mailbox.
    pub cards: Vec<Card>,
    /// How long an agency takes for a data set that is not immediate; MyData adds [`Terms::settle_seconds`].
    pub wait_seconds: u64,
    /// Ports.
    pub ports: Ports,
}

/// What the city is told when it registers with the issuer.
#[derive(Debug, Clone)]
pub struct IssuerFacts {
    /// Address of the issuer.
    pub address: String,
    /// The city's name there.
    pub client_id: String,
    /// The city's secret.
    pub client_secret: String,
}

/// What the city is told when it registers with MyData.
#[derive(Debug, Clone)]
pub struct MyDataFacts {
    /// Address of the platform.
    pub address: Url,
    /// The service's name there.
    pub client_id: String,
    /// Its secret, 16 characters.
    pub client_secret: String,
    /// Its initialisation vector, 16 characters.
    pub cbc_iv: String,
    /// The key the platform shows in a notification.
    pub api_key: String,
    /// The root of the demonstration's government certificates (PEM).
    pub government_root: String,
    /// The city's own certificate under that root (PEM).
    pub city_certificate: String,
    /// Its key (PKCS#8 PEM).
    pub city_key: String,
    /// The secrets of the city's data sets (`resource_secret`), by `resource_id`.
    pub resource_secrets: std::collections::BTreeMap<String, String>,
}

/// The running peers. They stop when it is dropped.
pub struct Running {
    /// The issuer.
    pub issuer: IssuerFacts,
    /// The MyData platform.
    pub mydata: MyDataFacts,
    /// Where mail is taken.
    pub smtp: SocketAddr,
    /// The mailbox page.
    pub mailbox: String,
    /// The bank's page.
    pub bank: String,
    population: Arc<dyn Population>,
    root: (String, String),
    cards: mydata::CardRegister,
    faults: mydata::FaultSwitch,
    letters: mail::Mailbox,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Why a peer could not start.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The folder can't be used.
    #[error("the folder `{path}` of the demonstration can't be used: {why}")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The port is taken.
    #[error(
        "the demonstration's {what} can't listen on 127.0.0.1:{port}: {why}; stop the other program or choose another port"
    )]
    Listen {
        /// Which peer.
        what: &'static str,
        /// The port.
        port: u16,
        /// Why.
        why: std::io::Error,
    },
    /// A key or certificate can't be made.
    #[error("a key of the demonstration can't be made: {0}")]
    Key(#[from] openssl::error::ErrorStack),
}

async fn listen(what: &'static str, port: u16) -> Result<(TcpListener, SocketAddr), PeerError> {
    let refused = |why| PeerError::Listen { what, port, why };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

/// Starts all peers on the terms of the real ones.
///
/// # Errors
/// [`PeerError`].
pub async fn start(config: Config) -> Result<Running, PeerError> {
    start_on(config, Terms::default()).await
}

/// Starts all peers on terms of the caller's choice.
///
/// # Errors
/// [`PeerError`].
pub async fn start_on(config: Config, terms: Terms) -> Result<Running, PeerError> {
    std::fs::create_dir_all(&config.folder).map_err(|why| PeerError::Folder {
        path: config.folder.clone(),
        why: why.to_string(),
    })?;
    let (issuer_listener, issuer_at) = listen("issuer", config.ports.issuer).await?;
    let (mydata_listener, mydata_at) = listen("MyData platform", config.ports.mydata).await?;
    let (smtp_listener, smtp) = listen("mail server", config.ports.smtp).await?;
    let (mailbox_listener, mailbox_at) = listen("mailbox", config.ports.mailbox).await?;
    let (bank_listener, bank_at) = listen("bank", config.ports.bank).await?;
    let keys = keys::open(&config).await?;
    let issuer = IssuerFacts {
        address: format!("http://{issuer_at}"),
        client_id: "tongban".to_owned(),
        client_secret: keys.issuer_secret.clone(),
    };
    let mydata = MyDataFacts {
        address: Url::parse(&format!("http://{mydata_at}/")).map_err(|why| PeerError::Folder {
            path: config.folder.clone(),
            why: why.to_string(),
        })?,
        client_id: "CLI.tongban001".to_owned(),
        client_secret: keys.client_secret.clone(),
        cbc_iv: keys.cbc_iv.clone(),
        api_key: keys.api_key.clone(),
        government_root: keys.root_pem.clone(),
        city_certificate: keys.city.0.clone(),
        city_key: keys.city.1.clone(),
        resource_secrets: keys.resource_secrets.clone(),
    };
    let (root, cards) = (keys.root.clone(), mydata::CardRegister::default());
    let faults = mydata::FaultSwitch::default();
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let letters = mail::Mailbox::open(&config.folder)?;
    let shown = letters.clone();
    let mut serve = |listener: TcpListener, router: axum::Router| {
        let mut stopped = stopped.clone();
        tasks.spawn(async move {
            let ended = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(ended).await {
                tracing::error!(%error, "a demonstration peer stopped");
            }
        });
    };
    serve(issuer_listener, issuer::router(&config, &terms, &issuer, &keys));
    serve(
        mydata_listener,
        mydata::router(&config, &terms, &mydata, keys, Arc::clone(&cards), faults.clone()),
    );
    serve(
        mailbox_listener,
        mail::router(letters.clone()).merge(cards::router(config.cards.clone(), &terms)),
    );
    serve(bank_listener, bank::router(&config.folder, &terms)?);
    tasks.spawn(mail::receive(smtp_listener, letters, stopped));
    Ok(Running {
        issuer,
        mydata,
        smtp,
        mailbox: format!("http://{mailbox_at}"),
        bank: format!("http://{bank_at}"),
        population: Arc::clone(&config.population),
        root,
        cards,
        faults,
        letters: shown,
        stop,
        tasks,
    })
}

impl Running {
    /// The people the issuer offers by name.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        self.population.accounts()
    }

    /// Gives a person a certificate (自然人憑證) of the demonstration, which MyData knows as theirs: certificate and key in PEM.
    ///
    /// # Errors
    /// [`PeerError::Key`].
    pub fn card(&self, national_id: &str) -> Result<(String, String), PeerError> {
        let (certificate, key, serial) = keys::card(&self.root, national_id.get(..2).unwrap_or_default())?;
        let mut cards = self.cards.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        cards.insert(serial, national_id.to_owned());
        Ok((certificate, key))
    }

    /// Makes the MyData platform misbehave from now on, for tests of refusal.
    pub fn misbehave(&self, faults: Faults) {
        self.faults.set(faults);
    }

    /// Has the mailbox page name the page that shows text messages, LINE and push messages.
    pub fn show_beside(&self, address: &str) {
        self.letters.show_beside(address);
    }

    /// Stops all peers and waits for them.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(std::time::Duration::from_secs(2), ended)
            .await
            .is_err()
        {
            self.tasks.abort_all();
        }
    }
}
