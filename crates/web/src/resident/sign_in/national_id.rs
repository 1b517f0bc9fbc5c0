//! The field for the national id, which sign-in by phone and by card both begin with.

use crate::components::{Control, ErrorSummary, Field, Typed};
use crate::texts::Words;

const NAME: &str = "national_id";

/// The field, with what was typed.
pub(super) fn field(words: Words, typed: &str) -> Field {
    let control = Control::Input(Typed {
        value: typed.to_owned(),
        autocomplete: "off",
        width: 20,
        ..Typed::default()
    });
    Field {
        hint: Some(words.t("identity-national-id-hint")),
        ..Field::new(words, NAME, words.t("identity-national-id"), control)
    }
}

/// What went wrong, leading to the field.
pub(super) fn wrong(words: Words, text: String) -> ErrorSummary {
    ErrorSummary {
        words,
        errors: vec![(NAME.to_owned(), text)],
    }
}
