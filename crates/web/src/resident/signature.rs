//! Flow B of MyData: signing with the own certificate (自然人憑證) on the city's page.
//!
//! The text is signed by the person's own component or program; what it made, PKCS#7 in Base64, is put into the form.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::CaseError;
use cases::collect::signature::{self, ToSign};
use civic::roc;

use super::Resident;
use crate::address::{application, onward};
use crate::components::{Control, Entry, ErrorSummary, Field};
use crate::{App, Frame, Posted, Problem, page_with};

#[derive(Template)]
#[template(path = "resident/signature.html")]
struct SignaturePage {
    frame: Frame,
    id: String,
    errors: Option<ErrorSummary>,
    birth: Field,
    /// The text to sign, once the day of birth was given.
    to_sign: Option<ToSign>,
    pkcs7: String,
    wrong: Option<String>,
}

/// What was typed, and what is wrong with it.
#[derive(Default)]
struct Filled {
    birth: [String; 3],
    to_sign: Option<ToSign>,
    pkcs7: String,
    error: Option<(&'static str, &'static str)>,
}

fn render(frame: Frame, id: String, filled: Filled) -> Result<Response, Problem> {
    let words = frame.words;
    let text = filled.error.map(|(_, key)| words.t(key));
    let parts = [("year", 4_u8), ("month", 2), ("day", 2)]
        .into_iter()
        .zip(&filled.birth);
    let boxes = parts.map(|((part, width), value)| Entry {
        part: part.to_owned(),
        label: words.t(&format!("date-{part}")),
        value: value.clone(),
        width,
    });
    let in_birth = filled.error.is_some_and(|(field, _)| field == "birth_date");
    let birth = Field {
        error: text.clone().filter(|_| in_birth),
        ..Field::new(
            words,
            "birth_date",
            words.t("counter-birth-date"),
            Control::Boxes(boxes.collect()),
        )
    };
    let errors = filled.error.map(|(field, key)| {
        let input = if field == "birth_date" {
            "birth_date.year"
        } else {
            field
        };
        ErrorSummary {
            words,
            errors: vec![(input.to_owned(), words.t(key))],
        }
    });
    let status = if errors.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    page_with(
        status,
        &SignaturePage {
            wrong: text.filter(|_| !in_birth),
            birth,
            to_sign: filled.to_sign,
            pkcs7: filled.pkcs7,
            errors,
            frame,
            id,
        },
    )
}

/// `GET /applications/{id}/mydata/sign`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    cases::collect::draft(&app.desk, &resident.person, application(&id)?).await?;
    render(resident.frame, id, Filled::default())
}

/// `POST /applications/{id}/mydata/sign`: the text to sign, or what was signed.
pub(super) async fn sign(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let case = application(&id)?;
    cases::collect::draft(&app.desk, &person, case).await?;
    let text = |name: &str, most: usize| posted.text(name).chars().take(most).collect::<String>();
    let mut filled = Filled {
        birth: [
            text("birth_date.year", 10),
            text("birth_date.month", 10),
            text("birth_date.day", 10),
        ],
        pkcs7: text("pkcs7", 300_000),
        ..Filled::default()
    };
    if let Ok(transaction) = posted.text("transaction").parse() {
        let to_sign = ToSign {
            transaction,
            text: text("text", 10_000),
        };
        if filled.pkcs7.trim().is_empty() {
            filled.error = Some(("pkcs7", "sign-empty"));
        } else {
            match signature::signed(&app.desk, &person, case, &to_sign, &filled.pkcs7, frame.language()).await {
                Ok(to) => return Ok(onward(to.as_str())),
                Err(CaseError::Input {
                    field: "signature",
                    problem,
                }) => filled.error = Some(("pkcs7", wrong(problem))),
                Err(CaseError::Outside { .. }) => filled.error = Some(("pkcs7", "sign-unreachable")),
                Err(error) => return Err(error.into()),
            }
        }
        filled.to_sign = Some(to_sign);
        return render(frame, id, filled);
    }
    let [year, month, day] = &filled.birth;
    let year = year.trim_start_matches("民國");
    match roc::parse(&format!("{year}-{month:0>2}-{day:0>2}")) {
        None => filled.error = Some(("birth_date", "counter-error-birth-date")),
        Some(birthday) => match signature::to_sign(&app.desk, &person, case, birthday).await {
            Ok(to_sign) => filled.to_sign = Some(to_sign),
            Err(CaseError::Outside { .. } | CaseError::Input { .. }) => {
                filled.error = Some(("birth_date", "sign-unreachable"));
            }
            Err(error) => return Err(error.into()),
        },
    }
    render(frame, id, filled)
}

/// The sentence for a refusal of the platform.
fn wrong(problem: &str) -> &'static str {
    match problem {
        "wrong" => "sign-wrong",
        "not_accepted" => "sign-not-accepted",
        "too_late" => "sign-too-late",
        "other_person" => "sign-other-person",
        _ => "sign-form",
    }
}
