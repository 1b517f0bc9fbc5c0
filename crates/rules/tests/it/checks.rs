//! The comparisons between offices (資料比對): each worked case of each folder comes out as it says, and together they go through every arm.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use rules::{CaseInput, RuleSet};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Worked {
    title: Value,
    source: String,
    date: Date,
    given: CaseInput,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    outcome: bool,
    #[serde(default)]
    amounts: BTreeMap<String, i64>,
    #[serde(default)]
    steps: BTreeMap<String, Value>,
}

#[test]
fn every_worked_case_of_every_comparison_holds() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../checks");
    let mut folders = 0;
    for folder in std::fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path()) {
        let set = RuleSet::load(&folder).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        let mut worked = Vec::new();
        for file in std::fs::read_dir(folder.join("cases")).unwrap() {
            let path = file.unwrap().path();
            let case: Worked = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert!(case.title["zh-TW"].is_string() && case.title["en"].is_string() && !case.source.is_empty());
            let decision = set.decide(&case.given, case.date).unwrap();
            let name = path.display();
            assert_eq!(decision.outcome, Some(case.expect.outcome), "{name}");
            for (amount, expected) in &case.expect.amounts {
                assert_eq!(decision.amounts[amount], Some(*expected), "{name}: {amount}");
            }
            for (step, expected) in &case.expect.steps {
                let found = decision.steps.iter().find(|value| value.name == *step);
                assert_eq!(found.map(|value| &value.value), Some(expected), "{name}: {step}");
            }
            worked.push((case.given, case.date));
        }
        let coverage = set.coverage(worked.iter().map(|(given, on)| (given, *on))).unwrap();
        // arms of one CASE exclude each other, so that the parts of a later one are seldom false by themselves
        let mut missing = coverage.missing();
        missing.retain(|branch| !branch.branch.starts_with("part "));
        assert_eq!(missing, Vec::<&rules::Branch>::new(), "{}", folder.display());
        folders += 1;
    }
    assert!(folders > 1);
}
