//! Of refusals with any outcome: the reasons are enough, and the fewest that are.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::kit::{Folder, ON, case, rules, step};

#[derive(Clone, Debug)]
enum Outcome {
    Condition(usize),
    Not(Box<Outcome>),
    And(Vec<Outcome>),
    Or(Vec<Outcome>),
}

impl Outcome {
    fn sql(&self) -> String {
        let join = |nodes: &[Outcome], word: &str| {
            let nodes: Vec<String> = nodes.iter().map(Outcome::sql).collect();
            format!("({})", nodes.join(word))
        };
        match self {
            Outcome::Condition(number) => NAMES[*number].to_owned(),
            Outcome::Not(inner) => format!("NOT {}", inner.sql()),
            Outcome::And(nodes) => join(nodes, " AND "),
            Outcome::Or(nodes) => join(nodes, " OR "),
        }
    }
}

/// Conditions of the applicant, the family and the case, and steps that are conjunctions of others, of a person and of a case.
const NAMES: [&str; 7] = [
    "applicant.of_person",
    "applicant.of_other",
    "household.of_family",
    "of_case",
    "applicant.both",
    "most",
    "applicant.of_person",
];

fn outcome() -> impl Strategy<Value = Outcome> {
    let leaf = (0..NAMES.len()).prop_map(Outcome::Condition);
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(|inner| Outcome::Not(Box::new(inner))),
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(Outcome::And),
            3 => prop::collection::vec(inner, 2..4).prop_map(Outcome::Or),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of a refusal, the conditions named are enough by themselves, and no smaller number of conditions is.
    #[test]
    fn the_reasons_of_a_refusal_are_the_fewest(outcome in outcome(), given in prop::array::uniform4(any::<Option<bool>>())) {
        let steps = [
            step("of_person", "person", "b"),
            step("of_other", "person", "c"),
            step("both", "person", "of_person AND of_other"),
            step("of_family", "household", "h > 0"),
            step("of_case", "case", "k > 0"),
            step("most", "case", "applicant.both AND household.of_family AND of_case"),
            step("outcome", "case", &outcome.sql()),
        ];
        let folder = Folder::new(&rules("outcome = \"outcome\"", &steps.join("\n")));
        let set = folder.load().unwrap();
        let names = ["of_person", "of_other", "of_family", "of_case"];
        let decide = |known: &dyn Fn(usize) -> bool| {
            let fact = |place: usize| given[place].filter(|_| known(place));
            let number = |place: usize| fact(place).map_or(Value::Null, |truth| Value::from(i64::from(truth)));
            let person = json!({ "b": fact(0), "c": fact(1) });
            set.decide(&case(&[person], json!({ "h": number(2) }), json!({ "k": number(3) })), ON).unwrap()
        };
        let decision = decide(&|_| true);
        if decision.outcome != Some(false) {
            prop_assert!(decision.failed.is_empty() && decision.minimum.is_empty());
            return Ok(());
        }
        prop_assert!(decision.minimum.iter().all(|name| decision.failed.contains(name)));
        let enough = decide(&|place| decision.minimum.iter().any(|name| name == names[place]));
        prop_assert_eq!(enough.outcome, Some(false), "{:?} is not enough", decision.minimum);
        for some in 0..16_usize {
            if (some.count_ones() as usize) < decision.minimum.len() {
                let fewer = decide(&|place| some & (1 << place) != 0);
                prop_assert_ne!(fewer.outcome, Some(false), "{:?} are not the fewest", decision.minimum);
            }
        }
    }
}
