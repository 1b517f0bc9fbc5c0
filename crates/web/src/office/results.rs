//! Results of the questionnaire that residents left with the office, so that it comes back to them.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::Staff;
use cases::find::follow::{self, FollowUp};
use uuid::Uuid;

use super::Duty;
use crate::address::onward;
use crate::components::{Row, SummaryList};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page};

const HERE: &str = "/office/results";

/// One result in the list.
struct Line {
    href: String,
    service: String,
    agreed: String,
    until: String,
}

#[derive(Template)]
#[template(path = "office/results.html")]
struct ResultsPage {
    frame: Frame,
    staff: Staff,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "office/result.html")]
struct ResultPage {
    frame: Frame,
    staff: Staff,
    here: String,
    line: Line,
    person: SummaryList,
    said: SummaryList,
}

fn line(words: Words, found: &FollowUp) -> Line {
    Line {
        href: format!("{HERE}/{}", found.id),
        service: words.of(&found.service.meta.name).to_owned(),
        agreed: words.time(found.agreed),
        until: words.date(found.until),
    }
}

fn id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| Problem::NotFound)
}

/// `GET /office/results`
pub(super) async fn list(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let found = follow::waiting(&app.desk, &staff).await?;
    page(&ResultsPage {
        lines: found.iter().map(|one| line(frame.words, one)).collect(),
        frame,
        staff,
    })
}

/// `GET /office/results/{id}`
pub(super) async fn show(State(app): State<App>, Path(result): Path<String>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let (found, left) = follow::open(&app.desk, &staff, id(&result)?).await?;
    let outcome = match left.outcome {
        Some(true) => "find-yes-tag",
        None => "find-open-tag",
        Some(false) => "find-no-tag",
    };
    let mut person = vec![
        Row::new(words.t("office-result-name"), left.name),
        Row::new(words.t("office-result-phone"), left.phone.unwrap_or_default()),
        Row::new(words.t("office-result-email"), left.email.unwrap_or_default()),
        Row::new(words.t("office-result-outcome"), words.t(outcome)),
    ];
    if !left.open.is_empty() {
        person.push(Row::new(words.t("find-settles"), left.open.join("\n")));
    }
    let said = left.said.into_iter().map(|(label, shown)| Row::new(label, shown));
    page(&ResultPage {
        here: format!("{HERE}/{}", found.id),
        line: line(words, &found),
        person: SummaryList { rows: person },
        said: SummaryList { rows: said.collect() },
        frame,
        staff,
    })
}

/// `POST /office/results/{id}/done`
pub(super) async fn close(
    State(app): State<App>,
    Path(result): Path<String>,
    duty: Duty,
    _: Posted,
) -> Result<Response, Problem> {
    follow::close(&app.desk, &duty.staff, id(&result)?).await?;
    Ok(onward(HERE))
}
