//! Identity (身分驗證): by which methods residents prove who they are, how strongly each proves it, and what a service demands.
//!
//! - [`issuer`]: OpenID Connect, one or several issuers, and what they say of a logout
//! - [`phone`]: 行動自然人憑證 by push, QR code or app
//! - [`card`]: 自然人憑證 over a challenge, with revocation from files and the query whose card it is
//! - [`watch`]: what serves once, how often somebody may try, and what the administrator is told
//!
//! A method gives [`Proven`]; the caller keeps what must wait for an answer in the session of the browser and takes it out
//! before it hands it back. Nothing here says what a page looks like: a refusal is a word for which the pages have a sentence.

pub mod card;
pub mod issuer;
pub mod phone;
pub mod watch;

use civic::NationalId;
use exchange::oidc::Level;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use services::Service;

use crate::agents::By;
use crate::people::Person;
use crate::{CaseError, Desk};

pub use card::Card;
pub use issuer::Issuer;
pub use phone::Phone;

/// The methods a city offers; none of them by default.
#[derive(Debug, Default)]
pub struct Methods {
    /// OpenID Connect issuers, in the order of the page.
    pub issuers: Vec<Issuer>,
    /// 行動自然人憑證.
    pub phone: Option<Phone>,
    /// 自然人憑證.
    pub card: Option<Card>,
    /// The level that a service demands whose folder names none.
    pub least: Option<Level>,
}

impl Methods {
    /// The issuer of this id.
    #[must_use]
    pub fn issuer(&self, id: &str) -> Option<&Issuer> {
        self.issuers.iter().find(|issuer| issuer.id == id)
    }

    /// The level a service demands, if it demands one.
    #[must_use]
    pub fn needed(&self, service: &Service) -> Option<Level> {
        service.meta.identity_level.and_then(Level::new).or(self.least)
    }

    /// Whether a method reaches a level at best.
    #[must_use]
    pub fn reaches(&self, method: &Method, needed: Option<Level>) -> bool {
        let Some(needed) = needed else { return true };
        let best = match method {
            Method::Issuer(id) => self.issuer(id).and_then(Issuer::best),
            Method::Phone => self.phone.as_ref().map(|phone| phone.level),
            Method::Card => self.card.as_ref().map(|card| card.level),
        };
        best.is_some_and(|best| best.reaches(needed))
    }
}

/// How somebody proved who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// At the issuer of this id.
    Issuer(String),
    /// By 行動自然人憑證.
    Phone,
    /// By 自然人憑證.
    Card,
}

/// What a session knows of a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// How.
    pub method: Method,
    /// How strongly; nothing where no rule of the issuer speaks of what it said.
    pub level: Option<Level>,
    /// When.
    pub at: Timestamp,
}

impl Verified {
    /// Whether it is as strong as a service demands.
    #[must_use]
    pub fn reaches(&self, needed: Option<Level>) -> bool {
        needed.is_none_or(|needed| self.level.is_some_and(|level| level.reaches(needed)))
    }
}

/// Who proved who they are. `Debug` is empty.
pub struct Proven {
    /// National id.
    pub national_id: NationalId,
    /// Name, where the method gives one.
    pub name: Option<String>,
    /// How, how strongly and when.
    pub verified: Verified,
    /// By what the session is found when the issuer ends it: keyed hashes.
    pub marks: Vec<[u8; 32]>,
    /// The issuer's ID token, shown again when the person signs out.
    pub id_token: Option<String>,
}

impl std::fmt::Debug for Proven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proven")
    }
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A word for which the pages have a sentence (`identity-no-…`); [`WORDS`] has all of them.
    #[error("the sign-in is refused: {0}")]
    No(&'static str),
    /// The store's and others.
    #[error(transparent)]
    Case(#[from] CaseError),
}

impl From<store::StoreError> for Refusal {
    fn from(error: store::StoreError) -> Refusal {
        Refusal::Case(error.into())
    }
}

/// All words of [`Refusal::No`], for the test of the pages' sentences. Those of the phone's authority begin with `phone-` and
/// end with the name of its reason.
pub const WORDS: [&str; 44] = [
    "lost",
    "too-many",
    "replayed",
    "national-id",
    "other-person",
    "too-weak",
    "off",
    "unreachable",
    "issuer-refused",
    "issuer-cancelled",
    "issuer-no-id",
    "card-form",
    "card-too-late",
    "card-clock",
    "card-expired",
    "card-not-yet",
    "card-unknown-issuer",
    "card-wrong-purpose",
    "card-revoked",
    "card-unknown-standing",
    "card-signature",
    "card-other-text",
    "card-not-yours",
    "card-not-activated",
    "phone-too-late",
    "phone-other-person",
    "phone-answer",
    "phone-expired",
    "phone-used",
    "phone-unknown",
    "phone-checksum",
    "phone-id-form",
    "phone-not-enrolled",
    "phone-device",
    "phone-service",
    "phone-too-long",
    "phone-time-limit",
    "phone-signature",
    "phone-cancelled",
    "phone-phone-failed",
    "phone-repeated",
    "phone-push",
    "phone-busy",
    "phone-other",
];

/// The level that a service demands and the person's sign-in does not reach; nothing where it does.
///
/// A clerk at the counter has seen the identity card, and staff who act for somebody signed in with a password and a one-time
/// code: of them no level is asked.
#[must_use]
pub fn lacking(desk: &Desk, person: &Person, service: &Service) -> Option<Level> {
    let needed = desk.identity.needed(service)?;
    let is_staff = person.is_served() || person.acting().is_some_and(|acting| matches!(acting.by, By::Staff(_)));
    let is_enough = person.verified().is_some_and(|verified| verified.reaches(Some(needed)));
    (!is_staff && !is_enough).then_some(needed)
}

/// Refuses an act for which the person's sign-in is too weak.
pub(crate) fn enough(desk: &Desk, person: &Person, service: &Service) -> Result<(), CaseError> {
    match lacking(desk, person, service) {
        Some(_) => Err(CaseError::Weak(service.id.clone())),
        None => Ok(()),
    }
}

/// A national id as somebody typed it: full-width letters, small letters and blanks are forgiven.
fn national_id(typed: &str) -> Result<NationalId, Refusal> {
    let plain = |letter: char| match letter {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(letter as u32 - 0xFEE0).unwrap_or(letter),
        other => other,
    };
    let text: String = typed
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .take(20)
        .map(plain)
        .collect();
    NationalId::parse(&text.to_ascii_uppercase()).map_err(|_| Refusal::No("national-id"))
}
