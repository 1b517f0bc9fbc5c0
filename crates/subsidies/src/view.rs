//! What a member sees: the calls, the plan of their own government, the plans that reached the ministry.

use crate::boxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use civic::{Language, Money};
use grants::clock::{CALL, Phase, Term};
use grants::plan::{Completeness, completeness};
use grants::{Finding, Plan, Programme};
use jiff::Timestamp;
use store::sea_orm::ConnectionTrait;
use store::seal::Place;
use store::tables::subsidy_plan::{self, Model, State};
use store::tables::{subsidy_conflict, subsidy_event, subsidy_part, subsidy_submission};
use uuid::Uuid;

use crate::draft::{names, time};
use crate::guard::{self, Action};
use crate::{Correction, Desk, Member, SubsidyError, decide, part, review, send};

/// A call (徵件).
#[derive(Clone, Debug)]
pub struct Call {
    /// The programme.
    pub programme: Arc<Programme>,
    /// When plans are taken, as known now.
    pub term: Term,
    /// Whether they are taken now.
    pub phase: Phase,
}

/// A line of a plan's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What was done.
    pub act: String,
    /// The part it was done to.
    pub note: Option<String>,
    /// Name of who did it; a word of its own for the platform.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The plan of the member's government.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its row.
    pub row: Model,
    /// The programme it answers.
    pub programme: Arc<Programme>,
    /// The plan as it stands.
    pub plan: Plan,
    /// The newest version of each part that was saved.
    pub versions: BTreeMap<String, i64>,
    /// How much of each chapter is written.
    pub completeness: Vec<Completeness>,
    /// What the checks find.
    pub findings: Vec<Finding>,
    /// Where its correction stands.
    pub correction: Option<Correction>,
    /// What was sent of it: whether it was the corrected plan, and when.
    pub sent: Vec<(bool, Timestamp)>,
    /// What was done to it.
    pub history: Vec<Act>,
}

/// A plan that reached the ministry, as a line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The plan.
    pub id: Uuid,
    /// The government, as the programme names it.
    pub government: String,
    /// How far it has come.
    pub state: State,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Whether the member may read it: not one with a conflict of interest.
    pub may_read: bool,
}

/// A plan that reached the ministry.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its row.
    pub row: Model,
    /// The programme it answers.
    pub programme: Arc<Programme>,
    /// The plan as it was sent last.
    pub plan: Plan,
    /// SHA-256 of what was sent, in hexadecimal.
    pub digest: String,
    /// The most the ministry may give it in the funded year.
    pub most: Money,
    /// Where its correction stands.
    pub correction: Option<Correction>,
}

/// The calls there are. They are public.
#[must_use]
pub fn calls(desk: &Desk) -> Vec<Call> {
    let now = desk.now();
    let calls = desk.programmes.iter().filter_map(|programme| {
        Some(Call {
            term: programme.term(CALL, now)?,
            phase: programme.phase(CALL, now)?,
            programme: Arc::clone(programme),
        })
    });
    calls.collect()
}

/// The plans of the member's government.
///
/// # Errors
/// [`SubsidyError::Refused`] for who is of no government; the store's.
#[boxed]
pub async fn mine(desk: &Desk, member: &Member) -> Result<Vec<Model>, SubsidyError> {
    guard::office(desk, member, "call", &member.agency, "地方制度法 §18、§19")?;
    Ok(subsidy_plan::of_government(desk.store.read(), &member.agency).await?)
}

/// The plan of the member's government with all that is said of it.
///
/// # Errors
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn draft(desk: &Desk, member: &Member, plan: Uuid) -> Result<Draft, SubsidyError> {
    let row = guard::plan(desk, member, Action::View, plan).await?;
    let programme = Arc::clone(desk.programme(&row.programme)?);
    let db = desk.store.read();
    let parts = subsidy_part::newest(db, plan, i64::MAX).await?;
    let whole = part::assembled(&desk.store, db, &programme, &row.government, &parts).await?;
    let names = names(desk.store.read()).await?;
    let mut history = Vec::new();
    for event in subsidy_event::of_plan(db, plan).await? {
        history.push(Act {
            by: match event.done_by {
                Some(by) => names.get(&by).cloned().unwrap_or_default(),
                None => guard::PLATFORM.to_owned(),
            },
            at: time("subsidy_event", event.done_at)?,
            act: event.act,
            note: event.note,
        });
    }
    history.retain(|act| !guard::is_inner(&act.act));
    let sent = subsidy_submission::of_plan(db, plan).await?;
    let sent = sent
        .iter()
        .map(|row| Ok((row.round > 1, time("subsidy_submission", row.sent_at)?)));
    Ok(Draft {
        sent: sent.collect::<Result<_, SubsidyError>>()?,
        versions: parts.into_iter().map(|row| (row.part, row.version)).collect(),
        completeness: completeness(&whole, &programme),
        findings: send::findings(&whole, &programme, &row),
        correction: decide::correction(desk, &row)?,
        plan: whole,
        programme,
        row,
        history,
    })
}

/// The plans of a call that were sent, the first sent first.
///
/// # Errors
/// [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn received(desk: &Desk, member: &Member, programme: &str) -> Result<Vec<Received>, SubsidyError> {
    let programme = review::on_panel(desk, member, programme)?;
    let rows = subsidy_plan::sent(desk.store.read(), &programme.id).await?;
    let conflicts = subsidy_conflict::of_programme(desk.store.read(), &programme.id).await?;
    rows.into_iter()
        .map(|row| {
            Ok(Received {
                may_read: guard::allowed(desk, member, Action::Read, &row, &conflicts).is_ok(),
                sent_at: time("subsidy_plan", row.sent_at.unwrap_or_default())?,
                id: row.id,
                government: row.government,
                state: row.state,
            })
        })
        .collect()
}

/// A plan as it was sent. Reading it is an entry of the usage ledger.
///
/// # Errors
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn sent(desk: &Desk, member: &Member, plan: Uuid) -> Result<Sent, SubsidyError> {
    let row = guard::plan(desk, member, Action::Read, plan).await?;
    let programme = Arc::clone(desk.programme(&row.programme)?);
    note_use(desk, member, Action::Read, &row.programme).await?;
    let last = subsidy_submission::last(desk.store.read(), plan)
        .await?
        .ok_or(SubsidyError::NotFound("plan"))?;
    let whole = whole(desk, plan).await?;
    Ok(Sent {
        most: most(&whole, &programme),
        correction: decide::correction(desk, &row)?,
        digest: hex::encode(&last.digest),
        plan: whole,
        programme,
        row,
    })
}

/// Enters in the usage ledger that what a plan says of people is used.
pub(crate) async fn note_use(
    desk: &Desk,
    member: &Member,
    action: Action,
    programme: &str,
) -> Result<(), SubsidyError> {
    let (ours, by, of) = (desk.clone(), member.clone(), programme.to_owned());
    desk.store
        .write(move |tx| Box::pin(async move { guard::used(&ours, tx, &by, action, &of, &guard::FIELDS).await }))
        .await
}

/// What was sent last, for computing with it.
pub(crate) async fn whole(desk: &Desk, plan: Uuid) -> Result<Plan, SubsidyError> {
    let db = desk.store.read();
    let last = subsidy_submission::last(db, plan)
        .await?
        .ok_or(SubsidyError::NotFound("plan"))?;
    submitted(desk, db, &last).await
}

/// The plan of what was sent.
pub(crate) async fn submitted(
    desk: &Desk,
    db: &impl ConnectionTrait,
    row: &subsidy_submission::Model,
) -> Result<Plan, SubsidyError> {
    serde_json::from_slice(&opened(desk, db, row).await?).map_err(|error| SubsidyError::json("plan", &error))
}

/// What was sent, to the byte: its digest is the one the ministry has.
pub(crate) async fn opened(
    desk: &Desk,
    db: &impl ConnectionTrait,
    row: &subsidy_submission::Model,
) -> Result<zeroize::Zeroizing<Vec<u8>>, SubsidyError> {
    let place = Place::new("subsidy_submission", "sealed", &row.id);
    let seal = desk.store.seal();
    Ok(seal.open_own(db, row.key_id.into(), place, &row.sealed).await?)
}

/// What a plan asks of the ministry in the funded year.
pub(crate) fn asked(plan: &Plan, programme: &Programme) -> Money {
    let subsidy = plan.subsidy(programme.period.funded);
    subsidy
        .map_or(Money(0), |subsidy| subsidy.ministry())
        .min(most(plan, programme))
}

/// The most the ministry may give a plan in the funded year: by tier, and by the cap unless the plan says why it passes it.
pub(crate) fn most(plan: &Plan, programme: &Programme) -> Money {
    let total = plan
        .subsidy(programme.period.funded)
        .map_or(Money(0), |subsidy| subsidy.total);
    let Some(most) = programme.most(&plan.government, total) else {
        return Money(0);
    };
    match &plan.cap_exception {
        Some(reason) if !reason.trim().is_empty() => most.by_ratio,
        _ => most.subsidy,
    }
}

/// Name of a government in a programme; its id where the programme knows it no more.
#[must_use]
pub fn government<'a>(programme: &'a Programme, id: &'a str) -> &'a str {
    programme.government(id).map_or(id, |government| &government.name)
}

/// Name of the ministry, as accounts of its staff and panel have it.
#[must_use]
pub fn ministry(programme: &Programme) -> &str {
    programme.ministry.get(Language::ZhTw)
}
