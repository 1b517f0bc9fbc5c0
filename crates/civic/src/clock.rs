//! The time, passed as a value so that every decision can be repeated.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::sync::Mutex;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FixedClock(Mutex<Timestamp>);

impl FixedClock {
    /// A clock that stands at `at`.
    #[must_use]
    pub fn new(at: Timestamp) -> FixedClock {
        FixedClock(Mutex::new(at))
    }

    /// Sets the clock to `at`.
    pub fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = at;
    }

    /// Moves the clock on by `by`; stays at the last representable time.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.checked_add(by).unwrap_or(Timestamp::MAX);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Asia/Taipei. Since 1980 it is UTC+8 without daylight saving; a fixed offset stands in where no zone table is.
fn taipei() -> TimeZone {
    TimeZone::get("Asia/Taipei").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(8)))
}

/// The legal day of a time: its day in Asia/Taipei.
#[must_use]
pub fn legal_day(at: Timestamp) -> Date {
    at.to_zoned_datetime(taipei()).date()
}

/// The legal time of a moment: date and clock in Asia/Taipei.
#[must_use]
pub fn legal_time(at: Timestamp) -> DateTime {
    at.to_zoned_datetime(taipei()).datetime()
}

/// The first moment of a legal day.
#[must_use]
pub fn legal_start(day: Date) -> Timestamp {
    day.to_zoned_datetime(taipei())
        .map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}
