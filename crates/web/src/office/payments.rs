//! Payments (撥款): what is due, batches that two people see, the bank's file out and its report in, and what came back.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::pay::{self, BatchRow, DueSum, PaymentRow, batch as verb, report as bank};
use cases::{CaseError, Month, Staff};
use civic::ids::{BatchId, PaymentId};
use serde::Deserialize;
use store::tables::payment_batch::State as BatchState;

use super::act::conflict;
use super::case::{payment_key, reason};
use super::{Duty, document, done, holds, payment_run, releases};
use crate::address::{id, onward};
use crate::components::{Banner, Choice, Colour, ErrorSummary, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

pub(super) const HERE: &str = "/office/payments";

/// The due payments of one service and month.
struct Due {
    service_id: String,
    service: String,
    month: String,
    month_text: String,
    count: u64,
    sum: String,
    /// Of them those that wait for another account.
    waiting: u64,
}

struct Item {
    id: String,
    number: String,
    service: String,
    /// What is paid, as the rules call it.
    title: String,
    month: String,
    amount: String,
    attempt: i32,
    state: Tag,
    reason: String,
    /// What happens next.
    next: String,
    may_retry: bool,
}

pub(super) struct Batch {
    pub(super) href: String,
    pub(super) number: String,
    pub(super) service: String,
    pub(super) month: String,
    pub(super) count: i32,
    pub(super) sum: String,
    pub(super) pay_on: String,
    pub(super) state: Tag,
    pub(super) made_by: String,
    pub(super) made_at: String,
    pub(super) released_by: String,
}

/// What a report changed, in words.
struct Imported {
    title: String,
    href: Option<String>,
    lines: Vec<String>,
}

#[derive(Template)]
#[template(path = "office/payments.html")]
struct PaymentsPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    imported: Option<Imported>,
    services: Vec<Choice>,
    month: String,
    due: Vec<Due>,
    runs: Vec<payment_run::Line>,
    holds: Vec<Held>,
    rejected: Vec<Item>,
    batches: Vec<Batch>,
}

#[derive(Template)]
#[template(path = "office/batch.html")]
struct BatchPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    here: String,
    batch: Batch,
    is_made: bool,
    releasable: bool,
    may_cancel: bool,
    has_file: bool,
    back: &'static str,
    items: Vec<Item>,
    /// Way to the next page of payments.
    next: Option<String>,
    compare: String,
    /// Payments stopped since the batch was made.
    stopped: Option<String>,
    reports: Vec<(String, i32, i32)>,
}

/// A case whose payments are held, in words.
struct Held {
    number: String,
    service: String,
    until: String,
    by: String,
    at: String,
}

/// What the page shows beside what there is.
#[derive(Default)]
struct Said {
    done: Option<Banner>,
    errors: Vec<(String, String)>,
    imported: Option<Imported>,
    service: String,
    month: Option<String>,
}

pub(super) fn month_name(words: Words, month: &str) -> String {
    match (words.language, month.parse::<Month>()) {
        (civic::Language::ZhTw, Ok(month)) => format!("{}年{}月", month.roc_year(), month.number()),
        _ => month.to_owned(),
    }
}

fn item(words: Words, row: &PaymentRow) -> Item {
    use store::tables::payment::State as Step;
    let colour = match row.state {
        Step::Paid => Colour::Green,
        Step::Rejected => Colour::Red,
        Step::Due | Step::Held => Colour::Yellow,
        Step::Batched | Step::Released => Colour::Blue,
    };
    let may_retry = row.state == Step::Rejected && !row.waits_for_account;
    let next = match row.state {
        Step::Rejected if row.waits_for_account => "office-pay-next-account",
        Step::Rejected => "office-pay-next-retry",
        _ => "none",
    };
    Item {
        id: row.id.uuid().to_string(),
        number: row.number.clone(),
        service: words.of(&row.service).to_owned(),
        title: words.of(&row.title).to_owned(),
        month: month_name(words, &row.period),
        amount: words.money(row.amount.0),
        attempt: row.attempt,
        state: Tag::new(words.t(payment_key(row.state)), colour),
        reason: row
            .reason
            .as_deref()
            .map(|code| reason(words, code))
            .unwrap_or_default(),
        next: words.t(next),
        may_retry,
    }
}

pub(super) fn batch_row(words: Words, row: &BatchRow) -> Batch {
    let (key, colour) = match row.state {
        BatchState::Made => ("office-batch-made", Colour::Yellow),
        BatchState::Released => ("office-batch-released", Colour::Blue),
        BatchState::Answered => ("office-batch-answered", Colour::Green),
        BatchState::Dissolved => ("office-batch-dissolved", Colour::Grey),
    };
    Batch {
        href: format!("{HERE}/batches/{}", row.id.uuid()),
        // the whole number stands in the file; people compare its end
        number: row
            .number
            .chars()
            .rev()
            .take(8)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect(),
        service: words.of(&row.service).to_owned(),
        month: month_name(words, &row.period),
        count: row.count,
        sum: words.money(row.sum.0),
        pay_on: row
            .pay_on
            .parse()
            .map_or_else(|_| row.pay_on.clone(), |day| words.date(day)),
        state: Tag::new(words.t(key), colour),
        made_by: row.made_by.clone(),
        made_at: words.time(row.made_at),
        released_by: row.released_by.clone().unwrap_or_else(|| words.t("none")),
    }
}

/// Due payments by service and month.
fn due(words: Words, rows: &[DueSum]) -> Vec<Due> {
    rows.iter()
        .map(|row| Due {
            service_id: row.service_id.clone(),
            service: words.of(&row.service).to_owned(),
            month: row.period.clone(),
            month_text: month_name(words, &row.period),
            count: row.count,
            sum: words.money(row.sum.0),
            waiting: row.waiting,
        })
        .collect()
}

async fn render(app: &App, duty: Duty, status: StatusCode, said: Said) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let overview = pay::overview(&app.desk, &staff).await?;
    let chosen = if said.service.is_empty() && overview.services.len() == 1 {
        overview.services.first().map(|(id, _)| id.clone())
    } else {
        Some(said.service)
    };
    let page = PaymentsPage {
        done: said.done,
        errors: (!said.errors.is_empty()).then_some(ErrorSummary {
            words,
            errors: said.errors,
        }),
        imported: said.imported,
        services: overview
            .services
            .iter()
            .map(|(id, name)| Choice {
                value: id.clone(),
                label: words.of(name).to_owned(),
                hint: None,
                chosen: chosen.as_ref() == Some(id),
            })
            .collect(),
        month: said.month.unwrap_or_else(|| Month::of(app.desk.today()).to_string()),
        due: due(words, &overview.due),
        runs: overview.runs.iter().map(|row| payment_run::line(words, row)).collect(),
        holds: overview
            .holds
            .iter()
            .map(|one| Held {
                number: one.number.clone(),
                service: words.of(&one.service).to_owned(),
                until: holds::until(words, one.until),
                by: holds::by(words, one.made_by.as_deref()),
                at: words.time(one.made_at),
            })
            .collect(),
        rejected: overview.rejected.iter().map(|row| item(words, row)).collect(),
        batches: overview.batches.iter().map(|row| batch_row(words, row)).collect(),
        frame,
        staff,
    };
    page_with(status, &page)
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    after: String,
}

/// `GET /office/payments`
pub(super) async fn show(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let prepared = asked
        .n
        .parse::<u32>()
        .ok()
        .filter(|_| asked.done == "prepared")
        .map(|n| Banner {
            words,
            success: n > 0,
            text: words.t1("office-pay-prepared", "n", n),
            detail: None,
        });
    let done = prepared.or_else(|| done(&duty.frame, &asked.done));
    render(
        &app,
        duty,
        StatusCode::OK,
        Said {
            done,
            ..Said::default()
        },
    )
    .await
}

/// The page again with what was wrong with service or month.
pub(super) async fn again(app: &App, duty: Duty, posted: &Posted, id: &str, key: &str) -> Result<Response, Problem> {
    let errors = vec![(id.to_owned(), duty.frame.t(key))];
    let said = Said {
        errors,
        service: posted.text("service").to_owned(),
        month: Some(posted.text("month").to_owned()),
        ..Said::default()
    };
    render(app, duty, StatusCode::UNPROCESSABLE_ENTITY, said).await
}

/// `POST /office/payments/prepare`: what the month's entitlements ask for and no payment covers yet.
pub(super) async fn prepare(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let Ok(month) = posted.text("month").parse() else {
        return again(&app, duty, &posted, "month", "office-pay-month-wrong").await;
    };
    match pay::prepare(&app.desk, &duty.staff, posted.text("service"), month).await {
        Ok(n) => Ok(onward(&format!("{HERE}?done=prepared&n={n}"))),
        Err(CaseError::NoService(_)) => again(&app, duty, &posted, "service", "office-pay-service-wrong").await,
        Err(CaseError::Input { .. }) => again(&app, duty, &posted, "month", "office-pay-month-future").await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/payments/batch`
pub(super) async fn make(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let Ok(month) = posted.text("month").parse() else {
        return again(&app, duty, &posted, "month", "office-pay-month-wrong").await;
    };
    match verb::make(&app.desk, &duty.staff, posted.text("service"), month).await {
        Ok(id) => Ok(onward(&format!("{HERE}/batches/{}?done=batch-made", id.uuid()))),
        Err(CaseError::NoService(_)) => again(&app, duty, &posted, "service", "office-pay-service-wrong").await,
        Err(CaseError::Input { .. }) => again(&app, duty, &posted, "month", "office-pay-nothing-due").await,
        Err(CaseError::Conflict(_)) => conflict(duty, HERE.to_owned()),
        Err(CaseError::Outside { party, problem }) => {
            tracing::warn!(party, problem, "payment file");
            again(&app, duty, &posted, "month", "office-pay-format").await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/payments/items/{id}/retry`
pub(super) async fn retry(
    State(app): State<App>,
    duty: Duty,
    Path(payment): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let payment = PaymentId::from_uuid(id(&payment)?);
    match pay::retry(&app.desk, &duty.staff, payment).await {
        Ok(()) => Ok(onward(&format!("{HERE}?done=retried"))),
        Err(CaseError::Conflict(_)) => conflict(duty, HERE.to_owned()),
        Err(CaseError::Input { .. }) => again(&app, duty, &posted, "rejected", "office-pay-next-account").await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/payments/report`: the bank's pain.002.
pub(super) async fn report(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let Some(file) = posted.files.get("report") else {
        return again(&app, duty, &posted, "report", "office-report-missing").await;
    };
    match bank::import(&app.desk, &duty.staff, &file.bytes).await {
        Ok(found) => {
            let line = |key: &str, n: u64| words.t1(key, "n", n);
            let mut lines = if found.repeated {
                vec![words.t("office-report-repeated-text")]
            } else {
                vec![
                    line("office-report-paid", found.paid),
                    line("office-report-rejected", found.rejected),
                    line("office-report-pending", found.pending),
                ]
            };
            if found.contradicted > 0 {
                lines.push(line("office-report-contradicted", found.contradicted));
            }
            let title = words.t(if found.repeated {
                "office-report-repeated"
            } else {
                "office-report-imported"
            });
            let imported = Imported {
                title,
                href: Some(format!("{HERE}/batches/{}", found.batch.uuid())),
                lines,
            };
            render(
                &app,
                duty,
                StatusCode::OK,
                Said {
                    imported: Some(imported),
                    ..Said::default()
                },
            )
            .await
        }
        Err(CaseError::Outside { problem, .. }) => {
            tracing::warn!(problem, "a report that is none");
            again(&app, duty, &posted, "report", "office-report-unknown").await
        }
        Err(CaseError::NotFound(_)) => again(&app, duty, &posted, "report", "office-report-no-batch").await,
        Err(CaseError::Input { .. }) => again(&app, duty, &posted, "report", "office-report-not-released").await,
        Err(CaseError::Conflict(_)) => conflict(duty, HERE.to_owned()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/payments/returns`: what the bank got back after it had paid.
pub(super) async fn returned(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let Some(file) = posted.files.get("returns") else {
        return again(&app, duty, &posted, "returns", "office-report-missing").await;
    };
    match pay::returns::import(&app.desk, &duty.staff, &file.bytes).await {
        Ok(found) => {
            let imported = Imported {
                title: words.t("office-return-imported"),
                href: None,
                lines: vec![
                    words.t1("office-return-returned", "n", found.returned),
                    words.t1("office-return-sum", "sum", words.money(found.sum.0)),
                    words.t1("office-return-known", "n", found.known),
                    words.t1("office-return-unfit", "n", found.unfit),
                ],
            };
            let said = Said {
                imported: Some(imported),
                ..Said::default()
            };
            render(&app, duty, StatusCode::OK, said).await
        }
        Err(CaseError::Outside { problem, .. }) => {
            tracing::warn!(problem, "a file of returns that is none");
            again(&app, duty, &posted, "returns", "office-return-unknown").await
        }
        Err(error) => Err(error.into()),
    }
}

async fn render_batch(
    app: &App,
    duty: Duty,
    id: BatchId,
    status: StatusCode,
    done: Option<Banner>,
    error: Option<&str>,
    after: Option<uuid::Uuid>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let view = verb::view(&app.desk, &staff, id, after).await?;
    let page = BatchPage {
        done,
        errors: error.map(|key| ErrorSummary {
            words,
            errors: vec![("release".to_owned(), words.t(key))],
        }),
        here: format!("{HERE}/batches/{}", id.uuid()),
        is_made: view.row.state == BatchState::Made,
        releasable: view.row.releasable,
        may_cancel: view.is_cashier,
        has_file: view.is_cashier && matches!(view.row.state, BatchState::Released | BatchState::Answered),
        back: if view.is_cashier { HERE } else { releases::HERE },
        batch: batch_row(words, &view.row),
        next: view
            .next
            .map(|last| format!("{HERE}/batches/{}?after={last}", id.uuid())),
        compare: format!("{HERE}/compare/{}/{}", view.service_id, view.row.period),
        stopped: (view.stopped > 0).then(|| words.t1("office-batch-stopped", "n", view.stopped)),
        items: view.payments.iter().map(|row| item(words, row)).collect(),
        reports: view.reports,
        frame,
        staff,
    };
    page_with(status, &page)
}

/// The batch an address names.
fn batch_id(text: &str) -> Result<BatchId, Problem> {
    id(text).map(BatchId::from_uuid)
}

/// `GET /office/payments/batches/{id}`
pub(super) async fn batch(
    State(app): State<App>,
    duty: Duty,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let done = done(&duty.frame, &asked.done);
    let after = match asked.after.as_str() {
        "" => None,
        last => Some(crate::address::id(last)?),
    };
    render_batch(&app, duty, batch_id(&id)?, StatusCode::OK, done, None, after).await
}

/// `POST /office/payments/batches/{id}/release`: never by the one who made it.
pub(super) async fn release(
    State(app): State<App>,
    duty: Duty,
    Path(id): Path<String>,
    _: Posted,
) -> Result<Response, Problem> {
    let id = batch_id(&id)?;
    match verb::release(&app.desk, &duty.staff, id).await {
        Ok(()) => Ok(onward(&format!("{HERE}/batches/{}?done=batch-released", id.uuid()))),
        Err(CaseError::Refused(_)) => {
            render_batch(
                &app,
                duty,
                id,
                StatusCode::FORBIDDEN,
                None,
                Some("office-batch-own"),
                None,
            )
            .await
        }
        Err(CaseError::Input { .. }) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            render_batch(&app, duty, id, status, None, Some("office-batch-stopped-release"), None).await
        }
        Err(CaseError::Conflict(_)) => conflict(duty, format!("{HERE}/batches/{}", id.uuid())),
        Err(error) => Err(error.into()),
    }
}

/// `POST /office/payments/batches/{id}/cancel`
pub(super) async fn cancel(
    State(app): State<App>,
    duty: Duty,
    Path(id): Path<String>,
    _: Posted,
) -> Result<Response, Problem> {
    let id = batch_id(&id)?;
    match verb::cancel(&app.desk, &duty.staff, id).await {
        Ok(()) => Ok(onward(&format!("{HERE}/batches/{}?done=batch-dissolved", id.uuid()))),
        Err(CaseError::Conflict(_)) => conflict(duty, format!("{HERE}/batches/{}", id.uuid())),
        Err(error) => Err(error.into()),
    }
}

/// `GET /office/payments/batches/{id}/file`: pain.001.001.09 for the bank.
pub(super) async fn file(State(app): State<App>, duty: Duty, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = batch_id(&id)?;
    match verb::file(&app.desk, &duty.staff, id).await {
        Ok(xml) => Ok(document(
            "application/xml",
            "attachment",
            &format!("pain001-{}.xml", id.uuid()),
            xml,
        )),
        Err(CaseError::Input { .. }) => {
            render_batch(
                &app,
                duty,
                id,
                StatusCode::UNPROCESSABLE_ENTITY,
                None,
                Some("office-batch-not-released"),
                None,
            )
            .await
        }
        Err(error) => Err(error.into()),
    }
}
