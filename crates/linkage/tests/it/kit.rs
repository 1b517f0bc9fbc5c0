//! Tables and models the tests share.

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use linkage::Model;
use proptest::prelude::*;
use std::sync::Arc;

/// A table of texts; an empty one is NULL.
pub fn table(columns: &[&str], rows: &[Vec<String>]) -> RecordBatch {
    let arrays = columns.iter().enumerate().map(|(at, name)| {
        let values = rows
            .iter()
            .map(|row| Some(row[at].as_str()).filter(|text| !text.is_empty()));
        (*name, Arc::new(StringArray::from_iter(values)) as ArrayRef)
    });
    RecordBatch::try_from_iter(arrays).expect("columns of one length")
}

/// The columns of [`people`].
pub const COLUMNS: [&str; 5] = ["id", "first", "last", "birth", "town"];

/// A model of people with every kind of level, and blocks small enough that some are split.
pub const PEOPLE: &str = r#"
id = "id"
floor = -1000.0

[[column]]
name = "first"
kind = "romanised"

[[column]]
name = "last"
kind = "romanised"

[[column]]
name = "birth"
kind = "date"

[[column]]
name = "town"
kind = "text"

[[block]]
keys = ["last"]
split = ["first | prefix 1"]
most_rows = 6

[[block]]
keys = ["birth | year"]

[[block]]
keys = ["town", "first | prefix 1"]

[[compare]]
name = "name"
columns = ["first", "last"]
levels = ["exact", "swapped", "jaro_winkler >= 0.9", "exact(last) and begins(first)", "exact(last)"]
term_frequency = true

[[compare]]
columns = ["birth"]
levels = ["exact", "month_day_swapped", "damerau_levenshtein <= 1", "days <= 31"]

[[compare]]
columns = ["town"]
levels = ["exact", "levenshtein <= 1", "jaccard >= 0.5"]
term_frequency = true

[train]
blocks = [["last"], ["birth"], ["town"]]
pairs = 2000
"#;

pub fn people_model() -> Model {
    Model::parse("people.toml", PEOPLE).expect("the model is sound")
}

/// Rows of people from a small world, so that they meet.
pub fn people(most: usize) -> impl Strategy<Value = Vec<Vec<String>>> {
    let one = (
        prop::sample::select(vec!["", "ann", "anna", "bob", "robert", "rob", "carl"]),
        prop::sample::select(vec!["", "smith", "smyth", "jones", "jonse", "ann"]),
        prop::sample::select(vec![
            "",
            "1980-01-02",
            "1980-02-01",
            "1980-01-12",
            "1990-05-05",
            "民國79年5月5日",
            "1980",
        ]),
        prop::sample::select(vec!["", "york", "yorke", "leeds", "hull"]),
    );
    prop::collection::vec(one, 4..most).prop_map(|people| {
        let row = |(at, (first, last, birth, town)): (usize, (&str, &str, &str, &str))| {
            [at.to_string().as_str(), first, last, birth, town]
                .map(str::to_owned)
                .to_vec()
        };
        people.into_iter().enumerate().map(row).collect()
    })
}
