//! A funded plan is carried out (計畫執行) and settled (核銷): quarterly reports against its checkpoints, changes, completion,
//! acceptance with the request for payment, indicators year by year, and what is paid in the end.
//!
//! The programme names the checkpoints (附件1、十一), the last day of a change (拾壹、二), of the work and of the request for payment
//! (玖、二), and that results are published (拾). How reports are made is left to the ministry; days and thresholds of the folder that
//! are the platform's choice say so there.

mod audit;
mod due;
mod report;
mod results;
mod settle;

use civic::Money;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Rule};
use crate::plan::{Checkpoint, Plan, checkpoints};
use crate::programme::Programme;
pub use audit::{AuditError, pack};
pub use due::{Done, Step, What, next};
pub use report::{Report, ReportError, Risk, percent, risks};
pub use results::{Reported, ResultError, Shown, check as check_results, counted, results};
pub use settle::{SettleError, Settlement, Spent, settle};

/// Most characters of a text of a report, a change or a request.
pub const MOST_TEXT: usize = 4_000;

/// When a plan counts as behind, as `[execution]` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutionRules {
    /// Points of per cent by which progress is behind the checkpoint.
    pub behind_progress: u8,
    /// Per cent of the year's total by which spending is behind the checkpoint.
    pub behind_spending: u8,
    /// Section of the programme.
    pub source: String,
}

/// A request to change the plan (計畫變更).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What is to change.
    pub what: String,
    /// Why it can't stay as it is.
    pub why: String,
    /// All checkpoints as they are to be, those that stay included.
    #[serde(default, rename = "checkpoint")]
    pub checkpoints: Vec<Checkpoint>,
}

/// The work is complete (全案完成).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// Legal day on which the last of it was done.
    pub on: Date,
    /// What stands now.
    pub text: String,
}

/// Acceptance is finished and payment requested (驗收及請款).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Legal day of the acceptance (驗收).
    pub accepted_on: Date,
    /// What was spent on each budget line of the funded year, in their order.
    pub spent: Vec<Money>,
    /// Number of the acceptance's record, and what else there is to say.
    pub note: String,
}

/// What keeps a change from being requested: checkpoints that can't be, or one that was reported on already.
#[must_use]
pub fn changed(plan: &Plan, programme: &Programme, change: &Change, reported: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let whole = Plan {
        checkpoints: change.checkpoints.clone(),
        ..plan.clone()
    };
    checkpoints(&whole, programme, &mut findings);
    let of = |all: &[Checkpoint], quarter: u8| all.iter().find(|one| one.quarter == quarter).cloned();
    for quarter in reported {
        if of(&plan.checkpoints, *quarter) != of(&change.checkpoints, *quarter) {
            findings.push(Finding::refusal(
                Rule::CheckpointReported,
                format!("quarter {quarter}"),
                "this quarter was reported on already; leave its checkpoint as it was",
            ));
        }
    }
    findings.sort();
    findings.dedup();
    findings
}
