//! What the household registration and the house tax records say of a family beyond what an application asks: since when
//! somebody is registered in the city, whether a death is registered, indigenous status, and the house.
//!
//! It is drawn from a stream of its own, so that everything else of the city stays the same.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::draw::Draw;
use super::family::{Family, Person, Relation, Role};
use super::marginals::{Figures, Register};

/// The entries of one resident.
pub(super) struct Entry {
    /// Since when registered in the city.
    pub registered_since: Date,
    pub alive: bool,
    pub indigenous: bool,
    /// Houses of the person, the spouse and minor children in the whole country.
    pub houses_owned: i64,
    /// Whether the person owns the house of the record.
    pub owner: bool,
    pub self_used: bool,
    /// In ten-thousandths; 0 of who owns none.
    pub share: i64,
}

/// The stream of a family's entries, apart from all those of families.
const fn stream(family: u64) -> u64 {
    (1 << 63) | family
}

/// The entries of a family, in the order of its persons. `family_stream` is the stream that the family was made from.
pub(super) fn of(figures: &Figures, family: &Family, seed: u64, family_stream: u64, today: Date) -> Vec<Entry> {
    let draw = &mut Draw::new(seed, stream(family_stream));
    let marginals = &figures.marginals.register;
    let indigenous = draw.chance(marginals.indigenous);
    let moved_in = |draw: &mut Draw| {
        let born_here = draw.chance(marginals.since_birth);
        let ago = draw.value(&marginals.days_since_move);
        (!born_here).then(|| today.saturating_sub(ago.days()))
    };
    let head_since = moved_in(draw);
    let mut own_houses = Vec::with_capacity(family.persons.len());
    let mut entries = Vec::with_capacity(family.persons.len());
    for person in &family.persons {
        // the same draws for everybody, whatever comes of them
        let own_since = moved_in(draw);
        let indigenous_by_birth = draw.chance(marginals.indigenous);
        let dead = draw.below(1000) < deaths(marginals, person.age);
        let further = draw.weighted(marginals.further_houses.iter().copied());
        let share = shares(marginals, draw);
        let lived_in = draw.chance(marginals.lived_in);
        // the young came with the family
        let since = if person.age < 20 || person.role == Role::Head {
            head_since
        } else {
            own_since
        };
        let married_in = matches!(person.role, Role::Spouse | Role::ChildSpouse(_));
        let owner = person.facts.house > 0;
        let houses = if owner {
            1 + i64::try_from(further).unwrap_or(0)
        } else {
            0
        };
        own_houses.push(houses);
        entries.push(Entry {
            registered_since: since.map_or(person.birth, |since| since.max(person.birth)),
            alive: !dead,
            indigenous: if married_in { indigenous_by_birth } else { indigenous },
            houses_owned: houses,
            owner,
            // who lets the only house lives elsewhere
            self_used: owner && lived_in && (person.facts.rent == 0 || houses > 1),
            share: if owner { share } else { 0 },
        });
    }
    for (entry, person) in entries.iter_mut().zip(&family.persons) {
        let counted = family.persons.iter().zip(&own_houses);
        entry.houses_owned = counted
            .filter(|(other, _)| is_counted(family, person, other))
            .map(|(_, houses)| houses)
            .sum();
    }
    entries
}

/// Whether the houses of `other` count as those of `person`: the spouse's and minor children's do (房屋稅條例 §5 I (1) 1).
fn is_counted(family: &Family, person: &Person, other: &Person) -> bool {
    match family.relation(person, other) {
        Relation::Own | Relation::Spouse => true,
        Relation::Child => other.age < 18,
        _ => false,
    }
}

/// Thousandths of an age whose death was registered in the last month.
fn deaths(marginals: &Register, age: i16) -> u64 {
    let found = marginals.deaths.iter().find(|(up_to, _)| age <= *up_to);
    found.map_or(0, |(_, share)| *share)
}

fn shares(marginals: &Register, draw: &mut Draw) -> i64 {
    let place = draw.weighted(marginals.shares.iter().map(|(_, weight)| *weight));
    marginals.shares.get(place).map_or(10_000, |(share, _)| *share)
}
