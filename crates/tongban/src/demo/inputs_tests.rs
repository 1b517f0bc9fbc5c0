//! What the services of the repository ask of the made-up city, and what a sweep of all of them says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use arrow::datatypes::Int32Type;
use jiff::civil::{Date, date};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rules::{Entity, PopulationFile, RuleSet};
use tempfile::TempDir;

use super::inputs::Asked;
use super::{City, generate};

const TODAY: Date = date(2026, 11, 25);

fn asked(service: &str, folder: &Path) -> Asked {
    Asked {
        service: service.to_owned(),
        rules: RuleSet::load(folder).unwrap(),
        worked: services::worked(folder).unwrap(),
    }
}

/// Every service of the repository.
fn all() -> Vec<Asked> {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services");
    let folders = crate::commands::sweep::folders(&services).unwrap();
    folders.iter().map(|(name, folder)| asked(name, folder)).collect()
}

fn write(city: &City, folder: &TempDir, name: &str, asked: &[Asked]) -> (PathBuf, Vec<String>) {
    let path = folder.path().join(name);
    let differences = city.write_people_for(&path, asked).unwrap();
    (path, differences)
}

/// The columns of a file by name.
fn columns(path: &Path) -> BTreeMap<String, ArrayRef> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap()).unwrap();
    let schema = reader.schema().clone();
    let batches: Vec<_> = reader.build().unwrap().collect::<Result<_, _>>().unwrap();
    let column = |place: usize| {
        let parts: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(place).as_ref()).collect();
        concat(&parts).unwrap()
    };
    let fields = schema.fields().iter().enumerate();
    fields
        .map(|(place, field)| (field.name().clone(), column(place)))
        .collect()
}

#[test]
fn a_sweep_of_all_services_finds_somebody_entitled_in_each() {
    let folder = tempfile::tempdir().unwrap();
    let city = generate(20_000, 11, TODAY).unwrap();
    let asked = all();
    let (path, _) = write(&city, &folder, "people.parquet", &asked);
    let file = PopulationFile::open(&path).unwrap();
    assert_eq!((file.persons(), file.households()), (city.residents(), city.families()));
    let services: Vec<(&str, &RuleSet)> = asked.iter().map(|one| (one.service.as_str(), &one.rules)).collect();
    for ((name, _), swept) in services.iter().zip(file.sweep(&services, TODAY).unwrap()) {
        let (entitled, refused, unknown) = swept.counts();
        assert!(entitled > 0 && refused > 0, "{name}: {entitled} {refused} {unknown}");
        // the worked cases leave out what does not matter to them, which may matter to others
        assert!(
            unknown < swept.outcome.len() / 2,
            "{name}: {entitled} {refused} {unknown}"
        );
    }
}

/// Every service finds a column for every input, with no code that it does not allow.
#[test]
fn every_input_has_a_column_that_fits() {
    let folder = tempfile::tempdir().unwrap();
    let city = generate(2_000, 11, TODAY).unwrap();
    let asked = all();
    let (path, differences) = write(&city, &folder, "people.parquet", &asked);
    let columns = columns(&path);
    for one in &asked {
        for input in one.rules.inputs() {
            let plain = match input.entity {
                Entity::Person => input.name.clone(),
                entity => format!("{entity}.{}", input.name),
            };
            let own = format!("{}.{plain}", one.service);
            let column = columns.get(&own).or_else(|| columns.get(&plain)).unwrap();
            assert!(column.null_count() < column.len(), "{own} is known of nobody");
            if !input.values.is_empty() {
                let codes = column.as_dictionary::<Int32Type>().values();
                for code in codes.as_string::<i32>().iter().flatten() {
                    assert!(input.values.iter().any(|value| value == code), "{own}: {code}");
                }
            }
        }
    }
    for difference in &differences {
        let (name, why) = difference.split_once(": ").unwrap();
        assert!(columns.contains_key(name) && !why.is_empty(), "{difference}");
    }
}

#[test]
fn the_same_seed_makes_the_same_table_and_another_service_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let city = generate(2_000, 11, TODAY).unwrap();
    let mut asked = all();
    let (whole, _) = write(&city, &folder, "a.parquet", &asked);
    let (again, _) = write(&generate(2_000, 11, TODAY).unwrap(), &folder, "b.parquet", &asked);
    assert_eq!(std::fs::read(&whole).unwrap(), std::fs::read(again).unwrap());
    let last = asked.pop().unwrap();
    let (fewer, _) = write(&city, &folder, "c.parquet", &asked);
    let (whole, fewer) = (columns(&whole), columns(&fewer));
    assert!(fewer.len() < whole.len());
    for one in &asked {
        let asks = |name: &str| one.rules.inputs().iter().any(|input| input.name == name);
        let own = fewer
            .iter()
            .filter(|(name, _)| asks(name) && !last.rules.inputs().iter().any(|other| other.name == **name));
        for (name, column) in own {
            assert_eq!(whole.get(name), Some(column), "{name}");
        }
    }
}
