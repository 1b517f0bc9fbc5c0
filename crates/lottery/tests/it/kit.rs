//! Short ways to write lists down.

use lottery::{Draw, Place, SealedList, Seats, Ticket, Unfilled};

pub fn place_of(id: &str, classes: &[(&str, u32, u32)]) -> Place {
    Place {
        id: id.to_owned(),
        seats: classes
            .iter()
            .map(|(class, capacity, reserved)| {
                (
                    (*class).to_owned(),
                    Seats {
                        capacity: *capacity,
                        reserved: *reserved,
                    },
                )
            })
            .collect(),
        unfilled: Unfilled::Open,
    }
}

pub fn place(id: &str, capacity: u32) -> Place {
    place_of(id, &[("all", capacity, 0)])
}

pub fn ticket(id: &str, priority: u32, choices: &[&str]) -> Ticket {
    Ticket {
        id: id.to_owned(),
        priority,
        points: 0,
        weight: 1,
        reserved: false,
        needs: [("all".to_owned(), 1)].into(),
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        priority_at: [].into(),
    }
}

pub fn list(places: Vec<Place>, tickets: Vec<Ticket>) -> SealedList {
    let mut list = SealedList {
        round: "kindergarten-115".to_owned(),
        seed_rule: "the closing index of the day after the list was published, with both decimals".to_owned(),
        places,
        tickets,
    };
    list.sort();
    list
}

/// Who has a seat at a place, by name, in alphabetical order.
pub fn placed(draw: &Draw, place: &str) -> Vec<String> {
    let mut names = result(draw, place).placed.clone();
    names.sort();
    names
}

pub fn result<'a>(draw: &'a Draw, place: &str) -> &'a lottery::PlaceResult {
    let results = draw.result.as_ref().unwrap();
    results.iter().find(|result| result.place == place).unwrap()
}
