//! Folders to test with: the starter, in a folder of its own, and the senior allowance of the tree.

use std::path::{Path, PathBuf};

use services::Service;

/// The root of the tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A copy of the starter called `birth-allowance`.
pub fn starter() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("birth-allowance");
    services::start(&folder).unwrap();
    (home, folder)
}

/// The senior allowance with the mappings of the tree.
pub fn senior() -> std::sync::Arc<Service> {
    let catalogue = services::Catalogue::load(&root().join("services"), &root().join("datasets"));
    catalogue
        .get("senior-allowance")
        .unwrap_or_else(|| panic!("withdrawn: {:#?}", catalogue.withdrawn()))
        .clone()
}

#[test]
fn a_new_service_passes_its_own_check() {
    let (_home, folder) = starter();
    let report = services::check(&folder, Some(&root().join("datasets")));
    assert_eq!(report.mistakes, [], "{report:#?}");
    assert_eq!((report.examples, report.letters), (2, 3));
    // the figures of a template must be compared with the city's own announcement
    assert_eq!(report.warnings.len(), 2, "{:#?}", report.warnings);
    assert!(report.digest.is_some());
}

#[test]
fn a_new_service_takes_the_name_of_its_folder_and_nothing_is_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("rent-aid");
    services::start(&folder).unwrap();
    assert!(services::check(&folder, None).is_sound());
    assert_eq!(Service::load(&folder, None).unwrap().id, "rent-aid");
    assert!(matches!(services::start(&folder), Err(services::StartError::Taken(_))));
    for name in ["Rent", "9lives", "租金", "a b", "..", ""] {
        assert!(
            matches!(
                services::start(&home.path().join(name)),
                Err(services::StartError::Name(_) | services::StartError::Taken(_))
            ),
            "{name}"
        );
    }
}

/// Sound, every letter made, every branch of the rules gone through, and as many worked cases as such a service needs.
#[test]
fn every_service_of_the_tree_is_sound_and_its_rules_are_worked_through() {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root().join("services"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 7, "{folders:?}");
    for folder in folders {
        let report = services::check(&folder, Some(&root().join("datasets")));
        let shown: Vec<String> = report.mistakes.iter().map(ToString::to_string).collect();
        assert!(shown.is_empty(), "{}: {}", report.id, shown.join("\n"));
        let recovers = folder.join("letters/recovery.typ").exists();
        assert_eq!(report.letters, 3 + usize::from(recovers), "{}", report.id);
        assert!(
            report.branches >= 25 && report.untested.is_empty(),
            "{}: {:#?}",
            report.id,
            report.untested
        );
        let is_figure = |warning: &services::Mistake| warning.file.starts_with("parameters/");
        assert!(
            report.warnings.iter().any(is_figure),
            "{}: rows marked `verify` are to be shown",
            report.id
        );
        let needed = if report.id == "low-income" { 40 } else { 30 };
        assert!(report.examples >= needed, "{}: {}", report.id, report.examples);
    }
}

#[test]
fn one_changed_byte_changes_the_digest_and_a_worked_example_does_not() {
    let (_home, folder) = starter();
    let digest = || Service::load(&folder, None).unwrap().digest;
    let before = digest();
    assert_eq!(before, digest());
    std::fs::remove_file(folder.join("cases/registered-for-179-days.toml")).unwrap();
    assert_eq!(before, digest());
    let path = folder.join("parameters/allowance.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("10000", "12000")).unwrap();
    assert_ne!(before, digest());
}
