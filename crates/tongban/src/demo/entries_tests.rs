//! The entries of the registers, and the services that give of their own motion swept over them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use services::Catalogue;

use super::entries::Entry;
use super::family::{Family, Relation};
use super::{City, generate};

const TODAY: Date = date(2026, 11, 25);

fn all(city: &City) -> Vec<(Family, Vec<Entry>)> {
    let families = (0..city.families()).map(|number| {
        let (family, _) = city.family(number).unwrap();
        let entries = city.entries(number, &family).unwrap();
        (family, entries)
    });
    families.collect()
}

/// Every value of every entry, as one number (FNV-1a).
fn digest(city: &City) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for entry in all(city).iter().flat_map(|(_, entries)| entries) {
        let text = format!(
            "{} {} {} {} {} {} {}",
            entry.registered_since,
            entry.alive,
            entry.indigenous,
            entry.houses_owned,
            entry.owner,
            entry.self_used,
            entry.share
        );
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

#[test]
fn the_seed_alone_makes_the_entries() {
    let city = |seed| generate(2_000, seed, TODAY).unwrap();
    let one = digest(&city(7));
    assert_eq!(one, digest(&city(7)));
    assert_ne!(one, digest(&city(8)));
}

#[test]
fn entries_agree_with_the_persons_and_with_each_other() {
    for (family, entries) in all(&generate(20_000, 5, TODAY).unwrap()) {
        assert_eq!(family.persons.len(), entries.len());
        for (person, entry) in family.persons.iter().zip(&entries) {
            assert!(entry.registered_since >= person.birth && entry.registered_since <= TODAY);
            assert_eq!(entry.owner, person.facts.house > 0);
            assert_eq!(entry.owner, entry.share > 0);
            assert!((0..=10_000).contains(&entry.share));
            assert!(!entry.owner || entry.houses_owned >= 1);
            assert!(entry.owner || !entry.self_used);
            assert!(person.age > 64 || entry.alive);
            for (other, theirs) in family.persons.iter().zip(&entries) {
                if family.relation(person, other) == Relation::Spouse {
                    // a couple's houses count for both, apart from children of one of them
                    assert!(!theirs.owner || entry.houses_owned >= 1);
                }
            }
        }
    }
}

#[test]
fn shares_are_those_of_the_marginals() {
    let city = all(&generate(50_000, 5, TODAY).unwrap());
    let entries = || {
        city.iter()
            .flat_map(|(family, entries)| family.persons.iter().zip(entries))
    };
    let per_thousand = |part: usize, whole: usize| part * 1000 / whole;
    let people = entries().count();
    let indigenous = entries().filter(|(_, entry)| entry.indigenous).count();
    assert!((8..20).contains(&per_thousand(indigenous, people)), "{indigenous}");
    let elders = entries().filter(|(person, _)| person.age >= 65).count();
    let dead = entries().filter(|(_, entry)| !entry.alive).count();
    assert!((1..8).contains(&per_thousand(dead, elders)), "{dead} of {elders}");
    let new = entries().filter(|(_, entry)| entry.registered_since > date(2025, 11, 25));
    assert!((15..45).contains(&per_thousand(new.count(), people)));
    let owners = entries().filter(|(_, entry)| entry.owner).count();
    let single = entries().filter(|(_, entry)| entry.owner && entry.houses_owned == 1);
    assert!((500..800).contains(&per_thousand(single.count(), owners)));
}

/// The city's people without the column that says who may apply for the allowance of elders.
fn register(city: &City, name: &str) -> PathBuf {
    let path = |part: &str| std::env::temp_dir().join(format!("tongban-{name}-{part}-{}.parquet", std::process::id()));
    let (people, register) = (path("people"), path("register"));
    city.write_people(&people, &mut |_| {}).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&people).unwrap()).unwrap();
    let wanted: Vec<usize> = reader
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| field.name() != "applicant")
        .map(|(place, _)| place)
        .collect();
    let mask = ProjectionMask::roots(reader.parquet_schema(), wanted);
    let reader = reader.with_projection(mask).build().unwrap();
    let mut writer: Option<ArrowWriter<File>> = None;
    for batch in reader {
        let batch = batch.unwrap();
        writer
            .get_or_insert_with(|| {
                ArrowWriter::try_new(File::create(&register).unwrap(), batch.schema(), None).unwrap()
            })
            .write(&batch)
            .unwrap();
    }
    writer.unwrap().close().unwrap();
    std::fs::remove_file(&people).unwrap();
    register
}

/// How many are entitled, refused and open when a service is swept over the whole register on a day.
fn swept(city: &City, service: &str, on: Date) -> (usize, usize, usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let catalogue = Catalogue::load(&root.join("services"), &root.join("datasets"));
    let service = catalogue.get(service).unwrap();
    let path = register(city, &service.id);
    let population = service.rules.read_population(&path).unwrap();
    let counts = service.rules.sweep(&population, on).unwrap().counts();
    std::fs::remove_file(&path).unwrap();
    counts
}

#[test]
fn the_gift_finds_every_elder_and_the_indigenous_from_55_on() {
    let city = generate(20_000, 11, TODAY).unwrap();
    let on = date(2026, 10, 18);
    let mut expected = (0, 0);
    for (family, entries) in all(&city) {
        for (person, entry) in family.persons.iter().zip(&entries) {
            let age = 2026 - person.birth.year();
            if age >= 65 || (age >= 55 && entry.indigenous) {
                let entitled = entry.alive && entry.registered_since <= date(2026, 8, 28);
                if entitled { expected.0 += 1 } else { expected.1 += 1 }
            }
        }
    }
    assert!(expected.0 > 3_500 && expected.1 > 20, "{expected:?}");
    assert_eq!(swept(&city, "senior-gift", on), (expected.0, expected.1, 0));
}

#[test]
fn the_relief_finds_the_owners_of_listed_households() {
    let city = generate(50_000, 11, TODAY).unwrap();
    let mut expected = (0, 0);
    for (family, entries) in all(&city) {
        for (person, entry) in family.persons.iter().zip(&entries) {
            if entry.owner && family.listed != "none" {
                let entitled = family.listed == "low"
                    && entry.houses_owned == 1
                    && entry.self_used
                    && person.facts.house > 100_000;
                if entitled { expected.0 += 1 } else { expected.1 += 1 }
            }
        }
    }
    assert!(expected.0 > 30 && expected.1 > 30, "{expected:?}");
    assert_eq!(
        swept(&city, "house-tax-relief", date(2026, 2, 28)),
        (expected.0, expected.1, 0)
    );
}
