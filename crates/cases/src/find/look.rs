//! Where every service stands on what is known, and what to ask next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rules::{Decision, Entity, InputRef};
use serde_json::Value;
use services::form::{APPLICANT, Answer, Answers, Field, Form, InputName, Page, Source};
use services::{Catalogue, Fact, Service};

use super::state::{Asked, Screening};

/// The person nobody has named yet: as long as the family is not complete there may be one more of whom nothing is known, so
/// that no outcome is decided which a further person could change.
const UNNAMED: &str = "p0";

/// What to ask next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Who belongs to the family.
    Family,
    /// A fact.
    Question(Asked),
}

impl Next {
    /// Its name in addresses.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Next::Family => super::FAMILY.to_owned(),
            Next::Question(asked) => asked.address(),
        }
    }
}

/// A fact an open outcome waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open {
    /// Who belongs to the family.
    Family,
    /// A fact that can be asked, or that the person does not know.
    Fact(Asked),
}

/// Where one service stands.
pub struct Standing {
    /// The service.
    pub service: Arc<Service>,
    /// What its rules say of what is known; None where they have no answer to such facts.
    pub decision: Option<Decision>,
    /// What an outcome not known yet waits for, the most decisive first.
    pub open: Vec<Open>,
    /// The answers as its form would hold them.
    pub answers: Answers,
}

impl Standing {
    /// Whether the person is entitled; None while that is not known.
    #[must_use]
    pub fn outcome(&self) -> Option<bool> {
        self.decision.as_ref().and_then(|decision| decision.outcome)
    }
}

/// Where everything stands.
pub struct View {
    /// Each service, by folder name.
    pub standings: Vec<Standing>,
    /// All questions an open outcome waits for, the one worth most first; none when nothing is left that could be asked.
    pub questions: Vec<Next>,
}

impl View {
    /// The next question.
    #[must_use]
    pub fn next(&self) -> Option<&Next> {
        self.questions.first()
    }
}

/// Decides every service on what is known, under the law of a day, and finds the next question.
///
/// Each open outcome is one whole. It is shared among the inputs it waits for by how much each decides; a question is worth
/// the sum of its shares over all services, which is the number of outcomes it is expected to settle if every part were as
/// likely as its weight to be the one that settles. The question worth most is asked; of equals the first in the order of
/// services, pages and persons.
#[must_use]
pub fn look(catalogue: &Catalogue, screening: &Screening, today: Date) -> View {
    let mut standings = Vec::new();
    let mut worth = Worth::default();
    for service in catalogue.all() {
        let events = &service.meta.life_events;
        if screening.event.as_ref().is_some_and(|event| !events.contains(event)) {
            continue;
        }
        standings.push(standing(catalogue, service, screening, today, &mut worth));
    }
    View {
        standings,
        questions: worth.sorted(),
    }
}

/// What questions are worth, in the order in which they were first met.
#[derive(Default)]
struct Worth {
    of: BTreeMap<String, usize>,
    list: Vec<(Next, f64)>,
}

impl Worth {
    fn add(&mut self, next: Next, share: f64) {
        let place = *self.of.entry(next.address()).or_insert(self.list.len());
        match self.list.get_mut(place) {
            Some((_, sum)) => *sum += share,
            None => self.list.push((next, share)),
        }
    }

    /// The questions, most worth first; of equals the first met.
    fn sorted(mut self) -> Vec<Next> {
        // sums of shares differ by a hair's breadth where they are equal; what is counted is millionths
        self.list
            .sort_by(|(_, one), (_, other)| (other * 1e6).round().total_cmp(&(one * 1e6).round()));
        self.list.into_iter().map(|(next, _)| next).collect()
    }
}

fn standing(
    catalogue: &Catalogue,
    service: &Arc<Service>,
    screening: &Screening,
    today: Date,
    worth: &mut Worth,
) -> Standing {
    let form = &service.form;
    let answers = answers(catalogue, service, screening);
    let mut seen = answers.clone();
    if let Some(group) = form.person_group().filter(|_| !screening.complete) {
        seen.items.entry(group.id.clone()).or_default().push(UNNAMED.to_owned());
    }
    let Ok((decision, weights)) = service.rules.weigh(&form.case_input(&seen), today) else {
        return Standing {
            service: Arc::clone(service),
            decision: None,
            open: Vec::new(),
            answers,
        };
    };
    let mut open = Vec::new();
    if decision.outcome.is_none() {
        let fields = asked(form, &seen, &decision);
        let all: f64 = weights.iter().sum();
        for (input, weight) in decision.waiting.iter().zip(&weights) {
            let share = if all > 0.0 { weight / all } else { 0.0 };
            let found = if input.person.as_deref() == Some(UNNAMED) {
                Open::Family
            } else {
                match question(catalogue, service, input) {
                    Some(asked) => Open::Fact(asked),
                    None => continue,
                }
            };
            match &found {
                Open::Family => worth.add(Next::Family, share),
                Open::Fact(asked) if screening.said(asked).is_none() && fields.contains(&name(input)) => {
                    worth.add(Next::Question(asked.clone()), share);
                }
                Open::Fact(_) => {}
            }
            if !open.contains(&found) {
                open.push(found);
            }
        }
    }
    Standing {
        service: Arc::clone(service),
        decision: Some(decision),
        open,
        answers,
    }
}

/// An input of a decision by person, entity and name.
fn name(input: &InputRef) -> (Option<String>, String) {
    (input.person.clone(), format!("{}.{}", input.entity, input.name))
}

/// The inputs that the form would ask for now: conditions of its pages hold, and the decision waits for them.
fn asked(form: &Form, answers: &Answers, decision: &Decision) -> BTreeSet<(Option<String>, String)> {
    let questions = form.questions(answers, decision).into_iter();
    questions
        .filter_map(|question| {
            let input = question.field.input.as_ref()?;
            let person = match input.entity {
                Entity::Person => question.key.split('.').nth(1).map(str::to_owned),
                Entity::Household | Entity::Case => None,
            };
            Some((person, format!("{}.{}", input.entity, input.name)))
        })
        .collect()
}

/// The question an input of a service is.
fn question(catalogue: &Catalogue, service: &Service, input: &InputRef) -> Option<Asked> {
    let fact = catalogue.vocabulary().of_input(
        &service.id,
        &InputName {
            entity: input.entity,
            name: input.name.clone(),
        },
    )?;
    Some(of(fact, input.person.as_deref()))
}

/// The question about a fact: of the person, or of the applicant where a service does not ask it of persons.
fn of(fact: &Fact, person: Option<&str>) -> Asked {
    Asked {
        fact: fact.id.clone(),
        person: (fact.entity == Entity::Person).then(|| person.unwrap_or(APPLICANT).to_owned()),
    }
}

/// The answers as the form of a service would hold them.
pub(super) fn answers(catalogue: &Catalogue, service: &Service, screening: &Screening) -> Answers {
    let form = &service.form;
    let mut answers = Answers::new(form);
    let group = form.person_group();
    if let Some(group) = group {
        let items = screening.members.iter().map(|member| member.id.clone());
        answers
            .items
            .insert(group.id.clone(), items.take(group.max.max(1)).collect());
    }
    let mut found: Vec<(String, Answer)> = Vec::new();
    for place in form.all_places(&answers) {
        for field in &place.page.fields {
            let fact = field
                .input
                .as_ref()
                .and_then(|input| catalogue.vocabulary().of_input(&service.id, input));
            let Some(fact) = fact else { continue };
            let Some(said) = screening.said(&of(fact, place.item.as_deref())) else {
                continue;
            };
            if let Some(value) = said.value.as_ref().and_then(|value| fact.value_in(field, value)) {
                found.push((place.key(field), answer(value, &said.source, said.at)));
            }
        }
    }
    answers.values.extend(found);
    answers
}

fn answer(value: Value, source: &Source, at: Timestamp) -> Answer {
    Answer {
        value,
        source: source.clone(),
        at,
        changed_from: None,
    }
}

/// The field that asks for a fact, with its page.
#[must_use]
pub fn field<'a>(catalogue: &'a Catalogue, asked: &Asked) -> Option<(&'a Page, &'a Field)> {
    let fact = catalogue.vocabulary().fact(&asked.fact)?;
    let asker = catalogue.get(&fact.asked_in).and_then(|service| fact.field_in(service));
    asker.or_else(|| {
        let mut services = fact.inputs.keys().filter_map(|id| catalogue.get(id));
        services.find_map(|service| fact.field_in(service))
    })
}
