//! Where the link of an invitation leads: what it is about, and the way to have no more of them, without sign-in.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::outreach;
use tower_sessions::Session;

use super::Resident;
use crate::address::onward;
use crate::{App, Frame, Posted, Problem, page};

#[derive(Template)]
#[template(path = "resident/invitation.html")]
struct InvitationPage {
    frame: Frame,
    token: String,
    service: String,
    name: String,
    summary: String,
    agency: String,
    wants: bool,
}

/// `GET /invitations/{token}`
pub(super) async fn show(
    State(app): State<App>,
    Path(token): Path<String>,
    session: Session,
    frame: Frame,
) -> Result<Response, Problem> {
    let found = outreach::by_link(&app.desk, &token).await?;
    let frame = frame.with_token(&session).await?;
    let words = frame.words;
    let meta = &found.service.meta;
    page(&InvitationPage {
        service: found.service.id.clone(),
        name: words.of(&meta.name).to_owned(),
        summary: words.of(&meta.summary).to_owned(),
        agency: words.of(&meta.agency).to_owned(),
        wants: found.wants,
        token,
        frame,
    })
}

/// `POST /invitations/{token}/stop`
pub(super) async fn stop(State(app): State<App>, Path(token): Path<String>, _: Posted) -> Result<Response, Problem> {
    outreach::stop(&app.desk, &token).await?;
    Ok(onward(&format!("/invitations/{token}")))
}

/// `POST /my-data/invitations`: whether the person wants to be told of what they may be entitled to.
pub(super) async fn prefer(State(app): State<App>, resident: Resident, posted: Posted) -> Result<Response, Problem> {
    outreach::set(&app.desk, &resident.person, posted.text("wants") == "yes").await?;
    Ok(onward("/my-data"))
}
