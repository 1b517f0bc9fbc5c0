use super::IdError;
use crate::fold_width;
use std::fmt;

/// Number plate of a vehicle (車牌號碼): two groups of two to four letters and digits, one of them digits alone, such as
/// `ABC-1234`, `1234-AB`, `AB-1234`, `ABC-123`, `2A-1234`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlateNumber(String);

const EXAMPLE: &str = "ABC-1234";

/// Whether the two groups make a plate.
fn fits(left: &str, right: &str) -> bool {
    let length = |group: &str| (2..=4).contains(&group.len());
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    length(left) && length(right) && (4..=7).contains(&(left.len() + right.len())) && (digits(left) != digits(right))
}

impl PlateNumber {
    /// Reads a plate as typed or as a bill prints it: without the hyphen, in small or full-width letters.
    ///
    /// # Errors
    /// [`IdError`] when it can't be a plate.
    pub fn parse(text: &str) -> Result<PlateNumber, IdError> {
        let text: String = fold_width(text).to_uppercase().replace(['－', '–', '—', ' '], "-");
        if let Some(place) = text
            .chars()
            .position(|c| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'))
        {
            return Err(IdError::Character {
                place: place + 1,
                example: EXAMPLE,
            });
        }
        if let Some((left, right)) = text.split_once('-') {
            return if fits(left, right) {
                Ok(PlateNumber(text))
            } else {
                Err(IdError::Length {
                    expected: "4 to 7",
                    found: text.len() - 1,
                })
            };
        }
        // Without a hyphen the break is where digits begin or end; where both groups could hold a letter the longer
        // run of digits is one group.
        (2..=4)
            .filter_map(|at| text.split_at_checked(at))
            .filter(|(left, right)| fits(left, right))
            .max_by_key(|(left, right)| {
                [left, right]
                    .iter()
                    .filter(|group| group.bytes().all(|byte| byte.is_ascii_digit()))
                    .map(|group| group.len())
                    .max()
            })
            .map(|(left, right)| PlateNumber(format!("{left}-{right}")))
            .ok_or(IdError::Length {
                expected: "4 to 7",
                found: text.len(),
            })
    }

    /// The plate with its hyphen.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PlateNumber(…{})",
            self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default()
        )
    }
}

impl fmt::Display for PlateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
