//! The review meeting (審查會議) of a call: the ministry says when and where, and the order in which the plans are presented is
//! drawn by lot or made by hand. Panel and ministry see all of it, a government its own time alone.

use crate::boxed;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use civic::ids::EventId;
use civic::legal_day;
use grants::Programme;
use jiff::civil::{Date, Time};
use jiff::{Timestamp, ToSpan as _};
use lottery::{Draw, Place, SealedList, Seats, Ticket, Unfilled};
use store::Tx;
use store::tables::subsidy_meeting::{self, Model};
use store::tables::{subsidy_conflict, subsidy_plan};
use uuid::Uuid;

use crate::draft::{names, time};
use crate::guard::{self, Action};
use crate::{Desk, Member, SubsidyError, review, text};

/// Most characters of the place.
const MOST_PLACE: usize = 200;
/// Most characters of the reason of an order made by hand.
const MOST_REASON: usize = 500;
/// Most characters of a seed.
const MOST_SEED: usize = 200;
/// Fewest and most minutes of a presentation.
const MINUTES: std::ops::RangeInclusive<i32> = 5..=240;
/// How the seed comes about, as the draw has it.
const SEED_RULE: &str = "抽籤時公開宣布的數值";
/// What is drawn for, and the only class of its seats.
const ORDER: &str = "order";
const ALL: &str = "all";

/// When and where a meeting is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Legal day.
    pub day: Date,
    /// Where.
    pub place: String,
    /// When the first presentation begins.
    pub begins: Time,
    /// Minutes of each presentation with its questions.
    pub minutes: i32,
    /// From when until when nobody presents.
    pub pause: Option<(Time, Time)>,
}

/// A plan with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// The plan.
    pub plan: Uuid,
    /// The government, as the programme names it.
    pub government: String,
    /// When it begins.
    pub starts: Time,
    /// When it ends.
    pub ends: Time,
    /// Names of the reviewers who have declared a conflict of interest with the government.
    pub conflicts: Vec<String>,
}

/// How the order was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The public value it was drawn with.
    pub seed: String,
    /// Governments in the drawn order, as the programme names them.
    pub order: Vec<String>,
    /// Name of who drew.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// An order made by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arranged {
    /// Why it is another than the drawn one; empty where none was drawn.
    pub reason: String,
    /// Name of who made it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A meeting as panel and ministry see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// When and where.
    pub details: Details,
    /// The plans in their order; empty before there is one.
    pub presentations: Vec<Presentation>,
    /// Plans that were sent and stand in no order yet: the plan, and its government.
    pub left: Vec<(Uuid, String)>,
    /// How the order was drawn.
    pub drawn: Option<Drawn>,
    /// That it was made by hand since.
    pub arranged: Option<Arranged>,
    /// To name when it is changed.
    pub revision: i64,
}

/// The time of one plan, which is all that its government sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTime {
    /// Legal day.
    pub day: Date,
    /// Where.
    pub place: String,
    /// From when until when; nothing before there is an order.
    pub time: Option<(Time, Time)>,
}

/// The meeting of a call, for its panel and ministry.
///
/// # Errors
/// [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn meeting(desk: &Desk, member: &Member, programme: &str) -> Result<Option<Meeting>, SubsidyError> {
    let programme = review::on_panel(desk, member, programme)?;
    let db = desk.store.read();
    let Some(row) = subsidy_meeting::of_programme(db, &programme.id).await? else {
        return Ok(None);
    };
    let details = details(&row)?;
    let sent = subsidy_plan::sent(db, &programme.id).await?;
    let mut left: BTreeMap<Uuid, String> = sent.into_iter().map(|plan| (plan.id, plan.government)).collect();
    let names = names(desk.store.read()).await?;
    let named = |id: Option<Uuid>| id.and_then(|id| names.get(&id).cloned()).unwrap_or_default();
    let mut conflicts: HashMap<String, Vec<String>> = HashMap::new();
    for conflict in subsidy_conflict::of_programme(db, &programme.id).await? {
        let of = conflicts.entry(conflict.government).or_default();
        of.push(named(Some(conflict.reviewer)));
    }
    let order = order(&row)?;
    let times = details.times(order.len()).unwrap_or_default();
    let presentations = order.into_iter().zip(times).filter_map(|(plan, (starts, ends))| {
        let government = left.remove(&plan)?;
        let conflicts = conflicts.remove(&government).unwrap_or_default();
        Some(Presentation {
            plan,
            government,
            starts,
            ends,
            conflicts,
        })
    });
    let presentations = presentations.collect();
    let drawn = match (&row.drawn, row.drawn_at) {
        (Some(json), Some(at)) => {
            let draw = draw_of(json)?;
            Some(Drawn {
                order: placed(&draw),
                seed: draw.seed.map(|seed| seed.value).unwrap_or_default(),
                by: named(row.drawn_by),
                at: time("subsidy_meeting", at)?,
            })
        }
        _ => None,
    };
    let arranged = match row.arranged_at {
        Some(at) => Some(Arranged {
            reason: row.reason.clone().unwrap_or_default(),
            by: named(row.arranged_by),
            at: time("subsidy_meeting", at)?,
        }),
        None => None,
    };
    Ok(Some(Meeting {
        details,
        presentations,
        left: left.into_iter().collect(),
        drawn,
        arranged,
        revision: row.revision,
    }))
}

/// When and where the plan of the member's government is presented; nothing before a meeting is convened, or of a plan that
/// was not sent.
///
/// # Errors
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn own_time(desk: &Desk, member: &Member, plan: Uuid) -> Result<Option<OwnTime>, SubsidyError> {
    let plan = guard::plan(desk, member, Action::View, plan).await?;
    if plan.sent_at.is_none() {
        return Ok(None);
    }
    let Some(row) = subsidy_meeting::of_programme(desk.store.read(), &plan.programme).await? else {
        return Ok(None);
    };
    let (details, order) = (details(&row)?, order(&row)?);
    let times = details.times(order.len()).unwrap_or_default();
    let at = order.iter().position(|one| *one == plan.id);
    Ok(Some(OwnTime {
        time: at.and_then(|at| times.get(at).copied()),
        day: details.day,
        place: details.place,
    }))
}

/// Convenes the meeting of a call, under revision 0, or changes when and where it is, under the revision the member saw.
///
/// # Errors
/// [`SubsidyError::Input`] for a day that is past, a place or minutes beyond their bounds, a pause that ends before it begins, or more
/// than fits into the day; [`SubsidyError::Conflict`]; [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn convene(
    desk: &Desk,
    member: &Member,
    programme: &str,
    seen: i64,
    given: Details,
) -> Result<(), SubsidyError> {
    let programme = Arc::clone(may_convene(desk, member, programme)?);
    let given = given.checked()?;
    let today = legal_day(desk.now());
    let (desk, member) = (desk.clone(), member.clone());
    desk.clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let known = subsidy_meeting::of_programme(tx, &programme.id).await?;
                let is_new_day = known.as_ref().is_none_or(|row| row.day != given.day.to_string());
                if is_new_day && given.day < today {
                    return Err(SubsidyError::input("day", "past"));
                }
                let base = match (&known, seen) {
                    (None, 0) => Model {
                        id: EventId::generate(desk.clock.as_ref()).uuid(),
                        programme: programme.id.clone(),
                        day: String::new(),
                        place: String::new(),
                        begins: String::new(),
                        minutes: 0,
                        pause_from: None,
                        pause_until: None,
                        presentations: "[]".to_owned(),
                        drawn: None,
                        drawn_by: None,
                        drawn_at: None,
                        reason: None,
                        arranged_by: None,
                        arranged_at: None,
                        made_by: member.id.uuid(),
                        made_at: tx.now().as_microsecond(),
                        revision: 1,
                    },
                    (Some(row), seen) if row.revision == seen => row.clone(),
                    _ => return Err(SubsidyError::Conflict("meeting")),
                };
                let next = Model {
                    day: given.day.to_string(),
                    place: given.place.clone(),
                    begins: given.begins.to_string(),
                    minutes: given.minutes,
                    pause_from: given.pause.map(|(from, _)| from.to_string()),
                    pause_until: given.pause.map(|(_, until)| until.to_string()),
                    ..base
                };
                if given.times(order(&next)?.len()).is_none() {
                    return Err(SubsidyError::input("minutes", "too_long"));
                }
                match &known {
                    None => subsidy_meeting::insert(tx, next).await?,
                    Some(before) => changed(&desk, tx, &member, before, &next).await?,
                }
                Ok(())
            })
        })
        .await
}

/// Draws the order of all plans that were sent, with a public value exactly as it was announced. It is drawn once.
///
/// # Errors
/// [`SubsidyError::Input`] for an empty value, where nothing was sent, or for more than fits into the day; [`SubsidyError::State`] where
/// it was drawn before; [`SubsidyError::Conflict`]; [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn draw(desk: &Desk, member: &Member, programme: &str, seen: i64, seed: &str) -> Result<(), SubsidyError> {
    let programme = Arc::clone(may_convene(desk, member, programme)?);
    let seed = text::needed("seed", seed, MOST_SEED)?;
    let (desk, member) = (desk.clone(), member.clone());
    desk.clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let before = found(tx, &programme, seen).await?;
                if before.drawn.is_some() {
                    return Err(SubsidyError::State);
                }
                let sent = subsidy_plan::sent(tx, &programme.id).await?;
                if sent.is_empty() {
                    return Err(SubsidyError::input("seed", "nothing"));
                }
                let list = sealed(&programme, sent.iter().map(|plan| plan.government.as_str()));
                let draw = lottery::draw(list, &seed).map_err(|error| SubsidyError::Corrupt {
                    what: "draw",
                    why: error.to_string(),
                })?;
                let drawn = placed(&draw);
                let plans = drawn.iter().filter_map(|government| {
                    let plan = sent.iter().find(|plan| plan.government == *government)?;
                    Some(plan.id)
                });
                let plans: Vec<Uuid> = plans.collect();
                let next = Model {
                    presentations: json("meeting", &plans)?,
                    drawn: Some(json("draw", &draw)?),
                    drawn_by: Some(member.id.uuid()),
                    drawn_at: Some(tx.now().as_microsecond()),
                    reason: None,
                    arranged_by: None,
                    arranged_at: None,
                    ..before.clone()
                };
                fits(&next)?;
                changed(&desk, tx, &member, &before, &next).await
            })
        })
        .await
}

/// Puts all plans that were sent in order by hand. An order that was drawn is left for a reason only, and stays on record.
///
/// # Errors
/// [`SubsidyError::Input`] where a plan is left out, named twice or not one of the call's, without a reason after a draw, or for more than
/// fits into the day; [`SubsidyError::Conflict`]; [`SubsidyError::NotFound`]; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn arrange(
    desk: &Desk,
    member: &Member,
    programme: &str,
    seen: i64,
    plans: Vec<Uuid>,
    reason: &str,
) -> Result<(), SubsidyError> {
    let programme = Arc::clone(may_convene(desk, member, programme)?);
    let reason = text::optional("reason", reason, MOST_REASON)?;
    let (desk, member) = (desk.clone(), member.clone());
    desk.clone()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let before = found(tx, &programme, seen).await?;
                if before.drawn.is_some() && reason.is_empty() {
                    return Err(SubsidyError::input("reason", "empty"));
                }
                let sent = subsidy_plan::sent(tx, &programme.id).await?;
                let mut all: Vec<Uuid> = sent.into_iter().map(|plan| plan.id).collect();
                let mut named = plans.clone();
                all.sort_unstable();
                named.sort_unstable();
                if all != named || all.is_empty() {
                    return Err(SubsidyError::input("order", "range"));
                }
                let next = Model {
                    presentations: json("meeting", &plans)?,
                    reason: Some(reason),
                    arranged_by: Some(member.id.uuid()),
                    arranged_at: Some(tx.now().as_microsecond()),
                    ..before.clone()
                };
                fits(&next)?;
                changed(&desk, tx, &member, &before, &next).await
            })
        })
        .await
}

/// The draw as a file that `tongban lottery verify` works out again, for panel and ministry.
///
/// # Errors
/// [`SubsidyError::NotFound`] before the order is drawn; [`SubsidyError::Refused`]; the store's.
#[boxed]
pub async fn draw_file(desk: &Desk, member: &Member, programme: &str) -> Result<Vec<u8>, SubsidyError> {
    let programme = review::on_panel(desk, member, programme)?;
    let row = subsidy_meeting::of_programme(desk.store.read(), &programme.id).await?;
    let drawn = row.and_then(|row| row.drawn).ok_or(SubsidyError::NotFound("draw"))?;
    Ok(drawn.into_bytes())
}

impl Details {
    /// The same within bounds.
    fn checked(self) -> Result<Self, SubsidyError> {
        let place = text::needed("place", &self.place, MOST_PLACE)?;
        if !MINUTES.contains(&self.minutes) {
            return Err(SubsidyError::input("minutes", "range"));
        }
        if self.pause.is_some_and(|(from, until)| from >= until) {
            return Err(SubsidyError::input("pause", "range"));
        }
        Ok(Self { place, ..self })
    }

    /// From when until when each of so many presentations is: one after the other, none into the pause. None where they don't fit into
    /// the day.
    fn times(&self, count: usize) -> Option<Vec<(Time, Time)>> {
        let mut free = self.begins;
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let mut ends = free.checked_add(self.minutes.minutes()).ok()?;
            if let Some((from, until)) = self.pause
                && free < until
                && ends > from
            {
                free = until;
                ends = free.checked_add(self.minutes.minutes()).ok()?;
            }
            times.push((free, ends));
            free = ends;
        }
        Some(times)
    }
}

/// The programme, for who may convene its meeting.
fn may_convene<'a>(desk: &'a Desk, member: &Member, programme: &str) -> Result<&'a Arc<Programme>, SubsidyError> {
    review::on_page(desk, member, "convene", programme)
}

/// The meeting under the revision that was seen, within the transaction that changes it.
async fn found(tx: &Tx, programme: &Programme, seen: i64) -> Result<Model, SubsidyError> {
    let row = subsidy_meeting::of_programme(tx, &programme.id)
        .await?
        .ok_or(SubsidyError::NotFound("meeting"))?;
    match row.revision == seen {
        true => Ok(row),
        false => Err(SubsidyError::Conflict("meeting")),
    }
}

/// Writes a meeting over the one before, and a line into the history of each plan that is presented at another time or place now.
async fn changed(desk: &Desk, tx: &Tx, member: &Member, before: &Model, after: &Model) -> Result<(), SubsidyError> {
    let (was, is) = (appointments(before)?, appointments(after)?);
    for (plan, now) in &is {
        if was.get(plan) != Some(now) {
            guard::event(desk, tx, member, *plan, "meet", None).await?;
        }
    }
    match subsidy_meeting::replace(tx, after).await? {
        true => Ok(()),
        false => Err(SubsidyError::Conflict("meeting")),
    }
}

/// When and where each plan is presented.
fn appointments(row: &Model) -> Result<HashMap<Uuid, (Date, String, Time)>, SubsidyError> {
    let (details, order) = (details(row)?, order(row)?);
    let times = details.times(order.len()).unwrap_or_default();
    let each = order.into_iter().zip(times);
    Ok(each
        .map(|(plan, (starts, _))| (plan, (details.day, details.place.clone(), starts)))
        .collect())
}

fn fits(row: &Model) -> Result<(), SubsidyError> {
    match details(row)?.times(order(row)?.len()) {
        Some(_) => Ok(()),
        None => Err(SubsidyError::input("order", "too_long")),
    }
}

fn details(row: &Model) -> Result<Details, SubsidyError> {
    let wrong = |why: &str| SubsidyError::Corrupt {
        what: "subsidy_meeting",
        why: why.to_owned(),
    };
    let clock = |text: &str| text.parse::<Time>().map_err(|_| wrong("a time that is none"));
    let pause = match (&row.pause_from, &row.pause_until) {
        (Some(from), Some(until)) => Some((clock(from)?, clock(until)?)),
        _ => None,
    };
    Ok(Details {
        day: row.day.parse().map_err(|_| wrong("a day that is none"))?,
        place: row.place.clone(),
        begins: clock(&row.begins)?,
        minutes: row.minutes,
        pause,
    })
}

fn order(row: &Model) -> Result<Vec<Uuid>, SubsidyError> {
    serde_json::from_str(&row.presentations).map_err(|error| SubsidyError::json("meeting", &error))
}

fn draw_of(json: &str) -> Result<Draw, SubsidyError> {
    serde_json::from_str(json).map_err(|error| SubsidyError::json("draw", &error))
}

fn json(what: &'static str, value: &impl serde::Serialize) -> Result<String, SubsidyError> {
    serde_json::to_string(value).map_err(|error| SubsidyError::json(what, &error))
}

/// The list that is drawn from: a ticket for each government, all of them for the one order.
fn sealed<'a>(programme: &Programme, governments: impl Iterator<Item = &'a str>) -> SealedList {
    let one = |count: u32| BTreeMap::from([(ALL.to_owned(), count)]);
    let tickets: Vec<Ticket> = governments
        .map(|government| Ticket {
            id: government.to_owned(),
            priority: 1,
            points: 0,
            weight: 1,
            reserved: false,
            needs: one(1),
            choices: vec![ORDER.to_owned()],
            priority_at: BTreeMap::new(),
        })
        .collect();
    let seats = Seats {
        capacity: u32::try_from(tickets.len()).unwrap_or(u32::MAX),
        reserved: 0,
    };
    SealedList {
        round: format!("{}-meeting", programme.id),
        seed_rule: SEED_RULE.to_owned(),
        places: vec![Place {
            id: ORDER.to_owned(),
            seats: BTreeMap::from([(ALL.to_owned(), seats)]),
            unfilled: Unfilled::default(),
        }],
        tickets,
    }
}

/// The governments in the order that a draw gave.
fn placed(draw: &Draw) -> Vec<String> {
    let results = draw.result.iter().flatten();
    results.flat_map(|result| result.placed.iter().cloned()).collect()
}
