//! The form: order does not matter, what was typed comes back, nothing that is posted can break it.

use std::collections::BTreeMap;

use civic::Language;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use services::Service;
use services::form::{Answers, Raw, SHOWN};

use crate::folder::{senior, starter};

fn now() -> Timestamp {
    "2026-11-25T02:00:00Z".parse().unwrap()
}

fn raw(pairs: &[(&str, &str)]) -> Raw {
    let mut raw = Raw::new();
    for (name, value) in pairs {
        raw.entry((*name).to_owned()).or_default().push((*value).to_owned());
    }
    raw
}

fn take(service: &Service, page: &str, pairs: &[(&str, &str)], answers: &Answers) -> Answers {
    service
        .form
        .validate(page, &raw(pairs), answers, Language::ZhTw, now())
        .unwrap_or_else(|invalid| panic!("{page}: {:?}", invalid.errors))
}

#[test]
fn only_what_the_decision_waits_for_is_asked() {
    let (_home, folder) = starter();
    let service = Service::load(&folder, None).unwrap();
    let asked = |answers: &Answers| -> Vec<String> {
        let decision = service
            .rules
            .decide(&service.form.case_input(answers), "2026-11-20".parse().unwrap())
            .unwrap();
        service
            .form
            .questions(answers, &decision)
            .into_iter()
            .map(|question| question.key)
            .collect()
    };
    let start = Answers::new(&service.form);
    assert_eq!(
        asked(&start).iter().take(2).collect::<Vec<_>>(),
        ["children", "days_registered"]
    );
    let too_few = take(&service, "registration", &[("days_registered", "１７９")], &start);
    assert!(
        !asked(&too_few).contains(&"children".to_owned()),
        "a refusal that stands already asks no more"
    );
    assert!(
        asked(&too_few).contains(&"account".to_owned()),
        "what is always asked still is"
    );
}

#[test]
fn a_wrong_entry_comes_back_with_a_sentence_in_both_languages() {
    let service = senior();
    let answers = Answers::new(&service.form);
    for (language, words) in [(Language::ZhTw, "請填手機"), (Language::En, "mobile number")] {
        let typed = raw(&[
            ("phone", "12"),
            ("email", ""),
            ("registered_address", "臺中市西區民生路1號"),
        ]);
        let invalid = service
            .form
            .validate("contact", &typed, &answers, language, now())
            .unwrap_err();
        assert_eq!(
            invalid
                .errors
                .iter()
                .map(|error| error.key.as_str())
                .collect::<Vec<_>>(),
            ["phone"]
        );
        assert!(
            invalid.errors[0].message.contains(words),
            "{}",
            invalid.errors[0].message
        );
        let place = service.form.place("contact", &answers).unwrap();
        let view = service.form.view(&place, &answers, None, Some(&invalid), language);
        assert_eq!(view.fields[0].boxes, [("", "12".to_owned())]);
        assert_eq!(view.fields[2].boxes, [("", "臺中市西區民生路1號".to_owned())]);
        assert!(view.fields[0].error.is_some() && view.fields[1].error.is_none());
    }
}

#[test]
fn dates_are_entered_in_roc_years_and_shown_so() {
    let service = senior();
    let start = Answers::new(&service.form);
    let page = [
        ("members.p1.name", "林阿梅"),
        ("members.p1.national_id", "Ａ１２３４５６７８９"),
        ("members.p1.birth_date.year", "38"),
        ("members.p1.birth_date.month", "5"),
        ("members.p1.birth_date.day", "12"),
    ];
    let answers = take(&service, "person.p1", &page, &start);
    assert_eq!(answers.value("members.p1.birth_date"), Some(&json!("1949-05-12")));
    assert_eq!(answers.value("members.p1.national_id"), Some(&json!("A123456789")));
    assert!(
        service
            .form
            .shown("members.p1.birth_date", &answers, Language::ZhTw)
            .contains("38年5月12日")
    );
    let wrong = raw(&[
        ("members.p1.name", "林"),
        ("members.p1.national_id", "A123456789"),
        ("members.p1.birth_date.year", "38"),
        ("members.p1.birth_date.month", "2"),
        ("members.p1.birth_date.day", "30"),
    ]);
    let invalid = service
        .form
        .validate("person.p1", &wrong, &start, Language::ZhTw, now())
        .unwrap_err();
    assert_eq!(invalid.errors[0].key, "members.p1.birth_date.year");
}

#[test]
fn a_page_that_is_not_called_for_is_refused_and_opens_with_its_condition() {
    let service = senior();
    let start = Answers::new(&service.form);
    assert!(
        service
            .form
            .validate(
                "choice",
                &raw(&[("gives_up_other", "yes")]),
                &start,
                Language::ZhTw,
                now()
            )
            .unwrap_err()
            .errors
            .is_empty()
    );
    assert!(service.form.place("person.p9", &start).is_none());
    let answers = take(
        &service,
        "allowances",
        &[("other_allowance", "farmer"), ("other_public_aid", "0")],
        &start,
    );
    let answers = take(&service, "choice", &[("gives_up_other", "yes")], &answers);
    assert_eq!(answers.value("gives_up_other"), Some(&json!(true)));
}

#[test]
fn a_family_member_is_added_named_and_removed_with_all_answers() {
    let service = senior();
    let mut answers = Answers::new(&service.form);
    let item = answers.add_item(&service.form, "members").unwrap();
    answers.answer(&format!("members.{item}.name"), Some(json!("陳小華")), now());
    assert_eq!(
        service.form.item_name("members", &item, &answers, Language::ZhTw),
        "陳小華"
    );
    assert!(!answers.remove_item("members", "p1"), "the applicant stays");
    assert!(answers.remove_item("members", &item));
    assert_eq!(answers.value(&format!("members.{item}.name")), None);
    while answers.add_item(&service.form, "members").is_some() {}
    assert_eq!(answers.items("members").len(), 20);
}

#[test]
fn saved_answers_come_back_as_they_were() {
    let service = senior();
    let mut answers = take(
        &service,
        "contact",
        &[("phone", "0912-345-678"), ("registered_address", "臺中市西區民生路1號")],
        &Answers::new(&service.form),
    );
    answers.add_item(&service.form, "members");
    let text = serde_json::to_string(&answers).unwrap();
    let back: Answers = serde_json::from_str(&text).unwrap();
    assert!(back == answers);
    assert!(
        !format!("{answers:?}").contains("0912"),
        "answers tell no values when printed"
    );
}

/// Pages of the starter with something valid on each.
const PAGES: [(&str, &[(&str, &str)]); 4] = [
    ("birth", &[("children", "2")]),
    ("registration", &[("days_registered", "200")]),
    (
        "contact",
        &[
            ("name", "林阿梅"),
            ("phone", "0912345678"),
            ("email", "a@example.org"),
            ("address", "臺中市西區民生路1號"),
        ],
    ),
    (
        "payment",
        &[("account.bank", "700"), ("account.account", "00012345678901")],
    ),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_pages_does_not_matter(order in Just([0_usize, 1, 2, 3]).prop_shuffle()) {
        let (_home, folder) = starter();
        let service = Service::load(&folder, None).unwrap();
        let fill = |order: &[usize]| order.iter().fold(Answers::new(&service.form), |answers, place| take(&service, PAGES[*place].0, PAGES[*place].1, &answers));
        prop_assert!(fill(&order) == fill(&[0, 1, 2, 3]));
    }
}

/// One form for all the runs of a property.
fn shared() -> &'static Service {
    static SERVICE: std::sync::LazyLock<Service> = std::sync::LazyLock::new(|| {
        let (_home, folder) = starter();
        Service::load(&folder, None).unwrap()
    });
    &SERVICE
}

fn family() -> &'static std::sync::Arc<Service> {
    static SERVICE: std::sync::LazyLock<std::sync::Arc<Service>> = std::sync::LazyLock::new(senior);
    &SERVICE
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_typed_comes_back(name in "[\\PC&&[^\\s]]{1,50}", children in 1_i64..=8, days in 0_i64..=40_000) {
        let service = shared();
        let start = Answers::new(&service.form);
        let answers = take(service, "birth", &[("children", &children.to_string())], &start);
        let answers = take(service, "registration", &[("days_registered", &days.to_string())], &answers);
        prop_assert_eq!(answers.value("children"), Some(&json!(children)));
        prop_assert_eq!(answers.value("days_registered"), Some(&json!(days)));
        let posted = raw(&[("name", &name), ("phone", "x"), ("address", "x")]);
        let invalid = service.form.validate("contact", &posted, &answers, Language::En, now()).unwrap_err();
        let place = service.form.place("contact", &answers).unwrap();
        let view = service.form.view(&place, &answers, None, Some(&invalid), Language::En);
        prop_assert_eq!(&view.fields[0].boxes[0].1, &name);
    }

    #[test]
    fn nothing_posted_can_break_a_form(
        names in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(vec![
                    "children", "days_registered", "name", "phone", "email", "address", "account", "account.bank", "account.account", "account.", SHOWN,
                    "members.p1.birth_date.year", "members.p1.birth_date.month", "members.p1.birth_date.day", "members.p1.birth_date", "members.p1.national_id",
                    "members.p1.deposits", "members.p1.work_status", "members..x", "region", "other_public_aid",
                ]).prop_map(str::to_owned),
                ".{0,20}",
            ],
            0..12,
        ),
        values in proptest::collection::vec(proptest::collection::vec(prop_oneof![".{0,40}", "-?[0-9]{0,25}", "[０-９,元$]{0,12}"], 0..3), 12),
        address in prop_oneof![".{0,12}", proptest::sample::select(vec!["birth", "contact", "payment", "person.p1", "savings.p1", "allowances", "person."]).prop_map(str::to_owned)],
    ) {
        let posted: Raw = names.into_iter().zip(values).collect::<BTreeMap<_, _>>();
        for service in [shared(), family().as_ref()] {
            let start = Answers::new(&service.form);
            for language in [Language::ZhTw, Language::En] {
                match service.form.validate(&address, &posted, &start, language, now()) {
                    Ok(answers) => {
                        // whatever was taken, the rules can read it
                        service.rules.decide(&service.form.case_input(&answers), "2026-11-20".parse().unwrap()).unwrap();
                        prop_assert!(answers.values.values().all(|answer| answer.value != Value::Null));
                    }
                    Err(invalid) => {
                        prop_assert_eq!(&invalid.raw, &posted);
                        prop_assert!(invalid.errors.iter().all(|error| !error.message.is_empty()));
                        if let Some(place) = service.form.place(&address, &start) {
                            service.form.view(&place, &start, None, Some(&invalid), language);
                        }
                    }
                }
            }
            let _ = service.form.validate_all(&posted, &start, Language::En, now());
        }
    }
}
