//! A page as it is shown: words in one language, what is known, where it came from, what was wrong.

use civic::Language;
use serde_json::Value;

use super::model::{Field, FieldKind, Form, Place};
use super::words::shown;
use super::{Answers, Invalid, Source};

/// A page in one language.
#[derive(Clone)]
pub struct PageView<'a> {
    /// `contact` or `work.p2`.
    pub address: String,
    /// Heading.
    pub title: &'a str,
    /// What to know before answering.
    pub hint: Option<&'a str>,
    /// Whom or what the page is about, for a page of a group.
    pub item: Option<String>,
    /// Its fields.
    pub fields: Vec<FieldView<'a>>,
}

/// A field in one language.
#[derive(Clone)]
pub struct FieldView<'a> {
    /// Key, and name of its input.
    pub key: String,
    /// The field.
    pub field: &'a Field,
    /// The question.
    pub label: &'a str,
    /// How to answer it.
    pub hint: Option<&'a str>,
    /// Value and label of each choice, and whether it is chosen.
    pub choices: Vec<(&'a str, &'a str, bool)>,
    /// What stands in its boxes: name of the box (empty for the one box of most kinds) and text.
    pub boxes: Vec<(&'static str, String)>,
    /// The value in force as people read it; empty when there is none.
    pub shown: String,
    /// Where the value in force came from.
    pub source: Option<&'a Source>,
    /// What the source says, where the person answered otherwise, as people read it.
    pub changed_from: Option<(String, &'a Source)>,
    /// What was wrong.
    pub error: Option<String>,
}

impl Form {
    /// One page as it is shown. `only` keeps the fields of these keys; `invalid` brings back what was typed.
    pub fn view<'a>(
        &'a self,
        place: &Place<'a>,
        answers: &'a Answers,
        only: Option<&[String]>,
        invalid: Option<&Invalid>,
        language: Language,
    ) -> PageView<'a> {
        let page = place.page;
        let item = match (&page.group, &place.item) {
            (Some(group), Some(item)) => Some(self.item_name(group, item, answers, language)),
            _ => None,
        };
        let fields = self.fields(place, answers).into_iter();
        let fields = fields.filter(|field| only.is_none_or(|keys| keys.contains(&place.key(field))));
        PageView {
            address: place.address(),
            title: page.title.get(language),
            hint: page.hint.as_ref().map(|hint| hint.get(language)),
            item,
            fields: fields
                .map(|field| field_view(place.key(field), field, answers, invalid, language))
                .collect(),
        }
    }

    /// Some fields by their keys, whether or not the answers given call for them: for somebody who sees these only.
    pub fn view_some<'a>(
        &'a self,
        keys: &[String],
        answers: &'a Answers,
        invalid: Option<&Invalid>,
        language: Language,
    ) -> Vec<FieldView<'a>> {
        let fields = keys.iter().filter_map(|key| Some((key, self.field(key)?.1)));
        fields
            .map(|(key, field)| field_view(key.clone(), field, answers, invalid, language))
            .collect()
    }

    /// The value of a key as people read it; empty when there is none.
    pub fn shown(&self, key: &str, answers: &Answers, language: Language) -> String {
        match (self.field(key), answers.value(key)) {
            (Some((_, field)), Some(value)) => shown(&field.kind, value, language),
            _ => String::new(),
        }
    }
}

pub(super) fn field_view<'a>(
    key: String,
    field: &'a Field,
    answers: &'a Answers,
    invalid: Option<&Invalid>,
    language: Language,
) -> FieldView<'a> {
    let answer = answers.get(&key);
    let value = answer.map(|answer| &answer.value);
    let box_names = box_names(&field.kind);
    let typed = |name: &str| -> Option<Vec<String>> {
        let input = if name.is_empty() {
            key.clone()
        } else {
            format!("{key}.{name}")
        };
        invalid.map(|invalid| invalid.raw.get(&input).cloned().unwrap_or_default())
    };
    let boxes: Vec<(&'static str, String)> = box_names
        .iter()
        .map(|name| {
            let text = typed(name).map_or_else(
                || value.map_or_else(String::new, |value| box_text(&field.kind, value, name)),
                |typed| typed.concat(),
            );
            (*name, text)
        })
        .collect();
    let chosen = |choice: &str| match typed("") {
        Some(typed) => typed.iter().any(|one| one == choice),
        None => match value {
            Some(Value::Array(values)) => values.iter().any(|one| one == choice),
            Some(value) => value == choice,
            None => false,
        },
    };
    let choices = field.kind.choices().iter();
    let error = invalid.and_then(|invalid| {
        let mut errors = invalid.errors.iter();
        errors.find(|error| error.key == key || error.key.strip_prefix(&key).is_some_and(|rest| rest.starts_with('.')))
    });
    FieldView {
        label: field.label.get(language),
        hint: field.hint.as_ref().map(|hint| hint.get(language)),
        choices: choices
            .map(|choice| (choice.value.as_str(), choice.label.get(language), chosen(&choice.value)))
            .collect(),
        boxes,
        shown: value.map_or_else(String::new, |value| shown(&field.kind, value, language)),
        source: answer.map(|answer| &answer.source),
        changed_from: answer
            .and_then(|answer| answer.changed_from.as_ref())
            .map(|held| (shown(&field.kind, &held.value, language), &held.source)),
        error: error.map(|error| error.message.clone()),
        key,
        field,
    }
}

/// Names of the boxes of a kind.
fn box_names(kind: &FieldKind) -> &'static [&'static str] {
    match kind {
        FieldKind::Date { .. } => &["year", "month", "day"],
        FieldKind::BankAccount => &["bank", "account"],
        FieldKind::Radios(_) | FieldKind::Checkboxes(_) => &[],
        _ => &[""],
    }
}

/// What stands in one box for a value.
fn box_text(kind: &FieldKind, value: &Value, name: &str) -> String {
    match (kind, value) {
        (FieldKind::Date { .. }, Value::String(text)) => match text.parse::<jiff::civil::Date>() {
            Ok(date) => match name {
                "year" => (i32::from(date.year()) - 1911).to_string(),
                "month" => date.month().to_string(),
                _ => date.day().to_string(),
            },
            Err(_) => String::new(),
        },
        (FieldKind::YesNo, Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        (_, Value::Object(parts)) => parts
            .get(if name.is_empty() { "name" } else { name })
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
