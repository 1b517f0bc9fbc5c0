//! Taking an application back (撤回), after a word on what that means.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::{collect, mine};

use super::Resident;
use crate::address::{application, onward};
use crate::{App, Frame, Posted, Problem, page};

#[derive(Template)]
#[template(path = "resident/withdraw.html")]
struct WithdrawPage {
    frame: Frame,
    id: String,
    service: String,
    number: String,
    revision: i64,
}

impl WithdrawPage {
    fn question(&self) -> String {
        let values = [("service", self.service.clone()), ("number", self.number.clone())];
        self.frame.words.with("withdraw-text", &values)
    }
}

/// `GET /applications/{id}/withdraw`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let case = mine::case(&app.desk, &person, application(&id)?).await?;
    if !case.can_withdraw {
        return Ok(onward(&format!("/applications/{id}")));
    }
    page(&WithdrawPage {
        service: frame.words.of(&case.mine.service).to_owned(),
        number: case.mine.number.clone().unwrap_or_default(),
        revision: case.mine.revision,
        id,
        frame,
    })
}

/// `POST /applications/{id}/withdraw`
pub(super) async fn withdraw(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let application = application(&id)?;
    collect::withdraw(&app.desk, &resident.person, application, posted.value("_revision")?).await?;
    Ok(onward(&format!("/applications/{id}")))
}
