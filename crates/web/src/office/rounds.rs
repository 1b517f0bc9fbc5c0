//! Rounds (梯次): who takes part, the sealed list, the public draw, check-in and the waiting list.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::round::{self, Line, RoundView, SeatsView, TicketState};
use cases::{CaseError, Staff};
use jiff::civil::DateTime;
use serde::Deserialize;

use super::act::conflict;
use super::{Duty, done};
use crate::address::{id, onward};
use crate::components::{Banner, Colour, ErrorSummary, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

const HERE: &str = "/office/rounds";

/// A round in the list.
struct Row {
    href: String,
    service: String,
    name: String,
    window: String,
    state: Tag,
    undecided: i64,
    tickets: i64,
}

#[derive(Template)]
#[template(path = "office/rounds.html")]
struct RoundsPage {
    frame: Frame,
    staff: Staff,
    rows: Vec<Row>,
}

/// A ticket in the list.
struct Ticket {
    id: String,
    revision: i64,
    href: String,
    number: String,
    state: Tag,
    place: String,
    due: String,
    may_check_in: bool,
}

#[derive(Template)]
#[template(path = "office/round.html")]
struct RoundPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    here: String,
    public: String,
    row: Row,
    draw: String,
    seed_rule: String,
    digest: Option<String>,
    seed: Option<String>,
    typed: String,
    may_seal: bool,
    is_sealed: bool,
    may_draw: bool,
    is_drawn: bool,
    seats_differ: bool,
    /// Seats that the folder says to be fewer than are given.
    reduced: Option<String>,
    seats: Vec<(String, String, SeatsView)>,
    counts: Vec<(Tag, i64)>,
    tickets: Vec<Ticket>,
}

/// A legal time in words.
pub(crate) fn clock(words: Words, at: DateTime) -> String {
    format!("{} {:02}:{:02}", words.date(at.date()), at.hour(), at.minute())
}

/// The name of a class of seats.
pub(crate) fn class(words: Words, seats: &SeatsView) -> String {
    match &seats.class {
        Some(name) => words.of(name).to_owned(),
        None => words.t("seats-all"),
    }
}

/// Where a ticket stands, in a word.
pub(crate) fn state(words: Words, state: TicketState) -> Tag {
    let (key, colour) = match state {
        TicketState::Qualified => ("ticket-qualified", Colour::Blue),
        TicketState::Waiting => ("ticket-waiting", Colour::Yellow),
        TicketState::Offered => ("ticket-offered", Colour::Yellow),
        TicketState::Accepted => ("ticket-accepted", Colour::Green),
        TicketState::CheckedIn => ("ticket-checked-in", Colour::Green),
        TicketState::Declined => ("ticket-declined", Colour::Grey),
        TicketState::Lapsed => ("ticket-lapsed", Colour::Grey),
    };
    Tag::new(words.t(key), colour)
}

fn row(words: Words, line: &Line) -> Row {
    let (key, colour) = match line {
        Line { is_drawn: true, .. } => ("office-round-drawn", Colour::Green),
        Line { is_sealed: true, .. } => ("office-round-sealed", Colour::Blue),
        Line { is_open: true, .. } => ("office-round-open", Colour::Yellow),
        _ => ("office-round-closed", Colour::Grey),
    };
    Row {
        href: format!("{HERE}/{}/{}", line.service, line.round.id),
        service: words.of(&line.service_name).to_owned(),
        name: words.of(&line.round.name).to_owned(),
        window: format!(
            "{} – {}",
            clock(words, line.round.opens),
            clock(words, line.round.closes)
        ),
        state: Tag::new(words.t(key), colour),
        undecided: line.undecided,
        tickets: line.tickets,
    }
}

/// `GET /office/rounds`
pub(super) async fn list(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let found = round::list(&app.desk, &staff).await?;
    page(&RoundsPage {
        rows: found.iter().map(|line| row(frame.words, line)).collect(),
        frame,
        staff,
    })
}

async fn render(
    app: &App,
    duty: Duty,
    place: (&str, &str),
    status: StatusCode,
    done: Option<Banner>,
    error: Option<(&str, &str)>,
    typed: &str,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let RoundView {
        line,
        digest,
        seed,
        may_draw,
        seats,
        seats_differ,
        changed,
        counts,
        tickets,
    } = round::view(&app.desk, &staff, place.0, place.1).await?;
    let closed = civic::legal_time(app.desk.now()) >= line.round.closes;
    let tickets = tickets.into_iter().map(|ticket| Ticket {
        id: ticket.id.to_string(),
        revision: ticket.revision,
        href: format!("/office/cases/{}", ticket.application),
        number: ticket.number,
        may_check_in: ticket.state == TicketState::Accepted && line.round.check_in_by.is_some(),
        state: state(words, ticket.state),
        place: ticket
            .place
            .map_or_else(|| words.t("none"), |name| words.of(&name).to_owned()),
        due: ticket.due.map_or_else(|| words.t("none"), |day| words.date(day)),
    });
    let page = RoundPage {
        done,
        errors: error.map(|(field, key)| ErrorSummary {
            words,
            errors: vec![(field.to_owned(), words.t(key))],
        }),
        here: format!("{HERE}/{}/{}", line.service, line.round.id),
        public: format!("/rounds/{}/{}", line.service, line.round.id),
        draw: words.date(line.round.draw),
        seed_rule: words.of(&line.round.seed_rule).to_owned(),
        may_seal: closed && !line.is_sealed,
        is_sealed: line.is_sealed,
        may_draw,
        is_drawn: line.is_drawn,
        seats_differ,
        reduced: {
            let below = changed.iter().filter(|one| one.is_below());
            let lines: Vec<String> = below
                .map(|one| {
                    let class = one.class.as_ref().map(|class| format!("・{}", words.of(class)));
                    let place = words.of(&one.place);
                    format!(
                        "{place}{} {} → {} / {}",
                        class.unwrap_or_default(),
                        one.sealed,
                        one.folder,
                        one.given
                    )
                })
                .collect();
            (!lines.is_empty()).then(|| words.t1("office-round-seats-reduced", "places", lines.join("、")))
        },
        seats: seats
            .into_iter()
            .map(|seats| (words.of(&seats.place).to_owned(), class(words, &seats), seats))
            .collect(),
        counts: counts
            .into_iter()
            .map(|(at, count)| (state(words, at), count))
            .collect(),
        tickets: tickets.collect(),
        row: row(words, &line),
        digest,
        seed,
        typed: typed.to_owned(),
        frame,
        staff,
    };
    page_with(status, &page)
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
}

/// `GET /office/rounds/{service}/{round}`
pub(super) async fn show(
    State(app): State<App>,
    duty: Duty,
    Path((service, round)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let done = done(&duty.frame, &asked.done);
    render(&app, duty, (&service, &round), StatusCode::OK, done, None, "").await
}

/// `POST /office/rounds/{service}/{round}/seal`
pub(super) async fn seal(
    State(app): State<App>,
    duty: Duty,
    Path((service, round)): Path<(String, String)>,
    _: Posted,
) -> Result<Response, Problem> {
    let here = format!("{HERE}/{service}/{round}");
    let error = match round::seal(&app.desk, &duty.staff, &service, &round).await {
        Ok(()) => return Ok(onward(&format!("{here}?done=round-sealed"))),
        Err(CaseError::Conflict(_)) => return conflict(duty, here),
        Err(CaseError::Input { problem, .. }) => match problem {
            "still_open" => "office-round-still-open",
            "undecided" => "office-round-undecided",
            "seats_missing" => "office-round-seats-missing",
            _ => "office-round-nobody",
        },
        Err(error) => return Err(error.into()),
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    render(&app, duty, (&service, &round), status, None, Some(("seal", error)), "").await
}

/// `POST /office/rounds/{service}/{round}/draw`: never by the one who sealed.
pub(super) async fn draw(
    State(app): State<App>,
    duty: Duty,
    Path((service, round)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let here = format!("{HERE}/{service}/{round}");
    let seed = posted.text("seed");
    let (status, error) = match round::draw(&app.desk, &duty.staff, &service, &round, seed).await {
        Ok(()) => return Ok(onward(&format!("{here}?done=round-drawn"))),
        Err(CaseError::Conflict(_)) => return conflict(duty, here),
        Err(CaseError::Refused(_)) => (StatusCode::FORBIDDEN, "office-round-own"),
        Err(CaseError::Input { problem, .. }) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            match problem {
                "too_early" => "office-round-too-early",
                "too_long" => "office-round-seed-long",
                _ => "office-round-seed-empty",
            },
        ),
        Err(error) => return Err(error.into()),
    };
    render(
        &app,
        duty,
        (&service, &round),
        status,
        None,
        Some(("seed", error)),
        seed,
    )
    .await
}

/// `POST /office/rounds/{service}/{round}/tickets/{ticket}/check-in`
pub(super) async fn check_in(
    State(app): State<App>,
    duty: Duty,
    Path((service, round, ticket)): Path<(String, String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let here = format!("{HERE}/{service}/{round}");
    match round::check_in(&app.desk, &duty.staff, id(&ticket)?, posted.value("revision")?).await {
        Ok(()) => Ok(onward(&format!("{here}?done=checked-in"))),
        Err(CaseError::Conflict(_) | CaseError::Input { .. }) => conflict(duty, here),
        Err(error) => Err(error.into()),
    }
}
