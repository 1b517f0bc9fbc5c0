//! The plans that reached the ministry, as a list, and the conflicts of interest that reviewers declare.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use grants::Programme;
use grants::clock::{CALL, Phase};
use subsidies::{Decided, Received, SubsidyError};
use uuid::Uuid;

use super::{Asked, Seat, Side, done, lines, standing};
use crate::address::onward;
use crate::components::{Banner, Cell, Choice, Control, ErrorSummary, Field, Head, Table};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

#[derive(Template)]
#[template(path = "programme/received.html")]
struct ListPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    call: String,
    programme: String,
    plans: Table,
    empty: bool,
    /// Governments of which no plan has come, for the ministry.
    missing: Option<String>,
    /// Where the ministry goes on: the ranking, and plans that say the same.
    ways: Option<[String; 3]>,
    /// The form in which a reviewer declares a conflict.
    declare: Option<(String, Vec<Field>)>,
}

/// The governments that have sent no plan: not yet, or not before the call closed.
fn missing(words: Words, app: &App, programme: &Programme, found: &[Received]) -> Option<String> {
    let is_missing = |id: &str| found.iter().all(|one| one.government != id);
    let names = programme.governments.iter().filter(|one| is_missing(&one.id));
    let names: Vec<&str> = names.map(|one| one.name.as_str()).collect();
    let key = match programme.phase(CALL, app.subsidies.now()) {
        Some(Phase::Over) => "programme-received-given-up",
        _ => "programme-received-missing",
    };
    (!names.is_empty()).then(|| words.t1(key, "names", names.join("、")))
}

async fn render_list(
    app: &App,
    seat: Seat,
    programme: &str,
    status: StatusCode,
    done: Option<Banner>,
    typed: (&str, String),
    wrong: Option<(&'static str, String)>,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let found = subsidies::received(&app.subsidies, &seat.member, programme).await?;
    // how far a correction has come is the ministry's to know
    let forfeits: Vec<Uuid> = match seat.side {
        Side::Ministry => {
            let ranking = subsidies::ranking(&app.subsidies, &seat.member, programme).await?;
            let lines = ranking.lines.into_iter();
            let lines = lines.filter(|line| line.decided == Some(Decided::Nothing));
            lines.map(|line| line.plan).collect()
        }
        Side::Government | Side::Panel => Vec::new(),
    };
    let programme = app.subsidies.programme(programme)?;
    let rows = found.iter().map(|one| {
        let name = subsidies::government(programme, &one.government);
        let here = format!("/programme/received/{}", one.id);
        let (first, way) = match (one.may_read, seat.side) {
            (true, Side::Panel) => (
                Cell::link(name, here.clone()),
                Cell::link(words.t1("programme-sheet-of", "name", name), format!("{here}/sheet")),
            ),
            (true, _) => (Cell::link(name, here), Cell::text(words.t("none"))),
            (false, _) => (Cell::text(name), Cell::text(words.t("programme-conflicted"))),
        };
        vec![
            first,
            Cell::tag(standing(words, one.state, forfeits.contains(&one.id))),
            Cell::text(words.time(one.sent_at)),
            way,
        ]
    });
    let mut head = vec![
        Head::text(words.t("programme-government")),
        Head::text(words.t("programme-state")),
        Head::text(words.t("programme-sent-at")),
    ];
    let mut rows: Vec<Vec<Cell>> = rows.collect();
    match seat.side {
        Side::Panel => head.push(Head::text(words.t("programme-sheet"))),
        Side::Government | Side::Ministry => rows.iter_mut().for_each(|row| row.truncate(3)),
    }
    let wrong_at = |field: &str| {
        wrong
            .as_ref()
            .filter(|(at, _)| *at == field)
            .map(|(_, text)| text.clone())
    };
    let declare = (seat.side == Side::Panel).then(|| {
        let choices = programme.governments.iter().map(|one| Choice {
            value: one.id.clone(),
            label: one.name.clone(),
            hint: None,
            chosen: one.id == typed.0,
        });
        let mut government = Field::new(
            words,
            "government",
            words.t("programme-government"),
            Control::Select(choices.collect()),
        );
        government.error = wrong_at("government");
        let control = Control::TextArea {
            value: typed.1.clone(),
            rows: 3,
        };
        let mut reason = Field::new(words, "reason", words.t("programme-reason"), control);
        reason.error = wrong_at("reason");
        let to = format!("/programme/calls/{}/conflicts", programme.id);
        (to, vec![government, reason])
    });
    let page = ListPage {
        done,
        errors: wrong.map(|(field, text)| ErrorSummary {
            words,
            errors: vec![(field.to_owned(), text)],
        }),
        call: format!("/programme/calls/{}", programme.id),
        programme: words.of(&programme.name).to_owned(),
        empty: rows.is_empty(),
        missing: match seat.side {
            Side::Ministry => missing(words, app, programme, &found),
            Side::Government | Side::Panel => None,
        },
        plans: Table {
            caption: words.t("programme-received-caption"),
            head,
            rows,
        },
        ways: (seat.side == Side::Ministry).then(|| {
            let call = format!("/programme/calls/{}", programme.id);
            [
                format!("{call}/ranking"),
                format!("{call}/alike"),
                format!("{call}/progress"),
            ]
        }),
        declare,
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// `GET /programme/calls/{programme}/received`
pub(super) async fn list(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let done = done(&seat.frame, &asked.done);
    render_list(&app, seat, &programme, StatusCode::OK, done, ("", String::new()), None).await
}

/// `POST /programme/calls/{programme}/conflicts`: a reviewer declares a conflict of interest.
pub(super) async fn declare(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let (government, reason) = (posted.text("government"), lines(&posted.raw, "reason"));
    let again = StatusCode::UNPROCESSABLE_ENTITY;
    match subsidies::declare(&app.subsidies, &seat.member, &programme, government, &reason).await {
        Ok(()) => Ok(onward(&format!("/programme/calls/{programme}/received?done=declared"))),
        Err(SubsidyError::NotFound("government")) => {
            let wrong = ("government", words.t("programme-choose-government"));
            render_list(&app, seat, &programme, again, None, (government, reason), Some(wrong)).await
        }
        Err(SubsidyError::Input { field, problem }) => {
            let text = words.t(match (field, problem) {
                ("government", _) => "programme-declared-twice",
                (_, "too_long") => "programme-reason-long",
                _ => "programme-reason-empty",
            });
            let wrong = (field, text);
            render_list(&app, seat, &programme, again, None, (government, reason), Some(wrong)).await
        }
        Err(error) => Err(error.into()),
    }
}
