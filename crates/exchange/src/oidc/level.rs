//! How strongly a person was verified, as one of four levels, whatever words the issuer uses.
//!
//! MyData's four strengths are the measure: 1 a card or a bank's hardware, 2 行動自然人憑證, 3 a registered password with a
//! card, 4 two documents. Which `acr`, `amr` or `x509type` of an issuer means which is not public and therefore configured.

use super::provider::Identity;
use serde::{Deserialize, Serialize};

/// A strength of verification: 1 is the strongest, 4 the weakest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Level(u8);

impl Level {
    /// A level of 1 to 4.
    #[must_use]
    pub fn new(number: u8) -> Option<Level> {
        (1..=4).contains(&number).then_some(Level(number))
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether it is at least as strong as another.
    #[must_use]
    pub fn reaches(self, needed: Level) -> bool {
        self.0 <= needed.0
    }
}

impl TryFrom<u8> for Level {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Level, &'static str> {
        Level::new(number).ok_or("a level is 1, 2, 3 or 4")
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> u8 {
        level.0
    }
}

/// A claim with a value, and the level it means.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelRule {
    /// `acr`, `amr`, or a claim of the issuer's own such as `x509type`.
    pub claim: String,
    /// The value; where the claim is a list, one of its values.
    pub value: String,
    /// What it means.
    pub level: Level,
}

/// The rules of one issuer. What no rule speaks of has no level: deny by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Levels(pub Vec<LevelRule>);

impl Levels {
    /// How strongly a person was verified: the strongest of the rules that fit.
    #[must_use]
    pub fn of(&self, identity: &Identity) -> Option<Level> {
        let fits = |rule: &&LevelRule| match rule.claim.as_str() {
            "acr" => identity.acr.as_ref() == Some(&rule.value),
            "amr" => identity.amr.contains(&rule.value),
            other => match identity.claims.get(other) {
                Some(serde_json::Value::String(text)) => *text == rule.value,
                Some(serde_json::Value::Array(list)) => {
                    list.iter().any(|one| one.as_str() == Some(rule.value.as_str()))
                }
                Some(serde_json::Value::Number(number)) => number.to_string() == rule.value,
                _ => false,
            },
        };
        self.0
            .iter()
            .filter(fits)
            .map(|rule| rule.level)
            .min_by_key(|level| level.0)
    }

    /// The `acr` values that reach a level, for [`super::StepUp`].
    #[must_use]
    pub fn acr_values(&self, needed: Level) -> Vec<String> {
        self.0
            .iter()
            .filter(|rule| rule.claim == "acr" && rule.level.reaches(needed))
            .map(|rule| rule.value.clone())
            .collect()
    }
}
