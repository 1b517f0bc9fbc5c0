//! Which pairs are made: each once, none twice, the same with any number of threads and in any order of rows.

use crate::kit::{COLUMNS, people, people_model, table};
use linkage::{Index, Matching, Pair, Weights};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Pairs by the ids of their records, the smaller one first.
fn named(
    pairs: &[Pair],
    left: &[Vec<String>],
    right: &[Vec<String>],
    alone: bool,
) -> BTreeMap<(String, String), (u32, u64)> {
    pairs
        .iter()
        .map(|pair| {
            let (a, b) = (
                left[pair.left as usize][0].clone(),
                right[pair.right as usize][0].clone(),
            );
            let ids = if alone && b < a { (b, a) } else { (a, b) };
            (ids, (pair.weight.to_bits(), pair.levels))
        })
        .collect()
}

fn weights(rows: &[Vec<String>]) -> Option<Weights> {
    let model = people_model();
    let table = table(&COLUMNS, rows);
    let matching = Matching::within(&model, &table, 1).expect("the table fits");
    matching.train().ok().map(|(weights, _)| weights)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_rows_and_threads_do_not_matter((rows, shuffled) in people(40).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))) {
        let model = people_model();
        // weights of one order, so that only the pairs are compared: training takes its random pairs by row
        let Some(weights) = weights(&rows) else { return Ok(()) };
        let pairs = |rows: &[Vec<String>], threads: usize| {
            let table = table(&COLUMNS, rows);
            let matching = Matching::within(&model, &table, threads).expect("the table fits");
            let pairs = matching.pairs(&weights).expect("the pairs");
            named(&pairs, rows, rows, true)
        };
        let one = pairs(&rows, 1);
        prop_assert_eq!(&one, &pairs(&rows, 4));
        prop_assert_eq!(&one, &pairs(&shuffled, 3));
    }

    #[test]
    fn training_does_not_depend_on_threads(rows in people(40)) {
        let model = people_model();
        let table = table(&COLUMNS, &rows);
        let trained = |threads: usize| Matching::within(&model, &table, threads).expect("it fits").train().map(|(weights, _)| weights).ok();
        prop_assert_eq!(trained(1), trained(4));
    }

    #[test]
    fn a_pair_never_appears_twice_and_none_is_lost(rows in people(60)) {
        let model = people_model();
        let Some(weights) = weights(&rows) else { return Ok(()) };
        let table = table(&COLUMNS, &rows);
        let matching = Matching::within(&model, &table, 2).expect("it fits");
        let pairs = matching.pairs(&weights).expect("the pairs");
        let made: BTreeSet<(u32, u32)> = pairs.iter().map(|pair| (pair.left, pair.right)).collect();
        prop_assert_eq!(made.len(), pairs.len());
        prop_assert!(pairs.iter().all(|pair| pair.left < pair.right));
        let estimates = matching.estimates();
        prop_assert!(made.len() as u64 <= estimates.iter().map(|estimate| estimate.pairs).sum());
        // by brute force over the rule that is never split
        let year = |row: &Vec<String>| linkage::normalised(&row[3], &model.columns[2]).get(..4).map(str::to_owned);
        let is_date = |row: &Vec<String>| linkage::normalised(&row[3], &model.columns[2]).len() == 10;
        for (a, left) in rows.iter().enumerate() {
            for (b, right) in rows.iter().enumerate().skip(a + 1) {
                if is_date(left) && is_date(right) && year(left) == year(right) {
                    let found = pairs.iter().any(|pair| (pair.left, pair.right) == (a as u32, b as u32));
                    prop_assert!(found, "rows {} and {} share a year", a, b);
                }
            }
        }
    }

    #[test]
    fn two_tables_are_the_pairs_across(rows in people(40), cut in 1_usize..4) {
        let model = people_model();
        let Some(weights) = weights(&rows) else { return Ok(()) };
        let (left, right) = rows.split_at(rows.len() * cut / 5);
        let (left_table, right_table) = (table(&COLUMNS, left), table(&COLUMNS, right));
        let across = Matching::between(&model, &left_table, &right_table, 2).expect("they fit");
        let across = named(&across.pairs(&weights).expect("the pairs"), left, right, false);
        let whole = table(&COLUMNS, &rows);
        let alone = Matching::within(&model, &whole, 2).expect("it fits");
        let alone = named(&alone.pairs(&weights).expect("the pairs"), &rows, &rows, false);
        let lefts: BTreeSet<&String> = left.iter().map(|row| &row[0]).collect();
        let expected: BTreeMap<_, _> = alone.into_iter().filter(|((a, b), _)| lefts.contains(a) && !lefts.contains(b)).collect();
        prop_assert_eq!(across, expected);
    }

    #[test]
    fn new_records_meet_the_kept_ones(rows in people(40), cut in 1_usize..4) {
        let model = people_model();
        let Some(weights) = weights(&rows) else { return Ok(()) };
        let (kept, new) = rows.split_at(rows.len() * cut / 5);
        let (kept_table, new_table) = (table(&COLUMNS, kept), table(&COLUMNS, new));
        let mut index = Index::new(&model, &kept_table, weights, 2).expect("it fits");
        let first = index.add(&new_table, false).expect("the pairs");
        prop_assert_eq!(index.rows(), kept.len());
        let second = index.add(&new_table, true).expect("the pairs");
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(index.rows(), rows.len());
        let made: BTreeSet<(u32, u32)> = first.iter().map(|pair| (pair.left, pair.right)).collect();
        prop_assert_eq!(made.len(), first.len());
        // of all that share a year, which is never split
        let column = &model.columns[2];
        let year = |row: &Vec<String>| { let text = linkage::normalised(&row[3], column); (text.len() == 10).then(|| text[..4].to_owned()) };
        for (a, left) in kept.iter().enumerate() {
            for (b, right) in new.iter().enumerate() {
                if year(left).is_some() && year(left) == year(right) {
                    prop_assert!(made.contains(&(a as u32, b as u32)));
                }
            }
        }
    }
}

#[test]
fn weights_of_another_model_are_refused() {
    let model = people_model();
    let row = |id: &str| [id, "ann", "smith", "1980-01-02", "york"].map(str::to_owned).to_vec();
    let table = table(&COLUMNS, &[row("1"), row("2"), row("3"), row("4")]);
    let matching = Matching::within(&model, &table, 1).expect("it fits");
    let (mut weights, _) = matching.train().expect("there are pairs");
    weights.comparisons[1].levels[0] = "exacter".to_owned();
    let error = matching.pairs(&weights).expect_err("another model").to_string();
    assert_eq!(
        error,
        "the weights are of another model: comparison `birth`; train again"
    );
}
