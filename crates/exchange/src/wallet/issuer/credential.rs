//! The credential endpoint: a proof of the wallet's key for the card.

use super::Refusal;
use super::config::Issuer;
use super::offer::secret;
use super::token::Granted;
use crate::jose::{PublicKey, Token};
use crate::wallet::did;
use crate::wallet::sd_jwt::{digest, issue};
use crate::wallet::status_list::Purpose;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Most bytes of a request.
const LARGEST: usize = 64 << 10;
/// Most bytes of a proof.
const LARGEST_PROOF: usize = 16 << 10;

/// A request of a wallet. `Debug` is empty.
#[derive(Clone)]
pub struct CredentialRequest {
    token: String,
    identifier: String,
    proof: String,
}

impl std::fmt::Debug for CredentialRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CredentialRequest")
    }
}

impl CredentialRequest {
    /// Reads the header `Authorization` and the JSON body: one identifier and one proof.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidToken`], [`Refusal::InvalidCredentialRequest`], [`Refusal::InvalidProof`].
    pub fn read(authorization: Option<&str>, body: &[u8]) -> Result<CredentialRequest, Refusal> {
        let token = authorization
            .and_then(|value| value.strip_prefix("Bearer "))
            .filter(|token| !token.is_empty() && token.len() <= 256)
            .ok_or(Refusal::InvalidToken)?;
        if body.len() > LARGEST {
            return Err(Refusal::InvalidCredentialRequest);
        }
        let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::InvalidCredentialRequest)?;
        let identifier = body.get("credential_identifier").and_then(Value::as_str);
        let proofs = body
            .get("proofs")
            .and_then(|proofs| proofs.get("jwt"))
            .and_then(Value::as_array);
        let proof = match proofs.map(Vec::as_slice) {
            Some([proof]) => proof.as_str(),
            _ => None,
        };
        Ok(CredentialRequest {
            token: token.to_owned(),
            identifier: identifier.ok_or(Refusal::InvalidCredentialRequest)?.to_owned(),
            proof: proof.ok_or(Refusal::InvalidProof("there must be one"))?.to_owned(),
        })
    }

    /// The key by which the caller finds what was granted; without one it answers [`Refusal::InvalidToken`].
    #[must_use]
    pub fn key(&self) -> String {
        digest(&self.token)
    }
}

/// What a card is made of. `Debug` is empty.
#[derive(Clone)]
pub struct Content<'a> {
    /// A value for each field of the card.
    pub subject: &'a BTreeMap<String, Value>,
    /// An entry of the status lists that no other card of this type has, best a random free one.
    pub index: usize,
    /// When it ends, where that is before the days of its kind.
    pub not_after: Option<Timestamp>,
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Content")
    }
}

/// What is kept of a card that was given: enough to revoke it. `Debug` is empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The card's own name (`cid`), at the end of its `jti`.
    pub cid: Uuid,
    /// Its type.
    pub credential_type: String,
    /// Identifier of the wallet's key.
    pub holder: String,
    /// Its entry in the status lists.
    pub index: usize,
    /// Until when it is good.
    pub expires: Timestamp,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Issued")
    }
}

impl Issuer {
    /// Answers a request for what was granted and found by [`CredentialRequest::key`]. After a success what was granted is forgotten; after [`Refusal::InvalidProof`] it is written back with its new nonce
    /// ([`Granted::refused`]).
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn handle_credential(
        &self,
        request: &CredentialRequest,
        granted: &mut Granted,
        content: &Content<'_>,
        random: &dyn SecureRandom,
        now: Timestamp,
    ) -> Result<(Value, Issued), Refusal> {
        let Content {
            subject,
            index,
            not_after,
        } = *content;
        if !bool::from(request.key().as_bytes().ct_eq(granted.key.as_bytes())) || now > granted.until {
            return Err(Refusal::InvalidToken);
        }
        if request.identifier != granted.credential_identifier {
            return Err(Refusal::InvalidCredentialRequest);
        }
        let holder = match self.proven(&request.proof, granted, now) {
            Ok(holder) => holder,
            Err(what) => {
                // a nonce is good for one proof, whatever came of it
                granted.c_nonce = secret(random).map_err(|_| Refusal::ServerError)?;
                return Err(Refusal::InvalidProof(what));
            }
        };
        let kind = self
            .kind(&granted.credential_type)
            .ok_or(Refusal::UnsupportedCredentialType)?;
        let is_complete =
            kind.fields.len() == subject.len() && kind.fields.iter().all(|field| subject.contains_key(&field.name));
        if !is_complete {
            return Err(Refusal::ServerError);
        }
        let mut salts = vec![[0; 16]; subject.len()];
        for salt in &mut salts {
            random.fill(salt).map_err(|_| Refusal::ServerError)?;
        }
        let mut name = [0; 16];
        random.fill(&mut name).map_err(|_| Refusal::ServerError)?;
        let cid = uuid::Builder::from_random_bytes(name).into_uuid();
        let life = SignedDuration::from_hours(i64::from(kind.valid_days).saturating_mul(24));
        let expires = now.saturating_add(life).unwrap_or(Timestamp::MAX);
        let expires = not_after.map_or(expires, |end| expires.min(end));
        let claims = self.claims(granted, &holder, cid, index, now, expires)?;
        let mut header = Map::new();
        header.insert("typ".to_owned(), json!("vc+sd-jwt"));
        header.insert("kid".to_owned(), json!(self.0.key.public().thumbprint()));
        header.insert("jku".to_owned(), json!(self.0.config.keys));
        let card = issue(&self.0.key, header, claims, subject, &salts).map_err(|_| Refusal::ServerError)?;
        let issued = Issued {
            cid,
            credential_type: kind.credential_type.clone(),
            holder: did::of(&holder),
            index,
            expires,
        };
        // nonces after the first are for further cards, which a code of ours does not give
        Ok((json!({ "credential": card }), issued))
    }

    /// The wallet's key, by its proof (OpenID4VCI, `openid4vci-proof+jwt`).
    fn proven(&self, proof: &str, granted: &Granted, now: Timestamp) -> Result<PublicKey, &'static str> {
        let token = Token::parse(proof, LARGEST_PROOF).map_err(|_| "it can't be read, or is not signed with ES256")?;
        if token.header_text("typ") != Some("openid4vci-proof+jwt") {
            return Err("it is a token of another type");
        }
        let named = token.header_text("kid").map(|kid| did::key(kid).map_err(|_| ()));
        let given = token
            .header
            .get("jwk")
            .map(|jwk| PublicKey::from_jwk(jwk).map_err(|_| ()));
        let holder = match (named, given) {
            (Some(Ok(key)), None) | (None, Some(Ok(key))) => key,
            _ => return Err("it must name one P-256 key by `kid` or `jwk`"),
        };
        token.verify(&holder).map_err(|_| "its signature does not match")?;
        if token.text("iss").is_some_and(|iss| iss != granted.client_id) {
            return Err("it is made by another client");
        }
        if token.text("aud").map(|aud| aud.trim_end_matches('/')) != Some(self.identifier()) {
            return Err("it is made for another issuer");
        }
        let nonce = token.text("nonce").unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(granted.c_nonce.as_bytes())) {
            return Err("its nonce is not the one of this issuer");
        }
        let config = &self.0.config;
        let longest = config.life_seconds.saturating_add(config.skew_seconds);
        let is_now = token.seconds("iat").is_some_and(|at| {
            at <= now.as_second().saturating_add(config.skew_seconds) && at >= now.as_second().saturating_sub(longest)
        });
        match is_now {
            true => Ok(holder),
            false => Err("it is too old or from the future"),
        }
    }

    fn claims(
        &self,
        granted: &Granted,
        holder: &PublicKey,
        cid: Uuid,
        index: usize,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Map<String, Value>, Refusal> {
        let kind = &granted.credential_type;
        let name = self.below(&self.0.config.address, &["credential", &cid.to_string()]);
        let name = name.map_err(|_| Refusal::ServerError)?;
        let status = |purpose: Purpose| {
            let list = self.list_address(kind, purpose).map_err(|_| Refusal::ServerError)?;
            Ok(json!({
                "id": format!("{list}#{index}"), "type": "StatusList2021Entry", "statusPurpose": purpose.name(),
                "statusListIndex": index.to_string(), "statusListCredential": list,
            }))
        };
        let schema = self
            .below(&self.0.config.address, &["schema", kind])
            .map_err(|_| Refusal::ServerError)?;
        let claims = json!({
            "iss": self.0.did, "sub": did::of(holder), "jti": name,
            "nbf": now.as_second(), "iat": now.as_second(), "exp": expires.as_second(),
            "nonce": granted.c_nonce, "cnf": { "jwk": holder.jwk() },
            "vc": {
                "@context": ["https://www.w3.org/2018/credentials/v1"],
                "type": ["VerifiableCredential", kind],
                "credentialSubject": { "id": did::of(holder) },
                "credentialSchema": { "id": schema, "type": "JsonSchema" },
                "credentialStatus": [status(Purpose::Revocation)?, status(Purpose::Suspension)?],
            },
        });
        match claims {
            Value::Object(claims) => Ok(claims),
            _ => Err(Refusal::ServerError),
        }
    }

    /// The schema of a card, served at `schema/{type}`.
    #[must_use]
    pub fn schema(&self, credential_type: &str) -> Option<Value> {
        let kind = self.kind(credential_type)?;
        let fields: Map<String, Value> = kind
            .fields
            .iter()
            .map(|field| (field.name.clone(), json!({ "title": field.title, "type": "string" })))
            .collect();
        Some(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": kind.title, "type": "object",
            "properties": { "credentialSubject": { "type": "object", "properties": fields } },
        }))
    }
}

impl Granted {
    /// The body of a refusal for this wallet: with the new nonce after a refused proof.
    #[must_use]
    pub fn refused(&self, refusal: Refusal, issuer: &Issuer) -> Value {
        match refusal {
            Refusal::InvalidProof(_) => refusal.body(Some((&self.c_nonce, issuer.0.config.life_seconds))),
            other => other.body(None),
        }
    }
}
