//! The guard before a plan: asks the access policies, and writes history and usage ledger.

use civic::Purpose;
use civic::ids::EventId;
use store::access::Resource;
use store::ledger::{self, ActorKind, Entry};
use store::tables::subsidy_plan::{self, Model, State};
use store::tables::{subsidy_conflict, subsidy_event};
use store::{StoreError, Tx};
use uuid::Uuid;

use crate::{Desk, Member, SubsidyError, view};

/// What is done; the word is the action of the access policies and of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Write,
    View,
    Read,
    Score,
    Decide,
    Execute,
    Settle,
}

impl Action {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Action::Write => "plan_write",
            Action::View => "plan_view",
            Action::Read => "plan_read",
            Action::Score => "plan_score",
            Action::Decide => "plan_decide",
            Action::Execute => "plan_execute",
            Action::Settle => "plan_settle",
        }
    }

    /// What somebody must be allowed to see before they are told that the act itself is refused.
    const fn sees(self) -> Action {
        match self {
            Action::Write | Action::View | Action::Execute => Action::View,
            Action::Read | Action::Score | Action::Decide | Action::Settle => Action::Read,
        }
    }
}

/// 特定目的 175: management and public affairs of local government. What is used of people are the contact of a plan and the names
/// of those who write it.
const CODE: &str = "175";

/// Whether an act of panel or ministry is of before the decision, which no government is told.
pub(crate) fn is_inner(act: &str) -> bool {
    matches!(act, "score" | "appraise")
}

/// Names of what the ledger says was used of a plan.
pub(crate) const FIELDS: [&str; 2] = ["contact", "test_accounts"];

fn purpose(basis: &str, function: &str) -> Purpose {
    Purpose {
        code: CODE.to_owned(),
        basis: basis.to_owned(),
        function: function.to_owned(),
        application: None,
    }
}

pub(crate) const fn word(state: State) -> &'static str {
    match state {
        State::Draft => "draft",
        State::Sent => "sent",
        State::Correction => "correction",
        State::Corrected => "corrected",
        State::Refused => "refused",
    }
}

/// The plan, for a member who may do this to it. Who may not see it is told that there is none.
///
/// # Errors
/// [`SubsidyError::NotFound`], [`SubsidyError::Refused`]; the store's.
pub(crate) async fn plan(desk: &Desk, member: &Member, action: Action, id: Uuid) -> Result<Model, SubsidyError> {
    let row = subsidy_plan::by_id(desk.store.read(), id)
        .await?
        .ok_or(SubsidyError::NotFound("plan"))?;
    let conflicts = subsidy_conflict::of_programme(desk.store.read(), &row.programme).await?;
    allowed(desk, member, action.sees(), &row, &conflicts).map_err(|error| match error {
        SubsidyError::Refused(_) => SubsidyError::NotFound("plan"),
        error => error,
    })?;
    allowed(desk, member, action, &row, &conflicts)?;
    Ok(row)
}

/// May a member do this to a plan.
///
/// # Errors
/// [`SubsidyError::Refused`]; [`SubsidyError::NotFound`] for a programme that is gone.
pub(crate) fn allowed(
    desk: &Desk,
    member: &Member,
    action: Action,
    row: &Model,
    conflicts: &[subsidy_conflict::Model],
) -> Result<(), SubsidyError> {
    let programme = desk.programme(&row.programme)?;
    let conflicted: Vec<Uuid> = conflicts
        .iter()
        .filter(|one| one.government == row.government)
        .map(|one| one.reviewer)
        .collect();
    let resource = Resource::Plan {
        id: row.id,
        government: &row.government,
        ministry: view::ministry(programme),
        state: word(row.state),
        conflicted: &conflicted,
    };
    let basis = programme.basis.get(civic::Language::ZhTw);
    let purpose = purpose(basis, action.word());
    desk.store
        .access()
        .decide(member.actor(), action.word(), resource, purpose)?;
    Ok(())
}

/// May a member use this page of a call.
///
/// # Errors
/// [`SubsidyError::Refused`].
pub(crate) fn office(
    desk: &Desk,
    member: &Member,
    action: &'static str,
    agency: &str,
    basis: &str,
) -> Result<(), SubsidyError> {
    let resource = Resource::Office(agency);
    desk.store
        .access()
        .decide(member.actor(), action, resource, purpose(basis, action))?;
    Ok(())
}

/// Writes the line of a plan's history.
///
/// # Errors
/// The database's.
pub(crate) async fn event(
    desk: &Desk,
    tx: &Tx,
    member: &Member,
    plan: Uuid,
    act: &str,
    note: Option<String>,
) -> Result<(), StoreError> {
    let row = subsidy_event::Model {
        id: EventId::generate(desk.clock.as_ref()).uuid(),
        plan_id: plan,
        act: act.to_owned(),
        note,
        done_by: Some(member.id.uuid()),
        done_at: tx.now().as_microsecond(),
    };
    subsidy_event::insert(tx, row).await?;
    Ok(())
}

/// Writes the entry of the usage ledger: what of people in a plan was used.
///
/// # Errors
/// The database's.
pub(crate) async fn used(
    desk: &Desk,
    tx: &Tx,
    member: &Member,
    action: Action,
    programme: &str,
    fields: &[&str],
) -> Result<(), SubsidyError> {
    let entry = Entry {
        at: tx.now(),
        actor: ActorKind::Staff,
        actor_id: Some(member.id.uuid()),
        ..used_by_platform(desk, programme, action.word(), fields)?
    };
    ledger::append(tx, entry).await?;
    Ok(())
}

/// The entry of the usage ledger for what the platform does with a plan by itself.
///
/// # Errors
/// [`SubsidyError::NotFound`] for a programme that is gone.
pub(crate) fn used_by_platform(
    desk: &Desk,
    programme: &str,
    action: &str,
    fields: &[&str],
) -> Result<Entry, SubsidyError> {
    let basis = desk.programme(programme)?.basis.get(civic::Language::ZhTw);
    Ok(Entry {
        at: desk.now(),
        actor: ActorKind::System,
        actor_id: None,
        action: action.to_owned(),
        purpose: purpose(basis, action),
        application: None,
        subject: None,
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
        count: 1,
    })
}

/// Who did what the platform did by itself, as histories name it.
pub(crate) const PLATFORM: &str = "系統";
