//! Every programme folder is sound, and every mistake is told with its place.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Deserialize;

use crate::kit::{folder, programme};

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

/// The files of worked cases.
fn case_files() -> Vec<toml::Value> {
    let files = std::fs::read_dir(folder().join("cases")).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts.map(|text| toml::from_str(&text).unwrap()).collect()
}

/// Rules named by what cases expect, as `refusal item_twice A1.2`.
fn named(expected: &toml::Value, found: &mut BTreeSet<String>) {
    match expected {
        toml::Value::String(text) => {
            let mut words = text.split(' ');
            if matches!(words.next(), Some("refusal" | "warning")) {
                found.extend(words.next().map(str::to_owned));
            }
        }
        toml::Value::Array(values) => values.iter().for_each(|value| named(value, found)),
        toml::Value::Table(table) => table.values().for_each(|value| named(value, found)),
        _ => {}
    }
}

#[test]
fn every_rule_of_the_checks_has_a_worked_case() {
    let source = include_str!("../../src/finding.rs");
    let (_, rules) = source.split_once("pub enum Rule {").unwrap();
    let (rules, _) = rules.split_once('}').unwrap();
    let rules = rules.split(',').map(str::trim).filter(|rule| !rule.is_empty());
    let rules = rules.map(|rule| {
        let mut name = String::new();
        for c in rule.chars() {
            if c.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        }
        name
    });
    let rules: BTreeSet<String> = rules.collect();
    assert!(rules.len() > 40);
    let mut found = BTreeSet::new();
    for file in case_files() {
        for case in file["case"].as_array().unwrap() {
            named(&case["expect"], &mut found);
        }
    }
    let missing: Vec<&String> = rules.difference(&found).collect();
    assert!(missing.is_empty(), "no worked case: {missing:?}");
    let unknown: Vec<&String> = found.difference(&rules).collect();
    assert!(unknown.is_empty(), "no such rule: {unknown:?}");
}

/// Whether the first time comes at most a minute before the second.
fn just_before(at: DateTime, end: DateTime) -> bool {
    (1..=60_000).contains(&at.duration_until(end).as_millis())
}

#[test]
fn every_clock_has_a_worked_case_on_each_side_of_each_end() {
    let mut cases: Vec<(String, DateTime, String)> = Vec::new();
    for file in case_files() {
        if file["kind"].as_str() != Some("clock") {
            continue;
        }
        for case in file["case"].as_array().unwrap() {
            let given = &case["given"];
            if given.get("announcement").is_none() {
                let at: Timestamp = given["at"].as_str().unwrap().parse().unwrap();
                let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
                let phase = text(&case["expect"]["phase"]);
                cases.push((text(&given["clock"]), civic::legal_time(at), phase));
            }
        }
    }
    for clock in programme().clocks {
        let has = |phase: &str, when: &dyn Fn(DateTime) -> bool| {
            let mut of_clock = cases.iter().filter(|(id, ..)| *id == clock.id);
            assert!(
                of_clock.any(|(_, at, said)| said == phase && when(*at)),
                "`{}` lacks a case that is `{phase}` at its end",
                clock.id
            );
        };
        let closes = clock.term.closes;
        has("open", &|at| just_before(at, closes));
        has("over", &|at| at == closes);
        if let Some(opens) = clock.term.opens {
            has("before", &|at| just_before(at, opens));
            has("open", &|at| at == opens);
        }
    }
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
