#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use civic::Text;
use jiff::civil::date;
use serde_json::{Value, json};

use super::super::model::{Choice, FieldKind};
use super::{Entered, read};

fn check(kind: &FieldKind, typed: &str, expected: Option<Value>) {
    let result = read(kind, &Entered::one(typed), date(2026, 11, 24));
    match (result, expected) {
        (Ok(found), Some(expected)) => assert_eq!(found, Some(expected), "{typed}"),
        (Err(_), None) => {}
        (Ok(found), None) => panic!("`{typed}` was taken as {found:?}"),
        (Err(problem), Some(_)) => panic!("`{typed}` was refused: {problem:?}"),
    }
}

fn boxes(kind: &FieldKind, parts: &[(&str, &str)]) -> Option<Value> {
    let raw: BTreeMap<String, Vec<String>> = parts
        .iter()
        .map(|(name, value)| (format!("x.{name}"), vec![(*value).to_owned()]))
        .collect();
    read(kind, &Entered::under("x", &raw), date(2026, 11, 24))
        .ok()
        .flatten()
}

#[test]
fn money_as_people_type_it() {
    let money = FieldKind::Money { min: 0, max: 1_000_000 };
    check(&money, "8,329", Some(json!(8329)));
    check(&money, "８３２９元", Some(json!(8329)));
    check(&money, " NT$ 8329 ", Some(json!(8329)));
    check(&money, "0", Some(json!(0)));
    check(&money, "-1", None);
    check(&money, "1000001", None);
    check(&money, "8329.5", None);
    check(&money, "99999999999999999999", None);
}

#[test]
fn dates_in_roc_years() {
    let past = FieldKind::Date { past: true };
    check(&past, "38/05/12", Some(json!("1949-05-12")));
    check(&past, "1949-05-12", Some(json!("1949-05-12")));
    check(&past, "民國115年11月24日", Some(json!("2026-11-24")));
    check(&past, "民國115年11月25日", None);
    check(&past, "114-02-30", None);
    assert_eq!(
        boxes(&past, &[("year", "３８"), ("month", "5"), ("day", "12")]),
        Some(json!("1949-05-12"))
    );
    assert_eq!(boxes(&past, &[("year", "38"), ("month", ""), ("day", "12")]), None);
    assert_eq!(boxes(&past, &[("year", "38"), ("month", "13"), ("day", "12")]), None);
}

#[test]
fn choices_outside_the_list_are_refused() {
    let radios = FieldKind::Radios(vec![Choice {
        value: "none".into(),
        label: Text::default(),
        hint: None,
    }]);
    check(&radios, "none", Some(json!("none")));
    check(&radios, "<script>", None);
    check(&FieldKind::YesNo, "yes", Some(json!(true)));
    check(&FieldKind::YesNo, "maybe", None);
}

#[test]
fn contacts() {
    check(&FieldKind::Phone, "0912-345-678", Some(json!("0912345678")));
    check(&FieldKind::Phone, "(04)2228-9111", Some(json!("0422289111")));
    check(&FieldKind::Phone, "12345", None);
    check(&FieldKind::Email, "a.b@example.org", Some(json!("a.b@example.org")));
    check(&FieldKind::Email, "a@b", None);
    check(&FieldKind::Email, "a@b@example.org", None);
    check(&FieldKind::NationalId, "ａ123456789", Some(json!("A123456789")));
    check(&FieldKind::NationalId, "A123456788", None);
    check(
        &FieldKind::Address,
        "臺中市西區大忠里8鄰民生路1號",
        Some(json!("臺中市西區大忠里8鄰民生路1號")),
    );
}

#[test]
fn accounts_for_payment() {
    let kind = FieldKind::BankAccount;
    assert_eq!(
        boxes(&kind, &[("bank", "700"), ("account", "0021-234-5678-901")]),
        Some(json!({ "bank": "700", "account": "00212345678901" }))
    );
    assert_eq!(boxes(&kind, &[("bank", "70"), ("account", "00212345678901")]), None);
    assert_eq!(boxes(&kind, &[("bank", "700"), ("account", "12345")]), None);
    assert_eq!(boxes(&kind, &[("bank", ""), ("account", "")]), None);
}

#[test]
fn nothing_entered_is_no_value() {
    assert_eq!(
        read(&FieldKind::YesNo, &Entered::one("  "), date(2026, 11, 24)).unwrap(),
        None
    );
    assert_eq!(boxes(&FieldKind::BankAccount, &[]), None);
}
