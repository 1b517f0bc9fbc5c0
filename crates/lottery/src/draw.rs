//! The draw as a file: list, seed and result.

use crate::list::{ListError, SealedList};
use crate::order::{Order, order};
use crate::place::{Held, place};
use serde::{Deserialize, Serialize};

/// Everything that is published of a draw (抽籤結果). Before the draw `seed` and `result` are not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The way of drawing: `tongban-draw-1`.
    pub format: String,
    /// What was sealed.
    pub list: SealedList,
    /// SHA-256 of the list, as published with it.
    pub list_digest: String,
    /// The seed, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// Who got what, place by place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Vec<PlaceResult>>,
}

/// The public value nobody could know when the list was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Exactly as it was announced.
    pub value: String,
}

/// One place after the draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceResult {
    /// The place.
    pub place: String,
    /// Tickets with a seat (正取), the first first.
    pub placed: Vec<String>,
    /// Tickets that want this place more than what they got (備取), the first first.
    pub waiting: Vec<String>,
}

/// The name of this way of drawing.
pub(crate) const FORMAT: &str = "tongban-draw-1";

impl Draw {
    /// What is published before the draw. Puts tickets and places in order.
    ///
    /// # Errors
    /// Where the list is not sound.
    pub fn seal(mut list: SealedList) -> Result<Draw, ListError> {
        list.sort();
        let list_digest = list.digest()?;
        Ok(Draw {
            format: FORMAT.to_owned(),
            list,
            list_digest,
            seed: None,
            result: None,
        })
    }
}

/// Draws from a sealed list.
///
/// # Errors
/// Where the list is not sound or the seed is empty.
pub fn draw(list: SealedList, seed: &str) -> Result<Draw, ListError> {
    let mut draw = Draw::seal(list)?;
    let order = order(&draw.list, seed)?;
    let held = place(&draw.list, &order);
    draw.result = Some(results(&draw.list, &order, &held));
    draw.seed = Some(Seed { value: seed.to_owned() });
    Ok(draw)
}

/// Who has and who waits for each place, by what every ticket holds.
pub(crate) fn results(list: &SealedList, order: &Order, held: &Held) -> Vec<PlaceResult> {
    let mut of: std::collections::BTreeMap<&str, (Vec<usize>, Vec<usize>)> = list
        .places
        .iter()
        .map(|place| (place.id.as_str(), Default::default()))
        .collect();
    for (number, ticket) in list.tickets.iter().enumerate() {
        let has = held.0.get(number).copied().flatten();
        for (choice, place) in ticket.choices.iter().enumerate() {
            let Some((placed, waiting)) = of.get_mut(place.as_str()) else {
                continue;
            };
            match has {
                Some(has) if has == choice => placed.push(number),
                Some(has) if has < choice => {}
                _ => waiting.push(number),
            }
        }
    }
    let named = |mut numbers: Vec<usize>, place: &str| {
        numbers.sort_unstable_by_key(|number| list.tickets.get(*number).map(|ticket| order.at(ticket, *number, place)));
        let ids = numbers
            .iter()
            .filter_map(|number| list.tickets.get(*number))
            .map(|ticket| ticket.id.clone());
        ids.collect()
    };
    of.into_iter()
        .map(|(place, (placed, waiting))| PlaceResult {
            place: place.to_owned(),
            placed: named(placed, place),
            waiting: named(waiting, place),
        })
        .collect()
}
