//! The self-assessment of digital development (數位發展現況階段自評, annex 2): what stands, what is done, what is planned.

mod check;
mod table;

use serde::{Deserialize, Serialize};

pub use check::check;
pub(crate) use table::{Pen, written};
pub use table::{TableRow, table};

/// Most entries of one list of a row.
pub const MOST_ENTRIES: usize = 40;
/// Most characters of one text.
pub const MOST_TEXT: usize = 2_000;

/// The whole table: a row for each stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// Rows in the order of the stages.
    #[serde(default, rename = "row", skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Row>,
}

/// One stage (發展階段).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The stage.
    pub stage: String,
    /// Evidence (佐證項目及網址) that its platform stands; empty where this plan builds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// Designated items done (已完成指定項目).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<Done>,
    /// Designated items this plan develops (計畫發展指定項目).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<Entry>,
    /// Extra items and redesigns of items done (額外精進項目).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
    /// Items not done (不執行項目), each with its reason; a group stands for all its items that stand nowhere else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// In place of the three lists: nothing else is planned at this stage (本階段暫無其他規劃).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing: Option<String>,
    /// Groups of which the row says that nothing of them is planned, as example 12 of the annex does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub empty_groups: Vec<String>,
}

/// Where something can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is called.
    pub title: String,
    /// Its address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Whether one must sign in to see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub login: bool,
    /// A test or temporary account (測試或臨時帳號) to see it with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// The group it belongs to, where the stage has groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A designated item that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The item.
    pub item: String,
    /// What the government calls it; the item's own title without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Whether one must sign in to see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub login: bool,
    /// A test account to see it with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
}

/// A designated item that is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The item.
    pub item: String,
    /// What the government calls it; the item's own title without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Why and what.
    pub text: String,
}

/// An extra item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    /// What it is called.
    pub title: String,
    /// What is developed and why.
    pub text: String,
    /// The item done that it redesigns (流程再造), if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redesigns: Option<String>,
    /// The group it belongs to, where the stage has groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// An item, or the rest of a group, that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The item; empty where a group is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The group whose remaining items are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What the government calls it; the item's own title without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The reason of its own.
    pub reason: String,
}

impl Row {
    /// Whether the stage is applied for: it plans something.
    #[must_use]
    pub fn is_applied_for(&self) -> bool {
        !self.planned.is_empty() || !self.extra.is_empty()
    }

    /// Whether its platform stands.
    #[must_use]
    pub fn is_built(&self) -> bool {
        !self.evidence.is_empty()
    }
}

impl Assessment {
    /// The row of a stage.
    #[must_use]
    pub fn row(&self, stage: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.stage == stage)
    }

    /// Ids of everything the plan develops: designated items, and extra ones as `A1.x1`, `A1.x2` in their order.
    #[must_use]
    pub fn planned(&self) -> Vec<String> {
        let rows = self.rows.iter().flat_map(|row| {
            let designated = row.planned.iter().map(|entry| entry.item.clone());
            let extra = (1..=row.extra.len()).map(|number| format!("{}.x{number}", row.stage));
            designated.chain(extra)
        });
        rows.collect()
    }
}
