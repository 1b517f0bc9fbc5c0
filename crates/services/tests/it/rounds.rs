//! Rounds of a folder: the order of its files, and choices that say something.

use civic::Language;
use jiff::Timestamp;
use services::Service;
use services::form::{Answers, Raw, SHOWN};

use crate::folder::root;

fn service(id: &str) -> Service {
    Service::load(&root().join("services").join(id), None).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

/// The keys at which a page of choices is refused.
fn refused(service: &Service, choices: [&str; 3], language: Language) -> Vec<(String, String)> {
    let now: Timestamp = "2026-11-25T02:00:00Z".parse().unwrap();
    let keys = ["choice_1", "choice_2", "choice_3"];
    let mut raw = Raw::from([(SHOWN.to_owned(), keys.map(str::to_owned).to_vec())]);
    for (key, choice) in keys.into_iter().zip(choices) {
        raw.insert(key.to_owned(), vec![choice.to_owned()]);
    }
    let answers = Answers::new(&service.form);
    match service.form.validate("choices", &raw, &answers, language, now) {
        Ok(_) => Vec::new(),
        Err(invalid) => invalid
            .errors
            .into_iter()
            .map(|error| (error.key, error.message))
            .collect(),
    }
}

#[test]
fn a_place_chosen_twice_is_told_at_the_second_choice() {
    let housing = service("social-housing");
    for (choices, told) in [
        (["demo-1", "demo-2", "demo-3"], &[][..]),
        (["demo-1", "", ""], &[]),
        (["demo-1", "demo-1", ""], &["choice_2"]),
        (["demo-1", "demo-2", "demo-1"], &["choice_3"]),
        (["demo-2", "demo-2", "demo-2"], &["choice_2", "choice_3"]),
    ] {
        let found = refused(&housing, choices, Language::ZhTw);
        let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, told, "{choices:?}");
    }
    let [chinese, english] =
        [Language::ZhTw, Language::En].map(|language| refused(&housing, ["demo-1", "demo-1", ""], language));
    assert!(chinese[0].1.contains("和前面的志願相同"), "{chinese:?}");
    assert!(english[0].1.contains("the same as a choice before it"), "{english:?}");
    // an option that names no place may stand as often as one likes
    assert_eq!(
        refused(
            &service("scholarship"),
            ["merit-senior", "none", "none"],
            Language::ZhTw
        ),
        []
    );
}

#[test]
fn places_and_classes_stand_in_the_order_of_their_files() {
    let rounds = service("kindergarten").rounds.unwrap();
    assert_eq!(rounds.class_order, ["two", "three", "four", "five"]);
    let rounds = service("scholarship").rounds.unwrap();
    let places: Vec<&str> = rounds.places.iter().map(|place| place.id.as_str()).collect();
    let mut listed: Vec<&str> = rounds.rounds[0].seats.keys().map(String::as_str).collect();
    assert_ne!(listed, places, "the alphabet has another order");
    listed.sort_by_key(|place| rounds.order(place, "all"));
    assert_eq!(listed, places);
}
