//! Days of the calendar as numbers: days since 1970-01-01, as Arrow keeps them. `civic` says what an age is; this is the
//! same for millions of rows.

use jiff::civil::Date;

/// Days since 1970-01-01.
pub(crate) fn days(date: Date) -> i32 {
    let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    i32::try_from(day_number(year, month, day)).unwrap_or(i32::MAX)
}

/// The date of a day number; `None` outside the years a date can have.
pub(crate) fn date(days: i32) -> Option<Date> {
    let (year, month, day) = civil(i64::from(days));
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}

/// Year, month and day of a day number (proleptic Gregorian; the algorithm counts years from March).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Full years of age, as `civic::age_on`.
pub(crate) fn age_on(birth: i64, on: i64) -> i64 {
    let (birth, on) = (civil(birth), civil(on));
    on.0 - birth.0 - i64::from((on.1, on.2) < (birth.1, birth.2))
}

/// Ages on one day: the last birth day of everybody who has reached each age, so that an age is a look into a table.
pub(crate) struct Ages {
    on: i64,
    born: Vec<i64>,
}

impl Ages {
    /// Ages on `on`, in days.
    pub fn new(on: i64) -> Ages {
        let (year, month, day) = civil(on);
        let born = (0..=200).map(|age| {
            let year = year - age;
            let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            let last = day_number(next_year, next_month, 1) - day_number(year, month, 1);
            day_number(year, month, day.min(last))
        });
        Ages {
            on,
            born: born.collect(),
        }
    }

    /// As [`age_on`].
    pub fn of(&self, birth: i64) -> i64 {
        // 400 years have 146,097 days; the guess is off by one at most
        let guess = (self.on.saturating_sub(birth)).saturating_mul(400) / 146_097;
        let reached = |age: i64| {
            usize::try_from(age)
                .ok()
                .and_then(|age| self.born.get(age))
                .map(|born| birth <= *born)
        };
        match (reached(guess), reached(guess + 1)) {
            (Some(true), Some(true)) => guess + 1,
            (Some(true), Some(false)) => guess,
            (Some(false), _) if guess > 0 => guess - 1,
            _ => age_on(birth, self.on),
        }
    }
}

/// Full months from one day to another; negative when the second is earlier.
pub(crate) fn months_between(from: i64, to: i64) -> i64 {
    if to < from {
        return -months_between(to, from);
    }
    let (from, to) = (civil(from), civil(to));
    (to.0 - from.0) * 12 + to.1 - from.1 - i64::from(to.2 < from.2)
}

/// The same day of the month so many months later, or the last day of that month.
pub(crate) fn add_months(days: i64, months: i64) -> Option<i64> {
    let (year, month, day) = civil(days);
    let index = year.checked_mul(12)?.checked_add(month - 1)?.checked_add(months)?;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    if year.abs() > 9_999 {
        return None;
    }
    let last = day_number(next_year, next_month, 1) - day_number(year, month, 1);
    Some(day_number(year, month, day.min(last)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_calendar(birth in -60_000..30_000_i32, later in 0..50_000_i32) {
            let on = birth + later;
            let (birth_date, on_date) = (date(birth).unwrap(), date(on).unwrap());
            prop_assert_eq!(days(birth_date), birth);
            prop_assert_eq!(birth_date, Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(birth)).unwrap());
            prop_assert_eq!(age_on(i64::from(birth), i64::from(on)), i64::from(civic::age_on(birth_date, on_date)));
            prop_assert_eq!(Ages::new(i64::from(on)).of(i64::from(birth)), age_on(i64::from(birth), i64::from(on)));
            prop_assert_eq!(Ages::new(i64::from(birth)).of(i64::from(on)), age_on(i64::from(on), i64::from(birth)));
            let later_month = add_months(i64::from(birth), 7).unwrap();
            let expected = birth_date.checked_add(jiff::Span::new().months(7)).unwrap();
            prop_assert_eq!(date(i32::try_from(later_month).unwrap()).unwrap(), expected);
        }
    }
}
