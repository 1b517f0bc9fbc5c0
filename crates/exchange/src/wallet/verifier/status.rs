//! Whether shown cards still stand: the lists they name, fetched from their issuers.

use super::VerifierError;
use super::config::TrustedIssuer;
use super::request::Verifier;
use super::response::{Presentation, Presented};
use crate::client::{self, BodyError};
use crate::wallet::did;
use crate::wallet::status_list::{LARGEST_TOKEN, Purpose, StatusList};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// A place on a list.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    purpose: Purpose,
    index: usize,
    list: Url,
}

/// The places a card names. Every one must be on a list of its issuer; of another kind none is accepted.
pub(super) fn entries(status: Option<&Value>, issuer: &TrustedIssuer) -> Result<Vec<Entry>, VerifierError> {
    let unknown = |what: &str| VerifierError::UnknownStatus(what.to_owned());
    let list = match status {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= 8 => list.iter().collect(),
        Some(Value::Object(_)) => status.into_iter().collect::<Vec<_>>(),
        Some(_) => return Err(unknown("its status can't be read")),
    };
    list.into_iter()
        .map(|entry| {
            let text = |name: &str| entry.get(name).and_then(Value::as_str);
            if text("type") != Some("StatusList2021Entry") {
                return Err(unknown("its status is of another kind than StatusList2021"));
            }
            let purpose = match text("statusPurpose") {
                Some("revocation") => Purpose::Revocation,
                Some("suspension") => Purpose::Suspension,
                _ => return Err(unknown("its status has another purpose")),
            };
            let index = entry.get("statusListIndex");
            let index = index.and_then(|index| match index {
                Value::String(text) => text.parse().ok(),
                other => other.as_u64().and_then(|number| usize::try_from(number).ok()),
            });
            let list = text("statusListCredential").and_then(|text| Url::parse(text).ok());
            let (Some(index), Some(list)) = (index, list) else {
                return Err(unknown("its status can't be read"));
            };
            // the city calls no address that a card made up
            let is_below = list.origin() == issuer.lists.origin() && list.path().starts_with(issuer.lists.path());
            match is_below {
                true => Ok(Entry { purpose, index, list }),
                false => Err(unknown("it names a list that is not its issuer's")),
            }
        })
        .collect()
}

impl Verifier {
    /// Asks the issuers' lists whether the cards still stand. Each list is fetched once.
    ///
    /// # Errors
    ///
    /// [`VerifierError::Status`] for a card on a list; [`VerifierError::UnknownStatus`] where a list can't be had, which may
    /// be tried again.
    pub async fn confirm(&self, presented: &Presented, now: Timestamp) -> Result<Presentation, VerifierError> {
        let mut known: BTreeMap<(String, &'static str), StatusList> = BTreeMap::new();
        for card in &presented.0.cards {
            for entry in &card.statuses {
                let name = (entry.list.to_string(), entry.purpose.name());
                if !known.contains_key(&name) {
                    let list = self.list(entry, &card.issuer, now).await?;
                    known.insert(name.clone(), list);
                }
                let list = known.get(&name);
                let is_set = list.map(|list| list.get(entry.index)).transpose()?;
                match is_set {
                    Some(false) => {}
                    Some(true) => return Err(VerifierError::Status(entry.purpose)),
                    None => return Err(VerifierError::UnknownStatus("its list is missing".to_owned())),
                }
            }
        }
        Ok(presented.0.clone())
    }

    async fn list(&self, entry: &Entry, issuer: &str, now: Timestamp) -> Result<StatusList, VerifierError> {
        let failed = |error: reqwest::Error| VerifierError::UnknownStatus(error.without_url().to_string());
        let answer = self.0.client.get(entry.list.clone()).send().await.map_err(failed)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(VerifierError::UnknownStatus(format!(
                "its list answers with status {}",
                status.as_u16()
            )));
        }
        let body = client::bounded_body(answer, LARGEST_TOKEN)
            .await
            .map_err(|error| match error {
                BodyError::TooLarge => VerifierError::UnknownStatus("its list is too large".to_owned()),
                BodyError::Broken(error) => failed(error),
            })?;
        let text = String::from_utf8_lossy(&body);
        // some issuers wrap the token in JSON
        let wrapped: Option<Value> = serde_json::from_str(&text).ok();
        let token = wrapped
            .as_ref()
            .and_then(|value| value.as_str().or_else(|| value.get("statusList")?.as_str()))
            .unwrap_or(&text);
        let key = did::key(issuer)?;
        let skew = self.0.config.skew_seconds;
        Ok(StatusList::read(
            token,
            issuer,
            &key,
            entry.purpose,
            entry.list.as_str(),
            now.as_second(),
            skew,
        )?)
    }
}
