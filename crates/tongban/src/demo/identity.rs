//! Names, addresses and national ids that nobody real has.

use civic::NationalId;

use super::draw::Draw;
use super::marginals::{Characters, Figures};

/// The letter of the invented ids. It stood for 陽明山管理局 and was given out until 1974 only.
const LETTER: char = 'Y';
/// The digits 6 to 9 after the sex came into use decades later, for people registered after naturalisation or from Hong
/// Kong, Macao and the mainland. Together with the letter they make numbers that nobody was ever given.
const FIRST: u32 = 6_000_000;
/// How many numbers there are for each sex.
pub(super) const MOST: u32 = 4_000_000;
/// A number without common factor with `MOST`: neighbours in the city have no neighbouring numbers.
const STEP: u64 = 1_618_033;
/// Its inverse: `STEP * BACK` leaves 1 on division by `MOST`.
const BACK: u64 = inverse(STEP, MOST as u64);

const fn inverse(of: u64, modulus: u64) -> u64 {
    let (mut a, mut b, mut x, mut y) = (of as i64, modulus as i64, 1_i64, 0_i64);
    while b != 0 {
        let quotient = a / b;
        (a, b) = (b, a - quotient * b);
        (x, y) = (y, x - quotient * y);
    }
    x.rem_euclid(modulus as i64) as u64
}

/// The id of the resident at a place in the city.
pub(super) fn national_id(place: u32, woman: bool) -> Option<NationalId> {
    let serial = u64::from(place) * STEP % u64::from(MOST);
    NationalId::compose(
        LETTER,
        if woman { '2' } else { '1' },
        FIRST + u32::try_from(serial).ok()?,
    )
    .ok()
}

/// The place in the city, and whether it is a woman's, that an id was made from.
pub(super) fn place(id: &NationalId) -> Option<(u32, bool)> {
    let text = id.reveal();
    let woman = match (text.chars().next()?, text.chars().nth(1)?) {
        (LETTER, '1') => false,
        (LETTER, '2') => true,
        _ => return None,
    };
    let serial = text.get(2..9)?.parse::<u32>().ok()?.checked_sub(FIRST)?;
    let place = u64::from(serial) * BACK % u64::from(MOST);
    Some((u32::try_from(place).ok()?, woman))
}

/// A name: surname and two characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(pub char, pub char, pub char);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}{}", self.0, self.1, self.2)
    }
}

/// A surname by its frequency.
pub(super) fn surname(figures: &Figures, draw: &mut Draw) -> char {
    let surnames = &figures.names.surnames;
    let place = draw.weighted(surnames.iter().map(|(_, weight)| *weight));
    surnames.get(place).map_or('陳', |(name, _)| *name)
}

/// A given name as it was usual in the year of birth.
pub(super) fn name(figures: &Figures, surname: char, woman: bool, year: i16, draw: &mut Draw) -> Name {
    let names = &figures.names;
    let of: &Characters = match year {
        ..1960 => &names.older,
        1960..1990 => &names.middle,
        _ => &names.younger,
    };
    let (first, second) = if woman {
        (&of.women_first, &of.women_second)
    } else {
        (&of.men_first, &of.men_second)
    };
    let (first, second) = (
        draw.one(first).copied().unwrap_or('明'),
        draw.one(second).copied().unwrap_or('安'),
    );
    Name(surname, first, second)
}

/// Where a dwelling stands.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Home {
    /// Place of the village in the list.
    pub village: usize,
    pub neighbourhood: u64,
    pub road: usize,
    pub number: u64,
    pub floor: u64,
}

/// A dwelling in a village, weighed by its residents.
pub(super) fn home(figures: &Figures, draw: &mut Draw) -> Home {
    let all = figures.villages.last().map_or(1, |village| village.up_to);
    let at = draw.below(all);
    let village = figures.villages.partition_point(|village| village.up_to <= at);
    let road = usize::try_from(draw.below(u64::try_from(figures.names.roads.len()).unwrap_or(1))).unwrap_or(0);
    Home {
        village,
        neighbourhood: 1 + draw.below(30),
        road,
        number: 1 + draw.below(399),
        floor: draw.below(13),
    }
}

impl Home {
    /// District, village and full address.
    pub fn written(&self, figures: &Figures, city: &str) -> (&'static str, &'static str, String) {
        let (district, village) = figures
            .villages
            .get(self.village)
            .map_or(("中區", "大墩里"), |village| (village.district, village.name));
        let road = figures.names.roads.get(self.road).map_or("中山路", String::as_str);
        let floor = if self.floor > 1 {
            format!("{}樓", self.floor)
        } else {
            String::new()
        };
        let address = format!(
            "{city}{district}{village}{}鄰{road}{}號{floor}",
            self.neighbourhood, self.number
        );
        (district, village, address)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{MOST, national_id, place};

    #[test]
    fn an_id_leads_back_to_its_place() {
        for at in [0, 1, 2, 99_999, 2_699_999, MOST - 1] {
            for woman in [false, true] {
                let id = national_id(at, woman).unwrap();
                assert_eq!(place(&id), Some((at, woman)));
            }
        }
    }

    #[test]
    fn ids_are_of_the_range_that_was_never_given_out() {
        for at in 0..2_000 {
            let id = national_id(at, at % 2 == 0).unwrap();
            assert!(id.reveal().starts_with('Y'));
            assert!(matches!(id.reveal().as_bytes()[2], b'6'..=b'9'));
        }
    }

    #[test]
    fn another_range_has_no_place() {
        assert_eq!(place(&civic::NationalId::parse("A123456789").unwrap()), None);
        let low = civic::NationalId::compose('Y', '1', 1_234_567).unwrap();
        assert_eq!(place(&low), None);
    }
}
