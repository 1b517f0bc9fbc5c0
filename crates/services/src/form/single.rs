//! One field by itself, outside the pages of its form: for a question that several services ask.

use civic::{Language, legal_day};
use jiff::Timestamp;
use serde_json::Value;

use super::enter::first_box;
use super::kinds::{Entered, read};
use super::model::Field;
use super::show::field_view;
use super::words::Problem;
use super::{Answer, Answers, FieldError, FieldView, Invalid, Raw, Source};

impl Field {
    /// Reads what was typed under a key.
    ///
    /// # Errors
    /// What is wrong with it, in the language of the page; nothing typed is an error too.
    pub fn enter(&self, key: &str, raw: &Raw, language: Language, now: Timestamp) -> Result<Value, Invalid> {
        let problem = match read(&self.kind, &Entered::under(key, raw), legal_day(now)) {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => Problem::Missing,
            Err(problem) => problem,
        };
        Err(Invalid {
            errors: vec![FieldError {
                key: first_box(key, self, &problem),
                message: problem.message(self, language),
            }],
            raw: raw.clone(),
        })
    }

    /// Whether the field could hold this value.
    #[must_use]
    pub fn takes(&self, value: &Value) -> bool {
        crate::mydata::takes(&self.kind, value)
    }

    /// The field as it is shown under a key, with the value that is known, or with what was typed and what was wrong.
    pub fn shown_as<R>(
        &self,
        key: &str,
        known: Option<&Value>,
        invalid: Option<&Invalid>,
        language: Language,
        show: impl FnOnce(&FieldView<'_>) -> R,
    ) -> R {
        let mut answers = Answers::default();
        if let Some(value) = known.filter(|value| self.takes(value)) {
            let answer = Answer {
                value: value.clone(),
                source: Source::Person,
                at: Timestamp::UNIX_EPOCH,
                changed_from: None,
            };
            answers.values.insert(key.to_owned(), answer);
        }
        show(&field_view(key.to_owned(), self, &answers, invalid, language))
    }
}
