//! A decision in words a layperson can follow: what it comes to, and every step with its article.

use cases::State as CaseState;
use civic::Money;
use rules::{Decision, Entity, StepInfo, StepValue, Type};
use serde_json::Value;
use services::Service;
use services::form::Answers;

use crate::components::{Finding, Mark, Outcome, Reason, Reasons};
use crate::texts::Words;

/// The sentence and the amounts. `state` says whether it is an expectation or the decision.
pub(crate) fn outcome(words: Words, service: &Service, decision: &Decision, state: CaseState) -> Outcome {
    let decided = matches!(state, CaseState::Completed | CaseState::Disposed);
    let (finding, stem) = match decision.outcome {
        Some(true) => (Finding::Good, "good"),
        Some(false) => (Finding::Bad, "bad"),
        None => (Finding::Open, "open"),
    };
    let when = match (decided, &service.rounds) {
        // an approval opens the way to the draw; whether there is a place is said beside the ticket
        (true, Some(_)) if finding == Finding::Good => "drawn",
        (true, _) => "decided",
        (false, _) => "expected",
    };
    // an amount of zero is one that is not paid
    let amounts = decision.amounts.iter().filter_map(|(name, amount)| {
        let amount = amount.filter(|amount| *amount > 0)?;
        let title = service
            .rules
            .steps()
            .iter()
            .find(|step| step.name == *name)?
            .title
            .get(words.language);
        Some((title.to_owned(), words.money(amount)))
    });
    Outcome {
        finding,
        title: words.t(&format!("outcome-{when}-{stem}")),
        amounts: amounts
            .filter(|_| finding == Finding::Good && when != "drawn")
            .collect(),
        text: words.t(&format!("outcome-{when}-{stem}-text")),
    }
}

/// Every step. Conditions come first; of figures those that are known.
pub(crate) fn reasons(words: Words, service: &Service, decision: &Decision, answers: &Answers) -> Reasons {
    let steps = service.rules.steps();
    let mut reasons: Vec<Reason> = Vec::new();
    let mut at = 0;
    for value in &decision.steps {
        // values come in the order of the steps, several for a step of persons
        while steps
            .get(at)
            .is_some_and(|step| step.name != value.name || step.entity != value.entity)
        {
            at += 1;
        }
        let Some(step) = steps.get(at) else { break };
        reasons.extend(reason(words, service, step, value, decision, answers));
    }
    Reasons { words, reasons }
}

fn reason(
    words: Words,
    service: &Service,
    step: &StepInfo,
    value: &StepValue,
    decision: &Decision,
    answers: &Answers,
) -> Option<Reason> {
    let mark = match (step.is_condition, &value.value) {
        // a condition is the applicant's; the same step of other persons decides nothing
        (true, _) if step.entity == Entity::Person && value.person.as_deref() != Some(services::form::APPLICANT) => {
            return None;
        }
        (true, Value::Bool(true)) => Mark::Met,
        // of an outcome that is good, what does not hold is told only where the rules name it, and not as a failure
        (true, Value::Bool(false)) if decision.outcome != Some(true) => Mark::Failed,
        (true, Value::Bool(false)) if decision.failed.contains(&step.name) => Mark::Aside,
        (true, Value::Bool(false)) => return None,
        (true, _) if decision.outcome.is_some() => Mark::Aside,
        (true, _) => Mark::Open,
        (false, Value::Null) => return None,
        (false, _) if step.kind == Type::Boolean => return None,
        (false, _) => Mark::Figure,
    };
    let group = service.form.person_group();
    let person = value
        .person
        .as_ref()
        .zip(group)
        .map(|(item, group)| service.form.item_name(&group.id, item, answers, words.language));
    let is_money =
        decision.amounts.contains_key(&step.name) || step.unit.as_deref().is_some_and(|unit| unit.starts_with("NT$"));
    let shown = match &value.value {
        _ if step.is_condition => String::new(),
        Value::Number(number) => match number.as_i64() {
            Some(amount) if is_money => words.money(amount),
            Some(amount) => Money(amount).grouped(),
            None => number.to_string(),
        },
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    Some(Reason {
        mark,
        title: step.title.get(words.language).to_owned(),
        person,
        law: step.law.clone(),
        value: shown,
    })
}
