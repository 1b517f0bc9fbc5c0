//! NT dollars.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;

/// An amount of NT dollars (新臺幣), whole, as public benefits are paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i64);

impl Money {
    /// The digits in groups of three, such as `8,329` or `-1,000`.
    #[must_use]
    pub fn grouped(self) -> String {
        let digits = self.0.unsigned_abs().to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
        if self.0 < 0 {
            text.push('-');
        }
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    }

    /// The sum, if it can be held.
    #[must_use]
    pub fn checked_add(self, other: Money) -> Option<Money> {
        self.0.checked_add(other.0).map(Money)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "新臺幣 {} 元", self.grouped())
    }
}

impl Sum for Money {
    /// Saturates: a total beyond 9 × 10¹⁸ dollars shows as that bound.
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        Money(amounts.fold(0, |total, amount| total.saturating_add(amount.0)))
    }
}
