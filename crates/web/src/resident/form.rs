//! One page of the form: what is still asked, and what is known with its source.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::collect::{self, Draft};
use cases::{CaseError, Person, State as CaseState};
use serde::Deserialize;
use services::form::{APPLICANT, FieldKind, Invalid, SHOWN};

use super::{Resident, apply, family, fields, wallet};
use crate::address::{application, onward};
use crate::components::{ErrorSummary, Field, Known};
use crate::{App, Frame, Posted, Problem, page_with};

#[derive(Template)]
#[template(path = "resident/form.html")]
struct FormPage {
    frame: Frame,
    id: String,
    address: String,
    title: String,
    hint: Option<String>,
    /// Whom the page is about.
    about: Option<String>,
    errors: Option<ErrorSummary>,
    asked: Vec<Field>,
    known: Vec<Known>,
    /// Keys of all fields on the page.
    keys: Vec<String>,
    revision: i64,
    /// Pages with questions left, this one among them.
    left: usize,
    back: String,
    upload: bool,
    /// `check` where the person came from there.
    from: String,
    /// Whether something asked here can be shown by a card of the wallet.
    by_card: bool,
}

/// Where the person came from.
#[derive(Deserialize)]
pub(super) struct From {
    #[serde(default)]
    from: String,
}

fn show_page(
    app: &App,
    person: &Person,
    frame: Frame,
    draft: &Draft,
    address: &str,
    invalid: Option<&Invalid>,
    from: &str,
) -> Result<Response, Problem> {
    let form = &draft.service.form;
    let place = form.place(address, &draft.answers).ok_or(Problem::NotFound)?;
    let words = frame.words;
    let view = form.view(&place, &draft.answers, None, invalid, frame.language());
    let open = |key: &str| draft.questions.iter().any(|question| question.key == key);
    let in_raw = |key: &str| {
        invalid.is_some_and(|invalid| {
            invalid
                .raw
                .get(SHOWN)
                .is_some_and(|keys| keys.iter().any(|one| one == key))
        })
    };
    let (mut asked, mut known, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    let mut by_card = false;
    for field in &view.fields {
        // where the money goes is only asked of who may say it
        if !draft.may_account && matches!(field.field.kind, FieldKind::BankAccount) {
            continue;
        }
        let has_value = !field.shown.is_empty();
        // on the way only what still matters is asked; who comes back from the check may also say what is optional
        let ask = if has_value {
            field.source.is_none_or(|source| {
                matches!(
                    source,
                    services::form::Source::Person | services::form::Source::Screening
                )
            })
        } else {
            open(&field.key) || in_raw(&field.key) || (from == "check" && !field.field.required)
        };
        if field.field.ask == services::form::Ask::Never {
            if has_value {
                known.push(fields::known(words, field));
            }
            continue;
        }
        if ask {
            // a card shows what is the applicant's own
            let is_own = view.item.is_none() || address.ends_with(&format!(".{APPLICANT}"));
            by_card |= is_own && field.field.wallet.is_some() && draft.state == CaseState::Draft;
            asked.push(fields::field(words, field));
        } else if has_value {
            known.push(fields::known(words, field));
        } else {
            continue;
        }
        keys.push(field.key.clone());
    }
    let mut pages: Vec<&str> = draft
        .questions
        .iter()
        .map(|question| question.address.as_str())
        .collect();
    pages.dedup();
    let errors = invalid.map(|invalid| ErrorSummary {
        words,
        errors: invalid
            .errors
            .iter()
            .map(|error| (error.key.clone(), error.message.clone()))
            .collect(),
    });
    let upload = asked
        .iter()
        .any(|field| matches!(field.control, crate::components::Control::File { .. }));
    let status = if invalid.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let back = if from == "check" {
        apply::address(draft.id, "check")
    } else {
        format!("/applications/{}", draft.id)
    };
    page_with(
        status,
        &FormPage {
            id: draft.id.to_string(),
            address: view.address.clone(),
            title: view.title.to_owned(),
            hint: view.hint.map(str::to_owned),
            about: view.item,
            errors: errors.filter(|errors| !errors.errors.is_empty()),
            asked,
            known,
            keys,
            revision: draft.revision,
            left: pages.len(),
            back,
            upload,
            by_card: by_card && wallet::offers(app, person, draft),
            from: if from == "check" { "check" } else { "" }.to_owned(),
            frame,
        },
    )
}

/// Whether the form is open: a draft that was agreed to, or an application sent back for correction.
fn opened(draft: &Draft) -> Option<String> {
    match draft.state {
        CaseState::Draft if !draft.agreed => Some(apply::address(draft.id, "notice")),
        CaseState::Draft | CaseState::Correction => None,
        _ => Some(format!("/applications/{}", draft.id)),
    }
}

/// `GET /applications/{id}/form/{address}`
pub(super) async fn show(
    State(app): State<App>,
    Path((id, address)): Path<(String, String)>,
    Query(from): Query<From>,
    resident: Resident,
) -> Result<Response, Problem> {
    let draft = collect::draft(&app.desk, &resident.person, application(&id)?).await?;
    if let Some(elsewhere) = opened(&draft) {
        return Ok(onward(&elsewhere));
    }
    if let Some(group) = family::group(&draft, &address) {
        return family::show(resident.frame, &draft, group, &from.from);
    }
    show_page(
        &app,
        &resident.person,
        resident.frame,
        &draft,
        &address,
        None,
        &from.from,
    )
}

/// `POST /applications/{id}/form/{address}`
pub(super) async fn save(
    State(app): State<App>,
    Path((id, address)): Path<(String, String)>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let id = application(&id)?;
    let revision = posted.value("_revision")?;
    if posted.raw.contains_key("act") {
        let draft = collect::draft(&app.desk, &person, id).await?;
        if family::group(&draft, &address).is_some() {
            return family::save(&app, &person, &draft, &posted).await;
        }
    }
    let from = posted.text("_from").to_owned();
    let raw: BTreeMap<String, Vec<String>> = posted
        .raw
        .into_iter()
        .filter(|(name, _)| name == SHOWN || !name.starts_with('_'))
        .collect();
    match collect::save(&app.desk, &person, id, revision, &address, raw, frame.language()).await {
        Ok(draft) if draft.state == CaseState::Correction || from == "check" => {
            Ok(onward(&apply::address(draft.id, "check")))
        }
        Ok(draft) => Ok(onward(&apply::question(&draft))),
        Err(CaseError::Invalid(invalid)) => {
            let draft = collect::draft(&app.desk, &person, id).await?;
            show_page(&app, &person, frame, &draft, &address, Some(&invalid), &from)
        }
        Err(error) => Err(error.into()),
    }
}
