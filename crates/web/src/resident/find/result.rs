//! What every service comes to on what was said: entitled, may be, not; and the next step.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::find::{self, Open, Screening, Standing};
use cases::{CaseError, people};
use civic::Channel;
use services::Service;
use services::form::Answers;
use tower_sessions::Session;

use super::{RESULT, START, called, kept, look, onwards, question_at};
use crate::address::onward;
use crate::components::{Outcome, Reasons};
use crate::resident::{apply as application, explained, rounds};
use crate::texts::Words;
use crate::visit::Who;
use crate::{App, Frame, Posted, Problem, page};

/// Most open questions named for one service.
const NAMED: usize = 4;

/// What would settle an outcome.
struct Settles {
    href: String,
    text: String,
}

/// One service.
struct Card {
    id: String,
    name: String,
    agency: String,
    amounts: Vec<(String, String)>,
    /// Why not: conditions that are not met, with their articles.
    because: Vec<(String, String)>,
    settles: Vec<Settles>,
    /// How many more there are.
    more: usize,
    /// Where its window stands, for a service that does not take applications all year, or is paused.
    window: Option<String>,
    may_apply: bool,
    /// The notice and consent for leaving the result with the office.
    leave: Option<String>,
}

/// Services that stand alike.
struct Group {
    /// Key of the heading.
    title: &'static str,
    /// Key of the tag at each service, and its colour.
    tag: &'static str,
    colour: &'static str,
    cards: Vec<Card>,
}

#[derive(Template)]
#[template(path = "resident/find_result.html")]
struct ResultPage {
    frame: Frame,
    groups: Vec<Group>,
    /// Where to go on, while there is something to ask.
    next: Option<String>,
    /// On how much it rests.
    text: String,
    event: Option<String>,
}

/// `GET /find/result`
pub(super) async fn show(State(app): State<App>, frame: Frame, session: Session) -> Result<Response, Problem> {
    let Some(screening) = kept(&session).await? else {
        return Ok(onward(START));
    };
    let frame = frame.with_token(&session).await?;
    let words = frame.words;
    let view = look(&app, &screening);
    let next = view.next().is_some().then(|| onwards(&view));
    let (mut yes, mut open, mut no) = (Vec::new(), Vec::new(), Vec::new());
    let services = view.standings.len();
    for standing in &view.standings {
        let card = card(&app, words, &screening, standing);
        match standing.outcome() {
            Some(true) => yes.push(card),
            None => open.push(card),
            Some(false) => no.push(card),
        }
    }
    page(&ResultPage {
        groups: [
            ("find-yes", "find-yes-tag", "green", yes),
            ("find-open", "find-open-tag", "yellow", open),
            ("find-no", "find-no-tag", "grey", no),
        ]
        .into_iter()
        .filter(|(.., cards)| !cards.is_empty())
        .map(|(title, tag, colour, cards)| Group {
            title,
            tag,
            colour,
            cards,
        })
        .collect(),
        next,
        text: words.with(
            "find-result-text",
            &[
                ("n", screening.answered().to_string()),
                ("services", services.to_string()),
            ],
        ),
        event: screening
            .event
            .as_ref()
            .map(|event| words.t(&format!("find-event-{}", event.replace('_', "-")))),
        frame,
    })
}

fn card(app: &App, words: Words, screening: &Screening, standing: &Standing) -> Card {
    let service = &standing.service;
    let (_, is_open, window) = rounds::offered(app, words, service);
    let is_good = standing.outcome() == Some(true);
    let decision = standing.decision.as_ref();
    let amounts = decision.filter(|_| is_good).map_or_else(Vec::new, |decision| {
        explained::outcome(words, service, decision, cases::State::Draft).amounts
    });
    let step = |name: &String| {
        let found = service.rules.steps().iter().find(|step| step.name == *name)?;
        Some((words.of(&found.title).to_owned(), found.law.clone()))
    };
    let mut settles: Vec<Settles> = standing
        .open
        .iter()
        .filter_map(|open| settling(app, words, screening, standing, open))
        .collect();
    let more = settles.len().saturating_sub(NAMED);
    settles.truncate(NAMED);
    Card {
        id: service.id.clone(),
        name: words.of(&service.meta.name).to_owned(),
        agency: words.of(&service.meta.agency).to_owned(),
        amounts,
        because: decision.map_or_else(Vec::new, |decision| decision.minimum.iter().filter_map(step).collect()),
        settles,
        more,
        window,
        leave: (standing.outcome() != Some(false))
            .then(|| notice(words, service))
            .flatten(),
        may_apply: is_open && standing.outcome() != Some(false) && service.meta.channels.contains(&Channel::Online),
    }
}

/// What somebody agrees to who leaves the result with the office; None where the office takes none.
fn notice(words: Words, service: &Service) -> Option<String> {
    let days = service.meta.follow_up_days?;
    Some(words.with(
        "find-leave-notice",
        &[
            ("service", words.of(&service.meta.name).to_owned()),
            ("agency", words.of(&service.meta.agency).to_owned()),
            ("law", service.meta.legal_basis.clone()),
            ("days", days.to_string()),
        ],
    ))
}

/// `POST /find/leave/{service}`: leaves the result with the office that decides.
pub(super) async fn leave(
    State(app): State<App>,
    Path(service): Path<String>,
    frame: Frame,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let Who::Resident(id) = frame.visit.who else {
        return Ok(onward(&format!("/sign-in?return={RESULT}")));
    };
    let Some(screening) = kept(&session).await? else {
        return Ok(onward(START));
    };
    // without the box ticked nothing is kept; the page says so by asking again
    if posted.text("agree") != "yes" {
        return Ok(onward(RESULT));
    }
    let found = app.desk.catalogue.get(&service).ok_or(Problem::NotFound)?;
    let text = notice(frame.words, found).ok_or(Problem::NotFound)?;
    let person = people::get(&app.desk, id).await?;
    find::follow::leave(&app.desk, &person, &screening, &service, &text, frame.language()).await?;
    Ok(onward("/my-data"))
}

/// What an open outcome waits for, in the words of its rules, with the question that answers it.
fn settling(app: &App, words: Words, screening: &Screening, standing: &Standing, open: &Open) -> Option<Settles> {
    let Open::Fact(asked) = open else {
        return Some(Settles {
            href: question_at(find::FAMILY),
            text: words.t("find-family-title"),
        });
    };
    let fact = app.desk.catalogue.vocabulary().fact(&asked.fact)?;
    let name = fact.inputs.get(&standing.service.id)?;
    let mut inputs = standing.service.rules.inputs().iter();
    let input = inputs.find(|one| one.entity == name.entity && one.name == name.name)?;
    let title = words.of(&input.title);
    let text = match &asked.person {
        Some(person) if screening.members.len() > 1 => words.with(
            "find-of",
            &[("what", title.to_owned()), ("who", called(words, screening, person))],
        ),
        _ => title.to_owned(),
    };
    let text = match screening.said(asked) {
        Some(said) if said.value.is_none() => words.t1("find-you-do-not-know", "what", text),
        _ => text,
    };
    Some(Settles {
        href: question_at(&asked.address()),
        text,
    })
}

#[derive(Template)]
#[template(path = "resident/find_why.html")]
struct WhyPage {
    frame: Frame,
    service: String,
    law: String,
    outcome: Outcome,
    reasons: Reasons,
}

/// `GET /find/why/{service}`: every condition of one service with its article, and how it stands.
pub(super) async fn why(
    State(app): State<App>,
    Path(service): Path<String>,
    frame: Frame,
    session: Session,
) -> Result<Response, Problem> {
    let Some(screening) = kept(&session).await? else {
        return Ok(onward(START));
    };
    let words = frame.words;
    let view = look(&app, &screening);
    let standing = view.standings.iter().find(|standing| standing.service.id == service);
    let standing = standing.ok_or(Problem::NotFound)?;
    let decision = standing.decision.as_ref().ok_or(Problem::NotFound)?;
    let service = &standing.service;
    page(&WhyPage {
        service: words.of(&service.meta.name).to_owned(),
        law: service.meta.legal_basis.clone(),
        outcome: explained::outcome(words, service, decision, cases::State::Draft),
        reasons: explained::reasons(words, service, decision, &shown(words, &screening, standing)),
        frame,
    })
}

/// The answers of a service with what people are called here, for explanations.
fn shown(words: Words, screening: &Screening, standing: &Standing) -> Answers {
    let mut answers = standing.answers.clone();
    let group = standing.service.form.person_group();
    let Some((group, label)) = group.and_then(|group| Some((&group.id, group.label.as_ref()?))) else {
        return answers;
    };
    for member in &screening.members {
        let name = called(words, screening, &member.id);
        let key = format!("{group}.{}.{label}", member.id);
        answers.answer(&key, Some(name.into()), jiff::Timestamp::UNIX_EPOCH);
    }
    answers
}

/// `POST /find/apply/{service}`: opens the application with what was said.
pub(super) async fn apply(
    State(app): State<App>,
    Path(service): Path<String>,
    frame: Frame,
    session: Session,
    _: Posted,
) -> Result<Response, Problem> {
    let Who::Resident(id) = frame.visit.who else {
        return Ok(onward(&format!("/sign-in?return={RESULT}")));
    };
    let Some(screening) = kept(&session).await? else {
        return Ok(onward(&format!("/services/{service}")));
    };
    let person = people::get(&app.desk, id).await?.proven(frame.visit.verified.clone());
    let id = match find::apply(&app.desk, &person, &service, &screening, frame.language()).await {
        Err(CaseError::Closed { .. }) => return Ok(onward(&format!("/services/{service}"))),
        Err(error) => return Err(Problem::on(error, "/find/result")),
        Ok(id) => id,
    };
    let draft = cases::collect::draft(&app.desk, &person, id).await?;
    Ok(onward(&application::next(&draft)))
}
