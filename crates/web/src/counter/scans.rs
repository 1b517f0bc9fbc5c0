//! Papers a person brought: scanned, kept, and what the machine read confirmed one by one.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::collect::Draft;
use cases::counter;
use cases::{CaseError, Staff, State as CaseState};
use services::form::{Invalid, Raw, SHOWN};
use uuid::Uuid;

use super::{Serving, address, next};
use crate::address::{application, id as identifier, onward};
use crate::components::{Control, ErrorSummary, Field};
use crate::office::document;
use crate::resident::fields;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

/// A value a paper proposes.
struct Proposed {
    key: String,
    line: String,
    field: Field,
    taken: bool,
}

/// A paper.
struct Paper {
    id: String,
    title: String,
    open: String,
    /// Whether text could be read from it.
    read: bool,
    proposed: Vec<Proposed>,
}

#[derive(Template)]
#[template(path = "counter/scans.html")]
struct ScansPage {
    frame: Frame,
    staff: Staff,
    person: String,
    id: String,
    errors: Option<ErrorSummary>,
    file: Field,
    papers: Vec<Paper>,
    reads: bool,
    revision: i64,
}

/// What was wrong with what was sent.
enum Wrong<'a> {
    Nothing,
    Scan(String),
    /// A proposal that was corrected to something the form does not take; with the paper it belongs to.
    Values(Uuid, &'a Invalid),
}

fn papers(words: Words, draft: &Draft, scans: &[counter::Scan], wrong: &Wrong<'_>) -> Vec<Paper> {
    let form = &draft.service.form;
    // a field stands once on the page, with the first paper that proposes it
    let mut seen = BTreeSet::new();
    let paper = |(n, scan): (usize, &counter::Scan)| {
        let invalid = match wrong {
            Wrong::Values(id, invalid) if *id == scan.id => Some(*invalid),
            _ => None,
        };
        let proposals = scan.proposals.as_deref().unwrap_or_default();
        let mut answers = draft.answers.clone();
        for proposal in proposals {
            answers.answer(&proposal.key, Some(proposal.value.clone()), scan.at);
        }
        let mut proposed = Vec::new();
        for place in form.places(&draft.answers) {
            let view = form.view(&place, &answers, None, invalid, words.language);
            for shown in &view.fields {
                let Some(proposal) = proposals.iter().find(|one| one.key == shown.key) else {
                    continue;
                };
                if !seen.insert(proposal.key.clone()) {
                    continue;
                }
                let mut field = fields::field(words, shown);
                if let Some(person) = &view.item {
                    field.label = format!("{}（{person}）", field.label);
                }
                let sent = invalid.and_then(|invalid| invalid.raw.get(SHOWN));
                proposed.push(Proposed {
                    key: proposal.key.clone(),
                    line: words.t1("counter-scan-line", "line", &proposal.line),
                    taken: sent.is_some_and(|keys| keys.contains(&proposal.key)),
                    field,
                });
            }
        }
        Paper {
            id: scan.id.to_string(),
            title: words.t1("counter-scan-title", "n", n.saturating_add(1)),
            open: words.t1("counter-scan-open", "pages", scan.pages),
            read: scan.proposals.is_some(),
            proposed,
        }
    };
    scans.iter().enumerate().map(paper).collect()
}

async fn render(app: &App, serving: Serving, draft: &Draft, wrong: Wrong<'_>) -> Result<Response, Problem> {
    let words = serving.frame.words;
    let scans = counter::scans(&app.desk, &serving.visit, draft.id).await?;
    let errors: Vec<(String, String)> = match &wrong {
        Wrong::Nothing => Vec::new(),
        Wrong::Scan(text) => vec![("scan".to_owned(), text.clone())],
        Wrong::Values(_, invalid) => {
            let errors = invalid.errors.iter();
            errors.map(|one| (one.key.clone(), one.message.clone())).collect()
        }
    };
    let status = if matches!(wrong, Wrong::Nothing) {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let accept = "application/pdf,image/jpeg,image/png".to_owned();
    page_with(
        status,
        &ScansPage {
            person: serving.visit.person.name.clone(),
            id: draft.id.to_string(),
            file: Field {
                error: match &wrong {
                    Wrong::Scan(text) => Some(text.clone()),
                    _ => None,
                },
                ..Field::new(words, "scan", words.t("counter-scan-file"), Control::File { accept })
            },
            papers: papers(words, draft, &scans, &wrong),
            errors: (!errors.is_empty()).then_some(ErrorSummary { words, errors }),
            reads: app.desk.scans.reads(),
            revision: draft.revision,
            staff: serving.staff,
            frame: serving.frame,
        },
    )
}

/// `GET /counter/applications/{id}/scans`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
) -> Result<Response, Problem> {
    let draft = counter::draft(&app.desk, &serving.visit, application(&id)?).await?;
    if draft.state != CaseState::Draft || !draft.agreed {
        return Ok(onward(&next(&draft)));
    }
    render(&app, serving, &draft, Wrong::Nothing).await
}

/// `POST /counter/applications/{id}/scans`: one paper.
pub(super) async fn upload(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let bytes = posted
        .files
        .get("scan")
        .map(|file| file.bytes.to_vec())
        .unwrap_or_default();
    let problem = match counter::scan(&app.desk, &serving.visit, id, bytes).await {
        Ok(_) => return Ok(onward(&address(id, "scans"))),
        Err(CaseError::Input { problem, .. }) => problem,
        Err(error) => return Err(error.into()),
    };
    let text = serving.frame.t(&format!("counter-scan-error-{problem}"));
    let draft = counter::draft(&app.desk, &serving.visit, id).await?;
    render(&app, serving, &draft, Wrong::Scan(text)).await
}

/// `GET /counter/applications/{id}/scans/{paper}`
pub(super) async fn content(
    State(app): State<App>,
    Path((id, paper)): Path<(String, String)>,
    serving: Serving,
) -> Result<Response, Problem> {
    let paper = identifier(&paper)?;
    let (media, bytes) = counter::content(&app.desk, &serving.visit, application(&id)?, paper).await?;
    Ok(document(media, "inline", &format!("scan-{paper}"), bytes))
}

/// `POST /counter/applications/{id}/scans/{paper}`: takes over what was ticked, and nothing else.
pub(super) async fn confirm(
    State(app): State<App>,
    Path((id, paper)): Path<(String, String)>,
    serving: Serving,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    let paper = identifier(&paper)?;
    let revision = posted.value("_revision")?;
    let draft = counter::draft(&app.desk, &serving.visit, id).await?;
    let mut raw: Raw = posted.raw;
    let ticked = raw.remove("_take").unwrap_or_default();
    raw.retain(|name, _| !name.starts_with('_'));
    raw.insert(SHOWN.to_owned(), ticked);
    match counter::save(&app.desk, &serving.visit, id, revision, &raw, serving.frame.language()).await {
        Ok(_) => Ok(onward(&address(id, ""))),
        Err(CaseError::Invalid(invalid)) => render(&app, serving, &draft, Wrong::Values(paper, &invalid)).await,
        Err(CaseError::Incomplete(_)) => Ok(onward(&next(&draft))),
        Err(error) => Err(error.into()),
    }
}
