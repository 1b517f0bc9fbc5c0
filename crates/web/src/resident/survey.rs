//! The satisfaction survey (滿意度調查) after completion: one grade, and a comment if one wants.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::{CaseError, measure};

use super::Resident;
use crate::address::{application, onward};
use crate::components::{Choice, Control, ErrorSummary, Field};
use crate::{App, Frame, Posted, Problem, page_with};

#[derive(Template)]
#[template(path = "resident/survey.html")]
struct SurveyPage {
    frame: Frame,
    id: String,
    errors: Option<ErrorSummary>,
    grade: Field,
    comment: Field,
}

fn show_page(
    frame: Frame,
    id: String,
    typed: (&str, &str),
    wrong: Option<(&'static str, &'static str)>,
) -> Result<Response, Problem> {
    let words = frame.words;
    let error = |name: &str| wrong.filter(|(field, _)| *field == name).map(|(_, key)| words.t(key));
    let choices = (1..=5).rev().map(|grade: u8| Choice {
        value: grade.to_string(),
        label: words.t(&format!("survey-grade-{grade}")),
        hint: None,
        chosen: typed.0 == grade.to_string(),
    });
    let grade = Field {
        error: error("grade"),
        ..Field::new(
            words,
            "grade",
            words.t("survey-question"),
            Control::Radios(choices.collect()),
        )
    };
    let comment = Field {
        error: error("comment"),
        optional: true,
        hint: Some(words.t("survey-comment-hint")),
        ..Field::new(
            words,
            "comment",
            words.t("survey-comment"),
            Control::TextArea {
                value: typed.1.to_owned(),
                rows: 4,
            },
        )
    };
    let errors = wrong.map(|(field, key)| ErrorSummary {
        words,
        errors: vec![(field.to_owned(), words.t(key))],
    });
    let status = if errors.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    page_with(
        status,
        &SurveyPage {
            frame,
            id,
            errors,
            grade,
            comment,
        },
    )
}

/// `GET /applications/{id}/survey`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    match measure::survey(&app.desk, &resident.person, application(&id)?).await? {
        Some(survey) if survey.grade.is_none() => show_page(resident.frame, id, ("", ""), None),
        _ => Ok(onward(&format!("/applications/{id}"))),
    }
}

/// `POST /applications/{id}/survey`
pub(super) async fn answer(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let application = application(&id)?;
    let comment = posted.text("comment");
    let grade = posted.text("grade").parse().unwrap_or(0);
    match measure::answer(&app.desk, &resident.person, application, grade, comment).await {
        Ok(()) | Err(CaseError::Conflict(_)) => Ok(onward(&format!("/applications/{id}"))),
        Err(CaseError::Input { field: "grade", .. }) => show_page(
            resident.frame,
            id,
            ("", comment),
            Some(("grade", "survey-grade-missing")),
        ),
        Err(CaseError::Input { .. }) => show_page(
            resident.frame,
            id,
            (posted.text("grade"), comment),
            Some(("comment", "survey-comment-long")),
        ),
        Err(error) => Err(error.into()),
    }
}
