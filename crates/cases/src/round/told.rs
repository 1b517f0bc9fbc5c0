//! What a letter tells of a round (梯次): its name and day, the places chosen, the kind of seat and who needs one.

use std::collections::BTreeSet;

use civic::{Language, roc};
use rules::{Decision, Entity};
use serde_json::{Value, json};
use store::tables::round_entry;

use super::spec::specs;
use crate::record::Record;
use crate::{CaseError, Desk};

/// The round of an application for its letters, by the names that people read; nothing for a service without rounds.
///
/// # Errors
/// The store's.
pub(crate) async fn told(desk: &Desk, record: &Record, decision: &Decision) -> Result<Option<Value>, CaseError> {
    let Some(rounds) = &record.service.rounds else {
        return Ok(None);
    };
    let entries = round_entry::of_application(desk.store.read(), record.row.id).await?;
    let Some(round) = entries.first().and_then(|entry| rounds.round(&entry.round)) else {
        return Ok(None);
    };
    let language = Language::ZhTw;
    let specs = specs(rounds, round, &record.answers, decision);
    let taking: BTreeSet<&str> = specs
        .iter()
        .flat_map(|(_, spec)| spec.choices.iter().map(String::as_str))
        .collect();
    let mut seen = BTreeSet::new();
    // who takes part reads the places they take part for; who is refused, those they chose
    let choices: Vec<&str> = rounds
        .choices
        .iter()
        .filter_map(|field| record.answers.value(field)?.as_str())
        .filter(|place| (taking.is_empty() || taking.contains(place)) && seen.insert(*place))
        .filter_map(|place| rounds.place(place))
        .map(|place| place.name.get(language))
        .collect();
    let needs: BTreeSet<&str> = specs
        .iter()
        .flat_map(|(_, spec)| spec.needs.keys().map(String::as_str))
        .collect();
    let classes: Vec<&str> = rounds
        .class_order
        .iter()
        .filter(|class| needs.contains(class.as_str()))
        .filter_map(|class| rounds.classes.get(class))
        .map(|name| name.get(language))
        .collect();
    Ok(Some(json!({
        "name": round.name.get(language),
        "draw": roc::plain(round.draw),
        "choices": choices,
        "classes": classes,
        "persons": persons(record, decision, rounds.class.as_deref(), language),
    })))
}

/// The names of the persons who need a seat themselves, such as the student or the children of a family.
fn persons(record: &Record, decision: &Decision, class: Option<&str>, language: Language) -> Vec<String> {
    let form = &record.service.form;
    let (Some(class), Some(group)) = (class, form.person_group()) else {
        return Vec::new();
    };
    decision
        .steps
        .iter()
        .filter(|step| step.name == class && step.entity == Entity::Person && !step.value.is_null())
        .filter_map(|step| step.person.as_ref())
        .map(|person| form.item_name(&group.id, person, &record.answers, language))
        .collect()
}
