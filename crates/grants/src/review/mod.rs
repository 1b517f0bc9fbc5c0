//! The review of plans (提案審查): who may score, what a score sheet says, and what follows from all sheets.

mod allot;
mod normalise;
mod rank;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::programme::{Criterion, Programme};
pub use allot::{AllotError, Allotment, Candidate, MOST_PLANS, Steer, Verdict, Why, allot};
pub use normalise::{Leaning, Normalised, PlanScore, normalise};
pub use rank::{Behind, Ranked, Standing, rank};

/// Most reviewers of a panel.
pub const MOST_REVIEWERS: usize = 50;
/// Most characters of a comment.
pub const MOST_COMMENT: usize = 2_000;

/// The panel (審查委員小組).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Its members.
    pub reviewers: Vec<String>,
    /// Whom they may not judge.
    #[serde(default, rename = "conflict")]
    pub conflicts: Vec<Conflict>,
}

/// A conflict of interest (利益迴避).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// The reviewer.
    pub reviewer: String,
    /// The government whose plan they may not judge.
    pub government: String,
    /// Why.
    pub reason: String,
}

/// What a reviewer says of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// The reviewer.
    pub reviewer: String,
    /// The government whose plan it is.
    pub government: String,
    /// A score for each criterion; the bonus may be left out.
    #[serde(rename = "score")]
    pub scores: Vec<Score>,
}

/// The score of a criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The criterion.
    pub criterion: String,
    /// Tenths of a point: 285 is 28.5.
    pub tenths: u16,
    /// What the reviewer says of it.
    #[serde(default)]
    pub comment: String,
}

/// Why a sheet is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// The panel is too large.
    #[error("a panel has {MOST_REVIEWERS} members at most; make it smaller")]
    TooMany,
    /// Nobody of the panel.
    #[error("`{0}` is no member of the panel; add them first")]
    NotInPanel(String),
    /// A conflict of interest.
    #[error(
        "`{reviewer}` may not judge the plan of `{government}`: a conflict of interest is recorded; take the sheet out"
    )]
    Conflict {
        /// The reviewer.
        reviewer: String,
        /// The government.
        government: String,
    },
    /// The government may not apply.
    #[error("`{0}` may not apply to the programme; correct the sheet's government")]
    Government(String),
    /// Two sheets of one reviewer for one plan.
    #[error("`{reviewer}` has two sheets for `{government}`; keep one")]
    Twice {
        /// The reviewer.
        reviewer: String,
        /// The government.
        government: String,
    },
    /// A criterion that is missing, unknown or there twice.
    #[error("the criterion `{criterion}` must stand once on the sheet of `{reviewer}` for `{government}`")]
    Criterion {
        /// The reviewer.
        reviewer: String,
        /// The government.
        government: String,
        /// The criterion.
        criterion: String,
    },
    /// More points than there are.
    #[error("`{criterion}` gives {most} points at most; correct the sheet of `{reviewer}` for `{government}`")]
    Points {
        /// The reviewer.
        reviewer: String,
        /// The government.
        government: String,
        /// The criterion.
        criterion: String,
        /// Its points.
        most: u16,
    },
    /// A comment that is too long.
    #[error("a comment has {MOST_COMMENT} characters at most; shorten it")]
    Comment,
}

impl Panel {
    /// Whether a reviewer may judge the plan of a government.
    #[must_use]
    pub fn may_judge(&self, reviewer: &str, government: &str) -> bool {
        let known = self.reviewers.iter().any(|one| one == reviewer);
        let conflict = |one: &Conflict| one.reviewer == reviewer && one.government == government;
        known && !self.conflicts.iter().any(conflict)
    }
}

impl Sheet {
    /// All points, in tenths.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.scores.iter().map(|score| u32::from(score.tenths)).sum()
    }

    /// Whether the sheet may be taken.
    ///
    /// # Errors
    /// [`SheetError`] for a reviewer who may not judge the plan, and criteria or points that are not the programme's.
    pub fn check(&self, panel: &Panel, programme: &Programme) -> Result<(), SheetError> {
        let (reviewer, government) = (self.reviewer.clone(), self.government.clone());
        if panel.reviewers.len() > MOST_REVIEWERS {
            return Err(SheetError::TooMany);
        }
        if programme.government(&government).is_none() {
            return Err(SheetError::Government(government));
        }
        if !panel.reviewers.contains(&reviewer) {
            return Err(SheetError::NotInPanel(reviewer));
        }
        if !panel.may_judge(&reviewer, &government) {
            return Err(SheetError::Conflict { reviewer, government });
        }
        let mut seen = BTreeSet::new();
        for score in &self.scores {
            let criterion = score.criterion.clone();
            let (reviewer, government) = (reviewer.clone(), government.clone());
            let Some(known) = programme
                .criterion(&criterion)
                .filter(|_| seen.insert(&score.criterion))
            else {
                return Err(SheetError::Criterion {
                    reviewer,
                    government,
                    criterion,
                });
            };
            if u32::from(score.tenths) > u32::from(known.points) * 10 {
                let most = known.points;
                return Err(SheetError::Points {
                    reviewer,
                    government,
                    criterion,
                    most,
                });
            }
            if score.comment.chars().count() > MOST_COMMENT {
                return Err(SheetError::Comment);
            }
        }
        let missing = |one: &&Criterion| !one.bonus && !seen.contains(&one.id);
        match programme.criteria.iter().find(missing) {
            Some(missing) => Err(SheetError::Criterion {
                reviewer,
                government,
                criterion: missing.id.clone(),
            }),
            None => Ok(()),
        }
    }
}
