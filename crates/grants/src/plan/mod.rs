//! The plan (計畫書, annex 1): thirteen chapters, indicators, budget lines, checkpoints, contact, and the self-assessment.

mod check;
mod completeness;
mod difference;

use std::collections::BTreeMap;

use civic::Money;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::assessment::Assessment;
pub(crate) use check::applied;
pub use check::check;
pub(crate) use check::checkpoints;
pub use completeness::{Completeness, completeness};
pub use difference::{Changed, Piece, TooLong, compare, difference};

/// Most characters of one text of a plan.
pub const MOST_TEXT: usize = 20_000;
/// Most lines of one table of a plan.
pub const MOST_LINES: usize = 200;

/// A plan of one government.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The programme it answers.
    pub programme: String,
    /// The government.
    pub government: String,
    /// Its title.
    pub title: String,
    /// First day.
    pub from: Date,
    /// Last day.
    pub through: Date,
    /// Texts by the names of [`crate::Programme::text_ids`]; what is not written yet is not there.
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    /// The table of annex 2.
    #[serde(default)]
    pub assessment: Assessment,
    /// Key performance indicators (關鍵績效指標).
    #[serde(default, rename = "indicator")]
    pub indicators: Vec<PlanIndicator>,
    /// Budget lines (經費明細).
    #[serde(default, rename = "line")]
    pub lines: Vec<Line>,
    /// Who pays what, by year (經費補助表).
    #[serde(default, rename = "subsidy")]
    pub subsidies: Vec<Subsidy>,
    /// Why the cap is passed, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_exception: Option<String>,
    /// Checkpoints of the funded year (查核進度).
    #[serde(default, rename = "checkpoint")]
    pub checkpoints: Vec<Checkpoint>,
    /// Whom to ask.
    #[serde(default)]
    pub contact: Contact,
}

/// An indicator of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanIndicator {
    /// Short name within the plan, such as `K1`.
    pub id: String,
    /// What is measured.
    pub title: String,
    /// How it is computed (計算公式).
    pub formula: String,
    /// On what it is computed (計算基準).
    pub base: String,
    /// Where the numbers come from (資料來源).
    pub source: String,
    /// A printed indicator of the programme whose formula it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed: Option<String>,
    /// The live measure of the platform it is bound to: `all` services, or one by its folder's name. Which counts it takes stands
    /// with the printed indicator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    /// Yearly targets in words and number, such as `整體滿意度60%以上`.
    #[serde(default, rename = "target")]
    pub targets: Vec<PlanTarget>,
}

/// The target of a year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanTarget {
    /// ROC year.
    pub year: i16,
    /// The target as it is printed.
    pub text: String,
}

/// Capital or current expenditure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 資本門.
    Capital,
    /// 經常門.
    Current,
}

/// A budget line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// ROC year.
    pub year: i16,
    /// Work item (工作項目).
    pub work: String,
    /// What it costs.
    pub amount: Money,
    /// Capital or current.
    pub kind: Kind,
    /// Items of the self-assessment it serves, as [`Assessment::planned`] names them.
    #[serde(default)]
    pub items: Vec<String>,
    /// Indicators it answers to.
    #[serde(default)]
    pub indicators: Vec<String>,
    /// Note (備註).
    #[serde(default)]
    pub note: String,
}

/// Who pays what in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subsidy {
    /// ROC year.
    pub year: i16,
    /// All costs (總經費).
    pub total: Money,
    /// The government's own share (地方政府自籌款).
    pub own: Money,
    /// The ministry's share that is capital.
    pub capital: Money,
    /// The ministry's share that is current.
    pub current: Money,
}

/// A checkpoint at the end of a quarter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Quarter, 1 to 4.
    pub quarter: u8,
    /// Cumulative progress in per cent (累計預定進度).
    pub progress: u8,
    /// Cumulative spending (累計預定支用).
    pub spending: Money,
    /// What shall stand then (關鍵查核點).
    pub text: String,
}

/// Whom to ask (提報單位聯絡人).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Unit.
    #[serde(default)]
    pub unit: String,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Telephone.
    #[serde(default)]
    pub telephone: String,
    /// E-mail.
    #[serde(default)]
    pub email: String,
}

impl Subsidy {
    /// The ministry's share (數位發展部補助經費).
    #[must_use]
    pub fn ministry(&self) -> Money {
        Money(self.capital.0.saturating_add(self.current.0))
    }
}

impl Plan {
    /// The text of this name; empty where nothing is written.
    #[must_use]
    pub fn text(&self, id: &str) -> &str {
        self.texts.get(id).map_or("", String::as_str)
    }

    /// The subsidy of a year.
    #[must_use]
    pub fn subsidy(&self, year: i16) -> Option<&Subsidy> {
        self.subsidies.iter().find(|subsidy| subsidy.year == year)
    }

    /// The budget lines of a year.
    pub fn lines_of(&self, year: i16) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.year == year)
    }
}
