//! Another account, when the bank refused the one there is.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::{CaseError, mine, pay};
use services::form::{FieldKind, Invalid, SHOWN};

use super::{Resident, fields};
use crate::address::{application, onward};
use crate::components::{ErrorSummary, Field};
use crate::{App, Frame, Posted, Problem, page_with};

#[derive(Template)]
#[template(path = "resident/account.html")]
struct AccountPage {
    frame: Frame,
    id: String,
    errors: Option<ErrorSummary>,
    account: Field,
}

async fn show_page(app: &App, id: &str, resident: Resident, invalid: Option<&Invalid>) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let words = frame.words;
    let case = mine::case(&app.desk, &person, application(id)?).await?;
    // before a roll is granted the account may be given or changed at will
    let listed = case.line.as_ref().is_some_and(|line| line.open);
    if !(case.account_refused || listed && case.may_account) {
        return Ok(onward(&format!("/applications/{id}")));
    }
    // before anything is typed, so that nothing typed is lost
    if cases::identity::lacking(&app.desk, &person, &case.service).is_some() {
        return Err(Problem::StepUp {
            service: case.service.id.clone(),
            back: Some(format!("/applications/{id}/account")),
        });
    }
    let form = &case.service.form;
    let places = form.places(&case.answers);
    let views = places
        .iter()
        .map(|place| form.view(place, &case.answers, None, invalid, frame.language()));
    let mut found = views
        .flat_map(|view| view.fields)
        .filter(|field| matches!(field.field.kind, FieldKind::BankAccount));
    let mut account = found
        .next()
        .map(|view| fields::field(words, &view))
        .ok_or(Problem::NotFound)?;
    if invalid.is_none()
        && let crate::components::Control::Boxes(entries) = &mut account.control
    {
        // the account that was refused is not offered again
        entries.iter_mut().for_each(|entry| entry.value.clear());
    }
    let errors = invalid.map(|invalid| ErrorSummary {
        words,
        errors: invalid
            .errors
            .iter()
            .map(|error| (error.key.clone(), error.message.clone()))
            .collect(),
    });
    let status = if errors.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    page_with(
        status,
        &AccountPage {
            id: id.to_owned(),
            errors,
            account,
            frame,
        },
    )
}

/// `GET /applications/{id}/account`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    show_page(&app, &id, resident, None).await
}

/// `POST /applications/{id}/account`
pub(super) async fn save(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let language = resident.frame.language();
    let raw: BTreeMap<String, Vec<String>> = posted
        .raw
        .into_iter()
        .filter(|(name, _)| name == SHOWN || !name.starts_with('_'))
        .collect();
    match pay::new_account(&app.desk, &resident.person, application(&id)?, raw, language).await {
        Ok(()) => Ok(onward(&format!("/applications/{id}"))),
        Err(CaseError::Invalid(invalid)) => show_page(&app, &id, resident, Some(&invalid)).await,
        Err(error) => Err(Problem::on(error, &format!("/applications/{id}/account"))),
    }
}
