//! The vocabulary of the tree: every shared name is decided on, every choice can be taken or is translated.

use std::collections::BTreeMap;

use serde_json::json;
use services::Catalogue;
use services::form::InputName;

use crate::folder::root;

fn catalogue() -> Catalogue {
    Catalogue::load(&root().join("services"), &root().join("datasets"))
}

#[test]
fn the_vocabulary_of_the_tree_fits_every_folder() {
    let catalogue = catalogue();
    assert_eq!(catalogue.vocabulary_mistakes(), []);
    for service in catalogue.all() {
        let report = services::check(
            &root().join("services").join(&service.id),
            Some(&root().join("datasets")),
        );
        assert_eq!(report.mistakes, [], "{}", service.id);
        let undecided: Vec<String> = report
            .warnings
            .iter()
            .map(ToString::to_string)
            .filter(|warning| warning.contains("nothing says whether it is the same fact"))
            .collect();
        assert!(undecided.is_empty(), "{}: {undecided:?}", service.id);
    }
}

#[test]
fn every_input_is_one_fact_and_only_one() {
    let catalogue = catalogue();
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for fact in catalogue.vocabulary().all() {
        assert!(fact.inputs.contains_key(&fact.asked_in), "{}", fact.id);
        for (service, input) in &fact.inputs {
            *seen
                .entry((service.clone(), format!("{}.{}", input.entity, input.name)))
                .or_default() += 1;
        }
    }
    let all: usize = catalogue.all().map(|service| service.rules.inputs().len()).sum();
    assert_eq!(seen.len(), all);
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
}

#[test]
fn a_choice_that_a_service_lacks_is_translated_or_left_open() {
    let catalogue = catalogue();
    let vocabulary = catalogue.vocabulary();
    let disability = vocabulary.fact("person.disability").unwrap();
    let field = |service: &str| disability.field_in(catalogue.get(service).unwrap()).unwrap().1;
    let assessed = json!("assessed");
    assert_eq!(
        disability.value_in(field("kindergarten"), &assessed),
        Some(assessed.clone())
    );
    assert_eq!(disability.value_in(field("low-income"), &assessed), Some(json!("none")));
    // back again it is not known which of the two it was
    assert_eq!(disability.value_from(field("low-income"), &json!("none")), None);
    assert_eq!(
        disability.value_from(field("low-income"), &json!("mild")),
        Some(json!("mild"))
    );
    let region = vocabulary.fact("household.region").unwrap();
    let (_, field) = region.field_in(catalogue.get("low-income").unwrap()).unwrap();
    assert_eq!(region.value_in(field, &json!("none")), None);
    // under another name, of the applicant
    let name = InputName {
        entity: rules::Entity::Case,
        name: "other_public_aid".to_owned(),
    };
    let aid = vocabulary.of_input("senior-allowance", &name).unwrap();
    assert_eq!(aid.id, "person.other_public_aid");
}
