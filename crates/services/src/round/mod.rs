//! Rounds (梯次) of a service whose places are fewer than its applicants: windows, places with their seats, and which
//! steps of the rules make a ticket of an approved application.

mod file;

use std::collections::BTreeMap;

use civic::Text;
use jiff::civil::{Date, DateTime};
use serde::Serialize;

pub(crate) use file::{load, places};

/// What `round.toml`, `places.csv` and `seats.csv` say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rounds {
    /// Fields of the application that name places, the most wanted first (志願).
    pub choices: Vec<String>,
    /// Step that says the class of the seat needed: of the case one seat, of persons a seat for each who has a class.
    pub class: Option<String>,
    /// Step with the group, 1 is served first (優先順位).
    pub group: Option<String>,
    /// Step with the points, more come first within a group (積分).
    pub points: Option<String>,
    /// Step that says whether the reserved seats are for this application too (保留名額).
    pub reserved: Option<String>,
    /// Step for each place that says whether it may be chosen; `{place}` stands for the place.
    pub open: Option<String>,
    /// Amount paid to who has a place; `{place}` stands for the place.
    pub pays: Option<String>,
    /// Another group at one place.
    pub group_at: Option<GroupAt>,
    /// What the classes of seats are called.
    pub classes: BTreeMap<String, Text>,
    /// The classes in the order of the file.
    pub class_order: Vec<String>,
    /// Whether reserved seats nobody with a right asks for stay free.
    pub keeps_unfilled: bool,
    /// Working days to answer an offer from the waiting list.
    pub answer_days: u16,
    /// Whether a place must be taken up in person (報到).
    pub check_in: bool,
    /// The rounds, by their opening.
    pub rounds: Vec<Round>,
    /// The places, in the order of the file.
    pub places: Vec<Place>,
}

/// Steps that give another group at one place, for example the one a sibling goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupAt {
    /// Step with the place's id.
    pub place: String,
    /// Step with the group there.
    pub group: String,
}

/// One round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Round {
    /// Short name, in addresses and files.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// Legal time from which applications are taken.
    pub opens: DateTime,
    /// Legal time until which they are taken.
    pub closes: DateTime,
    /// Legal day of the draw.
    pub draw: Date,
    /// Last legal day to accept a place of the draw.
    pub answer_by: Date,
    /// Last legal day to take a place up in person.
    pub check_in_by: Option<Date>,
    /// How the seed of the draw comes about.
    pub seed_rule: Text,
    /// Seats by place and class.
    pub seats: BTreeMap<String, BTreeMap<String, Seats>>,
}

/// A place that is applied for: a kindergarten, a house, an award.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Short name.
    pub id: String,
    /// Places of one set exclude each other.
    pub set: String,
    /// What it is called.
    pub name: Text,
    /// Where it is.
    pub area: String,
}

/// Seats of one class at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Seats {
    /// All of them.
    pub capacity: u32,
    /// Those among them that go first to who has a right to them.
    pub reserved: u32,
}

/// Class of seats where a service names none.
pub const ALL: &str = "all";

/// Where a service stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Window<'a> {
    /// Applications are taken.
    Open(&'a Round),
    /// None are taken; the next round, if one is announced.
    Closed(Option<&'a Round>),
}

impl Rounds {
    /// Whether applications are taken at a legal time. Where two rounds overlap, the one that closes first counts.
    #[must_use]
    pub fn at(&self, now: DateTime) -> Window<'_> {
        let open = self
            .rounds
            .iter()
            .filter(|round| round.opens <= now && now < round.closes);
        match open.min_by_key(|round| round.closes) {
            Some(round) => Window::Open(round),
            None => Window::Closed(self.rounds.iter().find(|round| round.opens > now)),
        }
    }

    /// The round of this id.
    #[must_use]
    pub fn round(&self, id: &str) -> Option<&Round> {
        self.rounds.iter().find(|round| round.id == id)
    }

    /// The place of this id.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.id == id)
    }

    /// Where seats stand in a list: places and classes in the order of the files, not of the alphabet.
    #[must_use]
    pub fn order(&self, place: &str, class: &str) -> (usize, usize) {
        let place = self.places.iter().position(|known| known.id == place);
        let class = self.class_order.iter().position(|known| known == class);
        (place.unwrap_or(usize::MAX), class.unwrap_or(usize::MAX))
    }

    /// The sets of places, in the order of the file.
    #[must_use]
    pub fn sets(&self) -> Vec<&str> {
        let mut sets: Vec<&str> = Vec::new();
        for place in &self.places {
            if !sets.contains(&place.set.as_str()) {
                sets.push(&place.set);
            }
        }
        sets
    }

    /// The name that a pattern such as `may_{place}` has for a place.
    #[must_use]
    pub fn named(pattern: &str, place: &str) -> String {
        pattern.replace("{place}", &place.replace('-', "_"))
    }
}
