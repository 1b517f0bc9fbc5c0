//! The browser's own notifications: Web Push (RFC 8030), the message encrypted for the browser (RFC 8291, `aes128gcm` of
//! RFC 8188), the city known by its key (VAPID, RFC 8292).

use super::delivery::{Delivery, NotifyError, Why, send};
use crate::client::{self, ClientConfig};
use crate::jose::{PublicKey, SigningKey};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use sha2::Sha256;
use std::sync::Arc;
use url::Url;

/// Size of the one record, as RFC 8291 section 4 asks.
const RECORD: u32 = 4096;
/// Most bytes of a message: what every push service must take (RFC 8291 section 4).
pub const LARGEST: usize = 3993;
/// Seconds that the proof of the city's key is good for; at most a day is allowed.
const PROOF_SECONDS: i64 = 12 * 3600;

/// The city as an application server. `Debug` shows no key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The city's P-256 key (PKCS#8, PEM); the pages give its public part to the browser.
    pub key: String,
    /// How a push service reaches the city, such as `mailto:` and an address.
    pub contact: String,
    /// Names of push services; a browser's address must be at one of them or below it.
    #[serde(default = "services")]
    pub services: Vec<String>,
    /// How they are called.
    #[serde(default)]
    pub client: ClientConfig,
}

/// Names of the push services of the known browsers.
#[must_use]
pub fn services() -> Vec<String> {
    [
        "fcm.googleapis.com",
        "push.services.mozilla.com",
        "push.apple.com",
        "notify.windows.com",
    ]
    .map(str::to_owned)
    .into()
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("services", &self.services)
            .finish_non_exhaustive()
    }
}

/// A browser that wants notifications, as its script gives it. `Debug` is empty: the address opens the way to a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Address at the push service.
    pub endpoint: String,
    /// The browser's keys.
    pub keys: Keys,
}

/// Keys of a browser, in Base64url.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// Its public key, uncompressed.
    pub p256dh: String,
    /// 16 bytes known to both.
    pub auth: String,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Subscription")
    }
}

/// How urgent a message is (RFC 8030 section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Whenever.
    Low,
    /// Usual.
    Normal,
    /// Now.
    High,
}

impl Urgency {
    fn word(self) -> &'static str {
        match self {
            Urgency::Low => "low",
            Urgency::Normal => "normal",
            Urgency::High => "high",
        }
    }
}

/// One message. `Debug` is empty.
#[derive(Clone, Copy)]
pub struct Push<'a> {
    /// Content, at most [`LARGEST`] bytes.
    pub content: &'a [u8],
    /// Seconds that the service keeps it for a browser that is away.
    pub ttl: u32,
    /// How urgent it is.
    pub urgency: Urgency,
    /// A message takes the place of an unread one with the same topic: at most 32 characters of Base64url.
    pub topic: Option<&'a str>,
}

impl std::fmt::Debug for Push<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Push")
    }
}

/// The city as an application server. Cheap to clone.
#[derive(Clone)]
pub struct Pusher(Arc<Parts>);

struct Parts {
    config: Config,
    key: SigningKey,
    client: reqwest::Client,
}

impl std::fmt::Debug for Pusher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Pusher").field(&self.0.config).finish()
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

impl Pusher {
    /// A server of a configuration.
    ///
    /// # Errors
    ///
    /// [`NotifyError::Config`], [`NotifyError::Client`].
    pub fn new(config: Config) -> Result<Pusher, NotifyError> {
        let key = SigningKey::from_pem(&config.key)
            .map_err(|_| NotifyError::Config("`key` is no P-256 key in PKCS#8 PEM"))?;
        if !["mailto:", "https:"]
            .iter()
            .any(|start| config.contact.starts_with(start))
        {
            return Err(NotifyError::Config("`contact` must be a mailto: or https: address"));
        }
        let client = client::build(&config.client)?;
        Ok(Pusher(Arc::new(Parts { config, key, client })))
    }

    /// The public key for the browser (`applicationServerKey`), Base64url.
    #[must_use]
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.key.public().point())
    }

    /// Whether a browser's address is one that messages may go to.
    ///
    /// # Errors
    ///
    /// [`NotifyError::Receiver`] with what is wrong.
    pub fn accepts(&self, to: &Subscription) -> Result<(), NotifyError> {
        self.endpoint(&to.endpoint)?;
        encrypt(&to.keys, b"", &SystemRandom::new()).map(|_| ())
    }

    /// Sends one message with the randomness of the system.
    ///
    /// # Errors
    ///
    /// As [`Pusher::send`].
    pub async fn deliver(&self, to: &Subscription, push: &Push<'_>, now: Timestamp) -> Result<Delivery, NotifyError> {
        self.send(to, push, &SystemRandom::new(), now).await
    }

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// [`NotifyError`] for an address or a message that can't be used.
    pub async fn send(
        &self,
        to: &Subscription,
        push: &Push<'_>,
        random: &(dyn SecureRandom + Sync),
        now: Timestamp,
    ) -> Result<Delivery, NotifyError> {
        let url = self.endpoint(&to.endpoint)?;
        if push.topic.is_some_and(|topic| {
            topic.is_empty()
                || topic.len() > 32
                || !topic
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        }) {
            return Err(NotifyError::Message(
                "a topic has at most 32 letters, digits, `-` and `_`",
            ));
        }
        let body = encrypt(&to.keys, push.content, random)?;
        let proof = self.proof(&url, now)?;
        let mut request = self
            .0
            .client
            .post(url)
            .header("authorization", format!("vapid t={proof}, k={}", self.public_key()))
            .header("content-encoding", "aes128gcm")
            .header("content-type", "application/octet-stream")
            .header("ttl", push.ttl.to_string())
            .header("urgency", push.urgency.word());
        if let Some(topic) = push.topic {
            request = request.header("topic", topic);
        }
        Ok(match send(request.body(body)).await {
            None => Delivery::unreachable(),
            Some((status, headers, _)) => Delivery::of(status, &headers, now),
        })
    }

    /// A browser names any address it likes; the city calls only those of push services.
    fn endpoint(&self, text: &str) -> Result<Url, NotifyError> {
        let config = &self.0.config;
        let url = Url::parse(text).map_err(|_| NotifyError::Receiver("it is no address"))?;
        let host = url.host_str().unwrap_or_default();
        let is_known = config.services.iter().any(|service| {
            host.strip_suffix(service.as_str())
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        });
        let is_safe = url.scheme() == "https" || !config.client.https_only;
        match is_known && is_safe && url.username().is_empty() {
            true => Ok(url),
            false => Err(NotifyError::Receiver(
                "it is not at a push service that the configuration names",
            )),
        }
    }

    fn proof(&self, url: &Url, now: Timestamp) -> Result<String, NotifyError> {
        let mut header = Map::new();
        header.insert("typ".to_owned(), json!("JWT"));
        let claims = json!({
            "aud": url.origin().ascii_serialization(),
            "exp": now.as_second().saturating_add(PROOF_SECONDS),
            "sub": self.0.config.contact,
        });
        let signed = self.0.key.sign(header, &claims);
        signed.map_err(|_| NotifyError::Config("the system has no randomness"))
    }
}

/// RFC 8291 section 3.4, as one record.
fn encrypt(keys: &Keys, content: &[u8], random: &(dyn SecureRandom + Sync)) -> Result<Vec<u8>, NotifyError> {
    if content.len() > LARGEST {
        return Err(NotifyError::Message("it must have at most 3993 bytes"));
    }
    let wrong = || NotifyError::Receiver("its keys can't be used");
    let failed = || NotifyError::Config("the system has no randomness");
    let browser = decode(&keys.p256dh)
        .and_then(|point| PublicKey::from_point(&point).ok())
        .ok_or_else(wrong)?;
    let auth = decode(&keys.auth).filter(|auth| auth.len() == 16).ok_or_else(wrong)?;
    let private = EphemeralPrivateKey::generate(&ECDH_P256, random).map_err(|_| failed())?;
    let public = private.compute_public_key().map_err(|_| failed())?;
    let public = public.as_ref().to_vec();
    let mut salt = [0; 16];
    random.fill(&mut salt).map_err(|_| failed())?;
    let peer = UnparsedPublicKey::new(&ECDH_P256, browser.point());
    let secret = agree_ephemeral(private, &peer, |secret| mac(&auth, &[secret])).map_err(|_| wrong())?;
    let derived = secret.and_then(|secret| {
        let input = mac(&secret, &[b"WebPush: info\0", browser.point(), &public, &[1]])?;
        let pseudo = mac(&salt, &[&input])?;
        let key = mac(&pseudo, &[b"Content-Encoding: aes128gcm\0", &[1]])?;
        let nonce = mac(&pseudo, &[b"Content-Encoding: nonce\0", &[1]])?;
        let key = UnboundKey::new(&AES_128_GCM, key.get(..16)?).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(nonce.get(..12)?).ok()?;
        Some((LessSafeKey::new(key), nonce))
    });
    let (key, nonce) = derived.ok_or_else(failed)?;
    // 2 ends the last record
    let mut record = [content, &[2]].concat();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)
        .map_err(|_| failed())?;
    let length = u8::try_from(public.len()).map_err(|_| failed())?;
    Ok([&salt[..], &RECORD.to_be_bytes(), &[length], &public, &record].concat())
}

impl Delivery {
    /// Whether the subscription is to be forgotten (404, 410).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Delivery::Never { why: Why::Gone })
    }
}
