//! What is said of a mistaken rules folder: where it is, what is wrong, what to do.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect_file;
use jiff::civil::{Date, date};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kit::{Folder, ON, case, rules, step};

const MISTAKES: &str = include_str!("mistakes.toml");

#[derive(Deserialize)]
struct File {
    mistake: Vec<Broken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Broken {
    title: String,
    #[serde(default = "good")]
    sql: String,
    #[serde(default)]
    steps: Vec<[String; 3]>,
    #[serde(default)]
    edits: Vec<[String; 2]>,
    #[serde(default)]
    write: BTreeMap<String, String>,
    #[serde(default)]
    bytes: BTreeMap<String, Vec<u8>>,
    /// A mistake that only a decision shows: the facts of the applicant, and the day.
    given: Option<Value>,
    date: Option<Date>,
}

fn good() -> String {
    "applicant.i > 0".to_owned()
}

impl Broken {
    fn folder(&self) -> Folder {
        let mut steps: Vec<String> = self
            .steps
            .iter()
            .map(|[name, entity, sql]| step(name, entity, sql))
            .collect();
        if self.write.contains_key("value.csv") || self.bytes.contains_key("value.csv") {
            steps.push(step("value", "person", "").replace("sql = ''''''", "table = \"value.csv\""));
        }
        steps.push(step("outcome", "case", &self.sql));
        let mut text = rules("outcome = \"outcome\"", &steps.join("\n"));
        for [what, by] in &self.edits {
            assert!(text.contains(what), "{}: {what}", self.title);
            text = text.replace(what, by);
        }
        let folder = Folder::new(&text);
        for (name, text) in &self.write {
            folder.put(name, text.as_bytes());
        }
        for (name, bytes) in &self.bytes {
            folder.put(name, bytes);
        }
        folder
    }

    /// What is said of it; nothing, where nothing is wrong.
    fn told(&self) -> Vec<String> {
        match (self.folder().load(), &self.given) {
            (Err(mistakes), _) => mistakes.iter().map(ToString::to_string).collect(),
            (Ok(_), None) => Vec::new(),
            (Ok(set), Some(given)) => {
                let input = case(std::slice::from_ref(given), json!({}), json!({}));
                match set.decide(&input, self.date.unwrap_or(ON)) {
                    Ok(_) => Vec::new(),
                    Err(error) => {
                        // the place is a value too, for whoever lays it beside the file
                        assert_eq!(error.mistake().map(ToString::to_string), Some(error.to_string()));
                        vec![error.to_string()]
                    }
                }
            }
        }
    }
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_way_out() {
    let file: File = toml::from_str(MISTAKES).unwrap();
    let mut told =
        String::from("# What is said of the mistakes of mistakes.toml. UPDATE_EXPECT=1 writes this file anew.\n");
    let mut silent = Vec::new();
    for broken in &file.mistake {
        writeln!(told, "\n{}", broken.title).unwrap();
        let said = broken.told();
        if said.is_empty() {
            silent.push(&broken.title);
        }
        for mistake in said {
            writeln!(told, "  {mistake}").unwrap();
        }
    }
    assert!(silent.is_empty(), "nothing is said of {silent:#?}");
    expect_file!["mistakes.txt"].assert_eq(&told);
}

/// The folder the mistakes are made in has none.
#[test]
fn the_good_folder_loads() {
    let good: File =
        toml::from_str("[[mistake]]\ntitle = \"none\"\nwrite = { \"value.csv\" = \"when i,then\\n1,2\\n\" }").unwrap();
    good.mistake[0].folder().load().unwrap();
}

/// Unknown columns, types that don't go together, circles, days before a parameter begins, divisions by zero and numbers too
/// large are each told with file, line, column and what to do.
#[test]
fn the_six_kinds_have_a_place_and_a_suggestion() {
    let file: File = toml::from_str(MISTAKES).unwrap();
    let kinds = [
        ("unknown column", 4),
        ("can't be compared with", 3),
        ("the results of CASE have different types", 2),
        ("is needed here", 2),
        ("the steps depend on each other", 2),
        ("has no value in force on", 2),
        ("has no row for this key in force on", 1),
        ("divides by zero", 5),
        ("a number is too large", 3),
    ];
    let told: Vec<String> = file.mistake.iter().flat_map(Broken::told).collect();
    for (kind, least) in kinds {
        let of_kind: Vec<&String> = told.iter().filter(|line| line.contains(kind)).collect();
        assert!(of_kind.len() >= least, "{kind}: {of_kind:#?}");
        for line in of_kind {
            let (place, rest) = line.split_once(": ").unwrap();
            let mut parts = place.split(':');
            assert!(parts.next().unwrap().contains('.'), "{line}");
            let numbers: Vec<usize> = parts.map(|number| number.parse().unwrap()).collect();
            assert!(numbers.len() == 2 && !numbers.contains(&0), "{line}");
            assert!(rest.contains("; "), "{line}");
        }
    }
}

#[test]
fn a_parameter_is_in_force_from_its_first_day() {
    let good: File =
        toml::from_str("[[mistake]]\ntitle = \"none\"\nwrite = { \"value.csv\" = \"when i,then\\n1,2\\n\" }").unwrap();
    let set = good.mistake[0].folder().load().unwrap();
    let without = |on: Date| -> Vec<String> { set.not_in_force(on).iter().map(|one| one.file.clone()).collect() };
    assert_eq!(without(date(2026, 1, 1)), Vec::<String>::new());
    let begun = ["parameters/is-open.csv", "parameters/phase.csv", "parameters/rate.csv"];
    let late = without(date(2025, 12, 31));
    assert_eq!(late.len(), 5);
    assert!(!begun.iter().any(|file| late.contains(&(*file).to_owned())), "{late:?}");
    assert_eq!(without(date(2024, 12, 31)).len(), 8);
}
