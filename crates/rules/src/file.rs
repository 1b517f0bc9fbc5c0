//! The text of `rules.toml`, as it is written, with the place of every value.

use crate::mistake::Source;
use crate::model::{Entity, Type};
use civic::{Mistake, Text};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// A map of the file; the keys carry their places, which are also their order.
pub(crate) type Entries<T> = BTreeMap<Spanned<String>, T>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RulesFile {
    pub decision: DecisionTable,
    #[serde(default)]
    pub inputs: InputTables,
    #[serde(default)]
    pub parameters: Entries<ParameterTable>,
    #[serde(rename = "step", default)]
    pub steps: Vec<StepTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionTable {
    pub outcome: Spanned<String>,
    #[serde(default)]
    pub amounts: Vec<Spanned<String>>,
    /// Further steps that must be known before nothing is asked any more.
    #[serde(default)]
    pub also: Vec<Spanned<String>>,
    pub candidates: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputTables {
    #[serde(default)]
    pub person: Entries<InputTable>,
    #[serde(default)]
    pub household: Entries<InputTable>,
    #[serde(default)]
    pub case: Entries<InputTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputTable {
    #[serde(rename = "type")]
    pub kind: Type,
    pub title: Text,
    #[serde(default)]
    pub values: Vec<String>,
    pub unit: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParameterTable {
    pub file: Spanned<String>,
    #[serde(rename = "type")]
    pub kind: Type,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepTable {
    pub name: Spanned<String>,
    pub entity: Entity,
    pub title: Text,
    pub law: String,
    pub unit: Option<String>,
    pub sql: Option<Spanned<String>>,
    pub table: Option<Spanned<String>>,
    pub hit: Option<Hit>,
}

/// Which row of a decision table counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hit {
    /// The first that matches.
    First,
    /// The only one that matches; two are an error.
    Unique,
}

/// Reads the file.
pub(crate) fn parse(source: &Source) -> Result<RulesFile, Mistake> {
    toml::from_str(&source.text).map_err(|error| {
        let message = error.message().trim().replace('\n', ", ");
        source.mistake(error.span().map_or(0, |span| span.start), message, None)
    })
}

/// The entries of a map in the order of the file.
pub(crate) fn in_order<T>(entries: Entries<T>) -> Vec<(Spanned<String>, T)> {
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// The byte offset in the file where the content of a string value begins.
pub(crate) fn content_start(source: &Source, value: &Spanned<String>) -> usize {
    let start = value.span().start;
    let raw = source.text.get(start..).unwrap_or_default();
    for quotes in ["\"\"\"", "'''"] {
        if let Some(rest) = raw.strip_prefix(quotes) {
            let newline = if rest.starts_with("\r\n") {
                2
            } else {
                usize::from(rest.starts_with('\n'))
            };
            return start + quotes.len() + newline;
        }
    }
    start + 1
}
