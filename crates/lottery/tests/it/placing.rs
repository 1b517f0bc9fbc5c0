//! Who gets which place.

use crate::kit::{list, place, place_of, placed, result, ticket};
use lottery::{ListError, SealedList, Ticket, Unfilled, draw, order, place as place_all};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[test]
fn an_earlier_group_is_served_before_a_later_one_whatever_the_lot() {
    for seed in 0..200 {
        let tickets = vec![ticket("a", 2, &["x"]), ticket("b", 1, &["x"]), ticket("c", 2, &["x"])];
        let draw = draw(list(vec![place("x", 1)], tickets), &seed.to_string()).unwrap();
        assert_eq!(placed(&draw, "x"), ["b"]);
        assert_eq!(result(&draw, "x").waiting.len(), 2);
    }
}

#[test]
fn more_points_come_first_within_a_group() {
    for seed in 0..50 {
        let rich = Ticket {
            points: 7,
            ..ticket("rich", 1, &["x"])
        };
        let poor = Ticket {
            points: 9,
            ..ticket("poor", 1, &["x"])
        };
        let draw = draw(list(vec![place("x", 1)], vec![rich, poor]), &seed.to_string()).unwrap();
        assert_eq!(placed(&draw, "x"), ["poor"]);
    }
}

#[test]
fn a_family_is_placed_together_or_not_at_all() {
    let mut together = 0;
    for seed in 0..400 {
        let twins = Ticket {
            needs: [("all".to_owned(), 2)].into(),
            ..ticket("twins", 1, &["x"])
        };
        let others = ["a", "b", "c"].map(|name| ticket(name, 1, &["x"]));
        let tickets = others.into_iter().chain([twins]).collect();
        let draw = draw(list(vec![place("x", 3)], tickets), &seed.to_string()).unwrap();
        let names = placed(&draw, "x");
        let seats = names
            .iter()
            .map(|name| if name == "twins" { 2 } else { 1 })
            .sum::<u32>();
        assert_eq!(seats, 3, "no seat is left free while somebody fits");
        together += u32::from(names.contains(&"twins".to_owned()));
    }
    assert!(together > 100, "the twins are drawn often: {together}");
}

#[test]
fn siblings_of_two_classes_need_a_seat_in_both() {
    let siblings = Ticket {
        needs: [("three".to_owned(), 1), ("five".to_owned(), 1)].into(),
        ..ticket("siblings", 1, &["full", "free"])
    };
    let full = place_of("full", &[("three", 5, 0), ("five", 0, 0)]);
    let free = place_of("free", &[("three", 1, 0), ("five", 1, 0)]);
    let draw = draw(list(vec![full, free], vec![siblings]), "7").unwrap();
    assert_eq!(placed(&draw, "free"), ["siblings"]);
    assert_eq!(result(&draw, "full").waiting, ["siblings"]);
}

#[test]
fn a_sibling_there_comes_first_there_only() {
    for seed in 0..50 {
        let sibling = Ticket {
            priority_at: [("x".to_owned(), 1)].into(),
            ..ticket("sibling", 5, &["x"])
        };
        let first = draw(
            list(vec![place("x", 1)], vec![sibling, ticket("b", 2, &["x"])]),
            &seed.to_string(),
        )
        .unwrap();
        assert_eq!(placed(&first, "x"), ["sibling"]);
        let elsewhere = Ticket {
            priority_at: [("x".to_owned(), 1)].into(),
            ..ticket("sibling", 5, &["y", "x"])
        };
        let places = vec![place("x", 0), place("y", 1)];
        let second = draw(list(places, vec![elsewhere, ticket("b", 2, &["y"])]), &seed.to_string()).unwrap();
        assert_eq!(placed(&second, "y"), ["b"]);
    }
}

#[test]
fn reserved_seats_go_to_those_they_are_for_and_what_is_left_over_to_others() {
    for seed in 0..100 {
        let marked = |name: &str| Ticket {
            reserved: true,
            ..ticket(name, 9, &["x"])
        };
        let mut tickets: Vec<Ticket> = (0..20).map(|n| ticket(&format!("open{n:02}"), 1, &["x"])).collect();
        tickets.extend([marked("m1"), marked("m2"), marked("m3")]);
        let house = place_of("x", &[("all", 10, 4)]);
        let drawn = draw(list(vec![house.clone()], tickets.clone()), &seed.to_string()).unwrap();
        let names = placed(&drawn, "x");
        assert_eq!(names.len(), 10, "the left-over reserved seat is given to others");
        assert_eq!(names.iter().filter(|name| name.starts_with('m')).count(), 3);
        let kept = lottery::Place {
            unfilled: Unfilled::Kept,
            ..house
        };
        let drawn = draw(list(vec![kept], tickets), &seed.to_string()).unwrap();
        assert_eq!(placed(&drawn, "x").len(), 9, "the left-over reserved seat stays free");
    }
}

#[test]
fn a_list_with_a_mistake_is_refused_with_what_to_do() {
    let said = |list: SealedList| list.check().unwrap_err().to_string();
    let one = |ticket: Ticket| said(list(vec![place("x", 1)], vec![ticket]));
    let cases = [
        one(ticket("a", 1, &["y"])),
        one(ticket("a", 1, &[])),
        one(ticket("a", 1, &["x", "x"])),
        one(Ticket {
            weight: 0,
            ..ticket("a", 1, &["x"])
        }),
        one(Ticket {
            needs: BTreeMap::new(),
            ..ticket("a", 1, &["x"])
        }),
        one(Ticket {
            needs: [("baby".to_owned(), 1)].into(),
            ..ticket("a", 1, &["x"])
        }),
        one(Ticket {
            priority_at: [("z".to_owned(), 1)].into(),
            ..ticket("a", 1, &["x"])
        }),
        said(list(
            vec![place("x", 1)],
            vec![ticket("a", 1, &["x"]), ticket("a", 1, &["x"])],
        )),
        said(list(vec![place("x", 1), place("x", 1)], vec![])),
        said(list(vec![place_of("x", &[("all", 1, 2)])], vec![])),
        said(list(vec![place_of("x", &[])], vec![])),
    ];
    expect_test::expect![[r"
        ticket `a`: its choice `y` is no place of the list
        ticket `a`: it has 0 choices; 1 to 100 are possible
        ticket `a`: its choice `x` stands there twice
        ticket `a`: its weight is 0; it must be 1 to 100
        ticket `a`: it needs no seat; say how many of which class
        ticket `a`: its choice `x` has no class `baby`
        ticket `a`: it has a group of its own at `z`, which it does not choose
        ticket `a` is out of order or there twice; sort by id and give each its own
        place `x` is out of order or there twice; sort by id and give each its own
        place `x`: class `all` reserves 2 of 1 seats; reserve no more than there are
        place `x`: it has no seats; name at least one class
    "]]
    .assert_eq(&(cases.join("\n") + "\n"));
    assert_eq!(draw(list(vec![], vec![]), " ").unwrap_err(), ListError::Seed);
}

prop_compose! {
    fn any_ticket(places: usize)(
        priority in 1_u32..4,
        points in 0_u32..3,
        weight in 1_u32..4,
        reserved in any::<bool>(),
        seats in prop_oneof![9 => Just(1_u32), 1 => Just(2_u32)],
        choices in proptest::sample::subsequence((0..places).collect::<Vec<_>>(), 1..=places).prop_shuffle(),
    ) -> Ticket {
        Ticket {
            points, weight, reserved,
            needs: [("all".to_owned(), seats)].into(),
            choices: choices.iter().map(|place| format!("p{place}")).collect(),
            ..ticket("", priority, &[])
        }
    }
}

fn any_list(single: bool) -> impl Strategy<Value = SealedList> {
    let places = proptest::collection::vec((0_u32..5, 0_u32..5, any::<bool>()), 1..5);
    places.prop_flat_map(move |seats| {
        let count = seats.len();
        proptest::collection::vec(any_ticket(count), 0..25).prop_map(move |tickets| {
            let places = seats
                .iter()
                .enumerate()
                .map(|(number, (capacity, reserved, kept))| lottery::Place {
                    unfilled: if *kept { Unfilled::Kept } else { Unfilled::Open },
                    ..place_of(&format!("p{number}"), &[("all", *capacity, (*reserved).min(*capacity))])
                });
            let tickets = tickets.into_iter().enumerate().map(|(number, mut ticket)| {
                if single {
                    ticket.needs = [("all".to_owned(), 1)].into();
                }
                Ticket {
                    id: format!("t{number:02}"),
                    ..ticket
                }
            });
            list(places.collect(), tickets.collect())
        })
    })
}

proptest! {
    #[test]
    fn no_place_is_over_full_and_nobody_has_what_they_did_not_choose(list in any_list(false), seed in "[0-9]{1,6}") {
        let drawn = draw(list.clone(), &seed).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for result in drawn.result.as_ref().unwrap() {
            let place = list.places.iter().find(|place| place.id == result.place).unwrap();
            let mut used = 0;
            for id in &result.placed {
                prop_assert!(seen.insert(id.clone()), "{id} has two places");
                let ticket = list.tickets.iter().find(|ticket| ticket.id == *id).unwrap();
                prop_assert!(ticket.choices.contains(&result.place));
                used += ticket.needs["all"];
            }
            prop_assert!(used <= place.seats["all"].capacity);
        }
    }

    #[test]
    fn nobody_who_came_later_has_a_seat_that_someone_earlier_wanted_more(list in any_list(true), seed in "[0-9]{1,6}") {
        let order = order(&list, &seed).unwrap();
        let held = place_all(&list, &order);
        let drawn = draw(list.clone(), &seed).unwrap();
        for result in drawn.result.as_ref().unwrap() {
            let place = list.places.iter().find(|place| place.id == result.place).unwrap();
            let of = |id: &String| list.tickets.iter().position(|ticket| ticket.id == *id).unwrap();
            for waiting in &result.waiting {
                let waits = &list.tickets[of(waiting)];
                for placed in &result.placed {
                    let has = &list.tickets[of(placed)];
                    // a reserved seat is not everybody's
                    if has.reserved == waits.reserved || (waits.reserved && !has.reserved) {
                        let earlier = (waits.priority, u32::MAX - waits.points) < (has.priority, u32::MAX - has.points);
                        prop_assert!(!earlier, "{waiting} comes before {placed} at {}", result.place);
                    }
                }
                let free = place.seats["all"].capacity as usize - result.placed.len();
                let open = free > 0 && (waits.reserved || place.unfilled == Unfilled::Open);
                prop_assert!(!open, "{waiting} waits beside a free seat of {}", result.place);
            }
        }
        prop_assert_eq!(held.0.iter().flatten().count(), drawn.result.unwrap().iter().map(|r| r.placed.len()).sum::<usize>());
    }

    #[test]
    fn nobody_gains_by_naming_their_choices_in_another_order(list in any_list(true), seed in "[0-9]{1,6}", shift in 1_usize..4) {
        // the lots are kept as they are: only what is asked for differs
        let Some(first) = list.tickets.first().cloned() else { return Ok(()) };
        let order = order(&list, &seed).unwrap();
        let honest = place_all(&list, &order).0[0].map(|choice| first.choices[choice].clone());
        let mut other = list.clone();
        let choices = &mut other.tickets[0].choices;
        let by = shift % choices.len();
        choices.rotate_left(by);
        let turned = place_all(&other, &order).0[0].map(|choice| other.tickets[0].choices[choice].clone());
        let wanted = |place: &Option<String>| place.as_ref().map_or(usize::MAX, |place| {
            first.choices.iter().position(|choice| choice == place).unwrap()
        });
        prop_assert!(wanted(&honest) <= wanted(&turned));
    }

    #[test]
    fn the_order_in_which_tickets_are_handed_in_does_not_matter(list in any_list(false), seed in "[0-9]{1,6}") {
        let mut turned = list.clone();
        turned.tickets.reverse();
        turned.places.reverse();
        prop_assert_eq!(draw(list, &seed).unwrap(), draw(turned, &seed).unwrap());
    }
}
