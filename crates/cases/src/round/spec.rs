//! What an approved application takes into a draw.

use std::collections::{BTreeMap, BTreeSet};

use lottery::Ticket;
use rules::{Decision, Entity};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services::form::Answers;
use services::round::{ALL, Round, Rounds};
use store::tables::{round_entry, ticket};
use uuid::Uuid;

use crate::record::Record;
use crate::{CaseError, Desk};

/// A ticket before it has a name in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spec {
    /// Seats by class.
    pub needs: BTreeMap<String, u32>,
    /// The group, 1 first.
    pub group: u32,
    /// More come first.
    pub points: u32,
    /// Whether reserved seats are for it too.
    pub reserved: bool,
    /// Places, the most wanted first.
    pub choices: Vec<String>,
    /// Another group at one place.
    #[serde(default)]
    pub group_at: BTreeMap<String, u32>,
}

impl Spec {
    pub fn read(text: &str) -> Result<Spec, CaseError> {
        serde_json::from_str(text).map_err(|error| CaseError::corrupt("ticket", &error))
    }

    pub fn ticket(self, mark: String) -> Ticket {
        Ticket {
            id: mark,
            priority: self.group,
            points: self.points,
            weight: 1,
            reserved: self.reserved,
            needs: self.needs,
            choices: self.choices,
            priority_at: self.group_at,
        }
    }
}

fn of_case<'a>(decision: &'a Decision, name: &str) -> Option<&'a Value> {
    let step = decision
        .steps
        .iter()
        .find(|step| step.name == name && step.person.is_none());
    step.map(|step| &step.value).filter(|value| !value.is_null())
}

fn whole(decision: &Decision, name: Option<&String>) -> Option<u32> {
    let number = of_case(decision, name?)?.as_i64()?;
    Some(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

/// Seats by class: of persons one for each who has a class, of the case one.
fn needs(rounds: &Rounds, decision: &Decision) -> BTreeMap<String, u32> {
    let Some(class) = &rounds.class else {
        return BTreeMap::from([(ALL.to_owned(), 1)]);
    };
    let mut needs = BTreeMap::new();
    for step in decision.steps.iter().filter(|step| step.name == *class) {
        if let (Entity::Person | Entity::Case, Some(class)) = (step.entity, step.value.as_str()) {
            *needs.entry(class.to_owned()).or_insert(0) += 1;
        }
    }
    needs
}

/// What an application takes into a draw, for each set of places it chose from.
pub(super) fn specs(rounds: &Rounds, round: &Round, answers: &Answers, decision: &Decision) -> Vec<(String, Spec)> {
    let needs = needs(rounds, decision);
    if needs.is_empty() {
        return Vec::new();
    }
    let may = |place: &str| {
        let open = rounds.open.as_ref().map(|pattern| Rounds::named(pattern, place));
        let open = open.is_none_or(|step| of_case(decision, &step) == Some(&Value::Bool(true)));
        let seats = round.seats.get(place);
        open && seats.is_some_and(|seats| needs.keys().all(|class| seats.contains_key(class)))
    };
    let mut seen = BTreeSet::new();
    let chosen: Vec<&str> = rounds
        .choices
        .iter()
        .filter_map(|field| answers.value(field)?.as_str())
        .filter(|place| seen.insert(*place) && may(place))
        .collect();
    let group_at: BTreeMap<String, u32> = rounds
        .group_at
        .as_ref()
        .and_then(|at| {
            let place = of_case(decision, &at.place)?.as_str()?.to_owned();
            Some((place, whole(decision, Some(&at.group))?))
        })
        .into_iter()
        .collect();
    let mut found: Vec<(String, Spec)> = Vec::new();
    for set in rounds.sets() {
        let of_set = |place: &&str| rounds.place(place).is_some_and(|place| place.set == set);
        let choices: Vec<String> = chosen.iter().copied().filter(of_set).map(str::to_owned).collect();
        if choices.is_empty() {
            continue;
        }
        let mut group_at = group_at.clone();
        group_at.retain(|place, _| choices.contains(place));
        let spec = Spec {
            needs: needs.clone(),
            group: whole(decision, rounds.group.as_ref()).unwrap_or(1),
            points: whole(decision, rounds.points.as_ref()).unwrap_or(0),
            reserved: rounds
                .reserved
                .as_ref()
                .is_some_and(|step| of_case(decision, step) == Some(&Value::Bool(true))),
            choices,
            group_at,
        };
        found.push((set.to_owned(), spec));
    }
    found
}

/// The tickets of an application that was just approved; none for a service without rounds.
pub(crate) async fn tickets(
    desk: &Desk,
    record: &Record,
    decision: &Decision,
) -> Result<Vec<ticket::Model>, CaseError> {
    let Some(rounds) = &record.service.rounds else {
        return Ok(Vec::new());
    };
    let entries = round_entry::of_application(desk.store.read(), record.row.id).await?;
    let Some(round) = entries.first().and_then(|entry| rounds.round(&entry.round)) else {
        return Ok(Vec::new());
    };
    let now = desk.now().as_microsecond();
    let mut rows = Vec::new();
    for (set, spec) in specs(rounds, round, &record.answers, decision) {
        rows.push(ticket::Model {
            id: Uuid::new_v4(),
            service: record.service.id.clone(),
            round: round.id.clone(),
            place_set: set,
            application_id: record.row.id,
            mark: None,
            spec: serde_json::to_string(&spec).map_err(|error| CaseError::corrupt("ticket", &error))?,
            state: ticket::State::Qualified,
            held: None,
            due: None,
            made_at: now,
            changed_at: now,
            revision: 1,
        });
    }
    Ok(rows)
}
