//! Whether a certificate belongs to a national id (內政部 ICS 查詢). The certificate does not hold the id, so the authority is
//! asked.
//!
//! Public of it are the question (serial number and national id, signed with the agency's key) and the four answers. The rest
//! is assumed and stands in [`Config`]: a `POST` of JSON with the named fields, the signature RSA PKCS#1 v1.5 with SHA-256 in
//! Base64 over agency, serial number, id and time joined by `|`, answered by JSON with one number.

use crate::client::{self, BodyError, ClientConfig, ClientError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use civic::NationalId;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use url::Url;

/// Most bytes of an answer.
const LARGEST: usize = 16 << 10;

/// How the authority is asked. `Debug` shows no key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the query.
    pub address: Url,
    /// The city's name there.
    pub agency: String,
    /// The agency's RSA key (PKCS#8, PEM).
    pub key: String,
    /// Names of the fields. Assumed.
    #[serde(default)]
    pub fields: Fields,
    /// How it is called.
    #[serde(default)]
    pub client: ClientConfig,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("address", &self.address.as_str())
            .field("agency", &self.agency)
            .finish_non_exhaustive()
    }
}

/// Names of the fields of question and answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    /// The agency.
    pub agency: String,
    /// The certificate's serial number in hexadecimal.
    pub serial: String,
    /// The national id.
    pub id: String,
    /// Seconds since 1970.
    pub time: String,
    /// The signature.
    pub signature: String,
    /// The answer's number.
    pub code: String,
}

impl Default for Fields {
    fn default() -> Fields {
        Fields {
            agency: "agency".to_owned(),
            serial: "serial".to_owned(),
            id: "id".to_owned(),
            time: "time".to_owned(),
            signature: "signature".to_owned(),
            code: "code".to_owned(),
        }
    }
}

/// What the authority says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// 0: the certificate is this person's, and active.
    Yes,
    /// 1: there is no such certificate for this id.
    No,
    /// 2: it is this person's, not yet activated.
    NotActivated,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum IcsError {
    /// The HTTP client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The agency's key can't be used.
    #[error("`key` is not an RSA key of at least 2048 bits in PKCS#8 PEM")]
    Key,
    /// 999: the authority's database fails; ask again.
    #[error("the authority's database can't answer now; ask again")]
    Database,
    /// It can't be reached or answers otherwise than agreed.
    #[error("the certificate authority can't be asked now: {0}")]
    Unreachable(String),
}

impl IcsError {
    /// Whether asking again later may help.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        matches!(self, IcsError::Database | IcsError::Unreachable(_))
    }
}

/// The query. Cheap to clone.
#[derive(Clone)]
pub struct Ics(Arc<Parts>);

struct Parts {
    config: Config,
    key: RsaKeyPair,
    client: reqwest::Client,
}

impl std::fmt::Debug for Ics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Ics").field(&self.0.config).finish()
    }
}

impl Ics {
    /// Reads the key.
    ///
    /// # Errors
    ///
    /// [`IcsError::Key`], [`IcsError::Client`].
    pub fn new(config: Config) -> Result<Ics, IcsError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(config.key.as_bytes()).map_err(|_| IcsError::Key)?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| IcsError::Key)?;
        let client = client::build(&config.client)?;
        Ok(Ics(Arc::new(Parts { config, key, client })))
    }

    /// Asks whether the certificate with this serial number belongs to this person.
    ///
    /// # Errors
    ///
    /// [`IcsError`]; without an answer nobody is signed in.
    pub async fn ask(&self, serial: &str, person: &NationalId, now: Timestamp) -> Result<Belongs, IcsError> {
        let Parts { config, key, client } = &*self.0;
        let (id, time) = (person.reveal().to_owned(), now.as_second().to_string());
        let signed = format!("{}|{serial}|{id}|{time}", config.agency);
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        )
        .map_err(|_| IcsError::Key)?;
        let fields = &config.fields;
        let question: Map<String, Value> = [
            (&fields.agency, config.agency.clone()),
            (&fields.serial, serial.to_owned()),
            (&fields.id, id),
            (&fields.time, time),
            (&fields.signature, STANDARD.encode(&signature)),
        ]
        .into_iter()
        .map(|(name, value)| (name.clone(), Value::String(value)))
        .collect();
        let failed = |error: reqwest::Error| IcsError::Unreachable(error.without_url().to_string());
        let answer = client
            .post(config.address.clone())
            .json(&question)
            .send()
            .await
            .map_err(failed)?;
        let status = answer.status();
        let body = client::bounded_body(answer, LARGEST)
            .await
            .map_err(|error| match error {
                BodyError::TooLarge => IcsError::Unreachable("its answer is too large".to_owned()),
                BodyError::Broken(error) => failed(error),
            })?;
        if !status.is_success() {
            return Err(IcsError::Unreachable(format!(
                "it answers with status {}",
                status.as_u16()
            )));
        }
        let answer: Map<String, Value> =
            serde_json::from_slice(&body).map_err(|_| IcsError::Unreachable("its answer can't be read".to_owned()))?;
        let code = answer.get(&fields.code);
        let code = code.and_then(|code| code.as_i64().or_else(|| code.as_str()?.parse().ok()));
        match code {
            Some(0) => Ok(Belongs::Yes),
            Some(1) => Ok(Belongs::No),
            Some(2) => Ok(Belongs::NotActivated),
            Some(999) => Err(IcsError::Database),
            _ => Err(IcsError::Unreachable("its answer is none of those known".to_owned())),
        }
    }
}
