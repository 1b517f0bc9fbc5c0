//! The administrative appeal (訴願) of a resident: lodged here, seen here, taken back here.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::CaseError;
use cases::appeal::{self, State as Step};

use super::Resident;
use crate::address::{application, id, onward};
use crate::components::{ErrorSummary, Tag};
use crate::office::appeal_state;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

struct One {
    id: String,
    revision: i64,
    state: Tag,
    note: String,
    late: bool,
    text: String,
    answer: Option<String>,
    may_withdraw: bool,
}

#[derive(Template)]
#[template(path = "resident/appeal.html")]
struct AppealPage {
    frame: Frame,
    errors: Option<ErrorSummary>,
    here: String,
    case: String,
    number: String,
    service: String,
    law: String,
    body: String,
    all: Vec<One>,
    may_lodge: bool,
    until: Option<String>,
    over: bool,
    typed: String,
}

fn one(words: Words, body: &str, view: appeal::View) -> One {
    let key = match view.state {
        Step::Lodged => "appeal-note-lodged",
        Step::SetAside => "appeal-note-set-aside",
        Step::Decided => "appeal-note-decided",
        Step::Forwarded => "appeal-note-forwarded",
        Step::Withdrawn => "appeal-note-withdrawn",
    };
    let day = |day: Option<jiff::civil::Date>| day.map_or_else(String::new, |day| words.date(day));
    let values = [
        ("lodged", day(view.lodged)),
        ("due", day(view.due)),
        ("body", body.to_owned()),
    ];
    One {
        id: view.id.to_string(),
        revision: view.revision,
        state: appeal_state(words, view.state),
        note: words.with(key, &values),
        late: view.late,
        text: view.text,
        answer: view.answer,
        may_withdraw: view.state == Step::Lodged,
    }
}

async fn render(
    app: &App,
    resident: Resident,
    case: &str,
    status: StatusCode,
    error: Option<&str>,
    typed: String,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let words = frame.words;
    let appeals = appeal::mine(&app.desk, &person, application(case)?).await?;
    let body = words.of(&appeals.rules.body).to_owned();
    let page = AppealPage {
        errors: error.map(|key| ErrorSummary {
            words,
            errors: vec![("text".to_owned(), words.t(key))],
        }),
        here: format!("/applications/{}/appeal", appeals.id),
        case: format!("/applications/{}", appeals.id),
        number: appeals.number,
        service: words.of(&appeals.service).to_owned(),
        law: appeals.rules.law.split('；').next().unwrap_or_default().to_owned(),
        all: appeals.all.into_iter().map(|view| one(words, &body, view)).collect(),
        body,
        may_lodge: appeals.may_lodge,
        until: appeals.until.map(|until| words.date(until)),
        over: appeals.over,
        typed,
        frame,
    };
    page_with(status, &page)
}

/// `GET /applications/{id}/appeal`
pub(super) async fn show(
    State(app): State<App>,
    Path(case): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    render(&app, resident, &case, StatusCode::OK, None, String::new()).await
}

/// `POST /applications/{id}/appeal`
pub(super) async fn lodge(
    State(app): State<App>,
    Path(case): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let text = posted.text("text").replace("\r\n", "\n");
    match appeal::lodge(&app.desk, &resident.person, application(&case)?, &text).await {
        Ok(()) => Ok(onward(&format!("/applications/{case}/appeal"))),
        Err(CaseError::Input { problem, .. }) => {
            let key = if problem == "too_long" {
                "appeal-too-long"
            } else {
                "appeal-empty"
            };
            let again = StatusCode::UNPROCESSABLE_ENTITY;
            render(&app, resident, &case, again, Some(key), text).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /applications/{id}/appeal/{appeal}/withdraw`
pub(super) async fn withdraw(
    State(app): State<App>,
    Path((case, appeal)): Path<(String, String)>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    application(&case)?;
    appeal::withdraw(&app.desk, &resident.person, id(&appeal)?, posted.value("revision")?).await?;
    Ok(onward(&format!("/applications/{case}/appeal")))
}
