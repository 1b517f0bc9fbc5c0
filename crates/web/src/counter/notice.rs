//! The notice of Personal Data Protection Act §8, shown or read out to the person; the clerk is the witness.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::counter;
use cases::{Staff, State as CaseState};

use super::{Serving, next};
use crate::address::{application, onward};
use crate::{App, Frame, Posted, Problem, page};

#[derive(Template)]
#[template(path = "counter/notice.html")]
struct NoticePage {
    frame: Frame,
    staff: Staff,
    person: String,
    id: String,
    title: String,
    /// Finished HTML, every text in it escaped.
    notice: String,
    agreed: bool,
}

/// `GET /counter/applications/{id}/notice`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
) -> Result<Response, Problem> {
    let draft = counter::draft(&app.desk, &serving.visit, application(&id)?).await?;
    let notice = draft.service.notice(serving.frame.language());
    page(&NoticePage {
        id: draft.id.to_string(),
        title: notice.title().to_owned(),
        notice: notice.html(2),
        agreed: draft.agreed || draft.state != CaseState::Draft,
        person: serving.visit.person.name,
        staff: serving.staff,
        frame: serving.frame,
    })
}

/// `POST /counter/applications/{id}/notice`
pub(super) async fn agree(
    State(app): State<App>,
    Path(id): Path<String>,
    serving: Serving,
    _: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    counter::agree(&app.desk, &serving.visit, id, serving.frame.language()).await?;
    let draft = counter::draft(&app.desk, &serving.visit, id).await?;
    Ok(onward(&next(&draft)))
}
