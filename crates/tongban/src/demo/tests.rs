#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use civic::{NationalId, age_on};
use jiff::civil::{Date, date};
use serde_json::Value;

use super::city::City;
use super::family::{Family, Relation, Role};
use super::marginals::figures;
use super::sets::data_set;
use super::stories::Story;
use super::{CityError, generate};

const TODAY: Date = date(2026, 11, 25);

fn city(residents: usize, seed: u64) -> City {
    generate(residents, seed, TODAY).unwrap()
}

fn families(city: &City) -> impl Iterator<Item = (Family, u32)> {
    (0..city.families()).map(|number| city.family(number).unwrap())
}

/// JSON with its keys in order, however the library keeps them.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter().collect::<BTreeMap<_, _>>() {
                text.push_str(key);
                canonical(value, text);
            }
        }
        Value::Array(list) => list.iter().for_each(|one| canonical(one, text)),
        plain => text.push_str(&plain.to_string()),
    }
}

/// Everything that is known of every resident, as one number (FNV-1a).
fn digest(city: &City) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for number in 0..city.families() {
        let (family, _) = city.family(number).unwrap();
        for index in 0..family.persons.len() {
            let mut resident = city.head(number).unwrap();
            resident.index = index;
            let mut text = format!(
                "{} {:?}\n",
                resident.id_of(index).unwrap().reveal(),
                family.persons[index].facts.work_status
            );
            for resource in [
                "API.HouseReg01",
                "API.IncomeYr01",
                "API.Property01",
                "API.Disabled01",
                "API.EntryExit1",
                "API.Welfare001",
            ] {
                canonical(&data_set(&resident, resource, TODAY).unwrap(), &mut text);
            }
            for byte in text.bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
    }
    hash
}

#[test]
fn the_seed_alone_makes_the_city() {
    let one = digest(&city(2_000, 7));
    assert_eq!(one, digest(&city(2_000, 7)));
    assert_ne!(one, digest(&city(2_000, 8)));
    // the same number on every machine: a change here is another city, and needs another edition in `city.rs`
    assert_eq!(one, 11_867_541_580_376_473_434);
}

#[test]
fn a_family_is_the_same_whatever_the_size_of_its_city() {
    let (small, large) = (city(2_000, 7), city(5_000, 7));
    for number in 0..small.families() - 1 {
        assert_eq!(small.family(number).unwrap().1, large.family(number).unwrap().1);
        assert_eq!(
            small.family(number).unwrap().0.persons.len(),
            large.family(number).unwrap().0.persons.len()
        );
    }
}

#[test]
fn every_id_is_valid_and_nobody_elses() {
    let city = city(20_000, 3);
    let mut seen = BTreeSet::new();
    for number in 0..city.families() {
        let resident = city.head(number).unwrap();
        for (index, person) in resident.family.persons.iter().enumerate() {
            let id = resident.id_of(index).unwrap();
            assert!(NationalId::parse(id.reveal()).is_ok());
            assert_eq!(id.reveal().as_bytes()[1], if person.woman { b'2' } else { b'1' });
            assert!(seen.insert(id.reveal().to_owned()));
            let found = city.resident(id.reveal()).unwrap();
            assert_eq!((found.number, found.index), (number, index));
        }
    }
    assert_eq!(seen.len(), 20_000);
    assert!(city.resident("A123456789").is_none());
    assert!(city.resident("nobody").is_none());
}

#[test]
fn families_hold_together() {
    let city = city(20_000, 5);
    for (family, _) in families(&city) {
        let head = &family.persons[0];
        assert_eq!(head.role, Role::Head);
        assert_eq!(family.persons.iter().filter(|one| one.role == Role::Head).count(), 1);
        assert!(family.persons.iter().filter(|one| one.role == Role::Spouse).count() <= 1);
        for person in &family.persons {
            assert_eq!(age_on(person.birth, TODAY), person.age);
            assert!((0..=110).contains(&person.age), "{}", person.age);
            assert!(person.dwelling < family.homes.len());
            assert!(!person.married || person.age >= 18);
            let relation = family.relation(head, person);
            let expected = match person.role {
                Role::Head => Relation::Own,
                Role::Spouse => Relation::Spouse,
                Role::Child(_) => Relation::Child,
                Role::ChildSpouse(_) => Relation::Other,
                Role::Grandchild(_) => Relation::Grandchild,
            };
            assert_eq!(relation, expected);
            for parent in family
                .persons
                .iter()
                .filter(|other| family.relation(person, other) == Relation::Parent)
            {
                assert!(
                    parent.age >= person.age + 12,
                    "{:?} {} {}",
                    person.role,
                    parent.age,
                    person.age
                );
            }
            for spouse in family
                .persons
                .iter()
                .filter(|other| family.relation(person, other) == Relation::Spouse)
            {
                assert_ne!(spouse.woman, person.woman);
                assert!(spouse.married && person.married);
            }
        }
    }
}

#[test]
fn ages_and_welfare_are_near_the_published_figures() {
    let city = city(50_000, 11);
    let (mut elderly, mut children, mut disabled, mut listed) = (0, 0, 0, 0);
    for (family, _) in families(&city) {
        for person in &family.persons {
            elderly += i64::from(person.age >= 65);
            children += i64::from(person.age < 15);
            disabled += i64::from(person.facts.disability != "none");
            listed += i64::from(family.listed != "none");
        }
    }
    let age = &figures().unwrap().marginals.age;
    assert!((elderly / 50 - age.elderly).abs() <= 15, "{elderly}");
    assert!((children / 50 - age.children).abs() <= 12, "{children}");
    assert!((40..=65).contains(&(disabled / 50)), "{disabled}");
    assert!((12..=35).contains(&(listed / 50)), "{listed}");
}

#[test]
fn a_saved_city_opens_again_as_it_was() {
    let folder = std::env::temp_dir().join(format!("tongban-city-{}", std::process::id()));
    let made = city(2_000, 7);
    made.save(&folder).unwrap();
    let opened = City::open(&folder).unwrap();
    assert_eq!(
        (opened.residents(), opened.families(), digest(&opened)),
        (2_000, made.families(), digest(&made))
    );
    std::fs::write(folder.join("families.bin"), [1, 2, 3, 4]).unwrap();
    assert!(matches!(City::open(&folder), Err(CityError::File { .. })));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(City::open(&folder), Err(CityError::File { .. })));
}

#[test]
fn a_city_has_a_sensible_size() {
    assert!(matches!(generate(3, 7, TODAY), Err(CityError::Size { asked: 3 })));
    assert!(matches!(generate(2_700_001, 7, TODAY), Err(CityError::Size { .. })));
    assert_eq!(city(200, 7).residents(), 200);
}

#[test]
fn every_seed_has_its_stories() {
    for seed in 0..20 {
        let city = city(200, seed);
        for (number, story) in Story::ALL.into_iter().enumerate() {
            assert!(story.fits(&city.family(number).unwrap().0, TODAY), "{seed} {story:?}");
        }
    }
}
