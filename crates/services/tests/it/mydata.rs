//! From delivered sets to answers.

use std::collections::BTreeMap;

use civic::legal_day;
use jiff::Timestamp;
use serde_json::{Value, json};
use services::form::{Answers, Source};
use services::{Catalogue, FillError, Service};

use crate::folder::root;

fn now() -> Timestamp {
    "2026-11-25T02:00:00Z".parse().unwrap()
}

fn begun(service: &Service) -> Answers {
    let mut answers = Answers::new(&service.form);
    let profile = BTreeMap::from([
        ("national_id".to_owned(), "A123456789".to_owned()),
        ("name".to_owned(), "林阿梅".to_owned()),
    ]);
    service.form.prefill_profile(&mut answers, &profile, now());
    answers
}

fn file(name: &str, content: &Value) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([(name.to_owned(), content.to_string().into_bytes())])
}

fn household() -> Value {
    json!({
        "issued": "2026-11-20",
        "household": { "county": "臺中市", "address": "臺中市西區大忠里8鄰民生路1號" },
        "members": [
            { "national_id": "A123456789", "name": "林阿梅", "birth_date": "0380512", "relation": "本人", "same_registration": true },
            { "national_id": "B200000004", "name": "陳小華", "birth_date": "0650103", "relation": "女", "same_registration": false },
            { "national_id": "broken", "name": "x", "birth_date": "0650103", "relation": "女", "same_registration": false },
        ],
    })
}

#[test]
fn the_registration_brings_the_family_and_where_each_value_came_from() {
    let catalogue = Catalogue::load(&root().join("services"), &root().join("datasets"));
    let service = catalogue.get("senior-allowance").unwrap();
    let mut answers = begun(service);
    let mapping = catalogue.mapping("API.HouseReg01").unwrap();
    let filled = mapping
        .fill(
            &service.form,
            &mut answers,
            &file("household.json", &household()),
            now(),
            now(),
        )
        .unwrap();
    assert_eq!(answers.items("members"), ["p1", "p2"]);
    assert_eq!(answers.value("region"), Some(&json!("taichung")));
    assert_eq!(answers.value("members.p1.birth_date"), Some(&json!("1949-05-12")));
    assert_eq!(answers.value("members.p2.relation"), Some(&json!("child")));
    assert_eq!(answers.value("members.p2.national_id"), Some(&json!("B200000004")));
    assert_eq!(
        answers.value("members.p1.relation"),
        None,
        "the applicant's relation is fixed by the form"
    );
    let source = &answers.get("members.p2.birth_date").unwrap().source;
    let expected = Source::MyData {
        resource: "API.HouseReg01".into(),
        field: "birth_date".into(),
        issued: Some("2026-11-20".parse().unwrap()),
    };
    assert_eq!(*source, expected);
    assert!(filled.contains(&"region".to_owned()));
    // the same package again changes nothing
    let before = answers.clone();
    mapping
        .fill(
            &service.form,
            &mut answers,
            &file("household.json", &household()),
            now(),
            now(),
        )
        .unwrap();
    assert!(before == answers);
}

#[test]
fn a_set_that_may_not_add_persons_drops_strangers() {
    let catalogue = Catalogue::load(&root().join("services"), &root().join("datasets"));
    let service = catalogue.get("senior-allowance").unwrap();
    let mut answers = begun(service);
    let content = json!({ "issued": "2026-11-20", "persons": [
        { "national_id": "A123456789", "wages": 0, "interest": 8500, "dividends": -5, "rent": "1,200", "other": "none" },
        { "national_id": "B200000004", "wages": 420_000, "interest": 0, "dividends": 0, "rent": 0, "other": 0 },
    ] });
    catalogue
        .mapping("API.IncomeYr01")
        .unwrap()
        .fill(
            &service.form,
            &mut answers,
            &file("x/income.json", &content),
            now(),
            now(),
        )
        .unwrap();
    assert_eq!(answers.items("members"), ["p1"]);
    assert_eq!(answers.value("members.p1.interest_income"), Some(&json!(8500)));
    assert_eq!(answers.value("members.p1.rent_income"), Some(&json!(1200)));
    assert_eq!(
        answers.value("members.p1.dividend_income"),
        None,
        "a negative amount is asked for instead"
    );
    assert_eq!(answers.value("members.p1.other_income"), None);
}

#[test]
fn what_the_person_answered_stands() {
    let catalogue = Catalogue::load(&root().join("services"), &root().join("datasets"));
    let service = catalogue.get("senior-allowance").unwrap();
    let mut answers = begun(service);
    answers.answer("region", Some(json!("tainan")), now());
    catalogue
        .mapping("API.HouseReg01")
        .unwrap()
        .fill(
            &service.form,
            &mut answers,
            &file("household.json", &household()),
            now(),
            now(),
        )
        .unwrap();
    assert_eq!(answers.value("region"), Some(&json!("tainan")));
    assert_eq!(
        answers.get("region").unwrap().changed_from.as_ref().unwrap().value,
        json!("taichung")
    );
    assert_eq!(legal_day(now()).to_string(), "2026-11-25");
}

#[test]
fn a_set_that_is_not_what_it_should_be_is_refused_and_an_empty_one_is_not() {
    let catalogue = Catalogue::load(&root().join("services"), &root().join("datasets"));
    let service = catalogue.get("senior-allowance").unwrap();
    let mapping = catalogue.mapping("API.HouseReg01").unwrap();
    let mut answers = begun(service);
    let mut fill = |files: BTreeMap<String, Vec<u8>>| mapping.fill(&service.form, &mut answers, &files, now(), now());
    assert_eq!(fill(BTreeMap::new()), Ok(Vec::new()));
    assert!(matches!(
        fill(file("other.json", &household())),
        Err(FillError::NoFile { .. })
    ));
    assert!(matches!(
        fill(BTreeMap::from([("household.json".into(), b"\xff{".to_vec())])),
        Err(FillError::NotJson { .. })
    ));
    assert!(matches!(
        fill(file("household.json", &json!([1]))),
        Err(FillError::NotJson { .. })
    ));
    assert_eq!(
        fill(file("household.json", &json!({ "members": 7, "household": "x" }))),
        Ok(Vec::new())
    );
}
