//! What a total budget buys (經費分配試算): the exact best choice of plans, which the official may steer, and why each plan is in or out.
//!
//! The choice has the most points; among equals it costs the least; among those it takes the plans that come first in the
//! list. It is found over the undominated sets (Nemhauser and Ullmann, "Discrete dynamic programming and capital
//! allocation", Management Science 15, 1969): plan by plan, a list of sets of which none costs less and has as many points
//! as another. A set that can't reach the best one known, even if the rest could be bought in parts (Dantzig's bound), is
//! dropped. With n plans and V points in all, in hundredths, a list has at most min(2ⁿ, V + 1) sets, so one choice costs
//! O(n · min(2ⁿ, V) · log n); the reasons cost one more for each plan.

use civic::Money;
use serde::{Deserialize, Serialize};

/// Most plans that are chosen from.
pub const MOST_PLANS: usize = 64;
/// Most points of a plan, in hundredths: a few more than 100 points.
const MOST_VALUE: u32 = 20_000;

/// A plan that may be funded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The government.
    pub government: String,
    /// The subsidy it would get.
    pub amount: Money,
    /// Its points, in hundredths.
    pub value: u32,
    /// What the official decided beforehand.
    #[serde(default)]
    pub steer: Steer,
}

/// What the official decided of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steer {
    /// Nothing: the points decide.
    #[default]
    Free,
    /// It is funded.
    In,
    /// It is not funded.
    Out,
}

/// The choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allotment {
    /// Dollars spent.
    pub spent: Money,
    /// Dollars left.
    pub left: Money,
    /// Points bought, in hundredths.
    pub value: u64,
    /// A verdict for each plan, in the order of the list.
    pub verdicts: Vec<Verdict>,
}

/// Whether a plan is in, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The government.
    pub government: String,
    /// Whether it is funded.
    pub funded: bool,
    /// Why.
    pub why: Why,
}

/// Why a plan is in or out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Why {
    /// The official decided so.
    Steered,
    /// In: the best choice without it has fewer points, by this many hundredths; 0 where it is as good but costs more or
    /// takes plans that come later.
    Needed {
        /// Hundredths of a point.
        loss: u64,
    },
    /// Out: it costs more than is left beside what is decided.
    TooDear {
        /// Dollars short.
        short: Money,
    },
    /// Out: the best choice with it has fewer points, by this many hundredths, and leaves these plans out.
    Displaces {
        /// Hundredths of a point.
        loss: u64,
        /// Governments that would lose their place.
        plans: Vec<String>,
    },
}

/// A choice that can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllotError {
    /// Too many plans.
    #[error("{0} plans are more than {MOST_PLANS}; choose among fewer")]
    TooMany(usize),
    /// An amount or points that can't be.
    #[error("`{0}` has an amount or points that can't be; an amount is at least a dollar")]
    OutOfBounds(String),
    /// A plan that stands twice.
    #[error("`{0}` stands twice; keep one")]
    Twice(String),
    /// The budget is below zero.
    #[error("a budget can't be below zero; write the dollars there are")]
    NoBudget,
    /// What is decided costs more than there is.
    #[error("the plans decided to be in cost {} more than the budget; take one out", .0.grouped())]
    Overspent(Money),
}

/// A set of plans: what it costs, its points, and its plans as bits, the first of the list highest.
#[derive(Clone, Copy, Debug)]
struct Set {
    cost: i64,
    value: u64,
    plans: u64,
}

/// The best choice within a budget.
///
/// # Errors
/// [`AllotError`] for too many plans, amounts out of bounds and decisions that the budget can't hold.
pub fn allot(candidates: &[Candidate], budget: Money) -> Result<Allotment, AllotError> {
    if candidates.len() > MOST_PLANS {
        return Err(AllotError::TooMany(candidates.len()));
    }
    if budget.0 < 0 {
        return Err(AllotError::NoBudget);
    }
    for (index, one) in candidates.iter().enumerate() {
        if !(1..=crate::funding::MOST.0).contains(&one.amount.0) || one.value > MOST_VALUE {
            return Err(AllotError::OutOfBounds(one.government.clone()));
        }
        if candidates
            .iter()
            .take(index)
            .any(|other| other.government == one.government)
        {
            return Err(AllotError::Twice(one.government.clone()));
        }
    }
    let steer: Vec<Steer> = candidates.iter().map(|one| one.steer).collect();
    let Some(best) = choose(candidates, &steer, budget.0) else {
        return Err(AllotError::Overspent(Money(decided(candidates) - budget.0)));
    };
    let room = budget.0 - decided(candidates);
    let verdicts = candidates.iter().enumerate().map(|(at, one)| {
        let funded = best.plans & bit(at) != 0;
        Verdict {
            government: one.government.clone(),
            funded,
            why: why(candidates, &steer, at, budget.0, room, best),
        }
    });
    Ok(Allotment {
        spent: Money(best.cost),
        left: Money(budget.0 - best.cost),
        value: best.value,
        verdicts: verdicts.collect(),
    })
}

/// What the plans decided to be in cost.
fn decided(candidates: &[Candidate]) -> i64 {
    let inside = candidates.iter().filter(|one| one.steer == Steer::In);
    inside.map(|one| one.amount).sum::<Money>().0
}

fn why(candidates: &[Candidate], steer: &[Steer], at: usize, budget: i64, room: i64, best: Set) -> Why {
    let Some(one) = candidates.get(at).filter(|one| one.steer == Steer::Free) else {
        return Why::Steered;
    };
    let funded = best.plans & bit(at) != 0;
    let mut other = steer.to_vec();
    if let Some(decision) = other.get_mut(at) {
        *decision = if funded { Steer::Out } else { Steer::In };
    }
    match choose(candidates, &other, budget) {
        Some(without) if funded => Why::Needed {
            loss: best.value - without.value,
        },
        Some(with) => {
            let lost = |(index, _): &(usize, &Candidate)| (best.plans & !with.plans) & bit(*index) != 0;
            let plans = candidates
                .iter()
                .enumerate()
                .filter(lost)
                .map(|(_, one)| one.government.clone());
            Why::Displaces {
                loss: best.value - with.value,
                plans: plans.collect(),
            }
        }
        None => Why::TooDear {
            short: Money(one.amount.0 - room),
        },
    }
}

/// The bit of a place in the list.
fn bit(at: usize) -> u64 {
    1 << (63 - at.min(63))
}

/// The best set under decisions; `None` where these cost more than the budget.
fn choose(candidates: &[Candidate], steer: &[Steer], budget: i64) -> Option<Set> {
    let mut start = Set {
        cost: 0,
        value: 0,
        plans: 0,
    };
    let mut free = Vec::new();
    for (at, (one, decision)) in candidates.iter().zip(steer).enumerate() {
        let set = Set {
            cost: one.amount.0,
            value: u64::from(one.value),
            plans: bit(at),
        };
        match decision {
            Steer::In => start = join(start, set),
            Steer::Free => free.push(set),
            Steer::Out => {}
        }
    }
    if start.cost > budget {
        return None;
    }
    // the most points a dollar first, so that the bound is tight from early on
    free.sort_by(|a, b| {
        let (left, right) = (
            i128::from(a.value) * i128::from(b.cost),
            i128::from(b.value) * i128::from(a.cost),
        );
        right.cmp(&left).then(b.plans.cmp(&a.plans))
    });
    let mut known = start.value;
    let mut greedy = start;
    for set in &free {
        if greedy.cost + set.cost <= budget {
            greedy = join(greedy, *set);
            known = known.max(greedy.value);
        }
    }
    let mut sets = vec![start];
    for (at, next) in free.iter().enumerate() {
        let rest = free.get(at + 1..).unwrap_or_default();
        let bound = Bound::of(rest);
        let grown = sets
            .iter()
            .map(|set| join(*set, *next))
            .filter(|set| set.cost <= budget);
        let mut merged: Vec<Set> = Vec::with_capacity(sets.len() * 2);
        for set in merge(&sets, grown) {
            // cheaper sets come first: one that costs more must have more points
            if merged.last().is_none_or(|last| set.value > last.value)
                && set.value + bound.of_room(budget - set.cost) >= known
            {
                known = known.max(set.value);
                merged.push(set);
            }
        }
        sets = merged;
    }
    sets.last().copied()
}

fn join(a: Set, b: Set) -> Set {
    Set {
        cost: a.cost + b.cost,
        value: a.value + b.value,
        plans: a.plans | b.plans,
    }
}

/// Two lists sorted by cost as one: of equal cost the more points first, of those the plans that come first.
fn merge(sets: &[Set], grown: impl Iterator<Item = Set>) -> impl Iterator<Item = Set> {
    let mut old = sets.iter().copied().peekable();
    let mut grown = grown.peekable();
    let before = |a: &Set, b: &Set| {
        (a.cost, std::cmp::Reverse((a.value, a.plans))) <= (b.cost, std::cmp::Reverse((b.value, b.plans)))
    };
    std::iter::from_fn(move || match (old.peek(), grown.peek()) {
        (Some(a), Some(b)) if before(a, b) => old.next(),
        (_, Some(_)) => grown.next(),
        (Some(_), None) => old.next(),
        (None, None) => None,
    })
}

/// Dantzig's bound of what is still to come: whole plans by points a dollar, the last in part.
struct Bound {
    /// Cost and points of the first plans together, from none on.
    sums: Vec<(i64, u64)>,
    /// The plan after them.
    next: Vec<Set>,
}

impl Bound {
    fn of(rest: &[Set]) -> Bound {
        let mut sum = (0, 0);
        let mut sums = vec![sum];
        for set in rest {
            sum = (sum.0 + set.cost, sum.1 + set.value);
            sums.push(sum);
        }
        Bound {
            sums,
            next: rest.to_vec(),
        }
    }

    /// Points that this many dollars could buy at most.
    fn of_room(&self, room: i64) -> u64 {
        let whole = self.sums.partition_point(|(cost, _)| *cost <= room).saturating_sub(1);
        let (cost, value) = self.sums.get(whole).copied().unwrap_or((0, 0));
        let part = self.next.get(whole).map_or(0, |next| {
            let part = i128::from(room - cost) * i128::from(next.value) / i128::from(next.cost.max(1));
            u64::try_from(part).unwrap_or(0)
        });
        value + part
    }
}
