//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.4): the issuer says whose sessions have ended.

use super::config::Config;
use super::error::OidcError;
use super::provider::ALGORITHMS;
use crate::Remember;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey, JsonWebKeyId};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Most bytes of a token.
const LARGEST: usize = 16 << 10;
/// Longest time for which a token is believed after it was made.
const LONGEST_SECONDS: i64 = 300;
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Whose sessions are to be ended: those of a subject, one session, or one session of a subject. `Debug` is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct LogoutToken {
    /// The issuer's name of the person.
    pub subject: Option<String>,
    /// The session at the issuer.
    pub session: Option<String>,
    /// What to remember so that the token serves once.
    pub remember: Remember,
}

impl std::fmt::Debug for LogoutToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LogoutToken")
    }
}

/// Why a token is not accepted yet.
#[derive(Debug)]
pub(super) enum Refusal {
    UnknownKey,
    Other(&'static str),
}

impl Refusal {
    pub fn into_error(self) -> OidcError {
        OidcError::Logout(match self {
            Refusal::UnknownKey => "it is signed with a key the issuer does not name",
            Refusal::Other(what) => what,
        })
    }
}

#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    iat: i64,
    exp: Option<i64>,
    jti: String,
    sub: Option<String>,
    sid: Option<String>,
    events: Map<String, Value>,
    nonce: Option<Value>,
}

struct Parsed<'a> {
    header: Header,
    claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

fn parse(token: &str) -> Result<Parsed<'_>, &'static str> {
    if token.len() > LARGEST {
        return Err("it is too large");
    }
    let form = "it is not a signed token";
    let (signed, signature) = token.rsplit_once('.').ok_or(form)?;
    let (header, claims) = signed.split_once('.').ok_or(form)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| form);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| "its header can't be read")?;
    let claims: Claims =
        serde_json::from_slice(&decode(claims)?).map_err(|_| "a claim is missing or of another form")?;
    Ok(Parsed {
        header,
        claims,
        signed,
        signature: decode(signature)?,
    })
}

/// Reads the form of a token alone, without believing it: for tests by random input.
///
/// # Errors
///
/// [`OidcError::Logout`].
pub fn check_form(token: &str) -> Result<(), OidcError> {
    parse(token).map(|_| ()).map_err(OidcError::Logout)
}

impl LogoutToken {
    pub(super) fn read(
        token: &str,
        keys: &CoreJsonWebKeySet,
        config: &Config,
        now: Timestamp,
    ) -> Result<LogoutToken, Refusal> {
        let refused = |what| Err(Refusal::Other(what));
        let Parsed {
            header,
            claims,
            signed,
            signature,
        } = parse(token).map_err(Refusal::Other)?;
        if !ALGORITHMS.contains(&header.alg) {
            return refused("it is signed with an algorithm that is not accepted");
        }
        // explicit typing keeps an ID token from passing for a logout token; older issuers write none or `JWT`
        let typ = header
            .typ
            .as_deref()
            .map(|typ| typ.trim_start_matches("application/").to_ascii_lowercase());
        if !matches!(typ.as_deref(), None | Some("logout+jwt" | "jwt")) {
            return refused("it is a token of another type");
        }
        if header.crit.is_some() {
            return refused("its header asks for what is not known here");
        }
        let mut candidates: Vec<&CoreJsonWebKey> = keys.keys().iter().collect();
        if let Some(kid) = header.kid {
            let kid = JsonWebKeyId::new(kid);
            candidates.retain(|key| key.key_id() == Some(&kid));
        }
        if candidates.is_empty() {
            return Err(Refusal::UnknownKey);
        }
        let is_signed = candidates
            .iter()
            .any(|key| key.verify_signature(&header.alg, signed.as_bytes(), &signature).is_ok());
        if !is_signed {
            return refused("its signature does not match");
        }
        check(&claims, config, now).map_err(Refusal::Other)?;
        let life = SignedDuration::from_secs(LONGEST_SECONDS.saturating_add(2 * config.skew_seconds));
        Ok(LogoutToken {
            remember: Remember {
                key: hex::encode(Sha256::digest(format!("{}\n{}", claims.iss, claims.jti))),
                until: now.saturating_add(life).unwrap_or(Timestamp::MAX),
            },
            subject: claims.sub,
            session: claims.sid,
        })
    }
}

fn check(claims: &Claims, config: &Config, now: Timestamp) -> Result<(), &'static str> {
    let now = now.as_second();
    if claims.iss != config.issuer {
        return Err("it is made by another issuer");
    }
    let is_ours = match &claims.aud {
        Audience::One(audience) => *audience == config.client_id,
        Audience::Several(several) => several.contains(&config.client_id),
    };
    if !is_ours {
        return Err("it is made for another client");
    }
    if claims.iat > now.saturating_add(config.skew_seconds) {
        return Err("it is made in the future");
    }
    if claims.iat < now.saturating_sub(LONGEST_SECONDS.saturating_add(config.skew_seconds)) {
        return Err("it is too old");
    }
    if claims
        .exp
        .is_some_and(|exp| exp < now.saturating_sub(config.skew_seconds))
    {
        return Err("it has expired");
    }
    if claims.jti.is_empty() {
        return Err("it has no name of its own");
    }
    if !claims.events.get(EVENT).is_some_and(Value::is_object) {
        return Err("it does not speak of a logout");
    }
    if claims.nonce.is_some() {
        return Err("it has a nonce, so it is an ID token");
    }
    let is_named = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    if !is_named(&claims.sub) && !is_named(&claims.sid) {
        return Err("it names neither person nor session");
    }
    Ok(())
}
