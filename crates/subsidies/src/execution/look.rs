//! How a plan that is carried out stands: for its government, and all of them for the ministry.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use civic::Money;
use grants::clock::{ACCEPT, CHANGE, COMPLETE, LAPSE, Phase, Term, report};
use grants::execution::{Done, Report, Risk, Settlement, Spent, Step, What, next, risks};
use grants::plan::Checkpoint;
use grants::{Plan, Programme};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use store::sea_orm::ConnectionTrait;
use store::tables::subsidy_filing::{self, Kind, State};
use store::tables::{subsidy_plan, subsidy_sending, subsidy_settlement, subsidy_submission};
use uuid::Uuid;

use super::file::{Filing, word};
use crate::draft::{names, time};
use crate::guard::{self, Action};
use crate::{Desk, Member, SubsidyError, boxed, decide, view};

/// Something that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// What it is.
    pub kind: Kind,
    /// Quarter, count or year.
    pub number: i32,
    /// How far it has come.
    pub state: State,
    /// As it was saved last.
    pub content: Filing,
    /// As it was sent last; nothing for what was never sent.
    pub sent: Option<Filing>,
    /// When it was sent first, by which it is late or not.
    pub first_sent_at: Option<Timestamp>,
    /// When it was sent last.
    pub sent_at: Option<Timestamp>,
    /// What the ministry says.
    pub answer: Option<String>,
    /// Who saved it last.
    pub by: String,
    /// Grows with every change.
    pub revision: i64,
}

/// A quarter: what was planned beside what was reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarter {
    /// The checkpoint, as granted changes have it.
    pub planned: Checkpoint,
    /// The report that was sent last.
    pub report: Option<Report>,
    /// How far the report has come; nothing where none is written.
    pub state: Option<State>,
    /// What is behind.
    pub risks: Vec<Risk>,
}

/// What is kept of the amounts of a settlement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// By budget line.
    pub lines: Vec<Spent>,
    /// How the amount comes about.
    pub amounts: Settlement,
}

/// A settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The amounts.
    pub amounts: Amounts,
    /// What the ministry says of it.
    pub note: String,
    /// When it was settled.
    pub at: Timestamp,
    /// Day and number of the payment, once it is recorded.
    pub payment: Option<(Date, String)>,
    /// Grows with every change.
    pub revision: i64,
}

/// A plan that is carried out.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Its row.
    pub row: subsidy_plan::Model,
    /// The programme.
    pub programme: Arc<Programme>,
    /// The corrected plan, with the checkpoints that granted changes have given it.
    pub plan: Plan,
    /// Approved, less what was taken off for a late correction.
    pub kept: Money,
    /// All that was handed in; for the ministry without what was never sent.
    pub filings: Vec<Filed>,
    /// Quarter by quarter.
    pub quarters: Vec<Quarter>,
    /// What the government has to do next.
    pub steps: Vec<Step>,
    /// Until when a change may be requested, and whether that is now.
    pub change: Option<(Term, Phase)>,
    /// The settlement.
    pub settled: Option<Settled>,
}

/// A plan in the ministry's list of all that are carried out.
#[derive(Clone, Debug)]
pub struct Behind {
    /// The plan.
    pub id: Uuid,
    /// The government.
    pub government: String,
    /// The newest report that was sent.
    pub last: Option<Quarter>,
    /// What is behind: of the newest report, and reports that are missing.
    pub risks: Vec<(u8, Risk)>,
    /// Filings that wait for the ministry.
    pub waiting: usize,
    /// Late by the clocks of completion and request.
    pub overdue: Vec<Step>,
    /// Spent of the year's total, in whole per cent.
    pub spent_percent: u8,
    /// Whether it is settled, and whether paid.
    pub settled: Option<bool>,
}

fn filed(
    row: &subsidy_filing::Model,
    sendings: &[subsidy_sending::Model],
    names: &HashMap<Uuid, String>,
) -> Result<Filed, SubsidyError> {
    let sent = sendings.iter().rfind(|one| one.filing_id == row.id);
    let at = |at: Option<i64>| at.map(|at| time("subsidy_filing", at)).transpose();
    Ok(Filed {
        kind: row.kind,
        number: row.number,
        state: row.state,
        content: Filing::read(&row.content)?,
        sent: sent.map(|one| Filing::read(&one.content)).transpose()?,
        first_sent_at: at(row.first_sent_at)?,
        sent_at: at(row.sent_at)?,
        answer: row.answer.clone(),
        by: names.get(&row.saved_by).cloned().unwrap_or_default(),
        revision: row.revision,
    })
}

fn settled(row: &subsidy_settlement::Model) -> Result<Settled, SubsidyError> {
    let corrupt = |why: &str| SubsidyError::Corrupt {
        what: "subsidy_settlement",
        why: why.to_owned(),
    };
    let payment = match (&row.paid_on, &row.reference) {
        (Some(day), Some(number)) => {
            let day: Date = day.parse().map_err(|_| corrupt("a day that is none"))?;
            Some((day, number.clone()))
        }
        _ => None,
    };
    Ok(Settled {
        amounts: serde_json::from_str(&row.amounts).map_err(|error| SubsidyError::json("settlement", &error))?,
        note: row.note.clone(),
        at: time("subsidy_settlement", row.settled_at)?,
        payment,
        revision: row.revision,
    })
}

/// All of a plan that is carried out, for whoever has been let in; within a transaction as it stands there.
pub(super) async fn loaded(
    desk: &Desk,
    db: &impl ConnectionTrait,
    row: &subsidy_plan::Model,
) -> Result<Execution, SubsidyError> {
    let mut all = loaded_all(desk, db, std::slice::from_ref(row)).await?;
    all.pop().ok_or(SubsidyError::NotFound("plan"))
}

/// The same of several plans, with as few questions to the database.
pub(super) async fn loaded_all(
    desk: &Desk,
    db: &impl ConnectionTrait,
    rows: &[subsidy_plan::Model],
) -> Result<Vec<Execution>, SubsidyError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let filings = subsidy_filing::of_plans(db, &ids).await?;
    let numbers: Vec<Uuid> = filings.iter().map(|one| one.id).collect();
    let sendings = subsidy_sending::of_filings(db, &numbers).await?;
    let settlements = subsidy_settlement::of_plans(db, &ids).await?;
    let submissions = subsidy_submission::last_of_plans(db, &ids).await?;
    let names = names(db).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let programme = Arc::clone(desk.programme(&row.programme)?);
        let sent = submissions.iter().find(|one| one.plan_id == row.id);
        let mut plan = view::submitted(desk, db, sent.ok_or(SubsidyError::NotFound("plan"))?).await?;
        let mine = filings.iter().filter(|one| one.plan_id == row.id);
        let mut filings: Vec<Filed> = mine
            .map(|one| filed(one, &sendings, &names))
            .collect::<Result<_, _>>()?;
        filings.sort_by_key(|one| (one.kind, one.number));
        let granted = filings
            .iter()
            .rfind(|one| one.kind == Kind::Change && one.state == State::Accepted);
        if let Some(Filing::Change(change)) = granted.and_then(|one| one.sent.as_ref()) {
            plan.checkpoints.clone_from(&change.checkpoints);
        }
        plan.checkpoints.sort_by_key(|one| one.quarter);
        let settlement = settlements.iter().find(|one| one.plan_id == row.id);
        let now = desk.now();
        let term = programme.term(CHANGE, now).zip(programme.phase(CHANGE, now));
        found.push(Execution {
            kept: decide::correction(desk, row)?.map_or(Money(0), |found| found.kept),
            quarters: quarters(&plan, &programme, &filings, now),
            steps: steps(&programme, &filings, now),
            change: term,
            settled: settlement.map(settled).transpose()?,
            row: row.clone(),
            programme,
            plan,
            filings,
        });
    }
    Ok(found)
}

fn quarters(plan: &Plan, programme: &Programme, filings: &[Filed], now: Timestamp) -> Vec<Quarter> {
    let quarters = plan.checkpoints.iter().map(|planned| {
        let filed = filings
            .iter()
            .find(|one| one.kind == Kind::Report && one.number == i32::from(planned.quarter));
        let report = filed.and_then(|one| match one.sent.as_ref()? {
            Filing::Report(report) => Some(report.clone()),
            _ => None,
        });
        let mut behind = report
            .as_ref()
            .map_or_else(Vec::new, |report| risks(plan, programme, report));
        behind.extend(programme.tardy(planned.quarter, filed.and_then(|one| one.first_sent_at), now));
        Quarter {
            planned: planned.clone(),
            report,
            state: filed.map(|one| one.state),
            risks: behind,
        }
    });
    quarters.collect()
}

/// What is next. A request that was there in time and was given back has not lapsed.
fn steps(programme: &Programme, filings: &[Filed], now: Timestamp) -> Vec<Step> {
    let was_there = |one: &Filed| one.kind == Kind::Request && one.first_sent_at.is_some();
    let was_there = filings.iter().any(was_there);
    let steps = next(programme, &done(filings), now).into_iter();
    steps
        .map(|step| Step {
            lapsed: step.lapsed && !was_there,
            ..step
        })
        .collect()
}

/// The clocks of what a government has still to do of a plan that is carried out, each with the filing it waits for. A request to
/// change the plan is nothing that has to be, so only one that is being written is named.
///
/// # Errors
/// The store's.
pub(crate) async fn undone(desk: &Desk, row: &subsidy_plan::Model) -> Result<Vec<(String, String)>, SubsidyError> {
    let all = loaded(desk, desk.store.read(), row).await?;
    let of = |kind: Kind, number: i32| format!("{}:{number}", word(kind));
    let mut clocks = Vec::new();
    for step in all.steps.iter().filter(|step| !step.lapsed) {
        match step.what {
            What::Report { quarter } => clocks.push((report(quarter), of(Kind::Report, i32::from(quarter)))),
            What::Complete => clocks.push((COMPLETE.to_owned(), of(Kind::Completion, 1))),
            What::Request => {
                clocks.extend([ACCEPT, LAPSE].map(|clock| (clock.to_owned(), of(Kind::Request, 1))));
            }
        }
    }
    let written = |one: &&Filed| one.kind == Kind::Change && one.state == State::Draft;
    let change = all.filings.iter().rfind(written);
    clocks.extend(change.map(|one| (CHANGE.to_owned(), of(Kind::Change, one.number))));
    Ok(clocks)
}

/// What was sent and stands.
fn done(filings: &[Filed]) -> Done {
    let standing = |one: &&Filed| matches!(one.state, State::Sent | State::Accepted);
    let mut done = Done::default();
    for one in filings.iter().filter(standing) {
        match one.kind {
            Kind::Report => {
                done.reports.extend(u8::try_from(one.number).ok());
            }
            Kind::Completion => done.completed = true,
            Kind::Request => done.requested = true,
            Kind::Change | Kind::Results => {}
        }
    }
    done
}

/// What a member does with a plan that is carried out: a government hands in, the ministry settles.
pub(super) fn side(member: &Member) -> Action {
    match member.role.as_str() {
        "grant_writer" => Action::Execute,
        _ => Action::Settle,
    }
}

/// How a plan stands, for its government or the ministry that pays it.
///
/// # Errors
/// [`SubsidyError::NotFound`]; [`SubsidyError::Refused`] before the corrected plan is there; the store's.
#[boxed]
pub async fn execution(desk: &Desk, member: &Member, plan: Uuid) -> Result<Execution, SubsidyError> {
    let action = side(member);
    let row = guard::plan(desk, member, action, plan).await?;
    let mut all = loaded(desk, desk.store.read(), &row).await?;
    if action == Action::Settle {
        hide_drafts(&mut all);
    }
    Ok(all)
}

/// What is being written is the government's alone.
fn hide_drafts(all: &mut Execution) {
    all.filings.retain(|one| one.sent.is_some());
    for one in &mut all.filings {
        if let Some(sent) = &one.sent {
            one.content = sent.clone();
        }
    }
    for quarter in &mut all.quarters {
        quarter.state = quarter.state.filter(|_| quarter.report.is_some());
    }
}

/// All plans of a programme that are carried out, those that are behind first.
///
/// # Errors
/// [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn progress(desk: &Desk, member: &Member, programme: &str) -> Result<Vec<Behind>, SubsidyError> {
    let found = desk.programme(programme)?;
    let basis = found.basis.get(civic::Language::ZhTw);
    guard::office(desk, member, "progress", view::ministry(found), basis)?;
    let rows = funded(desk, programme).await?;
    let mut lines = Vec::with_capacity(rows.len());
    for all in loaded_all(desk, desk.store.read(), &rows).await? {
        let last = all.quarters.iter().rfind(|one| one.report.is_some()).cloned();
        let newest = last.as_ref().map(|one| one.planned.quarter);
        let risks = all.quarters.iter().flat_map(|one| {
            let quarter = one.planned.quarter;
            // of earlier reports only that they came late
            let counts =
                move |risk: &&Risk| newest == Some(quarter) || matches!(risk, Risk::Late { .. } | Risk::Missing { .. });
            one.risks.iter().filter(counts).map(move |risk| (quarter, *risk))
        });
        let total = all
            .plan
            .subsidy(all.programme.period.funded)
            .map_or(Money(0), |subsidy| subsidy.total);
        let spent = last.as_ref().and_then(|one| one.report.as_ref());
        let spent = spent.map_or(Money(0), |report| report.spending);
        lines.push(Behind {
            id: all.row.id,
            risks: risks.collect(),
            waiting: all.filings.iter().filter(|one| one.state == State::Sent).count(),
            overdue: all
                .steps
                .iter()
                .filter(|step| step.phase == Phase::Over && never_sent(&all, step.what))
                .copied()
                .collect(),
            spent_percent: grants::execution::percent(spent, total),
            settled: all.settled.as_ref().map(|one| one.payment.is_some()),
            government: all.row.government,
            last,
        });
    }
    let weight = |line: &Behind| {
        let behind = line.risks.iter().filter(|(_, risk)| !matches!(risk, Risk::Late { .. }));
        (behind.count() + line.overdue.len(), line.risks.len(), line.waiting)
    };
    lines.sort_by_key(|line| std::cmp::Reverse(weight(line)));
    Ok(lines)
}

/// Whether completion or request has never been sent: what was given back is not late for that. Reports tell it by their risks.
fn never_sent(all: &Execution, what: What) -> bool {
    let kind = match what {
        What::Report { .. } => return false,
        What::Complete => Kind::Completion,
        What::Request => Kind::Request,
    };
    all.filed(kind, 1).is_none_or(|one| one.first_sent_at.is_none())
}

/// The plans of a programme that are approved and corrected, in the order of the programme's governments.
pub(super) async fn funded(desk: &Desk, programme: &str) -> Result<Vec<subsidy_plan::Model>, SubsidyError> {
    let found = desk.programme(programme)?;
    let mut rows = subsidy_plan::sent(desk.store.read(), programme).await?;
    rows.retain(|row| row.state == subsidy_plan::State::Corrected);
    let order: BTreeMap<&str, usize> = found
        .governments
        .iter()
        .enumerate()
        .map(|(at, one)| (one.id.as_str(), at))
        .collect();
    rows.sort_by_key(|row| order.get(row.government.as_str()).copied());
    Ok(rows)
}
