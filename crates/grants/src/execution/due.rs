//! What a government has to do next, and by when.

use std::collections::BTreeSet;

use civic::{legal_day, legal_time};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::{ACCEPT, COMPLETE, LAPSE, Phase, Term, report};
use crate::programme::Programme;

/// What was sent already and not returned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// Quarters reported on.
    #[serde(default)]
    pub reports: BTreeSet<u8>,
    /// The work was told to be complete.
    #[serde(default)]
    pub completed: bool,
    /// Payment was requested.
    #[serde(default)]
    pub requested: bool,
}

/// A thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum What {
    /// Send the report of a quarter.
    Report {
        /// The quarter.
        quarter: u8,
    },
    /// Say that the work is complete.
    Complete,
    /// Request payment, once the work is accepted.
    Request,
}

/// A thing to do with its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What.
    pub what: What,
    /// From when to when.
    pub term: Term,
    /// Where the clock stands.
    pub phase: Phase,
    /// Whole days until the last day; below zero when it is over.
    pub days: i32,
    /// Whether it is near enough to be recalled, or over.
    pub pressing: bool,
    /// Whether nothing can be done any more: what was not requested has lapsed.
    pub lapsed: bool,
}

/// What is left to do, the first clock to run out first. Of the reports that can't be sent yet only the next one stands here.
#[must_use]
pub fn next(programme: &Programme, done: &Done, now: Timestamp) -> Vec<Step> {
    let day = legal_day(now);
    let most = programme.reminders.days_before.iter().copied().max().unwrap_or(0);
    let step = |what: What, clock: &str| {
        let term = programme.term(clock, now)?;
        let days = day.until(term.last_day()).map_or(0, |span| span.get_days());
        let phase = term.phase(legal_time(now));
        Some(Step {
            what,
            term,
            phase,
            days,
            pressing: phase != Phase::Before && days <= i32::from(most),
            lapsed: false,
        })
    };
    let reports = (1..=programme.plan.quarters).filter(|quarter| !done.reports.contains(quarter));
    let mut steps: Vec<Step> = reports
        .filter_map(|quarter| step(What::Report { quarter }, &report(quarter)))
        .collect();
    let mut early = 0;
    steps.retain(|step| {
        early += usize::from(step.phase == Phase::Before);
        step.phase != Phase::Before || early == 1
    });
    if !done.completed {
        steps.extend(step(What::Complete, COMPLETE));
    }
    if !done.requested {
        let lapsed = programme.phase(LAPSE, now) == Some(Phase::Over);
        steps.extend(step(What::Request, ACCEPT).map(|step| Step { lapsed, ..step }));
    }
    steps.sort_by_key(|step| step.term.closes);
    steps
}
