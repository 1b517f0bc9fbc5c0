//! Clusters and partners.

use linkage::{Pair, clusters, components, in_one_list, one_to_one};
use proptest::prelude::*;

fn pair((left, right, weight): (u32, u32, f32)) -> Pair {
    Pair {
        left,
        right,
        weight,
        rule: 0,
        levels: 0,
    }
}

/// The best sum over every way to give each left row no or one free right row.
fn best(pairs: &[Pair], left: u32, taken: u32) -> f64 {
    if left == 6 {
        return 0.0;
    }
    let mut highest = best(pairs, left + 1, taken);
    for pair in pairs
        .iter()
        .filter(|pair| pair.left == left && taken & (1 << pair.right) == 0)
    {
        highest = highest.max(f64::from(pair.weight) + best(pairs, left + 1, taken | 1 << pair.right));
    }
    highest
}

fn two_tables() -> impl Strategy<Value = Vec<Pair>> {
    prop::collection::btree_map((0_u32..6, 0_u32..6), 1_u16..400, 0..20).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|((left, right), weight)| pair((left, right, f32::from(weight) / 16.0)))
            .collect()
    })
}

proptest! {
    #[test]
    fn one_to_one_is_one_to_one_and_the_best(pairs in two_tables()) {
        let kept = one_to_one(6, 6, &pairs, 0.0);
        for (at, pair) in kept.iter().enumerate() {
            prop_assert!(pairs.contains(pair));
            prop_assert!(kept[..at].iter().all(|other| other.left != pair.left && other.right != pair.right));
        }
        let sum: f64 = kept.iter().map(|pair| f64::from(pair.weight)).sum();
        prop_assert!((sum - best(&pairs, 0, 0)).abs() < 1e-3, "{} is not {}", sum, best(&pairs, 0, 0));
    }

    #[test]
    fn clusters_lie_within_components(pairs in two_tables(), least in 0.0_f64..20.0) {
        let pairs = in_one_list(6, &pairs);
        let (groups, parts) = (components(12, &pairs, least), clusters(12, &pairs, least, -10.0));
        for row in 0..12 {
            prop_assert_eq!(groups[row], groups[parts[row] as usize]);
            // heads are settled and the smallest of theirs
            prop_assert_eq!(parts[row], parts[parts[row] as usize]);
            prop_assert!(parts[row] as usize <= row);
        }
    }
}

#[test]
fn a_chain_of_doubt_is_no_cluster() {
    // two persons of three records each, certain within, one doubtful pair between
    let certain = [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)].map(|(left, right)| pair((left, right, 10.0)));
    let pairs: Vec<Pair> = certain.into_iter().chain([pair((2, 3, 1.0))]).collect();
    assert_eq!(components(6, &pairs, 0.0), [0, 0, 0, 0, 0, 0]);
    assert_eq!(clusters(6, &pairs, 0.0, -10.0), [0, 0, 0, 3, 3, 3]);
}

#[test]
fn a_record_that_half_fits_everybody_joins() {
    let pairs: Vec<Pair> = [(0, 1, 10.0), (0, 2, 1.0), (1, 2, -0.5)].map(pair).to_vec();
    assert_eq!(clusters(3, &pairs, 0.0, -10.0), [0, 0, 0]);
}

#[test]
fn a_component_too_large_for_one_assignment_still_ends_one_to_one() {
    let mut pairs = Vec::new();
    for left in 0..600_u32 {
        for right in 0..4 {
            pairs.push(pair((left, (left * 7 + right * 13) % 600, (left % 5) as f32 + 1.0)));
        }
    }
    pairs.sort_by_key(|pair| (pair.left, pair.right));
    pairs.dedup_by_key(|pair| (pair.left, pair.right));
    let kept = one_to_one(600, 600, &pairs, 0.0);
    let mut rights: Vec<u32> = kept.iter().map(|pair| pair.right).collect();
    rights.sort_unstable();
    rights.dedup();
    assert_eq!(rights.len(), kept.len());
    assert!(kept.windows(2).all(|two| two[0].left < two[1].left));
}
