//! Who pays how much: ratio by fiscal tier (財力級次), cap, own share (自籌款).

use civic::Money;
use serde::{Deserialize, Serialize};

/// Most dollars a plan may name, beyond any government's budget; sums of bounded lists stay far within `i64`.
pub const MOST: Money = Money(1_000_000_000_000);

/// Cap and ratios, as `[funding]` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Funding {
    /// Most the ministry pays for a plan and year, in principle.
    pub cap: Money,
    /// Section of the programme that says so.
    pub cap_source: String,
    /// Highest share by tier.
    pub ratio: Vec<Ratio>,
    /// Section of the programme that says so.
    pub ratio_source: String,
}

/// The highest share of a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// The tier.
    pub tier: u8,
    /// Per cent of the total.
    pub percent: u8,
}

/// The most the ministry pays for one year of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Most {
    /// The ratio of the tier, in per cent.
    pub percent: u8,
    /// The subsidy by ratio alone, in whole dollars, rounded down because the ratio is a maximum.
    pub by_ratio: Money,
    /// The subsidy: by ratio, at most the cap.
    pub subsidy: Money,
    /// What the government pays then.
    pub own: Money,
    /// Whether the cap lowered it.
    pub capped: bool,
}

impl Funding {
    /// The most for a tier and a year's total; `None` for an unknown tier or a total out of bounds.
    #[must_use]
    pub fn most(&self, tier: u8, total: Money) -> Option<Most> {
        let percent = self.ratio.iter().find(|ratio| ratio.tier == tier)?.percent;
        if !(0..=MOST.0).contains(&total.0) {
            return None;
        }
        // at most 10¹² × 100, which fits
        let by_ratio = Money(total.0 * i64::from(percent) / 100);
        let subsidy = by_ratio.min(self.cap);
        Some(Most {
            percent,
            by_ratio,
            subsidy,
            own: Money(total.0 - subsidy.0),
            capped: subsidy < by_ratio,
        })
    }
}
