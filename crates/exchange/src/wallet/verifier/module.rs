//! The verifier module of 數位發展部 (DWVP-01-101, DWVP-01-201, DWVP-02-201): it speaks with the wallet, the city asks it.
//!
//! Its callback carries no signature, so that it says only that there is something to ask for.

use crate::wallet::module::{Caller, Config, ModuleError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Most bytes of a callback.
const LARGEST_CALLBACK: usize = 1 << 20;

/// `4002`: nobody has shown anything yet.
const NO_RESULT: i64 = 4002;

/// A request begun at the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The QR code as a `data:` address of a picture.
    pub picture: String,
    /// The address that opens the wallet.
    pub link: String,
}

/// A card as the module reports it. `Debug` shows no claim.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its type.
    pub credential_type: String,
    /// The claims by `ename`.
    pub claims: BTreeMap<String, String>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Shown")
            .field("credential_type", &self.credential_type)
            .finish_non_exhaustive()
    }
}

/// What the module found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody has shown anything yet (4002).
    Waiting,
    /// Its checks passed.
    Verified {
        /// Identifier of the wallet's key.
        holder: String,
        /// The cards.
        cards: Vec<Shown>,
    },
    /// Its checks failed; the text is the module's.
    Failed(String),
}

/// The module. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Module(Arc<Caller>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Code {
    transaction_id: Option<String>,
    qrcode_image: String,
    auth_uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    verify_result: bool,
    #[serde(default)]
    result_description: String,
    #[serde(default, alias = "holder_did")]
    holder_did: String,
    transaction_id: Option<String>,
    #[serde(default)]
    data: Vec<Reported>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reported {
    credential_type: String,
    claims: Vec<Claim>,
}

#[derive(Deserialize)]
struct Claim {
    ename: String,
    value: String,
}

impl Module {
    /// A module of a configuration.
    ///
    /// # Errors
    ///
    /// [`ModuleError::Client`].
    pub fn new(config: Config) -> Result<Module, ModuleError> {
        Ok(Module(Arc::new(Caller::new(config)?)))
    }

    /// Begins a request by a template that was made in the module (DWVP-01-101). `transaction_id` is new.
    ///
    /// # Errors
    ///
    /// [`ModuleError`].
    pub async fn begin(&self, template: &str, transaction_id: Uuid, is_callback: bool) -> Result<Begun, ModuleError> {
        let transaction = transaction_id.to_string();
        let mut address = self.0.address(&["api", "oidvp", "qrcode"])?;
        address
            .query_pairs_mut()
            .append_pair("ref", template)
            .append_pair("transactionId", &transaction)
            .append_pair("isCallback", if is_callback { "Y" } else { "N" });
        let code: Code = self.0.call(self.0.client.get(address)).await?;
        let is_ours = code.transaction_id.is_none_or(|found| found == transaction);
        let is_link = ["modadigitalwallet://", "openid4vp://"]
            .iter()
            .any(|start| code.auth_uri.starts_with(start));
        match is_ours && is_link && code.qrcode_image.starts_with("data:image/") {
            true => Ok(Begun {
                picture: code.qrcode_image,
                link: code.auth_uri,
            }),
            false => Err(ModuleError::Answer(
                "it is for another transaction or has no link to the wallet",
            )),
        }
    }

    /// Asks for the result (DWVP-01-201).
    ///
    /// # Errors
    ///
    /// [`ModuleError`].
    pub async fn result(&self, transaction_id: Uuid) -> Result<Outcome, ModuleError> {
        let transaction = transaction_id.to_string();
        let address = self.0.address(&["api", "oidvp", "result"])?;
        let request = self
            .0
            .client
            .post(address)
            .json(&json!({ "transactionId": transaction }));
        let found: Found = match self.0.call(request).await {
            Err(ModuleError::Refused(NO_RESULT)) => return Ok(Outcome::Waiting),
            other => other?,
        };
        if found.transaction_id.is_none_or(|found| found != transaction) {
            return Err(ModuleError::Answer("it is for another transaction"));
        }
        if !found.verify_result {
            return Ok(Outcome::Failed(found.result_description.chars().take(200).collect()));
        }
        let cards = found.data.into_iter().map(|card| Shown {
            credential_type: card.credential_type,
            claims: card
                .claims
                .into_iter()
                .map(|claim| (claim.ename, claim.value))
                .collect(),
        });
        Ok(Outcome::Verified {
            holder: found.holder_did,
            cards: cards.collect(),
        })
    }

    /// Reads a callback (DWVP-02-201): for which transaction there is something to ask. Nothing else of it is believed; the
    /// caller answers with [`Module::callback_answer`] and calls [`Module::result`].
    ///
    /// # Errors
    ///
    /// [`ModuleError::Answer`].
    pub fn read_callback(body: &[u8]) -> Result<Uuid, ModuleError> {
        if body.len() > LARGEST_CALLBACK {
            return Err(ModuleError::Answer("the callback is too large"));
        }
        let value: Value =
            serde_json::from_slice(body).map_err(|_| ModuleError::Answer("the callback can't be read"))?;
        let transaction = value.get("transactionId").and_then(Value::as_str);
        transaction
            .and_then(|text| Uuid::parse_str(text).ok())
            .ok_or(ModuleError::Answer("the callback names no transaction of ours"))
    }

    /// What the module is answered.
    #[must_use]
    pub fn callback_answer() -> Value {
        json!({ "code": "0", "message": "SUCCESS" })
    }
}
