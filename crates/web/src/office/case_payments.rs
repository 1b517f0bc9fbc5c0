//! The payments of one case for its officers: what was paid, and holds (暫停給付).

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use cases::pay::hold::{self, CasePayments};
use cases::pay::stop;
use cases::{CaseError, Month, Staff};
use civic::ids::ApplicationId;
use jiff::civil::Date;
use serde::Deserialize;

use super::act::conflict;
use super::case::{payment_key, reason};
use super::payments::month_name;
use super::{Duty, done, holds};
use crate::address::{application, onward};
use crate::components::{Banner, ErrorSummary};
use crate::{App, Frame, Posted, Problem, page_with};

/// The pages of a case's payments.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/office/cases/{id}/payments", get(show))
        .route("/office/cases/{id}/payments/hold", post(hold))
        .route("/office/cases/{id}/payments/resume", post(resume))
        .route("/office/cases/{id}/payments/stop", post(end))
}

/// A payment in words: month, amount, state, the bank's reason.
struct Paid {
    month: String,
    amount: String,
    state: String,
    reason: String,
}

/// An amount for each month of a span, in words.
struct Span {
    title: String,
    amount: String,
    months: String,
}

/// A hold in words.
struct Held {
    reason: String,
    until: String,
    by: String,
    at: String,
    ended: String,
}

/// What was typed, for the page that says what is wrong with it.
#[derive(Default)]
struct Typed {
    reason: String,
    until: String,
    stop_reason: String,
    last: String,
    error: Option<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "office/case_payments.html")]
struct PaymentsPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    back: String,
    here: String,
    number: String,
    service: String,
    revision: i64,
    spans: Vec<Span>,
    payments: Vec<Paid>,
    is_held: bool,
    holds: Vec<Held>,
    typed: Typed,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

async fn render(
    app: &App,
    duty: Duty,
    id: ApplicationId,
    status: StatusCode,
    done: Option<Banner>,
    typed: Typed,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let view: CasePayments = hold::view(&app.desk, &staff, id).await?;
    let errors = typed.error.map(|(field, key)| ErrorSummary {
        words,
        errors: vec![(field.to_owned(), words.t(key))],
    });
    let page = PaymentsPage {
        done,
        errors,
        back: format!("/office/cases/{}", id.uuid()),
        here: format!("/office/cases/{}/payments", id.uuid()),
        number: view.number.clone(),
        service: words.of(&view.service).to_owned(),
        revision: view.revision,
        is_held: view.open().is_some(),
        spans: view
            .spans
            .iter()
            .map(|span| Span {
                title: words.of(&span.title).to_owned(),
                amount: words.money(span.amount.0),
                months: if span.first == span.last {
                    month_name(words, &span.first)
                } else {
                    format!("{} – {}", month_name(words, &span.first), month_name(words, &span.last))
                },
            })
            .collect(),
        payments: view
            .payments
            .iter()
            .map(|one| Paid {
                month: month_name(words, &one.period),
                amount: words.money(one.amount),
                state: words.t(payment_key(one.state)),
                reason: one
                    .reason
                    .as_deref()
                    .map(|code| reason(words, code))
                    .unwrap_or_default(),
            })
            .collect(),
        holds: view
            .holds
            .iter()
            .map(|one| Held {
                reason: match (&one.reason, &one.made_by) {
                    (Some(reason), _) => reason.clone(),
                    (None, None) => words.t("office-hold-left-register"),
                    (None, Some(_)) => words.t("none"),
                },
                until: holds::until(words, one.until),
                by: holds::by(words, one.made_by.as_deref()),
                at: words.time(one.made_at),
                ended: one.ended_at.map_or_else(|| words.t("none"), |at| words.time(at)),
            })
            .collect(),
        typed,
        frame,
        staff,
    };
    page_with(status, &page)
}

/// `GET /office/cases/{id}/payments`
async fn show(
    State(app): State<App>,
    duty: Duty,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let done = done(&duty.frame, &asked.done);
    render(&app, duty, application(&id)?, StatusCode::OK, done, Typed::default()).await
}

/// A day as `YYYY-MM-DD` of the browser's date field; nothing typed means no end.
fn day(text: &str) -> Result<Option<Date>, ()> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| ()),
    }
}

/// `POST /office/cases/{id}/payments/hold`
async fn hold(State(app): State<App>, duty: Duty, Path(id): Path<String>, posted: Posted) -> Result<Response, Problem> {
    let id = application(&id)?;
    let revision = posted.value("revision")?;
    let here = format!("/office/cases/{}/payments", id.uuid());
    let mut typed = Typed {
        reason: posted.text("reason").replace("\r\n", "\n"),
        until: posted.text("until").to_owned(),
        ..Typed::default()
    };
    let result = match day(&typed.until) {
        Ok(until) => hold::hold(&app.desk, &duty.staff, id, revision, &typed.reason, until).await,
        Err(()) => Err(CaseError::Input {
            field: "until",
            problem: "no_day",
        }),
    };
    match result {
        Ok(()) => Ok(onward(&format!("{here}?done=held"))),
        Err(CaseError::Conflict(_)) => conflict(duty, here),
        Err(CaseError::Input { field, problem }) => {
            typed.error = Some(match (field, problem) {
                ("reason", "too_long") => ("reason", "office-hold-reason-long"),
                ("reason", _) => ("reason", "office-hold-reason-missing"),
                ("until", "past") => ("until", "office-hold-until-past"),
                ("until", _) => ("until", "office-hold-until-wrong"),
                _ => ("hold", "office-hold-not-approved"),
            });
            render(&app, duty, id, StatusCode::UNPROCESSABLE_ENTITY, None, typed).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/cases/{id}/payments/resume`
async fn resume(
    State(app): State<App>,
    duty: Duty,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let here = format!("/office/cases/{}/payments", id.uuid());
    match hold::resume(&app.desk, &duty.staff, id, posted.value("revision")?).await {
        Ok(()) => Ok(onward(&format!("{here}?done=resumed"))),
        Err(CaseError::Conflict(_)) => conflict(duty, here),
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/cases/{id}/payments/stop`
async fn end(State(app): State<App>, duty: Duty, Path(id): Path<String>, posted: Posted) -> Result<Response, Problem> {
    let id = application(&id)?;
    let revision = posted.value("revision")?;
    let here = format!("/office/cases/{}/payments", id.uuid());
    let mut typed = Typed {
        stop_reason: posted.text("stop_reason").replace("\r\n", "\n"),
        last: posted.text("last").trim().to_owned(),
        ..Typed::default()
    };
    let result = match typed.last.parse::<Month>() {
        Ok(last) => stop::stop(&app.desk, &duty.staff, id, revision, &typed.stop_reason, last).await,
        Err(_) => Err(CaseError::Input {
            field: "last",
            problem: "no_month",
        }),
    };
    match result {
        Ok(()) => Ok(onward(&format!("{here}?done=payments-stopped"))),
        Err(CaseError::Conflict(_)) => conflict(duty, here),
        Err(CaseError::Input { field, problem }) => {
            typed.error = Some(match (field, problem) {
                ("reason", "too_long") => ("stop-reason", "office-hold-reason-long"),
                ("reason", _) => ("stop-reason", "office-stop-reason-missing"),
                ("last", "ended") => ("last", "office-stop-last-ended"),
                ("last", _) => ("last", "office-pay-month-wrong"),
                _ => ("stop", "office-hold-not-approved"),
            });
            render(&app, duty, id, StatusCode::UNPROCESSABLE_ENTITY, None, typed).await
        }
        Err(error) => Err(error.into()),
    }
}
