//! What an officer does to a case. Every form names the revision it was shown with, so that nobody decides on what a
//! colleague has changed meanwhile.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::review;
use cases::{Act, CaseError, Staff};

use super::case::{DAYS, Typed, due, render};
use super::{Duty, document};
use crate::address::{application, onward};
use crate::{App, Frame, Posted, Problem, page_with};

/// Somebody was faster, or the act has no place any more.
#[derive(Template)]
#[template(path = "office/conflict.html")]
struct ConflictPage {
    frame: Frame,
    staff: Staff,
    here: String,
}

/// The page for an act that came too late.
pub(crate) fn conflict(duty: Duty, here: String) -> Result<Response, Problem> {
    page_with(
        StatusCode::CONFLICT,
        &ConflictPage {
            frame: duty.frame,
            staff: duty.staff,
            here,
        },
    )
}

fn typed(posted: &Posted) -> Typed {
    // browsers send line ends as CR LF
    let text = |name: &str| posted.text(name).replace("\r\n", "\n");
    Typed {
        note: text("note"),
        reasons: posted.raw.contains_key("reasons").then(|| text("reasons")),
        message: text("message"),
        fields: posted
            .raw
            .get("field")
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .collect(),
        days: posted
            .text("days")
            .parse()
            .ok()
            .filter(|days| DAYS.contains(days))
            .unwrap_or(DAYS[0]),
        ..Typed::default()
    }
}

/// The reasons a letter adds to those of the rules. What the page wrote itself and nobody changed says nothing more than
/// the letter's own list.
fn reasons(posted: &Posted, typed: &Typed) -> String {
    let text = typed.reasons.clone().unwrap_or_default();
    if text == posted.text("prefilled").replace("\r\n", "\n") {
        String::new()
    } else {
        text
    }
}

/// What the person is asked to correct, as one text: the fields chosen, then what the officer says.
fn message(typed: &Typed) -> String {
    if typed.fields.is_empty() {
        return typed.message.clone();
    }
    let lines: Vec<String> = typed.fields.iter().map(|field| format!("・{field}")).collect();
    format!("請補正下列項目：\n{}\n{}", lines.join("\n"), typed.message)
        .trim_end()
        .to_owned()
}

/// `POST /office/cases/{id}/{act}`
pub(super) async fn act(
    State(app): State<App>,
    duty: Duty,
    Path((id, act)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let mut typed = typed(&posted);
    let revision = posted.value("revision")?;
    let (desk, staff) = (&app.desk, &duty.staff);
    let (done, result) = match act.as_str() {
        "take" => ("taken", review::take(desk, staff, id, revision).await),
        "give-back" => ("given-back", review::give_back(desk, staff, id, revision).await),
        "approve" => (
            "approved",
            review::approve(desk, staff, id, revision, &typed.note).await,
        ),
        "refuse" => {
            typed.open = "refuse";
            (
                "refused",
                review::refuse(desk, staff, id, revision, &reasons(&posted, &typed)).await,
            )
        }
        "correction" => {
            typed.open = "correction";
            (
                "correction",
                review::request_correction(desk, staff, id, revision, &message(&typed), due(desk, typed.days)).await,
            )
        }
        "undo" => ("undone", review::undo(desk, staff, id, revision).await),
        _ => return Err(Problem::NotFound),
    };
    let here = format!("/office/cases/{}", id.uuid());
    match result {
        Ok(()) => Ok(onward(&format!("{here}?done={done}"))),
        Err(CaseError::Conflict(_) | CaseError::Illegal(_)) => conflict(duty, here),
        Err(CaseError::Input { field, problem }) => {
            typed.error = Some(explain(&duty.frame, field, problem));
            render(&app, duty, id, StatusCode::UNPROCESSABLE_ENTITY, None, typed).await
        }
        Err(CaseError::Letter(error)) => {
            tracing::warn!(%error, "letter");
            typed.error = Some(("acts", duty.frame.t("office-error-letter")));
            render(&app, duty, id, StatusCode::UNPROCESSABLE_ENTITY, None, typed).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Where the mistake is, and what to do about it.
fn explain(frame: &Frame, field: &str, problem: &str) -> (&'static str, String) {
    match (field, problem) {
        ("confirmation", _) => ("acts", frame.t("office-error-unconfirmed")),
        ("assigned", _) => ("acts", frame.t("office-error-not-held")),
        ("outcome", _) => ("acts", frame.t("office-error-not-eligible")),
        ("reasons", "too_long") => ("reasons", frame.t("office-error-too-long")),
        ("reasons", _) => ("reasons", frame.t("office-error-reasons")),
        ("message", "too_long") => ("message", frame.t("office-error-too-long")),
        ("message", _) => ("message", frame.t("office-error-message")),
        ("due", _) => ("days", frame.t("office-error-due")),
        ("note", _) => ("note", frame.t("office-error-too-long")),
        _ => ("acts", frame.t("office-error-other")),
    }
}

/// `POST /office/cases/{id}/preview/{kind}`: the letter as it would leave, before anything is decided.
pub(super) async fn preview(
    State(app): State<App>,
    duty: Duty,
    Path((id, kind)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let mut typed = typed(&posted);
    let (act, text) = match kind.as_str() {
        "approve" => (Act::Approve, typed.note.clone()),
        "refuse" => (Act::Refuse, reasons(&posted, &typed)),
        "correction" => (Act::RequestCorrection, message(&typed)),
        _ => return Err(Problem::NotFound),
    };
    match review::preview(&app.desk, &duty.staff, id, act, &text).await {
        Ok(pdf) => Ok(document(
            "application/pdf",
            "inline",
            &format!("preview-{}.pdf", id.uuid()),
            pdf,
        )),
        Err(CaseError::Letter(error)) => {
            tracing::warn!(%error, "letter");
            typed.error = Some(("acts", duty.frame.t("office-error-letter")));
            render(&app, duty, id, StatusCode::UNPROCESSABLE_ENTITY, None, typed).await
        }
        Err(error) => Err(error.into()),
    }
}
