//! The order of plans (優先順序): what must come first, then urgency, feasibility and score, and why each stands where it does.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

/// What the order goes by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// The government.
    pub government: String,
    /// Necessary (必要).
    pub necessary: bool,
    /// Feasible (可行).
    pub feasible: bool,
    /// The government could pay it from its own budget of the year.
    pub own_budget: bool,
    /// Urgency, a higher number is more urgent.
    pub urgency: u8,
    /// Feasibility, a higher number is more feasible.
    pub feasibility: u8,
    /// Score in hundredths of a point, raw or adjusted as the panel decides.
    pub score: i64,
}

/// A place in the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ranked {
    /// From 1; plans that nothing tells apart share a place.
    pub place: usize,
    /// The government.
    pub government: String,
    /// What puts it behind the one before; none for the first.
    pub behind: Option<Behind>,
}

/// Why a plan stands behind the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behind {
    /// The other is necessary, feasible and can't be paid from the own budget (捌、一); this one is not all of that.
    Priority,
    /// The other is more urgent.
    Urgency,
    /// The other is more feasible.
    Feasibility,
    /// The other has the higher score.
    Score,
    /// Nothing: they share a place.
    Equal,
}

impl Standing {
    /// Whether it comes first by the programme (捌、一).
    #[must_use]
    pub fn has_priority(&self) -> bool {
        self.necessary && self.feasible && !self.own_budget
    }

    fn key(&self) -> (Reverse<bool>, Reverse<u8>, Reverse<u8>, Reverse<i64>) {
        (
            Reverse(self.has_priority()),
            Reverse(self.urgency),
            Reverse(self.feasibility),
            Reverse(self.score),
        )
    }
}

/// The order. Plans that share a place stand in the order of their governments' ids.
#[must_use]
pub fn rank(standings: &[Standing]) -> Vec<Ranked> {
    let mut sorted: Vec<&Standing> = standings.iter().collect();
    sorted.sort_by(|a, b| (a.key(), &a.government).cmp(&(b.key(), &b.government)));
    let mut ranked: Vec<Ranked> = Vec::with_capacity(sorted.len());
    let mut before: Option<&Standing> = None;
    for (index, standing) in sorted.into_iter().enumerate() {
        let behind = before.map(|before| behind(before, standing));
        let place = match (behind, ranked.last()) {
            (Some(Behind::Equal), Some(last)) => last.place,
            _ => index + 1,
        };
        ranked.push(Ranked {
            place,
            government: standing.government.clone(),
            behind,
        });
        before = Some(standing);
    }
    ranked
}

fn behind(before: &Standing, this: &Standing) -> Behind {
    if before.has_priority() != this.has_priority() {
        Behind::Priority
    } else if before.urgency != this.urgency {
        Behind::Urgency
    } else if before.feasibility != this.feasibility {
        Behind::Feasibility
    } else if before.score != this.score {
        Behind::Score
    } else {
        Behind::Equal
    }
}
