//! What the city offers, and the page of each service.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use services::Service;
use tower_sessions::Session;

use crate::{App, Frame, Problem, page};

#[derive(Template)]
#[template(path = "resident/home.html")]
struct HomePage {
    frame: Frame,
    services: Vec<Arc<Service>>,
}

/// `GET /`
pub(super) async fn show(State(app): State<App>, frame: Frame) -> Result<Response, Problem> {
    page(&HomePage {
        frame,
        services: app.desk.catalogue.all().cloned().collect(),
    })
}

#[derive(Template)]
#[template(path = "resident/service.html")]
struct ServicePage {
    frame: Frame,
    service: Arc<Service>,
    /// Data sets that come from MyData: name and agency.
    sets: Vec<(String, String)>,
    phone: String,
}

/// `GET /services/{id}`
pub(super) async fn service(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let service = app.desk.catalogue.get(&id).cloned().ok_or(Problem::NotFound)?;
    let frame = frame.with_token(&session).await?;
    let sets = super::mydata::sets(&app, &service, frame.words);
    page(&ServicePage {
        frame,
        service,
        sets,
        phone: app.desk.city.phone.clone(),
    })
}

#[derive(Template)]
#[template(path = "resident/text.html")]
struct TextPage {
    frame: Frame,
    title: &'static str,
    paragraphs: &'static [&'static str],
}

/// `GET /help`
pub(super) async fn help(frame: Frame) -> Result<Response, Problem> {
    page(&TextPage {
        frame,
        title: "help-title",
        paragraphs: &["help-1999", "help-office", "help-agent", "help-draft"],
    })
}

/// `GET /privacy`
pub(super) async fn privacy(frame: Frame) -> Result<Response, Problem> {
    let paragraphs = &[
        "privacy-purpose",
        "privacy-consent",
        "privacy-record",
        "privacy-keys",
        "privacy-rights",
        "privacy-cookies",
    ];
    page(&TextPage {
        frame,
        title: "privacy-title",
        paragraphs,
    })
}

/// `GET /accessibility`
pub(super) async fn accessibility(frame: Frame) -> Result<Response, Problem> {
    page(&TextPage {
        frame,
        title: "accessibility-title",
        paragraphs: &["accessibility-goal", "accessibility-how", "accessibility-tell"],
    })
}
