//! Filters of two offices: symmetrical, keyed, alike where the records are.

use crate::kit::{COLUMNS, people, table};
use linkage::bloom::{FilterKey, FilterSettings, Filters, alike, encode};
use proptest::prelude::*;

fn settings(hardening: &str) -> FilterSettings {
    let text = format!(
        r#"
id = "id"
hardening = "{hardening}"
[[field]]
name = "first"
kind = "romanised"
hashes = 12
[[field]]
name = "last"
kind = "romanised"
hashes = 12
[[field]]
name = "birth"
kind = "date"
hashes = 10
"#
    );
    FilterSettings::parse(&text).expect("sound settings")
}

fn key(first: u8) -> FilterKey {
    FilterKey::new(&[first; 32]).expect("long enough")
}

const HARDENINGS: [&str; 3] = ["none", "xor_fold", "balanced"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn dice_is_symmetrical_and_of_equal_records_one(rows in people(12)) {
        let table = table(&COLUMNS, &rows);
        for hardening in HARDENINGS {
            let filters = encode(&settings(hardening), &key(1), &table).expect("it fits");
            for a in 0..rows.len() {
                for b in 0..rows.len() {
                    let dice = filters.dice(a, &filters, b);
                    prop_assert_eq!(dice, filters.dice(b, &filters, a));
                    prop_assert!((0.0..=1.0).contains(&dice));
                    let named = !rows[a][1..4].iter().all(String::is_empty);
                    if rows[a][1..4] == rows[b][1..4] && named {
                        prop_assert_eq!(dice, 1.0);
                    }
                }
            }
        }
    }

    #[test]
    fn the_sides_may_be_exchanged(left in people(16), right in people(16)) {
        let (left, right) = (table(&COLUMNS, &left), table(&COLUMNS, &right));
        let settings = settings("xor_fold");
        let (left, right) = (encode(&settings, &key(1), &left).expect("fits"), encode(&settings, &key(1), &right).expect("fits"));
        let one = alike(&left, &right, &settings, 1).expect("one key");
        let mut other: Vec<_> = alike(&right, &left, &settings, 3).expect("one key").into_iter().map(|alike| (alike.right, alike.left, alike.dice)).collect();
        other.sort_by_key(|(left, right, _)| (*left, *right));
        prop_assert_eq!(one.into_iter().map(|alike| (alike.left, alike.right, alike.dice)).collect::<Vec<_>>(), other);
    }
}

fn row(id: &str, first: &str, last: &str, birth: &str) -> Vec<String> {
    [id, first, last, birth, ""].map(str::to_owned).to_vec()
}

#[test]
fn a_mistyped_name_is_alike_and_another_is_not() {
    let left = table(
        &COLUMNS,
        &[row("1", "christopher", "middleton", "1980-01-02"), row("2", "", "", "")],
    );
    let right = table(
        &COLUMNS,
        &[
            row("a", "christofer", "middleton", "1980-01-02"),
            row("b", "barbara", "hughes", "1955-11-30"),
            row("c", "", "", ""),
        ],
    );
    for hardening in HARDENINGS {
        let settings = settings(hardening);
        let (left, right) = (
            encode(&settings, &key(1), &left).expect("fits"),
            encode(&settings, &key(1), &right).expect("fits"),
        );
        let near = left.dice(0, &right, 0);
        assert!(near > left.dice(0, &right, 1) + 0.2, "{hardening} {near}");
        // records without a name are like none, not like each other
        assert_eq!(left.dice(1, &right, 2), 0.0, "{hardening}");
        let found = alike(&left, &right, &settings, 2).expect("one key");
        assert!(
            found.iter().all(|alike| (alike.left, alike.right) == (0, 0)),
            "{hardening} {found:?}"
        );
        if near >= 0.8 {
            assert_eq!(found.len(), 1, "{hardening}");
        }
    }
}

#[test]
fn filters_of_another_key_share_nothing_and_are_refused() {
    let settings = settings("none");
    let table = table(&COLUMNS, &[row("1", "christopher", "middleton", "1980-01-02")]);
    let (ours, theirs) = (
        encode(&settings, &key(1), &table).expect("fits"),
        encode(&settings, &key(2), &table).expect("fits"),
    );
    // two filters of independent places agree by chance only
    assert!(ours.dice(0, &theirs, 0) < 0.5);
    assert!(alike(&ours, &theirs, &settings, 1).is_err());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("filters.csv");
    ours.write(&path).expect("written");
    assert_eq!(Filters::read(&path, &settings, &key(1)).expect("the same key"), ours);
    let error = Filters::read(&path, &settings, &key(2))
        .expect_err("another key")
        .to_string();
    assert!(
        error.ends_with("the filters were made with another key or other settings; both offices need the same"),
        "{error}"
    );
    assert!(FilterKey::new(&[0; 31]).is_err());
}

#[test]
fn balanced_filters_have_one_number_of_bits() {
    let settings = settings("balanced");
    let table = table(
        &COLUMNS,
        &[
            row("1", "al", "li", ""),
            row("2", "maximiliana", "featherstonehaugh", "1980-01-02"),
        ],
    );
    let filters = encode(&settings, &key(1), &table).expect("fits");
    // Dice of filters of equal weight is the share of common bits: with itself one, and symmetrical by construction
    assert_eq!(filters.dice(0, &filters, 0), 1.0);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("filters.csv");
    filters.write(&path).expect("written");
    let text = std::fs::read_to_string(&path).expect("read");
    let ones: Vec<u32> = text
        .lines()
        .skip(1)
        .map(|line| {
            let bits = line.split(',').nth(1).unwrap_or_default();
            use base64::Engine;
            let bytes = base64::engine::general_purpose::STANDARD.decode(bits).expect("base 64");
            bytes.iter().map(|byte| byte.count_ones()).sum()
        })
        .collect();
    assert_eq!(ones, [1024, 1024]);
}
