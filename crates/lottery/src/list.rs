//! The sealed list: who takes part in a draw, and for which places.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Most tickets of a list.
const MOST_TICKETS: usize = 5_000_000;
/// Most places of a list.
const MOST_PLACES: usize = 100_000;
/// Most choices of a ticket.
const MOST_CHOICES: usize = 100;
/// Most chances of a ticket in comparison to another one of its group.
const MOST_WEIGHT: u32 = 100;
/// Most seats of a class and most members of a ticket's class.
const MOST_SEATS: u32 = 1_000_000;

/// What is published before a draw (籤號名冊).
///
/// Tickets stand in the order of their ids and places in the order of theirs, so that there is one way only to write a
/// list down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedList {
    /// Name of the round, such as `kindergarten-115`.
    pub round: String,
    /// In words: how the seed will come about, of what, and when.
    pub seed_rule: String,
    /// What is drawn for.
    pub places: Vec<Place>,
    /// Who takes part.
    pub tickets: Vec<Ticket>,
}

/// A place with its seats: a kindergarten with its classes, a kind of flat in a house, an award.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Short name in files.
    pub id: String,
    /// Seats by class; a place without classes has one named `all`.
    pub seats: BTreeMap<String, Seats>,
    /// What becomes of reserved seats that nobody with a right to them asks for.
    #[serde(default)]
    pub unfilled: Unfilled,
}

/// The seats of one class (名額).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seats {
    /// All of them.
    pub capacity: u32,
    /// Those among them that tickets marked `reserved` get first.
    #[serde(default)]
    pub reserved: u32,
}

/// What becomes of reserved seats that are left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unfilled {
    /// Others get them.
    #[default]
    Open,
    /// They stay free.
    Kept,
}

/// One ticket (籤): a person, or members of a family who are placed together or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// A keyed hash, so that a person finds their own and nobody another's.
    pub id: String,
    /// The group, smallest first: all of group 1 are served before group 2.
    pub priority: u32,
    /// Within a group more points come first; the lottery decides between equals.
    #[serde(default)]
    pub points: u32,
    /// Chances in comparison to others of equal group and points.
    #[serde(default = "one")]
    pub weight: u32,
    /// Whether the reserved seats are for this ticket too.
    #[serde(default)]
    pub reserved: bool,
    /// Seats needed by class; all of them at the same place.
    pub needs: BTreeMap<String, u32>,
    /// Places, the most wanted first.
    pub choices: Vec<String>,
    /// Places at which another group than `priority` applies, for example the one a sibling goes to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub priority_at: BTreeMap<String, u32>,
}

const fn one() -> u32 {
    1
}

/// Why a list can't be drawn from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// There are too many of something.
    #[error("the list has {found} {what}; at most {most} are possible")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many may be.
        most: usize,
    },
    /// Tickets or places are not in the order of their ids, or one stands twice.
    #[error("{what} `{id}` is out of order or there twice; sort by id and give each its own")]
    Order {
        /// `ticket` or `place`.
        what: &'static str,
        /// Which one.
        id: String,
    },
    /// A ticket names something the list does not have, or numbers out of bounds.
    #[error("ticket `{ticket}`: {why}")]
    Ticket {
        /// Which one.
        ticket: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// A place has numbers out of bounds.
    #[error("place `{place}`: {why}")]
    Place {
        /// Which one.
        place: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// The seed is missing.
    #[error("the public value of the seed is empty; enter what was announced, exactly as it was announced")]
    Seed,
}

impl SealedList {
    /// SHA-256 of the list as JSON without white space, in hexadecimal.
    ///
    /// # Errors
    /// Where the list is not sound.
    pub fn digest(&self) -> Result<String, ListError> {
        self.check()?;
        let json = serde_json::to_vec(self).map_err(|error| ListError::Place {
            place: self.round.clone(),
            why: error.to_string(),
        })?;
        Ok(hex::encode(Sha256::digest(&json)))
    }

    /// Puts tickets and places in the order of their ids.
    pub fn sort(&mut self) {
        self.places.sort_by(|a, b| a.id.cmp(&b.id));
        self.tickets.sort_by(|a, b| a.id.cmp(&b.id));
    }

    /// Says the first thing that keeps the list from being drawn from.
    ///
    /// # Errors
    /// With that thing.
    pub fn check(&self) -> Result<(), ListError> {
        let many = |what, found: usize, most: usize| match found > most {
            true => Err(ListError::TooMany { what, found, most }),
            false => Ok(()),
        };
        many("tickets", self.tickets.len(), MOST_TICKETS)?;
        many("places", self.places.len(), MOST_PLACES)?;
        in_order("place", self.places.iter().map(|place| place.id.as_str()))?;
        in_order("ticket", self.tickets.iter().map(|ticket| ticket.id.as_str()))?;
        for place in &self.places {
            place.check()?;
        }
        let places: BTreeMap<&str, &Place> = self.places.iter().map(|place| (place.id.as_str(), place)).collect();
        self.tickets.iter().try_for_each(|ticket| ticket.check(&places))
    }
}

fn in_order<'a>(what: &'static str, mut ids: impl Iterator<Item = &'a str>) -> Result<(), ListError> {
    let mut before = ids.next();
    if before == Some("") {
        return Err(ListError::Order {
            what,
            id: String::new(),
        });
    }
    for id in ids {
        if before >= Some(id) {
            return Err(ListError::Order {
                what,
                id: id.to_owned(),
            });
        }
        before = Some(id);
    }
    Ok(())
}

impl Place {
    fn check(&self) -> Result<(), ListError> {
        let wrong = |why: String| ListError::Place {
            place: self.id.clone(),
            why,
        };
        if self.seats.is_empty() {
            return Err(wrong("it has no seats; name at least one class".to_owned()));
        }
        for (class, seats) in &self.seats {
            if seats.capacity > MOST_SEATS {
                return Err(wrong(format!("class `{class}` has more than {MOST_SEATS} seats")));
            }
            if seats.reserved > seats.capacity {
                return Err(wrong(format!(
                    "class `{class}` reserves {} of {} seats; reserve no more than there are",
                    seats.reserved, seats.capacity
                )));
            }
        }
        Ok(())
    }
}

impl Ticket {
    fn check(&self, places: &BTreeMap<&str, &Place>) -> Result<(), ListError> {
        let wrong = |why: String| ListError::Ticket {
            ticket: self.id.clone(),
            why,
        };
        if !(1..=MOST_WEIGHT).contains(&self.weight) {
            return Err(wrong(format!(
                "its weight is {}; it must be 1 to {MOST_WEIGHT}",
                self.weight
            )));
        }
        if self.needs.is_empty() || self.needs.values().any(|seats| !(1..=MOST_SEATS).contains(seats)) {
            return Err(wrong("it needs no seat; say how many of which class".to_owned()));
        }
        if self.choices.is_empty() || self.choices.len() > MOST_CHOICES {
            return Err(wrong(format!(
                "it has {} choices; 1 to {MOST_CHOICES} are possible",
                self.choices.len()
            )));
        }
        let mut seen = BTreeSet::new();
        for choice in &self.choices {
            let Some(place) = places.get(choice.as_str()) else {
                return Err(wrong(format!("its choice `{choice}` is no place of the list")));
            };
            if !seen.insert(choice) {
                return Err(wrong(format!("its choice `{choice}` stands there twice")));
            }
            if let Some(class) = self.needs.keys().find(|class| !place.seats.contains_key(*class)) {
                return Err(wrong(format!("its choice `{choice}` has no class `{class}`")));
            }
        }
        match self.priority_at.keys().find(|place| !seen.contains(place)) {
            Some(place) => Err(wrong(format!(
                "it has a group of its own at `{place}`, which it does not choose"
            ))),
            None => Ok(()),
        }
    }
}
