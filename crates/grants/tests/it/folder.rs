//! Every programme folder is sound, and every mistake is told with its place.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use crate::kit::folder;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edits {
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    /// Text to be replaced; without it the whole file is written, or removed.
    find: Option<String>,
    replace: Option<String>,
}

#[test]
fn every_programme_is_sound_and_all_its_cases_hold() {
    let home = folder().parent().unwrap().canonicalize().unwrap();
    let mut programmes = 0;
    for entry in std::fs::read_dir(home).unwrap() {
        let path = entry.unwrap().path();
        let report = grants::check(&path);
        let mistakes: Vec<String> = report.mistakes.iter().map(ToString::to_string).collect();
        assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
        println!(
            "{}: {} cases hold",
            path.file_name().unwrap().to_string_lossy(),
            report.cases
        );
        programmes += 1;
    }
    assert!(programmes >= 1);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

fn break_it(folder: &Path, edits: &Path) {
    let edits: Edits = toml::from_str(&std::fs::read_to_string(edits).unwrap()).unwrap();
    for edit in edits.edit {
        let path = folder.join(&edit.file);
        match (edit.find, edit.replace) {
            (None, None) => std::fs::remove_file(&path).unwrap(),
            (None, Some(text)) => std::fs::write(&path, text).unwrap(),
            (Some(find), replace) => {
                let text = std::fs::read_to_string(&path).unwrap();
                assert_eq!(
                    text.matches(&find).count(),
                    1,
                    "`{find}` must stand once in {}",
                    edit.file
                );
                std::fs::write(&path, text.replace(&find, &replace.unwrap_or_default())).unwrap();
            }
        }
    }
}

/// `tests/mistakes/<name>/edits.toml` breaks a copy of the programme; `expected.txt` beside it is what the check says.
/// `UPDATE_EXPECTED=1 cargo test -p grants` writes the answers anew.
#[test]
fn every_mistake_is_told_with_its_place_and_what_to_do() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut names: Vec<_> = std::fs::read_dir(&home)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    assert!(names.len() >= 20);
    let mut differing = Vec::new();
    for case in names {
        let place = tempfile::tempdir().unwrap();
        let broken = place.path().join("moda-114");
        copy(&folder(), &broken);
        break_it(&broken, &case.join("edits.toml"));
        let report = grants::check(&broken);
        assert!(!report.mistakes.is_empty(), "{} is not broken", case.display());
        let mut said = String::new();
        for mistake in &report.mistakes {
            writeln!(said, "{mistake}").unwrap();
        }
        let expected = case.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &said).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != said {
            differing.push(format!("{}:\n{said}", case.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
