//! What was paid too much (溢領追繳): the list, and one claim with what is done about it.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use cases::claim::{self, Kind, Receipt, Row, State as Step};
use cases::{CaseError, Month, Role, Staff};
use jiff::civil::Date;
use serde::Deserialize;

use super::act::conflict;
use super::queue::short;
use super::{Duty, done};
use crate::address::{id, onward};
use crate::components::{Banner, Cell, Colour, ErrorSummary, Head, Table, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

/// The list of claims.
pub(super) const HERE: &str = "/office/claims";

/// The pages of claims.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(HERE, get(list))
        .route("/office/claims/{id}", get(show))
        .route("/office/claims/{id}/{act}", post(act))
}

#[derive(Template)]
#[template(path = "office/claims.html")]
struct ListPage {
    frame: Frame,
    staff: Staff,
    open: Table,
    closed: Table,
}

/// How far a claim has come, in a word.
pub(crate) fn state(words: Words, state: Step) -> Tag {
    let (key, colour) = match state {
        Step::Found => ("claim-state-found", Colour::Yellow),
        Step::Told => ("claim-state-told", Colour::Blue),
        Step::Settled => ("claim-state-settled", Colour::Green),
        Step::Waived => ("claim-state-waived", Colour::Grey),
    };
    Tag::new(words.t(key), colour)
}

/// A month in words.
pub(crate) fn month(words: Words, month: Month) -> String {
    words.with(
        "payments-of",
        &[
            ("year", month.roc_year().to_string()),
            ("month", month.number().to_string()),
        ],
    )
}

fn table(words: Words, caption: &str, rows: Vec<Row>) -> Table {
    let rows = rows.into_iter().map(|row| {
        vec![
            Cell::link(row.number.clone(), format!("{HERE}/{}", row.id)),
            Cell::text(words.of(&row.service)),
            Cell::tag(state(words, row.state)),
            Cell::text(words.money(row.total.0)),
            Cell::text(words.money(row.left().0)),
            Cell::text(row.due.map_or_else(|| words.t("none"), |day| short(words, day))),
        ]
    });
    let text = |key: &str| Head::text(words.t(key));
    let number = |key: &str| Head::number(words.t(key));
    Table {
        caption: words.t(caption),
        head: vec![
            text("office-queue-number"),
            text("office-service"),
            text("office-queue-state"),
            number("claim-total"),
            number("claim-left"),
            text("claim-due"),
        ],
        rows: rows.collect(),
    }
}

/// `GET /office/claims`
async fn list(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    page(&ListPage {
        open: table(words, "claim-open", claim::list(&app.desk, &staff, true).await?),
        closed: table(words, "claim-closed", claim::list(&app.desk, &staff, false).await?),
        frame,
        staff,
    })
}

/// What was typed, to be shown again.
#[derive(Default)]
struct Typed {
    reason: String,
    waive: String,
    amount: String,
    day: String,
    reference: String,
    error: Option<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "office/claim.html")]
struct ClaimPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    here: String,
    case: Option<String>,
    number: String,
    service: String,
    state: Tag,
    revision: i64,
    facts: Vec<(String, String)>,
    months: Table,
    entries: Table,
    may_tell: bool,
    may_receive: bool,
    may_waive: bool,
    left: String,
    typed: Typed,
}

async fn render(
    app: &App,
    duty: Duty,
    text: &str,
    status: StatusCode,
    done: Option<Banner>,
    typed: Typed,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let view = claim::view(&app.desk, &staff, id(text)?).await?;
    let row = view.row;
    let money = |amount: civic::Money| words.money(amount.0);
    let day = |day: Option<Date>| day.map_or_else(|| words.t("none"), |day| words.date(day));
    let decides = matches!(staff.role, Role::Officer | Role::Supervisor);
    let entries = view.entries.iter().map(|entry| {
        let kind = match entry.kind {
            Kind::Received => "claim-received",
            Kind::Waived => "claim-waived",
        };
        vec![
            Cell::text(day(entry.day)),
            Cell::text(words.t(kind)),
            Cell::text(money(entry.amount)),
            Cell::text(entry.reference.clone().unwrap_or_else(|| words.t("none"))),
        ]
    });
    let page = ClaimPage {
        done,
        errors: typed.error.map(|(field, key)| ErrorSummary {
            words,
            errors: vec![(field.to_owned(), words.t(key))],
        }),
        here: format!("{HERE}/{}", row.id),
        case: decides.then(|| format!("/office/cases/{}", row.application.uuid())),
        service: words.of(&row.service).to_owned(),
        state: state(words, row.state),
        revision: row.revision,
        facts: vec![
            (words.t("claim-total"), money(row.total)),
            (words.t("claim-recovered"), money(row.recovered)),
            (words.t("claim-left"), money(row.left())),
            (words.t("claim-due"), day(row.due)),
            (words.t("claim-found"), words.time(row.made_at)),
        ],
        months: Table {
            caption: words.t("claim-months"),
            head: vec![
                Head::text(words.t("payments-month")),
                Head::number(words.t("claim-too-much")),
            ],
            rows: view
                .months
                .iter()
                .map(|(of, amount)| vec![Cell::text(month(words, *of)), Cell::text(money(*amount))])
                .collect(),
        },
        entries: Table {
            caption: words.t("claim-entries"),
            head: vec![
                Head::text(words.t("claim-day")),
                Head::text(words.t("claim-what")),
                Head::number(words.t("office-pay-amount")),
                Head::text(words.t("claim-reference")),
            ],
            rows: entries.collect(),
        },
        may_tell: decides && row.state == Step::Found,
        may_receive: staff.role == Role::Cashier && row.state == Step::Told,
        may_waive: staff.role == Role::Supervisor && matches!(row.state, Step::Found | Step::Told),
        left: money(row.left()),
        number: row.number,
        typed,
        frame,
        staff,
    };
    page_with(status, &page)
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

/// `GET /office/claims/{id}`
async fn show(
    State(app): State<App>,
    duty: Duty,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let done = done(&duty.frame, &asked.done);
    render(&app, duty, &id, StatusCode::OK, done, Typed::default()).await
}

/// The receipt as typed: whole dollars, and a day in ROC years or as `2026-12-04`.
fn receipt(typed: &Typed) -> Result<Receipt, CaseError> {
    let input = |field, problem| CaseError::Input { field, problem };
    let digits: String = typed
        .amount
        .chars()
        .filter(|c| !matches!(c, ',' | '，' | ' '))
        .collect();
    Ok(Receipt {
        amount: digits.parse().map_err(|_| input("amount", "no_number"))?,
        day: civic::roc::parse(&typed.day).ok_or(input("day", "no_day"))?,
        reference: typed.reference.clone(),
    })
}

fn explain(field: &str, problem: &str) -> (&'static str, &'static str) {
    match (field, problem) {
        ("amount", _) => ("amount", "claim-error-amount"),
        ("day", "in_the_future") => ("day", "claim-error-day-future"),
        ("day", _) => ("day", "claim-error-day"),
        ("reference", "known") => ("reference", "claim-error-reference-known"),
        ("reference", _) => ("reference", "claim-error-reference"),
        ("waive", "own") => ("waive", "claim-error-own"),
        ("waive", "too_long") => ("waive", "office-error-too-long"),
        ("waive", _) => ("waive", "claim-error-reason"),
        (_, "too_long") => ("reason", "office-error-too-long"),
        _ => ("reason", "claim-error-reason"),
    }
}

/// `POST /office/claims/{id}/{act}`: tells the person, notes money that came back, or waives the rest.
async fn act(
    State(app): State<App>,
    duty: Duty,
    Path((claim, act)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (number, revision) = (id(&claim)?, posted.value("revision")?);
    let text = |name: &str| posted.text(name).replace("\r\n", "\n");
    let mut typed = Typed {
        reason: text("reason"),
        waive: text("waive"),
        amount: posted.text("amount").trim().to_owned(),
        day: posted.text("day").trim().to_owned(),
        reference: posted.text("reference").trim().to_owned(),
        error: None,
    };
    let (desk, staff) = (&app.desk, &duty.staff);
    let result = match act.as_str() {
        "tell" => claim::tell(desk, staff, number, revision, &typed.reason).await,
        "waive" => claim::waive(desk, staff, number, revision, &typed.waive).await,
        "receive" => match receipt(&typed) {
            Ok(receipt) => claim::receive(desk, staff, number, revision, &receipt).await,
            Err(error) => Err(error),
        },
        _ => return Err(Problem::NotFound),
    };
    match result {
        Ok(()) => Ok(onward(&format!("{HERE}/{claim}?done=claim-{act}"))),
        Err(CaseError::Conflict(_)) => conflict(duty, format!("{HERE}/{claim}")),
        Err(CaseError::Input { field, problem }) => {
            typed.error = Some(explain(field, problem));
            render(&app, duty, &claim, StatusCode::UNPROCESSABLE_ENTITY, None, typed).await
        }
        Err(error) => Err(error.into()),
    }
}
