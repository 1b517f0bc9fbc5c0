//! Selective disclosure (SD-JWT, RFC 9901): a signed token that holds digests of claims, and beside it those claims that the
//! holder shows; optionally bound to the holder by a token of its own (`kb+jwt`).

use crate::jose::{JoseError, PublicKey, SigningKey, Token};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Most bytes of a presentation.
pub const LARGEST: usize = 256 << 10;
/// Most disclosures of one.
const MOST_DISCLOSURES: usize = 128;
/// Deepest nesting of claims.
const DEEPEST: usize = 16;

/// Why a token with disclosures is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdJwtError {
    /// The signed token.
    #[error(transparent)]
    Token(#[from] JoseError),
    /// Not parts joined by `~`.
    #[error("the credential is not a token with disclosures")]
    Form,
    /// More disclosures, or deeper claims, than accepted.
    #[error("the credential has too many or too deep claims")]
    TooMany,
    /// `_sd_alg` is not `sha-256`.
    #[error("the credential's digests are made with another algorithm than SHA-256")]
    Algorithm,
    /// A disclosure that is not an array of salt, name and value.
    #[error("a disclosure can't be read")]
    Disclosure,
    /// A disclosure whose digest the issuer did not sign: altered, or of another credential.
    #[error("a disclosure does not belong to the credential")]
    NotSigned,
    /// A digest or a claim stands twice.
    #[error("a claim or digest stands twice in the credential")]
    Twice,
    /// The holder's own token.
    #[error("the holder's proof is refused: {0}")]
    Holder(&'static str),
}

/// A token with disclosures, read and not yet believed.
#[derive(Clone)]
pub struct SdJwt {
    /// The signed token.
    pub token: Token,
    disclosures: Vec<String>,
    /// The holder's token, where there is one.
    pub binding: Option<Token>,
    /// What the holder's token is over.
    presented: String,
}

impl std::fmt::Debug for SdJwt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SdJwt")
    }
}

impl SdJwt {
    /// Reads the form `token~disclosure~…~` or `token~disclosure~…~holder's token`.
    ///
    /// # Errors
    ///
    /// [`SdJwtError::Token`], [`SdJwtError::Form`], [`SdJwtError::TooMany`].
    pub fn parse(text: &str) -> Result<SdJwt, SdJwtError> {
        if text.len() > LARGEST {
            return Err(JoseError::TooLarge.into());
        }
        let (presented, last) = text.rsplit_once('~').ok_or(SdJwtError::Form)?;
        let mut parts = presented.split('~');
        let token = Token::parse(parts.next().ok_or(SdJwtError::Form)?, LARGEST)?;
        let disclosures: Vec<String> = parts.map(str::to_owned).collect();
        if disclosures.iter().any(String::is_empty) {
            return Err(SdJwtError::Form);
        }
        if disclosures.len() > MOST_DISCLOSURES {
            return Err(SdJwtError::TooMany);
        }
        let binding = match last {
            "" => None,
            text => Some(Token::parse(text, LARGEST)?),
        };
        Ok(SdJwt {
            token,
            disclosures,
            binding,
            presented: format!("{presented}~"),
        })
    }

    /// Checks the issuer's signature and puts the disclosed claims into their places. Digests of what is not disclosed are
    /// left out.
    ///
    /// # Errors
    ///
    /// [`SdJwtError`].
    pub fn claims(&self, key: &PublicKey) -> Result<Map<String, Value>, SdJwtError> {
        self.token.verify(key)?;
        let mut claims = self.token.claims.clone();
        match claims.remove("_sd_alg") {
            None => {}
            Some(Value::String(name)) if name == "sha-256" => {}
            Some(_) => return Err(SdJwtError::Algorithm),
        }
        let mut open = BTreeMap::new();
        for text in &self.disclosures {
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SdJwtError::Disclosure)?;
            let parts: Vec<Value> = serde_json::from_slice(&bytes).map_err(|_| SdJwtError::Disclosure)?;
            if open.insert(digest(text), parts).is_some() {
                return Err(SdJwtError::Twice);
            }
        }
        let mut reader = Reader { open, seen: Vec::new() };
        let claims = reader.object(claims, 0)?;
        match reader.open.is_empty() {
            true => Ok(claims),
            false => Err(SdJwtError::NotSigned),
        }
    }

    /// Checks the holder's own token (RFC 9901 section 4.3): by the holder's key, for this audience and nonce, over this
    /// presentation, made at most `longest` seconds ago.
    ///
    /// # Errors
    ///
    /// [`SdJwtError::Holder`] says what is wrong.
    pub fn check_binding(
        &self,
        holder: &PublicKey,
        audience: &str,
        nonce: &str,
        now: i64,
        longest: i64,
    ) -> Result<(), SdJwtError> {
        let refused = |what| Err(SdJwtError::Holder(what));
        let Some(binding) = &self.binding else {
            return refused("there is none");
        };
        if binding.header_text("typ") != Some("kb+jwt") {
            return refused("it is a token of another type");
        }
        if binding.verify(holder).is_err() {
            return refused("it is not signed with the key of the credential's holder");
        }
        if binding.text("aud") != Some(audience) {
            return refused("it is made for another verifier");
        }
        if binding.text("nonce") != Some(nonce) {
            return refused("its nonce is not the one of this request");
        }
        let is_now = |at: i64| now.abs_diff(at) <= longest.unsigned_abs();
        if binding.seconds("iat").is_none_or(|at| !is_now(at)) {
            return refused("it is too old or from the future");
        }
        if binding.text("sd_hash") != Some(&digest(&self.presented)) {
            return refused("it is over another presentation");
        }
        Ok(())
    }
}

/// SHA-256 in Base64url of a text.
#[must_use]
pub fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

/// Puts disclosures into their places; each is used once, and each digest may stand once.
struct Reader {
    open: BTreeMap<String, Vec<Value>>,
    seen: Vec<String>,
}

impl Reader {
    fn take(&mut self, digest: &Value) -> Result<Option<Vec<Value>>, SdJwtError> {
        let digest = digest.as_str().ok_or(SdJwtError::Form)?;
        if self.seen.iter().any(|seen| seen == digest) {
            return Err(SdJwtError::Twice);
        }
        self.seen.push(digest.to_owned());
        Ok(self.open.remove(digest))
    }

    fn value(&mut self, value: Value, depth: usize) -> Result<Value, SdJwtError> {
        if depth > DEEPEST {
            return Err(SdJwtError::TooMany);
        }
        match value {
            Value::Object(object) => self.object(object, depth).map(Value::Object),
            Value::Array(list) => {
                let mut out = Vec::with_capacity(list.len());
                for value in list {
                    let hidden = match &value {
                        Value::Object(object) if object.len() == 1 => object.get("..."),
                        _ => None,
                    };
                    match hidden {
                        None => out.push(self.value(value, depth.saturating_add(1))?),
                        Some(digest) => match self.take(digest)?.as_deref() {
                            None => {}
                            Some([Value::String(_), value]) => {
                                out.push(self.value(value.clone(), depth.saturating_add(1))?);
                            }
                            Some(_) => return Err(SdJwtError::Disclosure),
                        },
                    }
                }
                Ok(Value::Array(out))
            }
            other => Ok(other),
        }
    }

    fn object(&mut self, object: Map<String, Value>, depth: usize) -> Result<Map<String, Value>, SdJwtError> {
        if depth > DEEPEST {
            return Err(SdJwtError::TooMany);
        }
        let mut out = Map::new();
        let mut digests = Vec::new();
        for (name, value) in object {
            match (name.as_str(), value) {
                ("_sd", Value::Array(list)) => digests = list,
                ("_sd" | "...", _) => return Err(SdJwtError::Form),
                (_, value) => {
                    let value = self.value(value, depth.saturating_add(1))?;
                    out.insert(name, value);
                }
            }
        }
        for digest in &digests {
            match self.take(digest)?.as_deref() {
                None => {}
                Some([Value::String(_), Value::String(name), value]) => {
                    if matches!(name.as_str(), "_sd" | "..." | "_sd_alg") {
                        return Err(SdJwtError::Disclosure);
                    }
                    let value = self.value(value.clone(), depth.saturating_add(1))?;
                    if out.insert(name.clone(), value).is_some() {
                        return Err(SdJwtError::Twice);
                    }
                }
                Some(_) => return Err(SdJwtError::Disclosure),
            }
        }
        Ok(out)
    }
}

/// Signs claims of which those under `subject` (an object below `vc`) are disclosed one by one. `salts` are 16 fresh random
/// bytes for each.
///
/// # Errors
///
/// [`SdJwtError::TooMany`] for more claims than salts or than a wallet takes, [`SdJwtError::Token`].
pub fn issue(
    key: &SigningKey,
    header: Map<String, Value>,
    mut claims: Map<String, Value>,
    subject: &BTreeMap<String, Value>,
    salts: &[[u8; 16]],
) -> Result<String, SdJwtError> {
    if subject.len() > salts.len() || subject.len() > MOST_DISCLOSURES {
        return Err(SdJwtError::TooMany);
    }
    let disclosures: Vec<String> = subject
        .iter()
        .zip(salts)
        .map(|((name, value), salt)| {
            let parts = json!([URL_SAFE_NO_PAD.encode(salt), name, value]);
            URL_SAFE_NO_PAD.encode(parts.to_string())
        })
        .collect();
    // sorted, so that their order says nothing of the claims
    let mut digests: Vec<String> = disclosures.iter().map(|text| digest(text)).collect();
    digests.sort();
    if let Some(Value::Object(vc)) = claims.get_mut("vc") {
        let about = vc.entry("credentialSubject").or_insert_with(|| json!({}));
        if let Value::Object(about) = about {
            about.insert("_sd".to_owned(), json!(digests));
        }
    }
    claims.insert("_sd_alg".to_owned(), json!("sha-256"));
    let token = key.sign(header, &Value::Object(claims))?;
    let mut text = format!("{token}~");
    for disclosure in disclosures {
        text.push_str(&disclosure);
        text.push('~');
    }
    Ok(text)
}
