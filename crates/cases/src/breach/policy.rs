//! What the law asks after a breach, as the city's file says it.

use civic::Text;
use serde::Deserialize;

/// The file that is used where the city has none of its own.
const BUILT_IN: &str = include_str!("../../../../privacy/breach.toml");
/// Longest time to report, in hours.
const LONGEST: i64 = 24 * 90;

/// What the law asks after a breach (個資法 §12).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Articles by which persons are told.
    pub law: String,
    /// The report to the authority.
    pub report: Report,
}

/// The report to the authority (通報).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Who takes it.
    pub authority: Text,
    /// Articles by which it is made.
    pub law: String,
    /// Hours from when the breach was ascertained.
    pub hours: i64,
    /// What it says beside what is counted.
    #[serde(rename = "field")]
    pub fields: Vec<Field>,
}

/// A field of the report.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name that does not change.
    pub name: String,
    /// What it is called.
    pub title: Text,
    /// Help.
    #[serde(default)]
    pub hint: Option<Text>,
    /// What can be chosen; empty where it is written.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// Whether it takes several lines.
    #[serde(default)]
    pub lines: bool,
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Name that does not change.
    pub name: String,
    /// What it is called.
    pub title: Text,
}

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is no file of this kind.
    #[error("the file on breaches can't be read: {0}")]
    Toml(Box<toml::de::Error>),
    /// A value can't be.
    #[error("the file on breaches: {0}")]
    Value(String),
}

impl Policy {
    /// Reads a file.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        let policy: Policy = toml::from_str(text).map_err(|error| PolicyError::Toml(Box::new(error)))?;
        if !(1..=LONGEST).contains(&policy.report.hours) {
            return Err(PolicyError::Value(format!("`hours` is from 1 to {LONGEST}")));
        }
        let mut names: Vec<&str> = policy.report.fields.iter().map(|field| field.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => Err(PolicyError::Value(format!(
                "there are two fields `{}`; rename one",
                twice[0]
            ))),
            None if names.is_empty() => Err(PolicyError::Value("a report has at least one field".to_owned())),
            None => Ok(policy),
        }
    }

    /// The file that comes with the platform.
    ///
    /// # Errors
    /// [`PolicyError`], never for the file as it is.
    pub fn built_in() -> Result<Policy, PolicyError> {
        Policy::parse(BUILT_IN)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_file_that_comes_with_the_platform_is_sound() {
        let policy = Policy::built_in().unwrap();
        assert_eq!(policy.report.hours, 72);
        assert!(policy.report.fields.iter().all(|field| !field.title.is_empty()));
    }

    #[test]
    fn what_can_not_be_is_told() {
        let wrong = |from: &str, to: &str| Policy::parse(&BUILT_IN.replace(from, to)).unwrap_err().to_string();
        assert!(wrong("hours = 72", "hours = 0").contains("from 1 to"));
        assert!(wrong("name = \"cause\"", "name = \"data\"").contains("two fields `data`"));
        assert!(wrong("law = ", "laws = ").contains("unknown field `laws`"));
    }
}
