//! The clocks of a programme (期限): each opens and closes at a legal minute, and announcements may move it.

use civic::{Text, legal_time};
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::programme::Programme;

/// Clocks every programme has.
pub const NEEDED: [&str; 5] = [CALL, CHANGE, COMPLETE, ACCEPT, LAPSE];
/// Plans are taken (提案受理).
pub const CALL: &str = "call";
/// Requests to change a plan are taken (計畫變更).
pub const CHANGE: &str = "change";
/// The work is done (全案完成).
pub const COMPLETE: &str = "complete";
/// Acceptance is finished and payment requested (驗收及請款).
pub const ACCEPT: &str = "accept";
/// The year's money lapses (經費失效): what was not requested before is not paid.
pub const LAPSE: &str = "lapse";

/// The clock of a quarter's report (季報).
#[must_use]
pub fn report(quarter: u8) -> String {
    format!("report-{quarter}")
}

/// A clock as the programme prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clock {
    /// Short name.
    pub id: String,
    /// What runs out.
    pub title: Text,
    /// When it begins and ends.
    pub term: Term,
    /// What happens to who is late.
    pub late: Text,
    /// Section of the programme.
    pub source: String,
}

/// From when to when, as legal times of Asia/Taipei.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Term {
    /// First moment in which it is open; without one it is open from the start.
    pub opens: Option<DateTime>,
    /// First moment that is too late.
    pub closes: DateTime,
}

/// A later announcement (公告) that moves clocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Announcement {
    /// Number of the document.
    pub number: String,
    /// Legal time from which it is known.
    pub published: DateTime,
    /// Why dates move.
    pub reason: Text,
    /// The clocks it moves, by name; what it does not name stays.
    pub moves: Vec<Move>,
}

/// What an announcement says of one clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Move {
    /// The clock.
    pub clock: String,
    /// Its new opening, if that moves.
    pub opens: Option<DateTime>,
    /// Its new end, if that moves.
    pub closes: Option<DateTime>,
}

/// One entry of a clock's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The term from then on.
    pub term: Term,
    /// The announcement that brought it; none for the programme itself.
    pub by: Option<&'a Announcement>,
}

/// Where a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Not open yet.
    Before,
    /// Open: what arrives now is in time.
    Open,
    /// Over: what arrives now is late.
    Over,
}

/// What is recalled on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder<'a> {
    /// The clock.
    pub clock: &'a Clock,
    /// Its term as known on that day.
    pub term: Term,
    /// Whole days until its last day.
    pub days: u16,
}

impl Term {
    /// Where it stands at a legal time. The closing moment itself is late: a plan must be sent before it.
    #[must_use]
    pub fn phase(&self, now: DateTime) -> Phase {
        if now >= self.closes {
            Phase::Over
        } else if self.opens.is_some_and(|opens| now < opens) {
            Phase::Before
        } else {
            Phase::Open
        }
    }

    /// The last day on which it is open: the day before where it closes at midnight.
    #[must_use]
    pub fn last_day(&self) -> Date {
        if self.closes.time() == Time::midnight() {
            self.closes.date().saturating_sub(1.day())
        } else {
            self.closes.date()
        }
    }
}

/// The first moment after a day that counts whole.
#[must_use]
pub fn after(day: Date) -> DateTime {
    day.saturating_add(1.day()).to_datetime(Time::midnight())
}

/// Whole days from the last day of a term on.
fn over(term: Term, day: Date) -> u16 {
    let days = term.last_day().until(day).map_or(0, |span| span.get_days());
    u16::try_from(days.max(0)).unwrap_or(u16::MAX)
}

impl Programme {
    /// The clock of this id.
    #[must_use]
    pub fn clock(&self, id: &str) -> Option<&Clock> {
        self.clocks.iter().find(|clock| clock.id == id)
    }

    /// All terms a clock has had by a legal time, the programme's own first.
    #[must_use]
    pub fn history(&self, clock: &str, known: DateTime) -> Vec<Entry<'_>> {
        let Some(clock) = self.clock(clock) else {
            return Vec::new();
        };
        let mut entries = vec![Entry {
            term: clock.term,
            by: None,
        }];
        let mut term = clock.term;
        for announcement in self.announcements.iter().filter(|one| one.published <= known) {
            for moved in announcement.moves.iter().filter(|moved| moved.clock == clock.id) {
                term = Term {
                    opens: moved.opens.or(term.opens),
                    closes: moved.closes.unwrap_or(term.closes),
                };
                entries.push(Entry {
                    term,
                    by: Some(announcement),
                });
            }
        }
        entries
    }

    /// The term of a clock as known at a moment: what is announced later does not count yet.
    #[must_use]
    pub fn term(&self, clock: &str, now: Timestamp) -> Option<Term> {
        self.history(clock, legal_time(now)).last().map(|entry| entry.term)
    }

    /// Where a clock stands at a moment, to the second and below.
    #[must_use]
    pub fn phase(&self, clock: &str, now: Timestamp) -> Option<Phase> {
        self.term(clock, now).map(|term| term.phase(legal_time(now)))
    }

    /// Calendar days after its last day by which what arrives at a moment is late, 1 at least; 0 in time.
    #[must_use]
    pub fn late(&self, clock: &str, at: Timestamp) -> u16 {
        match self.term(clock, at) {
            Some(term) if term.phase(legal_time(at)) == Phase::Over => over(term, legal_time(at).date()).max(1),
            _ => 0,
        }
    }

    /// Whole days by which what was done on a legal day is late, by the term known at a moment.
    #[must_use]
    pub fn late_day(&self, clock: &str, day: Date, now: Timestamp) -> u16 {
        self.term(clock, now).map_or(0, |term| over(term, day))
    }

    /// What applicants are reminded of on a legal day.
    #[must_use]
    pub fn due(&self, day: Date) -> Vec<Reminder<'_>> {
        let known = day.to_datetime(Time::midnight());
        let clocks = self.clocks.iter().filter_map(|clock| {
            let term = self.history(&clock.id, known).last()?.term;
            let left = day.until(term.last_day()).ok()?.get_days();
            let days = u16::try_from(left).ok()?;
            let wanted = self.reminders.days_before.contains(&days);
            wanted.then_some(Reminder { clock, term, days })
        });
        clocks.collect()
    }
}
