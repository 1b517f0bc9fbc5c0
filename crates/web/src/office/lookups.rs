//! Lookups (資料查調) of a case: what a dataset of the city knows, with its age and where it stands. Nothing of an answer is kept.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use cases::Staff;
use cases::datasets::lookup::{self, Answer, Question};

use super::Duty;
use crate::address::application;
use crate::components::{Cell, Head, Table};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

/// The pages of lookups.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/office/cases/{id}/lookup", post(ask))
}

/// A question of a case in words.
pub(super) struct Asking {
    pub(super) lookup: usize,
    pub(super) item: String,
    pub(super) dataset: String,
    pub(super) about: String,
    pub(super) answered: bool,
}

/// The questions of a case in words.
pub(super) fn questions(words: Words, questions: &[Question]) -> Vec<Asking> {
    let asking = |question: &Question| Asking {
        lookup: question.lookup,
        item: question.item.clone().unwrap_or_default(),
        dataset: words.of(&question.dataset).to_owned(),
        about: about(words, question),
        answered: question.answered,
    };
    questions.iter().map(asking).collect()
}

fn about(words: Words, question: &Question) -> String {
    match (&question.about, &question.item) {
        (Some(name), _) => name.clone(),
        (None, Some(_)) => words.t("office-lookup-unnamed"),
        (None, None) => words.t("office-lookup-case"),
    }
}

#[derive(Template)]
#[template(path = "office/lookup.html")]
struct LookupPage {
    frame: Frame,
    staff: Staff,
    back: String,
    number: String,
    service: String,
    dataset: String,
    facts: Vec<(String, String)>,
    answer: Table,
    more: bool,
}

/// `POST /office/cases/{id}/lookup`
async fn ask(State(app): State<App>, duty: Duty, Path(id): Path<String>, posted: Posted) -> Result<Response, Problem> {
    let id = application(&id)?;
    let item = posted.text("item");
    let item = (!item.is_empty()).then(|| item.to_owned());
    let answer = lookup::ask(&app.desk, &duty.staff, id, posted.value("lookup")?, item).await?;
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let page = LookupPage {
        back: format!("/office/cases/{}", id.uuid()),
        number: answer.number.clone(),
        service: words.of(&answer.service).to_owned(),
        dataset: words.of(&answer.question.dataset).to_owned(),
        facts: facts(words, &answer, app.desk.now()),
        answer: table(words, &answer),
        more: answer.found.more,
        frame,
        staff,
    };
    page_with(StatusCode::OK, &page)
}

/// Where the answer comes from and how old it is.
fn facts(words: Words, answer: &Answer, now: jiff::Timestamp) -> Vec<(String, String)> {
    let hours = now.duration_since(answer.found.loaded).as_hours().max(0);
    let age = match hours {
        0 => words.t("office-lookup-now"),
        1..=47 => words.t1("office-lookup-hours", "n", hours),
        hours => words.t1("office-lookup-days", "n", hours / 24),
    };
    vec![
        (words.t("office-lookup-about"), about(words, &answer.question)),
        (
            words.t("office-lookup-steward"),
            words.of(&answer.dataset.steward).to_owned(),
        ),
        (words.t("office-lookup-loaded"), words.time(answer.found.loaded)),
        (words.t("office-lookup-age"), age),
        (words.t("office-lookup-version"), answer.found.version.to_string()),
        (words.t("office-lookup-law"), answer.question.law.clone()),
    ]
}

fn table(words: Words, answer: &Answer) -> Table {
    let columns = answer
        .columns
        .iter()
        .filter_map(|place| answer.dataset.columns.get(*place));
    let mut head = vec![Head::text(words.t("office-lookup-row"))];
    head.extend(columns.clone().map(|column| Head::text(words.of(&column.title))));
    let rows = answer.found.rows.iter().map(|row| {
        let mut cells = vec![Cell::text(row.place.to_string())];
        cells.extend(columns.clone().zip(&row.values).map(|(column, value)| {
            Cell::text(match value {
                None => words.t("none"),
                Some(value) => shown(words, column, value),
            })
        }));
        cells
    });
    Table {
        caption: words.t("office-lookup-answer"),
        head,
        rows: rows.collect(),
    }
}

/// A value as people read it: the words of a code list, days of the calendar in use.
fn shown(words: Words, column: &cases::datasets::Column, value: &str) -> String {
    if let Some(text) = column.codes.as_ref().and_then(|codes| codes.get(value)) {
        return words.of(text).to_owned();
    }
    match value.parse::<jiff::civil::Date>() {
        Ok(day) if value.len() == 10 => words.date(day),
        _ => value.to_owned(),
    }
}
