//! The calls: each signed by a checksum, each answer checked by one.

use super::FidoError;
use super::checksum::Key;
use super::codes::Reason;
use super::config::{Config, ConfigError};
use super::operation::{Ask, Mode, Operation, Proof, Signing, batch, check_shown, check_text};
use super::ticket::{Ticket, TicketError};
use crate::client::{self, BodyError};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use civic::NationalId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Most bytes of an answer: twenty PKCS#7 signatures in Base64.
const LARGEST: usize = 2 << 20;
/// Least seconds between two questions for one result.
const POLL_SECONDS: i64 = 4;
/// Seconds after the time limit in which a result is still asked for.
const GRACE_SECONDS: i64 = 30;

/// One registered service and its authority. Cheap to clone.
#[derive(Clone)]
pub struct Service(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub config: Config,
    pub key: Key,
    client: reqwest::Client,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Service").field(&self.0.config).finish()
    }
}

/// A request that waits for the phone, kept by the caller, sealed: it names a person by a digest. `Debug` is empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The transaction; a result is taken for it once.
    pub transaction_id: Uuid,
    /// What the phone does.
    pub operation: Operation,
    /// The ticket as it came: what the QR code shows and the app is opened with.
    pub ticket: String,
    /// When nothing more is to be expected.
    pub until: Timestamp,
    ticket_id: String,
    hashed_id_num: String,
    asked: Option<Timestamp>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Waiting")
    }
}

impl Waiting {
    /// How long to wait before the next question; zero when it may be asked.
    #[must_use]
    pub fn pause(&self, now: Timestamp) -> Duration {
        let Some(asked) = self.asked else { return Duration::ZERO };
        let left = SignedDuration::from_secs(POLL_SECONDS).saturating_sub(now.duration_since(asked));
        Duration::try_from(left).unwrap_or_default()
    }
}

/// What asking for a result gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Asked too early; nothing was sent. Ask again after this time.
    TooSoon(Duration),
    /// The person has not confirmed yet. Keep this and ask again after [`Waiting::pause`].
    Pending(Box<Waiting>),
    /// Done; the waiting one is to be forgotten.
    Done(Proof),
}

/// Whether somebody can use the app (LF-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// A phone is enrolled.
    pub is_enrolled: bool,
    /// It can sign texts, too.
    pub may_sign: bool,
}

#[derive(Deserialize)]
pub(super) struct Envelope {
    error_code: Value,
    #[serde(default)]
    result: Map<String, Value>,
}

impl Envelope {
    fn code(&self) -> String {
        match &self.error_code {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.result.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The values of some fields in an order; absent ones are empty.
pub(super) fn in_order<'a>(order: &'a [String], fields: &'a [(&str, &'a str)]) -> Vec<&'a str> {
    order
        .iter()
        .map(|name| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| *value)
        })
        .collect()
}

impl Service {
    /// A service of a configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn new(config: Config) -> Result<Service, ConfigError> {
        for (name, url) in [("api", &config.api), ("web", &config.web)] {
            if url.cannot_be_a_base() || !matches!(url.scheme(), "http" | "https") {
                return Err(ConfigError::Address(name));
            }
        }
        let key = config.key()?;
        let client = client::build(&config.client)?;
        Ok(Service(Arc::new(Parts { config, key, client })))
    }

    /// Asks for a ticket (ATH-01), or for a message to the phone (ATH-03). `transaction_id` is new for every request.
    ///
    /// # Errors
    ///
    /// [`FidoError::Refused`] with the reason to show; others when there is no answer to go by.
    pub async fn ask(&self, transaction_id: Uuid, ask: &Ask<'_>, now: Timestamp) -> Result<Waiting, FidoError> {
        check_shown(ask.hint, ask.seconds)?;
        if let Some(signing) = &ask.signing {
            check_text(signing)?;
        }
        let config = &self.0.config;
        let id = ask.person.reveal();
        let operation = ask.operation();
        let data = ask.signing.as_ref().map_or("", |signing| signing.text.as_str());
        let mut more = Map::new();
        let (name, order, device) = match &ask.mode {
            Mode::Push { device } => {
                more.insert("device_user_def_desc".to_owned(), json!(device));
                ("requestAthOrSignPush", &config.orders.push, device.as_str())
            }
            mode => {
                more.insert("op_mode".to_owned(), json!(mode.code()));
                ("getSpTicket", &config.orders.ticket, "")
            }
        };
        more.insert("id_num".to_owned(), json!(id));
        more.insert("op_code".to_owned(), json!(operation.code()));
        more.insert("hint".to_owned(), json!(ask.hint));
        more.insert("time_limit".to_owned(), json!(ask.seconds.to_string()));
        if let Some(signing) = &ask.signing {
            more.insert("sign_info".to_owned(), signing.json());
        }
        let fields = [
            ("id_num", id),
            ("op_code", operation.code()),
            ("op_mode", ask.mode.code()),
            ("hint", ask.hint),
            ("device_user_def_desc", device),
            ("sign_data", data),
        ];
        let answer = self.call(name, transaction_id, order, &fields, more).await?;
        self.waiting(&answer, transaction_id, operation, ask.seconds, now)
    }

    /// Asks for signatures over 1 to 20 texts at once (ATH-04).
    ///
    /// # Errors
    ///
    /// As [`Service::ask`].
    pub async fn ask_batch(
        &self,
        transaction_id: Uuid,
        ask: &Ask<'_>,
        texts: &[Signing],
        now: Timestamp,
    ) -> Result<Waiting, FidoError> {
        check_shown(ask.hint, ask.seconds)?;
        let info = batch(texts)?;
        let id = ask.person.reveal();
        let operation = Operation::BatchSign;
        let device = match &ask.mode {
            Mode::Push { device } => device.as_str(),
            _ => "",
        };
        let more = json!({
            "id_num": id, "op_code": operation.code(), "op_mode": ask.mode.code(), "hint": ask.hint,
            "device_user_def_desc": device, "time_limit": ask.seconds.to_string(), "sign_info": info,
        });
        let fields = [
            ("id_num", id),
            ("op_code", operation.code()),
            ("op_mode", ask.mode.code()),
            ("hint", ask.hint),
        ];
        let Value::Object(more) = more else {
            return Err(FidoError::Request("the request is no object"));
        };
        let order = &self.0.config.orders.batch;
        let answer = self
            .call("doBatchSigning", transaction_id, order, &fields, more)
            .await?;
        self.waiting(&answer, transaction_id, operation, ask.seconds, now)
    }

    /// Asks for the result (ATH-02). The caller keeps what [`Polled::Pending`] gives instead of what it had.
    ///
    /// # Errors
    ///
    /// [`FidoError::Refused`], [`FidoError::TooLate`] and [`FidoError::OtherPerson`] end the request.
    pub async fn poll(&self, waiting: &Waiting, now: Timestamp) -> Result<Polled, FidoError> {
        let pause = waiting.pause(now);
        if !pause.is_zero() {
            return Ok(Polled::TooSoon(pause));
        }
        if now > waiting.until {
            return Err(FidoError::TooLate);
        }
        let config = &self.0.config;
        let fields = [("sp_ticket_id", waiting.ticket_id.as_str())];
        let more = Map::from_iter([("sp_ticket_id".to_owned(), json!(waiting.ticket_id))]);
        let answer = self
            .call(
                "getAthOrSignResult",
                waiting.transaction_id,
                &config.orders.result,
                &fields,
                more,
            )
            .await;
        let answer = match answer {
            Err(FidoError::Refused(Reason::Pending)) => {
                let mut waiting = waiting.clone();
                waiting.asked = Some(now);
                return Ok(Polled::Pending(Box::new(waiting)));
            }
            other => other?,
        };
        let transaction = waiting.transaction_id.to_string();
        let signed = answer.text("signed_response");
        let back = [
            ("transaction_id", transaction.as_str()),
            ("error_code", "0"),
            ("hashed_id_num", answer.text("hashed_id_num")),
            ("signed_response", signed),
        ];
        self.check(&config.orders.result_back, &back, answer.text("idp_checksum"))?;
        let hashed = answer.text("hashed_id_num");
        if hashed.is_empty() || !bool::from(hashed.as_bytes().ct_eq(waiting.hashed_id_num.as_bytes())) {
            return Err(FidoError::OtherPerson);
        }
        let signatures = match answer.result.get("signed_response_set") {
            Some(Value::Array(set)) if waiting.operation == Operation::BatchSign => set
                .iter()
                .map(|one| {
                    one.as_str()
                        .and_then(base64)
                        .ok_or(FidoError::Answer("a signature is not Base64"))
                })
                .collect::<Result<_, _>>()?,
            _ if waiting.operation == Operation::BatchSign => {
                return Err(FidoError::Answer("it has no set of signatures"));
            }
            _ => vec![base64(signed).ok_or(FidoError::Answer("the signature is not Base64"))?],
        };
        Ok(Polled::Done(Proof {
            operation: waiting.operation,
            hashed_id_num: hashed.to_owned(),
            signatures,
            certificate: certificate(answer.text("cert"))?,
        }))
    }

    /// Whether a phone of this person is enrolled (LF-01).
    ///
    /// # Errors
    ///
    /// [`FidoError`].
    pub async fn device(&self, transaction_id: Uuid, person: &NationalId) -> Result<Device, FidoError> {
        let config = &self.0.config;
        let fields = [("id_num", person.reveal())];
        let more = Map::from_iter([("id_num".to_owned(), json!(person.reveal()))]);
        let answer = self
            .call(
                "checkDeviceStatus",
                transaction_id,
                &config.orders.device,
                &fields,
                more,
            )
            .await?;
        let transaction = transaction_id.to_string();
        let back = [
            ("transaction_id", transaction.as_str()),
            ("error_code", "0"),
            ("is_fido", answer.text("is_fido")),
            ("is_mcert_sign", answer.text("is_mcert_sign")),
        ];
        self.check(&config.orders.device_back, &back, answer.text("idp_checksum"))?;
        let yes = |name: &'static str| match answer.text(name) {
            "Y" => Ok(true),
            "N" => Ok(false),
            _ => Err(FidoError::Answer("a state is neither Y nor N")),
        };
        Ok(Device {
            is_enrolled: yes("is_fido")?,
            may_sign: yes("is_mcert_sign")?,
        })
    }

    /// Refuses an answer whose checksum is not of these fields.
    pub(super) fn check(&self, order: &[String], fields: &[(&str, &str)], checksum: &str) -> Result<(), FidoError> {
        match self.0.key.check(&in_order(order, fields), checksum) {
            true => Ok(()),
            false => Err(FidoError::Checksum),
        }
    }

    /// The checksum of a request.
    pub(super) fn checksum(
        &self,
        transaction: &str,
        order: &[String],
        fields: &[(&str, &str)],
    ) -> Result<String, FidoError> {
        let mut all = vec![
            ("transaction_id", transaction),
            ("sp_service_id", self.0.config.sp_service_id.as_str()),
        ];
        all.extend_from_slice(fields);
        let made = self.0.key.make(&in_order(order, &all));
        made.ok_or(FidoError::Request("the checksum can't be made"))
    }

    fn waiting(
        &self,
        answer: &Envelope,
        transaction_id: Uuid,
        operation: Operation,
        seconds: u16,
        now: Timestamp,
    ) -> Result<Waiting, FidoError> {
        let transaction = transaction_id.to_string();
        let text = answer.text("sp_ticket");
        let back = [
            ("transaction_id", transaction.as_str()),
            ("error_code", "0"),
            ("sp_ticket", text),
        ];
        self.check(&self.0.config.orders.ticket_back, &back, answer.text("idp_checksum"))?;
        let ticket = Ticket::parse(text)?;
        let is_ours = ticket.transaction_id == transaction
            && ticket.sp_service_id == self.0.config.sp_service_id
            && ticket.op_code == operation;
        if !is_ours {
            return Err(TicketError::Other.into());
        }
        let life = SignedDuration::from_secs(i64::from(seconds).saturating_add(GRACE_SECONDS));
        Ok(Waiting {
            transaction_id,
            operation,
            ticket: text.to_owned(),
            until: now.saturating_add(life).unwrap_or(Timestamp::MAX),
            ticket_id: ticket.sp_ticket_id,
            hashed_id_num: ticket.hashed_id_num,
            asked: None,
        })
    }

    /// One call. A code other than 0 is an error; nothing of such an answer is used, so it needs no checksum.
    async fn call(
        &self,
        name: &str,
        transaction_id: Uuid,
        order: &[String],
        fields: &[(&str, &str)],
        more: Map<String, Value>,
    ) -> Result<Envelope, FidoError> {
        let config = &self.0.config;
        let transaction = transaction_id.to_string();
        let mut body = more;
        let checksum = self.checksum(&transaction, order, fields)?;
        body.insert("transaction_id".to_owned(), Value::String(transaction));
        body.insert("sp_service_id".to_owned(), json!(config.sp_service_id));
        body.insert("sp_checksum".to_owned(), Value::String(checksum));
        let mut address = config.api.clone();
        address.set_path(&format!("/moise/sp/{name}"));
        let failed = |error: reqwest::Error| FidoError::Unreachable(error.without_url().to_string());
        let answer = self.0.client.post(address).json(&body).send().await.map_err(failed)?;
        let status = answer.status();
        let bytes = client::bounded_body(answer, LARGEST)
            .await
            .map_err(|error| match error {
                BodyError::TooLarge => FidoError::Answer("it is too large"),
                BodyError::Broken(error) => failed(error),
            })?;
        let envelope: Result<Envelope, _> = serde_json::from_slice(&bytes);
        let Ok(envelope) = envelope else {
            return Err(match status.is_success() {
                true => FidoError::Answer("it is not the agreed JSON object"),
                false => FidoError::Unreachable(format!("it answers with status {}", status.as_u16())),
            });
        };
        match config.reason(&envelope.code()) {
            Some(reason) => Err(FidoError::Refused(reason)),
            None => Ok(envelope),
        }
    }
}

/// Base64 in any of the forms in use.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    STANDARD
        .decode(&text)
        .or_else(|_| STANDARD_NO_PAD.decode(&text))
        .or_else(|_| URL_SAFE_NO_PAD.decode(&text))
        .ok()
}

/// The certificate of an answer: PEM, or DER in Base64.
pub(super) fn certificate(text: &str) -> Result<Option<Vec<u8>>, FidoError> {
    match text {
        "" => Ok(None),
        pem if pem.trim_start().starts_with("-----BEGIN") => Ok(Some(pem.trim_start().as_bytes().to_vec())),
        der => base64(der)
            .map(Some)
            .ok_or(FidoError::Answer("the certificate is not Base64")),
    }
}
