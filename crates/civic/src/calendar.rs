//! Working days and legal periods.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use std::collections::BTreeMap;
use thiserror::Error;

/// Which days are working days (政府行政機關辦公日曆表): Monday to Friday, but for the days the calendar names.
#[derive(Clone, Debug, Default)]
pub struct WorkCalendar {
    /// Day and whether it is a working day.
    named: BTreeMap<Date, bool>,
}

/// A calendar file that can't be read.
#[derive(Debug, Error)]
pub enum CalendarError {
    /// The text is not CSV with the columns `date,working,name`.
    #[error("line {line}: {message}; a line reads `2026-01-01,no,開國紀念日`")]
    Line {
        /// Line of the file, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
}

impl WorkCalendar {
    /// Reads a calendar: CSV with a header `date,working,name`, `working` is `yes` or `no`.
    ///
    /// # Errors
    /// [`CalendarError::Line`] names the first bad line.
    pub fn from_csv(text: &str) -> Result<WorkCalendar, CalendarError> {
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut named = BTreeMap::new();
        for record in reader.records() {
            let bad = |line, message: &str| CalendarError::Line {
                line,
                message: message.to_owned(),
            };
            let record =
                record.map_err(|error| bad(error.position().map_or(0, csv::Position::line), "it is not CSV"))?;
            let line = record.position().map_or(0, csv::Position::line);
            let day = record
                .get(0)
                .and_then(|day| day.parse::<Date>().ok())
                .ok_or_else(|| bad(line, "the first column is no date"))?;
            let working = match record.get(1) {
                Some("yes") => true,
                Some("no") => false,
                _ => return Err(bad(line, "the second column is neither `yes` nor `no`")),
            };
            named.insert(day, working);
        }
        Ok(WorkCalendar { named })
    }

    /// Whether offices are open on this day.
    #[must_use]
    pub fn is_working(&self, day: Date) -> bool {
        self.named
            .get(&day)
            .copied()
            .unwrap_or(!matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
    }

    /// The day itself, or the next working day after it (行政程序法 §48 IV).
    #[must_use]
    pub fn working_from(&self, day: Date) -> Date {
        let mut day = day;
        while !self.is_working(day) && day < Date::MAX {
            day = day.saturating_add(1.day());
        }
        day
    }

    /// The last day of a period of calendar days that begins on the day after `start` (行政程序法 §48 II), put off to
    /// the next working day.
    #[must_use]
    pub fn add_calendar_days(&self, start: Date, days: u16) -> Date {
        self.working_from(start.saturating_add(i64::from(days).days()))
    }

    /// The last day of a period of working days that begins on the day after `start`.
    #[must_use]
    pub fn add_working_days(&self, start: Date, days: u16) -> Date {
        let mut day = start;
        for _ in 0..days {
            day = self.working_from(day.saturating_add(1.day()));
        }
        day
    }

    /// Working days after `start` up to and with `end`; negative where `end` is before `start`.
    #[must_use]
    pub fn working_days_between(&self, start: Date, end: Date) -> i32 {
        let (from, to, sign) = if start <= end {
            (start, end, 1)
        } else {
            (end, start, -1)
        };
        let mut count = 0;
        let mut day = from;
        while day < to {
            day = day.saturating_add(1.day());
            count += i32::from(self.is_working(day));
        }
        count * sign
    }
}
