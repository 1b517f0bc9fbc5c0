//! A quarterly report (季報), and what it shows to be behind.

use civic::Money;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::MOST_TEXT;
use crate::clock::{Phase, report};
use crate::funding::MOST;
use crate::plan::Plan;
use crate::programme::Programme;

/// What a government reports at the end of a quarter; progress and spending are cumulative, as the checkpoints are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Quarter, from 1.
    pub quarter: u8,
    /// Cumulative progress in per cent (累計實際進度).
    pub progress: u8,
    /// Cumulative spending (累計實際支用).
    pub spending: Money,
    /// What was done.
    pub done: String,
    /// Why it is behind and what is done about it; may be empty where it is not.
    pub reason: String,
}

/// What is behind, computed from plan, report and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "risk")]
pub enum Risk {
    /// Progress is behind the checkpoint by this many points of per cent.
    Progress {
        /// Points.
        points: u8,
    },
    /// Spending is behind the checkpoint by this much of the year's total, in whole per cent.
    Spending {
        /// Per cent.
        percent: u8,
    },
    /// The report came late.
    Late {
        /// Days over, from 1.
        days: u16,
    },
    /// The report has not come and its days are over.
    Missing {
        /// Days over, from 1.
        days: u16,
    },
}

/// A report that can't be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The plan has no checkpoint of this quarter.
    #[error("the plan has no checkpoint of quarter {0}; report on one of its quarters")]
    Quarter(u8),
    /// More than all of the work.
    #[error("there is no more than 100 % of the work; correct the progress")]
    Progress,
    /// Progress below that of an earlier quarter.
    #[error("progress is cumulative and was {0} % before; correct it")]
    ProgressFalls(u8),
    /// Spending that can't be.
    #[error("spending is below zero or beyond what a government has; correct it")]
    Spending,
    /// Spending below that of an earlier quarter.
    #[error("spending is cumulative and was {} before; correct it", .0.grouped())]
    SpendingFalls(Money),
    /// Nothing is said of what was done.
    #[error("say what was done in the quarter")]
    Done,
    /// It is behind and no reason is given.
    #[error("the plan is behind; say why, and what is done about it")]
    Reason,
    /// A text that is too long.
    #[error("a text has {MOST_TEXT} characters at most; shorten it")]
    TooLong,
}

/// Whole per cent of a part, rounded down: what is shown is never more than there is. Nothing of nothing is 0.
#[must_use]
pub fn percent(part: Money, whole: Money) -> u8 {
    if whole.0 <= 0 || part.0 <= 0 {
        return 0;
    }
    u8::try_from(i128::from(part.0) * 100 / i128::from(whole.0)).unwrap_or(u8::MAX)
}

/// What a report shows to be behind its checkpoint; nothing for a quarter the plan does not have.
#[must_use]
pub fn risks(plan: &Plan, programme: &Programme, report: &Report) -> Vec<Risk> {
    let Some(planned) = plan.checkpoints.iter().find(|one| one.quarter == report.quarter) else {
        return Vec::new();
    };
    let rules = &programme.execution;
    let mut risks = Vec::new();
    let points = planned.progress.saturating_sub(report.progress);
    if points >= rules.behind_progress {
        risks.push(Risk::Progress { points });
    }
    let total = plan
        .subsidy(programme.period.funded)
        .map_or(Money(0), |subsidy| subsidy.total);
    let behind = percent(Money(planned.spending.0.saturating_sub(report.spending.0)), total);
    if behind >= rules.behind_spending {
        risks.push(Risk::Spending { percent: behind });
    }
    risks
}

impl Report {
    /// Whether the report may be sent after an earlier one.
    ///
    /// # Errors
    /// The first [`ReportError`].
    pub fn check(&self, plan: &Plan, programme: &Programme, before: Option<&Report>) -> Result<(), ReportError> {
        if !plan.checkpoints.iter().any(|one| one.quarter == self.quarter) {
            return Err(ReportError::Quarter(self.quarter));
        }
        if self.progress > 100 {
            return Err(ReportError::Progress);
        }
        if !(0..=MOST.0).contains(&self.spending.0) {
            return Err(ReportError::Spending);
        }
        if let Some(before) = before {
            if self.progress < before.progress {
                return Err(ReportError::ProgressFalls(before.progress));
            }
            if self.spending < before.spending {
                return Err(ReportError::SpendingFalls(before.spending));
            }
        }
        if [&self.done, &self.reason]
            .iter()
            .any(|text| text.chars().count() > MOST_TEXT)
        {
            return Err(ReportError::TooLong);
        }
        if self.done.trim().is_empty() {
            return Err(ReportError::Done);
        }
        if self.reason.trim().is_empty() && !risks(plan, programme, self).is_empty() {
            return Err(ReportError::Reason);
        }
        Ok(())
    }
}

impl Programme {
    /// What the time says of a quarter's report: late by its first sending, or missing.
    #[must_use]
    pub fn tardy(&self, quarter: u8, sent: Option<Timestamp>, now: Timestamp) -> Option<Risk> {
        let clock = report(quarter);
        match sent {
            Some(sent) => match self.late(&clock, sent) {
                0 => None,
                days => Some(Risk::Late { days }),
            },
            None if self.phase(&clock, now) == Some(Phase::Over) => Some(Risk::Missing {
                days: self.late(&clock, now),
            }),
            None => None,
        }
    }
}
