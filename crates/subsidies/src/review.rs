//! The panel: conflicts of interest, score sheets, scores made comparable, and what the budget can hold.

use crate::boxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use civic::ids::EventId;
use civic::{Language, Money};
use grants::review::{
    Allotment, Behind, Candidate, Conflict, Normalised, Panel, Score, Sheet, Standing, Steer, allot, normalise, rank,
};
use grants::{Programme, correction};
use serde::{Deserialize, Serialize};
use store::tables::subsidy_plan::{self, Model, State};
use store::tables::{staff, subsidy_conflict, subsidy_sheet};
use uuid::Uuid;

use crate::guard::{self, Action};
use crate::{Desk, Member, SubsidyError, decide, text, view};

/// Most characters of the reason of a conflict.
const MOST_REASON: usize = 500;

/// Highest grade of urgency and feasibility; 1 is the lowest.
const MOST_GRADE: u8 = 5;

/// What the ministry says of a plan beside its score (捌、一).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appraisal {
    /// Necessary (必要).
    pub necessary: bool,
    /// Feasible (可行).
    pub feasible: bool,
    /// The government could pay it from its own budget of the year.
    pub own_budget: bool,
    /// Urgency, 1 to 5, 5 the most urgent.
    pub urgency: u8,
    /// Feasibility, 1 to 5, 5 the most feasible.
    pub feasibility: u8,
}

/// A plan in the ranking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The plan.
    pub plan: Uuid,
    /// The government, as the programme names it.
    pub government: String,
    /// How far it has come.
    pub state: State,
    /// Score sheets there are.
    pub sheets: usize,
    /// Its place, from 1; plans that nothing tells apart share one.
    pub place: usize,
    /// What puts it behind the one before.
    pub behind: Option<Behind>,
    /// What the ministry says of it; a plan of which nothing is said stands behind all others.
    pub appraisal: Option<Appraisal>,
    /// Whether they are as many as the programme asks for.
    pub enough: bool,
    /// Mean of the sheets, in hundredths of a point.
    pub raw: i64,
    /// The same between strict and lenient reviewers, in hundredths.
    pub adjusted: i64,
    /// What it asks of the ministry in the funded year, within tier and cap.
    pub asked: Money,
    /// What is decided of it; nothing while it waits for the decision.
    pub decided: Option<Decided>,
}

/// What a decision means for the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// This amount is approved.
    Granted(Money),
    /// Nothing is given: refused, or given up by a correction that did not come in time.
    Nothing,
}

/// All plans of a call that were sent, by priority, urgency, feasibility and adjusted score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranking {
    /// The plans.
    pub lines: Vec<Line>,
    /// Whether the sheets overlap so far that the adjusted scores can be compared.
    pub comparable: bool,
    /// How each reviewer leans: name, sheets, hundredths of a point above the panel.
    pub leanings: Vec<(String, usize, i64)>,
}

/// Declares a conflict of interest (利益迴避) of the member with a government. It can't be taken back by the member.
///
/// # Errors
/// [`SubsidyError::Input`] without a reason, or where it stands already; [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the
/// store's.
#[boxed]
pub async fn declare(
    desk: &Desk,
    member: &Member,
    programme: &str,
    government: &str,
    reason: &str,
) -> Result<(), SubsidyError> {
    let programme = on_panel(desk, member, programme)?;
    if member.role != "grant_reviewer" {
        return Err(SubsidyError::NotFound("panel"));
    }
    if programme.government(government).is_none() {
        return Err(SubsidyError::NotFound("government"));
    }
    let reason = text::needed("reason", reason, MOST_REASON)?;
    let row = subsidy_conflict::Model {
        id: EventId::generate(desk.clock.as_ref()).uuid(),
        programme: programme.id.clone(),
        reviewer: member.id.uuid(),
        government: government.to_owned(),
        reason,
        declared_at: desk.now().as_microsecond(),
    };
    let done = desk
        .store
        .write(move |tx| Box::pin(async move { Ok::<_, SubsidyError>(subsidy_conflict::insert(tx, row).await?) }))
        .await;
    match done {
        Err(SubsidyError::Store(error)) if error.is_duplicate() => Err(SubsidyError::input("government", "twice")),
        other => other,
    }
}

/// The member's own sheet for a plan, with the revision to name when it is saved; 0 where there is none.
///
/// # Errors
/// [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn my_sheet(desk: &Desk, member: &Member, plan: Uuid) -> Result<(Vec<Score>, i64), SubsidyError> {
    guard::plan(desk, member, Action::Score, plan).await?;
    let rows = subsidy_sheet::of_plans(desk.store.read(), &[plan]).await?;
    match rows.into_iter().find(|row| row.reviewer == member.id.uuid()) {
        Some(row) => Ok((scores(&row)?, row.revision)),
        None => Ok((Vec::new(), 0)),
    }
}

/// Saves the member's sheet for a plan that is not decided yet, over the revision they saw.
///
/// # Errors
/// [`SubsidyError::Sheet`] for criteria or points that are not the programme's; [`SubsidyError::Conflict`]; [`SubsidyError::State`]
/// once it is decided; [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn score(desk: &Desk, member: &Member, plan: Uuid, given: Vec<Score>, seen: i64) -> Result<(), SubsidyError> {
    let row = guard::plan(desk, member, Action::Score, plan).await?;
    let programme = desk.programme(&row.programme)?;
    let sheet = Sheet {
        reviewer: member.id.to_string(),
        government: row.government.clone(),
        scores: given,
    };
    sheet.check(&panel(desk, programme).await?, programme)?;
    let scores = serde_json::to_string(&sheet.scores).map_err(|error| SubsidyError::json("sheet", &error))?;
    let (desk, member) = (desk.clone(), member.clone());
    desk.clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                crate::send::found(tx, plan, State::Sent).await?;
                let mine = subsidy_sheet::of_plans(tx, &[plan])
                    .await?
                    .into_iter()
                    .find(|row| row.reviewer == member.id.uuid());
                let saved_at = tx.now().as_microsecond();
                let kept = match mine {
                    Some(row) => {
                        let next = subsidy_sheet::Model {
                            scores,
                            saved_at,
                            revision: seen,
                            ..row
                        };
                        subsidy_sheet::replace(tx, &next).await?
                    }
                    None if seen == 0 => {
                        let next = subsidy_sheet::Model {
                            id: EventId::generate(desk.clock.as_ref()).uuid(),
                            plan_id: plan,
                            reviewer: member.id.uuid(),
                            scores,
                            saved_at,
                            revision: 1,
                        };
                        subsidy_sheet::insert(tx, next).await?;
                        true
                    }
                    None => false,
                };
                if !kept {
                    return Err(SubsidyError::Conflict("sheet"));
                }
                guard::event(&desk, tx, &member, plan, "score", None).await?;
                Ok(())
            })
        })
        .await
}

/// The sheets of a plan that count, by name of the reviewer, for who decides on it.
///
/// # Errors
/// [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn sheets(desk: &Desk, member: &Member, plan: Uuid) -> Result<Vec<(String, Vec<Score>)>, SubsidyError> {
    let row = guard::plan(desk, member, Action::Decide, plan).await?;
    let panel = panel(desk, desk.programme(&row.programme)?).await?;
    let names = crate::draft::names(desk.store.read()).await?;
    let mut found = Vec::new();
    for sheet in subsidy_sheet::of_plans(desk.store.read(), &[plan]).await? {
        if panel.may_judge(&sheet.reviewer.to_string(), &row.government) {
            let name = names.get(&sheet.reviewer).cloned().unwrap_or_default();
            found.push((name, scores(&sheet)?));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Says of a plan that was sent how necessary, feasible and urgent it is, under the revision the member saw.
///
/// # Errors
/// [`SubsidyError::Input`] for a grade that is not 1 to 5; [`SubsidyError::Conflict`]; [`SubsidyError::State`] once it is decided;
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn appraise(
    desk: &Desk,
    member: &Member,
    plan: Uuid,
    revision: i64,
    appraisal: Appraisal,
) -> Result<(), SubsidyError> {
    guard::plan(desk, member, Action::Decide, plan).await?;
    for (field, grade) in [("urgency", appraisal.urgency), ("feasibility", appraisal.feasibility)] {
        if !(1..=MOST_GRADE).contains(&grade) {
            return Err(SubsidyError::input(field, "range"));
        }
    }
    let json = serde_json::to_string(&appraisal).map_err(|error| SubsidyError::json("appraisal", &error))?;
    let (desk, member) = (desk.clone(), member.clone());
    desk.clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut now = crate::send::found(tx, plan, State::Sent).await?;
                if now.revision != revision {
                    return Err(SubsidyError::Conflict("plan"));
                }
                now.appraisal = Some(json);
                crate::send::changed(tx, &now).await?;
                guard::event(&desk, tx, &member, plan, "appraise", None).await?;
                Ok(())
            })
        })
        .await
}

/// The ranking of a call, with raw and adjusted scores side by side.
///
/// # Errors
/// [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn ranking(desk: &Desk, member: &Member, programme: &str) -> Result<Ranking, SubsidyError> {
    let programme = on_page(desk, member, "ranking", programme)?;
    let rows = subsidy_plan::sent(desk.store.read(), &programme.id).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let panel = panel(desk, programme).await?;
    let mut sheets = Vec::new();
    for sheet in subsidy_sheet::of_plans(desk.store.read(), &ids).await? {
        let Some(row) = rows.iter().find(|row| row.id == sheet.plan_id) else {
            continue;
        };
        let reviewer = sheet.reviewer.to_string();
        // a conflict declared after scoring, and an account that was closed, take the sheet out
        if panel.may_judge(&reviewer, &row.government) {
            sheets.push(Sheet {
                reviewer,
                government: row.government.clone(),
                scores: scores(&sheet)?,
            });
        }
    }
    let found: Normalised = normalise(&sheets, &panel, programme)?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        let score = found.plans.iter().find(|plan| plan.government == row.government);
        let whole = view::whole(desk, row.id).await?;
        lines.push(Line {
            plan: row.id,
            government: row.government.clone(),
            state: row.state,
            sheets: score.map_or(0, |score| score.sheets),
            place: 0,
            behind: None,
            appraisal: appraisal(row)?,
            enough: score.is_some_and(|score| score.enough),
            raw: score.map_or(0, |score| score.raw),
            adjusted: score.map_or(0, |score| score.adjusted),
            asked: view::asked(&whole, programme),
            decided: decided(desk, row)?,
        });
    }
    let standings: Vec<Standing> = lines.iter().map(standing).collect();
    for (at, ranked) in rank(&standings).into_iter().enumerate() {
        let Some(from) = lines.iter().position(|line| line.government == ranked.government) else {
            continue;
        };
        lines.swap(at, from);
        if let Some(line) = lines.get_mut(at) {
            line.place = ranked.place;
            line.behind = ranked.behind;
        }
    }
    let names = crate::draft::names(desk.store.read()).await?;
    let leanings = found.reviewers.into_iter().map(|one| {
        let id: Option<Uuid> = one.reviewer.parse().ok();
        let name = id.and_then(|id| names.get(&id).cloned()).unwrap_or_default();
        (name, one.sheets, one.leaning)
    });
    Ok(Ranking {
        lines,
        comparable: found.comparable,
        leanings: leanings.collect(),
    })
}

/// What is decided of a plan, for the budget.
fn decided(desk: &Desk, row: &Model) -> Result<Option<Decided>, SubsidyError> {
    if row.state == State::Refused {
        return Ok(Some(Decided::Nothing));
    }
    let granted = decide::correction(desk, row)?;
    Ok(granted.map(|found| match found.standing {
        correction::Standing::Forfeit => Decided::Nothing,
        _ => Decided::Granted(found.approved),
    }))
}

/// Which plans a budget holds so that they have the most points together, with what the official decided beforehand. What is decided
/// competes no more: a granted plan is in with its approved amount, one that gets nothing is no choice, and only the others are free.
///
/// # Errors
/// [`SubsidyError::Allot`].
pub fn allotment(
    ranking: &Ranking,
    budget: Money,
    steers: &BTreeMap<String, Steer>,
) -> Result<Allotment, SubsidyError> {
    let candidates = ranking.lines.iter().filter_map(|line| {
        let (amount, steer) = match line.decided {
            Some(Decided::Granted(amount)) => (amount, Steer::In),
            None if line.is_free() => (line.asked, steers.get(&line.government).copied().unwrap_or_default()),
            Some(Decided::Nothing) | None => return None,
        };
        Some(Candidate {
            government: line.government.clone(),
            amount,
            value: u32::try_from(line.adjusted.max(0)).unwrap_or(0),
            steer,
        })
    });
    let candidates: Vec<Candidate> = candidates.collect();
    Ok(allot(&candidates, budget)?)
}

impl Line {
    /// Whether the budget may be filled with it: it waits for the decision, is scored, and asks for something.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.decided.is_none() && self.enough && self.asked.0 > 0
    }
}

fn appraisal(row: &Model) -> Result<Option<Appraisal>, SubsidyError> {
    let read = |text| serde_json::from_str(text).map_err(|error| SubsidyError::json("appraisal", &error));
    row.appraisal.as_deref().map(read).transpose()
}

/// What the order goes by.
fn standing(line: &Line) -> Standing {
    let said = line.appraisal;
    Standing {
        government: line.government.clone(),
        necessary: said.is_some_and(|said| said.necessary),
        feasible: said.is_some_and(|said| said.feasible),
        own_budget: said.is_some_and(|said| said.own_budget),
        urgency: said.map_or(0, |said| said.urgency),
        feasibility: said.map_or(0, |said| said.feasibility),
        score: line.adjusted,
    }
}

/// The programme, for a member of its ministry or panel.
pub(crate) fn on_panel<'a>(
    desk: &'a Desk,
    member: &Member,
    programme: &str,
) -> Result<&'a Arc<Programme>, SubsidyError> {
    on_page(desk, member, "panel", programme)
}

/// The programme, for a member who may use this page of its ministry.
pub(crate) fn on_page<'a>(
    desk: &'a Desk,
    member: &Member,
    action: &'static str,
    programme: &str,
) -> Result<&'a Arc<Programme>, SubsidyError> {
    let programme = desk.programme(programme)?;
    let basis = programme.basis.get(Language::ZhTw);
    guard::office(desk, member, action, view::ministry(programme), basis)?;
    Ok(programme)
}

/// How many sheets count for a plan.
pub(crate) async fn sheets_of(desk: &Desk, plan: Uuid) -> Result<usize, SubsidyError> {
    let row = subsidy_plan::by_id(desk.store.read(), plan)
        .await?
        .ok_or(SubsidyError::NotFound("plan"))?;
    let panel = panel(desk, desk.programme(&row.programme)?).await?;
    let rows = subsidy_sheet::of_plans(desk.store.read(), &[plan]).await?;
    let counts = rows
        .iter()
        .filter(|sheet| panel.may_judge(&sheet.reviewer.to_string(), &row.government));
    Ok(counts.count())
}

/// The panel of a programme: the open accounts of reviewers of its ministry, and the conflicts they declared.
pub(crate) async fn panel(desk: &Desk, programme: &Programme) -> Result<Panel, SubsidyError> {
    let ministry = view::ministry(programme);
    let staff = staff::all(desk.store.read()).await?;
    let on_it = staff
        .iter()
        .filter(|row| row.active && row.role == "grant_reviewer" && row.agency == ministry);
    let conflicts = subsidy_conflict::of_programme(desk.store.read(), &programme.id).await?;
    Ok(Panel {
        reviewers: on_it.map(|row| row.id.to_string()).collect(),
        conflicts: conflicts
            .into_iter()
            .map(|row| Conflict {
                reviewer: row.reviewer.to_string(),
                government: row.government,
                reason: row.reason,
            })
            .collect(),
    })
}

fn scores(row: &subsidy_sheet::Model) -> Result<Vec<Score>, SubsidyError> {
    serde_json::from_str(&row.scores).map_err(|error| SubsidyError::json("sheet", &error))
}
