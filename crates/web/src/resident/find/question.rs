//! One question.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::find::{self, Asked, FAMILY, Screening};
use services::form::{FieldView, Invalid, Source};
use tower_sessions::Session;

use super::{START, about, family, go_on, kept, question_at};
use crate::address::onward;
use crate::components::{ErrorSummary, Field};
use crate::resident::fields;
use crate::{App, Frame, Posted, Problem, page_with};

/// Name of the input: the address says which fact it is.
const ANSWER: &str = "answer";

#[derive(Template)]
#[template(path = "resident/find_question.html")]
struct QuestionPage {
    frame: Frame,
    here: String,
    title: String,
    hint: Option<String>,
    /// Whom the question is about.
    about: Option<String>,
    errors: Option<ErrorSummary>,
    field: Field,
    /// Where a value that is known came from.
    source: Option<String>,
    /// Whether the person said before that they don't know.
    unknown: bool,
    back: String,
    answered: usize,
}

/// `GET /find/q/{address}`
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    Path(address): Path<String>,
) -> Result<Response, Problem> {
    let Some(screening) = kept(&session).await? else {
        return Ok(onward(START));
    };
    let frame = frame.with_token(&session).await?;
    if address == FAMILY {
        return family::show(frame, &screening);
    }
    let asked = Asked::at(&address, app.desk.catalogue.vocabulary(), &screening).ok_or(Problem::NotFound)?;
    render(&app, frame, &screening, &asked, None)
}

fn render(
    app: &App,
    frame: Frame,
    screening: &Screening,
    asked: &Asked,
    invalid: Option<&Invalid>,
) -> Result<Response, Problem> {
    let words = frame.words;
    let (form_page, field) = find::field(&app.desk.catalogue, asked).ok_or(Problem::NotFound)?;
    let said = screening.said(asked);
    let value = said.and_then(|said| said.value.as_ref());
    let input = field.shown_as(ANSWER, value, invalid, frame.language(), |view: &FieldView<'_>| {
        fields::field(words, view)
    });
    let address = asked.address();
    let source = said.filter(|said| said.value.is_some() && !said.source.is_own_word());
    let page = QuestionPage {
        here: question_at(&address),
        title: words.of(&form_page.title).to_owned(),
        hint: form_page.hint.as_ref().map(|hint| words.of(hint).to_owned()),
        about: about(words, screening, asked),
        errors: invalid.map(|invalid| ErrorSummary {
            words,
            errors: invalid
                .errors
                .iter()
                .map(|error| (error.key.clone(), error.message.clone()))
                .collect(),
        }),
        field: Field {
            optional: false,
            ..input
        },
        source: source.map(|said| fields::source(words, &said.source)),
        unknown: said.is_some_and(|said| said.value.is_none()),
        back: screening.before(&address).map_or_else(|| START.to_owned(), question_at),
        answered: screening.answered(),
        frame,
    };
    let status = invalid.map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
    page_with(status, &page)
}

/// `POST /find/q/{address}`
pub(super) async fn answer(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    Path(address): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let Some(mut screening) = kept(&session).await? else {
        return Ok(onward(START));
    };
    if address == FAMILY {
        return family::save(&app, &session, screening, &posted).await;
    }
    let asked = Asked::at(&address, app.desk.catalogue.vocabulary(), &screening).ok_or(Problem::NotFound)?;
    let (_, field) = find::field(&app.desk.catalogue, &asked).ok_or(Problem::NotFound)?;
    let value = if posted.text("act") == "unknown" {
        None
    } else {
        match field.enter(ANSWER, &posted.raw, frame.language(), app.desk.now()) {
            Ok(value) => Some(value),
            Err(invalid) => return render(&app, frame, &screening, &asked, Some(&invalid)),
        }
    };
    screening.answer(&asked, value, Source::Screening, app.desk.now());
    go_on(&app, &session, screening).await
}
