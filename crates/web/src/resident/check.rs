//! Check your answers: every answer with its source, the expected outcome with its reasons, and the submission.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::agents::Power;
use cases::collect::{self, Draft};
use cases::{CaseError, State as CaseState, correct as correction, mine};
use civic::Language;
use services::Catalogue;
use services::form::Source;
use uuid::Uuid;

use super::{Resident, apply, explained, fields, rounds};
use crate::address::{application, onward};
use crate::components::{ErrorSummary, Finding, Outcome, Reasons, Row, SummaryList};
use crate::office::clock;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

#[derive(Template)]
#[template(path = "resident/check.html")]
struct CheckPage {
    frame: Frame,
    id: String,
    errors: Option<ErrorSummary>,
    /// Title of each part and its answers.
    parts: Vec<(String, SummaryList)>,
    outcome: Outcome,
    /// Why; nothing where the figures are kept from an agent.
    reasons: Option<Reasons>,
    /// Who has to give the bank account, where an agent may not.
    account_by: Option<String>,
    /// Who has to hand it in, where an agent may not.
    handed_in_by: Option<String>,
    /// Where persons of the family are added and removed.
    family: Option<String>,
    /// Where to go on, while something is not answered.
    next: Option<String>,
    correcting: bool,
    /// Why it can't be handed in now, where its round is closed.
    closed: Option<String>,
    revision: i64,
    form_token: String,
}

impl CheckPage {
    /// Who is not expected to qualify sees why without asking.
    fn shows_reasons(&self) -> bool {
        self.outcome.finding == Finding::Bad
    }
}

/// Where a value came from, with the agency that gave the data set.
fn note(catalogue: &Catalogue, words: Words, source: &Source) -> String {
    let said = fields::source(words, source);
    let Source::MyData { resource, .. } = source else {
        return said;
    };
    catalogue.mapping(resource).map_or_else(
        || said.clone(),
        |set| format!("{said} {}", words.t1("source-agency", "agency", words.of(&set.agency))),
    )
}

/// The answers, page by page, each with its source and a way to change it.
fn parts(catalogue: &Catalogue, words: Words, draft: &Draft) -> Vec<(String, SummaryList)> {
    let form = &draft.service.form;
    let language: Language = words.language;
    let mut parts: Vec<(String, SummaryList)> = Vec::new();
    for place in form.places(&draft.answers) {
        let view = form.view(&place, &draft.answers, None, None, language);
        let rows: Vec<Row> = view
            .fields
            .iter()
            .filter(|field| !field.shown.is_empty())
            .map(|field| Row {
                note: field.source.map(|source| note(catalogue, words, source)),
                change: (field.field.ask != services::form::Ask::Never).then(|| {
                    (
                        format!(
                            "{}?from=check#{}",
                            apply::address(draft.id, &format!("form/{}", view.address)),
                            field.key
                        ),
                        words.t("change"),
                    )
                }),
                ..Row::new(field.label, field.shown.clone())
            })
            .collect();
        if !rows.is_empty() {
            let title = match &view.item {
                Some(item) => format!("{}：{item}", view.title),
                None => view.title.to_owned(),
            };
            parts.push((title, SummaryList { rows }));
        }
    }
    parts
}

/// `GET /applications/{id}/check`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    render(&app, &id, resident, None).await
}

/// The page, with what keeps the application from being handed in.
async fn render(app: &App, id: &str, resident: Resident, error: Option<String>) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let draft = collect::draft(&app.desk, &person, application(id)?).await?;
    let correcting = draft.state == CaseState::Correction;
    if !(draft.agreed && draft.state == CaseState::Draft || correcting) {
        return Ok(onward(&if draft.state == CaseState::Draft {
            apply::next(&draft)
        } else {
            format!("/applications/{id}")
        }));
    }
    let words = frame.words;
    let status = error
        .as_ref()
        .map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
    let page = CheckPage {
        errors: error.map(|text| ErrorSummary {
            words,
            errors: vec![("send".to_owned(), text)],
        }),
        parts: parts(&app.desk.catalogue, words, &draft),
        outcome: explained::outcome(words, &draft.service, &draft.decision, draft.state),
        reasons: (!draft.hidden).then(|| explained::reasons(words, &draft.service, &draft.decision, &draft.answers)),
        account_by: draft.waits_for_account.then(|| person.name.clone()),
        handed_in_by: person
            .acting()
            .filter(|acting| !acting.has(if correcting { Power::Correct } else { Power::Submit }))
            .map(|_| person.name.clone()),
        family: draft
            .service
            .form
            .person_group()
            .filter(|group| group.max > 1)
            .map(|group| apply::address(draft.id, &format!("form/{}?from=check", group.id))),
        next: (!draft.questions.is_empty()).then(|| apply::question(&draft)),
        correcting,
        // what is corrected has entered its round
        closed: rounds::closed(app, words, &draft.service).filter(|_| !correcting),
        revision: draft.revision,
        form_token: draft.form_token.to_string(),
        id: id.to_owned(),
        frame,
    };
    page_with(status, &page)
}

/// `POST /applications/{id}/check`: hands the application in. Twice is once.
pub(super) async fn submit(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let address = id;
    let id = application(&address)?;
    let words = resident.frame.words;
    let token: Uuid = posted.value("_form_token")?;
    match collect::submit(&app.desk, &resident.person, id, posted.value("_revision")?, token).await {
        Ok(_) => Ok(onward(&apply::address(id, "done"))),
        // changed in another window, or a question has opened since: the page says what is to do
        Err(CaseError::Incomplete(_)) => Ok(onward(&apply::address(id, "check"))),
        Err(CaseError::Closed { next }) => {
            let text = match next {
                Some(opens) => words.t1("round-closed-next", "time", clock(words, opens)),
                None => words.t("round-closed-now"),
            };
            render(&app, &address, resident, Some(text)).await
        }
        Err(CaseError::OnRoll) => render(&app, &address, resident, Some(words.t("roll-stands"))).await,
        Err(CaseError::Entered) => render(&app, &address, resident, Some(words.t("round-entered"))).await,
        Err(CaseError::NoPlace) => render(&app, &address, resident, Some(words.t("round-no-place"))).await,
        Err(error) => Err(Problem::on(error, &apply::address(id, "check"))),
    }
}

/// `POST /applications/{id}/correct`: hands the correction in.
pub(super) async fn correct(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    match correction::submit(&app.desk, &resident.person, id, posted.value("_revision")?).await {
        Ok(()) => Ok(onward(&format!("/applications/{id}"))),
        Err(CaseError::Incomplete(_)) => Ok(onward(&apply::address(id, "check"))),
        Err(error) => Err(Problem::on(error, &apply::address(id, "check"))),
    }
}

#[derive(Template)]
#[template(path = "resident/done.html")]
struct DonePage {
    frame: Frame,
    id: String,
    service: String,
    number: String,
    deadline: String,
    phone: String,
}

/// `GET /applications/{id}/done`
pub(super) async fn done(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let mine = mine::one(&app.desk, &person, application(&id)?).await?;
    let (Some(number), Some(deadline)) = (mine.number, mine.deadline) else {
        return Ok(onward(&format!("/applications/{id}")));
    };
    page(&DonePage {
        service: frame.words.of(&mine.service).to_owned(),
        deadline: frame.words.date(deadline),
        phone: app.desk.city.phone.clone(),
        number,
        id,
        frame,
    })
}
