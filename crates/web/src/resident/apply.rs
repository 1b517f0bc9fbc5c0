//! The start of an application, and which page comes next.

use axum::extract::{Path, State};
use axum::response::Response;
use cases::CaseError;
use cases::collect::{self, Draft, MyDataState};
use civic::ids::ApplicationId;

use super::Resident;
use crate::address::onward;
use crate::{App, Posted, Problem};

/// `POST /services/{id}/start`: opens an application, or goes on with the one there is.
pub(super) async fn start(
    State(app): State<App>,
    Path(service): Path<String>,
    resident: Resident,
    _: Posted,
) -> Result<Response, Problem> {
    let language = resident.frame.language();
    let id = match collect::open(
        &app.desk,
        &resident.person,
        &service,
        resident.person.channel(),
        language,
    )
    .await
    {
        // the window closed while the page was open: the service's own page says until when, and what comes next
        Err(CaseError::Closed { .. }) => return Ok(onward(&format!("/services/{service}"))),
        other => other?,
    };
    let draft = collect::draft(&app.desk, &resident.person, id).await?;
    Ok(onward(&next(&draft)))
}

/// Where a draft goes on: notice, data, the next question, the check.
pub(super) fn next(draft: &Draft) -> String {
    let at = |page: &str| address(draft.id, page);
    if !draft.agreed {
        return at("notice");
    }
    let offered = !draft.service.meta.mydata.is_empty();
    match draft.mydata {
        MyDataState::NotUsed if offered && draft.answers.filled_from_sources() == 0 && !started(draft) => at("mydata"),
        MyDataState::Arriving => at("mydata"),
        _ => question(draft),
    }
}

/// Whether the person has begun to answer without MyData.
fn started(draft: &Draft) -> bool {
    draft
        .answers
        .values
        .values()
        .any(|answer| matches!(answer.source, services::form::Source::Person))
}

/// The next page with a question, or the check.
pub(super) fn question(draft: &Draft) -> String {
    match draft.questions.first() {
        Some(question) => address(draft.id, &format!("form/{}", question.address)),
        None => address(draft.id, "check"),
    }
}

/// Address of a page of an application.
pub(super) fn address(id: ApplicationId, page: &str) -> String {
    format!("/applications/{id}/{page}")
}
