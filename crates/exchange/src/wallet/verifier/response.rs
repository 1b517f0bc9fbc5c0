//! The response: who presents, which cards, by whom they were given, and what of them is shown.

use super::VerifierError;
use super::config::TrustedIssuer;
use super::definition::{Wanted, places};
use super::request::{Pending, Verifier};
use super::status::{Entry, entries};
use crate::Remember;
use crate::jose::{PublicKey, Token};
use crate::wallet::did;
use crate::wallet::sd_jwt::{LARGEST, SdJwt, SdJwtError};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use subtle::ConstantTimeEq;

/// Most bytes of a response.
const LARGEST_RESPONSE: usize = 1 << 20;
/// Most credentials of one presentation.
const MOST_CREDENTIALS: usize = 16;

/// One card that was shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    /// Its type.
    pub credential_type: String,
    /// Name of who gave it, from the configuration.
    pub issuer_name: String,
    /// Identifier of who gave it.
    pub issuer: String,
    /// Its own name (`jti`), if it has one.
    pub id: Option<String>,
    /// The claims that were asked.
    pub claims: BTreeMap<String, Value>,
    pub(super) statuses: Vec<Entry>,
}

impl std::fmt::Debug for Card {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Card")
            .field("credential_type", &self.credential_type)
            .field("issuer_name", &self.issuer_name)
            .finish_non_exhaustive()
    }
}

/// What was presented, signed and bound as it must be; whether the cards still stand is not asked yet
/// ([`Verifier::confirm`]), so there is nothing to read in it.
#[derive(Clone)]
pub struct Presented(pub(super) Presentation);

impl std::fmt::Debug for Presented {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Presented")
    }
}

/// Cards that may be believed, in the order they were asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Presentation {
    /// Identifier of the wallet's key.
    pub holder: String,
    /// The cards.
    pub cards: Vec<Card>,
    /// What to remember so that the response serves once.
    pub remember: Remember,
}

impl std::fmt::Debug for Presentation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Presentation")
            .field("cards", &self.cards)
            .finish_non_exhaustive()
    }
}

/// The fields of a response of no more than the bytes allowed.
fn fields(body: &[u8]) -> Option<BTreeMap<String, String>> {
    if body.len() > LARGEST_RESPONSE {
        return None;
    }
    crate::client::fields(body)
}

impl Verifier {
    /// The state that a posted response names, by which the caller finds what it kept.
    #[must_use]
    pub fn state_of(body: &[u8]) -> Option<String> {
        fields(body)?.remove("state").filter(|state| state.len() == 32)
    }

    /// Reads what a wallet posted (form, not decoded) for a request that the caller has kept and taken out.
    ///
    /// # Errors
    ///
    /// [`VerifierError`] says which check failed.
    pub fn read_response(&self, body: &[u8], pending: &Pending, now: Timestamp) -> Result<Presented, VerifierError> {
        let fields = fields(body).ok_or(VerifierError::Form("it is too large, or a field stands twice"))?;
        let get = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        if !bool::from(get("state").as_bytes().ct_eq(pending.state.as_bytes())) {
            return Err(VerifierError::State);
        }
        self.check_time(pending, now)?;
        if let Some(error) = fields.get("error") {
            let plain = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
            return Err(VerifierError::Denied(error.chars().filter(plain).take(64).collect()));
        }
        let (holder, credentials) = self.presented(get("vp_token"), pending, now)?;
        let wanted = &pending.wanted;
        let submission = get("presentation_submission");
        let places = places(submission, &pending.definition_id, wanted.len(), credentials.len())?;
        let cards = wanted
            .iter()
            .zip(places)
            .map(|(wanted, place)| {
                let credential = credentials.get(place);
                let credential = credential.ok_or(VerifierError::Submission("a credential is missing"))?;
                self.card(credential, wanted, &holder, now)
            })
            .collect::<Result<_, _>>()?;
        let config = &self.0.config;
        let until = pending.begun.as_second().saturating_add(config.life_seconds);
        Ok(Presented(Presentation {
            holder: did::of(&holder),
            cards,
            remember: Remember {
                key: hex::encode(Sha256::digest(&pending.nonce)),
                until: Timestamp::from_second(until).unwrap_or(Timestamp::MAX),
            },
        }))
    }

    /// The wallet's key and the credentials, after the proof that they are presented here and now.
    fn presented(
        &self,
        text: &str,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<(PublicKey, Vec<SdJwt>), VerifierError> {
        if text.starts_with('[') {
            let list: Vec<String> =
                serde_json::from_str(text).map_err(|_| VerifierError::Form("`vp_token` is not a list of texts"))?;
            return self.bound(&list, pending, now);
        }
        if text.contains('~') {
            return self.bound(&[text.to_owned()], pending, now);
        }
        let token = Token::parse(text, LARGEST_RESPONSE)?;
        let refused = VerifierError::Presentation;
        if token
            .header_text("typ")
            .is_some_and(|typ| !matches!(typ, "JWT" | "vp+jwt"))
        {
            return Err(refused("it is a token of another type"));
        }
        let named = token.text("iss").or(token.header_text("kid"));
        let holder = did::key(named.ok_or(refused("it names no holder"))?)?;
        token.verify(&holder)?;
        if token
            .header_text("kid")
            .is_some_and(|kid| did::key(kid).as_ref() != Ok(&holder))
        {
            return Err(refused("it names two holders"));
        }
        let is_ours = match token.claims.get("aud") {
            Some(Value::String(audience)) => *audience == self.0.client_id,
            _ => false,
        };
        if !is_ours {
            return Err(refused("it is made for another verifier"));
        }
        if !token
            .text("nonce")
            .is_some_and(|nonce| bool::from(nonce.as_bytes().ct_eq(pending.nonce.as_bytes())))
        {
            return Err(refused("its nonce is not the one of this request"));
        }
        if !self.is_in_force(&token, now) {
            return Err(refused("it is too old or from the future"));
        }
        let list = token.claims.get("vp").and_then(|vp| vp.get("verifiableCredential"));
        let credentials = match list {
            Some(Value::Array(list)) if list.len() <= MOST_CREDENTIALS => list
                .iter()
                .map(|text| Ok(SdJwt::parse(text.as_str().ok_or(SdJwtError::Form)?)?))
                .collect::<Result<_, VerifierError>>()?,
            Some(Value::String(text)) if text.len() <= LARGEST => vec![SdJwt::parse(text)?],
            _ => return Err(refused("it holds no credentials, or too many")),
        };
        Ok((holder, credentials))
    }

    /// Credentials each with a token of the holder (`kb+jwt`).
    fn bound(
        &self,
        list: &[String],
        pending: &Pending,
        now: Timestamp,
    ) -> Result<(PublicKey, Vec<SdJwt>), VerifierError> {
        if list.is_empty() || list.len() > MOST_CREDENTIALS {
            return Err(VerifierError::Presentation("it holds no credentials, or too many"));
        }
        let config = &self.0.config;
        let mut found: Option<PublicKey> = None;
        let mut credentials = Vec::new();
        for text in list {
            let credential = SdJwt::parse(text)?;
            let holder = confirmed(&credential.token.claims)?;
            let longest = config.life_seconds.saturating_add(config.skew_seconds);
            credential.check_binding(&holder, &self.0.client_id, &pending.nonce, now.as_second(), longest)?;
            if found.as_ref().is_some_and(|found| *found != holder) {
                return Err(VerifierError::Holder);
            }
            found = Some(holder);
            credentials.push(credential);
        }
        Ok((found.ok_or(VerifierError::Holder)?, credentials))
    }

    /// One card: by a trusted issuer for this type, signed, in force, given to this holder, with what was asked.
    fn card(
        &self,
        credential: &SdJwt,
        wanted: &Wanted,
        holder: &PublicKey,
        now: Timestamp,
    ) -> Result<Card, VerifierError> {
        let token = &credential.token;
        if !token
            .header_text("typ")
            .is_some_and(|typ| matches!(typ, "vc+sd-jwt" | "dc+sd-jwt"))
        {
            return Err(SdJwtError::Form.into());
        }
        // `jku` and `kid` are read nowhere: whoever makes a card chooses them. The key is that of the pinned identifier.
        let issuer = token.text("iss").ok_or(VerifierError::Issuer)?;
        let pinned = self.0.issuers.iter().find(|(pinned, _)| pinned.did == issuer);
        let (pinned, key) = pinned.ok_or(VerifierError::Issuer)?;
        let claims = credential.claims(key)?;
        let vc = match claims.get("vc") {
            Some(Value::Object(vc)) => vc,
            _ => &claims,
        };
        check_type(pinned, vc, wanted)?;
        if !self.is_in_force(token, now) {
            return Err(VerifierError::OutOfDate);
        }
        if confirmed(&claims)? != *holder {
            return Err(VerifierError::Holder);
        }
        if token
            .text("sub")
            .is_some_and(|sub| did::key(sub).as_ref() != Ok(holder))
        {
            return Err(VerifierError::Holder);
        }
        let statuses = entries(vc.get("credentialStatus"), pinned)?;
        if statuses.is_empty() && self.0.config.status_required {
            return Err(VerifierError::UnknownStatus("it names no status list".to_owned()));
        }
        let about = vc.get("credentialSubject");
        let shown = wanted
            .claims
            .iter()
            .map(|name| {
                let value = about.and_then(|about| about.get(name));
                let value = value.ok_or(VerifierError::Submission("a claim that was asked is not shown"))?;
                Ok((name.clone(), value.clone()))
            })
            .collect::<Result<_, VerifierError>>()?;
        Ok(Card {
            credential_type: wanted.credential_type.clone(),
            issuer_name: pinned.name.clone(),
            issuer: pinned.did.clone(),
            id: token.text("jti").map(str::to_owned),
            claims: shown,
            statuses,
        })
    }

    fn is_in_force(&self, token: &Token, now: Timestamp) -> bool {
        let (now, skew) = (now.as_second(), self.0.config.skew_seconds);
        let is_time = |name: &str| token.claims.get(name).is_none_or(|value| value.as_i64().is_some());
        let began = |name: &str| token.seconds(name).is_none_or(|from| from <= now.saturating_add(skew));
        let ends = token
            .seconds("exp")
            .is_none_or(|until| until > now.saturating_sub(skew));
        ["nbf", "iat", "exp"].into_iter().all(is_time) && began("nbf") && began("iat") && ends
    }
}

/// The key a card was given to (`cnf`, RFC 7800).
fn confirmed(claims: &Map<String, Value>) -> Result<PublicKey, VerifierError> {
    let jwk = claims
        .get("cnf")
        .and_then(|cnf| cnf.get("jwk"))
        .ok_or(VerifierError::Holder)?;
    PublicKey::from_jwk(jwk).map_err(|_| VerifierError::Holder)
}

fn check_type(issuer: &TrustedIssuer, vc: &Map<String, Value>, wanted: &Wanted) -> Result<(), VerifierError> {
    if !issuer.credential_types.contains(&wanted.credential_type) {
        return Err(VerifierError::Issuer);
    }
    let is_type = match vc.get("type").or(vc.get("vct")) {
        Some(Value::Array(types)) => types
            .iter()
            .any(|one| one.as_str() == Some(wanted.credential_type.as_str())),
        Some(Value::String(one)) => *one == wanted.credential_type,
        _ => false,
    };
    match is_type {
        true => Ok(()),
        false => Err(VerifierError::Submission("a card is of another type than asked")),
    }
}
