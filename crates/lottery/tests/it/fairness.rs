//! Every ticket of a group has the same chance, and a ticket of more weight more of it.

use crate::kit::{list, place, ticket};
use lottery::{SealedList, Ticket, order, place as place_all};

/// Seeds of the test of uniformity.
const DRAWS: usize = 1_000_000;

/// How often each ticket is placed over many seeds.
fn counts(list: &SealedList, draws: usize) -> Vec<u64> {
    let run = |from: usize, to: usize| {
        let mut counts = vec![0_u64; list.tickets.len()];
        for seed in from..to {
            let held = place_all(list, &order(list, &seed.to_string()).unwrap());
            for (count, has) in counts.iter_mut().zip(held.0) {
                *count += u64::from(has.is_some());
            }
        }
        counts
    };
    let (first, second) = std::thread::scope(|scope| {
        let half = scope.spawn(|| run(0, draws / 2));
        (run(draws / 2, draws), half.join().unwrap())
    });
    first.iter().zip(second).map(|(a, b)| a + b).collect()
}

/// Pearson's statistic of counts that should be equal.
fn chi_square(counts: &[u64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let expected = total as f64 / counts.len() as f64;
    counts
        .iter()
        .map(|count| (*count as f64 - expected).powi(2) / expected)
        .sum()
}

#[test]
fn the_lot_is_uniform_within_each_group() {
    // Group 1 has four tickets for one seat of `x`; group 2 has five for the one seat of `y`. One winner in a draw and
    // group, so the counts are multinomial: chi-square of 3 and 4 degrees of freedom, 99.99 % quantiles 21.11 and 23.51.
    let mut tickets: Vec<Ticket> = (0..4).map(|n| ticket(&format!("a{n}"), 1, &["x"])).collect();
    tickets.extend((0..5).map(|n| ticket(&format!("b{n}"), 2, &["y", "x"])));
    let list = list(vec![place("x", 1), place("y", 1)], tickets);
    let counts = counts(&list, DRAWS);
    assert_eq!(counts.iter().sum::<u64>(), 2 * DRAWS as u64);
    let (first, second) = (chi_square(&counts[..4]), chi_square(&counts[4..]));
    assert!(first < 21.11, "{first} {counts:?}");
    assert!(second < 23.51, "{second} {counts:?}");
}

#[test]
fn a_ticket_of_weight_three_wins_three_times_as_often() {
    let heavy = Ticket {
        weight: 3,
        ..ticket("heavy", 1, &["x"])
    };
    let tickets = vec![heavy, ticket("light", 1, &["x"])];
    let draws = 100_000;
    let counts = counts(&list(vec![place("x", 1)], tickets), draws);
    // three lots of four: 75,000 with a standard deviation of 137
    assert!(counts[0].abs_diff(75_000) < 600, "{counts:?}");
}
