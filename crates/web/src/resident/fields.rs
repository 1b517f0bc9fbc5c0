//! From the form's fields to the components of the page.

use services::form::{FieldKind, FieldView, Source};

use crate::components::{Choice, Control, Entry, Field, Known, Typed};
use crate::texts::Words;

/// A field to answer.
pub(crate) fn field(words: Words, view: &FieldView<'_>) -> Field {
    Field {
        hint: view.hint.map(str::to_owned),
        optional: !view.field.required,
        error: view.error.clone(),
        ..Field::new(words, view.key.clone(), view.label, control(words, view))
    }
}

/// A value that is known, with its source and the way to put it right.
pub(crate) fn known(words: Words, view: &FieldView<'_>) -> Known {
    let correction = (view.field.ask != services::form::Ask::Never).then(|| field(words, view));
    Known {
        words,
        label: view.label.to_owned(),
        value: view.shown.clone(),
        source: view.source.map_or_else(String::new, |found| source(words, found)),
        source_says: view.changed_from.as_ref().map(|(said, _)| said.clone()),
        correction,
    }
}

/// Where a value came from, in a sentence.
pub(crate) fn source(words: Words, source: &Source) -> String {
    match source {
        Source::Person => words.t("source-person"),
        Source::Profile => words.t("source-profile"),
        Source::Register => words.t("source-register"),
        Source::Screening => words.t("source-screening"),
        Source::Earlier { number, given, .. } => words.with(
            "source-earlier",
            &[("number", number.clone()), ("date", words.date(*given))],
        ),
        Source::Body { name, .. } => words.t1("source-body", "name", name),
        Source::Wallet { issuer, .. } => words.t1("source-wallet", "issuer", issuer),
        Source::MyData { issued, .. } => match issued {
            Some(day) => format!(
                "{} {}",
                words.t("source-mydata"),
                words.t1("source-issued", "date", words.date(*day))
            ),
            None => words.t("source-mydata"),
        },
    }
}

fn control(words: Words, view: &FieldView<'_>) -> Control {
    let one = || view.boxes.first().map_or_else(String::new, |(_, text)| text.clone());
    let line = |mode, autocomplete, width, suffix| {
        Control::Input(Typed {
            value: one(),
            kind: "",
            mode,
            autocomplete,
            width,
            suffix,
        })
    };
    let choices = || {
        view.choices
            .iter()
            .zip(view.field.kind.choices())
            .map(|((value, label, chosen), choice)| Choice {
                value: (*value).to_owned(),
                label: (*label).to_owned(),
                hint: choice.hint.as_ref().map(|hint| words.of(hint).to_owned()),
                chosen: *chosen,
            })
            .collect::<Vec<_>>()
    };
    let entry = |part: &'static str, label: &str, width| Entry {
        part: part.to_owned(),
        label: words.t(label),
        value: view
            .boxes
            .iter()
            .find(|(name, _)| *name == part)
            .map_or_else(String::new, |(_, text)| text.clone()),
        width,
    };
    match &view.field.kind {
        FieldKind::Text { max_length } => line("", "", if *max_length <= 20 { 20 } else { 0 }, None),
        FieldKind::TextArea { .. } => Control::TextArea { value: one(), rows: 5 },
        FieldKind::Integer { .. } => line("numeric", "", 10, None),
        FieldKind::Money { .. } => line("numeric", "", 10, Some(words.t("money-unit"))),
        FieldKind::Date { .. } => Control::Boxes(vec![
            entry("year", "date-year", 4),
            entry("month", "date-month", 2),
            entry("day", "date-day", 2),
        ]),
        FieldKind::YesNo => Control::Radios(
            [("yes", "yes"), ("no", "no")]
                .map(|(value, key)| Choice {
                    value: value.to_owned(),
                    label: words.t(key),
                    hint: None,
                    chosen: one() == value,
                })
                .into(),
        ),
        FieldKind::Radios(_) => Control::Radios(choices()),
        FieldKind::Select(_) => {
            let typed = one();
            let mut choices = choices();
            if choices.iter().all(|choice| !choice.chosen) {
                choices
                    .iter_mut()
                    .for_each(|choice| choice.chosen = choice.value == typed);
            }
            Control::Select(choices)
        }
        FieldKind::Checkboxes(_) => Control::Checkboxes(choices()),
        FieldKind::NationalId => line("", "", 20, None),
        FieldKind::Phone => line("tel", "tel", 20, None),
        FieldKind::Email => Control::Input(Typed {
            value: one(),
            kind: "email",
            mode: "email",
            autocomplete: "email",
            width: 0,
            suffix: None,
        }),
        FieldKind::Address => line("", "street-address", 0, None),
        FieldKind::BankAccount => Control::Boxes(vec![
            entry("bank", "account-bank", 10),
            entry("account", "account-number", 20),
        ]),
        FieldKind::File { accept, .. } => Control::File {
            accept: accept.join(","),
        },
    }
}
