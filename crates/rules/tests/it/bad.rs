//! Files and facts nobody should send: each is answered, none stops the program.

use serde_json::json;

use crate::kit::{Folder, ON, case, rules, step};

fn loads(sql: &str) -> Result<(), String> {
    let folder = Folder::new(&rules("outcome = \"outcome\"", &step("outcome", "case", sql)));
    folder
        .load()
        .map(drop)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn an_expression_nested_too_deep_is_refused() {
    for (open, close) in [("(", ")"), ("NOT (", ")"), ("CASE WHEN ", " THEN true ELSE false END")] {
        let deep = format!("{}{}{}", open.repeat(20_000), "applicant.b", close.repeat(20_000));
        assert!(loads(&deep).is_err(), "{open}");
    }
}

#[test]
fn a_chain_is_as_long_as_it_may_be_and_no_longer() {
    for (terms, fits) in [(190, true), (300, false), (100_000, false)] {
        let chain = vec!["applicant.b"; terms].join(" OR ");
        match loads(&chain) {
            Ok(()) => assert!(fits, "{terms}"),
            Err(told) => assert!(!fits && told.contains("split it into steps"), "{told}"),
        }
    }
    let chain = vec!["applicant.i"; 190].join(" + ") + " > 0";
    let folder = Folder::new(&rules("outcome = \"outcome\"", &step("outcome", "case", &chain)));
    let decision = folder
        .load()
        .unwrap()
        .decide(&case(&[json!({ "i": 1 })], json!({}), json!({})), ON);
    assert_eq!(decision.unwrap().outcome, Some(true));
}

#[test]
fn numbers_out_of_range_are_refused() {
    for sql in [
        "applicant.i > 99999999999999999999",
        "applicant.d > 1.000001",
        "applicant.d > 123456789012345678901234567890.5",
        "applicant.x > DATE '2026-13-01'",
    ] {
        assert!(loads(sql).is_err(), "{sql}");
    }
}

#[test]
fn facts_that_do_not_fit_are_refused_with_their_name() {
    let folder = Folder::new(&rules(
        "outcome = \"outcome\"",
        &step("outcome", "case", "applicant.i > 0"),
    ));
    let set = folder.load().unwrap();
    for (given, told) in [
        (json!({ "i": "1" }), "i"),
        (json!({ "i": 1.5 }), "i"),
        (json!({ "d": "1.00001" }), "d"),
        (json!({ "b": "yes" }), "b"),
        (json!({ "t": "z" }), "t"),
        (json!({ "x": "2026-02-30" }), "x"),
        (json!({ "ii": 1 }), "did you mean `i`?"),
        (json!({ "i": [1] }), "i"),
    ] {
        let error = set
            .decide(&case(&[given], json!({}), json!({})), ON)
            .unwrap_err()
            .to_string();
        assert!(error.contains(told) && !error.contains("2026-02-30"), "{error}");
    }
    let nobody = rules::CaseInput::default();
    assert!(set.decide(&nobody, ON).unwrap_err().to_string().contains("applicant"));
    let mut twice = case(&[json!({}), json!({})], json!({}), json!({}));
    twice.persons[1].applicant = true;
    assert!(set.decide(&twice, ON).is_err());
    twice.persons[1].applicant = false;
    twice.persons[1].id = "p1".to_owned();
    assert!(set.decide(&twice, ON).unwrap_err().to_string().contains("id"));
}

#[test]
fn a_population_that_does_not_fit_is_refused() {
    let folder = Folder::new(&rules(
        "outcome = \"outcome\"",
        &step("outcome", "case", "applicant.i > 0"),
    ));
    let set = folder.load().unwrap();
    assert!(set.population(&[]).is_err());
    assert!(set.read_population(&folder.path().join("nothing.parquet")).is_err());
    assert!(set.sweep_file(&folder.path().join("rules.toml"), ON).is_err());
}
