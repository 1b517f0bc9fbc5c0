//! One decision with its explanation.

use crate::error::RuleError;
use crate::explain;
use crate::frame::Frame;
use crate::input::{self, CaseInput};
use crate::model::{Entity, InputRef, Type};
use crate::plan::Plan;
use crate::rules::Rules;
use crate::symbols::Texts;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Int32Type, Int64Type};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the rules say of one case, and why.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether the applicant is entitled; `None` while that is not known yet.
    pub outcome: Option<bool>,
    /// Each amount in whole NT dollars; `None` while it is not known yet.
    pub amounts: BTreeMap<String, Option<i64>>,
    /// The value of every step, in the order of the rules; for a step of persons one for each person.
    pub steps: Vec<StepValue>,
    /// The conditions that are not met, for a refusal.
    pub failed: Vec<String>,
    /// The smallest set of them that alone explains the refusal.
    pub minimum: Vec<String>,
    /// The inputs an unknown outcome or amount still waits for, the most decisive first.
    pub waiting: Vec<InputRef>,
    /// The date whose law decided.
    pub reference_date: Date,
    /// The digest of the rules that decided.
    pub digest: String,
}

/// The value of a step.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct StepValue {
    /// The step.
    pub name: String,
    /// Whose value it is.
    pub entity: Entity,
    /// The person's id, for steps of persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The value; `null` while it is not known yet. Dates are texts such as `2025-11-24`, decimals texts such as `12.5000`.
    pub value: Value,
}

/// Says the outcome, and no values.
impl std::fmt::Debug for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decision")
            .field("outcome", &self.outcome)
            .field("failed", &self.failed)
            .field("minimum", &self.minimum)
            .field("waiting", &self.waiting)
            .field("reference_date", &self.reference_date)
            .finish_non_exhaustive()
    }
}

/// Says the step, not its value.
impl std::fmt::Debug for StepValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepValue")
            .field("name", &self.name)
            .field("person", &self.person)
            .finish_non_exhaustive()
    }
}

/// Decides one case; with the decision stands how much each of the inputs it waits for decides, in their order.
pub(crate) fn decide(rules: &Rules, plan: &Plan, input: &CaseInput) -> Result<(Decision, Vec<f64>), RuleError> {
    let mut texts = Texts::new(&rules.symbols);
    let mut frame = input::frame(rules, input, &mut texts)?;
    frame.run(rules, plan, &rules.all)?;
    let case_value = |place: usize| {
        let step = rules.steps.get(place)?;
        frame.column(Entity::Case, step.column)
    };
    let outcome = case_value(rules.outcome).and_then(|array| array.is_valid(0).then(|| array.as_boolean().value(0)));
    let mut amounts = BTreeMap::new();
    for place in &rules.amounts {
        if let (Some(info), Some(array)) = (rules.infos.get(*place), case_value(*place)) {
            let amount = array.is_valid(0).then(|| array.as_primitive::<Int64Type>().value(0));
            amounts.insert(info.name.clone(), amount);
        }
    }
    let (failed, minimum) = match outcome {
        Some(false) => explain::refusal(rules, plan, &frame)?,
        _ => Default::default(),
    };
    let (wanted, weights): (Vec<_>, Vec<f64>) = explain::waiting(rules, plan, &frame, outcome)?.into_iter().unzip();
    let waiting = wanted
        .into_iter()
        .map(|(entity, row, name)| InputRef {
            entity,
            person: match entity {
                Entity::Person => input.persons.get(row).map(|person| person.id.clone()),
                _ => None,
            },
            name,
        })
        .collect();
    let decision = Decision {
        outcome,
        amounts,
        steps: steps(rules, &frame, input, &texts),
        failed,
        minimum,
        waiting,
        reference_date: plan.on,
        digest: rules.digest.clone(),
    };
    Ok((decision, weights))
}

fn steps(rules: &Rules, frame: &Frame, input: &CaseInput, texts: &Texts<'_>) -> Vec<StepValue> {
    let mut values = Vec::new();
    for (step, info) in rules.steps.iter().zip(&rules.infos) {
        let Some(array) = frame.column(step.entity, step.column) else {
            continue;
        };
        for row in 0..array.len() {
            let person = match step.entity {
                Entity::Person => input.persons.get(row).map(|person| person.id.clone()),
                _ => None,
            };
            let value = value(array, row, info.kind, texts);
            values.push(StepValue {
                name: info.name.clone(),
                entity: step.entity,
                person,
                value,
            });
        }
    }
    values
}

/// A cell as JSON.
fn value(array: &ArrayRef, row: usize, kind: Type, texts: &Texts<'_>) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match kind {
        Type::Integer => Value::from(array.as_primitive::<Int64Type>().value(row)),
        Type::Boolean => Value::from(array.as_boolean().value(row)),
        Type::Decimal => Value::from(array.as_primitive::<Decimal128Type>().value_as_string(row)),
        Type::Text => texts
            .name(array.as_primitive::<Int32Type>().value(row))
            .map_or(Value::Null, Value::from),
        Type::Date => crate::calendar::date(array.as_primitive::<Date32Type>().value(row))
            .map_or(Value::Null, |date| Value::from(date.to_string())),
    }
}
