//! Find what I may receive (我可以申請什麼): one question a page, and what every service comes to on what was said.
//!
//! The answers stand in the session and nowhere else. They survive the sign-in only where it was begun from these pages.

mod family;
mod question;
mod result;

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use cases::find::{self, Asked, Screening, View};
use cases::{held, people};
use services::form::APPLICANT;
use tower_sessions::Session;

use crate::address::onward;
use crate::components::Choice;
use crate::texts::Words;
use crate::visit::Who;
use crate::{App, Frame, Posted, Problem, page, visit};

/// What the session keeps the answers under.
const KEPT: &str = "find";

/// Where the pages begin.
const START: &str = "/find";
/// Where the result stands.
const RESULT: &str = "/find/result";

/// The pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/find", get(show).post(start))
        .route("/find/q/{address}", get(question::show).post(question::answer))
        .route("/find/result", get(result::show))
        .route("/find/why/{service}", get(result::why))
        .route("/find/apply/{service}", post(result::apply))
        .route("/find/leave/{service}", post(result::leave))
        .route("/find/end", post(end))
}

/// The questionnaire of a session.
async fn kept(session: &Session) -> Result<Option<Screening>, Problem> {
    visit::take(session, KEPT).await
}

async fn keep(session: &Session, screening: &Screening) -> Result<(), Problem> {
    visit::put(session, KEPT, screening).await
}

/// The questionnaire that a sign-in begun at `to` must not lose; everything else of the session goes.
pub(super) async fn carried(session: &Session, to: &str) -> Result<Option<Screening>, Problem> {
    if to == RESULT { kept(session).await } else { Ok(None) }
}

/// Puts it back after the sign-in.
pub(super) async fn bring(session: &Session, screening: Option<Screening>) -> Result<(), Problem> {
    match screening {
        Some(screening) => keep(session, &screening).await,
        None => Ok(()),
    }
}

fn look(app: &App, screening: &Screening) -> View {
    find::look(&app.desk.catalogue, screening, app.desk.today())
}

/// The next question, or the result.
fn onwards(view: &View) -> String {
    match view.next() {
        Some(next) => question_at(&next.address()),
        None => RESULT.to_owned(),
    }
}

/// Keeps what was said and gives where to go on; a questionnaire that has come to its end is counted, once.
async fn go_on(app: &App, session: &Session, mut screening: Screening) -> Result<Response, Problem> {
    let view = look(app, &screening);
    if view.next().is_none() && !screening.counted {
        find::count(&app.desk, &view).await?;
        screening.counted = true;
    }
    keep(session, &screening).await?;
    Ok(onward(&onwards(&view)))
}

fn question_at(address: &str) -> String {
    format!("/find/q/{address}")
}

/// What a person is called: themselves, by the name given here, or by their place in the family.
fn called(words: Words, screening: &Screening, person: &str) -> String {
    if person == APPLICANT {
        return words.t("find-you");
    }
    let mut members = screening.members.iter().enumerate();
    match members.find(|(_, member)| member.id == person) {
        Some((_, member)) if !member.called.is_empty() => member.called.clone(),
        Some((place, _)) => words.t1("find-member", "n", place + 1),
        None => String::new(),
    }
}

/// Whom a question is about, where the family has several persons.
fn about(words: Words, screening: &Screening, asked: &Asked) -> Option<String> {
    let person = asked.person.as_deref()?;
    (screening.members.len() > 1).then(|| called(words, screening, person))
}

#[derive(Template)]
#[template(path = "resident/find_start.html")]
struct StartPage {
    frame: Frame,
    /// Events of life some service is looked for under.
    events: Vec<Choice>,
    /// Where to go on, when a questionnaire is under way.
    going: Option<String>,
    services: usize,
    /// Whether there are earlier applications of the person that may be used.
    held: bool,
}

/// Events of life of the services, in the order of their words, as far as they have words.
fn events(app: &App, words: Words) -> Vec<Choice> {
    let all = app.desk.catalogue.all().flat_map(|service| &service.meta.life_events);
    let all: BTreeSet<&String> = all.collect();
    all.into_iter()
        .filter_map(|event| {
            let key = format!("find-event-{}", event.replace('_', "-"));
            words.has(&key).then(|| Choice {
                value: event.clone(),
                label: words.t(&key),
                hint: None,
                chosen: false,
            })
        })
        .collect()
}

/// `GET /find`
async fn show(State(app): State<App>, frame: Frame, session: Session) -> Result<Response, Problem> {
    let frame = frame.with_token(&session).await?;
    let held = match frame.visit.who {
        Who::Resident(id) => held::has_any(&app.desk, &people::get(&app.desk, id).await?).await?,
        _ => false,
    };
    let going = kept(&session).await?.map(|screening| onwards(&look(&app, &screening)));
    page(&StartPage {
        events: events(&app, frame.words),
        going,
        services: app.desk.catalogue.all().len(),
        held,
        frame,
    })
}

/// `POST /find`: begins anew, with what the city holds where the person says so.
async fn start(State(app): State<App>, frame: Frame, session: Session, posted: Posted) -> Result<Response, Problem> {
    let event = posted.text("event");
    let known = app
        .desk
        .catalogue
        .all()
        .any(|service| service.meta.life_events.iter().any(|one| one == event));
    if !event.is_empty() && !known {
        return Err(Problem::Unusable);
    }
    let mut screening = Screening::default();
    screening.event = known.then(|| event.to_owned());
    if let Who::Resident(id) = frame.visit.who
        && posted.text("held") == "yes"
    {
        let person = people::get(&app.desk, id).await?;
        held::screening(&app.desk, &person, &mut screening).await?;
    }
    go_on(&app, &session, screening).await
}

/// `POST /find/end`: forgets the answers.
async fn end(session: Session, _: Posted) -> Result<Response, Problem> {
    session
        .remove::<serde_json::Value>(KEPT)
        .await
        .map_err(|_| Problem::Broken)?;
    Ok(onward(START))
}
