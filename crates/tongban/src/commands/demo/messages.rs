//! The services of short messages of the demonstration: their twin, and the city registered with it.

use std::path::{Path, PathBuf};

use exchange::ClientConfig;
use exchange::notify::sms;
use peers::PeerError;
use peers::notices::{self, Running};
use uuid::Uuid;

use crate::config::{Config, channels, make_secret};

/// The city's name at the gateway.
const ACCOUNT: &str = "tongban";

/// The secrets of the data folder, made at the first start.
struct Secrets {
    sms: PathBuf,
    token: PathBuf,
    line: PathBuf,
    push: PathBuf,
}

fn folder(path: &Path, why: impl ToString) -> PeerError {
    PeerError::Folder {
        path: path.to_path_buf(),
        why: why.to_string(),
    }
}

/// The text of a secret file, made where there is none.
fn kept(path: &Path, make: impl FnOnce() -> Result<String, PeerError>) -> Result<String, PeerError> {
    if !path.exists() {
        make_secret(path, &make()?).map_err(|error| folder(path, error))?;
    }
    std::fs::read_to_string(path).map_err(|error| folder(path, error))
}

/// Starts the twin and has the city send there. The twin's page shows what arrived.
///
/// # Errors
/// [`PeerError`].
pub async fn start(config: &mut Config, data: &Path, port: u16) -> Result<Running, PeerError> {
    let home = data.join("peers").join("messages");
    let secrets = Secrets {
        sms: home.join("sms"),
        token: home.join("line-token"),
        line: home.join("line-secret"),
        push: home.join("push-key"),
    };
    let random = || Ok(Uuid::new_v4().simple().to_string());
    let portal = config.portal.as_str().trim_end_matches('/').to_owned();
    let twin = notices::Config {
        account: (ACCOUNT.to_owned(), kept(&secrets.sms, random)?),
        line_token: kept(&secrets.token, random)?,
        line_secret: kept(&secrets.line, random)?,
        webhook: url::Url::parse(&format!("{portal}/line/webhook")).ok(),
        port,
    };
    kept(&secrets.push, || Ok(peers::push::key()?))?;
    let running = notices::start(twin).await?;
    connect(config, secrets, &running.address);
    Ok(running)
}

fn connect(config: &mut Config, secrets: Secrets, address: &str) {
    let client = ClientConfig {
        https_only: false,
        answer_seconds: 10,
        ..ClientConfig::default()
    };
    config.sms = Some(channels::Sms {
        gateway: sms::Config {
            url: format!("{address}/sms/send"),
            method: "POST".to_owned(),
            headers: std::collections::BTreeMap::new(),
            content_type: "application/x-www-form-urlencoded".to_owned(),
            body: format!("username={ACCOUNT}&password={{secret}}&dstaddr={{to}}&smbody={{text}}&clientid={{id}}"),
            encoding: sms::Encoding::Form,
            number: sms::Form::National,
            success: ["statuscode=0", "statuscode=1"].map(str::to_owned).to_vec(),
            never: vec!["statuscode=v".to_owned()],
            client: client.clone(),
        },
        secret_file: Some(secrets.sms),
    });
    config.line = Some(channels::Line {
        token_file: secrets.token,
        secret_file: Some(secrets.line),
        friend: format!("{address}/"),
        endpoint: Some(format!("{address}/v2/bot/message/push")),
        client: client.clone(),
    });
    let mut services = exchange::notify::webpush::services();
    services.push("127.0.0.1".to_owned());
    config.push = Some(channels::Push {
        key_file: secrets.push,
        contact: "mailto:city@demo.invalid".to_owned(),
        services: Some(services),
        client,
    });
}
