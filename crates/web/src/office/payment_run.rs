//! The run of a month (月底撥款作業) with its progress, and a month beside the month before.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use cases::pay::compare::{self, Comparison, Differing, Kind};
use cases::pay::run::{self, RunRow, State as Step};
use cases::{CaseError, Month, Role, Staff};
use civic::Money;
use civic::ids::RunId;
use serde::Deserialize;

use super::act::conflict;
use super::payments::{Batch, HERE, again, batch_row, month_name};
use super::{Duty, done, releases};
use crate::address::{id, onward};
use crate::components::{Banner, Colour, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page};

/// The pages of runs.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/office/payments/runs", post(start))
        .route("/office/payments/runs/{id}", get(show))
        .route("/office/payments/runs/{id}/stop", post(stop))
        .route("/office/payments/compare/{service}/{month}", get(compared))
}

/// A run in the list.
pub(super) struct Line {
    pub(super) href: String,
    pub(super) service: String,
    pub(super) month: String,
    pub(super) state: Tag,
    pub(super) prepared: i32,
    pub(super) batched: i32,
    pub(super) sum: String,
    pub(super) made_by: String,
}

pub(super) fn line(words: Words, row: &RunRow) -> Line {
    let (key, colour) = match row.state {
        Step::Preparing => ("office-run-preparing", Colour::Yellow),
        Step::Batching => ("office-run-batching", Colour::Yellow),
        Step::Ready => ("office-run-ready", Colour::Green),
        Step::Stopped => ("office-run-stopped", Colour::Grey),
    };
    Line {
        href: format!("{HERE}/runs/{}", row.id.uuid()),
        service: words.of(&row.service).to_owned(),
        month: month_name(words, &row.period),
        state: Tag::new(words.t(key), colour),
        prepared: row.prepared,
        batched: row.batched,
        sum: words.money(row.batched_sum.0),
        made_by: row.made_by.clone(),
    }
}

/// Payments of one amount, in words.
struct Amount {
    title: String,
    amount: String,
    count: u64,
    sum: String,
}

/// What differs in one way, in words.
struct Difference {
    id: &'static str,
    title: String,
    count: u64,
    now: String,
    before: String,
    rows: Vec<(String, String, String, String)>,
    /// How many are not listed.
    more: Option<String>,
}

/// A month beside the month before, in words.
struct Beside {
    amounts: Vec<Amount>,
    total_count: u64,
    total: String,
    differences: Vec<Difference>,
}

fn beside(words: Words, comparison: &Comparison) -> Beside {
    let total = comparison
        .amounts
        .iter()
        .try_fold(Money(0), |sum, one| sum.checked_add(one.sum));
    Beside {
        total_count: comparison.amounts.iter().map(|one| one.count).sum(),
        total: total.map_or_else(|| words.t("none"), |total| words.money(total.0)),
        amounts: comparison
            .amounts
            .iter()
            .map(|one| Amount {
                title: words.of(&one.title).to_owned(),
                amount: words.money(one.amount.0),
                count: one.count,
                sum: words.money(one.sum.0),
            })
            .collect(),
        differences: comparison.differing.iter().map(|one| difference(words, one)).collect(),
    }
}

fn difference(words: Words, one: &Differing) -> Difference {
    let (id, key) = match one.kind {
        Kind::New => ("new", "office-compare-new"),
        Kind::Stopped => ("stopped", "office-compare-stopped"),
        Kind::Changed => ("changed", "office-compare-changed"),
    };
    let amount = |amount: Option<Money>| amount.map_or_else(|| words.t("none"), |amount| words.money(amount.0));
    let left = one.count.saturating_sub(one.rows.len() as u64);
    Difference {
        id,
        title: words.t(key),
        count: one.count,
        now: words.money(one.now.0),
        before: words.money(one.before.0),
        rows: one
            .rows
            .iter()
            .map(|row| {
                (
                    row.number.clone(),
                    words.of(&row.title).to_owned(),
                    amount(row.before),
                    amount(row.now),
                )
            })
            .collect(),
        more: (left > 0).then(|| words.t1("office-compare-more", "n", left)),
    }
}

#[derive(Template)]
#[template(path = "office/payment_run.html")]
struct RunPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    here: String,
    line: Line,
    made_at: String,
    changed_at: String,
    sealed: i32,
    batch_count: i32,
    prepared_sum: String,
    is_working: bool,
    batches: Vec<Batch>,
    beside: Beside,
}

#[derive(Template)]
#[template(path = "office/payment_compare.html")]
struct ComparePage {
    frame: Frame,
    staff: Staff,
    back: &'static str,
    service: String,
    month: String,
    beside: Beside,
}

/// `POST /office/payments/runs`
async fn start(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let Ok(month) = posted.text("month").parse() else {
        return again(&app, duty, &posted, "month", "office-pay-month-wrong").await;
    };
    match run::start(&app.desk, &duty.staff, posted.text("service"), month).await {
        Ok(id) => Ok(onward(&format!("{HERE}/runs/{}?done=run-started", id.uuid()))),
        Err(CaseError::NoService(_)) => again(&app, duty, &posted, "service", "office-pay-service-wrong").await,
        Err(CaseError::Input { .. }) => again(&app, duty, &posted, "month", "office-pay-month-future").await,
        Err(CaseError::Conflict(_)) => again(&app, duty, &posted, "month", "office-run-at-work").await,
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

/// `GET /office/payments/runs/{id}`
async fn show(
    State(app): State<App>,
    duty: Duty,
    Path(text): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let done = done(&duty.frame, &asked.done);
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let run = RunId::from_uuid(id(&text)?);
    let view = run::view(&app.desk, &staff, run).await?;
    let month: Month = view.row.period.parse().map_err(|_| Problem::NotFound)?;
    let comparison = compare::month(&app.desk, &staff, &view.row.service_id, month).await?;
    page(&RunPage {
        done,
        here: format!("{HERE}/runs/{}", run.uuid()),
        made_at: words.time(view.row.made_at),
        changed_at: words.time(view.row.changed_at),
        sealed: view.row.sealed,
        batch_count: view.row.batches,
        prepared_sum: words.money(view.row.prepared_sum.0),
        is_working: matches!(view.row.state, Step::Preparing | Step::Batching),
        line: line(words, &view.row),
        batches: view.batches.iter().map(|row| batch_row(words, row)).collect(),
        beside: beside(words, &comparison),
        frame,
        staff,
    })
}

/// `POST /office/payments/runs/{id}/stop`
async fn stop(State(app): State<App>, duty: Duty, Path(text): Path<String>, _: Posted) -> Result<Response, Problem> {
    let run = RunId::from_uuid(id(&text)?);
    let here = format!("{HERE}/runs/{}", run.uuid());
    match run::stop(&app.desk, &duty.staff, run).await {
        Ok(()) => Ok(onward(&format!("{here}?done=run-stopped"))),
        Err(CaseError::Conflict(_)) => conflict(duty, here),
        Err(error) => Err(error.into()),
    }
}

/// `GET /office/payments/compare/{service}/{month}`
async fn compared(
    State(app): State<App>,
    duty: Duty,
    Path((service, month)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let month: Month = month.parse().map_err(|_| Problem::NotFound)?;
    let comparison = compare::month(&app.desk, &staff, &service, month).await?;
    page(&ComparePage {
        back: if staff.role == Role::Cashier {
            HERE
        } else {
            releases::HERE
        },
        service: words.of(&comparison.service).to_owned(),
        month: month_name(words, &month.to_string()),
        beside: beside(words, &comparison),
        frame,
        staff,
    })
}
