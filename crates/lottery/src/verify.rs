//! Whether a published draw is what its list and seed make it.

use crate::draw::{Draw, FORMAT, PlaceResult, results};
use crate::order::order;
use crate::place::place;
use std::collections::BTreeMap;
use std::fmt;

/// How many differing tickets are named one by one.
const MOST_NAMED: usize = 100;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The file is of another kind.
    Format(String),
    /// The list is not sound, so nothing could have been drawn from it.
    List(String),
    /// The list is not the one whose digest was published.
    Digest {
        /// As published.
        published: String,
        /// Of the list in the file.
        found: String,
    },
    /// List and earlier publication differ in this.
    Changed(String),
    /// There is no seed or no result yet.
    NotDrawn,
    /// A ticket has another place than list and seed give it.
    Placed {
        /// Which ticket.
        ticket: String,
        /// In the file.
        published: Option<String>,
        /// Recomputed.
        right: Option<String>,
    },
    /// The waiting list or the order of a place differs.
    Order {
        /// Which place.
        place: String,
    },
    /// So many more tickets differ.
    More(usize),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Format(found) => write!(f, "the file is of format `{found}`; this program verifies `{FORMAT}`"),
            Finding::List(why) => write!(f, "nothing can be drawn from this list: {why}"),
            Finding::Digest { published, found } => write!(
                f,
                "the list was changed after it was sealed: its digest is {found}, published was {published}"
            ),
            Finding::Changed(what) => write!(f, "differs from the sealed list that was published before: {what}"),
            Finding::NotDrawn => write!(
                f,
                "there is no seed or no result in the file; verify it again after the draw"
            ),
            Finding::Placed {
                ticket,
                published,
                right,
            } => {
                let named = |place: &Option<String>| place.clone().unwrap_or_else(|| "no place".to_owned());
                write!(
                    f,
                    "ticket {ticket}: the file says {}, list and seed give {}",
                    named(published),
                    named(right)
                )
            }
            Finding::Order { place } => write!(f, "place {place}: the order of its tickets is not the drawn one"),
            Finding::More(count) => write!(f, "{count} more tickets differ"),
        }
    }
}

/// Recomputes a draw from its file. With `before`, the file published before the draw, tells also what was changed
/// since. No finding means: it holds.
#[must_use]
pub fn verify(draw: &Draw, before: Option<&Draw>) -> Vec<Finding> {
    if draw.format != FORMAT {
        return vec![Finding::Format(draw.format.clone())];
    }
    let mut findings = before.map_or_else(Vec::new, |before| changes(draw, before));
    let found = match draw.list.digest() {
        Ok(found) => found,
        Err(error) => {
            findings.push(Finding::List(error.to_string()));
            return findings;
        }
    };
    if found != draw.list_digest {
        let published = draw.list_digest.clone();
        findings.push(Finding::Digest { published, found });
    }
    let (Some(seed), Some(published)) = (&draw.seed, &draw.result) else {
        findings.push(Finding::NotDrawn);
        return findings;
    };
    match order(&draw.list, &seed.value) {
        Ok(order) => {
            let right = results(&draw.list, &order, &place(&draw.list, &order));
            compare(published, &right, &mut findings);
        }
        Err(error) => findings.push(Finding::List(error.to_string())),
    }
    findings
}

fn compare(published: &[PlaceResult], right: &[PlaceResult], findings: &mut Vec<Finding>) {
    let by_ticket = |results: &[PlaceResult]| -> BTreeMap<String, String> {
        let pairs = results.iter().flat_map(|result| {
            result
                .placed
                .iter()
                .map(|ticket| (ticket.clone(), result.place.clone()))
        });
        pairs.collect()
    };
    let (told, rights) = (by_ticket(published), by_ticket(right));
    let mut differing = 0;
    for ticket in told
        .keys()
        .chain(rights.keys().filter(|ticket| !told.contains_key(*ticket)))
    {
        if told.get(ticket) != rights.get(ticket) {
            differing += 1;
            if differing <= MOST_NAMED {
                findings.push(Finding::Placed {
                    ticket: ticket.clone(),
                    published: told.get(ticket).cloned(),
                    right: rights.get(ticket).cloned(),
                });
            }
        }
    }
    if differing > MOST_NAMED {
        findings.push(Finding::More(differing - MOST_NAMED));
    }
    let places: BTreeMap<&str, &PlaceResult> = right.iter().map(|result| (result.place.as_str(), result)).collect();
    let same_places = published.len() == right.len()
        && published
            .iter()
            .zip(right)
            .all(|(told, right)| told.place == right.place);
    if !same_places {
        findings.push(Finding::Changed(
            "the places of the result are not those of the list".to_owned(),
        ));
    }
    for result in published {
        if places.get(result.place.as_str()).is_some_and(|right| *right != result) {
            findings.push(Finding::Order {
                place: result.place.clone(),
            });
        }
    }
}

fn changes(draw: &Draw, before: &Draw) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |what: String| findings.push(Finding::Changed(what));
    if draw.list.round != before.list.round {
        say("the name of the round".to_owned());
    }
    if draw.list.seed_rule != before.list.seed_rule {
        say("the rule for the seed".to_owned());
    }
    if draw.list.places != before.list.places {
        say("the places or their seats".to_owned());
    }
    let old: BTreeMap<&str, _> = before
        .list
        .tickets
        .iter()
        .map(|ticket| (ticket.id.as_str(), ticket))
        .collect();
    let new: BTreeMap<&str, _> = draw
        .list
        .tickets
        .iter()
        .map(|ticket| (ticket.id.as_str(), ticket))
        .collect();
    for (id, ticket) in &new {
        match old.get(id) {
            None => say(format!("ticket {id} was not there")),
            Some(was) if was != ticket => say(format!("ticket {id} was another")),
            Some(_) => {}
        }
    }
    for id in old.keys().filter(|id| !new.contains_key(*id)) {
        say(format!("ticket {id} is missing"));
    }
    if findings.is_empty() && draw.list != before.list {
        findings.push(Finding::Changed("the order in which the tickets stand".to_owned()));
    }
    findings
}
