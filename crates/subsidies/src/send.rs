//! Sending a plan before the call closes, and handing in the corrected plan. What is taken is whole: all parts as they stood when
//! the request arrived, kept as one document with its digest.

use crate::boxed;

use civic::Money;
use civic::ids::EventId;
use grants::clock::CALL;
use grants::correction::{Standing, above_approved};
use grants::{Finding, Plan, Programme, Severity};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use store::Tx;
use store::seal::Place;
use store::tables::subsidy_plan::{self, Model, State};
use store::tables::{subsidy_part, subsidy_submission};
use uuid::Uuid;

use crate::decide::record;
use crate::draft::KEY;
use crate::guard::{self, Action};
use crate::{Desk, Member, SubsidyError, part};

/// Sends the plan. The moment of arrival decides whether it is in time, and a save that arrives later is not in what was sent.
///
/// # Errors
/// [`SubsidyError::NotYet`], [`SubsidyError::Late`], [`SubsidyError::Unready`], each with the draft kept; [`SubsidyError::State`]
/// for one that was sent before; [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn send(desk: &Desk, member: &Member, plan: Uuid) -> Result<(), SubsidyError> {
    let arrived = desk.now();
    let row = guard::plan(desk, member, Action::Write, plan).await?;
    let programme = desk.programme(&row.programme)?;
    let term = programme
        .term(CALL, arrived)
        .ok_or(SubsidyError::NotFound("programme"))?;
    match programme.phase(CALL, arrived) {
        Some(grants::clock::Phase::Open) => {}
        Some(grants::clock::Phase::Before) => return Err(SubsidyError::NotYet(term.opens.unwrap_or(term.closes))),
        Some(grants::clock::Phase::Over) | None => return Err(SubsidyError::Late(term.closes)),
    }
    let (desk, member) = (desk.clone(), member.clone());
    desk.clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut now = found(tx, plan, State::Draft).await?;
                submit(&desk, tx, &member, &now, 1, arrived).await?;
                now.state = State::Sent;
                now.sent_at = Some(arrived.as_microsecond());
                changed(tx, &now).await?;
                guard::event(&desk, tx, &member, plan, "send", None).await?;
                guard::used(&desk, tx, &member, Action::Write, &now.programme, &guard::FIELDS).await
            })
        })
        .await
}

/// Hands in the corrected plan (修正計畫書).
///
/// # Errors
/// [`SubsidyError::Forfeit`] after its last day and [`SubsidyError::Unready`], each with the draft kept; [`SubsidyError::State`];
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn hand_in(desk: &Desk, member: &Member, plan: Uuid) -> Result<(), SubsidyError> {
    let arrived = desk.now();
    let row = guard::plan(desk, member, Action::Write, plan).await?;
    if row.state != State::Correction {
        return Err(SubsidyError::State);
    }
    let rules = &desk.programme(&row.programme)?.correction;
    let record = record(&row)?;
    if rules.standing(&record, arrived) == Standing::Forfeit {
        return Err(SubsidyError::Forfeit(rules.last_late_day(record.commented)));
    }
    let (desk, member) = (desk.clone(), member.clone());
    desk.clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut now = found(tx, plan, State::Correction).await?;
                submit(&desk, tx, &member, &now, 2, arrived).await?;
                now.state = State::Corrected;
                now.handed_in_at = Some(arrived.as_microsecond());
                changed(tx, &now).await?;
                guard::event(&desk, tx, &member, plan, "hand_in", None).await?;
                guard::used(&desk, tx, &member, Action::Write, &now.programme, &guard::FIELDS).await
            })
        })
        .await
}

/// The plan in a state, within the transaction that changes it.
pub(crate) async fn found(tx: &Tx, plan: Uuid, state: State) -> Result<Model, SubsidyError> {
    let row = subsidy_plan::by_id(tx, plan)
        .await?
        .ok_or(SubsidyError::NotFound("plan"))?;
    if row.state != state {
        return Err(SubsidyError::State);
    }
    Ok(row)
}

pub(crate) async fn changed(tx: &Tx, row: &Model) -> Result<(), SubsidyError> {
    match subsidy_plan::replace(tx, row).await? {
        true => Ok(()),
        false => Err(SubsidyError::Conflict("plan")),
    }
}

/// What the checks find of a plan that is written; of a corrected one also what it asks beyond the decision.
pub(crate) fn findings(whole: &Plan, programme: &Programme, row: &Model) -> Vec<Finding> {
    let mut findings = grants::plan::check(whole, programme);
    if let (State::Correction, Some(approved)) = (row.state, row.amount) {
        findings.extend(above_approved(whole, programme, Money(approved)));
        findings.sort();
    }
    findings
}

/// What keeps a plan from being sent.
pub(crate) fn refusals(findings: Vec<Finding>) -> Vec<Finding> {
    findings
        .into_iter()
        .filter(|finding| finding.severity == Severity::Refusal)
        .collect()
}

/// Keeps the whole plan as it stood at a moment.
async fn submit(
    desk: &Desk,
    tx: &Tx,
    member: &Member,
    row: &Model,
    round: i32,
    arrived: Timestamp,
) -> Result<(), SubsidyError> {
    let programme = desk.programme(&row.programme)?;
    let parts = subsidy_part::newest(tx, row.id, arrived.as_microsecond()).await?;
    let whole: Plan = part::assembled(&desk.store, tx, programme, &row.government, &parts).await?;
    let refusals = refusals(findings(&whole, programme, row));
    if !refusals.is_empty() {
        return Err(SubsidyError::Unready(refusals));
    }
    let json = serde_json::to_vec(&whole).map_err(|error| SubsidyError::json("plan", &error))?;
    let id = EventId::generate(desk.clock.as_ref()).uuid();
    let seal = desk.store.seal();
    let key = seal.system_key(tx, KEY).await?;
    let place = Place::new("subsidy_submission", "sealed", &id);
    let sealed = seal.seal(tx, key, place, &json).await?;
    let submission = subsidy_submission::Model {
        id,
        plan_id: row.id,
        round,
        key_id: key.uuid(),
        sealed,
        digest: Sha256::digest(&json).to_vec(),
        sent_by: member.id.uuid(),
        sent_at: arrived.as_microsecond(),
    };
    subsidy_submission::insert(tx, submission).await?;
    Ok(())
}
