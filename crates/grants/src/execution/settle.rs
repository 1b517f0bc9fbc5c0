//! The settlement (核銷): what is paid of what was spent.

use civic::Money;
use serde::{Deserialize, Serialize};

use crate::funding::MOST;
use crate::plan::MOST_LINES;
use crate::programme::Programme;

/// What was spent on a budget line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// What the government asks to be counted.
    pub amount: Money,
    /// What the ministry strikes (剔除) of it: spent on what the programme does not pay for.
    #[serde(default)]
    pub struck: Money,
}

/// How the amount paid comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// Spent, as the government says.
    pub spent: Money,
    /// Struck of it.
    pub struck: Money,
    /// Counted: spent on what the programme pays for.
    pub counted: Money,
    /// The ratio of the tier, in per cent.
    pub percent: u8,
    /// What counts at this ratio, in whole dollars, rounded down because the ratio is a maximum.
    pub by_ratio: Money,
    /// Approved, less what was taken off for a late correction.
    pub kept: Money,
    /// Paid: the lesser of the two.
    pub paid: Money,
    /// What the government bears of what counts.
    pub own: Money,
    /// Lapses: approved and not paid. Nothing is carried over into the next year (玖、二).
    pub lapsed: Money,
}

/// A settlement that can't be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// The programme does not know the government or its tier.
    #[error("this government may not apply to the programme; nothing can be settled")]
    Government,
    /// An amount that can't be.
    #[error("line {0} has an amount below zero or beyond what a government has; correct it")]
    Amount(usize),
    /// More is struck than was spent.
    #[error("line {0} has more struck than was spent; correct it")]
    Struck(usize),
    /// Too many lines.
    #[error("a plan has {MOST_LINES} lines at most; put lines together")]
    TooMany,
}

/// What is paid: what was spent on what the programme pays for at the ratio of the tier (玖、一), never above `kept`, which is the
/// approved subsidy less the deduction of a late correction (捌、二、(二)、2).
///
/// # Errors
/// [`SettleError`].
pub fn settle(
    programme: &Programme,
    government: &str,
    kept: Money,
    spent: &[Spent],
) -> Result<Settlement, SettleError> {
    if spent.len() > MOST_LINES {
        return Err(SettleError::TooMany);
    }
    for (at, line) in spent.iter().enumerate() {
        let amounts = [line.amount, line.struck];
        if amounts.iter().any(|amount| !(0..=MOST.0).contains(&amount.0)) {
            return Err(SettleError::Amount(at + 1));
        }
        if line.struck > line.amount {
            return Err(SettleError::Struck(at + 1));
        }
    }
    let all: Money = spent.iter().map(|line| line.amount).sum();
    let struck: Money = spent.iter().map(|line| line.struck).sum();
    let counted = Money(all.0 - struck.0);
    // two hundred lines of a government's whole budget are still no sum a year has
    let most = programme
        .government(government)
        .and_then(|one| programme.funding.most(one.tier, counted.min(MOST)))
        .ok_or(SettleError::Government)?;
    let kept = kept.max(Money(0));
    let paid = most.by_ratio.min(kept);
    Ok(Settlement {
        spent: all,
        struck,
        counted,
        percent: most.percent,
        by_ratio: most.by_ratio,
        kept,
        paid,
        own: Money(counted.0 - paid.0),
        lapsed: Money(kept.0 - paid.0),
    })
}
