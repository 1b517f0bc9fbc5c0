//! Sign-in by natural-person certificate (自然人憑證): the card signs a text made for this one sign-in.
//!
//! The browser's component makes PKCS#7 over the challenge. The certificate does not hold the national id in clear; that the
//! id belongs to it is asked of [`super::ics`].

use super::{CmsError, Evidence, Trust, TrustError, cms};
use crate::Remember;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use der::Encode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Who may sign in, and how long a challenge lives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// PEM certificates of the roots (政府憑證總管理中心).
    pub roots: String,
    /// PEM certificates between them and the cards (內政部憑證管理中心, MOICA).
    #[serde(default)]
    pub intermediates: String,
    /// The city's name in the text that is signed, such as its host. A signature made for another one is of no use here.
    pub audience: String,
    /// Seconds that a challenge lives.
    #[serde(default = "life_seconds")]
    pub life_seconds: i64,
    /// Seconds that clocks may differ: an authority's, or another server of the city that made the challenge.
    #[serde(default = "skew_seconds")]
    pub skew_seconds: i64,
}

fn life_seconds() -> i64 {
    300
}

fn skew_seconds() -> i64 {
    60
}

/// The text to sign, kept in the session of the browser that asked for it and taken out before it is checked, so that it
/// serves once. `Debug` is empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    text: String,
    made: Timestamp,
}

impl Challenge {
    /// The text, as it is given to the card's component in UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Challenge")
    }
}

/// Who holds the card.
#[derive(Clone, PartialEq, Eq)]
pub struct Holder {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Its serial number in hexadecimal, as ICS takes it.
    pub serial: String,
    /// Distinguished name of the holder; personal.
    pub subject: String,
    /// Distinguished name of the authority.
    pub issuer: String,
    /// Last instant of the certificate.
    pub not_after: Timestamp,
    /// What to remember so that nobody signs in by the same text again.
    pub remember: Remember,
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Holder")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Why a sign-in by card fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The signature is not Base64.
    #[error("the signature is not Base64; the card's component sent something else")]
    Base64,
    /// The challenge is too old.
    #[error("the sign-in took too long; begin again")]
    TooLate,
    /// The challenge is from the future.
    #[error("the challenge was made by a clock that is ahead; begin again")]
    TooEarly,
    /// Signature, certificate or chain.
    #[error(transparent)]
    Signature(#[from] CmsError),
}

/// Checks sign-ins.
#[derive(Debug)]
pub struct SignIn {
    config: Config,
    trust: Trust,
}

impl SignIn {
    /// Reads the roots.
    ///
    /// # Errors
    ///
    /// [`TrustError`] for unreadable certificates.
    pub fn new(config: Config) -> Result<SignIn, TrustError> {
        let trust = Trust::read(&config.roots, &config.intermediates)?;
        Ok(SignIn { config, trust })
    }

    /// A text for one sign-in. `random` is fresh randomness.
    #[must_use]
    pub fn challenge(&self, random: &[u8; 32], now: Timestamp) -> Challenge {
        let text = format!("sign-in\n{}\n{}\n{now:.0}", self.config.audience, hex::encode(random));
        Challenge { text, made: now }
    }

    /// Checks a signature (PKCS#7 in Base64, line breaks forgiven) over the challenge that the session kept. The caller
    /// stores [`Holder::remember`] and refuses the sign-in when it was there before.
    ///
    /// # Errors
    ///
    /// [`SignInError`] says which check failed.
    pub fn verify(
        &self,
        challenge: &Challenge,
        signature: &str,
        evidence: &Evidence,
        now: Timestamp,
    ) -> Result<Holder, SignInError> {
        let age = now.duration_since(challenge.made);
        let skew = SignedDuration::from_secs(self.config.skew_seconds);
        if age < -skew {
            return Err(SignInError::TooEarly);
        }
        let life = SignedDuration::from_secs(self.config.life_seconds);
        if age > life {
            return Err(SignInError::TooLate);
        }
        let signature = decode(signature)?;
        let content = challenge.text.as_bytes();
        let trusted = evidence.check_signed(&self.trust, &signature, content, now)?;
        let certificate = trusted.certificate.to_der().map_err(|_| CmsError::Form)?;
        Ok(Holder {
            certificate,
            serial: trusted.facts.serial,
            subject: trusted.facts.subject,
            issuer: trusted.facts.issuer,
            not_after: trusted.facts.not_after,
            remember: Remember {
                key: hex::encode(Sha256::digest(content)),
                until: challenge
                    .made
                    .saturating_add(life.saturating_add(skew))
                    .unwrap_or(Timestamp::MAX),
            },
        })
    }
}

/// Base64 as components write it, bounded before it is decoded.
fn decode(text: &str) -> Result<Vec<u8>, SignInError> {
    if text.len() > cms::LARGEST.saturating_mul(3) / 2 {
        return Err(CmsError::TooLarge.into());
    }
    let text: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_| SignInError::Base64)
}
