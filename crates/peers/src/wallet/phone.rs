//! The wallet on the phone: fetches cards that are offered, shows cards that are asked.

use super::jose::{Key, decode, digest, peek};
use crate::{PeerError, Terms, call};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use url::Url;

const CLIENT: &str = "moda_dw";

/// A wallet. Its cards are gone with it.
pub struct Phone {
    pub(super) key: Key,
    other: Key,
    terms: Terms,
    cards: Mutex<Vec<String>>,
}

/// How cards are shown; the default shows what was asked and nothing wrong.
#[derive(Debug, Clone, Default)]
pub struct Showing {
    /// Each card with a token of the holder (`kb+jwt`) instead of one presentation around all.
    pub by_key_binding: bool,
    /// Signed by another key than the card was given to.
    pub other_key: bool,
    /// Another nonce.
    pub nonce: Option<String>,
    /// Another audience.
    pub audience: Option<String>,
    /// Made so many seconds ago and good for none.
    pub age: i64,
    /// A disclosure says something else.
    pub altered: bool,
    /// A disclosure that belongs to no card is added.
    pub added: bool,
    /// Nothing is disclosed.
    pub nothing: bool,
    /// The submission names another definition.
    pub other_definition: bool,
    /// The submission has no entry.
    pub no_entry: bool,
    /// The person declines.
    pub declined: bool,
    /// The binding token is over another presentation.
    pub other_hash: bool,
}

fn wrong(what: &str) -> String {
    what.to_owned()
}

/// The query of a link, however its scheme is written.
fn query(link: &str, name: &str) -> Option<String> {
    let (_, query) = link.split_once('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

impl Phone {
    /// A wallet with a key of its own.
    ///
    /// # Errors
    /// [`PeerError::Key`].
    pub fn new(terms: Terms) -> Result<Phone, PeerError> {
        Ok(Phone {
            key: Key::new()?,
            other: Key::new()?,
            terms,
            cards: Mutex::default(),
        })
    }

    /// Identifier of its key.
    #[must_use]
    pub fn did(&self) -> String {
        self.key.did()
    }

    /// Puts a card in.
    pub fn put(&self, card: String) {
        self.cards.lock().unwrap_or_else(PoisonError::into_inner).push(card);
    }

    /// Takes all cards out.
    pub fn clear(&self) -> Vec<String> {
        std::mem::take(&mut *self.cards.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Types and claims of its cards.
    #[must_use]
    pub fn cards(&self) -> Vec<(String, Vec<(String, String)>)> {
        let cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
        cards
            .iter()
            .filter_map(|card| Some((kind(card)?, claims(card))))
            .collect()
    }

    /// A proof that it holds its key, as an issuer asks for it; `change` may spoil header and claims.
    pub fn proof(&self, issuer: &str, nonce: &str, change: impl FnOnce(&mut Value, &mut Value)) -> Option<String> {
        let mut header = json!({ "typ": "openid4vci-proof+jwt", "kid": self.did() });
        let mut claims = json!({ "iss": CLIENT, "aud": issuer, "iat": self.terms.now(), "nonce": nonce });
        change(&mut header, &mut claims);
        self.key.sign(&header, &claims)
    }

    /// The form of a token request for an offer.
    #[must_use]
    pub fn token_form(offer: &Value, pin: Option<&str>) -> Option<String> {
        const GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
        let code = offer.get("grants")?.get(GRANT)?.get("pre-authorized_code")?.as_str()?;
        let kind = offer.get("credential_configuration_ids")?.get(0)?;
        let details = json!([{ "type": "openid_credential", "credential_configuration_id": kind }]).to_string();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", GRANT)
            .append_pair("client_id", CLIENT)
            .append_pair("pre-authorized_code", code)
            .append_pair("authorization_details", &details);
        if let Some(pin) = pin {
            form.append_pair("tx_code", pin);
        }
        Some(form.finish())
    }

    /// The offer in a link.
    #[must_use]
    pub fn offer(link: &str) -> Option<Value> {
        serde_json::from_str(&query(link, "credential_offer")?).ok()
    }

    /// Fetches the card that a link offers.
    ///
    /// # Errors
    /// What went wrong, for the page.
    pub async fn accept(&self, link: &str, pin: Option<&str>) -> Result<(), String> {
        let offer = Phone::offer(link).ok_or(wrong("the link offers no card"))?;
        let issuer = offer
            .get("credential_issuer")
            .and_then(Value::as_str)
            .ok_or(wrong("the offer names no issuer"))?;
        let described =
            Url::parse(&format!("{issuer}/.well-known/openid-credential-issuer")).map_err(|_| wrong("no address"))?;
        let described = get(&described).await?;
        let address = |name: &str| {
            let text = described.get(name).and_then(Value::as_str).unwrap_or_default();
            Url::parse(text).map_err(|_| format!("the issuer does not describe its {name}"))
        };
        let form = Phone::token_form(&offer, pin).ok_or(wrong("the offer can't be read"))?;
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let answer = post(&address("token_endpoint")?, &[kind], form.as_bytes()).await?;
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let identifier = answer
            .pointer("/authorization_details/0/credential_identifiers/0")
            .cloned();
        let proof = self
            .proof(issuer, &text(&answer, "c_nonce"), |_, _| {})
            .ok_or(wrong("no proof"))?;
        let body = json!({ "credential_identifier": identifier, "proofs": { "jwt": [proof] } }).to_string();
        let bearer = format!("Bearer {}", text(&answer, "access_token"));
        let headers = [("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
        let answer = post(&address("credential_endpoint")?, &headers, body.as_bytes()).await?;
        let card = text(&answer, "credential");
        kind_of_own(&card, self).ok_or(wrong("the card is not for this wallet"))?;
        self.put(card);
        Ok(())
    }

    /// Shows the cards that a link asks for; the city's answer.
    ///
    /// # Errors
    /// What went wrong, for the page.
    pub async fn present(&self, link: &str, showing: &Showing) -> Result<(u16, String), String> {
        let (to, form) = self.response(link, showing).await?;
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer = call::send("POST", &to, &headers, form.as_bytes())
            .await
            .ok_or(wrong("the city does not answer"))?;
        Ok((answer.status, answer.text()))
    }

    /// The request that a link leads to.
    ///
    /// # Errors
    /// What went wrong, for the page.
    pub async fn asked(&self, link: &str) -> Result<Value, String> {
        let request = query(link, "request_uri").and_then(|text| Url::parse(&text).ok());
        let answer = call::send("GET", &request.ok_or(wrong("the link asks for nothing"))?, &[], b"").await;
        let token = answer.ok_or(wrong("the city does not answer"))?.text();
        peek(&token).ok_or(wrong("the request can't be read"))
    }

    /// What it would post, and where to.
    ///
    /// # Errors
    /// What went wrong, for the page.
    pub async fn response(&self, link: &str, showing: &Showing) -> Result<(Url, String), String> {
        let asked = self.asked(link).await?;
        let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if query(link, "client_id").as_deref() != Some(&text("client_id")) {
            return Err(wrong("the request is not of who asks"));
        }
        let to = Url::parse(&text("response_uri")).map_err(|_| wrong("no address for the answer"))?;
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("state", &text("state"));
        if showing.declined {
            form.append_pair("error", "access_denied");
            return Ok((to, form.finish()));
        }
        let nonce = showing.nonce.clone().unwrap_or(text("nonce"));
        let audience = showing.audience.clone().unwrap_or(text("client_id"));
        let (vp, submission) = self
            .shown(&asked, showing, &nonce, &audience)
            .ok_or(wrong("this wallet has no such card"))?;
        form.append_pair("vp_token", &vp)
            .append_pair("presentation_submission", &submission);
        Ok((to, form.finish()))
    }

    fn shown(&self, asked: &Value, showing: &Showing, nonce: &str, audience: &str) -> Option<(String, String)> {
        let definition = asked.get("presentation_definition")?;
        let now = self.terms.now() - showing.age;
        let key = if showing.other_key { &self.other } else { &self.key };
        let held = self.cards.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (mut cards, mut map) = (Vec::new(), Vec::new());
        for (at, descriptor) in definition.get("input_descriptors")?.as_array()?.iter().enumerate() {
            let kind_asked = descriptor.get("name")?.as_str()?;
            let card = held
                .iter()
                .rev()
                .find(|card| kind(card).as_deref() == Some(kind_asked))?;
            let names: Vec<String> = descriptor
                .pointer("/constraints/fields")?
                .as_array()?
                .iter()
                .filter_map(|field| {
                    field
                        .pointer("/path/0")?
                        .as_str()?
                        .rsplit_once("credentialSubject.")
                        .map(|(_, name)| name.to_owned())
                })
                .collect();
            let mut card = chosen(card, &names, showing)?;
            if showing.by_key_binding {
                let hash = if showing.other_hash {
                    digest("another")
                } else {
                    digest(&card)
                };
                let claims = json!({ "aud": audience, "nonce": nonce, "iat": now, "sd_hash": hash });
                card.push_str(&key.sign(&json!({ "typ": "kb+jwt" }), &claims)?);
            }
            let path = if showing.by_key_binding {
                format!("$[{at}]")
            } else {
                format!("$.vp.verifiableCredential[{at}]")
            };
            let format = if showing.by_key_binding { "vc+sd-jwt" } else { "jwt_vp" };
            map.push(json!({ "id": descriptor.get("id"), "format": format, "path": "$", "path_nested": { "format": "jwt_vc", "path": path } }));
            cards.push(card);
        }
        if showing.no_entry {
            map.clear();
        }
        let id = if showing.other_definition {
            json!("another")
        } else {
            definition.get("id")?.clone()
        };
        let submission = json!({ "id": "s", "definition_id": id, "descriptor_map": map }).to_string();
        if showing.by_key_binding {
            return Some((json!(cards).to_string(), submission));
        }
        let did = key.did();
        let claims = json!({
            "iss": did, "sub": did, "aud": audience, "nonce": nonce, "nbf": now, "iat": now, "exp": now + 300,
            "vp": { "@context": ["https://www.w3.org/2018/credentials/v1"], "type": ["VerifiablePresentation"], "verifiableCredential": cards },
        });
        Some((key.sign(&json!({ "typ": "JWT", "kid": did }), &claims)?, submission))
    }
}

async fn get(url: &Url) -> Result<Value, String> {
    let answer = call::send("GET", url, &[], b"")
        .await
        .ok_or(wrong("the issuer does not answer"))?;
    serde_json::from_slice(&answer.body).map_err(|_| wrong("the issuer's answer can't be read"))
}

async fn post(url: &Url, headers: &[(&str, &str)], body: &[u8]) -> Result<Value, String> {
    let answer = call::send("POST", url, headers, body)
        .await
        .ok_or(wrong("the issuer does not answer"))?;
    if answer.status != 200 {
        return Err(format!("the issuer refuses: {}", answer.text()));
    }
    serde_json::from_slice(&answer.body).map_err(|_| wrong("the issuer's answer can't be read"))
}

/// The type of a card.
fn kind(card: &str) -> Option<String> {
    let claims = peek(card.split('~').next()?)?;
    Some(claims.pointer("/vc/type/1")?.as_str()?.to_owned())
}

/// The type of a card that was given to this wallet.
fn kind_of_own(card: &str, phone: &Phone) -> Option<String> {
    let claims = peek(card.split('~').next()?)?;
    (claims.pointer("/cnf/jwk/x")?.as_str()? == phone.key.x)
        .then(|| kind(card))
        .flatten()
}

/// A disclosure: its name and its value.
fn opened(disclosure: &str) -> Option<(String, Value)> {
    let parts: Value = serde_json::from_slice(&decode(disclosure)?).ok()?;
    Some((parts.get(1)?.as_str()?.to_owned(), parts.get(2)?.clone()))
}

fn claims(card: &str) -> Vec<(String, String)> {
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    card.split('~')
        .skip(1)
        .filter_map(opened)
        .map(|(name, value)| (name, text(value)))
        .collect()
}

/// A card with the disclosures of some names, or wrong ones.
fn chosen(card: &str, names: &[String], showing: &Showing) -> Option<String> {
    let mut parts = card.split('~');
    let mut out = format!("{}~", parts.next()?);
    for disclosure in parts.filter(|part| !part.is_empty()) {
        let (name, _) = opened(disclosure)?;
        if names.contains(&name) && !showing.nothing {
            let bytes = String::from_utf8(decode(disclosure)?).ok()?;
            let disclosure = match showing.altered {
                true => crate::base64url::encode(bytes.replace("\"]", "!\"]").as_bytes()),
                false => disclosure.to_owned(),
            };
            out.push_str(&disclosure);
            out.push('~');
        }
    }
    if showing.added {
        let more = crate::base64url::encode(json!(["salt", "admin", true]).to_string().as_bytes());
        out.push_str(&format!("{more}~"));
    }
    Some(out)
}
