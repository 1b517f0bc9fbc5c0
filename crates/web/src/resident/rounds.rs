//! Rounds (梯次) as everybody sees them, with the files that let anyone check the draw; and what a person says to the
//! place that is offered.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::CaseError;
use cases::round::{self, MyTicket, SeatsView, TicketState};
use services::Service;
use services::round::Window;

use super::Resident;
use crate::address::{application, id, onward};
use crate::components::Tag;
use crate::office::{class, clock, document, ticket_state};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page};

#[derive(Template)]
#[template(path = "resident/round.html")]
struct RoundPage {
    frame: Frame,
    here: String,
    service_id: String,
    service: String,
    name: String,
    window: String,
    draw: String,
    answer_by: String,
    check_in_by: Option<String>,
    seed_rule: String,
    /// Digest of the sealed list.
    digest: Option<String>,
    /// Public value of the draw.
    seed: Option<String>,
    seats: Vec<SeatsRow>,
    /// Whether seats have classes, and whether some are reserved: a column that says nothing is left out.
    has_classes: bool,
    has_reserved: bool,
}

/// Seats of one class at a place.
struct SeatsRow {
    /// Name of the place and how many rows it has, on the first of them.
    place: Option<(String, usize)>,
    class: String,
    capacity: u32,
    reserved: u32,
}

/// The seats, each place named once.
fn rows(words: Words, seats: &[SeatsView]) -> Vec<SeatsRow> {
    let mut rows: Vec<SeatsRow> = Vec::new();
    for of_place in seats.chunk_by(|one, next| one.place == next.place) {
        rows.extend(of_place.iter().enumerate().map(|(at, one)| SeatsRow {
            place: (at == 0).then(|| (words.of(&one.place).to_owned(), of_place.len())),
            class: class(words, one),
            capacity: one.capacity,
            reserved: one.reserved,
        }));
    }
    rows
}

/// `GET /rounds/{service}/{round}`
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((service, round)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let words = frame.words;
    let found = round::published(&app.desk, &service, &round).await?;
    page(&RoundPage {
        here: format!("/rounds/{service}/{round}"),
        service: words.of(&found.service_name).to_owned(),
        name: words.of(&found.round.name).to_owned(),
        window: window(words, &found.round),
        draw: words.date(found.round.draw),
        answer_by: words.date(found.round.answer_by),
        check_in_by: found.round.check_in_by.map(|day| words.date(day)),
        seed_rule: words.of(&found.round.seed_rule).to_owned(),
        digest: found.sealed.map(|(digest, _)| digest),
        seed: found.drawn.map(|(seed, _)| seed),
        seats: rows(words, &found.seats),
        has_classes: found.seats.iter().any(|one| one.class.is_some()),
        has_reserved: found.seats.iter().any(|one| one.reserved > 0),
        service_id: service,
        frame,
    })
}

fn window(words: Words, round: &services::round::Round) -> String {
    format!("{} – {}", clock(words, round.opens), clock(words, round.closes))
}

/// `GET /rounds/{service}/{round}/{file}`: `list.json` before the draw, `draw.json` after it.
pub(super) async fn file(
    State(app): State<App>,
    Path((service, round, file)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let found = round::published(&app.desk, &service, &round).await?;
    let text = match file.as_str() {
        "list.json" => found.sealed.map(|(_, text)| text),
        "draw.json" => found.drawn.map(|(_, text)| text),
        _ => None,
    };
    let text = text.ok_or(Problem::NotFound)?;
    Ok(document(
        "application/json",
        "attachment",
        &format!("{service}-{round}-{file}"),
        text,
    ))
}

/// `POST /applications/{id}/tickets/{ticket}/{answer}`: `accept` or `decline`.
pub(super) async fn answer(
    State(app): State<App>,
    Path((case, ticket, answer)): Path<(String, String, String)>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let (case, ticket, revision) = (application(&case)?, id(&ticket)?, posted.value("revision")?);
    let said = match answer.as_str() {
        "accept" => round::accept(&app.desk, &resident.person, case, ticket, revision).await,
        "decline" => round::decline(&app.desk, &resident.person, case, ticket, revision).await,
        _ => return Err(Problem::NotFound),
    };
    match said {
        Ok(()) => Ok(onward(&format!("/applications/{case}"))),
        // too late, or answered in another window: the page of the case says so, and where it stands
        Err(CaseError::Input { .. }) => Ok(onward(&format!("/applications/{case}?ticket=late"))),
        Err(error) => Err(error.into()),
    }
}

/// A round of a service, for its page.
pub(super) struct Offered {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) window: String,
}

/// The rounds of a service, and whether applications are taken now; a service without rounds takes them always, but for a pause.
pub(super) fn offered(app: &App, words: Words, service: &Service) -> (Vec<Offered>, bool, Option<String>) {
    let paused = service.meta.paused_on(app.desk.today()).map(|paused| {
        let reason = words.of(&paused.reason).to_owned();
        match paused.until {
            Some(day) => words.with("service-paused-until", &[("reason", reason), ("date", words.date(day))]),
            None => words.t1("service-paused", "reason", reason),
        }
    });
    let Some(rounds) = &service.rounds else {
        return (Vec::new(), paused.is_none(), paused);
    };
    let found = rounds.rounds.iter().rev().map(|round| Offered {
        href: format!("/rounds/{}/{}", service.id, round.id),
        name: words.of(&round.name).to_owned(),
        window: window(words, round),
    });
    let (open, text) = match rounds.at(civic::legal_time(app.desk.now())) {
        _ if paused.is_some() => (false, paused.unwrap_or_default()),
        Window::Open(round) => (true, words.t1("round-open-until", "time", clock(words, round.closes))),
        Window::Closed(Some(next)) => (false, words.t1("round-opens", "time", clock(words, next.opens))),
        Window::Closed(None) => (false, words.t("round-closed")),
    };
    (found.collect(), open, Some(text))
}

/// That nothing can be handed in now, and from when it can again.
pub(super) fn closed(app: &App, words: Words, service: &Service) -> Option<String> {
    let (_, is_open, standing) = offered(app, words, service);
    standing.filter(|_| !is_open)
}

/// A ticket on the page of its case.
pub(super) struct TicketCard {
    pub(super) here: String,
    pub(super) round_href: String,
    pub(super) round: String,
    pub(super) revision: i64,
    pub(super) mark: Option<String>,
    pub(super) state: Tag,
    pub(super) text: String,
    /// Place, and what is to say of it.
    pub(super) choices: Vec<(String, String)>,
    pub(super) may_accept: bool,
    pub(super) may_decline: bool,
}

/// What a case took into draws, in words.
pub(super) fn cards(words: Words, case: &str, tickets: &[MyTicket], may_answer: bool) -> Vec<TicketCard> {
    let card = |ticket: &MyTicket| {
        let due = ticket.due.map_or_else(String::new, |day| words.date(day));
        let held = ticket.choices.iter().find(|choice| choice.held);
        let place = held.map_or("", |choice| words.of(&choice.place)).to_owned();
        let with = |key: &str| words.with(key, &[("place", place.clone()), ("due", due.clone())]);
        let text = match ticket.state {
            TicketState::Qualified => words.t1("ticket-text-qualified", "day", words.date(ticket.draw)),
            TicketState::Waiting => words.t("ticket-text-waiting"),
            TicketState::Offered => with("ticket-text-offered"),
            TicketState::Accepted if ticket.due.is_some() => with("ticket-text-accepted-check-in"),
            TicketState::Accepted => with("ticket-text-accepted"),
            TicketState::CheckedIn => with("ticket-text-checked-in"),
            TicketState::Declined => words.t("ticket-text-declined"),
            TicketState::Lapsed => words.t("ticket-text-lapsed"),
        };
        let choices = ticket.choices.iter().map(|choice| {
            let note = match (choice.held, choice.ahead) {
                (true, _) => words.t("ticket-choice-held"),
                (false, Some(ahead)) => words.t1("ticket-choice-ahead", "n", ahead + 1),
                (false, None) => String::new(),
            };
            (words.of(&choice.place).to_owned(), note)
        });
        TicketCard {
            here: format!("/applications/{case}/tickets/{}", ticket.id),
            round_href: format!("/rounds/{}/{}", ticket.service, ticket.round),
            round: words.of(&ticket.round_name).to_owned(),
            revision: ticket.revision,
            mark: ticket.mark.clone(),
            state: ticket_state(words, ticket.state),
            text,
            choices: choices.collect(),
            may_accept: may_answer && ticket.state == TicketState::Offered,
            may_decline: may_answer
                && matches!(
                    ticket.state,
                    TicketState::Offered | TicketState::Accepted | TicketState::Waiting | TicketState::Qualified
                ),
        }
    };
    tickets.iter().map(card).collect()
}
