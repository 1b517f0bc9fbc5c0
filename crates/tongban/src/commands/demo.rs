//! `tongban demo`: the demonstration city with its outside world on loopback, and the portal open.

use cases::{Role, staff};
use civic::{Language, Text};
use clap::Args;
use jiff::SignedDuration;
use peers::{Card, Ports, Resource, Running};
use serde::{Deserialize, Serialize};
use services::Catalogue;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

use super::{block, refused};
use crate::config::{Account, City, Config};
use crate::demo::{self, CityError};
use crate::history::{self, HistoryError};
use crate::identity::{CertificateConfig, FidoConfig, IcsConfig};
use crate::server::{self, DEMO_MARK, ServeError};
use crate::terminal::{self, Progress};

/// The office that decides in the demonstration; the service folders name the same.
const AGENCY: &str = "臺中市政府社會局";
/// The office that knows who owns which house.
const TAX: &str = "臺中市政府地方稅務局";
/// The office that gives places in kindergartens.
const EDUCATION: &str = "臺中市政府教育局";

/// An organisation that may act for residents: number, name.
const ORGANISATION: (&str, &str) = ("04595257", "示範社會福利協會");

/// The office that lets social housing.
const HOUSING: &str = "臺中市政府住宅發展工程處";

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
        services: None,
        datasets: None,
        policies: None,
        calendar: None,
        city: City {
            region: demo::REGION.to_owned(),
            name: text(demo::NAME, "Taichung City"),
            agency: text(AGENCY, "Social Affairs Bureau, Taichung City Government"),
            phone: "04-22289111".to_owned(),
            sender: "no-reply@city.example".to_owned(),
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
    let members = members(&args.data)?;
    if !args.no_history && !history::is_made(&args.data) {
        progress.step("letting the last eight weeks pass · 產生過去八週的申請案");
        apart(&args, listen).await?;
    }
    progress.step("starting sign-in, MyData, mailbox and bank · 啟動登入、MyData、信箱和銀行");
    let offered = (0..city.families()).filter_map(|family| city.head_account(family));
    let offered: Vec<String> = offered.take(args.offer).map(|account| account.national_id).collect();
    let catalogue = server::catalogue(&config)?;
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
    let messages = super::demo_messages::start(&mut config, &args.data, messages_port(listen.port())).await?;
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
    Ok(history::history(&config, &city, &members(&args.data)?).await?)
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

/// The usual ports stand beside the portal's usual one; any other portal lets the system choose.
fn ports(portal: u16) -> Ports {
    if portal == 8080 {
        Ports {
            issuer: 8081,
            mydata: 8082,
            mailbox: 8083,
            bank: 8084,
            smtp: 8025,
        }
    } else {
        Ports::default()
    }
}

fn messages_port(portal: u16) -> u16 {
    if portal == 8080 { 8088 } else { 0 }
}

fn resources(catalogue: &Catalogue) -> Vec<Resource> {
    let language = Language::ZhTw;
    let known = catalogue.mappings().map(|mapping| Resource {
        id: mapping.resource_id.clone(),
        title: mapping.title.get(language).to_owned(),
        agency: mapping.agency.get(language).to_owned(),
        file: mapping.file.clone(),
        immediate: mapping.immediate,
    });
    known.collect()
}

/// The data sets of the city, as they are registered with the platform.
fn offered_sets(catalogue: &Catalogue, listen: SocketAddr) -> Result<Vec<peers::CityDataSet>, DemoError> {
    let language = Language::ZhTw;
    let sets = catalogue.all_offered().map(|offered| {
        let parameters = offered.parameters.iter();
        Ok(peers::CityDataSet {
            resource_id: offered.resource_id.clone(),
            title: offered.title.get(language).to_owned(),
            address: address(&format!("http://{listen}/mydata/provider/{}", offered.resource_id))?,
            parameters: parameters
                .map(|one| (one.name.clone(), one.title.get(language).to_owned()))
                .collect(),
        })
    });
    sets.collect()
}

/// Registers the city with its outside parties.
fn connect(config: &mut Config, running: &Running) {
    let client: exchange::ClientConfig = exchange::ClientConfig {
        https_only: false,
        ..Default::default()
    };
    let portal = config.portal.as_str().trim_end_matches('/').to_owned();
    let url = |path: &str| Url::parse(&format!("{portal}{path}")).ok();
    if let Some(redirect_url) = url("/sign-in/return") {
        config.oidc = Some(exchange::oidc::Config {
            issuer: running.issuer.address.clone(),
            client_id: running.issuer.client_id.clone(),
            client_secret: Some(running.issuer.client_secret.clone()),
            redirect_url,
            scopes: vec!["profile".to_owned(), "uid".to_owned()],
            national_id_claim: "uid".to_owned(),
            name_claim: "cn".to_owned(),
            pending_seconds: 900,
            skew_seconds: 60,
            iss_required: false,
            client: client.clone(),
        });
    }
    if let Some(return_url) = url("/mydata/return") {
        config.mydata = Some(exchange::mydata::Config {
            platform: running.mydata.address.clone(),
            client_id: running.mydata.client_id.clone(),
            client_secret: running.mydata.client_secret.clone(),
            cbc_iv: running.mydata.cbc_iv.clone(),
            return_url,
            api_key: Some(running.mydata.api_key.clone()),
            government_roots: running.mydata.government_root.clone(),
            intermediates: String::new(),
            signers: std::collections::BTreeMap::new(),
            client: client.clone(),
            times: exchange::mydata::Times {
                least_retry_seconds: 1,
                ..Default::default()
            },
            limits: exchange::mydata::PackageLimits::default(),
            confirm_person: true,
            meta_folder: "META-INFO".to_owned(),
            data_prefix: "application/zip;data:".to_owned(),
        });
    }
    let secrets = &running.mydata.resource_secrets;
    config.mydata_provider = Some(exchange::mydata::provider::Config {
        platform: running.mydata.address.clone(),
        resources: secrets
            .iter()
            .map(|(id, secret)| {
                (
                    id.clone(),
                    exchange::mydata::provider::Offered { secret: secret.clone() },
                )
            })
            .collect(),
        certificate: running.mydata.city_certificate.clone(),
        private_key: running.mydata.city_key.clone(),
        client,
        token_prefix: "mydata::".to_owned(),
        meta_folder: "META-INFO".to_owned(),
        longest_seconds: 5400,
    });
    config.mail = Some(exchange::mail::Config {
        host: running.smtp.ip().to_string(),
        port: running.smtp.port(),
        protection: exchange::mail::Protection::None,
        username: None,
        password: None,
        from: config.city.sender.clone(),
        from_name: Some(config.city.name.get(Language::ZhTw).to_owned()),
        timeout_seconds: 10,
        connections: 2,
    });
}

/// Registers the city with wallets: its keys, and the issuer of the demonstration as the only one that is believed.
fn by_wallet(twin: &peers::wallet::Running) -> Result<crate::wallet::WalletConfig, DemoError> {
    Ok(crate::wallet::WalletConfig {
        request_key: Some(twin.city_keys.0.clone()),
        card_key: Some(twin.city_keys.1.clone()),
        issuers: vec![exchange::wallet::verifier::TrustedIssuer {
            did: twin.issuer.clone(),
            name: "示範發證機關".to_owned(),
            credential_types: vec!["00000000_disability_card".to_owned()],
            lists: address(&format!("{}/api/status-list/", twin.address))?,
        }],
        status_required: true,
        show_link: twin.link(),
        give_link: twin.link(),
        client: exchange::ClientConfig {
            https_only: false,
            ..crate::wallet::quick()
        },
    })
}

/// Registers the city for sign-in by phone and by card, and says what its issuer proves.
fn offer_certificates(config: &mut Config, twins: &peers::identity::Running) -> Result<(), DemoError> {
    let client = exchange::ClientConfig {
        https_only: false,
        ..Default::default()
    };
    // an account with a registered password, as far as anybody can tell
    config.levels = exchange::oidc::Levels(
        exchange::oidc::Level::new(3)
            .map(|level| exchange::oidc::LevelRule {
                claim: "amr".to_owned(),
                value: "hwk".to_owned(),
                level,
            })
            .into_iter()
            .collect(),
    );
    let facts = &twins.fido.facts;
    config.fido = Some(FidoConfig {
        api: address(&facts.address)?,
        web: address(&facts.address)?,
        sp_service_id: facts.sp_service_id.clone(),
        key_file: PathBuf::new(),
        key: Some(facts.key.clone()),
        orders: exchange::fido::Orders::default(),
        codes: std::collections::BTreeMap::new(),
        client: client.clone(),
        seconds: 180,
        level: 2,
    });
    config.certificate = Some(CertificateConfig {
        roots: PathBuf::new(),
        intermediates: None,
        pem: Some((twins.authority.root_pem(), twins.authority.authority_pem())),
        revocation: None,
        revocation_required: false,
        audience: None,
        life_seconds: 300,
        skew_seconds: 60,
        component: Some(address(&twins.card())?),
        level: 1,
        ics: IcsConfig {
            address: address(&format!("{}/ics/query", twins.ics.address))?,
            agency: "DEMO".to_owned(),
            key_file: PathBuf::new(),
            key: Some(twins.agency_key.clone()),
            fields: exchange::certificate::ics::Fields::default(),
            client,
        },
    });
    Ok(())
}

/// A member of the demonstration's staff, kept in the data folder.
#[derive(Serialize, Deserialize)]
pub struct Member {
    account: String,
    name: String,
    role: String,
    /// Office, as the services name it; folders made by earlier versions say none.
    #[serde(default = "social")]
    agency: String,
    password: String,
    /// Base32, as authenticator apps take it.
    totp_secret: String,
    secret: Vec<u8>,
}

/// Account, name, role, office.
const STAFF: &[(&str, &str, Role, &str)] = &[
    ("officer", "承辦人甲", Role::Officer, AGENCY),
    ("officer2", "承辦人乙", Role::Officer, AGENCY),
    ("supervisor", "主管", Role::Supervisor, AGENCY),
    ("cashier", "出納甲", Role::Cashier, AGENCY),
    ("cashier2", "出納乙", Role::Cashier, AGENCY),
    ("auditor", "稽核", Role::Auditor, AGENCY),
    ("admin", "系統管理員", Role::Administrator, AGENCY),
    ("clerk", "櫃臺人員甲", Role::Clerk, AGENCY),
    ("clerk2", "櫃臺人員乙", Role::Clerk, AGENCY),
    ("education", "教育局承辦人", Role::Officer, EDUCATION),
    ("education2", "教育局主管", Role::Supervisor, EDUCATION),
    ("education3", "教育局出納甲", Role::Cashier, EDUCATION),
    ("education4", "教育局出納乙", Role::Cashier, EDUCATION),
    ("housing", "住宅處承辦人", Role::Officer, HOUSING),
    ("housing2", "住宅處主管", Role::Supervisor, HOUSING),
    ("tax", "稅務局承辦人", Role::Officer, TAX),
    ("school", "示範高中註冊組", Role::Confirmer, "demo-senior"),
    ("school2", "示範大學註冊組", Role::Confirmer, "demo-university"),
    ("village", "里幹事", Role::VillageOfficer, AGENCY),
    ("welfare", "社工員", Role::Organisation, ORGANISATION.0),
];

/// The office of accounts of which no other is known.
fn social() -> String {
    AGENCY.to_owned()
}

/// The staff of the folder, made at the first start.
fn members(data: &Path) -> Result<Vec<Member>, DemoError> {
    let path = data.join("staff.json");
    let file = |why: String| DemoError::File {
        path: path.clone(),
        why,
    };
    if let Ok(bytes) = std::fs::read(&path) {
        return serde_json::from_slice(&bytes).map_err(|error| file(error.to_string()));
    }
    let mut members = Vec::new();
    for &(account, name, role, agency) in STAFF {
        let secret = super::staff::secret().map_err(|error| file(error.to_string()))?;
        members.push(Member {
            account: account.to_owned(),
            name: name.to_owned(),
            role: role.word().to_owned(),
            agency: agency.to_owned(),
            password: format!("{account}-tongban-demo"),
            totp_secret: super::staff::base32(secret.as_slice()),
            secret: secret.to_vec(),
        });
    }
    let bytes = serde_json::to_vec_pretty(&members).map_err(|error| file(error.to_string()))?;
    std::fs::write(&path, bytes).map_err(|error| file(error.to_string()))?;
    Ok(members)
}

impl Member {
    fn card(&self) -> Card {
        Card {
            account: self.account.clone(),
            password: self.password.clone(),
            role: self.name.clone(),
            secret: self.secret.clone(),
        }
    }

    /// Opens the account, if it is not open yet.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(&self, desk: &cases::Desk) -> Result<(), cases::CaseError> {
        let Some(role) = Role::parse(&self.role) else {
            return Ok(());
        };
        if staff::all(desk)
            .await?
            .iter()
            .any(|known| known.account == self.account)
        {
            return Ok(());
        }
        staff::add(
            desk,
            staff::NewStaff {
                account: self.account.clone(),
                name: self.name.clone(),
                role,
                agency: self.agency.clone(),
                password: Zeroizing::new(self.password.clone()),
                totp_secret: Zeroizing::new(self.secret.clone()),
            },
        )
        .await?;
        Ok(())
    }
}

/// Addresses of what stands beside the portal and is none of the [`Running`] peers.
struct Beside<'a> {
    messages: &'a str,
    wallet: &'a str,
    phone: &'a str,
    card: &'a str,
}

/// Says where everything is.
fn tell(
    args: &DemoArgs,
    config: &Config,
    running: &Running,
    beside: &Beside<'_>,
    members: &[Member],
    offered: &[String],
) {
    let portal = config.portal.as_str().trim_end_matches('/');
    let mut out = std::io::stdout().lock();
    if args.json {
        let staff: Vec<_> = members
            .iter()
            .map(|member| serde_json::json!({ "account": member.account, "password": member.password, "role": member.role, "name": member.name, "totp_secret": member.totp_secret }))
            .collect();
        let line = serde_json::json!({
            "portal": portal,
            "issuer": running.issuer.address,
            "mydata": running.mydata.address.as_str().trim_end_matches('/'),
            "mailbox": running.mailbox,
            "bank": running.bank,
            "messages": beside.messages,
            "wallet": beside.wallet,
            "phone": beside.phone,
            "card": beside.card,
            "residents": args.residents,
            "people": running.accounts().iter().map(|account| serde_json::json!({ "national_id": account.national_id, "name": account.name, "note": account.note, "email": account.email })).collect::<Vec<_>>(),
            "staff": staff,
            "offered": offered,
        });
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
        return;
    }
    let _ = writeln!(
        out,
        "\n  通辦 Tongban · 示範城市 demonstration city · {} 位虛構市民 made-up residents\n",
        args.residents
    );
    for (what, address) in [
        ("入口網 Portal", portal.to_owned()),
        ("承辦端 Office", format!("{portal}/office")),
        ("信箱 Mailbox", running.mailbox.clone()),
        ("簡訊、LINE、推播 Text messages, LINE, push", beside.messages.to_owned()),
        ("銀行 Bank", running.bank.clone()),
        ("數位憑證皮夾 Wallet", beside.wallet.to_owned()),
        (
            "代替手機的頁面 Stands in for the phone (行動自然人憑證)",
            beside.phone.to_owned(),
        ),
        (
            "代替讀卡機的頁面 Stands in for the card reader (自然人憑證)",
            beside.card.to_owned(),
        ),
        (
            "驗證碼 One-time codes of the staff",
            format!("{}/staff", running.mailbox),
        ),
    ] {
        let _ = writeln!(out, "  {address:<34} {what}");
    }
    let _ = writeln!(out, "\n  市民在登入頁選擇 Residents are chosen on the sign-in page:");
    for account in running.accounts() {
        let _ = writeln!(out, "  {}  {}  {}", account.national_id, account.name, account.note);
    }
    let _ = writeln!(
        out,
        "\n  也可以用手機或卡片登入：輸入上面的統一編號，再到代替手機或讀卡機的頁面確認。\n  \
         Or sign in by phone or card: type a national id from above, then confirm on the page that stands in."
    );
    let _ = writeln!(out, "\n  承辦人員 Staff (account, password, authenticator secret):");
    for member in members {
        let _ = writeln!(
            out,
            "  {:<11} {:<26} {}  {}",
            member.account, member.password, member.totp_secret, member.name
        );
    }
    let _ = writeln!(out, "\n  Ctrl-C 停止 stops. 資料在 Data in {}\n", args.data.display());
}
