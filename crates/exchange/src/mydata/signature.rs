//! Flow B: the city's own page takes the citizen's signature, and the platform skips its verification.
//!
//! [`salt`] asks for the salt of a transaction; the citizen's card signs the sealed [`Statement`] (PKCS#7 whose content is that text);
//! [`sign`] hands both in; the browser then goes to the consent page of [`super::request::consent`], and all goes on as in flow A.

use super::config::Config;
use super::crypto::ServiceKey;
use super::fetch::{FetchError, unreachable_by};
use crate::client::{self, BodyError};
use civic::NationalId;
use civic::ids::TransactionId;
use jiff::civil::Date;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// Most bytes of an answer.
const SHORT: usize = 64 << 10;
/// Most characters of a signature as the citizen's card makes it.
const LONGEST: usize = 256 << 10;

/// The salt of one transaction; it lives for seconds to an hour, the platform's page says both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salt {
    /// The transaction.
    pub tx_id: TransactionId,
    /// The platform's word.
    pub salt: String,
}

/// What the citizen states and signs.
pub struct Statement<'a> {
    /// The person.
    pub person: &'a NationalId,
    /// Name.
    pub holder: &'a str,
    /// Day of birth.
    pub birthday: Date,
    /// Where the platform writes to; may be empty.
    pub email: &'a str,
    /// Where the platform sends short messages; may be empty.
    pub mobile: &'a str,
}

/// Who verified the citizen, where it is not their own certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThirdParty<'a> {
    /// `as_id`: `twid` or `cht`.
    pub centre: &'a str,
    /// `verification_type`, as the centre calls it.
    pub kind: &'a str,
}

/// Why a signature is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// 400, or a signature that is none.
    #[error("the statement or the signature is malformed; sign again")]
    Form,
    /// 401: it can't be decrypted, or the signature is wrong.
    #[error("the signature does not belong to the statement; sign again with the own card")]
    Wrong,
    /// 403: unknown service or transaction, or a certificate that is expired or of an unknown issuer.
    #[error("the certificate is expired or not accepted, or the transaction is not known")]
    NotAccepted,
    /// 408: the salt is too old.
    #[error("it took too long; begin again")]
    TooLate,
    /// 409: the certificate is another person's.
    #[error("the certificate is not this person's")]
    OtherPerson,
    /// The platform can't be reached, or answers otherwise than agreed.
    #[error(transparent)]
    Call(#[from] FetchError),
    /// The answer is not what the protocol says.
    #[error("the platform's answer can't be understood")]
    Answer,
}

async fn post(config: &Config, client: &reqwest::Client, body: &Value) -> Result<Vec<u8>, SignatureError> {
    let path = ["service", "spsignature", &config.client_id];
    let address = crate::client::below(&config.platform, &path).ok_or(FetchError::Address)?;
    let response = client
        .post(address)
        .header(reqwest::header::CONTENT_TYPE, "application/json")
        .body(body.to_string())
        .send()
        .await
        .map_err(|error| unreachable_by(&error))?;
    match response.status() {
        StatusCode::OK => match client::bounded_body(response, SHORT).await {
            Ok(body) => Ok(body),
            Err(BodyError::TooLarge) => Err(SignatureError::Answer),
            Err(BodyError::Broken(error)) => Err(unreachable_by(&error).into()),
        },
        StatusCode::BAD_REQUEST => Err(SignatureError::Form),
        StatusCode::UNAUTHORIZED => Err(SignatureError::Wrong),
        StatusCode::FORBIDDEN => Err(SignatureError::NotAccepted),
        StatusCode::REQUEST_TIMEOUT => Err(SignatureError::TooLate),
        StatusCode::CONFLICT => Err(SignatureError::OtherPerson),
        other => Err(FetchError::Status(other.as_u16()).into()),
    }
}

/// The salt for a transaction that the city begins.
pub(super) async fn salt(
    config: &Config,
    client: &reqwest::Client,
    tx_id: TransactionId,
) -> Result<Salt, SignatureError> {
    #[derive(Deserialize)]
    struct Answer {
        tx_id: TransactionId,
        salt: String,
    }
    let body = post(config, client, &json!({ "tx_id": tx_id.to_string() })).await?;
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| SignatureError::Answer)?;
    let usable = answer.tx_id == tx_id && !answer.salt.is_empty() && answer.salt.len() <= 256;
    if usable {
        Ok(Salt {
            tx_id,
            salt: answer.salt,
        })
    } else {
        Err(SignatureError::Answer)
    }
}

/// The text that the citizen's card signs: the statement sealed with the service's key.
pub(super) fn to_sign(key: &ServiceKey, salt: &Salt, of: &Statement<'_>) -> String {
    let birthday = of.birthday;
    let statement = json!({
        "pid": of.person.reveal(),
        "holder": of.holder,
        "birthday": format!("{:04}/{:02}/{:02}", birthday.year(), birthday.month(), birthday.day()),
        "email": of.email,
        "mobile": of.mobile,
        "as_optional": "",
        "salt": salt.salt,
    });
    key.seal(&statement.to_string())
}

/// Whether a text to sign states this person: it comes back through a browser.
pub(super) fn states(key: &ServiceKey, signed: &str, person: &NationalId) -> bool {
    let statement = key
        .open(signed)
        .ok()
        .and_then(|text| serde_json::from_str::<Value>(&text).ok());
    statement.is_some_and(|statement| statement.get("pid").and_then(Value::as_str) == Some(person.reveal()))
}

/// Hands in what was signed.
pub(super) async fn sign(
    config: &Config,
    client: &reqwest::Client,
    tx_id: TransactionId,
    signed: &str,
    pkcs7: &str,
    third_party: Option<ThirdParty<'_>>,
) -> Result<(), SignatureError> {
    let is_base64 = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    };
    if pkcs7.is_empty() || pkcs7.len() > LONGEST || !is_base64(pkcs7) {
        return Err(SignatureError::Form);
    }
    let mut body = json!({ "tx_id": tx_id.to_string(), "data": signed, "pkcs7": pkcs7 });
    if let (Some(third), Some(fields)) = (third_party, body.as_object_mut()) {
        fields.insert("as_id".to_owned(), third.centre.into());
        fields.insert("verification_type".to_owned(), third.kind.into());
    }
    post(config, client, &body).await.map(drop)
}
