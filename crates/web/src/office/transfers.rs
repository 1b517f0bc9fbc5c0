//! What the city gave to the MyData platform (傳輸紀錄), for the auditor: the transfers, and each data set beside the platform's own record.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use cases::provide::{self, Compared, Transfer, TransferState};
use cases::{CaseError, Staff};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

use super::Duty;
use super::audit::day;
use crate::components::{Cell, Colour, ErrorSummary, Head, Table, Tag};
use crate::texts::Words;
use crate::{App, Frame, Problem, page_with};

/// The transfers.
pub(super) const HERE: &str = "/office/transfers";
/// Days that are shown where none are asked for.
const DAYS: i32 = 30;
/// Transactions named of a difference.
const NAMED: usize = 20;

/// The page of transfers.
pub(super) fn routes() -> Router<App> {
    Router::new().route(HERE, get(show))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    from: String,
    to: String,
    resource: String,
}

/// A data set that can be laid beside the platform's record.
struct Set {
    id: String,
    title: String,
    chosen: bool,
}

/// What the comparison found.
struct Found {
    good: bool,
    title: String,
    lines: Vec<String>,
}

#[derive(Template)]
#[template(path = "office/transfers.html")]
struct TransfersPage {
    frame: Frame,
    staff: Staff,
    asked: Asked,
    errors: Option<ErrorSummary>,
    sets: Vec<Set>,
    found: Option<Found>,
    transfers: Table,
}

fn state(words: Words, state: TransferState) -> Tag {
    let (key, colour) = match state {
        TransferState::Preparing => ("transfer-preparing", Colour::Blue),
        TransferState::Ready => ("transfer-ready", Colour::Blue),
        TransferState::Sent => ("transfer-sent", Colour::Green),
        TransferState::Nothing => ("transfer-nothing", Colour::Grey),
        TransferState::Refused => ("transfer-refused", Colour::Red),
    };
    Tag::new(words.t(key), colour)
}

/// How the citizen was verified, in words; the platform's word where there are none.
fn verified(words: Words, word: Option<&str>) -> String {
    let Some(word) = word else { return words.t("none") };
    let key = format!("mydata-verified-{}", word.to_ascii_lowercase());
    if words.has(&key) {
        words.t(&key)
    } else {
        word.to_owned()
    }
}

fn table(words: Words, rows: Vec<Transfer>) -> Table {
    let rows = rows.into_iter().map(|row| {
        let title = row
            .title
            .as_ref()
            .map_or(row.resource_id.as_str(), |title| words.of(title));
        vec![
            Cell::text(words.time(row.asked)),
            Cell::text(title),
            Cell::tag(state(words, row.state)),
            Cell::text(verified(words, row.verification.as_deref())),
            Cell::text(row.tries.to_string()),
            Cell::text(row.size.to_string()),
            Cell::text(row.id.to_string()),
        ]
    });
    let text = |key: &str| Head::text(words.t(key));
    let number = |key: &str| Head::number(words.t(key));
    Table {
        caption: words.t("transfers-list"),
        head: vec![
            text("transfers-time"),
            text("transfers-set"),
            text("office-queue-state"),
            text("transfers-verified"),
            number("transfers-tries"),
            number("transfers-size"),
            text("transfers-transaction"),
        ],
        rows: rows.collect(),
    }
}

fn compared(words: Words, found: &Compared) -> Found {
    let good = found.only_ours.is_empty() && found.only_theirs.is_empty();
    let line = |key: &str, ids: &[uuid::Uuid]| {
        let named: Vec<String> = ids.iter().take(NAMED).map(ToString::to_string).collect();
        (!ids.is_empty()).then(|| words.with(key, &[("n", ids.len().to_string()), ("transactions", named.join("、"))]))
    };
    let lines = [
        Some(words.t1("transfers-both", "n", found.both)),
        line("transfers-only-ours", &found.only_ours),
        line("transfers-only-theirs", &found.only_theirs),
    ];
    Found {
        good,
        title: words.t(if good { "transfers-agree" } else { "transfers-differ" }),
        lines: lines.into_iter().flatten().collect(),
    }
}

/// `GET /office/transfers`
async fn show(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let today = app.desk.today();
    let mut errors = Vec::new();
    let mut read = |field: &str, text: &str, usual: Date| {
        let text = text.trim();
        if text.is_empty() {
            return usual;
        }
        day(text).unwrap_or_else(|| {
            errors.push((field.to_owned(), words.t("office-audit-day-wrong")));
            usual
        })
    };
    let to = read("to", &asked.to, today);
    let from = read("from", &asked.from, to.checked_sub(DAYS.days()).unwrap_or(to));
    let rows = match provide::transfers(&app.desk, &staff, from, to).await {
        Ok(rows) => rows,
        Err(CaseError::Input { problem, .. }) => {
            let key = match problem {
                "too_long" => "transfers-too-long",
                _ => "transfers-order",
            };
            errors.push(("from".to_owned(), words.t(key)));
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    let found = if asked.resource.is_empty() || !errors.is_empty() {
        None
    } else {
        match provide::compare(&app.desk, &staff, &asked.resource, from, to).await {
            Ok(found) => Some(compared(words, &found)),
            Err(CaseError::Outside { problem, .. }) => Some(Found {
                good: false,
                title: words.t("transfers-no-record"),
                lines: vec![problem],
            }),
            Err(error) => return Err(error.into()),
        }
    };
    let sets = app.desk.catalogue.all_offered().map(|set| Set {
        id: set.resource_id.clone(),
        title: words.of(&set.title).to_owned(),
        chosen: set.resource_id == asked.resource,
    });
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    page_with(
        status,
        &TransfersPage {
            sets: sets.collect(),
            found,
            transfers: table(words, rows),
            errors: (!errors.is_empty()).then_some(ErrorSummary { words, errors }),
            asked,
            frame,
            staff,
        },
    )
}
