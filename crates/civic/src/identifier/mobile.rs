use super::IdError;
use crate::fold_width;
use std::fmt;

/// Mobile telephone number of Taiwan: ten digits from `09`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MobileNumber(String);

impl MobileNumber {
    /// Reads a number as typed: hyphens, spaces, brackets and the country code `+886` are put right.
    ///
    /// # Errors
    /// [`IdError`] when what remains is not ten digits from `09`.
    pub fn parse(text: &str) -> Result<MobileNumber, IdError> {
        let text: String = fold_width(text)
            .chars()
            .filter(|c| !matches!(c, '-' | ' ' | '(' | ')'))
            .collect();
        let text = match text.strip_prefix("+886").or_else(|| text.strip_prefix("886")) {
            Some(rest) if rest.starts_with('9') => format!("0{rest}"),
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let found = text.chars().count();
        if found != 10 {
            return Err(IdError::Length { expected: "10", found });
        }
        let wrong = text.chars().enumerate().find(|(place, c)| match place {
            0 => *c != '0',
            1 => *c != '9',
            _ => !c.is_ascii_digit(),
        });
        if let Some((place, _)) = wrong {
            return Err(IdError::Character {
                place: place + 1,
                example: "0912345678",
            });
        }
        Ok(MobileNumber(text))
    }

    /// The ten digits.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The number with its middle hidden: `0912***678`.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("{}***{}", &self.0[..4], &self.0[7..])
    }
}

impl fmt::Debug for MobileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MobileNumber({})", self.masked())
    }
}

impl fmt::Display for MobileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
