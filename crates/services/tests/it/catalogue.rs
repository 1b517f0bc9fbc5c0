//! A city's services: what is broken is withdrawn, the rest stays.

use std::sync::Arc;

use civic::Language;
use services::Catalogue;

use crate::folder::root;

#[test]
fn a_broken_folder_is_withdrawn_and_the_others_are_offered() {
    let home = tempfile::tempdir().unwrap();
    services::start(&home.path().join("birth-allowance")).unwrap();
    services::start(&home.path().join("rent-aid")).unwrap();
    std::fs::write(home.path().join("rent-aid/form.toml"), "page = 7").unwrap();
    std::fs::create_dir(home.path().join("empty")).unwrap();
    std::fs::create_dir(home.path().join(".git")).unwrap();
    std::fs::write(home.path().join("README.md"), "not a folder").unwrap();
    let catalogue = Arc::new(Catalogue::load(home.path(), &root().join("datasets")));
    let offered: Vec<&str> = catalogue.all().map(|service| service.id.as_str()).collect();
    assert_eq!(offered, ["birth-allowance"]);
    assert!(catalogue.get("rent-aid").is_none());
    let withdrawn: Vec<(&str, bool)> = catalogue
        .withdrawn()
        .iter()
        .map(|one| (one.id.as_str(), one.mistakes.is_empty()))
        .collect();
    assert_eq!(withdrawn, [("empty", false), ("rent-aid", false)]);
    // who applied there reads the name of the service, no code, as long as it can still be read
    let name = |id: &str| catalogue.name(id).map(|name| name.get(Language::ZhTw));
    assert_eq!(name("birth-allowance"), Some("生育津貼"));
    assert_eq!(name("rent-aid"), Some("生育津貼"));
    assert_eq!((name("empty"), name("nothing")), (None, None));
    let mistake = &catalogue
        .withdrawn()
        .iter()
        .find(|one| one.id == "rent-aid")
        .unwrap()
        .mistakes[0];
    assert_eq!((mistake.file.as_str(), mistake.line), ("form.toml", 1));
}

#[test]
fn without_a_folder_there_is_nothing_to_offer_and_a_reason() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::load(&home.path().join("nowhere"), &home.path().join("nowhere"));
    assert_eq!(catalogue.all().len(), 0);
    assert_eq!(catalogue.withdrawn().len(), 1);
}

#[test]
fn a_notice_falls_back_to_chinese() {
    let home = tempfile::tempdir().unwrap();
    services::start(&home.path().join("birth-allowance")).unwrap();
    let catalogue = Catalogue::load(home.path(), &root().join("datasets"));
    let service = catalogue.get("birth-allowance").unwrap();
    assert_eq!(service.notice(Language::En).language, Language::En);
    assert_eq!(service.notice(Language::Vi).language, Language::ZhTw);
    assert_eq!(service.notice(Language::ZhTw).digest.len(), 64);
    assert_ne!(
        service.notice(Language::En).digest,
        service.notice(Language::ZhTw).digest
    );
}

#[test]
fn every_mydata_set_of_the_tree_can_be_read() {
    let catalogue = Catalogue::load(&root().join("services"), &root().join("datasets"));
    assert_eq!(catalogue.mapping_mistakes(), []);
    assert!(catalogue.mappings().len() >= 6);
    assert!(catalogue.mapping("API.HouseReg01").unwrap().adds_persons);
    assert!(catalogue.mapping("API.Unknown001").is_none());
}

#[test]
fn every_data_set_that_the_city_offers_can_be_made() {
    let catalogue = Catalogue::load(&root().join("services"), &root().join("datasets"));
    assert_eq!(catalogue.offered_mistakes(), []);
    let titles: Vec<&str> = catalogue.all_offered().map(|one| one.title.get(Language::En)).collect();
    assert_eq!(
        titles,
        [
            "Decision on the allowance for elders",
            "Low-income and middle-low-income status"
        ]
    );
}

#[test]
fn a_mistake_in_an_offered_data_set_is_told_with_its_place_and_the_set_is_not_given() {
    let good = std::fs::read_to_string(root().join("datasets/offered/API.CityLowInc.toml")).unwrap();
    for (from, to, told) in [
        ("API.CityLowInc", "API.Short", "is no MyData set"),
        ("assurance = 3", "assurance = 5", "levels of assurance 1 to 4"),
        (
            "service = \"low-income\"",
            "service = \"low-incom\"",
            "did you mean `low-income`?",
        ),
        ("step.category", "step.categori", "did you mean `category`?"),
        (
            "step.category",
            "amount.nothing",
            "an amount that the rules of the service name",
        ),
        ("case.number", "case.secret", "is nothing that can be told"),
        (
            "file = \"low-income.json\"",
            "file = \"../x.json\"",
            "is no name of a JSON file",
        ),
        (
            "file = \"low-income.json\"",
            "file = \"x.json\"\nminutes = 90",
            "80 minutes at most",
        ),
        ("code = \"category\"", "code = \"categry\"", "did you mean `category`?"),
        ("name = \"decided\"", "name = \"number\"", "stands twice"),
        ("[[parameter]]", "[[paramter]]", "paramter"),
    ] {
        assert!(good.contains(from), "{from}");
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("offered")).unwrap();
        for known in ["mydata", "wallet"] {
            std::os::unix::fs::symlink(root().join("datasets").join(known), home.path().join(known)).unwrap();
        }
        std::fs::write(home.path().join("offered/set.toml"), good.replacen(from, to, 1)).unwrap();
        let catalogue = Catalogue::load(&root().join("services"), home.path());
        assert_eq!(catalogue.all_offered().len(), 0, "{told}");
        let mistakes: Vec<String> = catalogue
            .offered_mistakes()
            .iter()
            .map(|one| format!("{}:{} {} {:?}", one.file, one.line, one.message, one.suggestion))
            .collect();
        assert!(mistakes.iter().any(|line| line.contains(told)), "{told}: {mistakes:?}");
    }
}
