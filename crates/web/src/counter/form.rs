//! The dense form: every page of the service on one screen, with what is known and what the rules make of it.
//!
//! Saving asks for everything shown. Leaving, and changing the family, keep what was typed and ask for nothing more.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::collect::{Draft, Members};
use cases::counter;
use cases::{CaseError, Staff, State as CaseState};
use civic::ids::ApplicationId;
use services::form::{APPLICANT, Ask, FieldView, Invalid, Raw, SHOWN, Source};

use super::{Serving, address, next, source};
use crate::address::{application, onward};
use crate::components::{ErrorSummary, Field, Finding, Known, Outcome, Reasons};
use crate::resident::{explained, fields};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

/// A page of the service, as a part of the screen.
struct Part {
    title: String,
    hint: Option<String>,
    asked: Vec<Field>,
    known: Vec<Known>,
}

/// Somebody of the family.
struct Member {
    item: String,
    name: String,
    may_remove: bool,
}

/// The family, where the form has one.
struct Family {
    title: String,
    members: Vec<Member>,
    may_add: bool,
    /// Whether it still has to be said that these are all.
    open: bool,
}

#[derive(Template)]
#[template(path = "counter/form.html")]
struct FormPage {
    frame: Frame,
    staff: Staff,
    person: String,
    id: String,
    title: String,
    errors: Option<ErrorSummary>,
    parts: Vec<Part>,
    family: Option<Family>,
    keys: Vec<String>,
    revision: i64,
    left: usize,
    outcome: Outcome,
    reasons: Reasons,
    mydata: bool,
}

impl FormPage {
    /// Who is not expected to qualify sees why without asking.
    fn shows_reasons(&self) -> bool {
        self.outcome.finding == Finding::Bad
    }
}

fn known(words: Words, view: &FieldView<'_>) -> Known {
    Known {
        source: view.source.map_or_else(String::new, |found| source(words, found)),
        ..fields::known(words, view)
    }
}

/// The parts of the screen and the keys of all their fields.
fn parts(words: Words, draft: &Draft, invalid: Option<&Invalid>) -> (Vec<Part>, Vec<String>) {
    let form = &draft.service.form;
    let open = |key: &str| draft.questions.iter().any(|question| question.key == key);
    let sent = invalid.and_then(|invalid| invalid.raw.get(SHOWN));
    let (mut parts, mut keys) = (Vec::new(), Vec::new());
    for place in form.places(&draft.answers) {
        let view = form.view(&place, &draft.answers, None, invalid, words.language);
        let mut part = Part {
            title: match &view.item {
                Some(item) => format!("{}：{item}", view.title),
                None => view.title.to_owned(),
            },
            hint: view.hint.map(str::to_owned),
            asked: Vec::new(),
            known: Vec::new(),
        };
        for field in &view.fields {
            let has_value = !field.shown.is_empty();
            let ask = match field.source {
                Some(source) if has_value => matches!(source, Source::Person),
                _ => open(&field.key) || sent.is_some_and(|sent| sent.contains(&field.key)),
            };
            match (field.field.ask == Ask::Never, ask, has_value) {
                (true, _, true) => {
                    part.known.push(known(words, field));
                    continue;
                }
                (true, _, false) => continue,
                (false, true, _) => part.asked.push(fields::field(words, field)),
                (false, false, true) => part.known.push(known(words, field)),
                (false, false, false) => continue,
            }
            keys.push(field.key.clone());
        }
        if !part.asked.is_empty() || !part.known.is_empty() {
            parts.push(part);
        }
    }
    (parts, keys)
}

fn family(words: Words, draft: &Draft) -> Option<Family> {
    let form = &draft.service.form;
    let group = form.person_group().filter(|group| group.max > 1)?;
    let items = draft.answers.items(&group.id);
    let member = |item: &String| Member {
        item: item.clone(),
        name: form.item_name(&group.id, item, &draft.answers, words.language),
        may_remove: item != APPLICANT,
    };
    Some(Family {
        title: words.of(&group.title).to_owned(),
        members: items.iter().map(member).collect(),
        may_add: items.len() < group.max,
        open: draft.questions.iter().any(|question| question.key == group.id),
    })
}

fn render(serving: Serving, draft: &Draft, invalid: Option<&Invalid>) -> Result<Response, Problem> {
    let words = serving.frame.words;
    let (parts, keys) = parts(words, draft, invalid);
    let errors: Vec<(String, String)> = invalid
        .map(|invalid| invalid.errors.iter().map(|one| (one.key.clone(), one.message.clone())))
        .into_iter()
        .flatten()
        .collect();
    let status = if invalid.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    page_with(
        status,
        &FormPage {
            person: serving.visit.person.name,
            id: draft.id.to_string(),
            title: words.of(&draft.service.meta.name).to_owned(),
            errors: (!errors.is_empty()).then_some(ErrorSummary { words, errors }),
            parts,
            family: family(words, draft),
            keys,
            revision: draft.revision,
            left: draft.questions.len(),
            outcome: explained::outcome(words, &draft.service, &draft.decision, draft.state),
            reasons: explained::reasons(words, &draft.service, &draft.decision, &draft.answers),
            mydata: !draft.service.meta.mydata.is_empty(),
            staff: serving.staff,
            frame: serving.frame,
        },
    )
}

/// `GET /counter/applications/{id}`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
) -> Result<Response, Problem> {
    let draft = counter::draft(&app.desk, &serving.visit, application(&id)?).await?;
    if draft.state != CaseState::Draft || !draft.agreed {
        return Ok(onward(&next(&draft)));
    }
    render(serving, &draft, None)
}

/// Only the fields in which something stands, or stood: the others are asked another time.
fn typed(raw: &Raw, draft: &Draft) -> Raw {
    let mut raw = raw.clone();
    let full = |key: &str| {
        let part = format!("{key}.");
        raw.iter().any(|(name, values)| {
            (name == key || name.starts_with(&part)) && values.iter().any(|value| !value.trim().is_empty())
        })
    };
    let kept: Vec<String> = raw
        .get(SHOWN)
        .into_iter()
        .flatten()
        .filter(|key| full(key) || draft.answers.get(key).is_some())
        .cloned()
        .collect();
    raw.insert(SHOWN.to_owned(), kept);
    raw
}

/// `POST /counter/applications/{id}`
pub(super) async fn save(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let revision: i64 = posted.value("_revision")?;
    let act = posted.text("act").to_owned();
    let mut raw: Raw = posted
        .raw
        .into_iter()
        .filter(|(name, _)| name == SHOWN || !(name.starts_with('_') || name == "act"))
        .collect();
    // a screen without fields shows none; without the list all fields would count as shown
    raw.entry(SHOWN.to_owned()).or_default();
    let before = counter::draft(&app.desk, &serving.visit, id).await?;
    if act != "save" {
        raw = typed(&raw, &before);
    }
    let saved = counter::save(&app.desk, &serving.visit, id, revision, &raw, serving.frame.language()).await;
    let draft = match saved {
        Ok(draft) => draft,
        Err(CaseError::Invalid(invalid)) => return render(serving, &before, Some(&invalid)),
        Err(CaseError::Incomplete(_)) => return Ok(onward(&next(&before))),
        Err(error) => return Err(error.into()),
    };
    if let Some(change) = members(&act) {
        counter::members(&app.desk, &serving.visit, id, draft.revision, change).await?;
        return Ok(onward(&format!("{}#family", address(id, ""))));
    }
    Ok(onward(&after(&act, id, &draft)))
}

/// Where it goes after saving.
fn after(act: &str, id: ApplicationId, draft: &Draft) -> String {
    match act {
        "leave" => "/counter".to_owned(),
        _ if draft.questions.is_empty() => address(id, "summary"),
        _ => address(id, ""),
    }
}

/// The change of the family that was pressed.
fn members(act: &str) -> Option<Members> {
    match act.split_once(':') {
        Some(("remove", item)) => Some(Members::Remove(item.to_owned())),
        _ if act == "add" => Some(Members::Add),
        _ if act == "complete" => Some(Members::Complete),
        _ => None,
    }
}
