//! The methods by which residents sign in, as the configuration says: issuers, 行動自然人憑證, 自然人憑證. Secrets stand in files
//! of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cases::identity::card::Lists;
use cases::identity::{Card, Issuer, Methods, Phone};
use civic::{Language, Text};
use exchange::certificate::ics::{self, Ics};
use exchange::certificate::sign_in::{self, SignIn};
use exchange::oidc::{Level, Levels};
use exchange::{ClientConfig, fido};
use jiff::SignedDuration;
use serde::Deserialize;
use url::Url;

use crate::config::{Config, ConfigError, secret};

/// What services demand that say nothing of it themselves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// 1 (a card) to 4 (two documents); without it nothing is demanded.
    #[serde(default)]
    pub level: Option<Level>,
}

/// One of several issuers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Short name in addresses: small letters, digits, `-`.
    pub id: String,
    /// What people call it.
    pub name: Text,
    /// Which claims mean which level.
    #[serde(default)]
    pub levels: Levels,
    /// File of the city's secret there.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// As registered with it.
    pub oidc: exchange::oidc::Config,
}

/// 行動自然人憑證, as registered.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FidoConfig {
    /// Host of the calls.
    pub api: Url,
    /// Host of the authority's own page.
    pub web: Url,
    /// The service's name (`sp_service_id`).
    pub sp_service_id: String,
    /// File of the service's AES-256 key in Base64.
    #[serde(default)]
    pub key_file: PathBuf,
    /// The key itself; the demonstration's alone.
    #[serde(skip)]
    pub key: Option<String>,
    /// Order of the joined fields.
    #[serde(default)]
    pub orders: fido::Orders,
    /// Meanings of codes beside those known.
    #[serde(default)]
    pub codes: BTreeMap<String, fido::Reason>,
    /// How it is called.
    #[serde(default)]
    pub client: ClientConfig,
    /// Seconds that the person has, 30 to 600.
    #[serde(default = "seconds")]
    pub seconds: u16,
    /// What it counts as.
    #[serde(default = "second")]
    pub level: u8,
}

/// 自然人憑證.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateConfig {
    /// File of the roots (政府憑證總管理中心), PEM.
    #[serde(default)]
    pub roots: PathBuf,
    /// File of the authorities under them (內政部憑證管理中心), PEM.
    #[serde(default)]
    pub intermediates: Option<PathBuf>,
    /// Roots and authorities themselves; the demonstration's alone.
    #[serde(skip)]
    pub pem: Option<(String, String)>,
    /// Folder of revocation lists (`*.crl`) and OCSP answers (`*.ocsp`), DER.
    #[serde(default)]
    pub revocation: Option<PathBuf>,
    /// Refuses a card of which no list in the folder speaks.
    #[serde(default = "yes")]
    pub revocation_required: bool,
    /// The city's name in the text that is signed; without it the portal's host.
    #[serde(default)]
    pub audience: Option<String>,
    /// Seconds that a text lives.
    #[serde(default = "life_seconds")]
    pub life_seconds: i64,
    /// Seconds that clocks may differ.
    #[serde(default = "skew_seconds")]
    pub skew_seconds: i64,
    /// Address of the page that reaches the card; without it signatures are put in by hand.
    #[serde(default)]
    pub component: Option<Url>,
    /// What it counts as.
    #[serde(default = "first")]
    pub level: u8,
    /// Whose card it is.
    pub ics: IcsConfig,
}

/// The query of 內政部 whose card it is.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IcsConfig {
    /// Address.
    pub address: Url,
    /// The city's name there.
    pub agency: String,
    /// File of the agency's RSA key (PKCS#8, PEM).
    #[serde(default)]
    pub key_file: PathBuf,
    /// The key itself; the demonstration's alone.
    #[serde(skip)]
    pub key: Option<String>,
    /// Names of the fields.
    #[serde(default)]
    pub fields: ics::Fields,
    /// How it is called.
    #[serde(default)]
    pub client: ClientConfig,
}

/// Shows no key.
impl std::fmt::Debug for FidoConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FidoConfig")
            .field("api", &self.api.as_str())
            .field("sp_service_id", &self.sp_service_id)
            .finish_non_exhaustive()
    }
}

/// Shows no key.
impl std::fmt::Debug for CertificateConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertificateConfig")
            .field("roots", &self.roots)
            .field("revocation", &self.revocation)
            .finish_non_exhaustive()
    }
}

fn seconds() -> u16 {
    180
}

fn first() -> u8 {
    1
}

fn second() -> u8 {
    2
}

fn yes() -> bool {
    true
}

fn life_seconds() -> i64 {
    300
}

fn skew_seconds() -> i64 {
    60
}

/// The id of the issuer of `[oidc]`, of which there is one.
pub const ONLY: &str = "oidc";

fn wrong(key: &'static str, why: impl std::fmt::Display) -> ConfigError {
    ConfigError::Value {
        key,
        why: why.to_string(),
    }
}

impl Config {
    /// Puts the folder of the configuration before the paths of the methods.
    pub(crate) fn place_identity(&mut self, folder: &Path) {
        let absolute = |path: &mut PathBuf| *path = folder.join(&*path);
        self.issuers
            .iter_mut()
            .filter_map(|issuer| issuer.client_secret_file.as_mut())
            .for_each(absolute);
        if let Some(fido) = &mut self.fido {
            absolute(&mut fido.key_file);
        }
        if let Some(card) = &mut self.certificate {
            absolute(&mut card.roots);
            absolute(&mut card.ics.key_file);
            card.intermediates.iter_mut().for_each(absolute);
            card.revocation.iter_mut().for_each(absolute);
        }
    }

    /// Looks at what can be told without files and without the network.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub(crate) fn check_identity(&self) -> Result<(), ConfigError> {
        let mut ids = BTreeSet::new();
        let count = self.issuers.len() + usize::from(self.oidc.is_some());
        for issuer in &self.issuers {
            let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
            if issuer.id.is_empty() || issuer.id.len() > 20 || !issuer.id.chars().all(plain) || issuer.id == ONLY {
                return Err(wrong(
                    "issuers.id",
                    format!(
                        "`{}` can't stand in an address; use small letters, digits and `-`",
                        issuer.id
                    ),
                ));
            }
            if !ids.insert(&issuer.id) {
                return Err(wrong("issuers.id", format!("`{}` stands here twice", issuer.id)));
            }
            // an address of its own keeps one issuer from answering for another
            let own = format!("/sign-in/return/{}", issuer.id);
            if count > 1 && issuer.oidc.redirect_url.path() != own {
                return Err(wrong(
                    "issuers.oidc.redirect_url",
                    format!("where there are several issuers, register `{own}` with `{}`", issuer.id),
                ));
            }
        }
        if let Some(fido) = &self.fido {
            if !(30..=600).contains(&fido.seconds) {
                return Err(wrong("fido.seconds", "30 to 600 seconds"));
            }
            level("fido.level", fido.level)?;
        }
        if let Some(card) = &self.certificate {
            level("certificate.level", card.level)?;
            if !(30..=3600).contains(&card.life_seconds) || !(0..=600).contains(&card.skew_seconds) {
                return Err(wrong(
                    "certificate.life_seconds",
                    "a text lives 30 to 3600 seconds, and clocks differ by at most 600",
                ));
            }
            if card.revocation_required && card.revocation.is_none() {
                return Err(wrong(
                    "certificate.revocation",
                    "name the folder of the authority's lists, or write `revocation_required = false` and accept revoked cards",
                ));
            }
        }
        Ok(())
    }

    /// The methods, with their files read. Issuers are found when they are first needed.
    ///
    /// # Errors
    /// [`ConfigError`] names what can't be used.
    pub fn methods(&self) -> Result<Methods, ConfigError> {
        let mut issuers = Vec::new();
        if let Some(oidc) = &self.oidc {
            let name = [
                (Language::ZhTw, "數位身分帳號"),
                (Language::En, "Digital identity account"),
            ];
            let name = Text::from_iter(name.map(|(language, text)| (language, text.to_owned())));
            issuers.push(Issuer::new(ONLY.to_owned(), name, self.levels.clone(), oidc.clone()));
        }
        for issuer in &self.issuers {
            let mut oidc = issuer.oidc.clone();
            if let Some(path) = &issuer.client_secret_file {
                oidc.client_secret = Some(secret(path, "issuers.client_secret_file")?.trim().to_owned());
            }
            issuers.push(Issuer::new(
                issuer.id.clone(),
                issuer.name.clone(),
                issuer.levels.clone(),
                oidc,
            ));
        }
        Ok(Methods {
            issuers,
            phone: self.fido.as_ref().map(phone).transpose()?,
            card: self.certificate.as_ref().map(|card| self.card(card)).transpose()?,
            least: self.identity.level,
        })
    }

    fn card(&self, card: &CertificateConfig) -> Result<Card, ConfigError> {
        let text = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
                path: path.to_owned(),
                why: error.to_string(),
            })
        };
        let (roots, intermediates) = match &card.pem {
            Some(pem) => pem.clone(),
            None => (
                text(&card.roots)?,
                card.intermediates.as_deref().map(text).transpose()?.unwrap_or_default(),
            ),
        };
        let host = self.portal.host_str().unwrap_or_default().to_owned();
        let config = sign_in::Config {
            roots,
            intermediates,
            audience: card.audience.clone().unwrap_or(host),
            life_seconds: card.life_seconds,
            skew_seconds: card.skew_seconds,
        };
        let key = match &card.ics.key {
            Some(key) => key.clone(),
            None => secret(&card.ics.key_file, "certificate.ics.key_file")?.to_string(),
        };
        let ics = Ics::new(ics::Config {
            address: card.ics.address.clone(),
            agency: card.ics.agency.clone(),
            key,
            fields: card.ics.fields.clone(),
            client: card.ics.client.clone(),
        });
        Ok(Card {
            sign_in: SignIn::new(config).map_err(|error| wrong("certificate.roots", error))?,
            lists: Arc::new(Lists::new(
                card.revocation.clone(),
                card.revocation_required,
                SignedDuration::from_secs(card.skew_seconds),
            )),
            ics: ics.map_err(|error| wrong("certificate.ics", error))?,
            level: level("certificate.level", card.level)?,
            component: card.component.clone(),
        })
    }
}

fn phone(config: &FidoConfig) -> Result<Phone, ConfigError> {
    let key = match &config.key {
        Some(key) => key.clone(),
        None => secret(&config.key_file, "fido.key_file")?.trim().to_owned(),
    };
    let service = fido::Service::new(fido::Config {
        api: config.api.clone(),
        web: config.web.clone(),
        sp_service_id: config.sp_service_id.clone(),
        key,
        orders: config.orders.clone(),
        codes: config.codes.clone(),
        client: config.client.clone(),
    });
    Ok(Phone {
        service: service.map_err(|error| wrong("fido", error))?,
        level: level("fido.level", config.level)?,
        seconds: config.seconds,
    })
}

fn level(key: &'static str, number: u8) -> Result<Level, ConfigError> {
    Level::new(number).ok_or_else(|| wrong(key, "a level is 1, 2, 3 or 4"))
}
