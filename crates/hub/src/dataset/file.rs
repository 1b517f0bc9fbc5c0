//! The text of `dataset.toml`, as it is written, with the place of what may be wrong.

use std::collections::BTreeMap;

use civic::Text;
use serde::Deserialize;
use toml::Spanned;

use super::{Encoding, Format, Mode, Period, Personal, Severity};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatasetTable {
    pub title: Spanned<Text>,
    pub description: Text,
    pub steward: Text,
    pub legal_basis: Spanned<Vec<String>>,
    #[serde(default)]
    pub purposes: Vec<String>,
    pub refresh: RefreshTable,
    pub retention: RetentionTable,
    pub lookup: Option<Spanned<LookupTable>>,
    pub source: SourceTable,
    #[serde(default)]
    pub column: Vec<Spanned<ColumnTable>>,
    #[serde(default)]
    pub quality: Vec<Spanned<QualityTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshTable {
    pub every: Period,
    #[serde(default)]
    pub expected_by_day: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetentionTable {
    pub history_days: Spanned<u32>,
    pub keep_years: Option<Spanned<u16>>,
    pub counted_from: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupTable {
    pub by: Vec<Spanned<String>>,
    pub columns: Vec<Spanned<String>>,
    pub cache_seconds: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceTable {
    pub kind: Spanned<Format>,
    #[serde(default)]
    pub encoding: Option<Spanned<Encoding>>,
    pub eudc: Option<Spanned<String>>,
    pub delimiter: Option<Spanned<char>>,
    pub header: Option<bool>,
    pub sheet: Option<String>,
    pub rows: Option<Spanned<String>>,
    #[serde(default)]
    pub fields: Vec<Spanned<FieldTable>>,
    pub mode: Spanned<Mode>,
    #[serde(default)]
    pub key: Vec<Spanned<String>>,
    pub time: Option<Spanned<String>>,
    pub operation: Option<Spanned<OperationTable>>,
    #[serde(default)]
    pub ignore: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldTable {
    pub name: String,
    pub width: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationTable {
    pub from: String,
    #[serde(default)]
    pub insert: Vec<String>,
    #[serde(default)]
    pub update: Vec<String>,
    #[serde(default)]
    pub delete: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnTable {
    pub name: Spanned<String>,
    pub title: Text,
    pub meaning: Text,
    #[serde(rename = "type")]
    pub kind: Spanned<String>,
    pub unit: Option<String>,
    pub personal: Personal,
    #[serde(default)]
    pub required: bool,
    pub codes: Option<Spanned<String>>,
    pub from: Spanned<OneOrMany>,
    pub joined_by: Option<String>,
    #[serde(default)]
    pub formats: Vec<Spanned<String>>,
    #[serde(default)]
    pub words: BTreeMap<String, bool>,
    /// Words of the source that mean that nothing is known, such as `-` or `無資料`.
    #[serde(default)]
    pub empty: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QualityTable {
    pub name: String,
    pub title: Option<Text>,
    pub severity: Severity,
    pub check: Spanned<String>,
    #[serde(default)]
    pub columns: Vec<Spanned<String>>,
    pub min: Option<Spanned<toml::Value>>,
    pub max: Option<Spanned<toml::Value>>,
    pub pattern: Option<Spanned<String>>,
    pub operator: Option<Spanned<String>>,
    pub when: Option<Spanned<String>>,
    #[serde(default)]
    pub is: Vec<String>,
    pub dataset: Option<Spanned<String>>,
    pub column: Option<String>,
    pub days: Option<u32>,
}
