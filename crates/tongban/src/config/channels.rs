//! The ways beside mail on which people are told: `[sms]`, `[line]`, `[push]`. Their secrets stand in files of their own.

use exchange::ClientConfig;
use exchange::notify::{line, sms, webpush};
use serde::Deserialize;
use std::path::PathBuf;

use super::{Config, ConfigError, secret};

/// What stands in the gateway's address, headers or body for the secret of `secret_file`.
const SECRET: &str = "{secret}";

/// The gateway of text messages (簡訊).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// How the gateway is called; `{secret}` in its address, headers or body stands for the text of `secret_file`, written
    /// there as it is.
    pub gateway: sms::Config,
    /// File of the gateway's secret, that only its owner may read.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
}

/// The city's LINE account (官方帳號).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// File of the channel access token.
    pub token_file: PathBuf,
    /// File of the channel secret; without it residents can link no account.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// Address that adds the account as a friend.
    #[serde(default)]
    pub friend: String,
    /// Address of the push call, where it is not LINE's own.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// How it is called.
    #[serde(default)]
    pub client: ClientConfig,
}

/// Notifications of browsers (Web Push).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// File of the city's key (P-256, PKCS#8, PEM): `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.
    pub key_file: PathBuf,
    /// How a push service reaches the city, such as `mailto:` and an address.
    pub contact: String,
    /// Names of push services, where they are not those of the known browsers.
    #[serde(default)]
    pub services: Option<Vec<String>>,
    /// How they are called.
    #[serde(default)]
    pub client: ClientConfig,
}

/// The files that a configuration names.
pub(super) fn files(config: &mut Config) -> impl Iterator<Item = &mut PathBuf> {
    let sms = config.sms.as_mut().and_then(|sms| sms.secret_file.as_mut());
    let line = config.line.as_mut();
    let line = line.map(|line| std::iter::once(&mut line.token_file).chain(line.secret_file.as_mut()));
    let push = config.push.as_mut().map(|push| &mut push.key_file);
    sms.into_iter().chain(line.into_iter().flatten()).chain(push)
}

fn text(path: &std::path::Path, key: &'static str) -> Result<String, ConfigError> {
    Ok(secret(path, key)?.trim().to_owned())
}

impl Sms {
    fn gateway(&self) -> Result<sms::Gateway, ConfigError> {
        let mut config = self.gateway.clone();
        let wants = |config: &sms::Config| {
            let mut all = [&config.url, &config.body].into_iter().chain(config.headers.values());
            all.any(|text| text.contains(SECRET))
        };
        match (&self.secret_file, wants(&config)) {
            (Some(path), _) => {
                let secret = text(path, "sms.secret_file")?;
                for text in [&mut config.url, &mut config.body]
                    .into_iter()
                    .chain(config.headers.values_mut())
                {
                    *text = text.replace(SECRET, &secret);
                }
            }
            (None, true) => {
                return Err(ConfigError::Value {
                    key: "sms.secret_file",
                    why: "the gateway asks for `{secret}`; name the file that holds it".to_owned(),
                });
            }
            (None, false) => {}
        }
        sms::Gateway::new(config).map_err(wrong("sms"))
    }
}

impl Line {
    fn account(&self) -> Result<line::Line, ConfigError> {
        let secret = match &self.secret_file {
            Some(path) => text(path, "line.secret_file")?,
            None => String::new(),
        };
        let config = line::Config {
            endpoint: self.endpoint.clone().unwrap_or_else(line::endpoint),
            token: text(&self.token_file, "line.token_file")?,
            secret,
            friend: self.friend.clone(),
            client: self.client.clone(),
        };
        line::Line::new(config).map_err(wrong("line"))
    }
}

impl Push {
    fn pusher(&self) -> Result<webpush::Pusher, ConfigError> {
        let config = webpush::Config {
            key: secret(&self.key_file, "push.key_file")?.to_string(),
            contact: self.contact.clone(),
            services: self.services.clone().unwrap_or_else(webpush::services),
            client: self.client.clone(),
        };
        webpush::Pusher::new(config).map_err(wrong("push"))
    }
}

fn wrong(key: &'static str) -> impl Fn(exchange::notify::NotifyError) -> ConfigError {
    move |error| ConfigError::Value {
        key,
        why: error.to_string(),
    }
}

impl Config {
    /// The ways beside mail.
    ///
    /// # Errors
    /// [`ConfigError`] for a value or a file of secrets that can't be used.
    pub fn ways(&self) -> Result<cases::channels::Ways, ConfigError> {
        Ok(cases::channels::Ways {
            sms: self.sms.as_ref().map(Sms::gateway).transpose()?,
            line: self.line.as_ref().map(Line::account).transpose()?,
            push: self.push.as_ref().map(Push::pusher).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn file(folder: &std::path::Path, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    const GATEWAY: &str =
        "[gateway]\nurl = \"https://sms.example/send\"\nbody = \"password={secret}&to={to}&text={text}\"\n";

    #[test]
    fn the_secret_of_a_gateway_stands_in_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let without: Sms = toml::from_str(GATEWAY).unwrap();
        assert!(without.gateway().unwrap_err().to_string().contains("secret_file"));
        let path = file(folder.path(), "sms", "a-secret\n");
        let with: Sms = toml::from_str(&format!("secret_file = '{}'\n{GATEWAY}", path.display())).unwrap();
        assert!(!format!("{:?}", with.gateway().unwrap()).contains("a-secret"));
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(with.gateway().unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_key_that_is_none_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), "push", "no key");
        let push: Push = toml::from_str(&format!(
            "key_file = '{}'\ncontact = 'mailto:a@city.example'",
            path.display()
        ))
        .unwrap();
        let error = push.pusher().unwrap_err().to_string();
        assert!(error.contains("`push`") && error.contains("P-256"), "{error}");
    }
}
