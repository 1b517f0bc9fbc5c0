//! What the city offers, and the page of each service.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::agents::Power;
use services::Service;
use tower_sessions::Session;

use super::rounds::{self, Offered};
use crate::acting::Principal;
use crate::{App, Frame, Problem, page};

#[derive(Template)]
#[template(path = "resident/home.html")]
struct HomePage {
    frame: Frame,
    /// Each service with where its rounds stand.
    services: Vec<(Arc<Service>, Option<String>)>,
}

/// `GET /`
pub(super) async fn show(State(app): State<App>, frame: Frame) -> Result<Response, Problem> {
    page(&HomePage {
        services: app
            .desk
            .catalogue
            .all()
            .map(|service| (Arc::clone(service), rounds::offered(&app, frame.words, service).2))
            .collect(),
        frame,
    })
}

#[derive(Template)]
#[template(path = "resident/service.html")]
struct ServicePage {
    frame: Frame,
    service: Arc<Service>,
    rounds: Vec<Offered>,
    is_open: bool,
    /// Where its rounds stand.
    standing: Option<String>,
    /// Who acts was not entrusted with it.
    not_entrusted: bool,
    /// How it is given, where that is not by applying here.
    given: Option<String>,
    /// Data sets that come from MyData: name and agency.
    sets: Vec<(String, String)>,
    phone: String,
}

/// `GET /services/{id}`
pub(super) async fn service(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    principal: Option<Extension<Principal>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let service = app.desk.catalogue.get(&id).cloned().ok_or(Problem::NotFound)?;
    let frame = frame.with_token(&session).await?;
    let acting = principal
        .as_ref()
        .and_then(|Extension(Principal(person))| person.acting());
    let sets = super::mydata::sets(&app, &service, frame.words);
    let (rounds, is_open, standing) = rounds::offered(&app, frame.words, &service);
    let online = service.meta.channels.contains(&civic::Channel::Online);
    let channel = acting.map_or(civic::Channel::Online, |_| civic::Channel::Agent);
    let given_to_all = service
        .rolls
        .as_ref()
        .filter(|rolls| rolls.of == services::roll::Of::Entitled);
    let given = match (given_to_all, online) {
        (Some(_), _) => Some(frame.t("service-proactive")),
        (None, false) => Some(frame.t("service-counter-only")),
        _ => None,
    };
    let is_open = is_open && service.meta.channels.contains(&channel);
    page(&ServicePage {
        frame,
        service,
        rounds,
        is_open,
        standing,
        not_entrusted: acting.is_some_and(|acting| !(acting.is_for(&id) && acting.has(Power::Fill))),
        given,
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
