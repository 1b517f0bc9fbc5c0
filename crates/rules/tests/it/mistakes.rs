//! What is said of a mistaken rules folder: where it is, what is wrong, what to do.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect_file;
use serde::Deserialize;

use crate::kit::{Folder, rules, step};

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
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_way_out() {
    let file: File = toml::from_str(MISTAKES).unwrap();
    let mut told =
        String::from("# What is said of the mistakes of mistakes.toml. UPDATE_EXPECT=1 writes this file anew.\n");
    let mut silent = Vec::new();
    for broken in &file.mistake {
        writeln!(told, "\n{}", broken.title).unwrap();
        match broken.folder().load() {
            Ok(_) => silent.push(&broken.title),
            Err(mistakes) => {
                for mistake in mistakes {
                    writeln!(told, "  {mistake}").unwrap();
                }
            }
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
