use super::IdError;
use crate::fold_width;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NationalIdKind {
    /// National id (國民身分證統一編號): a letter, 1 or 2, eight digits.
    Citizen,
    /// Resident certificate since 2021 (新式外來人口統一證號): a letter, 8 or 9, eight digits.
    Resident,
    /// Resident certificate before 2021 (舊式統一證號): two letters, the second A to D, eight digits.
    OldResident,
}

/// National id or number of a resident certificate (身分證統一編號、統一證號). Shown masked; [`NationalId::reveal`] gives all
/// ten characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NationalId(String);

/// Numbers of the letters A to Z.
const LETTERS: [u32; 26] = [
    10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33,
];

const EXAMPLE: &str = "A123456789";

fn letter(c: char) -> Option<u32> {
    LETTERS
        .get((u32::from(c)).checked_sub(u32::from('A'))? as usize)
        .copied()
}

/// Weighted sum of the ten characters without the check digit, modulo 10; `None` for characters out of place.
fn weighted(characters: &[char]) -> Option<u32> {
    let first = letter(*characters.first()?)?;
    let mut sum = first / 10 + first % 10 * 9;
    for (place, c) in characters.iter().enumerate().take(9).skip(1) {
        let value = match c.to_digit(10) {
            Some(digit) => digit,
            None if place == 1 => letter(*c)? % 10,
            None => return None,
        };
        sum += value * u32::try_from(9 - place).ok()?;
    }
    Some(sum % 10)
}

impl NationalId {
    /// Reads a number as typed: spaces around it, small letters and full-width forms are put right.
    ///
    /// # Errors
    /// [`IdError`] says which character is wrong or that the check digit does not fit.
    pub fn parse(text: &str) -> Result<NationalId, IdError> {
        let text = fold_width(text).to_uppercase();
        let characters: Vec<char> = text.chars().collect();
        if characters.len() != 10 {
            return Err(IdError::Length {
                expected: "10",
                found: characters.len(),
            });
        }
        for (at, c) in characters.iter().enumerate() {
            let fits = match at {
                0 => c.is_ascii_uppercase(),
                1 => matches!(c, '1' | '2' | '8' | '9' | 'A'..='D'),
                _ => c.is_ascii_digit(),
            };
            if !fits {
                return Err(IdError::Character {
                    place: at + 1,
                    example: EXAMPLE,
                });
            }
        }
        let check = characters[9].to_digit(10);
        match (weighted(&characters), check) {
            (Some(sum), Some(check)) if (sum + check).is_multiple_of(10) => Ok(NationalId(text)),
            _ => Err(IdError::Checksum),
        }
    }

    /// A number made of its first letter, its second character and seven digits (`serial` modulo 10⁷), with the check
    /// digit that fits: how a synthetic city names its people.
    ///
    /// # Errors
    /// [`IdError::Character`] when the two characters can't begin a number.
    pub fn compose(first: char, second: char, serial: u32) -> Result<NationalId, IdError> {
        let body = format!("{first}{second}{:07}", serial % 10_000_000);
        let characters: Vec<char> = body.chars().collect();
        let sum = weighted(&characters).ok_or(IdError::Character {
            place: 1,
            example: EXAMPLE,
        })?;
        NationalId::parse(&format!("{body}{}", (10 - sum) % 10))
    }

    /// All ten characters. Only for the register, the protocols and the person's own pages.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The number with its middle hidden: `A1234***89`.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("{}***{}", &self.0[..5], &self.0[8..])
    }

    /// What kind of number it is.
    #[must_use]
    pub fn kind(&self) -> NationalIdKind {
        match self.0.as_bytes().get(1) {
            Some(b'8' | b'9') => NationalIdKind::Resident,
            Some(b'A'..=b'D') => NationalIdKind::OldResident,
            _ => NationalIdKind::Citizen,
        }
    }
}

impl fmt::Debug for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NationalId({})", self.masked())
    }
}

impl fmt::Display for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
