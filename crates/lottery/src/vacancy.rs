//! The waiting list (候補) moves up when someone leaves.

use crate::list::{Place, SealedList, Ticket};
use crate::order::Order;
use crate::place::{Free, Held};
use std::collections::{BTreeMap, BTreeSet};

/// A ticket is offered a seat it wants more than what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Number of the ticket in the list.
    pub ticket: usize,
    /// The choice it held until now.
    pub from: Option<usize>,
    /// The choice that became free.
    pub to: usize,
}

/// Gives free seats to those who wait, in the order of the draw, until nobody who waits fits anywhere better.
///
/// `held` is what each ticket has now and is changed; `gone` are the tickets that left or declined and get nothing more.
/// A seat that someone leaves for a better one is given on in turn.
pub fn fill(list: &SealedList, order: &Order, held: &mut Held, gone: &BTreeSet<usize>) -> Vec<Move> {
    held.0.resize(list.tickets.len(), None);
    for number in gone {
        if let Some(cell) = held.0.get_mut(*number) {
            *cell = None;
        }
    }
    let waiting = waiting(list, order, gone);
    let mut moves = Vec::new();
    loop {
        let mut moved = false;
        for place in &list.places {
            let Some(candidates) = waiting.get(place.id.as_str()) else {
                continue;
            };
            while let Some(step) = next(list, place, candidates, held) {
                if let Some(cell) = held.0.get_mut(step.ticket) {
                    *cell = Some(step.to);
                }
                moves.push(step);
                moved = true;
            }
        }
        if !moved {
            return moves;
        }
    }
}

/// Who may ask at each place, first comers first, with the number of that choice.
fn waiting<'a>(list: &'a SealedList, order: &Order, gone: &BTreeSet<usize>) -> BTreeMap<&'a str, Vec<(usize, usize)>> {
    let mut waiting: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (number, ticket) in list
        .tickets
        .iter()
        .enumerate()
        .filter(|(number, _)| !gone.contains(number))
    {
        for (choice, place) in ticket.choices.iter().enumerate() {
            waiting.entry(place).or_default().push((number, choice));
        }
    }
    for (place, tickets) in &mut waiting {
        tickets.sort_unstable_by_key(|(number, _)| {
            list.tickets.get(*number).map(|ticket| order.at(ticket, *number, place))
        });
    }
    waiting
}

/// The first who wants a seat of this place more than what they have and for whom it suffices.
fn next(list: &SealedList, place: &Place, candidates: &[(usize, usize)], held: &Held) -> Option<Move> {
    let mut free = Free::of(place);
    let has = |number: usize| held.0.get(number).copied().flatten();
    let mut taken: Vec<&Ticket> = Vec::new();
    for (number, choice) in candidates {
        if has(*number) == Some(*choice)
            && let Some(ticket) = list.tickets.get(*number)
        {
            taken.push(ticket);
        }
    }
    free.occupy(&taken);
    let mut first = |opened: bool| {
        if opened {
            free.open();
        }
        candidates.iter().find_map(|(number, choice)| {
            let ticket = list.tickets.get(*number)?;
            let from = has(*number);
            let better = from.is_none_or(|from| *choice < from);
            (better && free.fits(ticket, false)).then_some(Move {
                ticket: *number,
                from,
                to: *choice,
            })
        })
    };
    first(false).or_else(|| first(true))
}
