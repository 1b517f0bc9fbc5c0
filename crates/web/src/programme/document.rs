//! The plan as a PDF and as an OpenDocument text, and a text taken in again.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use subsidies::SubsidyError;

use super::plan::{Outcome, render};
use super::{Seat, conflict};
use crate::address::id;
use crate::components::Banner;
use crate::office::document;
use crate::{App, Posted, Problem};

const PDF: &str = "application/pdf";
const ODT: &str = "application/vnd.oasis.opendocument.text";
/// Paragraphs outside of the chapters that are shown; the rest is counted by who reads the document.
const SHOWN: usize = 20;
/// Characters shown of each.
const LENGTH: usize = 200;

/// `GET /programme/plans/{plan}/document`
pub(super) async fn export(State(app): State<App>, seat: Seat, Path(plan): Path<String>) -> Result<Response, Problem> {
    let bytes = subsidies::export(&app.subsidies, &seat.member, id(&plan)?).await?;
    Ok(document(ODT, "attachment", "plan.odt", bytes))
}

/// `GET /programme/plans/{plan}/pdf`: the plan as it stands, marked as a draft.
pub(super) async fn draft_pdf(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
) -> Result<Response, Problem> {
    let bytes = subsidies::print_draft(&app.subsidies, &seat.member, id(&plan)?).await?;
    Ok(document(PDF, "attachment", "plan-draft.pdf", bytes))
}

/// `GET /programme/plans/{plan}/pdf/{which}`: what one's government sent, `sent` or `corrected`.
pub(super) async fn own_pdf(
    State(app): State<App>,
    seat: Seat,
    Path((plan, which)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let corrected = match which.as_str() {
        "sent" => false,
        "corrected" => true,
        _ => return Err(Problem::NotFound),
    };
    let bytes = subsidies::print_own(&app.subsidies, &seat.member, id(&plan)?, corrected).await?;
    Ok(document(PDF, "attachment", &format!("plan-{which}.pdf"), bytes))
}

/// `GET /programme/received/{plan}/pdf`: what was sent last, for panel and ministry.
pub(super) async fn sent_pdf(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
) -> Result<Response, Problem> {
    let bytes = subsidies::print_sent(&app.subsidies, &seat.member, id(&plan)?).await?;
    Ok(document(PDF, "attachment", "plan.pdf", bytes))
}

/// `POST /programme/plans/{plan}/document`: takes in the parts that were changed in a document.
pub(super) async fn import(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let number = id(&plan)?;
    let seen: BTreeMap<String, i64> = posted
        .raw
        .iter()
        .filter_map(|(name, values)| {
            let part = name.strip_prefix("seen.")?;
            Some((part.to_owned(), values.first()?.parse().ok()?))
        })
        .collect();
    let again = StatusCode::UNPROCESSABLE_ENTITY;
    let told = |text: String| Outcome {
        error: Some(text),
        ..Outcome::default()
    };
    let Some(file) = posted.files.get("document") else {
        // who may not write is told that first
        subsidies::draft(&app.subsidies, &seat.member, number).await?;
        let outcome = told(words.t("programme-import-none"));
        return render(&app, seat, &plan, again, outcome).await;
    };
    match subsidies::import(&app.subsidies, &seat.member, number, &file.bytes, &seen).await {
        Ok((changed, left_over)) => {
            let text = match changed {
                0 => words.t("programme-import-nothing"),
                changed => words.t1("programme-import-done", "n", changed),
            };
            let outcome = Outcome {
                done: Some(Banner {
                    words,
                    success: true,
                    text,
                    detail: None,
                }),
                error: None,
                left_over: left_over
                    .into_iter()
                    .take(SHOWN)
                    .map(|text| text.chars().take(LENGTH).collect())
                    .collect(),
            };
            render(&app, seat, &plan, StatusCode::OK, outcome).await
        }
        Err(SubsidyError::Document(error)) => {
            use grants::odt::OdtError::{NoPlan, NotOdt, OtherProgramme, TooLarge};
            let text = match error {
                NotOdt(_) => words.t("programme-import-not-odt"),
                TooLarge(_) => words.t("programme-import-too-large"),
                OtherProgramme(_) => words.t("programme-import-other"),
                NoPlan => words.t("programme-import-no-plan"),
                error => words.t1("programme-import-wrong", "error", error),
            };
            render(&app, seat, &plan, again, told(text)).await
        }
        Err(SubsidyError::Input { field, problem }) => {
            let text = words.t(match (field, problem) {
                ("document", _) => "programme-import-government",
                _ => "programme-too-long",
            });
            render(&app, seat, &plan, again, told(text)).await
        }
        Err(SubsidyError::Conflict(_)) => {
            let text = words.t("programme-import-conflict");
            render(&app, seat, &plan, StatusCode::CONFLICT, told(text)).await
        }
        Err(SubsidyError::State) => conflict(seat, format!("/programme/plans/{plan}")),
        Err(error) => Err(error.into()),
    }
}
