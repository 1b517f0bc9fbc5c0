//! What a check says of a self-assessment or a plan.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The plan can't be sent like this.
    Refusal,
    /// An official may accept it with a note.
    Warning,
}

/// Which rule a finding is of. Pages have the words for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // each is said by the message it comes with
pub enum Rule {
    Bounds,
    UnknownStage,
    StageTwice,
    StageOrder,
    UnknownItem,
    ItemTwice,
    ItemDoneAndPlanned,
    ItemDoneAndRefused,
    ItemPlannedAndRefused,
    ItemLeftOut,
    ReasonMissing,
    TextMissing,
    PlatformNotBuilt,
    DoneWithoutPlatform,
    PlatformByPlan,
    StageNeedsRow,
    NothingPlannedWithItems,
    RedesignOfUndone,
    EvidenceMissing,
    TestAccountMissing,
    NothingPlannedAtAll,
    NoDesignatedItem,
    UnknownGovernment,
    ChapterEmpty,
    PersonalDataEmpty,
    PersonalDataThin,
    Placeholder,
    PeriodDiffers,
    YearMissing,
    YearUnknown,
    TooFewIndicators,
    IndicatorIncomplete,
    IndicatorUnknown,
    IndicatorNotLive,
    IndicatorWithoutWork,
    WorkWithoutIndicator,
    WorkOfUnplannedItem,
    AmountOutOfBounds,
    SumDiffers,
    SplitDiffers,
    RatioExceeded,
    CapExceeded,
    ApprovedExceeded,
    CheckpointMissing,
    CheckpointFalls,
    CheckpointEnd,
    CheckpointReported,
    ContactIncomplete,
}

/// One thing a check found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// How much it weighs.
    pub severity: Severity,
    /// Which rule it is of.
    pub rule: Rule,
    /// Where: an item, a text, a line of a table.
    pub place: String,
    /// What is wrong and what to do, for logs and for who has no page.
    pub message: String,
}

/// An official accepts a warning (准予例外) and says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overruled {
    /// The rule.
    pub rule: Rule,
    /// The place.
    pub place: String,
    /// Why.
    pub note: String,
}

impl Finding {
    /// What must be mended.
    pub(crate) fn refusal(rule: Rule, place: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Refusal,
            rule,
            place: place.into(),
            message: message.into(),
        }
    }

    /// What may be accepted with a note.
    pub(crate) fn warning(rule: Rule, place: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Warning,
            ..Finding::refusal(rule, place, message)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// What is left after an official's notes. A refusal stays whatever is noted, and a note without words accepts nothing.
#[must_use]
pub fn remaining(findings: Vec<Finding>, notes: &[Overruled]) -> Vec<Finding> {
    let accepted = |finding: &Finding| {
        let mut notes = notes.iter().filter(|note| !note.note.trim().is_empty());
        finding.severity == Severity::Warning
            && notes.any(|note| note.rule == finding.rule && note.place == finding.place)
    };
    findings.into_iter().filter(|finding| !accepted(finding)).collect()
}
