//! What holds of every decision, whatever the facts.

use proptest::prelude::*;
use rules::{CaseInput, RuleSet};
use serde_json::{Value, json};
use std::sync::LazyLock;

use crate::kit::{Folder, ON, both_ways, case, rules, step};

/// A rule set with the turns real ones have: conditions of persons and of the family, sums, choices, what is not known.
static SET: LazyLock<(Folder, RuleSet)> = LazyLock::new(|| {
    let steps = [
        step("is_adult", "person", "age_on(x, reference_date) >= 18"),
        step("counted", "person", "is_adult AND NOT b"),
        step(
            "income",
            "person",
            "CASE WHEN NOT counted THEN 0 WHEN counted IS NULL THEN NULL WHEN t = 'a' THEN i * 2 WHEN t IN ('b', 'c') THEN i + by_kind('a') END",
        ),
        step(
            "total",
            "household",
            "CASE WHEN BOOL_OR(person.income IS NULL) THEN NULL ELSE SUM(person.income) END",
        ),
        step("members", "household", "COUNT(*)"),
        step("is_poor", "household", "total <= rate() * members"),
        step("is_small", "household", "h < 100"),
        step(
            "outcome",
            "case",
            "household.is_poor AND household.is_small AND (k > 0 OR applicant.c)",
        ),
        step(
            "amount",
            "case",
            "CASE WHEN outcome THEN greatest(rate() * household.members - household.total, 0) WHEN NOT outcome THEN 0 END",
        ),
    ];
    let folder = Folder::new(&rules(
        "outcome = \"outcome\"\namounts = [\"amount\"]",
        &steps.join("\n"),
    ));
    let set = folder.load().unwrap();
    (folder, set)
});

fn set() -> &'static RuleSet {
    &SET.1
}

fn maybe<T: Into<Value> + std::fmt::Debug + Clone + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 3 => values.prop_map(Into::into)].boxed()
}

fn somebody() -> impl Strategy<Value = Value> {
    let day = (1930..2020_i32, 1..=12_u32, 1..=28_u32).prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02}"));
    (
        maybe(0..60_i64),
        maybe(any::<bool>()),
        maybe(any::<bool>()),
        maybe(prop_oneof![Just("a"), Just("b"), Just("c")]),
        maybe(day),
    )
        .prop_map(|(i, b, c, t, x)| json!({ "i": i, "b": b, "c": c, "t": t, "x": x }))
}

fn any_case() -> impl Strategy<Value = CaseInput> {
    (
        prop::collection::vec(somebody(), 1..5),
        maybe(50..150_i64),
        maybe(-1..2_i64),
    )
        .prop_map(|(persons, h, k)| case(&persons, json!({ "h": h }), json!({ "k": k })))
}

/// The facts filled in with values that don't matter to the test.
fn full() -> impl Strategy<Value = Value> {
    (0..60_i64, any::<bool>(), any::<bool>(), 0..3_usize, 1930..2020_i32).prop_map(|(i, b, c, t, year)| {
        let (t, x, k) = (["a", "b", "c"][t], format!("{year}-05-05"), i64::from(b));
        json!({ "i": i, "b": b, "c": c, "t": t, "x": x, "h": i * 3, "k": k })
    })
}

/// Gives a value to an input that is not known.
fn put(input: &mut CaseInput, wanted: &rules::InputRef, from: &Value) {
    let value = from[&wanted.name].clone();
    match (&wanted.person, wanted.entity) {
        (Some(person), _) => {
            let person = input.persons.iter_mut().find(|one| one.id == *person).unwrap();
            person.values.insert(wanted.name.clone(), value);
        }
        (None, rules::Entity::Household) => {
            input.household.insert(wanted.name.clone(), value);
        }
        (None, _) => {
            input.case.insert(wanted.name.clone(), value);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_persons_does_not_matter(input in any_case(), turn in 0..5_usize) {
        let one = set().decide(&input, ON).unwrap();
        let mut other = input.clone();
        let persons = other.persons.len();
        other.persons.rotate_left(turn % persons);
        let two = set().decide(&other, ON).unwrap();
        prop_assert_eq!((one.outcome, one.amounts, one.failed, one.minimum), (two.outcome, two.amounts, two.failed, two.minimum));
    }

    #[test]
    fn alone_and_beside_others_a_case_has_one_answer(cases in prop::collection::vec(any_case(), 1..9)) {
        let (decisions, otherwise) = both_ways(set(), &cases, ON);
        prop_assert!(decisions.is_ok());
        prop_assert_eq!(otherwise, None);
    }

    #[test]
    fn the_same_facts_give_the_same_decision(input in any_case()) {
        prop_assert_eq!(set().decide(&input, ON).unwrap(), set().decide(&input, ON).unwrap());
    }

    /// Whoever knows more is never told otherwise.
    #[test]
    fn knowing_more_never_changes_what_was_decided(input in any_case(), more in prop::collection::vec(full(), 6)) {
        let before = set().decide(&input, ON).unwrap();
        let mut filled = input.clone();
        for (number, person) in filled.persons.iter_mut().enumerate() {
            for (name, value) in more[number].as_object().unwrap() {
                let known = ["i", "b", "c", "t", "x"].contains(&name.as_str());
                if known && person.values.get(name).is_none_or(Value::is_null) {
                    person.values.insert(name.clone(), value.clone());
                }
            }
        }
        for (facts, name) in [(&mut filled.household, "h"), (&mut filled.case, "k")] {
            if facts.get(name).is_none_or(Value::is_null) {
                facts.insert(name.to_owned(), more[5][name].clone());
            }
        }
        let after = set().decide(&filled, ON).unwrap();
        prop_assert!(after.outcome.is_some() && after.waiting.is_empty());
        if before.outcome.is_some() {
            prop_assert_eq!(before.outcome, after.outcome);
        }
        if let Some(amount) = before.amounts["amount"] {
            prop_assert_eq!(Some(amount), after.amounts["amount"]);
        }
    }

    /// Answering what is waited for, and nothing else, leads to a decision.
    #[test]
    fn what_is_waited_for_is_enough(input in any_case(), more in prop::collection::vec(full(), 40)) {
        let mut input = input;
        for facts in &more {
            let decision = set().decide(&input, ON).unwrap();
            let Some(first) = decision.waiting.first().cloned() else {
                prop_assert!(decision.outcome.is_some());
                prop_assert!(decision.outcome == Some(false) || decision.amounts["amount"].is_some());
                return Ok(());
            };
            put(&mut input, &first, facts);
        }
        prop_assert!(false, "the questions never end");
    }

    /// Of a refusal the smallest set of conditions is among those not met, and is not empty.
    #[test]
    fn a_refusal_names_its_reasons(input in any_case()) {
        let decision = set().decide(&input, ON).unwrap();
        prop_assert_eq!(decision.outcome == Some(false), !decision.minimum.is_empty());
        prop_assert!(decision.minimum.iter().all(|name| decision.failed.contains(name)));
    }
}
