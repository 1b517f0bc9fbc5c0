//! What the city may ask the platform beside the package: whether a ticket is of this person, how they were verified, what became
//! of a transaction, and which data sets there are.

use super::config::Config;
use super::fetch::{FetchError, unreachable_by};
use super::notification::SecretKey;
use super::request::is_id;
use crate::client::{self, BodyError};
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use civic::NationalId;
use civic::ids::TransactionId;
use reqwest::StatusCode;
use serde::Deserialize;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Most bytes of an answer about one transaction.
const SHORT: usize = 64 << 10;
/// Most bytes of the list of data sets.
const LONG: usize = 8 << 20;

/// How the person was verified on the platform (`verification`), the platform's word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// `CER`: natural-person certificate (自然人憑證).
    Certificate,
    /// `MOE`: company certificate (工商憑證).
    Company,
    /// `TFD`: TW FidO (行動自然人憑證).
    TwFido,
    /// `NHI`: health insurance card (健保卡).
    HealthCard,
    /// `PII`: two documents (雙證件).
    TwoDocuments,
    /// `GOV`: every other way.
    Other,
}

impl Verification {
    /// The platform's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Verification::Certificate => "CER",
            Verification::Company => "MOE",
            Verification::TwFido => "TFD",
            Verification::HealthCard => "NHI",
            Verification::TwoDocuments => "PII",
            Verification::Other => "GOV",
        }
    }

    /// The way of a word; one that is not known is the weakest.
    #[must_use]
    pub fn of(word: &str) -> Verification {
        match word {
            "CER" => Verification::Certificate,
            "MOE" => Verification::Company,
            "TFD" => Verification::TwFido,
            "NHI" => Verification::HealthCard,
            "PII" => Verification::TwoDocuments,
            _ => Verification::Other,
        }
    }

    /// Assurance level (信賴等級): 1 is the highest, 4 two documents; nothing for ways that have none.
    #[must_use]
    pub const fn level(self) -> Option<u8> {
        match self {
            Verification::Certificate => Some(1),
            Verification::TwFido => Some(2),
            Verification::HealthCard => Some(3),
            Verification::TwoDocuments => Some(4),
            Verification::Company | Verification::Other => None,
        }
    }
}

/// What became of a transaction (`txid_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The citizen is still on the platform's pages (204; assumed).
    Open,
    /// 429: the agencies prepare it.
    Preparing,
    /// 200: ready to be fetched.
    Ready,
    /// 201: fetched.
    Taken,
    /// 205: the citizen refused.
    Refused,
    /// 400: the request was malformed.
    BadRequest,
    /// 403: some data sets failed.
    PartlyFailed,
    /// 410: the city could not be notified.
    NotNotified,
    /// 504: the agencies' systems failed.
    Failed,
    /// 409: another person verified (assumed).
    OtherPerson,
    /// The platform does not know the transaction (403).
    Unknown,
    /// Another number.
    Other(u16),
}

impl Progress {
    /// The number as the platform says it; 0 where it says none.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Progress::Open => 204,
            Progress::Preparing => 429,
            Progress::Ready => 200,
            Progress::Taken => 201,
            Progress::Refused => 205,
            Progress::BadRequest => 400,
            Progress::PartlyFailed => 403,
            Progress::NotNotified => 410,
            Progress::Failed => 504,
            Progress::OtherPerson => 409,
            Progress::Unknown => 0,
            Progress::Other(number) => number,
        }
    }

    fn of(code: &str) -> Option<Progress> {
        Some(match code.trim().parse().ok()? {
            200 => Progress::Ready,
            201 => Progress::Taken,
            205 => Progress::Refused,
            400 => Progress::BadRequest,
            403 => Progress::PartlyFailed,
            410 => Progress::NotNotified,
            429 => Progress::Preparing,
            504 => Progress::Failed,
            other => Progress::Other(other),
        })
    }
}

/// A data set that the platform offers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Offered {
    /// Its `resource_id`.
    pub resource_id: String,
    /// Its agency.
    #[serde(default)]
    pub dep: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `01` good, `00` out of order.
    #[serde(default)]
    pub status: String,
}

impl Offered {
    /// Whether it can be had now.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.status == "01"
    }
}

/// Why a check has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The platform can't be reached, or answers otherwise than agreed.
    #[error(transparent)]
    Call(#[from] FetchError),
    /// What it answered is not what the protocol says.
    #[error("the platform's answer can't be understood")]
    Answer,
    /// The platform could not read the person (403): the key is not the one of this ticket.
    #[error("the platform could not read the person with the key of this ticket")]
    Person,
    /// The platform does not know the transaction.
    #[error("the platform does not know the transaction")]
    Unknown,
}

/// The person as `uid` wants it: URL-safe Base64 of AES-ECB with PKCS#5 padding under the Base64-decoded key of the package, whose 32
/// characters give 24 bytes (AES-192). It is the platform's choice and used for nothing else.
fn uid(person: &NationalId, key: &SecretKey) -> Option<String> {
    let key = Zeroizing::new(STANDARD.decode(key.bytes()).ok()?);
    let cipher = aes::Aes192::new_from_slice(&key).ok()?;
    let mut text = person.reveal().as_bytes().to_vec();
    let fill = 16 - text.len() % 16;
    text.resize(text.len() + fill, u8::try_from(fill).ok()?);
    for block in text.chunks_exact_mut(16) {
        let mut whole: [u8; 16] = (&*block).try_into().ok()?;
        cipher.encrypt_block((&mut whole).into());
        block.copy_from_slice(&whole);
    }
    Some(URL_SAFE.encode(text))
}

/// Calls one of the platform's interfaces; gives its status and body. 401 is told as what it is.
async fn get(
    config: &Config,
    client: &reqwest::Client,
    path: &[&str],
    headers: &[(&'static str, String)],
    limit: usize,
) -> Result<(StatusCode, Vec<u8>), CheckError> {
    let address = client::below(&config.platform, path).ok_or(FetchError::Address)?;
    let mut call = client.get(address);
    for (name, value) in headers {
        call = call.header(*name, value);
    }
    let response = call.send().await.map_err(|error| unreachable_by(&error))?;
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED {
        return Err(FetchError::AddressNotAllowed.into());
    }
    match client::bounded_body(response, limit).await {
        Ok(body) => Ok((status, body)),
        Err(BodyError::TooLarge) => Err(FetchError::TooLarge(limit).into()),
        Err(BodyError::Broken(error)) => Err(unreachable_by(&error).into()),
    }
}

fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, CheckError> {
    serde_json::from_slice(body).map_err(|_| CheckError::Answer)
}

fn otherwise(status: StatusCode) -> CheckError {
    FetchError::Status(status.as_u16()).into()
}

/// `uid_valid`: whether the package of a ticket is this person's.
pub(super) async fn is_of(
    config: &Config,
    client: &reqwest::Client,
    ticket: Uuid,
    key: &SecretKey,
    person: &NationalId,
) -> Result<bool, CheckError> {
    #[derive(Deserialize)]
    struct Answer {
        code: bool,
    }
    let headers = [
        ("permission_ticket", ticket.to_string()),
        ("uid", uid(person, key).ok_or(CheckError::Person)?),
    ];
    match get(config, client, &["service", "uid_valid"], &headers, SHORT).await? {
        (StatusCode::OK, body) => Ok(json::<Answer>(&body)?.code),
        (StatusCode::FORBIDDEN, _) => Err(CheckError::Person),
        (other, _) => Err(otherwise(other)),
    }
}

/// `type_valid`: how the person of a transaction was verified.
pub(super) async fn verification(
    config: &Config,
    client: &reqwest::Client,
    tx_id: TransactionId,
) -> Result<Verification, CheckError> {
    #[derive(Deserialize)]
    struct Answer {
        verification: String,
    }
    let headers = [("tx_id", tx_id.to_string())];
    match get(config, client, &["service", "type_valid"], &headers, SHORT).await? {
        (StatusCode::OK, body) => Ok(Verification::of(&json::<Answer>(&body)?.verification)),
        (StatusCode::FORBIDDEN, _) => Err(CheckError::Unknown),
        (other, _) => Err(otherwise(other)),
    }
}

/// `txid_status`: what became of a transaction.
pub(super) async fn progress(
    config: &Config,
    client: &reqwest::Client,
    tx_id: TransactionId,
) -> Result<Progress, CheckError> {
    #[derive(Deserialize)]
    struct Answer {
        code: String,
    }
    let headers = [("tx_id", tx_id.to_string())];
    match get(config, client, &["service", "txid_status"], &headers, SHORT).await? {
        (StatusCode::OK, body) => Progress::of(&json::<Answer>(&body)?.code).ok_or(CheckError::Answer),
        (StatusCode::NO_CONTENT, _) => Ok(Progress::Open),
        (StatusCode::CONFLICT, _) => Ok(Progress::OtherPerson),
        (StatusCode::FORBIDDEN, _) => Ok(Progress::Unknown),
        (other, _) => Err(otherwise(other)),
    }
}

/// `find_all_resources`: the data sets of the platform with their state. One whose name is no `resource_id` is left out.
pub(super) async fn offered(config: &Config, client: &reqwest::Client) -> Result<Vec<Offered>, CheckError> {
    match get(config, client, &["find_all_resources"], &[], LONG).await? {
        (StatusCode::OK, body) => {
            let mut all: Vec<Offered> = json(&body)?;
            all.retain(|one| is_id(&one.resource_id));
            Ok(all)
        }
        (other, _) => Err(otherwise(other)),
    }
}
