//! `tongban doctor`: looks whether everything the platform needs is there.

use clap::Args;
use grants::Programme;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::{block, refused};
use crate::config::Config;
use crate::{server, terminal};

/// What `doctor` is told.
#[derive(Args)]
pub struct DoctorArgs {
    /// The configuration file of the platform
    #[arg(long)]
    config: PathBuf,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// Something looked at, and what is wrong with it.
struct Look {
    what: &'static str,
    problem: Option<String>,
}

/// Runs the command.
pub fn run(args: &DoctorArgs) -> ExitCode {
    terminal::log(true);
    let config = match Config::read(&args.config) {
        Ok(config) => config,
        Err(error) => return refused(&error),
    };
    let looks = match block(look(&config)) {
        Ok(looks) => looks,
        Err(error) => return refused(&error),
    };
    let sick = looks.iter().any(|look| look.problem.is_some());
    if args.json {
        let list: Vec<_> = looks
            .iter()
            .map(|look| serde_json::json!({ "what": look.what, "problem": look.problem }))
            .collect();
        println!("{}", serde_json::json!({ "well": !sick, "looked": list }));
    } else {
        for look in &looks {
            match &look.problem {
                None => println!("ok    {}", look.what),
                Some(problem) => println!("FAIL  {}: {problem}", look.what),
            }
        }
    }
    if sick { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn look(config: &Config) -> Vec<Look> {
    let mut looks = Vec::new();
    let mut add = |what, problem: Option<String>| looks.push(Look { what, problem });
    add(
        "calendar of working days",
        config.work_calendar().err().map(|error| error.to_string()),
    );
    add(
        "what the law asks after a breach",
        config.breach_policy().err().map(|error| error.to_string()),
    );
    add("keys", config.keys().err().map(|error| error.to_string()));
    match server::store(config, Arc::new(civic::SystemClock)).await {
        Ok(store) => {
            add("database and files", None);
            add(
                "record of use",
                store::ledger::verify(&store, None)
                    .await
                    .err()
                    .map(|error| error.to_string()),
            );
            add("clock", clock(&store).await);
            if let Ok(catalogue) = server::catalogue(config) {
                let problem = match cases::round::changes(&store, &catalogue).await {
                    Ok(changed) if changed.is_empty() => None,
                    Ok(changed) => Some(changed.iter().map(|one| one.sentence()).collect::<Vec<_>>().join("; ")),
                    Err(error) => Some(error.to_string()),
                };
                add("seats of sealed rounds", problem);
            }
            store.close().await;
        }
        Err(error) => add("database and files", Some(error.to_string())),
    }
    match server::catalogue(config) {
        Ok(catalogue) => {
            let withdrawn: Vec<&str> = catalogue.withdrawn().iter().map(|one| one.id.as_str()).collect();
            let problem = (!withdrawn.is_empty()).then(|| {
                format!(
                    "withdrawn: {}; run `tongban service check` on them",
                    withdrawn.join(", ")
                )
            });
            add("service folders", problem);
        }
        Err(error) => add("service folders", Some(error.to_string())),
    }
    if let Some(folder) = &config.programmes {
        add("subsidy programmes", left_out(folder));
    }
    match config.methods() {
        Err(error) => add("sign-in of residents", Some(error.to_string())),
        Ok(methods) => {
            add("sign-in of residents", lacks_methods(&methods));
            if !methods.issuers.is_empty() {
                add("issuers", unreachable_issuers(&methods).await);
            }
            if let (Some(fido), Some(_)) = (&config.fido, &methods.phone) {
                add("行動自然人憑證", unreachable_url(&fido.api).await);
            }
            if let (Some(certificate), Some(card)) = (&config.certificate, &methods.card) {
                add(
                    "revocation lists",
                    card.lists.read().err().map(|error| error.to_string()),
                );
                add(
                    "query whose card it is",
                    unreachable_url(&certificate.ics.address).await,
                );
            }
        }
    }
    if let Some(provider) = &config.mydata_provider {
        let made = exchange::mydata::provider::Provider::new(provider.clone());
        add("MyData, as data provider", made.err().map(|error| error.to_string()));
    }
    if let Some(mydata) = &config.mydata {
        let connector = exchange::mydata::Connector::new(mydata.clone());
        if let (Ok(connector), Ok(catalogue)) = (&connector, server::catalogue(config)) {
            add("data sets of MyData", data_sets(connector, &catalogue).await);
        }
        let problem = connector.err().map(|error| error.to_string());
        let host = mydata.platform.host_str().unwrap_or_default().to_owned();
        let port = mydata.platform.port_or_known_default().unwrap_or(443);
        add(
            "MyData",
            match problem {
                Some(problem) => Some(problem),
                None => unreachable(&host, port).await,
            },
        );
    }
    if config.wallet.is_some()
        && let Ok(catalogue) = server::catalogue(config)
    {
        let made = crate::wallet::wallet(config, &catalogue);
        add("digital wallet", made.err().map(|error| error.to_string()));
    }
    if config.sms.is_some() || config.line.is_some() || config.push.is_some() {
        add(
            "text messages, LINE and push messages",
            config.ways().err().map(|error| error.to_string()),
        );
    }
    if let Some(sms) = &config.sms
        && let Some((host, port)) = at(&sms.gateway.url)
    {
        add("gateway of text messages", unreachable(&host, port).await);
    }
    if let Some(line) = &config.line {
        let endpoint = line.endpoint.clone().unwrap_or_else(exchange::notify::line::endpoint);
        if let Some((host, port)) = at(&endpoint) {
            add("LINE", unreachable(&host, port).await);
        }
    }
    if let Some(mail) = &config.mail {
        add("mail server", unreachable(&mail.host, mail.port).await);
    }
    looks
}

/// Whether the clock can be trusted as far as the record of use tells.
async fn clock(store: &store::Store) -> Option<String> {
    match store::ledger::between(store.read(), None, None, None, 1).await {
        Ok(entries) => behind(Timestamp::now(), entries.first()?.entry.at),
        Err(error) => Some(error.to_string()),
    }
}

/// What is wrong where `now` stands before the newest entry of the record of use, as after a battery that died: deadlines and
/// tickets would be judged by a time that was before.
fn behind(now: Timestamp, newest: Timestamp) -> Option<String> {
    (now < newest).then(|| {
        format!("this machine says {now}, the newest entry of the record of use is of {newest}; set the clock before serving")
    })
}

/// Whether nobody can sign in, or nobody strongly enough for what is demanded.
fn lacks_methods(methods: &cases::identity::Methods) -> Option<String> {
    if methods.issuers.is_empty() && methods.phone.is_none() && methods.card.is_none() {
        return Some(
            "neither `oidc`, `issuers`, `fido` nor `certificate` is configured; nobody can sign in".to_owned(),
        );
    }
    let needed = methods.least?;
    let issuers = methods.issuers.iter().filter_map(cases::identity::Issuer::best);
    let others = [
        methods.phone.as_ref().map(|phone| phone.level),
        methods.card.as_ref().map(|card| card.level),
    ];
    let reaches = issuers
        .chain(others.into_iter().flatten())
        .any(|level| level.reaches(needed));
    (!reaches).then(|| {
        format!(
            "no method reaches level {} of `identity.level`; nobody can apply",
            needed.number()
        )
    })
}

async fn unreachable_issuers(methods: &cases::identity::Methods) -> Option<String> {
    let mut problems = Vec::new();
    for issuer in &methods.issuers {
        if let Err(error) = issuer.provider().await {
            problems.push(format!("`{}`: {error}", issuer.id));
        }
    }
    (!problems.is_empty()).then(|| problems.join("; "))
}

async fn unreachable_url(url: &url::Url) -> Option<String> {
    let host = url.host_str().unwrap_or_default();
    unreachable(host, url.port_or_known_default().unwrap_or(443)).await
}

/// Which folders of subsidy programmes the platform would leave out: their plans could not be read then, nor sent in time.
fn left_out(programmes: &Path) -> Option<String> {
    let folders = match server::programme_folders(programmes) {
        Ok(folders) => folders,
        Err(error) => return Some(error.to_string()),
    };
    let unsound = folders.iter().filter(|folder| Programme::load(folder).is_err());
    let names: Vec<String> = unsound.map(|folder| folder.display().to_string()).collect();
    (!names.is_empty()).then(|| format!("left out: {}; run `tongban programme check` on them", names.join(", ")))
}

/// Which of the data sets that services ask for the platform does not give now.
async fn data_sets(connector: &exchange::mydata::Connector, catalogue: &services::Catalogue) -> Option<String> {
    let offered = match connector.offered().await {
        Ok(offered) => offered,
        Err(error) => return Some(error.to_string()),
    };
    let asked: std::collections::BTreeSet<&String> =
        catalogue.all().flat_map(|service| service.meta.mydata.iter()).collect();
    let lacking: Vec<&str> = asked
        .into_iter()
        .filter(|id| !offered.iter().any(|one| one.resource_id == **id && one.is_good()))
        .map(String::as_str)
        .collect();
    (!lacking.is_empty()).then(|| format!("out of order or not offered: {}", lacking.join(", ")))
}

/// Host and port of an address; what is filled in later stands behind them.
fn at(address: &str) -> Option<(String, u16)> {
    let url = url::Url::parse(address).ok()?;
    Some((url.host_str()?.to_owned(), url.port_or_known_default()?))
}

async fn unreachable(host: &str, port: u16) -> Option<String> {
    match tokio::time::timeout(Duration::from_secs(10), tokio::net::TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(format!("{host}:{port}: {error}")),
        Err(_) => Some(format!("{host}:{port}: no answer in ten seconds")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn a_clock_that_went_back_is_told() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24);
        let second = SignedDuration::from_secs(1);
        assert_eq!(super::behind(now, now), None);
        assert_eq!(super::behind(now, now - second), None);
        let told = super::behind(now, now + second).unwrap_or_default();
        assert!(told.contains("1970-01-02T00:00:01Z"), "{told}");
    }
}
