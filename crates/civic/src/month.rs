//! A month that is paid for (給付月份).

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

/// A calendar month, written `YYYY-MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: i16,
    month: i8,
}

/// A text that is no month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month; write it as year and month, such as 2026-11")]
pub struct MonthError(String);

impl Month {
    /// The month a day lies in.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self {
            year: day.year(),
            month: day.month(),
        }
    }

    /// December of the same year.
    #[must_use]
    pub const fn year_end(self) -> Self {
        Self {
            year: self.year,
            month: 12,
        }
    }

    /// The month `n` months later, or earlier when `n` is negative.
    #[must_use]
    pub fn plus(self, n: i32) -> Self {
        let months = i32::from(self.year) * 12 + i32::from(self.month) - 1 + n;
        let year = i16::try_from(months.div_euclid(12)).unwrap_or(self.year);
        let month = i8::try_from(months.rem_euclid(12) + 1).unwrap_or(self.month);
        Self { year, month }
    }

    /// Year of the Republic of China (民國).
    #[must_use]
    pub const fn roc_year(self) -> i16 {
        self.year - 1911
    }

    /// The month, 1 to 12.
    #[must_use]
    pub const fn number(self) -> i8 {
        self.month
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let wrong = || MonthError(text.chars().take(20).collect());
        let (year, month) = text.trim().split_once('-').ok_or_else(wrong)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(wrong());
        }
        let year: i16 = year.parse().map_err(|_| wrong())?;
        let month: i8 = month.parse().map_err(|_| wrong())?;
        if (1912..=2999).contains(&year) && (1..=12).contains(&month) {
            Ok(Self { year, month })
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_counted_over_the_turn_of_the_year() {
        let november: Result<Month, _> = "2026-11".parse();
        assert_eq!(
            november.as_ref().map(|m| m.plus(2).to_string()),
            Ok("2027-01".to_owned())
        );
        assert_eq!(
            november.as_ref().map(|m| m.plus(-11).to_string()),
            Ok("2025-12".to_owned())
        );
        assert_eq!(november.map(Month::roc_year), Ok(115));
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "26-11",
            "2026-1",
            "-026-11",
            "2026-11-01",
            "１１５-11",
        ] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
