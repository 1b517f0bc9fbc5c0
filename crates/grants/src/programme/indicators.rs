//! `indicators.toml`: the indicators a programme prints, each with the readings its formula allows.

use std::collections::BTreeMap;

use civic::Text;
use serde::{Deserialize, Serialize};

/// An indicator (關鍵績效指標) that the programme prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Short name.
    pub id: String,
    /// What it is called.
    pub title: Text,
    /// What it is measured on.
    pub base: Text,
    /// Printed targets by year.
    pub targets: Vec<Target>,
    /// The target is a bound from above.
    #[serde(default)]
    pub at_most: bool,
    /// Numbers it is computed from.
    #[serde(rename = "input")]
    pub inputs: Vec<Input>,
    /// What the platform counts for each input; nothing where it can't.
    #[serde(default)]
    pub live: BTreeMap<String, Vec<Live>>,
    /// Ways to compute it, the printed one and its evident intent where they differ.
    #[serde(rename = "reading")]
    pub readings: Vec<Reading>,
    /// Section of the programme.
    pub source: String,
}

/// A count of the platform, over the applications of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Live {
    /// Handed in on the portal.
    Online,
    /// Handed in at the counter.
    Counter,
    /// Handed in by a digital agent.
    Agent,
    /// Answers to the survey: very satisfied.
    Grade5,
    /// Satisfied.
    Grade4,
    /// Neutral.
    Grade3,
    /// Dissatisfied.
    Grade2,
    /// Very dissatisfied.
    Grade1,
}

/// The target of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// ROC year.
    pub year: i16,
    /// Hundredths of a per cent, of a score or of a number: 6000 is 60 %.
    pub hundredths: i64,
}

/// A number an indicator is computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Short name.
    pub id: String,
    /// What it is.
    pub title: Text,
}

/// One way to compute an indicator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Short name.
    pub id: String,
    /// What is computed, in words.
    pub title: Text,
    /// Whether the programme prints this formula; the others are what it evidently means.
    pub printed: bool,
    /// The result is shown in per cent.
    #[serde(default)]
    pub percent: bool,
    /// A bound of its own, in hundredths, the same each year; without it the yearly targets count.
    pub at_least_hundredths: Option<i64>,
    /// How it is computed.
    pub formula: Formula,
}

/// A formula over named inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Formula {
    /// Sum of the parts over sum of the whole.
    Share {
        /// Inputs above the line.
        part: Vec<String>,
        /// Inputs below the line.
        whole: Vec<String>,
    },
    /// Sum of weight × count over sum of counts.
    WeightedMean {
        /// Weight of each input.
        weights: BTreeMap<String, i64>,
    },
    /// One input over another.
    Ratio {
        /// Above the line.
        over: String,
        /// Below the line.
        under: String,
    },
    /// (to − from) / from.
    Rise {
        /// The value before.
        from: String,
        /// The value after.
        to: String,
    },
    /// The number itself.
    Count {
        /// The input.
        of: String,
    },
}

impl Formula {
    /// Names of the inputs it reads.
    #[must_use]
    pub fn inputs(&self) -> Vec<&str> {
        match self {
            Formula::Share { part, whole } => part.iter().chain(whole).map(String::as_str).collect(),
            Formula::WeightedMean { weights } => weights.keys().map(String::as_str).collect(),
            Formula::Ratio { over, under } => vec![over, under],
            Formula::Rise { from, to } => vec![from, to],
            Formula::Count { of } => vec![of],
        }
    }
}
