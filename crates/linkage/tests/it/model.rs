//! Mistakes of a model file are told with their line and a guess.

use crate::kit::PEOPLE;
use linkage::Model;

/// What is put in the place of what, and what must be said.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "keys = [\"last\"]",
        "keys = [\"lats\"]",
        "m.toml:22: there is no column `lats`; did you mean `last`?",
    ),
    (
        "first | prefix 1",
        "first | prefx 1",
        "m.toml:23: there is no transform `prefx`; did you mean `prefix`?",
    ),
    (
        "first | prefix 1",
        "first | prefix",
        "m.toml:23: `prefix` needs a number from 1 to 64, such as `prefix 3`",
    ),
    (
        "birth | year",
        "town | year",
        "m.toml:27: column `town` is not a date; give it `kind = \"date\"`",
    ),
    (
        "levels = [\"exact\", \"swapped\"",
        "levels = [\"exact\", \"swaped\"",
        "m.toml:35: there is no measure `swaped`; did you mean `swapped`?",
    ),
    (
        "jaro_winkler >= 0.9",
        "jaro_winkler >= 9",
        "m.toml:35: `jaro_winkler` needs a bound, such as `jaro_winkler >= 0.9`",
    ),
    (
        "exact(last) and",
        "exact(town) and",
        "m.toml:35: column `town` is not one of the comparison's; add it to its `columns`",
    ),
    (
        "days <= 31",
        "days >= 31",
        "m.toml:40: `days` needs a bound up to 100000, such as `days <= 1`",
    ),
    (
        "most_rows = 6",
        "most_rows = 0",
        "m.toml:24: `most_rows` is from 2 to 100000",
    ),
    (
        "blocks = [[\"last\"], [\"birth\"], [\"town\"]]",
        "blocks = [[\"birth\"]]",
        "m.toml:48: every block of `train` holds the columns of comparison `birth` fixed; \
         add a block of other columns, so that its weights can be learned",
    ),
    ("kind = \"date\"", "kind = \"day\"", "m.toml:15: unknown variant `day`"),
    ("floor = -1000.0", "flor = -20.0", "m.toml:3: unknown field `flor`"),
];

#[test]
fn every_mistake_is_told_with_its_line_and_a_guess() {
    for (right, wrong, told) in MISTAKES {
        let text = PEOPLE.replacen(right, wrong, 1);
        assert_ne!(text, PEOPLE, "`{right}` stands in the model");
        let error = Model::parse("m.toml", &text).map(|_| ()).expect_err(wrong).to_string();
        assert!(error.starts_with(told), "{wrong}\n  told {error}\n  not  {told}");
    }
}

#[test]
fn a_missing_column_of_a_table_is_named_with_a_guess() {
    let model = crate::kit::people_model();
    let table = crate::kit::table(&["id", "first", "lst", "birth", "town"], &[vec![String::from("x"); 5]]);
    let error = linkage::Matching::within(&model, &table, 1)
        .map(|_| ())
        .expect_err("no such column")
        .to_string();
    assert_eq!(error, "table `left`: it has no column `last`; did you mean `lst`?");
}
