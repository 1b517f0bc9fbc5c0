use super::IdError;
use crate::fold_width;
use std::fmt;

/// Which rule a number fits (財政部 統一編號檢查碼): numbers given out since April 2023 need only fit the wider one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusinessNumberRule {
    /// The sum of the digit sums is divisible by 10 (and so by 5).
    Ten,
    /// The sum is divisible by 5: numbers of the widened range.
    Five,
}

/// Unified business number (營利事業統一編號): eight digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnifiedBusinessNumber(String);

const WEIGHTS: [u32; 8] = [1, 2, 1, 2, 1, 2, 4, 1];

impl UnifiedBusinessNumber {
    /// Reads a number as typed.
    ///
    /// # Errors
    /// [`IdError`] when it has not eight digits or fits neither rule.
    pub fn parse(text: &str) -> Result<UnifiedBusinessNumber, IdError> {
        let text = fold_width(text);
        let found = text.chars().count();
        if found != 8 {
            return Err(IdError::Length { expected: "8", found });
        }
        if let Some(place) = text.chars().position(|c| !c.is_ascii_digit()) {
            return Err(IdError::Character {
                place: place + 1,
                example: "04595257",
            });
        }
        if rule_of(&text).is_none() {
            return Err(IdError::Checksum);
        }
        Ok(UnifiedBusinessNumber(text))
    }

    /// The eight digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The narrowest rule it fits.
    #[must_use]
    pub fn rule(&self) -> BusinessNumberRule {
        rule_of(&self.0).unwrap_or(BusinessNumberRule::Five)
    }
}

/// The narrowest rule eight digits fit. A seventh digit of 7 makes 28, whose digit sum 10 counts as 1 or 0.
fn rule_of(digits: &str) -> Option<BusinessNumberRule> {
    let mut sum = 0;
    let mut seventh = 0;
    for (place, (c, weight)) in digits.chars().zip(WEIGHTS).enumerate() {
        let digit = c.to_digit(10)?;
        let product = digit * weight;
        sum += product / 10 + product % 10;
        if place == 6 {
            seventh = digit;
        }
    }
    let fits = |divisor: u32| sum % divisor == 0 || (seventh == 7 && (sum + 1) % divisor == 0);
    if fits(10) {
        Some(BusinessNumberRule::Ten)
    } else if fits(5) {
        Some(BusinessNumberRule::Five)
    } else {
        None
    }
}

impl fmt::Display for UnifiedBusinessNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
