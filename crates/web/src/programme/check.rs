//! The check before sending, and sending: the plan, or the corrected one.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use grants::clock::{CALL, Phase};
use subsidies::{Draft, SubsidyError};

use super::place::{self, Said};
use super::{Seat, conflict, minute};
use crate::address::{id, onward};
use crate::components::ErrorSummary;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

/// A finding with the way to its place.
struct Line {
    href: Option<String>,
    name: String,
    text: String,
}

#[derive(Template)]
#[template(path = "programme/check.html")]
struct CheckPage {
    frame: Frame,
    staff: Staff,
    errors: Option<ErrorSummary>,
    back: String,
    refusals: Vec<Line>,
    warnings: Vec<Line>,
    /// What is sent; nothing where nothing can be sent.
    sends: Option<&'static str>,
    /// Until when, or why it can't be sent.
    told: String,
}

/// What can be sent now, and until when or why not.
fn sending(words: Words, app: &App, draft: &Draft) -> (Option<&'static str>, String) {
    let now = app.subsidies.now();
    let term = draft.programme.term(CALL, now);
    let closes = term.map_or_else(String::new, |term| minute(words, term.closes));
    match draft.row.state {
        subsidies::State::Draft => match draft.programme.phase(CALL, now) {
            Some(Phase::Open) => (Some("programme-send"), words.t1("programme-until", "closes", closes)),
            Some(Phase::Before) => {
                let opens = term.and_then(|term| term.opens);
                let opens = opens.map_or_else(String::new, |opens| minute(words, opens));
                (None, words.t1("programme-opens", "opens", opens))
            }
            Some(Phase::Over) | None => (None, words.t1("programme-over", "closes", closes)),
        },
        subsidies::State::Correction => {
            use grants::correction::Standing::{Forfeit, Overdue};
            match &draft.correction {
                Some(found) if found.standing == Forfeit => (None, words.t("programme-standing-forfeit")),
                Some(found) => {
                    let day = match found.standing {
                        Overdue { .. } => found.last_late_day,
                        _ => found.last_day,
                    };
                    let told = words.t1("programme-hand-in-until", "day", words.date(day));
                    (Some("programme-hand-in"), told)
                }
                None => (None, String::new()),
            }
        }
        subsidies::State::Sent | subsidies::State::Corrected | subsidies::State::Refused => {
            (None, words.t("programme-closed"))
        }
    }
}

async fn render(
    app: &App,
    seat: Seat,
    plan: &str,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let draft = subsidies::draft(&app.subsidies, &seat.member, id(plan)?).await?;
    let back = format!("/programme/plans/{plan}");
    let (warnings, refusals): (Vec<Said>, Vec<Said>) = place::said(words, &draft.programme, &draft.findings)
        .into_iter()
        .partition(|one| one.warning);
    let line = |one: Said| Line {
        href: one.place.as_ref().map(|place| place.href(&back)),
        name: one.place.map_or_else(|| words.t("programme-whole"), |place| place.name),
        text: one.text,
    };
    let (sends, told) = sending(words, app, &draft);
    // who sends from a page that was opened before is refused there
    let sends = sends.filter(|_| refusals.is_empty());
    let page = CheckPage {
        errors: problem.map(|text| ErrorSummary {
            words,
            errors: vec![("refusals".to_owned(), text)],
        }),
        refusals: refusals.into_iter().map(line).collect(),
        warnings: warnings.into_iter().map(line).collect(),
        sends,
        told,
        back,
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// `GET /programme/plans/{plan}/check`
pub(super) async fn show(State(app): State<App>, seat: Seat, Path(plan): Path<String>) -> Result<Response, Problem> {
    render(&app, seat, &plan, StatusCode::OK, None).await
}

/// `POST /programme/plans/{plan}/check`: sends the plan, or hands in the corrected one.
pub(super) async fn send(
    State(app): State<App>,
    seat: Seat,
    Path(plan): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let number = id(&plan)?;
    let here = format!("/programme/plans/{plan}");
    let (done, result) = match posted.text("what") {
        "programme-hand-in" => (
            "handed-in",
            subsidies::hand_in(&app.subsidies, &seat.member, number).await,
        ),
        _ => ("sent", subsidies::send(&app.subsidies, &seat.member, number).await),
    };
    let again = StatusCode::CONFLICT;
    match result {
        Ok(()) => Ok(onward(&format!("{here}?done={done}"))),
        Err(SubsidyError::Unready(findings)) => {
            let told = words.t1("programme-unready", "n", findings.len());
            render(&app, seat, &plan, StatusCode::UNPROCESSABLE_ENTITY, Some(told)).await
        }
        Err(SubsidyError::Late(closes)) => {
            let told = words.t1("programme-late", "closes", minute(words, closes));
            render(&app, seat, &plan, again, Some(told)).await
        }
        Err(SubsidyError::NotYet(opens)) => {
            let told = words.t1("programme-opens", "opens", minute(words, opens));
            render(&app, seat, &plan, again, Some(told)).await
        }
        Err(SubsidyError::Forfeit(day)) => {
            let told = words.t1("programme-forfeit", "day", words.date(day));
            render(&app, seat, &plan, again, Some(told)).await
        }
        Err(SubsidyError::State | SubsidyError::Conflict(_)) => conflict(seat, here),
        Err(error) => Err(error.into()),
    }
}
