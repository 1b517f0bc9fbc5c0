use super::IdError;
use crate::fold_width;
use std::fmt;

/// Number plate of a vehicle (車牌號碼): two groups of letters and digits, one of them digits alone, in one of the forms that were
/// given out, such as `ABC-1235`, `1235-AB`, `AB-1235`, `ABC-123`, `2A-1235`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlateNumber(String);

const EXAMPLE: &str = "ABC-1235";
const LENGTHS: &str = "4 to 7";

/// The forms that are on the road: `A` is a letter, `9` a digit, `X` a letter or a digit where the group holds a letter.
///
/// Source: the numbering of the Highway Bureau (公路局), formerly the Directorate General of Highways (公路總局), as it was made
/// public; first letters and the older short forms are to be verified with the bureau. The series since 2012 gives out no I, no O
/// and no 4. That is not asked of a plate here: a plate is read to be compared with what a register says, and what is on the road
/// was given out under more than one rule.
const FORMS: [&str; 10] = [
    "AAA-9999", // all since December 2012: E… electric, R… rented out, W… of persons with disabilities
    "AA-99999", // micro electric two-wheelers (微型電動二輪車) since November 2022
    "XX-9999",  // cars of before
    "9999-XX",  // cars of before
    "XXX-999",  // motorcycles of before, commercial vehicles
    "999-XXX",  // motorcycles of before
    "XX-999",   // lorries and coaches of before
    "999-XX",   // lorries and coaches of before
    "XX-99",    // trailers and special vehicles of before
    "99-XX",    // trailers and special vehicles of before
];

/// Whether a group is written as a form says.
fn is_group(form: &str, text: &str) -> bool {
    let fits = |(form, c): (u8, u8)| match form {
        b'A' => c.is_ascii_uppercase(),
        b'9' => c.is_ascii_digit(),
        _ => c.is_ascii_uppercase() || c.is_ascii_digit(),
    };
    let holds_letter = || text.bytes().any(|c| c.is_ascii_uppercase());
    form.len() == text.len() && form.bytes().zip(text.bytes()).all(fits) && (!form.contains('X') || holds_letter())
}

/// Whether the two groups make a plate.
fn fits(left: &str, right: &str) -> bool {
    FORMS
        .iter()
        .filter_map(|form| form.split_once('-'))
        .any(|form| is_group(form.0, left) && is_group(form.1, right))
}

/// What stands between the groups: hyphens, dashes and spaces as keyboards write them.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}')
}

impl PlateNumber {
    /// Reads a plate as typed or as a bill prints it: without the hyphen or with spaces around it, in small or full-width letters.
    ///
    /// # Errors
    /// [`IdError`] when it can't be a plate.
    pub fn parse(text: &str) -> Result<PlateNumber, IdError> {
        let text = fold_width(text).to_uppercase();
        let wrong = |place: usize| IdError::Character {
            place: place + 1,
            example: EXAMPLE,
        };
        if let Some(place) = text
            .chars()
            .position(|c| !(c.is_ascii_uppercase() || c.is_ascii_digit() || is_separator(c)))
        {
            return Err(wrong(place));
        }
        let groups: Vec<&str> = text.split(is_separator).filter(|group| !group.is_empty()).collect();
        let length = IdError::Length {
            expected: LENGTHS,
            found: groups.iter().map(|group| group.len()).sum(),
        };
        let whole = match groups.as_slice() {
            [left, right] if fits(left, right) => return Ok(PlateNumber(format!("{left}-{right}"))),
            [whole] => *whole,
            [_, _] | [] => return Err(length),
            // the last group is one too many
            _ => return Err(wrong(text.chars().count().saturating_sub(1))),
        };
        // Without a hyphen the break is where digits begin or end; where both groups could hold a letter the longer
        // run of digits is one group.
        (2..=4)
            .filter_map(|at| whole.split_at_checked(at))
            .filter(|(left, right)| fits(left, right))
            .max_by_key(|(left, right)| {
                [left, right]
                    .iter()
                    .filter(|group| group.bytes().all(|byte| byte.is_ascii_digit()))
                    .map(|group| group.len())
                    .max()
            })
            .map(|(left, right)| PlateNumber(format!("{left}-{right}")))
            .ok_or(length)
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
