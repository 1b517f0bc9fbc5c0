//! Why a decision is as it is: what failed, the least that is enough for a refusal, and what is waited for.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use expect_test::{Expect, expect};
use rules::RuleSet;
use serde_json::{Value, json};

use crate::kit::{ON, case};

static SET: LazyLock<RuleSet> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/allowance");
    RuleSet::load(&folder).unwrap()
});

/// Decides a case of these persons and compares everything that is said of it.
fn check(persons: &[Value], household: Value, of_case: Value, expected: &Expect) {
    let decision = SET.decide(&case(persons, household, of_case), ON).unwrap();
    let mut told = format!("outcome: {:?}\n", decision.outcome);
    for (name, amount) in &decision.amounts {
        writeln!(told, "{name}: {amount:?}").unwrap();
    }
    for (what, names) in [("failed", &decision.failed), ("minimum", &decision.minimum)] {
        writeln!(told, "{what}: {}", names.join(", ")).unwrap();
    }
    let waiting: Vec<String> = decision.waiting.iter().map(ToString::to_string).collect();
    writeln!(told, "waiting: {}\nsteps:", waiting.join(", ")).unwrap();
    for step in &decision.steps {
        let person = step.person.as_deref().map(|person| format!(" of {person}"));
        writeln!(told, "  {}{} = {}", step.name, person.unwrap_or_default(), step.value).unwrap();
    }
    expected.assert_eq(&told);
}

fn elder() -> Value {
    json!({ "birth_date": "1950-03-15", "income": 60_000, "lives_here": true, "disability": "none" })
}

fn city() -> Value {
    json!({ "region": "city" })
}

fn no_other() -> Value {
    json!({ "draws_other": false })
}

#[test]
fn a_qualified_applicant() {
    let spouse = json!({ "birth_date": "1955-06-01", "income": 250_000 });
    check(
        &[elder(), spouse],
        city(),
        no_other(),
        &expect![[r#"
        outcome: Some(true)
        monthly_amount: Some(4000)
        failed: 
        minimum: 
        waiting: 
        steps:
          is_elder of p1 = true
          is_elder of p2 = true
          is_disabled of p1 = false
          is_disabled of p2 = null
          is_resident of p1 = true
          is_resident of p2 = null
          family_income = 310000
          members = 2
          income_limit = 384000
          income_within_limit = true
          no_other_allowance = true
          conditions = true
          eligible = true
          kind = "half"
          monthly_amount = 4000
    "#]],
    );
}

/// The day before 2026 the line of the city was lower; the outcome is that of the day asked about.
#[test]
fn the_same_facts_under_the_law_of_another_day() {
    let spouse = json!({ "birth_date": "1955-06-01", "income": 310_000 });
    let input = case(&[elder(), spouse], city(), no_other());
    let outcome = |day: &str| SET.decide(&input, day.parse().unwrap()).unwrap().outcome;
    assert_eq!(outcome("2025-12-31"), Some(false));
    assert_eq!(outcome("2026-01-01"), Some(true));
}

#[test]
fn a_refusal_of_three_conditions_of_which_one_is_enough() {
    let away = json!({ "birth_date": "1950-03-15", "income": 900_000, "lives_here": false, "disability": "none" });
    let other = json!({ "draws_other": true, "gives_up_other": false });
    check(
        &[away],
        city(),
        other,
        &expect![[r#"
        outcome: Some(false)
        monthly_amount: Some(0)
        failed: is_resident, income_within_limit, no_other_allowance
        minimum: is_resident
        waiting: 
        steps:
          is_elder of p1 = true
          is_disabled of p1 = false
          is_resident of p1 = false
          family_income = 900000
          members = 1
          income_limit = 192000
          income_within_limit = false
          no_other_allowance = false
          conditions = false
          eligible = false
          kind = "none"
          monthly_amount = 0
    "#]],
    );
}

#[test]
fn a_refusal_because_neither_of_two_ways_is_open() {
    let young = json!({ "birth_date": "1980-03-15", "income": 0, "lives_here": true, "disability": "mild" });
    check(
        &[young],
        city(),
        no_other(),
        &expect![[r#"
        outcome: Some(false)
        monthly_amount: Some(0)
        failed: is_elder, is_disabled
        minimum: is_elder, is_disabled
        waiting: 
        steps:
          is_elder of p1 = false
          is_disabled of p1 = false
          is_resident of p1 = true
          family_income = 0
          members = 1
          income_limit = 192000
          income_within_limit = true
          no_other_allowance = true
          conditions = true
          eligible = false
          kind = "none"
          monthly_amount = 0
    "#]],
    );
}

/// One condition is not met, so nothing else is asked, though little is known.
#[test]
fn a_refusal_that_needs_no_more_facts() {
    check(
        &[json!({ "lives_here": false })],
        json!({}),
        json!({}),
        &expect![[r#"
        outcome: Some(false)
        monthly_amount: Some(0)
        failed: is_resident
        minimum: is_resident
        waiting: 
        steps:
          is_elder of p1 = null
          is_disabled of p1 = null
          is_resident of p1 = false
          family_income = null
          members = 1
          income_limit = null
          income_within_limit = null
          no_other_allowance = null
          conditions = false
          eligible = false
          kind = "none"
          monthly_amount = 0
    "#]],
    );
}

#[test]
fn nothing_is_known() {
    check(
        &[json!({}), json!({})],
        json!({}),
        json!({}),
        &expect![[r#"
        outcome: None
        monthly_amount: None
        failed: 
        minimum: 
        waiting: person.p1.lives_here, case.draws_other, case.gives_up_other, person.p1.birth_date, person.p1.disability, household.region, person.p1.income, person.p2.income
        steps:
          is_elder of p1 = null
          is_elder of p2 = null
          is_disabled of p1 = null
          is_disabled of p2 = null
          is_resident of p1 = null
          is_resident of p2 = null
          family_income = null
          members = 2
          income_limit = null
          income_within_limit = null
          no_other_allowance = null
          conditions = null
          eligible = null
          kind = null
          monthly_amount = null
    "#]],
    );
}

/// Whoever is old enough is not asked for a disability, nor whether they give up what they don't draw.
#[test]
fn what_can_change_nothing_is_not_waited_for() {
    let known = json!({ "birth_date": "1950-03-15", "lives_here": true });
    check(
        &[known],
        city(),
        no_other(),
        &expect![[r#"
        outcome: None
        monthly_amount: None
        failed: 
        minimum: 
        waiting: person.p1.income
        steps:
          is_elder of p1 = true
          is_disabled of p1 = null
          is_resident of p1 = true
          family_income = null
          members = 1
          income_limit = 192000
          income_within_limit = null
          no_other_allowance = true
          conditions = null
          eligible = null
          kind = null
          monthly_amount = null
    "#]],
    );
}

#[test]
fn qualified_but_the_amount_waits() {
    let half = json!({ "birth_date": "1950-03-15", "income": 150_000, "lives_here": true });
    check(
        &[half],
        city(),
        no_other(),
        &expect![[r#"
        outcome: Some(true)
        monthly_amount: None
        failed: 
        minimum: 
        waiting: person.p1.disability
        steps:
          is_elder of p1 = true
          is_disabled of p1 = null
          is_resident of p1 = true
          family_income = 150000
          members = 1
          income_limit = 192000
          income_within_limit = true
          no_other_allowance = true
          conditions = true
          eligible = true
          kind = null
          monthly_amount = null
    "#]],
    );
}
