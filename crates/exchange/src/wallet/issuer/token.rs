//! The token endpoint: a code, and the PIN where one was asked, for an access token and a nonce.

use super::Refusal;
use super::config::Issuer;
use super::offer::{Offered, secret};
use crate::wallet::sd_jwt::digest;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
/// Most bytes of a request.
const LARGEST: usize = 32 << 10;

/// A request of a wallet. `Debug` is empty.
#[derive(Clone)]
pub struct TokenRequest {
    client_id: String,
    code: String,
    pin: Option<String>,
    wanted: String,
}

impl std::fmt::Debug for TokenRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenRequest")
    }
}

impl TokenRequest {
    /// Reads the form, not decoded.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidRequest`], [`Refusal::UnsupportedGrantType`].
    pub fn read(body: &[u8]) -> Result<TokenRequest, Refusal> {
        if body.len() > LARGEST {
            return Err(Refusal::InvalidRequest);
        }
        let mut fields = crate::client::fields(body).ok_or(Refusal::InvalidRequest)?;
        let mut take = |name: &str| fields.remove(name).filter(|value| !value.is_empty());
        match take("grant_type").as_deref() {
            Some(GRANT) => {}
            Some(_) => return Err(Refusal::UnsupportedGrantType),
            None => return Err(Refusal::InvalidRequest),
        }
        let details = take("authorization_details").ok_or(Refusal::InvalidRequest)?;
        let details: Value = serde_json::from_str(&details).map_err(|_| Refusal::InvalidRequest)?;
        let detail = match &details {
            Value::Array(list) if list.len() == 1 => list.first(),
            Value::Object(_) => Some(&details),
            _ => None,
        };
        let text = |name: &str| detail.and_then(|detail| detail.get(name)).and_then(Value::as_str);
        if text("type") != Some("openid_credential") {
            return Err(Refusal::InvalidRequest);
        }
        let wanted = text("credential_configuration_id")
            .ok_or(Refusal::InvalidRequest)?
            .to_owned();
        Ok(TokenRequest {
            client_id: take("client_id").ok_or(Refusal::InvalidRequest)?,
            code: take("pre-authorized_code").ok_or(Refusal::InvalidRequest)?,
            pin: take("tx_code"),
            wanted,
        })
    }

    /// The key by which the caller finds the offer; without one it answers [`Refusal::InvalidGrant`].
    #[must_use]
    pub fn key(&self) -> String {
        digest(&self.code)
    }
}

/// A wallet that may fetch a card, kept by its key; taken out when the card was given. `Debug` is empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Digest of the access token; the caller finds it by this.
    pub key: String,
    /// Key of the offer, by which the caller knows whom the card is for.
    pub offer: String,
    /// The card.
    pub credential_type: String,
    /// Until when the token serves.
    pub until: Timestamp,
    pub(super) client_id: String,
    pub(super) credential_identifier: String,
    pub(super) c_nonce: String,
}

impl std::fmt::Debug for Granted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Granted")
    }
}

impl Issuer {
    /// Answers a request for the offer that the caller found by [`TokenRequest::key`]. The changed offer is written back
    /// whatever the answer is, in the same transaction as what is granted: it counts wrong PINs and serves once.
    ///
    /// # Errors
    ///
    /// [`Refusal`] to be answered with its status and body.
    pub fn handle_token(
        &self,
        request: &TokenRequest,
        offered: &mut Offered,
        random: &dyn SecureRandom,
        now: Timestamp,
    ) -> Result<(Value, Granted), Refusal> {
        let config = &self.0.config;
        let is_known = bool::from(request.key().as_bytes().ct_eq(offered.key.as_bytes()));
        if !is_known || offered.is_used || offered.failures >= config.tries || now > offered.until {
            return Err(Refusal::InvalidGrant);
        }
        match (&offered.pin, &request.pin) {
            (None, None) => {}
            (None, Some(_)) => return Err(Refusal::InvalidRequest),
            (Some(_), None) => return Err(Refusal::InvalidRequest),
            (Some(expected), Some(pin)) => {
                let found = digest(&format!("{}{pin}", request.code));
                if !bool::from(found.as_bytes().ct_eq(expected.as_bytes())) {
                    offered.failures = offered.failures.saturating_add(1);
                    return Err(Refusal::InvalidGrant);
                }
            }
        }
        if request.wanted != offered.credential_type {
            return Err(Refusal::UnsupportedCredentialType);
        }
        let fresh = || secret(random).map_err(|_| Refusal::ServerError);
        let (token, c_nonce, identifier) = (fresh()?, fresh()?, fresh()?);
        offered.is_used = true;
        let life = SignedDuration::from_secs(config.life_seconds);
        let granted = Granted {
            key: digest(&token),
            offer: offered.key.clone(),
            credential_type: offered.credential_type.clone(),
            until: now.saturating_add(life).unwrap_or(Timestamp::MAX),
            client_id: request.client_id.clone(),
            credential_identifier: identifier,
            c_nonce,
        };
        let answer = json!({
            "access_token": token, "token_type": "Bearer", "expires_in": config.life_seconds,
            "c_nonce": granted.c_nonce, "c_nonce_expires_in": config.life_seconds,
            "authorization_details": [{
                "type": "openid_credential", "credential_configuration_id": granted.credential_type,
                "credential_identifiers": [granted.credential_identifier],
            }],
        });
        Ok((answer, granted))
    }
}
