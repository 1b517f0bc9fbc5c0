//! Whom no mail of an invitation reaches: the lists for letters and visits (訪視), by office and by village officer.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use cases::outreach::{self, Contact, VisitList};
use cases::{Role, Staff};
use serde::Deserialize;
use uuid::Uuid;

use super::{Duty, outreach as pages};
use crate::address::id;
use crate::components::{Cell, Head, Table};
use crate::texts::Words;
use crate::{App, Frame, Problem, page};

/// The lists there are.
pub(super) const HERE: &str = "/office/visits";
/// Contacts of one page.
const PAGE: usize = 100;

/// The pages of visits.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(HERE, get(lists))
        .route("/office/outreach/{service}/{campaign}/visits", get(visits))
}

#[derive(Template)]
#[template(path = "office/visits.html")]
struct ListsPage {
    frame: Frame,
    staff: Staff,
    lists: Table,
}

fn table(words: Words, lists: Vec<VisitList>) -> Table {
    let rows = lists.into_iter().map(|one| {
        let href = format!("{}/{}/{}/visits", pages::HERE, one.service, one.campaign);
        vec![
            Cell::link(words.of(&one.name).to_owned(), href),
            Cell::text(words.time(one.at)),
            Cell::text(one.persons.to_string()),
            Cell::text(words.date(one.until)),
        ]
    });
    Table {
        caption: words.t("outreach-visits"),
        head: vec![
            Head::text(words.t("office-service")),
            Head::text(words.t("visits-begun")),
            Head::number(words.t("visits-persons")),
            Head::text(words.t("visits-until")),
        ],
        rows: rows.collect(),
    }
}

/// `GET /office/visits`
async fn lists(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    if !matches!(staff.role, Role::Officer | Role::Supervisor | Role::VillageOfficer) {
        return Err(Problem::Forbidden);
    }
    page(&ListsPage {
        lists: table(frame.words, outreach::to_visit(&app.desk, &staff).await?),
        frame,
        staff,
    })
}

#[derive(Template)]
#[template(path = "office/outreach_visits.html")]
struct VisitsPage {
    frame: Frame,
    staff: Staff,
    back: String,
    name: String,
    contacts: Vec<Contact>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    after: Option<Uuid>,
}

/// `GET /office/outreach/{service}/{campaign}/visits`
async fn visits(
    State(app): State<App>,
    duty: Duty,
    Path((service, campaign)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let here = format!("{}/{service}/{campaign}", pages::HERE);
    let contacts = outreach::visits(&app.desk, &staff, &service, id(&campaign)?, asked.after).await?;
    let found = app.desk.catalogue.get(&service).ok_or(Problem::NotFound)?;
    page(&VisitsPage {
        name: words.of(&found.meta.name).to_owned(),
        next: (contacts.len() >= PAGE)
            .then(|| contacts.last().map(|one| format!("{here}/visits?after={}", one.id)))
            .flatten(),
        contacts,
        // a village officer sees the list and not what the office counts
        back: match staff.role {
            Role::VillageOfficer => HERE.to_owned(),
            _ => here,
        },
        frame,
        staff,
    })
}
