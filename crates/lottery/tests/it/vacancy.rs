//! The waiting list moves up.

use crate::kit::{list, place, place_of, ticket};
use lottery::{Ticket, draw, fill, order, place as place_all};
use std::collections::BTreeSet;

#[test]
fn a_seat_given_back_goes_to_the_first_who_waits_and_theirs_to_the_next() {
    for seed in 0..100 {
        let seed = seed.to_string();
        let tickets = vec![
            ticket("a", 1, &["x"]),
            ticket("b", 2, &["x", "y"]),
            ticket("c", 3, &["x", "y"]),
            ticket("d", 4, &["y"]),
        ];
        let list = list(vec![place("x", 1), place("y", 1)], tickets);
        let order = order(&list, &seed).unwrap();
        let mut held = place_all(&list, &order);
        assert_eq!(held.0, [Some(0), Some(1), None, None]);
        let moves = fill(&list, &order, &mut held, &BTreeSet::from([0]));
        let steps: Vec<(usize, Option<usize>, usize)> = moves.iter().map(|m| (m.ticket, m.from, m.to)).collect();
        assert_eq!(steps, [(1, Some(1), 0), (2, None, 1)]);
        assert_eq!(held.0, [None, Some(0), Some(1), None]);
    }
}

#[test]
fn nothing_moves_when_nobody_left() {
    let tickets = (0..30)
        .map(|n| ticket(&format!("t{n:02}"), 1 + n % 3, &["x", "y"]))
        .collect();
    let list = list(vec![place("x", 5), place("y", 5)], tickets);
    let order = order(&list, "1").unwrap();
    let mut held = place_all(&list, &order);
    let before = held.clone();
    assert_eq!(fill(&list, &order, &mut held, &BTreeSet::new()), []);
    assert_eq!(held, before);
}

#[test]
fn a_reserved_seat_given_back_goes_first_to_someone_it_is_reserved_for() {
    let marked = |name: &str| Ticket {
        reserved: true,
        ..ticket(name, 9, &["x"])
    };
    let tickets = vec![
        marked("m1"),
        marked("m2"),
        ticket("o1", 1, &["x"]),
        ticket("o2", 1, &["x"]),
    ];
    let list = list(vec![place_of("x", &[("all", 2, 1)])], tickets);
    for seed in 0..50 {
        let order = order(&list, &seed.to_string()).unwrap();
        let mut held = place_all(&list, &order);
        let first = if held.0[0].is_some() { 0 } else { 1 };
        let moves = fill(&list, &order, &mut held, &BTreeSet::from([first]));
        assert_eq!(moves.iter().map(|step| step.ticket).collect::<Vec<_>>(), [1 - first]);
    }
}

#[test]
fn after_everybody_who_was_placed_left_the_seats_are_full_again() {
    let tickets = (0..40).map(|n| ticket(&format!("t{n:02}"), 1, &["x"])).collect();
    let list = list(vec![place("x", 10)], tickets);
    let order = order(&list, "5").unwrap();
    let drawn = draw(list.clone(), "5").unwrap();
    let mut held = place_all(&list, &order);
    let gone: BTreeSet<usize> = held
        .0
        .iter()
        .enumerate()
        .filter(|(_, has)| has.is_some())
        .map(|(n, _)| n)
        .collect();
    let moves = fill(&list, &order, &mut held, &gone);
    let names: Vec<&str> = moves.iter().map(|step| list.tickets[step.ticket].id.as_str()).collect();
    assert_eq!(names, drawn.result.unwrap()[0].waiting[..10]);
}
