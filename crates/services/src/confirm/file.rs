//! Reading of `confirm.toml` and `bodies.csv`, with every mistake's place.

use std::path::Path;

use civic::{Language, Text};
use rules::{Entity, Mistake, RuleSet};
use serde::Deserialize;
use toml::Spanned;

use super::{Body, Confirmation, OnLapse};
use crate::folder::{TextFile, at_top, mistake, suggest};
use crate::form::{Field, FieldKind, Form, SourceKind};
use crate::{DayKind, Deadline, texts};

const CONFIRM: &str = "confirm.toml";
const BODIES: &str = "bodies.csv";
/// Longest time a body may be given.
const LONGEST: u16 = 120;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfirmFile {
    title: Text,
    body: Spanned<String>,
    person: Option<Spanned<String>>,
    fields: Spanned<Vec<Spanned<String>>>,
    days: Spanned<u16>,
    kind: DayKind,
    on_lapse: Spanned<String>,
}

#[derive(Deserialize)]
struct BodyRow {
    body: String,
    name: String,
    name_en: String,
    #[serde(default)]
    area: String,
}

fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 40 && text.chars().all(plain) && !text.starts_with('-')
}

/// The bodies of a folder, which the form needs before the rest can be read; none where nothing is confirmed.
///
/// # Errors
/// Every mistake found.
pub(crate) fn bodies(folder: &Path) -> Result<Vec<Body>, Vec<Mistake>> {
    if !folder.join(CONFIRM).exists() {
        if folder.join(BODIES).exists() {
            let message = "nothing says what these bodies confirm".to_owned();
            return Err(vec![at_top(BODIES, message, "write confirm.toml, or remove this file")]);
        }
        return Ok(Vec::new());
    }
    let file = TextFile::read(folder, BODIES).map_err(|mistake| vec![mistake])?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(file.text.as_bytes());
    let (mut found, mut mistakes): (Vec<Body>, Vec<Mistake>) = (Vec::new(), Vec::new());
    for (number, row) in reader.deserialize::<BodyRow>().enumerate() {
        let mut wrong = |message: String, advice: &str| {
            mistakes.push(mistake(BODIES, number + 2, 1, message, Some(advice.to_owned())));
        };
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let advice = "the columns are `body,name,name_en,area`";
                wrong(format!("the row can't be read: {error}"), advice);
                continue;
            }
        };
        if !is_id(&row.body) {
            let advice = "use small letters, digits and hyphens";
            wrong(format!("`{}` can't name a body", row.body), advice);
        }
        if found.iter().any(|body| body.id == row.body) {
            wrong(format!("the body `{}` stands here twice", row.body), "remove one");
        }
        if row.name.is_empty() || row.name_en.is_empty() {
            let message = format!("the body `{}` has no name in both languages", row.body);
            wrong(message, "fill in `name` and `name_en`");
        }
        found.push(Body {
            id: row.body,
            name: Text::from_iter([(Language::ZhTw, row.name), (Language::En, row.name_en)]),
            area: row.area,
        });
    }
    if found.is_empty() && mistakes.is_empty() {
        mistakes.push(at_top(
            BODIES,
            "there is no body".to_owned(),
            "add a row for each body, or remove confirm.toml",
        ));
    }
    if mistakes.is_empty() { Ok(found) } else { Err(mistakes) }
}

/// Reads what is confirmed; `None` where nothing is.
///
/// # Errors
/// Every mistake found.
pub(crate) fn load(
    folder: &Path,
    bodies: Vec<Body>,
    form: &Form,
    rules: &RuleSet,
) -> Result<Option<Confirmation>, Vec<Mistake>> {
    if !folder.join(CONFIRM).exists() {
        return Ok(None);
    }
    let file = TextFile::read(folder, CONFIRM).map_err(|mistake| vec![mistake])?;
    let parsed: ConfirmFile = file.parse().map_err(|mistake| vec![mistake])?;
    let mut mistakes = texts::check(&file);
    let mut wrong = |at: std::ops::Range<usize>, message: String, advice: Option<String>| {
        mistakes.push(file.mistake(&at, message, advice));
    };
    let all: Vec<&Field> = form
        .pages
        .iter()
        .filter(|page| page.group.is_none())
        .flat_map(|page| &page.fields)
        .collect();
    let known = || all.iter().map(|field| field.id.as_str());
    match all.iter().find(|field| field.id == *parsed.body.get_ref()) {
        None => {
            let name = parsed.body.get_ref();
            let advice = suggest(name, known());
            wrong(parsed.body.span(), format!("the form has no field `{name}`"), advice);
        }
        Some(field) if !offers(&field.kind, &bodies) => wrong(
            parsed.body.span(),
            format!("the field `{}` does not offer the bodies", field.id),
            Some("make it a `select` with `options_from = \"bodies\"`".to_owned()),
        ),
        Some(_) => {}
    }
    if let Some(person) = &parsed.person {
        let steps = rules.steps();
        let of_persons = || steps.iter().filter(|step| step.entity == Entity::Person);
        if !of_persons().any(|step| step.name == *person.get_ref()) {
            let advice = suggest(person.get_ref(), of_persons().map(|step| step.name.as_str()));
            let message = format!("the rules have no step of persons `{}`", person.get_ref());
            wrong(person.span(), message, advice);
        }
    }
    let mut fields: Vec<String> = Vec::new();
    for name in parsed.fields.get_ref() {
        let id = name.get_ref();
        let found = all.iter().find(|field| field.id == *id);
        let problem = match found {
            None => Some((format!("the form has no field `{id}`"), suggest(id, known()))),
            Some(_) if fields.contains(id) => {
                Some((format!("`{id}` stands here twice"), Some("remove one".to_owned())))
            }
            Some(_) if id == parsed.body.get_ref() => Some((
                format!("`{id}` names the body and can't be confirmed by it"),
                Some("remove it".to_owned()),
            )),
            Some(field) if !in_a_cell(&field.kind) => Some((
                format!("a value of `{id}` does not fit into a cell of a spreadsheet"),
                Some("confirm texts, numbers, days, yes or no, and choices".to_owned()),
            )),
            Some(field) if !field.sources.contains(&SourceKind::Register) => Some((
                format!("`{id}` may not come from outside"),
                Some("add \"register\" to its `sources` in form.toml".to_owned()),
            )),
            Some(_) => None,
        };
        if let Some((message, advice)) = problem {
            wrong(name.span(), message, advice);
        }
        fields.push(id.clone());
    }
    if fields.is_empty() {
        let advice = "name the fields that the body confirms".to_owned();
        wrong(parsed.fields.span(), "nothing is confirmed".to_owned(), Some(advice));
    }
    if !(1..=LONGEST).contains(parsed.days.get_ref()) {
        let message = format!("the time of the body must be 1 to {LONGEST} days");
        wrong(parsed.days.span(), message, None);
    }
    let on_lapse = match parsed.on_lapse.get_ref().as_str() {
        "decide" => OnLapse::Decide,
        "wait" => OnLapse::Wait,
        other => {
            let message = format!("`{other}` says not what happens when the body does not answer");
            wrong(
                parsed.on_lapse.span(),
                message,
                suggest(other, ["decide", "wait"].into_iter()),
            );
            OnLapse::Wait
        }
    };
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Some(Confirmation {
        title: parsed.title,
        body: parsed.body.into_inner(),
        person: parsed.person.map(Spanned::into_inner),
        fields,
        deadline: Deadline {
            days: parsed.days.into_inner(),
            kind: parsed.kind,
        },
        on_lapse,
        bodies,
    }))
}

/// Whether a field offers every body.
fn offers(kind: &FieldKind, bodies: &[Body]) -> bool {
    match kind {
        FieldKind::Select(choices) | FieldKind::Radios(choices) => bodies
            .iter()
            .all(|body| choices.iter().any(|choice| choice.value == body.id)),
        _ => false,
    }
}

/// Whether a value of this kind is one line of text.
const fn in_a_cell(kind: &FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Text { .. }
            | FieldKind::Integer { .. }
            | FieldKind::Money { .. }
            | FieldKind::Date { .. }
            | FieldKind::YesNo
            | FieldKind::Radios(_)
            | FieldKind::Select(_)
    )
}
