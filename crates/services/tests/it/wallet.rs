//! From cards that are shown to answers, and from decisions to the card of the city.

use std::collections::BTreeMap;

use civic::NationalId;
use jiff::Timestamp;
use serde_json::{Value, json};
use services::form::{Answers, Source};
use services::offered::Standing;
use services::{Catalogue, Service};

use crate::folder::root;

const CARD: &str = "00000000_disability_card";

fn now() -> Timestamp {
    "2026-11-25T02:00:00Z".parse().unwrap()
}

fn catalogue() -> Catalogue {
    let catalogue = Catalogue::load(&root().join("services"), &root().join("datasets"));
    assert_eq!(catalogue.card_mistakes(), []);
    catalogue
}

fn claims(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

#[test]
fn a_card_fills_what_is_the_applicants_own_and_nothing_else() {
    let catalogue = catalogue();
    let card = catalogue.card(CARD).unwrap();
    assert_eq!(card.claims(), ["id_number", "degree"]);
    let service = catalogue.get("senior-allowance").unwrap();
    let mut answers = Answers::new(&service.form);
    let other = answers.add_item(&service.form, "members").unwrap();
    let shown = claims(&[("id_number", json!("A123456789")), ("degree", json!("重度"))]);
    let filled = card.fill(&service.form, &mut answers, &shown, "社家署", now());
    assert_eq!(filled, ["members.p1.disability"]);
    assert_eq!(answers.value("members.p1.disability"), Some(&json!("severe")));
    assert_eq!(answers.value(&format!("members.{other}.disability")), None);
    let source = &answers.get("members.p1.disability").unwrap().source;
    assert!(source.is_official() && !source.is_own_word());
    assert!(matches!(source, Source::Wallet { claim, issuer, .. } if claim == "degree" && issuer == "社家署"));
    let kept: Source = serde_json::from_value(serde_json::to_value(source).unwrap()).unwrap();
    assert_eq!(kept, *source);
    // the service that takes no card is filled by none
    let kindergarten = catalogue.get("kindergarten").unwrap();
    let mut untouched = Answers::new(&kindergarten.form);
    assert!(
        card.fill(&kindergarten.form, &mut untouched, &shown, "社家署", now())
            .is_empty()
    );
}

#[test]
fn what_a_card_says_otherwise_than_known_asks_the_question() {
    let catalogue = catalogue();
    let card = catalogue.card(CARD).unwrap();
    let service = catalogue.get("low-income").unwrap();
    for degree in [json!("第七類"), json!(3), json!(null), json!(["重度"]), json!({})] {
        let mut answers = Answers::new(&service.form);
        let shown = claims(&[("degree", degree.clone())]);
        assert!(
            card.fill(&service.form, &mut answers, &shown, "社家署", now())
                .is_empty(),
            "{degree}"
        );
        assert!(answers.values.is_empty());
    }
    for (said, is_known) in [(json!("A123456789"), true), (json!("A123"), false), (json!(1), false)] {
        assert_eq!(card.national_id(&claims(&[("id_number", said)])).is_some(), is_known);
    }
    assert!(card.national_id(&claims(&[])).is_none());
}

#[test]
fn the_card_of_a_recognised_family_says_what_was_decided() {
    let catalogue = catalogue();
    let service: &Service = catalogue.get("low-income").unwrap();
    let card = service.card.as_ref().unwrap();
    let mut answers = Answers::new(&service.form);
    let id = NationalId::parse("A123456789").unwrap();
    let profile = BTreeMap::from([
        ("name".to_owned(), "林阿梅".to_owned()),
        ("national_id".to_owned(), id.reveal().to_owned()),
    ]);
    service.form.prefill_profile(&mut answers, &profile, now());
    let input = service.form.case_input(&answers);
    let mut decision = service.rules.decide(&input, "2026-11-25".parse().unwrap()).unwrap();
    for step in decision.steps.iter_mut().filter(|step| step.name == "category") {
        step.value = json!(2);
    }
    let standing = Standing {
        number: "115-LI-000001",
        service: &service.meta.name,
        decided: "2026-11-25".parse().unwrap(),
        first_month: Some("2026-11"),
        last_month: Some("2026-12"),
        decision: &decision,
    };
    let expected = claims(&[
        ("name", json!("林阿梅")),
        ("id_number", json!("A123456789")),
        ("category", json!("低收入戶第二款")),
        ("case_number", json!("115-LI-000001")),
        ("last_month", json!("2026-12")),
    ]);
    assert_eq!(card.claims(&service.form, &answers, &standing), expected);
}
