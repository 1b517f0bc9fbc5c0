//! Another issuer of cards than the city, with its own status lists; it can be told to make bad cards.

use super::jose::{Key, digest};
use super::{Phone, Shared};
use crate::{PeerError, base64url};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// A card to make.
#[derive(Debug, Clone)]
pub struct NewCard {
    /// Its type.
    pub credential_type: String,
    /// Claims.
    pub claims: Vec<(String, String)>,
    /// Its entry in the lists.
    pub index: usize,
    /// Seconds from now until it begins and ends.
    pub times: (i64, i64),
}

/// How a card is made wrong.
#[derive(Debug, Clone, Default)]
pub struct CardFaults {
    /// Signed by a stranger who calls himself by the issuer's identifier, with an own `jku`.
    pub forged: bool,
    /// By a stranger with an identifier of his own.
    pub stranger: bool,
    /// Given to another wallet's key.
    pub other_holder: bool,
    /// Names a status list at this address.
    pub list: Option<String>,
    /// Names no status list.
    pub no_status: bool,
    /// `typ` of its header.
    pub typ: Option<String>,
    /// `_sd_alg`.
    pub algorithm: Option<String>,
    /// The same digest stands twice.
    pub twice: bool,
}

pub struct Issuer {
    pub did: String,
    key: Key,
    stranger: Key,
    address: String,
    marked: Mutex<BTreeSet<(String, usize)>>,
    is_forged: Mutex<bool>,
}

impl Issuer {
    pub fn new(address: &str) -> Result<Issuer, PeerError> {
        let key = Key::new()?;
        Ok(Issuer {
            did: key.did(),
            key,
            stranger: Key::new()?,
            address: address.to_owned(),
            marked: Mutex::default(),
            is_forged: Mutex::new(false),
        })
    }

    pub fn mark(&self, purpose: &str, index: usize, is_set: bool) {
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = (purpose.to_owned(), index);
        if is_set {
            marked.insert(entry);
        } else {
            marked.remove(&entry);
        }
    }

    pub fn forge_lists(&self, is_forged: bool) {
        *self.is_forged.lock().unwrap_or_else(PoisonError::into_inner) = is_forged;
    }

    pub fn make(&self, phone: &Phone, card: &NewCard, faults: &CardFaults, now: i64) -> Option<String> {
        let mut disclosures = Vec::new();
        for (name, value) in &card.claims {
            let salt = crate::keys::random(16).ok()?;
            disclosures.push(base64url::encode(json!([salt, name, value]).to_string().as_bytes()));
        }
        let mut digests: Vec<String> = disclosures.iter().map(|text| digest(text)).collect();
        // a decoy, so that the number of digests says nothing
        digests.push(digest("decoy"));
        if faults.twice {
            digests.extend(digests.first().cloned());
        }
        let list = faults.list.clone();
        let address = |group: &str| {
            let own = format!("{}/api/status-list/{}/{group}", self.address, card.credential_type);
            list.clone().unwrap_or(own)
        };
        let entry = |purpose: &str, group: &str| {
            json!({
                "id": format!("{}#{}", address(group), card.index), "type": "StatusList2021Entry", "statusPurpose": purpose,
                "statusListIndex": card.index.to_string(), "statusListCredential": address(group),
            })
        };
        let stranger = self.stranger.did();
        let holder = if faults.other_holder {
            self.stranger.clone()
        } else {
            phone.key.clone()
        };
        let status = if faults.no_status {
            Value::Null
        } else {
            json!([entry("revocation", "r0"), entry("suspension", "s0")])
        };
        let claims = json!({
            "iss": if faults.stranger { &stranger } else { &self.did }, "sub": holder.did(),
            "jti": format!("{}/api/credential/{}", self.address, uuid::Uuid::new_v4()),
            "nbf": now + card.times.0, "exp": now + card.times.1, "nonce": "n", "cnf": { "jwk": holder.jwk() },
            "_sd_alg": faults.algorithm.as_deref().unwrap_or("sha-256"),
            "vc": {
                "@context": ["https://www.w3.org/2018/credentials/v1"],
                "type": ["VerifiableCredential", card.credential_type],
                "credentialSubject": { "_sd": digests },
                "credentialStatus": status,
            },
        });
        let key = if faults.forged || faults.stranger {
            &self.stranger
        } else {
            &self.key
        };
        let typ = faults.typ.as_deref().unwrap_or("vc+sd-jwt");
        let jku = if faults.forged {
            "https://stranger.example/keys".to_owned()
        } else {
            format!("{}/api/keys", self.address)
        };
        let token = key.sign(&json!({ "typ": typ, "kid": "key-1", "jku": jku }), &claims)?;
        Some(format!("{token}~{}~", disclosures.join("~")))
    }

    fn list(&self, kind: &str, group: &str, now: i64) -> Option<String> {
        let purpose = if group.starts_with('s') {
            "suspension"
        } else {
            "revocation"
        };
        let mut bits = vec![0_u8; 16 << 10];
        for (marked, index) in self.marked.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(byte) = bits.get_mut(index / 8).filter(|_| marked == purpose) {
                *byte |= 0x80 >> (index % 8);
            }
        }
        let address = format!("{}/api/status-list/{kind}/{group}", self.address);
        let claims = json!({
            "iss": self.did, "sub": address, "jti": address, "nbf": now - 60, "exp": now + 3600,
            "vc": {
                "id": address, "type": ["VerifiableCredential", "StatusList2021Credential"],
                "credentialSubject": {
                    "type": "StatusList2021", "statusPurpose": purpose, "encodedList": base64url::encode(&gzip(&bits)),
                },
            },
        });
        let is_forged = *self.is_forged.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if is_forged { &self.stranger } else { &self.key };
        key.sign(&json!({ "typ": "JWT", "kid": "key-1" }), &claims)
    }
}

pub async fn list(State(shared): State<Arc<Shared>>, Path((kind, group)): Path<(String, String)>) -> Response {
    match shared.issuer.list(&kind, &group, shared.config.terms.now()) {
        Some(token) => token.into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// GZIP (RFC 1952) with stored blocks only (RFC 1951 section 3.2.4).
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = bytes.chunks(0xffff);
    let last = blocks.len().saturating_sub(1);
    for (at, block) in blocks.enumerate() {
        let length = u16::try_from(block.len()).unwrap_or_default();
        out.push(u8::from(at == last));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    let crc = !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    });
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes());
    out
}
