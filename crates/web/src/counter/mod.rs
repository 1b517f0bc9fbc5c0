//! The pages of the counter (臨櫃): a clerk serves the person who stands there, with the keyboard, on as few screens as the
//! law allows. No page of an application answers without a visit: see [`Serving`].

mod change;
mod form;
mod hand_in;
mod mydata;
mod notice;
mod scans;
mod visit;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::request::Parts;
use axum::routing::{get, post};
use cases::Staff;
use cases::State as CaseState;
use cases::collect::{Draft, MyDataState};
use cases::counter::{self, Visit};
use civic::ids::ApplicationId;
use services::form::Source;

use crate::office::Duty;
use crate::texts::Words;
use crate::{App, Frame, Problem};

/// Most bytes of a dense form: all pages of a service at once, with a large family.
const FORM_LIMIT: usize = 1 << 20;
/// Most bytes of an upload: a scan and the form around it. What is larger than a scan may be is told so by the verb.
const SCAN_LIMIT: usize = cases::counter::LARGEST + (1 << 20);

/// The pages of the counter.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/counter", get(visit::show).post(visit::begin))
        .route("/counter/end", post(visit::end))
        .route("/counter/open", post(visit::open))
        .route("/counter/changes", get(change::show).post(change::report))
        .route(
            "/counter/applications/{id}",
            get(form::show)
                .post(form::save)
                .layer(DefaultBodyLimit::max(FORM_LIMIT)),
        )
        .route(
            "/counter/applications/{id}/notice",
            get(notice::show).post(notice::agree),
        )
        .route(
            "/counter/applications/{id}/mydata",
            get(mydata::show).post(mydata::code),
        )
        .route("/counter/applications/{id}/password", post(mydata::password))
        .route(
            "/counter/applications/{id}/summary",
            get(hand_in::show).post(hand_in::print),
        )
        .route("/counter/applications/{id}/summary/{paper}", get(hand_in::summary))
        .route(
            "/counter/applications/{id}/scans",
            get(scans::show)
                .post(scans::upload)
                .layer(DefaultBodyLimit::max(SCAN_LIMIT)),
        )
        .route(
            "/counter/applications/{id}/scans/{paper}",
            get(scans::content).post(scans::confirm),
        )
        .route("/counter/applications/{id}/submit", post(hand_in::submit))
        .route("/counter/applications/{id}/done", get(hand_in::done))
        .route("/counter/applications/{id}/receipt", get(hand_in::receipt))
}

/// A clerk with the person they serve now. Without one the way leads to the counter's first page.
pub(crate) struct Serving {
    pub(crate) frame: Frame,
    pub(crate) staff: Staff,
    pub(crate) visit: Visit,
}

impl FromRequestParts<App> for Serving {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Duty { frame, staff } = Duty::from_request_parts(parts, app).await?;
        match counter::current(&app.desk, &staff).await? {
            Some(visit) => Ok(Serving { frame, staff, visit }),
            None => Err(Problem::SignIn {
                to: "/counter",
                back: None,
            }),
        }
    }
}

/// Address of a page of an application.
fn address(id: ApplicationId, page: &str) -> String {
    if page.is_empty() {
        format!("/counter/applications/{id}")
    } else {
        format!("/counter/applications/{id}/{page}")
    }
}

/// Where a draft goes on: notice, data, the form.
fn next(draft: &Draft) -> String {
    if draft.state != CaseState::Draft {
        return address(draft.id, "done");
    }
    if !draft.agreed {
        return address(draft.id, "notice");
    }
    let mut values = draft.answers.values.values();
    let begun = values.any(|answer| matches!(answer.source, Source::Person));
    let offered = !draft.service.meta.mydata.is_empty();
    match draft.mydata {
        MyDataState::NotUsed if offered && !begun => address(draft.id, "mydata"),
        MyDataState::Arriving => address(draft.id, "mydata"),
        _ => address(draft.id, ""),
    }
}

/// Where a value came from, as a clerk reads it.
fn source(words: Words, source: &Source) -> String {
    match source {
        Source::Person | Source::Screening => words.t("counter-source-person"),
        Source::Earlier { .. } => crate::resident::fields::source(words, source),
        Source::Profile => words.t("counter-source-profile"),
        Source::Register => words.t("counter-source-register"),
        Source::Body { name, .. } => words.t1("source-body", "name", name),
        Source::Wallet { issuer, .. } => words.t1("source-wallet", "issuer", issuer),
        Source::MyData { issued: Some(day), .. } => words.t1("counter-source-mydata-of", "date", words.date(*day)),
        Source::MyData { .. } => words.t("counter-source-mydata"),
    }
}
