//! The offer of one card to one person: an address for the wallet with a code that serves once.

use super::config::{Issuer, IssuerError};
use crate::wallet::sd_jwt::digest;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the person gets. `Debug` is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Offer {
    /// The address that opens the wallet, also as a QR code.
    pub link: String,
    /// The PIN, told to the person by another way than the link; only if one was asked for.
    pub pin: Option<String>,
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Offer")
    }
}

/// What is kept of an offer, by its key, beside whom it is for. It is written back after every try
/// ([`Issuer::handle_token`]). `Debug` is empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Digest of the code; the caller finds the offer by it.
    pub key: String,
    /// The card.
    pub credential_type: String,
    /// Until when the code serves.
    pub until: Timestamp,
    /// Digest of code and PIN.
    pub(super) pin: Option<String>,
    /// Wrong PINs so far.
    pub(super) failures: u8,
    /// Whether a token was given for it.
    pub is_used: bool,
}

impl std::fmt::Debug for Offered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Offered")
    }
}

/// 32 random bytes in hexadecimal.
pub(super) fn secret(random: &dyn SecureRandom) -> Result<String, IssuerError> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes).map_err(|_| IssuerError::Randomness)?;
    Ok(hex::encode(bytes))
}

/// Six digits, each as likely as the others.
fn pin(random: &dyn SecureRandom) -> Result<String, IssuerError> {
    let mut digits = String::with_capacity(6);
    while digits.len() < 6 {
        let mut byte = [0];
        random.fill(&mut byte).map_err(|_| IssuerError::Randomness)?;
        let [byte] = byte;
        if byte < 250 {
            digits.push(char::from(b'0'.saturating_add(byte % 10)));
        }
    }
    Ok(digits)
}

impl Issuer {
    /// Offers a card. With `with_pin` the wallet asks the person for six digits that the city tells by another way.
    ///
    /// # Errors
    ///
    /// [`IssuerError::Kind`] for a card that the city does not give.
    pub fn offer(
        &self,
        credential_type: &str,
        with_pin: bool,
        random: &dyn SecureRandom,
        now: Timestamp,
    ) -> Result<(Offer, Offered), IssuerError> {
        let kind = self
            .kind(credential_type)
            .ok_or_else(|| IssuerError::Kind(credential_type.to_owned()))?;
        let code = secret(random)?;
        let pin = with_pin.then(|| pin(random)).transpose()?;
        let object = self.offer_object(&kind.credential_type, &code, with_pin);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("credential_offer", &object.to_string())
            .finish();
        let life = SignedDuration::from_secs(self.0.config.life_seconds);
        let offered = Offered {
            key: digest(&code),
            credential_type: kind.credential_type.clone(),
            until: now.saturating_add(life).unwrap_or(Timestamp::MAX),
            pin: pin.as_ref().map(|pin| digest(&format!("{code}{pin}"))),
            failures: 0,
            is_used: false,
        };
        let link = format!("{}?{query}", self.0.config.wallet_link);
        Ok((Offer { link, pin }, offered))
    }

    fn offer_object(&self, credential_type: &str, code: &str, with_pin: bool) -> Value {
        let mut grant = json!({ "pre-authorized_code": code });
        if let (true, Some(grant)) = (with_pin, grant.as_object_mut()) {
            let asked = json!({ "input_mode": "numeric", "length": 6, "description": "市府告訴您的六位數字" });
            grant.insert("tx_code".to_owned(), asked);
        }
        json!({
            "credential_issuer": self.identifier(),
            "credential_configuration_ids": [credential_type],
            "grants": { "urn:ietf:params:oauth:grant-type:pre-authorized_code": grant },
        })
    }
}
