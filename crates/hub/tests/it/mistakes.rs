//! Every kind of mistake of a folder, with the words and the place its steward reads.
//!
//! `tests/mistakes/<name>/edits.toml` breaks a copy of a folder of the repository; `expected.txt` beside it is what the check
//! says. `UPDATE_EXPECTED=1 cargo test -p hub` writes the answers anew.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edits {
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(default = "dataset")]
    file: String,
    /// Text to be replaced, which stands there once; without it the whole file is written, or removed.
    find: Option<String>,
    replace: Option<String>,
}

fn dataset() -> String {
    "dataset.toml".to_owned()
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_to_do() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sound = home.join("../../datasets/disabled-parking-permits");
    let mut names: Vec<_> = std::fs::read_dir(home.join("tests/mistakes"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    assert!(names.len() >= 20);
    let mut differing = Vec::new();
    for case in names {
        let copy = tempfile::tempdir().unwrap();
        let folder = copy.path().join("permits");
        std::fs::create_dir(&folder).unwrap();
        for name in ["dataset.toml", "owners.csv"] {
            std::fs::copy(sound.join(name), folder.join(name)).unwrap();
        }
        let edits: Edits = toml::from_str(&std::fs::read_to_string(case.join("edits.toml")).unwrap()).unwrap();
        for edit in edits.edit {
            let path = folder.join(&edit.file);
            match (edit.find, edit.replace) {
                (None, None) => std::fs::remove_file(&path).unwrap(),
                (None, Some(text)) => std::fs::write(&path, text).unwrap(),
                (Some(find), replace) => {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let places = text.matches(&find).count();
                    assert_eq!(places, 1, "{}: `{find}` must stand once", case.display());
                    std::fs::write(&path, text.replace(&find, &replace.unwrap_or_default())).unwrap();
                }
            }
        }
        let report = hub::check(&folder);
        let mut said = String::new();
        for mistake in report.mistakes.iter().chain(&report.warnings) {
            writeln!(said, "{mistake}").unwrap();
        }
        assert!(!said.is_empty(), "{} is not broken", case.display());
        let expected = case.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &said).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != said {
            differing.push(format!("{}:\n{said}", case.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
