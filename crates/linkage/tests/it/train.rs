//! Learning: EM climbs, finds what was planted, and listens to answers.

use crate::kit::{COLUMNS, people, people_model, table};
use linkage::{Matching, Model};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn em_never_lowers_the_likelihood(rows in people(60)) {
        let model = people_model();
        let table = table(&COLUMNS, &rows);
        let Ok((weights, sessions)) = Matching::within(&model, &table, 2).expect("it fits").train() else { return Ok(()) };
        for session in sessions {
            for step in session.likelihood.windows(2) {
                prop_assert!(step[1] >= step[0] - 1e-6 * step[0].abs().max(1.0), "{} after {}", step[1], step[0]);
            }
        }
        for shares in &weights.comparisons {
            prop_assert!((shares.m.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        }
    }
}

/// Three fields that agree in nine of ten matches; by chance in one of fifty, one of twenty and one of ten.
const PLANTED: &str = r#"
id = "id"
[[column]]
name = "a"
kind = "text"
[[column]]
name = "b"
kind = "text"
[[column]]
name = "c"
kind = "text"
[[column]]
name = "key"
kind = "text"
[[block]]
keys = ["key"]
[[compare]]
columns = ["a"]
levels = ["exact"]
[[compare]]
columns = ["b"]
levels = ["exact"]
[[compare]]
columns = ["c"]
levels = ["exact"]
[train]
blocks = [["key"]]
"#;

fn planted() -> Vec<Vec<String>> {
    let mut state = 7_u64;
    let mut below = move |bound: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut rows = Vec::new();
    for person in 0..1500 {
        let values = [below(50), below(20), below(10)];
        for copy in 0..2 {
            let value = |value: u64, range: u64, below: &mut dyn FnMut(u64) -> u64| match copy == 1 && below(10) == 0 {
                true => below(range).to_string(),
                false => value.to_string(),
            };
            let row = [
                format!("{person}-{copy}"),
                value(values[0], 50, &mut below),
                value(values[1], 20, &mut below),
                value(values[2], 10, &mut below),
                (person / 3).to_string(),
            ];
            rows.push(row.to_vec());
        }
    }
    rows
}

#[test]
fn planted_shares_are_found() {
    let model = Model::parse("planted.toml", PLANTED).expect("sound");
    let table = table(&["id", "a", "b", "c", "key"], &planted());
    let matching = Matching::within(&model, &table, 2).expect("it fits");
    let (weights, sessions) = matching.train().expect("there are pairs");
    // of the fifteen pairs of each block of six rows three are matches
    assert!((sessions[0].share - 0.2).abs() < 0.03, "{}", sessions[0].share);
    for (shares, chance) in weights.comparisons.iter().zip([0.02, 0.05, 0.1]) {
        assert!(
            (shares.m[0] - (0.9 + 0.1 * chance)).abs() < 0.03,
            "{} m {}",
            shares.comparison,
            shares.m[0]
        );
        assert!(
            (shares.u[0] - chance).abs() < 0.01,
            "{} u {}",
            shares.comparison,
            shares.u[0]
        );
    }
}

#[test]
fn answers_move_the_threshold_and_the_weights() {
    let model = Model::parse("planted.toml", PLANTED).expect("sound");
    let rows = planted();
    let table = table(&["id", "a", "b", "c", "key"], &rows);
    let matching = Matching::within(&model, &table, 2).expect("it fits");
    let (before, _) = matching.train().expect("there are pairs");
    let pairs = matching.pairs(&before).expect("pairs");
    let doubtful: Vec<_> = pairs.iter().filter(|pair| pair.weight.abs() < 8.0).take(200).collect();
    assert!(!doubtful.is_empty());
    let answered = |answer: bool| {
        let answers: Vec<(u32, u32, bool)> = doubtful.iter().map(|pair| (pair.left, pair.right, answer)).collect();
        matching.retrain(&answers).expect("the rows exist").prior
    };
    assert!(answered(true) > before.prior);
    assert!(answered(false) < before.prior);
    assert_eq!(matching.retrain(&[]).expect("nothing new"), before);
    assert!(matching.retrain(&[(0, 9_999_999, true)]).is_err());
}
