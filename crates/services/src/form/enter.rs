//! A page comes back: what was typed is read, checked and merged, or handed back with a sentence at each field.

use std::collections::BTreeMap;

use civic::{Language, legal_day};
use jiff::Timestamp;
use serde_json::Value;

use super::kinds::{Entered, read};
use super::model::{Field, Form, Place};
use super::words::Problem;
use super::{Answers, FieldKind};

/// The name of the hidden inputs that list the keys a page showed.
///
/// A page may show some of its fields only, and a browser sends nothing for boxes left unticked; without the list all
/// fields of the page count as shown.
pub const SHOWN: &str = "_field";

/// What a browser sent: names and values.
pub type Raw = BTreeMap<String, Vec<String>>;

/// A sentence at one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Key of the field; the error summary links to the input of this name.
    pub key: String,
    /// What to do, in the language of the page.
    pub message: String,
}

/// A page that was not taken. What was typed goes back to the page.
#[derive(Clone)]
pub struct Invalid {
    /// In the order of the page.
    pub errors: Vec<FieldError>,
    /// As typed.
    pub raw: Raw,
}

impl std::fmt::Debug for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invalid")
            .field("errors", &self.errors.len())
            .finish_non_exhaustive()
    }
}

impl Form {
    /// Takes a page. `address` is a page's, as `contact` or `work.p2`; an address the answers don't call for is refused
    /// with no errors. Nothing is kept unless every shown field could be read.
    pub fn validate(
        &self,
        address: &str,
        raw: &Raw,
        answers: &Answers,
        language: Language,
        now: Timestamp,
    ) -> Result<Answers, Invalid> {
        if self.person_group().is_some_and(|group| group.id == address) {
            // the page of the family says only that these are all
            let mut taken = answers.clone();
            taken.answer(address, Some(true.into()), now);
            return Ok(taken);
        }
        let Some(place) = self.place(address, answers) else {
            return Err(Invalid {
                errors: Vec::new(),
                raw: raw.clone(),
            });
        };
        let asked: Vec<(Place<'_>, &Field)> = place.page.fields.iter().map(|field| (place.clone(), field)).collect();
        self.take(asked, raw, answers, language, now)
    }

    /// Takes the dense form of the counter: all pages at once, keys as everywhere.
    pub fn validate_all(
        &self,
        raw: &Raw,
        answers: &Answers,
        language: Language,
        now: Timestamp,
    ) -> Result<Answers, Invalid> {
        let places = self.places(answers);
        let asked = places
            .iter()
            .flat_map(|place| place.page.fields.iter().map(|field| (place.clone(), field)))
            .collect();
        self.take(asked, raw, answers, language, now)
    }

    /// Reads some fields by their keys, as a page shows them to somebody else than the applicant. What is left empty is
    /// left out.
    ///
    /// # Errors
    /// [`Invalid`] with a sentence at each field that could not be read.
    pub fn read_some(
        &self,
        keys: &[String],
        raw: &Raw,
        language: Language,
        now: Timestamp,
    ) -> Result<BTreeMap<String, serde_json::Value>, Invalid> {
        let (mut values, mut errors) = (BTreeMap::new(), Vec::new());
        for key in keys {
            let Some((_, field)) = self.field(key) else { continue };
            match read(&field.kind, &Entered::under(key, raw), legal_day(now)) {
                Ok(Some(value)) => {
                    values.insert(key.clone(), value);
                }
                Ok(None) => {}
                Err(problem) => errors.push(FieldError {
                    key: first_box(key, field, &problem),
                    message: problem.message(field, language),
                }),
            }
        }
        if errors.is_empty() {
            Ok(values)
        } else {
            Err(Invalid {
                errors,
                raw: raw.clone(),
            })
        }
    }

    fn take(
        &self,
        asked: Vec<(Place<'_>, &Field)>,
        raw: &Raw,
        answers: &Answers,
        language: Language,
        now: Timestamp,
    ) -> Result<Answers, Invalid> {
        let shown = raw.get(SHOWN);
        let mut taken = answers.clone();
        let mut entries = Vec::new();
        for (place, field) in asked {
            let key = place.key(field);
            if field.ask == super::Ask::Never || shown.is_some_and(|shown| !shown.contains(&key)) {
                continue;
            }
            let entry = read(&field.kind, &Entered::under(&key, raw), legal_day(now));
            if let Ok(value) = &entry {
                taken.answer(&key, value.clone(), now);
            }
            entries.push((place, field, key, entry));
        }
        let mut errors = Vec::new();
        let asked: Vec<String> = entries.iter().map(|(_, _, key, _)| key.clone()).collect();
        for (place, field, key, entry) in entries {
            // a condition may read an answer of the same page, so it is asked after all were read
            if !self.fields(&place, &taken).iter().any(|one| one.id == field.id) {
                taken.answer(&key, None, now);
                continue;
            }
            let problem = match entry {
                Err(problem) => Some(problem),
                Ok(None) if field.required => Some(Problem::Missing),
                Ok(Some(value)) if self.is_repeated(&key, &value, &taken, &asked) => Some(Problem::Repeated),
                Ok(_) => None,
            };
            errors.extend(problem.map(|problem| FieldError {
                key: first_box(&key, field, &problem),
                message: problem.message(field, language),
            }));
        }
        if errors.is_empty() {
            Ok(taken)
        } else {
            Err(Invalid {
                errors,
                raw: raw.clone(),
            })
        }
    }
}

impl Form {
    /// Whether a choice names what one before it names, or one of another page.
    fn is_repeated(&self, key: &str, value: &Value, answers: &Answers, asked: &[String]) -> bool {
        let fields = &self.distinct.fields;
        let Some(own) = fields.iter().position(|field| field == key) else {
            return false;
        };
        let counts = value
            .as_str()
            .is_some_and(|text| self.distinct.values.iter().any(|one| one == text));
        let mut others = fields.iter().enumerate();
        counts
            && others.any(|(at, field)| {
                let told_there = at > own && asked.contains(field);
                at != own && !told_there && answers.value(field) == Some(value)
            })
    }
}

impl Field {
    /// Reads one entry in one box as people and spreadsheets write it: a value, or the label of a choice. `None` means
    /// nothing was entered.
    ///
    /// # Errors
    /// What is wrong and how to put it right, in the language asked for.
    pub fn read(&self, text: &str, language: Language, now: Timestamp) -> Result<Option<serde_json::Value>, String> {
        let typed = text.trim();
        let labelled = self.kind.choices().iter().find(|choice| {
            Language::ALL
                .iter()
                .any(|language| choice.label.get(*language) == typed)
        });
        let plain = match (&self.kind, labelled) {
            (_, Some(choice)) => choice.value.as_str(),
            (FieldKind::YesNo, None) => match typed.to_lowercase().as_str() {
                "是" | "有" | "y" => "yes",
                "否" | "沒有" | "無" | "n" => "no",
                "true" | "yes" => "yes",
                "false" | "no" => "no",
                _ => typed,
            },
            _ => typed,
        };
        read(&self.kind, &Entered::one(plain), legal_day(now)).map_err(|problem| problem.message(self, language))
    }

    /// A value of this field as people read it.
    #[must_use]
    pub fn shown(&self, value: &serde_json::Value, language: Language) -> String {
        super::words::shown(&self.kind, value, language)
    }

    /// The sentence for a value that is missing.
    #[must_use]
    pub fn missing(&self, language: Language) -> String {
        Problem::Missing.message(self, language)
    }
}

/// The box an error summary should lead to.
pub(super) fn first_box(key: &str, field: &Field, problem: &Problem) -> String {
    match (&field.kind, problem) {
        (FieldKind::Date { .. }, Problem::DatePartMissing { part }) => format!("{key}.{part}"),
        (FieldKind::Date { .. }, _) => format!("{key}.year"),
        (FieldKind::BankAccount, Problem::BankNumber) => format!("{key}.account"),
        (FieldKind::BankAccount, _) => format!("{key}.bank"),
        _ => key.to_owned(),
    }
}
