//! The end: the summary is printed and signed, the application handed in, the receipt printed.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::collect::Draft;
use cases::counter;
use cases::{CaseError, Staff, State as CaseState, transition};
use uuid::Uuid;

use super::{Serving, address, next, source};
use crate::address::{application, id as identifier, onward};
use crate::components::{ErrorSummary, Outcome, Row, SummaryList};
use crate::office::{clock, document};
use crate::resident::explained;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

#[derive(Template)]
#[template(path = "counter/summary.html")]
struct SummaryPage {
    frame: Frame,
    staff: Staff,
    person: String,
    id: String,
    title: String,
    errors: Option<ErrorSummary>,
    /// Title of each part and its answers.
    parts: Vec<(String, SummaryList)>,
    outcome: Outcome,
    /// The summary that shows these answers, once it is printed.
    printed: Option<String>,
    revision: i64,
    form_token: String,
}

fn parts(words: Words, draft: &Draft) -> Vec<(String, SummaryList)> {
    let form = &draft.service.form;
    let mut parts = Vec::new();
    for place in form.places(&draft.answers) {
        let view = form.view(&place, &draft.answers, None, None, words.language);
        let rows: Vec<Row> = view
            .fields
            .iter()
            .filter(|field| !field.shown.is_empty())
            .map(|field| Row {
                note: field.source.map(|found| source(words, found)),
                ..Row::new(field.label, field.shown.clone())
            })
            .collect();
        let title = match &view.item {
            Some(item) => format!("{}：{item}", view.title),
            None => view.title.to_owned(),
        };
        if !rows.is_empty() {
            parts.push((title, SummaryList { rows }));
        }
    }
    parts
}

async fn render(app: &App, id: &str, serving: Serving, error: Option<String>) -> Result<Response, Problem> {
    let id = application(id)?;
    let draft = counter::draft(&app.desk, &serving.visit, id).await?;
    if draft.state != CaseState::Draft || !draft.agreed {
        return Ok(onward(&next(&draft)));
    }
    if !draft.questions.is_empty() {
        return Ok(onward(&address(id, "")));
    }
    let printed = counter::signable(&app.desk, &serving.visit, id).await?;
    let words = serving.frame.words;
    let status = error
        .as_ref()
        .map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
    page_with(
        status,
        &SummaryPage {
            person: serving.visit.person.name,
            id: id.to_string(),
            title: words.of(&draft.service.meta.name).to_owned(),
            errors: error.map(|text| ErrorSummary {
                words,
                errors: vec![(if printed.is_some() { "signed" } else { "print" }.to_owned(), text)],
            }),
            parts: parts(words, &draft),
            outcome: explained::outcome(words, &draft.service, &draft.decision, draft.state),
            printed: printed.map(|paper| paper.to_string()),
            revision: draft.revision,
            form_token: draft.form_token.to_string(),
            staff: serving.staff,
            frame: serving.frame,
        },
    )
}

/// `GET /counter/applications/{id}/summary`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
) -> Result<Response, Problem> {
    render(&app, &id, serving, None).await
}

/// `POST /counter/applications/{id}/summary`: prints the summary.
pub(super) async fn print(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = serving.frame.words;
    let application = application(&id)?;
    let revision = posted.value("_revision")?;
    match counter::print(&app.desk, &serving.visit, application, revision).await {
        Ok(_) | Err(CaseError::Incomplete(_)) => Ok(onward(&address(application, "summary"))),
        Err(CaseError::Letter(error)) => {
            tracing::warn!(%error, "summary");
            render(&app, &id, serving, Some(words.t("counter-error-print"))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /counter/applications/{id}/summary/{paper}`
pub(super) async fn summary(
    State(app): State<App>,
    Path((id, paper)): Path<(String, String)>,
    serving: Serving,
) -> Result<Response, Problem> {
    let paper = identifier(&paper)?;
    let pdf = counter::summary(&app.desk, &serving.visit, application(&id)?, paper).await?;
    Ok(document(
        "application/pdf",
        "inline",
        &format!("summary-{paper}.pdf"),
        pdf,
    ))
}

/// `POST /counter/applications/{id}/submit`: hands in what the person has signed. Twice is once.
pub(super) async fn submit(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = serving.frame.words;
    let application = application(&id)?;
    let token: Uuid = posted.value("_form_token")?;
    let revision = posted.value("_revision")?;
    // the case is looked for first: what is not the clerk's to see is not found, whatever was ticked
    counter::case(&app.desk, &serving.visit, application).await?;
    if posted.text("signed") != "yes" {
        return render(&app, &id, serving, Some(words.t("counter-error-signed"))).await;
    }
    let error = match counter::hand_in(&app.desk, &serving.visit, application, revision, token).await {
        Ok(_) => return Ok(onward(&address(application, "done"))),
        Err(CaseError::Incomplete(_)) => return Ok(onward(&address(application, ""))),
        Err(CaseError::Input { .. }) => words.t("counter-error-stale"),
        Err(CaseError::Closed { next: Some(opens) }) => words.t1("round-closed-next", "time", clock(words, opens)),
        Err(CaseError::Closed { next: None }) => words.t("round-closed-now"),
        Err(CaseError::OnRoll) => words.t("roll-stands"),
        Err(CaseError::Entered) => words.t("round-entered"),
        Err(CaseError::NoPlace) => words.t("round-no-place"),
        Err(error) => return Err(error.into()),
    };
    render(&app, &id, serving, Some(error)).await
}

#[derive(Template)]
#[template(path = "counter/done.html")]
struct DonePage {
    frame: Frame,
    staff: Staff,
    person: String,
    id: String,
    service: String,
    number: String,
    state: String,
}

/// `GET /counter/applications/{id}/done`
pub(super) async fn done(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let case = counter::case(&app.desk, &serving.visit, id).await?;
    let Some(number) = case.number else {
        return Ok(onward(&address(id, "")));
    };
    let words = serving.frame.words;
    page(&DonePage {
        person: serving.visit.person.name,
        id: id.to_string(),
        service: words.of(&case.service.meta.name).to_owned(),
        number,
        state: words.t(&format!("state-{}", transition::name(case.state))),
        staff: serving.staff,
        frame: serving.frame,
    })
}

/// `GET /counter/applications/{id}/receipt`
pub(super) async fn receipt(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let pdf = counter::receipt(&app.desk, &serving.visit, id).await?;
    Ok(document("application/pdf", "inline", &format!("receipt-{id}.pdf"), pdf))
}
