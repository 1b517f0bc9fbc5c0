//! StatusList2021: one bit a credential, for revocation or for suspension, as a credential signed by the issuer.

use crate::jose::{JoseError, PublicKey, SigningKey, Token};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::io::{Read, Write};
use url::Url;

/// Least entries of a list, so that one does not say whose it is (StatusList2021 section 2.1).
pub const ENTRIES: usize = 131_072;
/// Most bytes of an unpacked list.
const LARGEST_LIST: u64 = 2 << 20;
/// Most bytes of a list's token.
pub const LARGEST_TOKEN: usize = 4 << 20;

/// What a bit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// For good.
    Revocation,
    /// For a while.
    Suspension,
}

impl Purpose {
    /// The word in the list.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Revocation => "revocation",
            Purpose::Suspension => "suspension",
        }
    }
}

/// Why a list or an entry can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// The list's token.
    #[error(transparent)]
    Token(#[from] JoseError),
    /// By another issuer than the credential, or for another purpose or address.
    #[error("the status list is not the one the credential names")]
    Other,
    /// Not valid yet or any more.
    #[error("the status list is out of date")]
    OutOfDate,
    /// The packed list can't be read or is too large.
    #[error("the status list can't be read")]
    Form,
    /// An entry beyond the list.
    #[error("the status list has no entry of this number")]
    Entry,
}

/// Bits of one purpose; the first entry is the most significant bit of the first byte.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusList {
    /// What a bit means.
    pub purpose: Purpose,
    bits: Vec<u8>,
}

impl std::fmt::Debug for StatusList {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StatusList")
            .field("purpose", &self.purpose)
            .field("entries", &self.bits.len().saturating_mul(8))
            .finish()
    }
}

impl StatusList {
    /// A list on which nothing is set.
    #[must_use]
    pub fn new(purpose: Purpose) -> StatusList {
        StatusList {
            purpose,
            bits: vec![0; ENTRIES / 8],
        }
    }

    /// Whether an entry is set.
    ///
    /// # Errors
    ///
    /// [`StatusError::Entry`].
    pub fn get(&self, index: usize) -> Result<bool, StatusError> {
        let byte = self.bits.get(index / 8).ok_or(StatusError::Entry)?;
        Ok(byte & (0x80 >> (index % 8)) != 0)
    }

    /// Sets or clears an entry.
    ///
    /// # Errors
    ///
    /// [`StatusError::Entry`].
    pub fn set(&mut self, index: usize, is_set: bool) -> Result<(), StatusError> {
        let byte = self.bits.get_mut(index / 8).ok_or(StatusError::Entry)?;
        let bit = 0x80 >> (index % 8);
        *byte = if is_set { *byte | bit } else { *byte & !bit };
        Ok(())
    }

    /// The list as a signed credential at its address, good until `until`.
    ///
    /// # Errors
    ///
    /// [`StatusError`].
    pub fn publish(
        &self,
        key: &SigningKey,
        address: &Url,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<String, StatusError> {
        let issuer = super::did::of(key.public());
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&self.bits).map_err(|_| StatusError::Form)?;
        let packed = packed.finish().map_err(|_| StatusError::Form)?;
        let claims = json!({
            "iss": issuer, "sub": address.as_str(), "jti": address.as_str(),
            "nbf": now.as_second(), "iat": now.as_second(), "exp": until.as_second(),
            "vc": {
                "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/vc/status-list/2021/v1"],
                "id": address.as_str(),
                "type": ["VerifiableCredential", "StatusList2021Credential"],
                "issuer": issuer,
                "credentialSubject": {
                    "id": format!("{address}#list"), "type": "StatusList2021",
                    "statusPurpose": self.purpose.name(), "encodedList": URL_SAFE_NO_PAD.encode(packed),
                },
            },
        });
        let mut header = Map::new();
        header.insert("typ".to_owned(), json!("JWT"));
        header.insert("kid".to_owned(), json!(key.public().thumbprint()));
        Ok(key.sign(header, &claims)?)
    }

    /// Reads a list that an issuer published: signed by its key, for this purpose, at this address, in force now.
    ///
    /// # Errors
    ///
    /// [`StatusError`].
    pub fn read(
        text: &str,
        issuer: &str,
        key: &PublicKey,
        purpose: Purpose,
        address: &str,
        now: i64,
        skew: i64,
    ) -> Result<StatusList, StatusError> {
        let token = Token::parse(text.trim(), LARGEST_TOKEN)?;
        token.verify(key)?;
        let subject = token.claims.get("vc").and_then(|vc| vc.get("credentialSubject"));
        let about = |name: &str| subject.and_then(|subject| subject.get(name)).and_then(Value::as_str);
        let id = token
            .claims
            .get("vc")
            .and_then(|vc| vc.get("id"))
            .and_then(Value::as_str);
        let is_ours = token.text("iss") == Some(issuer)
            && about("statusPurpose") == Some(purpose.name())
            && about("type").is_none_or(|kind| kind == "StatusList2021")
            && id.is_none_or(|id| id == address);
        if !is_ours {
            return Err(StatusError::Other);
        }
        let began = token.seconds("nbf").is_none_or(|from| from <= now.saturating_add(skew));
        let ends = token
            .seconds("exp")
            .is_none_or(|until| until >= now.saturating_sub(skew));
        if !began || !ends {
            return Err(StatusError::OutOfDate);
        }
        let encoded = about("encodedList").ok_or(StatusError::Form)?;
        // the specification's multibase prefix of later drafts
        let encoded = encoded
            .strip_prefix('u')
            .filter(|rest| rest.starts_with("H4s"))
            .unwrap_or(encoded);
        let packed = URL_SAFE_NO_PAD
            .decode(encoded)
            .or_else(|_| URL_SAFE.decode(encoded))
            .or_else(|_| base64::engine::general_purpose::STANDARD.decode(encoded))
            .map_err(|_| StatusError::Form)?;
        let mut bits = Vec::new();
        GzDecoder::new(packed.as_slice())
            .take(LARGEST_LIST.saturating_add(1))
            .read_to_end(&mut bits)
            .map_err(|_| StatusError::Form)?;
        if bits.len() as u64 > LARGEST_LIST {
            return Err(StatusError::Form);
        }
        Ok(StatusList { purpose, bits })
    }
}
