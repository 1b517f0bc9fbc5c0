use crate::SubsidyError;

/// A text that somebody typed, without the blanks around it: at most `most` characters, and not empty.
///
/// # Errors
/// [`SubsidyError::Input`].
pub(crate) fn needed(field: &'static str, text: &str, most: usize) -> Result<String, SubsidyError> {
    let text = optional(field, text, most)?;
    match text.is_empty() {
        true => Err(SubsidyError::input(field, "empty")),
        false => Ok(text),
    }
}

/// As [`needed`], but it may be empty.
///
/// # Errors
/// [`SubsidyError::Input`].
pub(crate) fn optional(field: &'static str, text: &str, most: usize) -> Result<String, SubsidyError> {
    let text = text.trim();
    match text.chars().count() > most {
        true => Err(SubsidyError::input(field, "too_long")),
        false => Ok(text.to_owned()),
    }
}
