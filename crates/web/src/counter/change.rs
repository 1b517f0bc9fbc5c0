//! A change (異動通報) reported at the counter: the cases of the person that stand, and the form that opens filled in.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cases::counter::{self, Way};
use cases::{CaseError, Staff};

use super::{Serving, address, next};
use crate::address::{application, onward};
use crate::{App, Frame, Posted, Problem, page_with};

/// A case whose change can be reported.
struct Line {
    id: String,
    service: String,
    number: String,
    /// What changes are to be told, and by which law.
    what: String,
    law: String,
    act: Act,
}

/// What stands beside it.
enum Act {
    Begin,
    GoOn(String),
    Said(String),
}

#[derive(Template)]
#[template(path = "counter/change.html")]
struct ChangePage {
    frame: Frame,
    staff: Staff,
    person: String,
    lines: Vec<Line>,
    /// Whether a report was refused because another one had been handed in meanwhile.
    late: bool,
}

async fn list(app: &App, serving: Serving, late: bool) -> Result<Response, Problem> {
    let words = serving.frame.words;
    let standing = counter::standing(&app.desk, &serving.visit).await?;
    let lines = standing.into_iter().filter_map(|case| {
        let change = case.service.meta.change.as_ref()?;
        let law = change.law.split('；').next().unwrap_or_default().trim();
        Some(Line {
            service: words.of(&case.service.meta.name).to_owned(),
            what: words.of(&change.what).to_owned(),
            law: law.trim_start_matches("verify：").to_owned(),
            number: case.number,
            act: match case.way {
                Way::Open => Act::Begin,
                Way::Draft(draft) => Act::GoOn(address(draft, "")),
                Way::Online => Act::Said(words.t("counter-change-online")),
                Way::UnderWay => Act::Said(words.t("counter-change-under-way")),
            },
            id: case.id.to_string(),
        })
    });
    let lines = lines.collect();
    let status = if late { StatusCode::CONFLICT } else { StatusCode::OK };
    page_with(
        status,
        &ChangePage {
            person: serving.visit.person.name,
            lines,
            late,
            frame: serving.frame,
            staff: serving.staff,
        },
    )
}

/// `GET /counter/changes`
pub(super) async fn show(State(app): State<App>, serving: Serving) -> Result<Response, Problem> {
    list(&app, serving, false).await
}

/// `POST /counter/changes`: opens the report for the case that was chosen.
pub(super) async fn report(State(app): State<App>, serving: Serving, posted: Posted) -> Result<Response, Problem> {
    let case = application(posted.text("case"))?;
    match counter::report(&app.desk, &serving.visit, case, serving.frame.language()).await {
        Ok(id) => {
            let draft = counter::draft(&app.desk, &serving.visit, id).await?;
            Ok(onward(&next(&draft)))
        }
        Err(CaseError::Input { .. }) => list(&app, serving, true).await,
        Err(error) => Err(error.into()),
    }
}
