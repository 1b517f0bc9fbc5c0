//! The clock of a plan sent back for correction (修正計畫書): days to hand it in, days late at a price, then forfeit.

use civic::{Money, legal_day};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Rule};
use crate::plan::Plan;
use crate::programme::Programme;

/// Days and price, as `[correction]` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Calendar days to hand in the corrected plan; the day of the comments does not count (行政程序法 §48 II).
    pub days: u16,
    /// Calendar days after those in which it is still taken.
    pub late_days: u16,
    /// What is taken off the approved subsidy then, in per cent.
    pub late_percent: u8,
    /// Section of the programme.
    pub source: String,
}

/// The correction of one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Legal day on which the comments reached the government.
    pub commented: Date,
    /// When the corrected plan was handed in.
    pub handed_in: Option<Timestamp>,
    /// Whether the ministry put the plan off.
    pub deferral: Option<Deferral>,
}

/// The ministry puts a plan off (緩議). It stops no clock; the text does not say that it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deferral {
    /// Legal day of the decision.
    pub decided: Date,
    /// Why.
    pub reason: String,
}

/// Where a correction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "standing")]
pub enum Standing {
    /// Not handed in; there is time.
    Waiting,
    /// Not handed in; the days are over, it is still taken at a price.
    Overdue {
        /// Days over, from 1.
        days: u16,
    },
    /// Handed in within the days.
    InTime,
    /// Handed in late.
    Late {
        /// Days over, from 1.
        days: u16,
    },
    /// Given up (視同放棄): not handed in, or later than that.
    Forfeit,
}

/// A deferral that can't be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeferralError {
    /// The days are not over.
    #[error("a plan is put off only when its days of correction are over; they end with {0}")]
    TooEarly(Date),
    /// It was handed in within its days.
    #[error("the corrected plan came in time; there is nothing to put off")]
    HandedIn,
    /// No reason is given.
    #[error("a plan is put off for a reason; write it")]
    NoReason,
}

impl Correction {
    /// The last day in time.
    #[must_use]
    pub fn last_day(&self, commented: Date) -> Date {
        commented.saturating_add(i64::from(self.days).days())
    }

    /// The last day on which it is still taken.
    #[must_use]
    pub fn last_late_day(&self, commented: Date) -> Date {
        self.last_day(commented)
            .saturating_add(i64::from(self.late_days).days())
    }

    /// Where a correction stands at a moment.
    #[must_use]
    pub fn standing(&self, record: &Record, now: Timestamp) -> Standing {
        let day = legal_day(record.handed_in.unwrap_or(now));
        let over = self.last_day(record.commented).until(day);
        let over = over.map_or(0, |span| span.get_days());
        let here = record.handed_in.is_some();
        match u16::try_from(over.max(0)) {
            Ok(0) if here => Standing::InTime,
            Ok(0) => Standing::Waiting,
            Ok(days) if days <= self.late_days && here => Standing::Late { days },
            Ok(days) if days <= self.late_days => Standing::Overdue { days },
            _ => Standing::Forfeit,
        }
    }

    /// What is left of an approved subsidy. Odd dollars of the deduction are dropped: the text says what is taken off.
    #[must_use]
    pub fn kept(&self, approved: Money, standing: Standing) -> Money {
        match standing {
            Standing::Waiting | Standing::InTime => approved,
            Standing::Forfeit => Money(0),
            Standing::Late { .. } | Standing::Overdue { .. } => {
                let approved = i128::from(approved.0.max(0));
                let taken = approved * i128::from(self.late_percent.min(100)) / 100;
                Money(i64::try_from(approved - taken).unwrap_or(i64::MAX))
            }
        }
    }

    /// Whether a plan may be put off.
    ///
    /// # Errors
    /// [`DeferralError`] where its days are not over, it came in time, or no reason is given.
    pub fn may_defer(&self, record: &Record, deferral: &Deferral) -> Result<(), DeferralError> {
        let last = self.last_day(record.commented);
        if deferral.reason.trim().is_empty() {
            Err(DeferralError::NoReason)
        } else if record.handed_in.is_some_and(|at| legal_day(at) <= last) {
            Err(DeferralError::HandedIn)
        } else if deferral.decided <= last {
            Err(DeferralError::TooEarly(last))
        } else {
            Ok(())
        }
    }
}

/// What keeps a corrected plan from being handed in beside the checks of every plan: in the funded year it asks the ministry for more
/// than was approved. What was approved is the most; a plan may ask for less.
#[must_use]
pub fn above_approved(plan: &Plan, programme: &Programme, approved: Money) -> Option<Finding> {
    let year = programme.period.funded;
    let asked = plan.subsidy(year)?.ministry();
    let message = || {
        format!(
            "the subsidy is {}, approved is {}; lower it and raise the own share, or plan less",
            asked.grouped(),
            approved.grouped()
        )
    };
    (asked > approved).then(|| Finding::refusal(Rule::ApprovedExceeded, format!("year {year}"), message()))
}
