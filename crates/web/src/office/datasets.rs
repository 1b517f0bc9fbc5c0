//! The pages of a data steward (資料管理人): datasets with their freshness and their last loads, files that wait for a decision, and
//! rows that were not taken. Only the last show values of rows.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use cases::datasets::arrive::{Decision, Waiting};
use cases::datasets::steward::{self, Outcome, PAGE, Reject, Run, SetRow};
use cases::{CaseError, Staff};
use serde::Deserialize;

use super::act::conflict;
use super::audit::short_time;
use super::{Duty, done};
use crate::address::onward;
use crate::components::{Banner, Cell, Colour, Head, Pagination, Table, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

/// Where the list is.
pub(super) const HERE: &str = "/office/datasets";

/// Before the name of an input with a cell, so that no column of a source can be mistaken for another input.
const CELL: &str = "cell-";

/// The pages of datasets.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(HERE, get(list))
        .route("/office/datasets/{id}", get(show))
        .route("/office/datasets/{id}/waiting", post(decide))
        .route("/office/datasets/{id}/rejects/{load}", get(rejects).post(mend))
}

#[derive(Template)]
#[template(path = "office/datasets.html")]
struct ListPage {
    frame: Frame,
    staff: Staff,
    sets: Table,
}

/// `GET /office/datasets`
async fn list(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let sets = steward::list(&app.desk, &staff).await?;
    let heads = [
        ("office-dataset", false),
        ("office-dataset-fresh", false),
        ("office-dataset-loaded", false),
        ("office-dataset-rows", true),
        ("office-dataset-rejected", true),
        ("office-dataset-waiting", false),
    ];
    let rows = sets.iter().map(|set| {
        let id = &set.dataset.id;
        let latest = set.latest.as_ref();
        vec![
            Cell::link(words.of(&set.dataset.title), format!("{HERE}/{id}")),
            Cell::tag(fresh(words, set)),
            Cell::text(latest.map_or_else(|| words.t("none"), |latest| words.time(latest.loaded))),
            Cell::text(latest.map_or_else(|| words.t("none"), |latest| latest.rows.to_string())),
            Cell::text(set.rejected.len().to_string()),
            match &set.waiting {
                Some(_) => Cell::tag(Tag::new(words.t("office-dataset-held"), Colour::Yellow)),
                None => Cell::text(words.t("none")),
            },
        ]
    });
    let page = ListPage {
        sets: Table {
            caption: words.t("office-nav-datasets"),
            head: Head::all(words, &heads),
            rows: rows.collect(),
        },
        frame,
        staff,
    };
    page_with(StatusCode::OK, &page)
}

fn fresh(words: Words, set: &SetRow) -> Tag {
    let (key, colour) = match (&set.latest, set.late) {
        (None, _) => ("office-dataset-never", Colour::Grey),
        (Some(_), true) => ("office-dataset-late", Colour::Red),
        (Some(_), false) => ("office-dataset-on-time", Colour::Green),
    };
    Tag::new(words.t(key), colour)
}

/// Why a file waits, in words, and what may be decided.
struct Held {
    file: String,
    at: String,
    why: Vec<String>,
    /// Whether there are rules that can be accepted.
    acceptable: bool,
}

#[derive(Template)]
#[template(path = "office/dataset.html")]
struct SetPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    here: String,
    title: String,
    description: String,
    fresh: Tag,
    facts: Vec<(String, String)>,
    held: Option<Held>,
    rejected: Vec<String>,
    runs: Table,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
    #[serde(default)]
    page: usize,
}

/// `GET /office/datasets/{id}`
async fn show(
    State(app): State<App>,
    duty: Duty,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let view = steward::show(&app.desk, &staff, &id).await?;
    let set = &view.row;
    let page = SetPage {
        done: done(&frame, &asked.done),
        here: format!("{HERE}/{}", set.dataset.id),
        title: words.of(&set.dataset.title).to_owned(),
        description: words.of(&set.dataset.description).to_owned(),
        fresh: fresh(words, set),
        facts: facts(words, set),
        held: set.waiting.as_ref().map(|waiting| held(words, &set.dataset, waiting)),
        rejected: set.rejected.clone(),
        runs: runs(words, &set.dataset, &view.runs),
        frame,
        staff,
    };
    page_with(StatusCode::OK, &page)
}

fn facts(words: Words, set: &SetRow) -> Vec<(String, String)> {
    let none = || words.t("none");
    let latest = set.latest.as_ref();
    vec![
        (
            words.t("office-dataset-loaded"),
            latest.map_or_else(none, |latest| words.time(latest.loaded)),
        ),
        (
            words.t("office-lookup-version"),
            latest.map_or_else(none, |latest| latest.version.to_string()),
        ),
        (
            words.t("office-dataset-rows"),
            latest.map_or_else(none, |latest| latest.rows.to_string()),
        ),
        (
            words.t("office-dataset-expected"),
            set.expected.map_or_else(none, |day| words.date(day)),
        ),
        (words.t("office-dataset-queued"), set.queued.to_string()),
        (words.t("office-dataset-law"), set.dataset.legal_basis.join("、")),
    ]
}

fn held(words: Words, dataset: &steward::Dataset, waiting: &Waiting) -> Held {
    Held {
        file: waiting.file.clone(),
        at: words.time(waiting.at),
        why: waiting.why.iter().map(|held| why(words, dataset, held)).collect(),
        acceptable: waiting.why.iter().any(|held| held.rule.is_some()),
    }
}

/// Why a file waits. What is wrong with the source itself is told as the program that read it tells it, behind a sentence of ours.
fn why(words: Words, dataset: &steward::Dataset, held: &cases::datasets::Held) -> String {
    let key = format!("office-dataset-why-{}", held.code.replace('_', "-"));
    let found = if words.has(&key) {
        let mut values = vec![("detail", held.why.clone())];
        values.extend(["a", "b", "c"].into_iter().zip(held.about.iter().cloned()));
        words.with(&key, &values)
    } else {
        held.why.clone()
    };
    match &held.rule {
        Some(rule) => words.with(
            "office-dataset-why-rule",
            &[("rule", rule_title(words, dataset, rule)), ("found", found)],
        ),
        None => found,
    }
}

fn rule_title(words: Words, dataset: &steward::Dataset, name: &str) -> String {
    let rule = dataset.quality.iter().find(|rule| rule.name == name);
    rule.map_or_else(|| name.to_owned(), |rule| words.of(&rule.title).to_owned())
}

fn column_title(words: Words, dataset: &steward::Dataset, name: &str) -> String {
    let column = dataset.columns.iter().find(|column| column.name == name);
    column.map_or_else(|| name.to_owned(), |column| words.of(&column.title).to_owned())
}

/// A problem of a row or a cell by its word.
fn problem(words: Words, code: &str) -> Option<String> {
    let key = format!("office-dataset-problem-{}", code.replace('_', "-"));
    words.has(&key).then(|| words.t(&key))
}

/// What the report of a load counts: the name of a rule, or the word for a problem, of a column or of whole rows.
fn counted(words: Words, dataset: &steward::Dataset, what: &str) -> String {
    if let Some(rule) = what.strip_prefix("rule `").and_then(|rest| rest.strip_suffix('`')) {
        return rule_title(words, dataset, rule);
    }
    match what.split_once(": ") {
        Some((column, code)) => {
            let found = problem(words, code).unwrap_or_else(|| code.to_owned());
            format!("{}：{found}", column_title(words, dataset, column))
        }
        None => problem(words, what).unwrap_or_else(|| rule_title(words, dataset, what)),
    }
}

/// What the last loads found. The reasons are those of the folder's columns and rules, counted.
fn runs(words: Words, dataset: &steward::Dataset, runs: &[Run]) -> Table {
    let heads = [
        ("office-dataset-run-at", false),
        ("office-dataset-run-outcome", false),
        ("office-dataset-run-read", true),
        ("office-dataset-run-added", true),
        ("office-dataset-run-replaced", true),
        ("office-dataset-run-deleted", true),
        ("office-dataset-run-rejected", true),
        ("office-dataset-run-quality", false),
    ];
    let rows = runs.iter().map(|run| {
        let report = &run.report;
        let outcome = match &report.outcome {
            Outcome::Published(version) => {
                Tag::new(words.t1("office-dataset-run-published", "n", version), Colour::Green)
            }
            Outcome::AlreadyPublished => Tag::new(words.t("office-dataset-run-known"), Colour::Grey),
            Outcome::Held(_) => Tag::new(words.t("office-dataset-held"), Colour::Yellow),
        };
        let found = report.reasons.iter().chain(&report.warnings);
        let quality: Vec<String> = found
            .map(|(what, count)| format!("{} × {count}", counted(words, dataset, what)))
            .collect();
        let number = |count: u64| Cell::text(count.to_string());
        vec![
            Cell::text(short_time(words, run.at)),
            Cell::tag(outcome),
            number(report.read),
            number(report.added),
            number(report.replaced),
            number(report.deleted),
            number(report.rejected),
            Cell::text(if quality.is_empty() {
                words.t("none")
            } else {
                quality.join("；")
            }),
        ]
    });
    Table {
        caption: words.t("office-dataset-runs"),
        head: Head::all(words, &heads),
        rows: rows.collect(),
    }
}

/// `POST /office/datasets/{id}/waiting`
async fn decide(
    State(app): State<App>,
    duty: Duty,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (decision, done) = match posted.text("act") {
        "accept" => (Decision::Accept, "dataset-accepted"),
        "again" => (Decision::Again, "dataset-again"),
        "discard" => (Decision::Discard, "dataset-discarded"),
        _ => return Err(Problem::Unusable),
    };
    let here = format!("{HERE}/{id}");
    match steward::decide(&app.desk, &duty.staff, &id, posted.text("file"), decision).await {
        Ok(()) => Ok(onward(&format!("{here}?done={done}"))),
        Err(CaseError::Conflict(_)) => conflict(duty, here),
        Err(error) => Err(error.into()),
    }
}

/// A row that was not taken.
struct Rejected {
    place: u64,
    reasons: Vec<String>,
    /// Column of the source, and its cell.
    cells: Vec<(String, String)>,
    /// Whether its cells have names, so that it can be mended.
    mendable: bool,
}

#[derive(Template)]
#[template(path = "office/dataset_rejects.html")]
struct RejectsPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    back: String,
    here: String,
    title: String,
    load: String,
    count: usize,
    page: usize,
    rows: Vec<Rejected>,
    pagination: Pagination,
}

/// `GET /office/datasets/{id}/rejects/{load}`
async fn rejects(
    State(app): State<App>,
    duty: Duty,
    Path((id, load)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let number = asked.page.clamp(1, 1_000_000);
    let found = steward::rejects(&app.desk, &staff, &id, &load, (number - 1) * PAGE).await?;
    let back = format!("{HERE}/{}", found.dataset.id);
    if found.count == 0 {
        // the last one was mended
        return Ok(onward(&format!("{back}?done={}", asked.done)));
    }
    let here = format!("{back}/rejects/{}", found.load);
    let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let page = RejectsPage {
        done: done(&frame, &asked.done),
        title: words.of(&found.dataset.title).to_owned(),
        rows: found
            .rows
            .iter()
            .map(|row| rejected(words, &found.dataset, row))
            .collect(),
        pagination: Pagination::new(
            words,
            wide(number),
            wide(found.count),
            wide(PAGE),
            format!("{here}?page="),
        ),
        load: found.load,
        count: found.count,
        page: number,
        back,
        here,
        frame,
        staff,
    };
    page_with(StatusCode::OK, &page)
}

fn rejected(words: Words, dataset: &steward::Dataset, row: &Reject) -> Rejected {
    let reason = |reason: &steward::Reason| {
        let found = match (&reason.rule, reason.code.as_str()) {
            (Some(rule), "rule") => words.t1("office-dataset-problem-rule", "rule", rule_title(words, dataset, rule)),
            (_, code) => problem(words, code).unwrap_or_else(|| reason.text.clone()),
        };
        match reason.column.as_str() {
            "" => found,
            column => format!("{}：{found}", column_title(words, dataset, column)),
        }
    };
    Rejected {
        place: row.place,
        reasons: row.reasons.iter().map(reason).collect(),
        mendable: row.cells.iter().all(|(name, _)| !name.is_empty()),
        cells: row
            .cells
            .iter()
            .map(|(name, cell)| (name.clone(), cell.clone().unwrap_or_default()))
            .collect(),
    }
}

/// `POST /office/datasets/{id}/rejects/{load}`
async fn mend(
    State(app): State<App>,
    duty: Duty,
    Path((id, load)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let place = posted.value("place")?;
    let page: usize = posted.value("page")?;
    let cells: BTreeMap<String, Option<String>> = posted
        .raw
        .iter()
        .filter_map(|(name, values)| Some((name.strip_prefix(CELL)?, values.first()?)))
        .map(|(name, value)| (name.to_owned(), (!value.is_empty()).then(|| value.clone())))
        .collect();
    let here = format!("{HERE}/{id}/rejects/{load}?page={page}");
    match steward::mend(&app.desk, &duty.staff, &id, &load, place, cells).await {
        Ok(true) => Ok(onward(&format!("{here}&done=dataset-mended"))),
        Ok(false) => Ok(onward(&format!("{here}&done=dataset-still-wrong"))),
        Err(CaseError::Conflict(_)) => conflict(duty, here),
        Err(error) => Err(error.into()),
    }
}
