//! Several services over one file: each says what it says alone, from the columns that are its own before those of all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Int64Type, UInt64Type};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use rules::{CaseInput, PopulationFile, RuleSet, Swept};
use serde_json::json;

use crate::kit::{Folder, ON, case, rules, step, swept};

/// One family of the file: for each person `i`, `second.i` and `t`; `h` of the household, `second.case.k` of the case.
struct Family {
    persons: Vec<(Option<i64>, Option<i64>, Option<&'static str>)>,
    h: Option<i64>,
    k: Option<i64>,
}

/// Families of one to seven persons, of which some is not known.
fn families(count: usize) -> Vec<Family> {
    let number = |of: usize| i64::try_from(of).unwrap();
    let family = |place: usize| {
        let person = |at: usize| {
            let mixed = place * 31 + at * 17;
            (
                (!mixed.is_multiple_of(5)).then(|| number(mixed % 23)),
                (!mixed.is_multiple_of(7)).then(|| number(mixed % 19)),
                ["a", "b", "c"].get(mixed % 4).copied(),
            )
        };
        Family {
            persons: (0..place % 7 + 1).map(person).collect(),
            h: (!place.is_multiple_of(3)).then(|| number(place % 11)),
            k: (!place.is_multiple_of(5)).then(|| number(place % 13)),
        }
    };
    (0..count).map(family).collect()
}

/// The file of these families; a row group has `group` rows, so that families lie in two of them.
fn write(path: &Path, families: &[Family], group: usize) {
    let numbers = |pick: &dyn Fn(usize, &Family, usize) -> Option<i64>| -> ArrayRef {
        let families = families.iter().enumerate();
        let rows = families.flat_map(|(place, family)| (0..family.persons.len()).map(move |at| (place, family, at)));
        Arc::new(
            rows.map(|(place, family, at)| pick(place, family, at))
                .collect::<Int64Array>(),
        )
    };
    let persons = || {
        families
            .iter()
            .flat_map(|family| family.persons.iter().copied().enumerate())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        // not the place of the family, so that the two are not taken for each other
        (
            "household",
            numbers(&|place, _, _| Some(1_000 + 3 * i64::try_from(place).unwrap())),
        ),
        (
            "applicant",
            Arc::new(persons().map(|(at, _)| Some(at == 0)).collect::<BooleanArray>()),
        ),
        (
            "second.applicant",
            Arc::new(persons().map(|(at, _)| Some(at < 2)).collect::<BooleanArray>()),
        ),
        ("i", numbers(&|_, family, at| family.persons[at].0)),
        ("second.i", numbers(&|_, family, at| family.persons[at].1)),
        (
            "t",
            Arc::new(persons().map(|(_, person)| person.2).collect::<StringArray>()),
        ),
        ("household.h", numbers(&|_, family, _| family.h)),
        ("second.case.k", numbers(&|_, family, _| family.k)),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group))
        .build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn first() -> Folder {
    Folder::new(&rules(
        "outcome = \"outcome\"\namounts = [\"sum\", \"kinds\"]",
        &[
            step("all", "household", "SUM(person.i) + h"),
            step("sum", "case", "household.all"),
            step("kinds", "case", "by_kind(applicant.t)"),
            step("outcome", "case", "household.all > 20 AND applicant.t <> 'c'"),
        ]
        .concat(),
    ))
}

fn second() -> Folder {
    Folder::new(&rules(
        "outcome = \"outcome\"",
        &step(
            "outcome",
            "case",
            "applicant.i > 8 OR applicant.t IN ('a', 'c') AND k > 6",
        ),
    ))
}

/// The case of an applicant as one service sees the family.
fn seen(family: &Family, applicant: usize, second: bool) -> CaseInput {
    let person =
        |(i, own, t): &(Option<i64>, Option<i64>, Option<&str>)| json!({ "i": if second { own } else { i }, "t": t });
    let persons: Vec<_> = family.persons.iter().map(person).collect();
    let facts = if second { json!({ "k": family.k }) } else { json!({}) };
    let mut case = case(&persons, json!({ "h": family.h }), facts);
    for (at, person) in case.persons.iter_mut().enumerate() {
        person.applicant = at == applicant;
    }
    case
}

/// What each applicant's case is decided alone, with the row of the applicant.
fn alone(set: &RuleSet, families: &[Family], applicants: usize, second: bool) -> Vec<(u64, Said)> {
    let (mut row, mut found) = (0_u64, Vec::new());
    for family in families {
        for at in 0..family.persons.len() {
            if at < applicants {
                let decision = set.decide(&seen(family, at, second), ON).unwrap();
                found.push((row, (decision.outcome, decision.amounts.values().copied().collect())));
            }
            row += 1;
        }
    }
    found
}

type Said = (Option<bool>, Vec<Option<i64>>);

fn together(swept_cases: &Swept) -> Vec<(u64, Said)> {
    let rows = swept_cases.applicant.iter().enumerate();
    rows.map(|(case, row)| (*row, swept(swept_cases, case))).collect()
}

struct Kept {
    folders: [Folder; 2],
    sets: [RuleSet; 2],
}

fn kept() -> Kept {
    let folders = [first(), second()];
    let sets = [folders[0].load().unwrap(), folders[1].load().unwrap()];
    Kept { folders, sets }
}

impl Kept {
    fn services(&self) -> [(&str, &RuleSet); 2] {
        [("first", &self.sets[0]), ("second", &self.sets[1])]
    }

    fn file(&self, families: &[Family], group: usize) -> PathBuf {
        let path = self.folders[0].path().join(format!("people-{group}.parquet"));
        write(&path, families, group);
        path
    }
}

#[test]
fn each_service_says_what_it_says_alone() {
    let kept = kept();
    let families = families(400);
    let expected = [
        alone(&kept.sets[0], &families, 1, false),
        alone(&kept.sets[1], &families, 2, true),
    ];
    for group in [5, 64, 100_000] {
        let file = PopulationFile::open(&kept.file(&families, group)).unwrap();
        assert_eq!(file.households(), families.len());
        assert!(group > 64 || file.parts() > 10);
        let whole = file.sweep(&kept.services(), ON).unwrap();
        assert_eq!(whole.len(), 2);
        let mut parts = [Vec::new(), Vec::new()];
        for part in 0..file.parts() {
            let of_part = file.sweep_part(part, &kept.services(), ON).unwrap();
            parts
                .iter_mut()
                .zip(&of_part)
                .for_each(|(all, part)| all.extend(together(part)));
        }
        for (service, expected) in expected.iter().enumerate() {
            assert_eq!(
                &together(&whole[service]),
                expected,
                "service {service}, groups of {group}"
            );
            assert_eq!(
                &parts[service], expected,
                "parts of service {service}, groups of {group}"
            );
        }
    }
}

#[test]
fn one_service_alone_reads_the_columns_of_all() {
    let kept = kept();
    let families = families(50);
    let path = kept.file(&families, 16);
    let (found, persons, households) = kept.sets[0].sweep_file(&path, ON).unwrap();
    assert_eq!(together(&found), alone(&kept.sets[0], &families, 1, false));
    assert_eq!(
        (persons, households),
        (families.iter().map(|family| family.persons.len()).sum(), families.len())
    );
    let population = kept.sets[0].read_population(&path).unwrap();
    assert_eq!(
        together(&kept.sets[0].sweep(&population, ON).unwrap()),
        together(&found)
    );
}

#[test]
fn a_table_says_whose_case_a_row_is() {
    let kept = kept();
    let families = families(60);
    let file = PopulationFile::open(&kept.file(&families, 16)).unwrap();
    let mut owners = families
        .iter()
        .enumerate()
        .flat_map(|(place, family)| family.persons.iter().map(move |_| 1_000 + 3 * place));
    let owners: Vec<i64> = owners.by_ref().map(|id| i64::try_from(id).unwrap()).collect();
    let swept = file.sweep(&kept.services(), ON).unwrap();
    for ((name, _), found) in kept.services().iter().zip(&swept) {
        let table = file.table(name, found).unwrap();
        assert_eq!(table.schema(), PopulationFile::table_schema());
        let households = table.column(1).as_primitive::<Int64Type>();
        let persons = table.column(2).as_primitive::<UInt64Type>();
        for (row, (person, said)) in together(found).iter().enumerate() {
            assert_eq!(table.column(0).as_string::<i32>().value(row), *name);
            assert_eq!(persons.value(row), *person);
            assert_eq!(households.value(row), owners[usize::try_from(*person).unwrap()]);
            let outcome = table.column(3).as_boolean();
            assert_eq!(outcome.is_valid(row).then(|| outcome.value(row)), said.0);
            let amounts = table.column(4).as_list::<i32>().value(row);
            let amounts: Vec<Option<i64>> = amounts.as_primitive::<Int64Type>().iter().collect();
            assert_eq!(amounts, said.1);
        }
    }
}

#[test]
fn an_error_says_of_which_service_it_is() {
    let kept = kept();
    let bad = Folder::new(&rules(
        "outcome = \"outcome\"",
        &step("outcome", "case", "100 / (applicant.i - applicant.i) > 0"),
    ));
    let bad = bad.load().unwrap();
    let file = PopulationFile::open(&kept.file(&families(30), 16)).unwrap();
    let told = |services: &[(&str, &RuleSet)]| file.sweep(services, ON).unwrap_err().to_string();
    let [first, second] = kept.services();
    let text = told(&[first, ("bad", &bad), second]);
    let wanted = "the step `outcome` can't be calculated: it divides by zero; ";
    assert!(
        text.starts_with("the service `bad`: rules.toml:") && text.contains(wanted),
        "{text}"
    );
    // a column of its own that does not fit is that service's
    let texts = Folder::new(&rules("outcome = \"outcome\"", &step("outcome", "case", "applicant.b")));
    let path = texts.path().join("people.parquet");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("household", Arc::new(Int64Array::from(vec![1, 2]))),
        ("applicant", Arc::new(BooleanArray::from(vec![true, true]))),
        ("b", Arc::new(BooleanArray::from(vec![true, false]))),
        ("other.b", Arc::new(StringArray::from(vec!["perhaps", "perhaps"]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let set = texts.load().unwrap();
    let file = PopulationFile::open(&path).unwrap();
    assert_eq!(file.sweep(&[("one", &set)], ON).unwrap()[0].counts(), (1, 1, 0));
    let told = file
        .sweep(&[("one", &set), ("other", &set)], ON)
        .unwrap_err()
        .to_string();
    assert!(
        told.starts_with("the service `other`: ") && told.contains("column `b`"),
        "{told}"
    );
    assert!(!told.contains("perhaps"), "{told}");
}

#[test]
fn a_household_in_two_places_is_refused() {
    let folder = first();
    let path = folder.path().join("people.parquet");
    let columns: Vec<(&str, ArrayRef)> = vec![("household", Arc::new(Int64Array::from(vec![1, 2, 1])))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let told = PopulationFile::open(&path).unwrap_err().to_string();
    assert!(told.contains("sort the table by `household`"), "{told}");
}
