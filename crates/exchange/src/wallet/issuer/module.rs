//! The issuer module of 數位發展部 (DWVC-101 to DWVC-302): it speaks with the wallet, the city tells it what to give.

use crate::wallet::module::{Caller, Config, ModuleError, number};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// What is to be given. `Debug` is empty.
#[derive(Clone)]
pub struct NewCard<'a> {
    /// The template made in the module (`vcUid`).
    pub template: &'a str,
    /// First day.
    pub issued: Option<Date>,
    /// Last day.
    pub expires: Option<Date>,
    /// The city's own mark, by which cards are found again (`dataTag`).
    pub tag: &'a str,
    /// Claims: name (`ename`) and content.
    pub fields: &'a [(&'a str, &'a str)],
    /// Old cards that this one takes the place of.
    pub replaces: &'a [Uuid],
}

impl std::fmt::Debug for NewCard<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("NewCard")
    }
}

/// An offer made by the module. `Debug` is empty.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// Names the offer.
    pub transaction_id: String,
    /// The QR code as a `data:` address of a picture.
    pub qr_code: String,
    /// The address that opens the wallet.
    pub deep_link: String,
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Offer")
    }
}

/// How a card stands (`credentialStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// 0.
    Valid,
    /// 1.
    Suspended,
    /// 2.
    Revoked,
}

/// A card in the module's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub cid: Uuid,
    /// Its template.
    pub template: String,
    /// How it stands.
    pub standing: Standing,
}

/// What is done to a card (DWVC-301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// For good.
    Revoke,
    /// For a while.
    Suspend,
    /// A suspended one is good again.
    Recover,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Action::Revoke => "revocation",
            Action::Suspend => "suspension",
            Action::Recover => "recovery",
        }
    }

    fn after(self) -> &'static str {
        match self {
            Action::Revoke => "REVOKED",
            Action::Suspend => "SUSPENDED",
            Action::Recover => "ACTIVE",
        }
    }
}

/// What came of an action on several cards (DWVC-302).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// Cards it was done to.
    pub done: Vec<Uuid>,
    /// Cards it could not be done to, with the module's code.
    pub failed: Vec<(i64, Uuid)>,
}

/// The module. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Module(Arc<Caller>);

/// `61010`: the person has not scanned the offer yet.
const NOT_SCANNED: i64 = 61_010;

fn cid(value: &Value) -> Result<Uuid, ModuleError> {
    let text = value.as_str().and_then(|text| Uuid::parse_str(text).ok());
    text.ok_or(ModuleError::Answer("a card has no name"))
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

    /// Makes an offer (DWVC-101).
    ///
    /// # Errors
    ///
    /// [`ModuleError`].
    pub async fn offer(&self, card: &NewCard<'_>) -> Result<Offer, ModuleError> {
        let day = |day: Date| day.strftime("%Y%m%d").to_string();
        let fields: Vec<Value> = card
            .fields
            .iter()
            .map(|(name, content)| json!({ "ename": name, "content": content }))
            .collect();
        let mut body = Map::new();
        body.insert("vcUid".to_owned(), json!(card.template));
        body.insert("dataTag".to_owned(), json!(card.tag));
        body.insert("fields".to_owned(), json!(fields));
        for (name, date) in [("issuanceDate", card.issued), ("expiredDate", card.expires)] {
            if let Some(date) = date {
                body.insert(name.to_owned(), json!(day(date)));
            }
        }
        if !card.replaces.is_empty() {
            body.insert("cids".to_owned(), json!(card.replaces));
        }
        let offer: Offer = self
            .0
            .call(
                self.0
                    .client
                    .post(self.0.address(&["api", "qrcode", "data"])?)
                    .json(&body),
            )
            .await?;
        match offer.deep_link.starts_with("modadigitalwallet://") && offer.qr_code.starts_with("data:image/") {
            true => Ok(offer),
            false => Err(ModuleError::Answer("it has no link to the wallet")),
        }
    }

    /// The card that was fetched for an offer (DWVC-201), by its name; `None` while it was not.
    ///
    /// # Errors
    ///
    /// [`ModuleError`].
    pub async fn fetched(&self, transaction_id: &str) -> Result<Option<Uuid>, ModuleError> {
        #[derive(Deserialize)]
        struct Fetched {
            credential: String,
        }
        let address = self.0.address(&["api", "credential", "nonce", transaction_id])?;
        let fetched: Fetched = match self.0.call(self.0.client.get(address)).await {
            Err(ModuleError::Refused(NOT_SCANNED)) => return Ok(None),
            other => other?,
        };
        let card = crate::wallet::sd_jwt::SdJwt::parse(&fetched.credential);
        let card = card.map_err(|_| ModuleError::Answer("the card can't be read"))?;
        // the name of a card is the end of its `jti`
        let name = card.token.text("jti").and_then(|jti| jti.rsplit('/').next());
        let name = name.and_then(|name| Uuid::parse_str(name).ok());
        name.map(Some).ok_or(ModuleError::Answer("the card has no name"))
    }

    /// The cards with the city's own mark (DWVC-202), a page of at most `size`.
    ///
    /// # Errors
    ///
    /// [`ModuleError`].
    pub async fn by_tag(&self, tag: &str, page: u32, size: u32) -> Result<Vec<Listed>, ModuleError> {
        let mut address = self.0.address(&["api", "credential", "datatag", tag])?;
        address
            .query_pairs_mut()
            .append_pair("page", &page.to_string())
            .append_pair("size", &size.to_string());
        let answer = self.0.call(self.0.client.get(address)).await?;
        listed(&answer)
    }

    /// The cards of a template and a standing (DWVC-203), a page of at most `size`.
    ///
    /// # Errors
    ///
    /// [`ModuleError`].
    pub async fn cards(
        &self,
        template: Option<&str>,
        standing: Option<Standing>,
        page: u32,
        size: u32,
    ) -> Result<Vec<Listed>, ModuleError> {
        let mut body = Map::new();
        body.insert("page".to_owned(), json!(page));
        body.insert("size".to_owned(), json!(size));
        if let Some(template) = template {
            body.insert("vcUid".to_owned(), json!(template));
        }
        if let Some(standing) = standing {
            let number = match standing {
                Standing::Valid => 0,
                Standing::Suspended => 1,
                Standing::Revoked => 2,
            };
            body.insert("credentialStatus".to_owned(), json!(number));
        }
        let address = self.0.address(&["api", "credential", "vcdata"])?;
        let answer = self.0.call(self.0.client.post(address).json(&body)).await?;
        listed(&answer)
    }

    /// Revokes, suspends or recovers a card (DWVC-301).
    ///
    /// # Errors
    ///
    /// [`ModuleError`]; also when the card does not stand as it should afterwards.
    pub async fn act(&self, cid: Uuid, action: Action) -> Result<(), ModuleError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct After {
            credential_status: String,
        }
        let address = self
            .0
            .address(&["api", "credential", &cid.to_string(), action.word()])?;
        let after: After = self.0.call(self.0.client.put(address)).await?;
        match after.credential_status == action.after() {
            true => Ok(()),
            false => Err(ModuleError::Answer("the card does not stand as it should")),
        }
    }

    /// Does the same to several cards (DWVC-302).
    ///
    /// # Errors
    ///
    /// [`ModuleError`]; what could not be done to single cards is in the answer.
    pub async fn act_on_all(&self, cids: &[Uuid], action: Action) -> Result<Acted, ModuleError> {
        let body = json!({ "action": action.word(), "cids": cids });
        let address = self.0.address(&["api", "credential", "multiaction"])?;
        let answer: Value = self.0.call(self.0.client.put(address).json(&body)).await?;
        let list = |value: Option<&Value>| {
            let list = value.and_then(Value::as_array).cloned();
            list.ok_or(ModuleError::Answer("it has no lists of cards"))
        };
        let done: Vec<Uuid> = list(answer.get("success"))?.iter().map(cid).collect::<Result<_, _>>()?;
        let mut failed = Vec::new();
        for group in list(answer.get("fail"))? {
            let code = number(group.get("code")).ok_or(ModuleError::Answer("a refusal has no code"))?;
            for one in list(group.get("cids"))? {
                failed.push((code, cid(&one)?));
            }
        }
        // A card that is in neither list, or in both, may still be good: nothing may be noted as revoked then.
        let mut told: Vec<Uuid> = done.iter().chain(failed.iter().map(|(_, cid)| cid)).copied().collect();
        let mut asked = cids.to_vec();
        told.sort_unstable();
        asked.sort_unstable();
        if told != asked {
            return Err(ModuleError::Answer(
                "it does not name exactly the cards that were asked",
            ));
        }
        Ok(Acted { done, failed })
    }
}

fn listed(answer: &Value) -> Result<Vec<Listed>, ModuleError> {
    let list = answer.get("vcList").and_then(Value::as_array);
    list.ok_or(ModuleError::Answer("it has no list of cards"))?
        .iter()
        .map(|card| {
            Ok(Listed {
                cid: cid(card.get("cid").unwrap_or(&Value::Null))?,
                template: card.get("vcUid").and_then(Value::as_str).unwrap_or_default().to_owned(),
                standing: match number(card.get("credentialStatus")) {
                    Some(0) => Standing::Valid,
                    Some(1) => Standing::Suspended,
                    Some(2) => Standing::Revoked,
                    _ => return Err(ModuleError::Answer("a card stands in a way not known")),
                },
            })
        })
        .collect()
}
