//! Every expression of the table, alone as at the counter and swept as a population; and the dates of parameters.

use std::collections::BTreeSet;

use rules::{CaseInput, RuleSet, StepValue};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kit::{Folder, ON, both_ways, case, rules, step};

const TABLE: &str = include_str!("expressions.toml");

#[derive(Deserialize)]
struct File {
    case: Vec<Row>,
}

/// An expression and what it gives: of one case, or of several under `rows` or `table`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    sql: String,
    #[serde(default = "person")]
    entity: String,
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
    /// Why it has no value.
    error: Option<String>,
    /// Facts of applicants, and the value of each; left out is not known.
    #[serde(default)]
    rows: Vec<Run>,
    /// b, c and the value, many at once; `"null"` is not known.
    #[serde(default)]
    table: Vec<[Value; 3]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    given: Value,
    #[serde(default)]
    value: Value,
}

fn person() -> String {
    "person".to_owned()
}

impl Row {
    /// The cases, and the value of each.
    fn runs(&self) -> Vec<(CaseInput, Value)> {
        let alone = |given: Value| case(&[given], json!({}), json!({}));
        let known = |value: &Value| if value == "null" { Value::Null } else { value.clone() };
        let rows = self
            .rows
            .iter()
            .map(|run| (alone(run.given.clone()), run.value.clone()));
        let table = self
            .table
            .iter()
            .map(|[b, c, value]| (alone(json!({ "b": known(b), "c": known(c) })), known(value)));
        let mut runs: Vec<_> = rows.chain(table).collect();
        if runs.is_empty() {
            let persons: Vec<Value> = std::iter::once(&self.given).chain(&self.others).cloned().collect();
            let only = case(&persons, self.household.clone(), self.case.clone());
            runs.push((only, self.value.clone()));
        }
        runs
    }
}

/// The outcome and the amounts that tell everything of a value, because a sweep has nothing else.
fn told(value: &str, kind: &str, texts: &BTreeSet<&str>) -> (String, [String; 2]) {
    let none = "0".to_owned();
    let amounts = match kind {
        "integer" => [value.to_owned(), none],
        "decimal" => [
            format!("floor({value})"),
            format!("floor(({value} - floor({value})) * 10000)"),
        ],
        "date" => [format!("days_between(DATE '1970-01-01', {value})"), none],
        "text" if !texts.is_empty() => {
            let arms: Vec<String> = texts
                .iter()
                .enumerate()
                .map(|(number, text)| format!("WHEN '{text}' THEN {number}"))
                .collect();
            [format!("CASE {value} {} END", arms.join(" ")), none]
        }
        _ => [none.clone(), none],
    };
    let outcome = match kind {
        "boolean" => value.to_owned(),
        _ => format!("{value} IS NOT NULL"),
    };
    (outcome, amounts)
}

/// A rule set of one expression.
fn set(sql: &str, entity: &str, kind: &str, texts: &BTreeSet<&str>) -> (Folder, RuleSet) {
    let value = match entity {
        "person" => "applicant.value",
        "household" => "household.value",
        _ => "value",
    };
    let (outcome, [whole, part]) = told(value, kind, texts);
    let steps = [
        step("value", entity, sql),
        step("outcome", "case", &outcome),
        step("whole", "case", &whole),
        step("part", "case", &part),
    ];
    let folder = Folder::new(&rules(
        "outcome = \"outcome\"\namounts = [\"part\", \"whole\"]",
        &steps.join("\n"),
    ));
    let set = folder.load().unwrap_or_else(|mistakes| panic!("{sql}: {mistakes:?}"));
    let found = set.steps().iter().find(|step| step.name == "value").unwrap();
    assert_eq!(found.kind.to_string(), kind, "{sql}");
    (folder, set)
}

/// Runs a row; answers how many cases it has, or what is wrong.
fn check(row: &Row) -> Result<usize, String> {
    let runs = row.runs();
    let texts = runs.iter().filter_map(|(_, value)| value.as_str()).collect();
    let (_folder, set) = set(&row.sql, &row.entity, &row.kind, &texts);
    // with a household of which nothing is known before and after, so that no row stands alone in a sweep
    let unknown = case(&[json!({})], json!({}), json!({}));
    let mut cases: Vec<CaseInput> = runs.iter().map(|(input, _)| input.clone()).collect();
    cases.insert(0, unknown.clone());
    cases.push(unknown);
    let (decisions, otherwise) = both_ways(&set, &cases, ON);
    if let Some(otherwise) = otherwise {
        return Err(otherwise);
    }
    let decisions = match (decisions, &row.error) {
        (Err(error), Some(reason)) if error.contains("`value`") && error.contains(reason) => return Ok(1),
        (Err(error), _) => return Err(error),
        (Ok(_), Some(reason)) => return Err(format!("has a value, where {reason}")),
        (Ok(decisions), None) => decisions,
    };
    for ((input, wanted), decision) in runs.iter().zip(&decisions[1..]) {
        let of = |step: &&StepValue| step.name == "value" && step.person.as_deref().is_none_or(|person| person == "p1");
        let found = &decision.steps.iter().find(of).unwrap().value;
        if found != wanted {
            let given = serde_json::to_string(input).unwrap();
            return Err(format!("is {found}, not {wanted}, of {given}"));
        }
    }
    Ok(runs.len())
}

#[test]
fn every_expression_gives_what_the_table_says_alone_and_swept() {
    let file: File = toml::from_str(TABLE).unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for row in &file.case {
        match check(row) {
            Ok(cases) => count += cases,
            Err(what) => wrong.push(format!("{} {what}", row.sql)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 400, "{count}");
}

#[test]
fn a_parameter_follows_its_dates() {
    let (_folder, set) = set("rate()", "person", "integer", &BTreeSet::new());
    let input = case(&[json!({})], json!({}), json!({}));
    for (day, value) in [
        ("2025-01-01", 10),
        ("2025-12-31", 10),
        ("2026-01-01", 20),
        ("2026-12-31", 20),
        ("2027-01-01", 30),
        ("2099-01-01", 30),
    ] {
        let (decisions, otherwise) = both_ways(&set, std::slice::from_ref(&input), day.parse().unwrap());
        assert_eq!(
            (decisions.unwrap()[0].amounts["whole"], otherwise),
            (Some(value), None),
            "{day}"
        );
    }
    let error = set
        .decide(&input, "2024-12-31".parse().unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("`rate`") && error.contains("2024-12-31"), "{error}");
}
