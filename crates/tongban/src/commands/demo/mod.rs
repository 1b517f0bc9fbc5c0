//! `tongban demo`: the demonstration city with its outside world on loopback, and the portal open.

use civic::{Language, Text};
use clap::Args;
use jiff::SignedDuration;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use url::Url;

mod call;
mod datasets;
mod messages;
mod outside;
mod staff;
mod told;

pub use staff::Member;

use super::{block, refused};
use crate::config::{Account, City, Config};
use crate::demo::{self, CityError};
use crate::history::{self, HistoryError};
use crate::server::{self, DEMO_MARK, ServeError};
use crate::terminal::{self, Progress};
use outside::{by_wallet, connect, messages_port, offer_certificates, offered_sets, ports, resources};
use told::{Beside, tell};

/// The office that decides in the demonstration; the service folders name the same.
const AGENCY: &str = "臺中市政府社會局";

/// An organisation that may act for residents: number, name.
const ORGANISATION: (&str, &str) = ("04595257", "示範社會福利協會");

/// What `demo` is told.
#[derive(Args, Clone)]
pub struct DemoArgs {
    /// How many residents the city has
    #[arg(long, default_value_t = 100_000)]
    residents: usize,
    /// Folder of everything that is kept
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Address of the portal
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The same seed makes the same city
    #[arg(long, default_value_t = 115)]
    seed: u64,
    /// `postgres://…` instead of the embedded database
    #[arg(long)]
    database: Option<String>,
    /// Folder of services instead of the built-in ones
    #[arg(long)]
    services: Option<PathBuf>,
    /// Seconds in which a decision can be taken back before its letter leaves
    #[arg(long, default_value_t = 60)]
    grace: i64,
    /// Begin without the made-up applications of the last eight weeks
    #[arg(long)]
    no_history: bool,
    /// With `--json`, name so many more residents, for load
    #[arg(long, default_value_t = 0, hide = true)]
    offer: usize,
    /// Make the past of the city and end: done in a process of its own, so that its memory goes with it
    #[arg(long, hide = true)]
    only_history: bool,
    /// Print one line of JSON with all addresses and accounts when the portal is open
    #[arg(long)]
    json: bool,
}

impl Default for DemoArgs {
    fn default() -> DemoArgs {
        DemoArgs {
            residents: 100_000,
            data: PathBuf::from("data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            seed: 115,
            database: None,
            services: None,
            grace: 60,
            no_history: false,
            offer: 0,
            only_history: false,
            json: false,
        }
    }
}

/// Why the demonstration does not start.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error(transparent)]
    City(#[from] CityError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Peer(#[from] peers::PeerError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error("an account of the staff can't be opened: {0}")]
    Staff(#[from] cases::CaseError),
    #[error("{path} holds the data of a real platform; choose another folder with `--data`", path = .0.display())]
    NotADemonstration(PathBuf),
    #[error("the demonstration listens on this machine only; use an address such as 127.0.0.1:8080, not {0}")]
    NotLoopback(SocketAddr),
    #[error("{path}: {why}", path = path.display())]
    File { path: PathBuf, why: String },
}

/// Runs the command.
pub fn run(args: DemoArgs) -> ExitCode {
    terminal::log(args.json || args.only_history);
    match block(start(args)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => refused(&error),
        Err(error) => refused(&error),
    }
}

fn text(chinese: &str, english: &str) -> Text {
    Text::from_iter([(Language::ZhTw, chinese.to_owned()), (Language::En, english.to_owned())])
}

/// The configuration of a demonstration's data folder, without its outside parties.
pub fn config_for(data: &Path) -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        #[expect(clippy::expect_used, reason = "a constant address")]
        portal: Url::parse("http://127.0.0.1/").expect("a constant address"),
        database: None,
        data: data.to_path_buf(),
        master_keys: None,
        lookup_key: None,
        destroyed_keys: None,
        ledger: crate::config::Ledger::default(),
        services: None,
        datasets: None,
        programmes: None,
        hub: None,
        policies: None,
        calendar: None,
        breach: None,
        city: City {
            region: demo::REGION.to_owned(),
            name: text(demo::NAME, "Taichung City"),
            agency: text(AGENCY, "Social Affairs Bureau, Taichung City Government"),
            phone: "04-22289111".to_owned(),
            sender: "no-reply@city.example".to_owned(),
            security_contact: None,
            account: Account {
                name: "臺中市市庫".to_owned(),
                bank: "004".to_owned(),
                number: "010000000001".to_owned(),
                most_payments: 20_000,
            },
            grace_minutes: 1,
        },
        agents: crate::config::Agents::default(),
        oidc: None,
        levels: exchange::oidc::Levels::default(),
        issuers: Vec::new(),
        fido: None,
        certificate: None,
        identity: crate::identity::Identity::default(),
        mydata: None,
        mydata_provider: None,
        wallet: None,
        troad: None,
        mail: None,
        sms: None,
        line: None,
        push: None,
    }
}

async fn start(args: DemoArgs) -> Result<(), DemoError> {
    if !args.listen.ip().is_loopback() {
        return Err(DemoError::NotLoopback(args.listen));
    }
    if args.only_history {
        return past(&args).await;
    }
    mark(&args.data)?;
    let lock = server::lock(&args.data)?;
    let progress = Progress::begin();
    let city = Arc::new(city(&args, &progress)?);
    let listener = server::listen(args.listen).await?;
    let listen = listener.local_addr().unwrap_or(args.listen);
    let mut config = configured(&args, listen)?;
    config.programmes = Some(call::open(&args.data).map_err(|why| DemoError::File {
        path: args.data.join("programmes"),
        why: why.to_string(),
    })?);
    let members = staff::members(&args.data)?;
    let catalogue = server::catalogue(&config)?;
    // before anything opens the datasets, which takes their keys
    datasets::send(&config, &city)?;
    if !args.no_history && !history::is_made(&args.data) {
        progress.step("letting the last eight weeks pass · 產生過去八週的申請案");
        apart(&args, listen).await?;
    }
    progress.step("starting sign-in, MyData, mailbox and bank · 啟動登入、MyData、信箱和銀行");
    let offered = (0..city.families()).filter_map(|family| city.head_account(family));
    let offered: Vec<String> = offered.take(args.offer).map(|account| account.national_id).collect();
    let listed = Arc::clone(&city);
    let population: Arc<dyn peers::Population> = Arc::clone(&city) as _;
    let world = peers::Config {
        population: city,
        folder: args.data.join("peers"),
        redirect_url: address(&format!("http://{listen}/sign-in/return"))?,
        return_url: address(&format!("http://{listen}/mydata/return"))?,
        notify_url: address(&format!("http://{listen}/mydata/notify"))?,
        resources: resources(&catalogue),
        offered: offered_sets(&catalogue, listen)?,
        cards: members.iter().map(Member::card).collect(),
        wait_seconds: 2,
        ports: ports(listen.port()),
    };
    // whoever tries the demonstration should not wait as long as the real agencies take
    let running = peers::start_on(world, peers::Terms::brief()).await?;
    drop(catalogue);
    connect(&mut config, &running);
    let wallet = peers::wallet::start(peers::wallet::Config {
        terms: peers::Terms::brief(),
        access_token: String::new(),
        callback_url: None,
        population: Some(Arc::clone(&listed) as Arc<dyn peers::Population>),
        port: if listen.port() == 8080 { 8087 } else { 0 },
    })
    .await?;
    config.wallet = Some(by_wallet(&wallet)?);
    // beside the portal's usual port stand the usual ports of the others
    let messages = messages::start(&mut config, &args.data, messages_port(listen.port())).await?;
    running.show_beside(&messages.address);
    let twins = peers::identity::start(peers::identity::Config {
        population,
        callback_url: address(&format!("http://{listen}/sign-in/phone/wait"))?,
        return_url: address(&format!("http://{listen}/sign-in/card/return"))?,
        agency: "DEMO".to_owned(),
        terms: peers::Terms::brief(),
        ports: if listen.port() == 8080 { (8085, 8086) } else { (0, 0) },
    })
    .await?;
    offer_certificates(&mut config, &twins)?;
    let road = peers::road::start(peers::road::Config {
        folder: args.data.join("peers").join("road"),
        registers: peers::road::sample(),
        denied: Vec::new(),
    })
    .await?;
    let directory = road.directory("city-services", &format!("http://{listen}/healthz"));
    config.troad = Some(road.configure(&args.data.join("troad"), &directory, &"0".repeat(64))?);
    progress.step("opening the store · 開啟資料庫");
    let desk = server::desk(
        &config,
        Arc::new(civic::SystemClock),
        SignedDuration::from_secs(args.grace.clamp(0, 3600)),
    )
    .await?;
    for member in &members {
        member.open(&desk).await?;
    }
    let known = cases::agents::all(&desk).await?;
    if !known.iter().any(|one| one.number == ORGANISATION.0) {
        cases::agents::add(&desk, ORGANISATION.0, ORGANISATION.1).await?;
    }
    if cases::register::summary(&desk).await?.is_none() {
        progress.step("taking in the register of residents · 匯入居民底冊");
        take_register(&desk, &listed, &args.data, config.services.as_deref()).await?;
    }
    progress.end();
    let beside = Beside {
        messages: &messages.address,
        wallet: &wallet.link(),
        phone: &twins.phone(),
        card: &twins.card(),
    };
    tell(&args, &config, &running, &beside, &members, &offered);
    server::run(&config, desk, listener, true, server::asked_to_stop()).await?;
    drop((road, wallet, messages, twins));
    running.shutdown().await;
    drop(lock);
    Ok(())
}

/// Takes the city in as the register of residents of the portal.
async fn take_register(
    desk: &cases::Desk,
    city: &Arc<demo::City>,
    data: &Path,
    folder: Option<&Path>,
) -> Result<(), DemoError> {
    let path = data.join("city").join("register.parquet");
    let (city, to) = (Arc::clone(city), path.clone());
    let file = |why: String| DemoError::File {
        path: data.to_path_buf(),
        why,
    };
    // the offices of services that invite know of everybody what these ask for
    let built_in = data.join("built-in").join("services");
    let mut asked = Vec::new();
    for service in desk.catalogue.all().filter(|service| service.meta.invite.is_some()) {
        let folder = folder.unwrap_or(&built_in).join(&service.id);
        asked.push(demo::Asked {
            service: service.id.clone(),
            rules: rules::RuleSet::load(&folder).map_err(|wrong| file(format!("{wrong:?}")))?,
            worked: services::worked(&folder).map_err(|wrong| file(format!("{wrong:?}")))?,
        });
    }
    tokio::task::spawn_blocking(move || city.write_register(&to, &asked))
        .await
        .map_err(|error| file(error.to_string()))??;
    let taken = cases::register::import(desk, &path, desk.today(), false).await?;
    // the plain table is not kept beside the encrypted one
    std::fs::remove_file(&path).map_err(|error| file(error.to_string()))?;
    match taken {
        cases::register::Imported::Taken { .. } => Ok(()),
        refused => Err(file(format!("the register has mistakes: {refused:?}"))),
    }
}

fn configured(args: &DemoArgs, listen: SocketAddr) -> Result<Config, DemoError> {
    let mut config = config_for(&args.data);
    config.listen = listen;
    config.database = args.database.clone();
    config.services = args.services.clone();
    config.portal = address(&format!("http://{listen}/"))?;
    config.hub = Some(crate::config::Hub::default());
    Ok(config)
}

/// Makes the past in a process of its own: the letters alone take memory that an idle portal would keep.
async fn apart(args: &DemoArgs, listen: SocketAddr) -> Result<(), DemoError> {
    let file = |why: std::io::Error| DemoError::File {
        path: args.data.clone(),
        why: format!("the past of the city can't be made: {why}"),
    };
    let mut command = std::process::Command::new(std::env::current_exe().map_err(file)?);
    command
        .args(["demo", "--only-history", "--listen", &listen.to_string(), "--data"])
        .arg(&args.data);
    if let Some(database) = &args.database {
        command.args(["--database", database]);
    }
    if let Some(services) = &args.services {
        command.arg("--services").arg(services);
    }
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null());
    let ended = tokio::task::spawn_blocking(move || command.status()).await;
    let status = ended
        .map_err(std::io::Error::other)
        .and_then(|status| status)
        .map_err(file)?;
    if !status.success() {
        tracing::warn!("the past of the city could not be made; the portal opens without it");
    }
    Ok(())
}

/// The other process: opens the city there is and makes its past.
async fn past(args: &DemoArgs) -> Result<(), DemoError> {
    let city = demo::City::open(&args.data.join("city"))?;
    let config = configured(args, args.listen)?;
    Ok(history::history(&config, &city, &staff::members(&args.data)?).await?)
}

fn address(text: &str) -> Result<Url, DemoError> {
    Url::parse(text).map_err(|error| DemoError::File {
        path: PathBuf::from(text),
        why: error.to_string(),
    })
}

/// Marks the folder as a demonstration's, and refuses one that is not.
fn mark(data: &Path) -> Result<(), DemoError> {
    let file = |error: std::io::Error| DemoError::File {
        path: data.to_path_buf(),
        why: error.to_string(),
    };
    let mark = data.join(DEMO_MARK);
    if data.join("tongban.sqlite").exists() && !mark.exists() {
        return Err(DemoError::NotADemonstration(data.to_path_buf()));
    }
    std::fs::create_dir_all(data).map_err(file)?;
    std::fs::write(mark, "Made-up people. `tongban serve` refuses this folder.\n").map_err(file)
}

/// The city of the folder, made if it is not there yet or another one was asked for.
fn city(args: &DemoArgs, progress: &Progress) -> Result<demo::City, DemoError> {
    let folder = args.data.join("city");
    if let Ok(city) = demo::City::open(&folder)
        && city.residents() == args.residents
    {
        progress.step(&format!(
            "opening the city of {} residents · 開啟示範城市",
            city.residents()
        ));
        return Ok(city);
    }
    progress.step(&format!("making a city of {} residents · 建立示範城市", args.residents));
    let city = demo::generate(args.residents, args.seed, civic::legal_day(jiff::Timestamp::now()))?;
    city.save(&folder)?;
    let mut told = 0;
    city.write_people(&folder.join("people.parquet"), &mut |done| {
        if done >= told + 20_000 {
            told = done;
            progress.step(&format!("{done} of {} residents written", args.residents));
        }
    })?;
    Ok(city)
}
