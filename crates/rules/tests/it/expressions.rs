//! Every expression of the table, alone as at the counter and swept as a population, and its errors.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use rules::{CaseInput, Entity, RuleSet, Type};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kit::{Folder, ON, case, rules, step};

const TABLE: &str = include_str!("expressions.toml");

#[derive(Deserialize)]
struct File {
    case: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    sql: String,
    #[serde(default)]
    entity: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    given: Value,
    #[serde(default)]
    others: Vec<Value>,
    #[serde(default)]
    household: Value,
    #[serde(default)]
    case: Value,
    #[serde(default)]
    value: Value,
    /// b, c and the value, many at once; `"null"` is not known.
    #[serde(default)]
    table: Vec<[Value; 3]>,
}

/// A rule set of one expression. The outcome is its truth, or else whether it is known; a whole number is an amount too.
fn set(sql: &str, entity: &str, kind: &str) -> (Folder, RuleSet) {
    let value = match entity {
        "person" => "applicant.value",
        "household" => "household.value",
        _ => "value",
    };
    let outcome = if kind == "boolean" {
        value.to_owned()
    } else {
        format!("{value} IS NOT NULL")
    };
    let amount = if kind == "integer" { value } else { "0" };
    let steps = [
        step("value", entity, sql),
        step("outcome", "case", &outcome),
        step("amount", "case", amount),
    ];
    let folder = Folder::new(&rules(
        "outcome = \"outcome\"\namounts = [\"amount\"]",
        &steps.join("\n"),
    ));
    let set = folder.load().unwrap_or_else(|mistakes| panic!("{sql}: {mistakes:?}"));
    (folder, set)
}

/// A population of one household.
fn population(set: &RuleSet, input: &CaseInput) -> rules::Population {
    let rows = input.persons.len();
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("household".to_owned(), Arc::new(Int64Array::from(vec![1; rows]))),
        (
            "applicant".to_owned(),
            Arc::new(
                input
                    .persons
                    .iter()
                    .map(|person| Some(person.applicant))
                    .collect::<BooleanArray>(),
            ),
        ),
    ];
    for fact in set.inputs() {
        let values = input.persons.iter().map(|person| {
            let values = match fact.entity {
                Entity::Person => &person.values,
                Entity::Household => &input.household,
                Entity::Case => &input.case,
            };
            values.get(&fact.name).cloned().unwrap_or_default()
        });
        let array: ArrayRef = match fact.kind {
            Type::Integer => Arc::new(values.map(|value| value.as_i64()).collect::<Int64Array>()),
            Type::Boolean => Arc::new(values.map(|value| value.as_bool()).collect::<BooleanArray>()),
            _ => Arc::new(
                values
                    .map(|value| value.as_str().map(str::to_owned))
                    .collect::<StringArray>(),
            ),
        };
        let name = match fact.entity {
            Entity::Person => fact.name.clone(),
            entity => format!("{entity}.{}", fact.name),
        };
        columns.push((name, array));
    }
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    set.population(&[RecordBatch::try_from_iter_with_nullable(columns).unwrap()])
        .unwrap()
}

fn facts(b: Value, c: Value) -> Value {
    json!({ "b": b, "c": c })
}

fn null(value: &Value) -> Value {
    if value == "null" { Value::Null } else { value.clone() }
}

#[test]
fn every_expression_gives_what_the_table_says_alone_and_swept() {
    let file: File = toml::from_str(TABLE).unwrap();
    let mut count = 0;
    for row in &file.case {
        let entity = row.entity.as_deref().unwrap_or("person");
        let (_folder, set) = set(&row.sql, entity, &row.kind);
        let mut runs: Vec<(CaseInput, Value)> = Vec::new();
        if row.table.is_empty() {
            let persons: Vec<Value> = std::iter::once(&row.given).chain(&row.others).cloned().collect();
            runs.push((
                case(&persons, row.household.clone(), row.case.clone()),
                row.value.clone(),
            ));
        }
        for [b, c, value] in &row.table {
            runs.push((case(&[facts(null(b), null(c))], json!({}), json!({})), null(value)));
        }
        for (input, wanted) in runs {
            count += 1;
            let decision = set
                .decide(&input, ON)
                .unwrap_or_else(|error| panic!("{}: {error}", row.sql));
            let found = decision
                .steps
                .iter()
                .find(|step| step.name == "value" && step.person.as_deref().is_none_or(|person| person == "p1"));
            assert_eq!(found.unwrap().value, wanted, "{}", row.sql);
            let swept = set.sweep(&population(&set, &input), ON).unwrap();
            let outcome = swept.outcome.is_valid(0).then(|| swept.outcome.value(0));
            assert_eq!(outcome, decision.outcome, "{} swept", row.sql);
            let amount = &swept.amounts["amount"];
            let amount = amount.is_valid(0).then(|| amount.value(0));
            assert_eq!(amount, decision.amounts["amount"], "{} swept", row.sql);
        }
    }
    assert!(count > 80, "{count}");
}

#[test]
fn arithmetic_without_a_result_names_its_step() {
    let most = i64::MAX;
    for (sql, given, reason) in [
        ("i / j", json!({ "i": 1, "j": 0 }), "it divides by zero"),
        ("i % j", json!({ "i": 1, "j": 0 }), "it divides by zero"),
        ("i + j", json!({ "i": most, "j": 1 }), "a number is too large"),
        ("i * j", json!({ "i": most, "j": 2 }), "a number is too large"),
        ("-i", json!({ "i": i64::MIN }), "a number is too large"),
        (
            "add_days(x, i)",
            json!({ "x": "2026-01-01", "i": most }),
            "a number is too large",
        ),
    ] {
        let kind = if sql.starts_with("add") { "date" } else { "integer" };
        let (_folder, set) = set(sql, "person", kind);
        let error = set
            .decide(&case(&[given], json!({}), json!({})), ON)
            .unwrap_err()
            .to_string();
        assert!(error.contains("value") && error.contains(reason), "{sql}: {error}");
    }
    let (_folder, set) = set("SUM(person.i)", "household", "integer");
    let persons = [json!({ "i": most }), json!({ "i": most })];
    let error = set
        .decide(&case(&persons, json!({}), json!({})), ON)
        .unwrap_err()
        .to_string();
    assert!(error.contains("a number is too large"), "{error}");
}

#[test]
fn a_parameter_follows_its_dates() {
    let (_folder, set) = set("rate()", "person", "integer");
    let input = case(&[json!({})], json!({}), json!({}));
    for (day, value) in [
        ("2025-01-01", 10),
        ("2025-12-31", 10),
        ("2026-01-01", 20),
        ("2026-12-31", 20),
        ("2027-01-01", 30),
        ("2099-01-01", 30),
    ] {
        let decision = set.decide(&input, day.parse().unwrap()).unwrap();
        assert_eq!(decision.amounts["amount"], Some(value), "{day}");
    }
    let error = set
        .decide(&input, "2024-12-31".parse().unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("rate") && error.contains("2024-12-31"), "{error}");
}
