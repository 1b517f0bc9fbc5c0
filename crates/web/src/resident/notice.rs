//! The notice of Personal Data Protection Act §8 (個人資料蒐集告知), before anything is collected.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::State as CaseState;
use cases::collect;

use super::{Resident, held};
use crate::address::{application, onward};
use crate::{App, Frame, Posted, Problem, page};

#[derive(Template)]
#[template(path = "resident/notice.html")]
struct NoticePage {
    frame: Frame,
    id: String,
    title: String,
    /// Finished HTML, every text in it escaped.
    notice: String,
    agreed: bool,
}

/// `GET /applications/{id}/notice`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    let draft = collect::draft(&app.desk, &resident.person, application(&id)?).await?;
    let notice = draft.service.notice(resident.frame.language());
    page(&NoticePage {
        id,
        title: notice.title().to_owned(),
        notice: notice.html(2),
        agreed: draft.agreed || draft.state != CaseState::Draft,
        frame: resident.frame,
    })
}

/// `POST /applications/{id}/notice`
pub(super) async fn agree(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    _: Posted,
) -> Result<Response, Problem> {
    let id = application(&id)?;
    collect::agree(&app.desk, &resident.person, id, resident.frame.language()).await?;
    let draft = collect::draft(&app.desk, &resident.person, id).await?;
    Ok(onward(&held::next(&app, &resident, &draft).await?))
}
