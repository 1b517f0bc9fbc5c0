//! Every kind of mistake, with the words and the place an author reads.
//!
//! `tests/mistakes/<name>/edits.toml` breaks a copy of the starter; `expected.txt` beside it is what the check says.
//! `UPDATE_EXPECTED=1 cargo test -p services` writes the answers anew.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use crate::folder::{root, starter};

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

fn broken(folder: &Path, edits: &Path) {
    let edits: Edits = toml::from_str(&std::fs::read_to_string(edits).unwrap()).unwrap();
    for edit in edits.edit {
        let path = folder.join(&edit.file);
        match (edit.find, edit.replace) {
            (None, None) => std::fs::remove_file(&path).unwrap(),
            (None, Some(text)) => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, text).unwrap();
            }
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

#[test]
fn every_mistake_is_told_with_its_place_and_what_to_do() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut names: Vec<_> = std::fs::read_dir(&home)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    assert!(names.len() >= 15);
    let mut differing = Vec::new();
    for case in names {
        let (_home, folder) = starter();
        broken(&folder, &case.join("edits.toml"));
        let report = services::check(&folder, Some(&root().join("datasets")));
        let mut said = String::new();
        for mistake in &report.mistakes {
            writeln!(said, "{mistake}").unwrap();
        }
        assert!(!report.is_sound(), "{} is not broken", case.display());
        let expected = case.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &said).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != said {
            differing.push(format!("{}:\n{said}", case.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
