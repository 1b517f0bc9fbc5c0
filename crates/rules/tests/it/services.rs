//! What holds of every decision, seen in the rules of the services: with any facts, likely or not.

use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestError, TestRunner};
use rules::{CaseInput, Decision, Entity, Input, InputRef, RuleSet, Type, Values};
use serde_json::{Value, json};

use crate::kit::{ON, both_ways, case};

struct Service {
    name: String,
    set: RuleSet,
    /// What the form says of the applicant without asking, such as the relation to themselves.
    applicant: Values,
    worked: Vec<CaseInput>,
}

/// The facts that the group of persons in `form.toml` gives the applicant.
fn of_applicant(folder: &Path) -> Values {
    let form: Value = toml::from_str(&std::fs::read_to_string(folder.join("form.toml")).unwrap()).unwrap();
    let groups = form["group"].as_array().into_iter().flatten();
    let mut given = groups.filter_map(|group| group["applicant"].as_object());
    given.next().cloned().unwrap_or_default()
}

/// The facts of the worked cases in which the first person applies.
fn worked(folder: &Path) -> Vec<CaseInput> {
    let files = std::fs::read_dir(folder.join("cases")).unwrap();
    let given = files.map(|file| {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let file: Value = toml::from_str(&text).unwrap();
        serde_json::from_value(file["given"].clone()).unwrap()
    });
    given.filter(|input: &CaseInput| input.persons[0].applicant).collect()
}

fn services() -> Vec<Service> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services");
    let folders = std::fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = folders
        .filter(|folder| folder.join("rules.toml").is_file())
        .map(|folder| Service {
            name: folder.file_name().unwrap().display().to_string(),
            set: RuleSet::load(&folder).unwrap(),
            applicant: of_applicant(&folder),
            worked: worked(&folder),
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(found.len() > 3);
    found
}

/// Any value of an input. Whole numbers are small ones, or near the amounts that laws draw lines with.
fn value(input: &Input) -> BoxedStrategy<Value> {
    match input.kind {
        Type::Integer => prop_oneof![Just(0), 0..10_i64, 0..400_i64, 0..2_000_000_i64, Just(100_000_000)]
            .prop_map(Value::from)
            .boxed(),
        Type::Decimal => (0..1_000_000_i64)
            .prop_map(|units| Value::from(format!("{}.{:04}", units / 10_000, units % 10_000)))
            .boxed(),
        Type::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Type::Text if input.values.is_empty() => "[a-c]{1,2}".prop_map(Value::from).boxed(),
        Type::Text => prop::sample::select(input.values.clone()).prop_map(Value::from).boxed(),
        Type::Date => (1930..2027_i32, 1..=12_u32, 1..=28_u32)
            .prop_map(|(year, month, day)| Value::from(format!("{year}-{month:02}-{day:02}")))
            .boxed(),
    }
}

/// Every fact of one entity, by name.
fn facts(set: &RuleSet, entity: Entity) -> BoxedStrategy<Value> {
    let inputs = set.inputs().iter().filter(|input| input.entity == entity);
    let values: Vec<_> = inputs
        .map(|input| {
            let name = input.name.clone();
            value(input).prop_map(move |value| (name.clone(), value))
        })
        .collect();
    values
        .prop_map(|values| Value::Object(values.into_iter().collect()))
        .boxed()
}

/// A case of which everything is known: any at all, or mostly a worked case of the service in which a few facts are others.
fn whole(service: &Service) -> BoxedStrategy<CaseInput> {
    let set = &service.set;
    let persons = prop::collection::vec(facts(set, Entity::Person), 4);
    let any = (persons, facts(set, Entity::Household), facts(set, Entity::Case));
    let any = any.prop_map(|(persons, household, of_case)| case(&persons, household, of_case));
    let other = prop::collection::vec(prop::bool::weighted(0.05), 61);
    let near = (prop::sample::select(service.worked.clone()), any.clone(), other).prop_map(|(worked, any, other)| {
        let mut near = worked;
        let mut other = other.into_iter().cycle();
        let mut fill = |known: &mut Values, any: Values| {
            for (name, value) in any {
                if other.next() == Some(true) || known.get(&name).is_none_or(Value::is_null) {
                    known.insert(name, value);
                }
            }
        };
        fill(&mut near.household, any.household);
        fill(&mut near.case, any.case);
        near.persons.truncate(4);
        for (person, any) in near.persons.iter_mut().zip(any.persons) {
            fill(&mut person.values, any.values);
        }
        near
    });
    let few = (any, 1..4_usize).prop_map(|(mut any, persons)| {
        any.persons.truncate(persons);
        any
    });
    let applicant = service.applicant.clone();
    prop_oneof![1 => few, 3 => near]
        .prop_map(move |mut input| {
            for person in input.persons.iter_mut().filter(|person| person.applicant) {
                person.values.extend(applicant.clone());
            }
            input
        })
        .boxed()
}

/// The same case with only some of its facts; `keep` says which, over and over. What the form says is always known.
fn part(service: &Service, whole: &CaseInput, keep: &[bool]) -> CaseInput {
    let mut keep = keep.iter().cycle();
    let mut part = whole.clone();
    let persons = part.persons.iter_mut().map(|person| &mut person.values);
    for values in persons.chain([&mut part.household, &mut part.case]) {
        values.retain(|name, _| *keep.next().unwrap() || service.applicant.contains_key(name));
    }
    part
}

fn take(from: &CaseInput, into: &mut CaseInput, wanted: &InputRef) {
    let (from, into) = match (&wanted.person, wanted.entity) {
        (Some(id), _) => {
            let place = from.persons.iter().position(|person| person.id == *id).unwrap();
            (&from.persons[place].values, &mut into.persons[place].values)
        }
        (None, Entity::Household) => (&from.household, &mut into.household),
        (None, _) => (&from.case, &mut into.case),
    };
    into.insert(wanted.name.clone(), from[&wanted.name].clone());
}

/// Runs a law over every service; what fails says which, and the facts.
fn each(law: impl Fn(&Service, &CaseInput, &[bool]) -> Result<(), TestCaseError>) {
    let mut broken = Vec::new();
    for service in services() {
        let config = ProptestConfig {
            cases: 128,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let keep = |share: f64| prop::collection::vec(prop::bool::weighted(share), 61);
        let cases = (whole(&service), prop_oneof![keep(0.7), keep(0.98)]);
        let result = TestRunner::new(config).run(&cases, |(input, keep)| {
            law(&service, &input, &keep).map_err(|error| match error {
                // no case at all, and so no case against the law
                TestCaseError::Reject(_) => error,
                TestCaseError::Fail(_) => {
                    let facts = serde_json::to_string(&part(&service, &input, &keep)).unwrap();
                    TestCaseError::fail(format!("{error} of {facts}"))
                }
            })
        });
        match result {
            Err(TestError::Fail(reason, _)) => broken.push(format!("{}: {reason}", service.name)),
            result => result.unwrap(),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A decision. Facts whose product no register could hold are no case: they are told to be too large, and left out here.
fn decide(set: &RuleSet, input: &CaseInput) -> Result<Decision, TestCaseError> {
    set.decide(input, ON).map_err(|error| match error.to_string() {
        told if told.contains("a number is too large") => TestCaseError::reject(told),
        told => TestCaseError::fail(told),
    })
}

#[test]
fn alone_and_swept_services_say_the_same() {
    each(|service, input, keep| {
        let set = &service.set;
        let (_, otherwise) = both_ways(
            set,
            &[
                part(service, input, keep),
                input.clone(),
                part(service, input, &keep[1..]),
            ],
            ON,
        );
        prop_assert_eq!(otherwise, None);
        Ok(())
    });
}

/// An outcome or amount that was told stays, whatever becomes known later; inputs the rules test with `IS NULL` apart, for
/// which they say themselves what holds without them.
#[test]
fn knowing_more_never_changes_what_a_service_decided() {
    each(|service, input, keep| {
        let set = &service.set;
        let mut before = part(service, input, keep);
        for optional in set.inputs().iter().filter(|input| input.optional) {
            for (person, known) in before.persons.iter_mut().zip(&input.persons) {
                if optional.entity == Entity::Person {
                    person
                        .values
                        .insert(optional.name.clone(), known.values[&optional.name].clone());
                }
            }
            match optional.entity {
                Entity::Person => {}
                Entity::Household => drop(
                    before
                        .household
                        .insert(optional.name.clone(), input.household[&optional.name].clone()),
                ),
                Entity::Case => drop(
                    before
                        .case
                        .insert(optional.name.clone(), input.case[&optional.name].clone()),
                ),
            }
        }
        let (before, after) = (decide(set, &before)?, decide(set, input)?);
        if before.outcome.is_some() {
            prop_assert_eq!(before.outcome, after.outcome);
        }
        for (name, amount) in before.amounts.iter().filter(|(_, amount)| amount.is_some()) {
            prop_assert_eq!(amount, &after.amounts[name], "{}", name);
        }
        Ok(())
    });
}

/// Answering one question after the other leads to a decision.
#[test]
fn what_a_service_waits_for_is_enough() {
    each(|service, input, keep| {
        let set = &service.set;
        let mut known = part(service, input, keep);
        loop {
            let decision = decide(set, &known)?;
            let Some(wanted) = decision.waiting.first() else {
                prop_assert!(decision.outcome.is_some());
                if decision.outcome == Some(true) {
                    prop_assert!(decision.amounts.values().all(Option::is_some));
                }
                return Ok(());
            };
            take(input, &mut known, wanted);
        }
    });
}

#[test]
fn the_order_of_persons_does_not_matter_to_a_service() {
    each(|service, input, keep| {
        let set = &service.set;
        let one = part(service, input, keep);
        let mut other = one.clone();
        other.persons.rotate_left(1 % one.persons.len());
        let (one, other) = (decide(set, &one)?, decide(set, &other)?);
        prop_assert_eq!(
            (one.outcome, one.amounts, one.failed, one.minimum),
            (other.outcome, other.amounts, other.failed, other.minimum)
        );
        Ok(())
    });
}

#[test]
fn nothing_known_is_not_an_error() {
    for service in services() {
        let decision = service.set.decide(&case(&[json!({})], json!({}), json!({})), ON);
        assert_eq!(decision.unwrap().outcome, None, "{}", service.name);
    }
}
