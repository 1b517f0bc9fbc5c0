//! Who gets which place: deferred acceptance with the applicants asking.
//!
//! Each ticket asks at its most wanted place that has not refused it yet; each place keeps those who come first and
//! refuses the rest, until nobody asks any more (Gale and Shapley 1962; with places reserved for some: Hafalir, Yenmez
//! and Yildirim 2013). Nobody gains by naming choices in another order than they are wanted in, and nobody who came
//! later sits on a seat that someone earlier wanted more than what they got. A ticket for several members takes seats
//! for all of them or none; where only some would fit, the next ones that fit are taken.

use crate::list::{Place, SealedList, Seats, Ticket, Unfilled};
use crate::order::Order;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// For each ticket of the list the number of its choice that it holds, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held(pub Vec<Option<usize>>);

/// Seats of one place that are still free, class by class.
pub(crate) struct Free<'a> {
    unfilled: Unfilled,
    /// All free seats, and those among them that only reserved tickets may take.
    classes: BTreeMap<&'a str, Seats>,
}

impl<'a> Free<'a> {
    pub(crate) fn of(place: &'a Place) -> Free<'a> {
        Free {
            unfilled: place.unfilled,
            classes: place
                .seats
                .iter()
                .map(|(class, seats)| (class.as_str(), *seats))
                .collect(),
        }
    }

    /// Whether all seats of a ticket are there: among the reserved ones only where `strict`, else among those it may take.
    pub(crate) fn fits(&self, ticket: &Ticket, strict: bool) -> bool {
        ticket.needs.iter().all(|(class, seats)| {
            self.classes
                .get(class.as_str())
                .is_some_and(|free| match (strict, ticket.reserved) {
                    (true, _) => *seats <= free.reserved,
                    (false, true) => *seats <= free.capacity,
                    (false, false) => *seats <= free.capacity.saturating_sub(free.reserved),
                })
        })
    }

    /// Takes the seats of a ticket, or none where they are not all there.
    fn take(&mut self, ticket: &Ticket, strict: bool) -> bool {
        if !self.fits(ticket, strict) {
            return false;
        }
        for (class, seats) in &ticket.needs {
            if let Some(free) = self.classes.get_mut(class.as_str()) {
                free.leave(*seats, ticket.reserved);
            }
        }
        true
    }

    /// Takes away the seats of those who have one.
    pub(crate) fn occupy(&mut self, tickets: &[&Ticket]) {
        for ticket in tickets {
            for (class, seats) in &ticket.needs {
                if let Some(free) = self.classes.get_mut(class.as_str()) {
                    free.leave(*seats, ticket.reserved);
                }
            }
        }
        for free in self.classes.values_mut() {
            free.reserved = free.reserved.min(free.capacity);
        }
    }

    /// Where the place gives left-over reserved seats to others: does so.
    pub(crate) fn open(&mut self) {
        if self.unfilled == Unfilled::Open {
            for free in self.classes.values_mut() {
                free.reserved = 0;
            }
        }
    }
}

impl Seats {
    /// `seats` fewer are free. Those of a reserved ticket count against the reserved ones.
    fn leave(&mut self, seats: u32, reserved: bool) {
        self.capacity = self.capacity.saturating_sub(seats);
        if reserved {
            self.reserved = self.reserved.saturating_sub(seats);
        }
    }
}

/// Chooses among candidates, sorted by who comes first: reserved seats, then the others, then left-over reserved ones.
fn choose(place: &Place, list: &SealedList, candidates: &[usize]) -> BTreeSet<usize> {
    let mut free = Free::of(place);
    let mut kept = BTreeSet::new();
    let pass = |free: &mut Free<'_>, kept: &mut BTreeSet<usize>, strict: bool| {
        for number in candidates {
            if let Some(ticket) = list.tickets.get(*number)
                && (!strict || ticket.reserved)
                && !kept.contains(number)
                && free.take(ticket, strict)
            {
                kept.insert(*number);
            }
        }
    };
    if place.seats.values().any(|seats| seats.reserved > 0) {
        pass(&mut free, &mut kept, true);
    }
    pass(&mut free, &mut kept, false);
    if place.seats.values().any(|seats| seats.reserved > 0) {
        free.open();
        pass(&mut free, &mut kept, false);
    }
    kept
}

/// Places every ticket by its order. The list must be sound.
#[must_use]
pub fn place(list: &SealedList, order: &Order) -> Held {
    let places: HashMap<&str, &Place> = list.places.iter().map(|place| (place.id.as_str(), place)).collect();
    let mut asks: Vec<usize> = vec![0; list.tickets.len()];
    let mut kept: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let mut free: Vec<usize> = (0..list.tickets.len()).collect();
    while !free.is_empty() {
        let mut asked: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for number in std::mem::take(&mut free) {
            if let Some(ticket) = list.tickets.get(number)
                && let Some(choice) = asks.get(number).and_then(|at| ticket.choices.get(*at))
            {
                asked.entry(choice.as_str()).or_default().push(number);
            }
        }
        for (id, mut candidates) in asked {
            let Some(place) = places.get(id) else { continue };
            let holds = kept.entry(id).or_default();
            candidates.extend(holds.iter());
            candidates
                .sort_unstable_by_key(|number| list.tickets.get(*number).map(|ticket| order.at(ticket, *number, id)));
            let chosen = choose(place, list, &candidates);
            for number in candidates.iter().filter(|number| !chosen.contains(number)) {
                if let Some(ask) = asks.get_mut(*number) {
                    *ask += 1;
                }
                free.push(*number);
            }
            *holds = chosen;
        }
        free.sort_unstable();
    }
    let mut held = vec![None; list.tickets.len()];
    for number in kept.values().flatten() {
        if let (Some(cell), Some(ask)) = (held.get_mut(*number), asks.get(*number)) {
            *cell = Some(*ask);
        }
    }
    Held(held)
}
