//! The city as a whole: which family stands where. No resident is kept; each family is made again from the seed when it
//! is asked for, so that the city needs four bytes for a family.

use std::path::Path;

use civic::NationalId;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::CityError;
use super::family::{Builder, Family, Person};
use super::identity;
use super::marginals::figures;
use super::stories::Story;

/// The city's name as registers write it.
pub const NAME: &str = "臺中市";
/// Its code in the parameters of the rules.
pub const REGION: &str = "taichung";
/// Residents it may have.
pub const SIZES: std::ops::RangeInclusive<usize> = 200..=2_700_000;
/// Names the city and what it was made from, inside its folder.
const FILE: &str = "city.toml";
/// First residents of the families, four bytes each, lowest byte first.
const FAMILIES: &str = "families.bin";
/// Changes when the same seed makes another city.
const EDITION: u32 = 1;

/// A demonstration city (示範城市).
#[derive(Debug)]
pub struct City {
    seed: u64,
    today: Date,
    /// The first resident of each family, and behind the last one the number of residents.
    starts: Vec<u32>,
    /// Which try made the family of each story.
    tries: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CityFile {
    edition: u32,
    seed: u64,
    residents: u32,
    today: Date,
    tries: Vec<u32>,
}

/// Makes the city of a seed: the same one on every machine, for one day.
///
/// # Errors
/// [`CityError::Size`] outside of [`SIZES`].
pub fn generate(residents: usize, seed: u64, today: Date) -> Result<City, CityError> {
    let size = u32::try_from(residents)
        .ok()
        .filter(|_| SIZES.contains(&residents))
        .ok_or(CityError::Size { asked: residents })?;
    let builder = Builder {
        figures: figures()?,
        today,
    };
    let mut city = City {
        seed,
        today,
        starts: vec![0],
        tries: Vec::new(),
    };
    for story in Story::ALL {
        let found = (0..Story::TRIES).find(|one| story.fits(&builder.family(seed, story.stream(*one)), today));
        city.tries.push(found.ok_or(CityError::Story(story.word()))?);
    }
    let mut next = 0;
    while next < size {
        let family = builder.family(seed, city.stream(city.families()));
        next = size.min(next + u32::try_from(family.persons.len()).unwrap_or(1).max(1));
        city.starts.push(next);
    }
    Ok(city)
}

impl City {
    /// Opens a city that was saved before.
    ///
    /// # Errors
    /// [`CityError::File`] where a file is missing or damaged; [`CityError::Edition`] when it was made by another edition.
    pub fn open(folder: &Path) -> Result<Self, CityError> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| CityError::file(&path, &error))?;
        let file: CityFile = toml::from_str(&text).map_err(|error| CityError::file(&path, &error.message()))?;
        if file.edition != EDITION {
            return Err(CityError::Edition);
        }
        let path = folder.join(FAMILIES);
        let bytes = std::fs::read(&path).map_err(|error| CityError::file(&path, &error))?;
        let starts: Vec<u32> = bytes
            .chunks_exact(4)
            .filter_map(|four| four.try_into().ok().map(u32::from_le_bytes))
            .collect();
        let sound = starts.first() == Some(&0)
            && starts.last() == Some(&file.residents)
            && starts.windows(2).all(|pair| pair[0] < pair[1])
            && bytes.len().is_multiple_of(4)
            && file.tries.len() == Story::ALL.len();
        if !sound {
            return Err(CityError::file(&path, &"it does not belong to this city"));
        }
        figures()?;
        Ok(Self {
            seed: file.seed,
            today: file.today,
            starts,
            tries: file.tries,
        })
    }

    /// Saves what is needed to open the city again: its seed and where each family begins.
    ///
    /// # Errors
    /// [`CityError::File`].
    pub fn save(&self, folder: &Path) -> Result<(), CityError> {
        std::fs::create_dir_all(folder).map_err(|error| CityError::file(folder, &error))?;
        let bytes: Vec<u8> = self.starts.iter().flat_map(|start| start.to_le_bytes()).collect();
        let path = folder.join(FAMILIES);
        std::fs::write(&path, bytes).map_err(|error| CityError::file(&path, &error))?;
        let file = CityFile {
            edition: EDITION,
            seed: self.seed,
            residents: self.size(),
            today: self.today,
            tries: self.tries.clone(),
        };
        let path = folder.join(FILE);
        let text = toml::to_string(&file).map_err(|error| CityError::file(&path, &error))?;
        std::fs::write(&path, text).map_err(|error| CityError::file(&path, &error))
    }

    fn size(&self) -> u32 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Number of residents.
    #[must_use]
    pub fn residents(&self) -> usize {
        usize::try_from(self.size()).unwrap_or(0)
    }

    /// Number of families.
    #[must_use]
    pub fn families(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn stream(&self, family: usize) -> u64 {
        match (Story::ALL.get(family), self.tries.get(family)) {
            (Some(story), Some(found)) => story.stream(*found),
            _ => u64::try_from(family).unwrap_or(u64::MAX),
        }
    }

    /// The seed, and the stream that a family is drawn from.
    pub(super) fn drawn_from(&self, family: usize) -> (u64, u64) {
        (self.seed, self.stream(family))
    }

    /// The day of which the city is true.
    pub(super) const fn day(&self) -> Date {
        self.today
    }

    /// A family with the place of its first person.
    pub(super) fn family(&self, family: usize) -> Option<(Family, u32)> {
        let (from, to) = (*self.starts.get(family)?, *self.starts.get(family + 1)?);
        let mut made = Builder {
            figures: figures().ok()?,
            today: self.today,
        }
        .family(self.seed, self.stream(family));
        made.persons.truncate(usize::try_from(to - from).ok()?);
        Some((made, from))
    }

    /// The family of a resident, and which of its persons it is.
    pub(super) fn resident(&self, national_id: &str) -> Option<Resident> {
        let id = NationalId::parse(national_id).ok()?;
        let (place, woman) = identity::place(&id)?;
        if place >= self.size() {
            return None;
        }
        let number = self.starts.partition_point(|start| *start <= place).checked_sub(1)?;
        let (family, from) = self.family(number)?;
        let index = usize::try_from(place - from).ok()?;
        (family.persons.get(index)?.woman == woman).then_some(Resident {
            number,
            family,
            from,
            index,
        })
    }

    /// The head of a family, as a resident.
    pub(super) fn head(&self, number: usize) -> Option<Resident> {
        let (family, from) = self.family(number)?;
        Some(Resident {
            number,
            family,
            from,
            index: 0,
        })
    }
}

impl City {
    /// What the agencies say of a resident, in the shape that `datasets/mydata` reads; none for somebody who does not
    /// live here, and for a set that holds nothing about them.
    #[must_use]
    pub fn data_set(&self, national_id: &str, resource: &str) -> Option<serde_json::Value> {
        let resident = self.resident(national_id)?;
        let without_income =
            Story::ALL.get(resident.number) == Some(&Story::MissingSet) && resource == "API.IncomeYr01";
        if without_income {
            None
        } else {
            super::sets::data_set(&resident, resource, self.today)
        }
    }
}

/// One resident within the family.
pub(super) struct Resident {
    /// Place of the family in the city.
    pub number: usize,
    pub family: Family,
    /// Place of the family's first person in the city.
    pub from: u32,
    /// Place of this person in the family.
    pub index: usize,
}

impl Resident {
    pub fn person(&self) -> Option<&Person> {
        self.family.persons.get(self.index)
    }

    /// The id of a person of the family.
    pub fn id_of(&self, index: usize) -> Option<NationalId> {
        let person = self.family.persons.get(index)?;
        identity::national_id(self.from + u32::try_from(index).ok()?, person.woman)
    }
}
