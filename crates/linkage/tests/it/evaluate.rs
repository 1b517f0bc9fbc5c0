//! Precision and recall from a histogram are those of the sorted list.

use linkage::{Curve, grouped_pairs};
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_best_threshold_is_that_of_the_sorted_list(scores in prop::collection::vec((-400_i32..400, any::<bool>()), 1..80), lost in 0_u64..20) {
        let truths = scores.iter().filter(|(_, is_true)| *is_true).count() as u64 + lost;
        let mut curve = Curve::new(truths);
        scores.iter().for_each(|(score, is_true)| curve.add(f64::from(*score) / 8.0, *is_true));
        let mut best = 0.0_f64;
        for (threshold, _) in &scores {
            let taken: Vec<bool> = scores.iter().filter(|(score, _)| score >= threshold).map(|(_, is_true)| *is_true).collect();
            let hits = taken.iter().filter(|is_true| **is_true).count() as f64;
            best = best.max(2.0 * hits / (taken.len() as u64 + truths) as f64);
        }
        let found = curve.best().expect("there are scores");
        prop_assert!((found.f1 - best).abs() < 1e-12);
        for point in curve.points() {
            prop_assert!((0.0..=1.0).contains(&point.precision) && (0.0..=1.0).contains(&point.recall));
        }
    }
}

#[test]
fn pairs_of_groups_are_counted_from_sizes() {
    // groups {0,1,2} and {3,4}; truth {0,1} and {2,3,4}
    assert_eq!(grouped_pairs(&[0, 0, 0, 3, 3], &[7, 7, 9, 9, 9]), (2, 4));
}

#[test]
fn the_threshold_for_a_precision_gives_the_most_recall() {
    let mut curve = Curve::new(4);
    for (weight, is_true) in [
        (9.0, true),
        (8.0, true),
        (7.0, false),
        (6.0, true),
        (5.0, false),
        (4.0, false),
    ] {
        curve.add(weight, is_true);
    }
    let point = curve.with_precision(0.75).expect("there is one");
    assert_eq!((point.weight, point.recall), (6.0, 0.75));
}
