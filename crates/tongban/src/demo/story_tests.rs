//! Each demonstration resident's story, told by the real service: data by its mapping, questions answered truly, the
//! decision by its rules.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use rules::Decision;
use serde_json::{Value, json};
use services::Catalogue;
use services::form::Answers;

use super::city::Resident;
use super::stories::Story;
use super::{City, generate};

const TODAY: Date = date(2026, 11, 25);

fn catalogue() -> Catalogue {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let catalogue = Catalogue::load(&root.join("services"), &root.join("datasets"));
    assert_eq!(
        (catalogue.withdrawn(), catalogue.mapping_mistakes()),
        (&[][..], &[][..])
    );
    catalogue
}

/// What a resident who tells the truth answers.
fn truth(resident: &Resident, answers: &Answers, key: &str) -> Value {
    let family = &resident.family;
    let Some((item, field)) = key.strip_prefix("members.").and_then(|rest| rest.split_once('.')) else {
        return match key {
            "region" => json!("taichung"),
            "listed_status" => json!(family.listed),
            "land_value_relief" => json!(family.value_rose),
            "other_allowance" => json!(family.other_allowance),
            "gives_up_other" => json!(family.gives_up_other),
            "other_public_aid" => json!(family.other_public_aid),
            "phone" => json!("0912345678"),
            "registered_address" => json!("臺中市西區大忠里8鄰民生路1號"),
            "email" => json!("resident@example.org"),
            "account" => json!({ "bank": "700", "account": "00012345678901" }),
            other => panic!("nobody knows `{other}`"),
        };
    };
    let id = answers
        .value(&format!("members.{item}.national_id"))
        .and_then(Value::as_str)
        .unwrap();
    let index = (0..family.persons.len())
        .find(|index| resident.id_of(*index).unwrap().reveal() == id)
        .unwrap();
    let person = &family.persons[index];
    let facts = &person.facts;
    match field {
        "lives_at_registration" => json!(facts.lives_at_registration),
        "in_custody" => json!(facts.in_custody),
        "exclusion" => json!(facts.exclusion),
        "lives_together" => json!(person.dwelling == resident.family.persons[resident.index].dwelling),
        "claims_as_dependant" => json!(facts.claims_as_dependant),
        "student" => json!(facts.student),
        "work_obstacle" => json!(facts.work_obstacle),
        "work_status" => json!(facts.work_status),
        "occupation_wage" => json!(facts.occupation_wage),
        "work_income" => json!(facts.work_income),
        "interest_income" => json!(facts.interest),
        "dividend_income" => json!(facts.dividends),
        "rent_income" => json!(facts.rent),
        "other_income" => json!(facts.other_income),
        "deposits" => json!(facts.deposits),
        "investments" => json!(facts.investments),
        "land_not_counted" => json!(facts.land_not_counted),
        other => panic!("nobody knows `{other}` of {item}"),
    }
}

/// Applies as the head of a family does: data from MyData, then page by page. Gives the questions asked and the decision.
fn apply(city: &City, number: usize, catalogue: &Catalogue) -> (Vec<String>, Decision) {
    let service = catalogue.get("senior-allowance").unwrap();
    let now = civic::legal_start(TODAY);
    let resident = city.head(number).unwrap();
    let own = resident.id_of(0).unwrap();
    let mut answers = Answers::new(&service.form);
    let name = resident.person().unwrap().name.to_string();
    let profile = BTreeMap::from([
        ("national_id".to_owned(), own.reveal().to_owned()),
        ("name".to_owned(), name),
    ]);
    service.form.prefill_profile(&mut answers, &profile, now);
    for set in &service.meta.mydata {
        let mapping = catalogue.mapping(set).unwrap();
        let Some(data) = city.data_set(own.reveal(), set) else {
            continue;
        };
        let files = BTreeMap::from([(mapping.file.clone(), serde_json::to_vec(&data).unwrap())]);
        assert!(
            !mapping
                .fill(&service.form, &mut answers, &files, now, now)
                .unwrap()
                .is_empty(),
            "{set}"
        );
    }
    let mut asked = Vec::new();
    for _ in 0..60 {
        let decision = service.rules.decide(&service.form.case_input(&answers), TODAY).unwrap();
        let questions = service.form.questions(&answers, &decision);
        let Some(first) = questions.first() else {
            return (asked, decision);
        };
        let page: Vec<String> = questions
            .iter()
            .filter(|one| one.address == first.address)
            .map(|one| one.key.clone())
            .collect();
        for key in page {
            answers.answer(&key, Some(truth(&resident, &answers, &key)), now);
            asked.push(key);
        }
    }
    panic!("the questions never end: {asked:?}");
}

#[test]
fn every_story_comes_true() {
    let catalogue = catalogue();
    for seed in [1, 7, 42] {
        let city = generate(1_000, seed, TODAY).unwrap();
        for (number, story) in Story::ALL.into_iter().enumerate() {
            let (asked, decision) = apply(&city, number, &catalogue);
            let asks = |field: &str| asked.iter().any(|key| key.ends_with(field));
            let amount = decision.amounts.get("monthly_amount").copied().flatten();
            let told = format!(
                "{seed} {story:?}: {:?} {amount:?} {:?} asked {asked:?}",
                decision.outcome, decision.failed
            );
            match story {
                Story::Full => assert!(decision.outcome == Some(true) && amount == Some(8_329), "{told}"),
                Story::Half => assert!(decision.outcome == Some(true) && amount == Some(4_164), "{told}"),
                Story::Income => assert_eq!(decision.failed, ["is_within_income_line"], "{told}"),
                Story::Property => assert_eq!(decision.failed, ["is_within_movable_limit"], "{told}"),
                Story::Open => assert!(
                    decision.outcome == Some(true) && asks("p2.exclusion") && asks("p2.work_obstacle"),
                    "{told}"
                ),
                Story::SixtyFour => assert_eq!(decision.failed, ["is_elder"], "{told}"),
                Story::Listed => assert!(
                    decision.outcome == Some(true) && amount == Some(8_329) && !asks("_income"),
                    "{told}"
                ),
                Story::MissingSet => assert!(
                    decision.outcome == Some(true) && asks("p1.work_income") && asks("p1.other_income"),
                    "{told}"
                ),
            }
            // nobody is asked what MyData has said
            assert!(
                !asks("land_value") && !asks("birth_date") && !asks("relation"),
                "{told}"
            );
        }
    }
}

#[test]
fn a_sweep_finds_a_plausible_share_of_elders_entitled() {
    let catalogue = catalogue();
    let service = catalogue.get("senior-allowance").unwrap();
    let city = generate(20_000, 11, TODAY).unwrap();
    let path: PathBuf = std::env::temp_dir().join(format!("tongban-people-{}.parquet", std::process::id()));
    let mut heard = Vec::new();
    city.write_people(&path, &mut |done| heard.push(done)).unwrap();
    let population = service.rules.read_population(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        (population.persons(), population.households()),
        (city.residents(), city.families())
    );
    assert_eq!(heard.last(), Some(&20_000));
    let (entitled, refused, open) = service.rules.sweep(&population, TODAY).unwrap().counts();
    // about one in five residents is an elder, nearly all of them head or spouse of a family
    assert!((3_000..4_500).contains(&(entitled + refused)), "{entitled} {refused}");
    // before anybody has applied: about a quarter of them would be; about 4 in 100 draw it
    assert!(
        (15..35).contains(&(entitled * 100 / (entitled + refused))),
        "{entitled} {refused}"
    );
    assert_eq!(open, 0);
}
