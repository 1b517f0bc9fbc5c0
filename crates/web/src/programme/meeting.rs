//! The review meeting (審查會議): when and where, the order of presentation, and how it came about.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use grants::Programme;
use jiff::civil::{Date, Time};
use subsidies::{Details, Meeting, OwnTime, SubsidyError};
use uuid::Uuid;

use super::{Asked, Seat, Side, conflict, done, lines};
use crate::address::onward;
use crate::components::{Banner, Cell, Control, ErrorSummary, Field, Head, Row, SummaryList, Table, Typed};
use crate::office::document;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

/// A plan in the form that puts them in order: its id, its government, and the place chosen.
struct PlaceView {
    plan: Uuid,
    government: String,
    chosen: usize,
}

/// The forms of the ministry.
struct Acts {
    convene: Vec<Field>,
    /// Not once it was drawn.
    draw: Option<Field>,
    order: Vec<PlaceView>,
    reason: Field,
    wrong_order: Option<String>,
}

#[derive(Template)]
#[template(path = "programme/meeting.html")]
struct MeetingPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    back: String,
    programme: String,
    here: String,
    revision: i64,
    facts: Option<SummaryList>,
    order: Table,
    left: Option<String>,
    /// Where the draw can be had as a file.
    drawn: Option<(SummaryList, String)>,
    acts: Option<Acts>,
}

/// What was typed into a form that is shown again.
#[derive(Default)]
struct Again {
    posted: Option<Posted>,
    wrong: Option<(&'static str, String)>,
    done: Option<Banner>,
}

fn clock(at: Time) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

fn between(from: Time, until: Time) -> String {
    format!("{}–{}", clock(from), clock(until))
}

fn facts(words: Words, meeting: &Meeting) -> SummaryList {
    let details = &meeting.details;
    let mut rows = vec![
        Row::new(words.t("programme-meeting-day"), words.date(details.day)),
        Row::new(words.t("programme-meeting-place"), &details.place),
        Row::new(words.t("programme-meeting-begins"), clock(details.begins)),
        Row::new(
            words.t("programme-meeting-minutes"),
            words.t1("programme-meeting-minutes-each", "n", details.minutes),
        ),
    ];
    if let Some((from, until)) = details.pause {
        rows.push(Row::new(words.t("programme-meeting-pause"), between(from, until)));
    }
    if let Some(arranged) = &meeting.arranged {
        let who = words.with(
            "programme-meeting-by",
            &[("by", arranged.by.clone()), ("at", words.time(arranged.at))],
        );
        let value = match arranged.reason.as_str() {
            "" => who,
            reason => format!("{reason}\n{who}"),
        };
        rows.push(Row::new(words.t("programme-meeting-arranged"), value));
    }
    SummaryList { rows }
}

fn drawn(words: Words, programme: &Programme, meeting: &Meeting) -> Option<SummaryList> {
    let drawn = meeting.drawn.as_ref()?;
    let order = drawn.order.iter().enumerate();
    let order = order.map(|(at, one)| format!("{}. {}", at + 1, subsidies::government(programme, one)));
    let who = words.with(
        "programme-meeting-by",
        &[("by", drawn.by.clone()), ("at", words.time(drawn.at))],
    );
    Some(SummaryList {
        rows: vec![
            Row::new(words.t("programme-meeting-seed"), &drawn.seed),
            Row::new(words.t("programme-meeting-drawn-by"), who),
            Row::new(
                words.t("programme-meeting-drawn-order"),
                order.collect::<Vec<_>>().join("\n"),
            ),
        ],
    })
}

fn order(words: Words, programme: &Programme, meeting: &Meeting, side: Side) -> Table {
    let rows = meeting.presentations.iter().enumerate().map(|(at, one)| {
        let name = subsidies::government(programme, &one.government);
        let conflicts = match one.conflicts.is_empty() {
            true => words.t("none"),
            false => one.conflicts.join("、"),
        };
        // a reviewer may have no part in some of them
        let government = match side {
            Side::Ministry => Cell::link(name, format!("/programme/received/{}", one.plan)),
            Side::Panel | Side::Government => Cell::text(name),
        };
        vec![
            Cell::text((at + 1).to_string()),
            Cell::text(between(one.starts, one.ends)),
            government,
            Cell::text(conflicts),
        ]
    });
    Table {
        caption: words.t("programme-meeting-order"),
        head: vec![
            Head::text(words.t("programme-meeting-number")),
            Head::text(words.t("programme-meeting-time")),
            Head::text(words.t("programme-government")),
            Head::text(words.t("programme-meeting-conflicts")),
        ],
        rows: rows.collect(),
    }
}

fn acts(words: Words, programme: &Programme, meeting: Option<&Meeting>, again: &Again) -> Acts {
    let typed = |name: &str, kept: String| match &again.posted {
        Some(posted) if posted.raw.contains_key(name) => lines(&posted.raw, name),
        _ => kept,
    };
    let wrong = |mut field: Field| {
        let here = again.wrong.as_ref().filter(|(at, _)| *at == field.name);
        field.error = here.map(|(_, text)| text.clone());
        field
    };
    let details = meeting.map(|meeting| &meeting.details);
    let pause = details.and_then(|one| one.pause);
    let kept = |of: Option<String>| of.unwrap_or_default();
    let line = |name: &str, key: &str, value: String, kind: &'static str, width: u8| {
        let control = Control::Input(Typed {
            value: typed(name, value),
            kind,
            width,
            ..Typed::default()
        });
        wrong(Field::new(words, name, words.t(key), control))
    };
    let mut minutes = line(
        "minutes",
        "programme-meeting-minutes",
        details.map_or_else(|| "20".to_owned(), |one| one.minutes.to_string()),
        "",
        3,
    );
    minutes.hint = Some(words.t("programme-meeting-minutes-hint"));
    let optional = |mut field: Field| {
        field.optional = true;
        field
    };
    let convene = vec![
        line(
            "day",
            "programme-meeting-day",
            kept(details.map(|one| one.day.to_string())),
            "date",
            10,
        ),
        line(
            "place",
            "programme-meeting-place",
            kept(details.map(|one| one.place.clone())),
            "",
            0,
        ),
        line(
            "begins",
            "programme-meeting-begins",
            kept(details.map(|one| clock(one.begins))),
            "time",
            10,
        ),
        minutes,
        optional(line(
            "pause",
            "programme-meeting-pause-from",
            kept(pause.map(|(from, _)| clock(from))),
            "time",
            10,
        )),
        optional(line(
            "pause_until",
            "programme-meeting-pause-until",
            kept(pause.map(|(_, until)| clock(until))),
            "time",
            10,
        )),
    ];
    let is_drawn = meeting.is_some_and(|meeting| meeting.drawn.is_some());
    let mut seed = line("seed", "programme-meeting-seed", String::new(), "", 0);
    seed.hint = Some(words.t("programme-meeting-seed-hint"));
    let control = Control::TextArea {
        value: typed("reason", String::new()),
        rows: 2,
    };
    let mut reason = Field::new(words, "reason", words.t("programme-reason"), control);
    reason.optional = !is_drawn;
    // the plans in their order, those without a place behind
    let placed = meeting.iter().flat_map(|meeting| &meeting.presentations);
    let placed = placed.map(|one| (one.plan, one.government.as_str()));
    let left = meeting.iter().flat_map(|meeting| &meeting.left);
    let all = placed.chain(left.map(|(plan, government)| (*plan, government.as_str())));
    let order = all.enumerate().map(|(at, (plan, government))| PlaceView {
        chosen: typed(&format!("place.{plan}"), (at + 1).to_string())
            .parse()
            .unwrap_or(0),
        government: subsidies::government(programme, government).to_owned(),
        plan,
    });
    Acts {
        convene,
        draw: (!is_drawn).then_some(seed),
        order: order.collect(),
        reason: wrong(reason),
        wrong_order: again
            .wrong
            .as_ref()
            .filter(|(at, _)| *at == "order")
            .map(|(_, text)| text.clone()),
    }
}

async fn render(app: &App, seat: Seat, id: &str, status: StatusCode, again: Again) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let meeting = subsidies::meeting(&app.subsidies, &seat.member, id).await?;
    let programme = app.subsidies.programme(id)?;
    let here = format!("/programme/calls/{id}/meeting");
    let left = meeting.as_ref().and_then(|meeting| {
        let names = meeting.left.iter();
        let names: Vec<&str> = names.map(|(_, one)| subsidies::government(programme, one)).collect();
        let is_ordered = !meeting.presentations.is_empty();
        (is_ordered && !names.is_empty()).then(|| words.t1("programme-meeting-left", "names", names.join("、")))
    });
    let page = MeetingPage {
        errors: again.wrong.as_ref().map(|(field, text)| ErrorSummary {
            words,
            errors: vec![((*field).to_owned(), text.clone())],
        }),
        back: format!("/programme/calls/{id}/received"),
        programme: words.of(&programme.name).to_owned(),
        // what was typed stands over the revision that was seen
        revision: match &again.posted {
            Some(posted) => posted.value("revision")?,
            None => meeting.as_ref().map_or(0, |meeting| meeting.revision),
        },
        facts: meeting.as_ref().map(|meeting| facts(words, meeting)),
        order: meeting
            .as_ref()
            .map(|meeting| order(words, programme, meeting, seat.side))
            .unwrap_or_default(),
        left,
        drawn: meeting
            .as_ref()
            .and_then(|meeting| drawn(words, programme, meeting))
            .map(|drawn| (drawn, format!("/programme/calls/{id}/draw.json"))),
        acts: (seat.side == Side::Ministry).then(|| acts(words, programme, meeting.as_ref(), &again)),
        done: again.done,
        here,
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// `GET /programme/calls/{programme}/meeting`
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let again = Again {
        done: done(&seat.frame, &asked.done),
        ..Again::default()
    };
    render(&app, seat, &programme, StatusCode::OK, again).await
}

/// `GET /programme/calls/{programme}/draw.json`: the draw, to be worked out again.
pub(super) async fn draw_file(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
) -> Result<Response, Problem> {
    let bytes = subsidies::draw_file(&app.subsidies, &seat.member, &programme).await?;
    Ok(document("application/json", "attachment", "draw.json", bytes))
}

/// A typed time of the day; nothing is nothing.
fn time(text: &str) -> Result<Option<Time>, ()> {
    let text = civic::fold_width(text.trim());
    if text.is_empty() {
        return Ok(None);
    }
    let (hour, minute) = text.split_once(':').ok_or(())?;
    // a browser may add seconds
    let minute = minute.split(':').next().unwrap_or(minute);
    let (hour, minute) = (hour.parse().map_err(|_| ())?, minute.parse().map_err(|_| ())?);
    Time::new(hour, minute, 0, 0).map(Some).map_err(|_| ())
}

/// What was typed of a meeting, or which field is wrong and what is said of it.
fn given(posted: &Posted) -> Result<Details, (&'static str, &'static str)> {
    let wrong_time = |field: &'static str| move |()| (field, "programme-meeting-time-wrong");
    let typed = civic::fold_width(posted.text("day").trim());
    let day: Option<Date> = civic::roc::parse(&typed);
    let (from, until) = (
        time(posted.text("pause")).map_err(wrong_time("pause"))?,
        time(posted.text("pause_until")).map_err(wrong_time("pause_until"))?,
    );
    let pause = match (from, until) {
        (None, None) => None,
        (Some(from), Some(until)) => Some((from, until)),
        _ => return Err(("pause", "programme-meeting-pause-wrong")),
    };
    Ok(Details {
        day: day.ok_or(("day", "programme-meeting-day-wrong"))?,
        place: lines(&posted.raw, "place"),
        begins: time(posted.text("begins"))
            .ok()
            .flatten()
            .ok_or(("begins", "programme-meeting-time-wrong"))?,
        // no number is out of range and told as such
        minutes: civic::fold_width(posted.text("minutes").trim()).parse().unwrap_or(0),
        pause,
    })
}

/// The plans by the places chosen for them; two at one place are named by neither.
fn places(posted: &Posted) -> Vec<Uuid> {
    let mut at: HashMap<usize, Vec<Uuid>> = HashMap::new();
    for (name, values) in &posted.raw {
        let plan = name.strip_prefix("place.").and_then(|plan| plan.parse().ok());
        let place = values.first().and_then(|place| place.parse().ok());
        if let (Some(plan), Some(place)) = (plan, place) {
            at.entry(place).or_default().push(plan);
        }
    }
    let count: usize = at.values().map(Vec::len).sum();
    let each = (1..=count).filter_map(|place| match at.get(&place).map(Vec::as_slice) {
        Some([plan]) => Some(*plan),
        _ => None,
    });
    each.collect()
}

/// `POST /programme/calls/{programme}/meeting/{act}`: the ministry convenes, draws, puts in order.
pub(super) async fn act(
    State(app): State<App>,
    seat: Seat,
    Path((programme, act)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let (desk, member) = (&app.subsidies, &seat.member);
    let here = format!("/programme/calls/{programme}/meeting");
    if seat.side != Side::Ministry {
        return Err(Problem::Forbidden);
    }
    let seen = posted.value("revision")?;
    let result = match act.as_str() {
        "convene" => match given(&posted) {
            Ok(details) => subsidies::convene(desk, member, &programme, seen, details).await,
            Err((field, key)) => {
                // an officer of another ministry is told that first
                subsidies::meeting(desk, member, &programme).await?;
                let again = Again {
                    wrong: Some((field, words.t(key))),
                    posted: Some(posted),
                    done: None,
                };
                return render(&app, seat, &programme, StatusCode::UNPROCESSABLE_ENTITY, again).await;
            }
        },
        "draw" => subsidies::draw(desk, member, &programme, seen, posted.text("seed")).await,
        "arrange" => {
            let reason = lines(&posted.raw, "reason");
            subsidies::arrange(desk, member, &programme, seen, places(&posted), &reason).await
        }
        _ => return Err(Problem::NotFound),
    };
    let (field, text) = match result {
        Ok(()) => return Ok(onward(&format!("{here}?done=meeting-{act}"))),
        Err(SubsidyError::Conflict(_) | SubsidyError::State) => return conflict(seat, here),
        Err(SubsidyError::Input { field, problem }) => {
            let key = match (field, problem) {
                ("day", _) => "programme-meeting-day-past",
                ("place", "too_long") => "programme-meeting-place-long",
                ("place", _) => "programme-meeting-place-empty",
                ("minutes", "range") => "programme-meeting-minutes-wrong",
                ("pause", _) => "programme-meeting-pause-wrong",
                ("seed", "nothing") => "programme-received-none",
                ("seed", "too_long") => "programme-meeting-seed-long",
                ("seed", _) => "programme-meeting-seed-empty",
                ("reason", "too_long") => "programme-reason-long",
                ("reason", _) => "programme-meeting-reason-empty",
                ("order", "range") => "programme-meeting-order-wrong",
                _ => "programme-meeting-full",
            };
            (field, words.t(key))
        }
        Err(error) => return Err(error.into()),
    };
    // a day that is full is told where the form for it stands
    let field = match (field, act.as_str()) {
        ("order", "draw") => "seed",
        (field, _) => field,
    };
    let again = Again {
        wrong: Some((field, text)),
        posted: Some(posted),
        done: None,
    };
    render(&app, seat, &programme, StatusCode::UNPROCESSABLE_ENTITY, again).await
}

/// What a government sees of the meeting.
pub(super) fn own(words: Words, own: &OwnTime) -> SummaryList {
    let time = match own.time {
        Some((from, until)) => between(from, until),
        None => words.t("programme-meeting-no-time"),
    };
    SummaryList {
        rows: vec![
            Row::new(words.t("programme-meeting-day"), words.date(own.day)),
            Row::new(words.t("programme-meeting-place"), &own.place),
            Row::new(words.t("programme-meeting-own-time"), time),
        ],
    }
}
