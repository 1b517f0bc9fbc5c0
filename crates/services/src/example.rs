//! Worked examples: `cases/*.toml`, each a case with the answer the law gives and where that answer comes from.
//!
//! They are decided alone, as at the counter, and all together as one population: both must say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use civic::Text;
use jiff::civil::Date;
use rules::{CaseInput, Decision, Entity, Input, Mistake, RuleError, RuleSet, Type, Values};
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::folder::{TextFile, at_top, suggest};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleFile {
    #[serde(rename = "title")]
    _title: Text,
    source: Spanned<String>,
    date: Spanned<String>,
    given: Spanned<CaseInput>,
    expect: Spanned<ExpectFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectFile {
    outcome: Option<Spanned<bool>>,
    #[serde(default)]
    amounts: BTreeMap<Spanned<String>, Spanned<i64>>,
    /// Values of steps; those of a person as `p1.class`.
    #[serde(default)]
    steps: BTreeMap<Spanned<String>, Spanned<Value>>,
    failed: Option<Spanned<Vec<String>>>,
    waiting: Option<Spanned<Vec<String>>>,
}

/// A worked example, read.
pub(crate) struct Example {
    file: TextFile,
    on: Date,
    given: Spanned<CaseInput>,
    expect: Spanned<ExpectFile>,
}

impl Example {
    /// The day whose law decides it.
    pub fn on(&self) -> Date {
        self.on
    }

    /// The facts it gives.
    pub fn given(&self) -> &CaseInput {
        self.given.get_ref()
    }

    fn wrong(&self, at: &Range<usize>, message: String, suggestion: Option<String>) -> Mistake {
        self.file.mistake(at, message, suggestion)
    }
}

/// Reads `cases/`.
pub(crate) fn load(folder: &Path) -> (Vec<Example>, Vec<Mistake>) {
    let (mut examples, mut mistakes) = (Vec::new(), Vec::new());
    for name in crate::folder::names(&folder.join("cases"), "toml") {
        match TextFile::read(folder, &format!("cases/{name}"))
            .map_err(|mistake| vec![mistake])
            .and_then(read)
        {
            Ok(example) => examples.push(example),
            Err(found) => mistakes.extend(found),
        }
    }
    if examples.is_empty() && mistakes.is_empty() {
        mistakes.push(at_top(
            "cases",
            "there is no worked example".to_owned(),
            "add one on each side of every line, as `cases/turns-65-on-the-day.toml`",
        ));
    }
    (examples, mistakes)
}

fn read(file: TextFile) -> Result<Example, Vec<Mistake>> {
    let read: ExampleFile = file.parse().map_err(|mistake| vec![mistake])?;
    let mut mistakes = crate::texts::check(&file);
    if read.source.get_ref().trim().is_empty() {
        mistakes.push(file.mistake(
            &read.source.span(),
            "the expected answer has no source",
            "cite the law or the announcement it follows from".to_owned(),
        ));
    }
    let on = read.date.get_ref().parse::<Date>();
    if on.is_err() {
        mistakes.push(file.mistake(
            &read.date.span(),
            format!("`{}` is no date", read.date.get_ref()),
            "write it as 2026-11-20".to_owned(),
        ));
    }
    match on {
        Ok(on) if mistakes.is_empty() => Ok(Example {
            on,
            given: read.given,
            expect: read.expect,
            file,
        }),
        _ => Err(mistakes),
    }
}

/// The facts of a folder's worked cases.
///
/// # Errors
/// Every mistake of a case that can't be read.
pub fn worked(folder: &Path) -> Result<Vec<CaseInput>, Vec<Mistake>> {
    match load(folder) {
        (examples, mistakes) if mistakes.is_empty() => {
            Ok(examples.into_iter().map(|example| example.given.into_inner()).collect())
        }
        (_, mistakes) => Err(mistakes),
    }
}

/// Decides all examples, alone and together, and says where an answer is not the expected one.
pub(crate) fn run(rules: &RuleSet, examples: &[Example]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut decided: BTreeMap<Date, Vec<(&Example, Decision)>> = BTreeMap::new();
    for example in examples {
        match rules.decide(example.given.get_ref(), example.on) {
            Ok(decision) => {
                compare(example, &decision, &mut mistakes);
                decided.entry(example.on).or_default().push((example, decision));
            }
            Err(error) => mistakes.push(undecided(example, &error)),
        }
    }
    for (on, group) in decided {
        mistakes.extend(together(rules, on, &group));
    }
    mistakes
}

/// Why an example is not decided: where the rules are at fault it is told at the rule, with the example that shows it.
fn undecided(example: &Example, error: &RuleError) -> Mistake {
    let at = example.given.span();
    match error.mistake() {
        Some(mistake) => {
            let shown = example.wrong(&at, String::new(), None);
            Mistake {
                message: format!("{} (in the example {}:{})", mistake.message, shown.file, shown.line),
                ..mistake.clone()
            }
        }
        None => example.wrong(&at, error.to_string(), None),
    }
}

fn said(outcome: Option<bool>) -> &'static str {
    match outcome {
        Some(true) => "entitled",
        Some(false) => "not entitled",
        None => "not known yet",
    }
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

fn compare(example: &Example, decision: &Decision, mistakes: &mut Vec<Mistake>) {
    let expect = example.expect.get_ref();
    let wanted = expect.outcome.as_ref().map(|outcome| *outcome.get_ref());
    if wanted != decision.outcome {
        let at = expect
            .outcome
            .as_ref()
            .map_or_else(|| example.expect.span(), Spanned::span);
        let why = if decision.outcome == Some(false) {
            Some(format!("not met: {}", list(decision.failed.iter().map(String::as_str))))
        } else {
            None
        };
        let why = why.or_else(|| {
            decision
                .outcome
                .is_none()
                .then(|| format!("it waits for: {}", list(waiting(decision).iter().map(String::as_str))))
        });
        mistakes.push(example.wrong(
            &at,
            format!("expected {}, the rules say {}", said(wanted), said(decision.outcome)),
            why,
        ));
    }
    for (name, amount) in &expect.amounts {
        match decision.amounts.get(name.get_ref()) {
            None => {
                let known = decision.amounts.keys().map(String::as_str);
                mistakes.push(example.wrong(
                    &name.span(),
                    format!("the rules give no amount `{}`", name.get_ref()),
                    suggest(name.get_ref(), known),
                ));
            }
            Some(found) if *found != Some(*amount.get_ref()) => {
                let found = found.map_or("not known yet".to_owned(), |found| found.to_string());
                mistakes.push(example.wrong(
                    &amount.span(),
                    format!(
                        "`{}` should be {}, the rules say {found}",
                        name.get_ref(),
                        amount.get_ref()
                    ),
                    None,
                ));
            }
            Some(_) => {}
        }
    }
    for (name, wanted) in &expect.steps {
        let (person, step) = match name.get_ref().split_once('.') {
            Some((person, step)) => (Some(person), step),
            None => (None, name.get_ref().as_str()),
        };
        let found = decision
            .steps
            .iter()
            .find(|value| value.name == step && value.person.as_deref() == person);
        match found {
            None => {
                let known = decision.steps.iter().map(|value| value.name.as_str());
                let message = format!("the rules give no value `{}`", name.get_ref());
                mistakes.push(example.wrong(&name.span(), message, suggest(step, known)));
            }
            Some(found) if found.value != *wanted.get_ref() => {
                let message = format!(
                    "`{}` should be {}, the rules say {}",
                    name.get_ref(),
                    wanted.get_ref(),
                    found.value
                );
                mistakes.push(example.wrong(&wanted.span(), message, None));
            }
            Some(_) => {}
        }
    }
    let names = |what: &str, wanted: &Spanned<Vec<String>>, found: &BTreeSet<String>, mistakes: &mut Vec<Mistake>| {
        let asked: BTreeSet<String> = wanted.get_ref().iter().cloned().collect();
        if asked != *found {
            let message = format!(
                "{what}: expected {}, the rules say {}",
                list(asked.iter().map(String::as_str)),
                list(found.iter().map(String::as_str))
            );
            mistakes.push(example.wrong(&wanted.span(), message, None));
        }
    };
    if let Some(failed) = &expect.failed {
        names(
            "conditions not met",
            failed,
            &decision.failed.iter().cloned().collect(),
            mistakes,
        );
    }
    if let Some(wanted) = &expect.waiting {
        names("inputs waited for", wanted, &waiting(decision), mistakes);
    }
}

/// What a decision waits for, as examples write it: `p1.birth_date`, `household.region`.
fn waiting(decision: &Decision) -> BTreeSet<String> {
    decision
        .waiting
        .iter()
        .map(|input| match &input.person {
            Some(person) => format!("{person}.{}", input.name),
            None => format!("{}.{}", input.entity, input.name),
        })
        .collect()
}

/// Decides the examples of a day as one population and compares each with its decision alone.
fn together(rules: &RuleSet, on: Date, group: &[(&Example, Decision)]) -> Vec<Mistake> {
    let swept = batch(rules.inputs(), group).and_then(|batch| {
        let population = rules.population(&[batch]).map_err(|error| error.to_string())?;
        rules.sweep(&population, on).map_err(|error| error.to_string())
    });
    let swept = match swept {
        Ok(swept) => swept,
        Err(problem) => {
            return vec![at_top(
                "cases",
                format!("the examples of {on} can't be decided together: {problem}"),
                "look at the step it names",
            )];
        }
    };
    let mut mistakes = Vec::new();
    for (place, (example, decision)) in group.iter().enumerate() {
        let outcome = swept.outcome.is_valid(place).then(|| swept.outcome.value(place));
        let found = (place < swept.outcome.len()).then_some(outcome);
        let amount = |name: &str| {
            swept
                .amounts
                .get(name)
                .and_then(|array| array.is_valid(place).then(|| array.value(place)))
        };
        let same =
            found == Some(decision.outcome) && decision.amounts.iter().all(|(name, alone)| amount(name) == *alone);
        if !same {
            let found = found.map_or("nothing", said);
            let message = format!(
                "decided alone it is {}, decided with all others it is {found}, or an amount differs",
                said(decision.outcome)
            );
            mistakes.push(example.wrong(&example.expect.span(), message, None));
        }
    }
    mistakes
}

/// One row for each person, one household for each example.
fn batch(inputs: &[Input], group: &[(&Example, Decision)]) -> Result<RecordBatch, String> {
    let (mut households, mut applicants) = (Vec::new(), Vec::new());
    let mut rows: Vec<(&CaseInput, &Values)> = Vec::new();
    for (household, (example, _)) in (0_i64..).zip(group) {
        for person in &example.given.get_ref().persons {
            households.push(household);
            applicants.push(person.applicant);
            rows.push((example.given.get_ref(), &person.values));
        }
    }
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("household".to_owned(), Arc::new(Int64Array::from(households))),
        ("applicant".to_owned(), Arc::new(BooleanArray::from(applicants))),
    ];
    for input in inputs {
        let values: Vec<Option<&Value>> = rows
            .iter()
            .map(|(case, person)| match input.entity {
                Entity::Person => person.get(&input.name),
                Entity::Household => case.household.get(&input.name),
                Entity::Case => case.case.get(&input.name),
            })
            .map(|value| value.filter(|value| !value.is_null()))
            .collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        let name = match input.entity {
            Entity::Person => input.name.clone(),
            entity => format!("{entity}.{}", input.name),
        };
        let array: ArrayRef = match input.kind {
            Type::Integer => Arc::new(
                values
                    .iter()
                    .map(|value| value.and_then(Value::as_i64))
                    .collect::<Int64Array>(),
            ),
            Type::Boolean => Arc::new(
                values
                    .iter()
                    .map(|value| value.and_then(Value::as_bool))
                    .collect::<BooleanArray>(),
            ),
            Type::Text | Type::Date | Type::Decimal => {
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Arc::new(values.iter().map(|value| value.map(text)).collect::<StringArray>())
            }
        };
        columns.push((name, array));
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .map_err(|error| error.to_string())
}
