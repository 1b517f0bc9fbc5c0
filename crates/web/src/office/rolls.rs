//! Rolls (名冊): drawn up, confirmed, told and granted; and the list of who is left out.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::roll::{self, Denial, Excluded, LineRow, RollState, RollView, Standing};
use cases::{CaseError, Staff};
use serde::Deserialize;
use uuid::Uuid;

use super::act::conflict;
use super::{Duty, done};
use crate::address::onward;
use crate::components::{Banner, Colour, ErrorSummary, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

const HERE: &str = "/office/rolls";

/// A roll in the list.
struct Row {
    href: String,
    service: String,
    exclusions: Option<String>,
    name: String,
    from: String,
    state: Tag,
}

#[derive(Template)]
#[template(path = "office/rolls.html")]
struct RollsPage {
    frame: Frame,
    staff: Staff,
    rows: Vec<Row>,
    register: Option<String>,
}

/// A line as a table shows it.
struct Line {
    href: Option<String>,
    number: String,
    area: String,
    state: Tag,
    reason: String,
    amount: String,
    facts: Vec<(String, String)>,
}

/// The village table of a roll.
struct Area {
    name: String,
    given: i64,
    amount: String,
    without_account: i64,
}

#[derive(Template)]
#[template(path = "office/roll.html")]
struct RollPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    here: String,
    exclusions: Option<String>,
    service: String,
    name: String,
    state: Tag,
    /// Whether it is being worked on, so that the page is worth a second look.
    working: bool,
    facts: Vec<(String, String)>,
    hints: Vec<String>,
    standings: Vec<(Tag, i64, String)>,
    areas: Vec<Area>,
    pays: bool,
    view: RollView,
    lines: Vec<Line>,
    next: Option<String>,
    denials: String,
    reasons: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "office/roll_lines.html")]
struct LinesPage {
    frame: Frame,
    staff: Staff,
    here: String,
    name: String,
    standing: Tag,
    lines: Vec<Line>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "office/exclusions.html")]
struct ExclusionsPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    here: String,
    service: String,
    total: u64,
    rows: Vec<(String, [String; 5])>,
    typed: String,
    reasons: Vec<(&'static str, String)>,
}

fn state(words: Words, state: Option<RollState>) -> Tag {
    let (key, colour) = match state {
        None => ("roll-state-none", Colour::Grey),
        Some(RollState::Drawing) => ("roll-state-drawing", Colour::Yellow),
        Some(RollState::Drawn) => ("roll-state-drawn", Colour::Blue),
        Some(RollState::Confirmed) => ("roll-state-confirmed", Colour::Blue),
        Some(RollState::Telling) => ("roll-state-telling", Colour::Yellow),
        Some(RollState::Told) => ("roll-state-told", Colour::Blue),
        Some(RollState::Granting) => ("roll-state-granting", Colour::Yellow),
        Some(RollState::Granted) => ("roll-state-granted", Colour::Green),
    };
    Tag::new(words.t(key), colour)
}

const STANDINGS: [(Standing, &str, Colour); 7] = [
    (Standing::Listed, "listed", Colour::Blue),
    (Standing::Confirmed, "confirmed", Colour::Blue),
    (Standing::Granted, "granted", Colour::Green),
    (Standing::Objected, "objected", Colour::Yellow),
    (Standing::Declined, "declined", Colour::Grey),
    (Standing::Excluded, "excluded", Colour::Grey),
    (Standing::Denied, "denied", Colour::Red),
];

fn standing(words: Words, of: Standing) -> Tag {
    let found = STANDINGS.iter().find(|(one, _, _)| *one == of);
    let (word, colour) = found.map_or(("listed", Colour::Grey), |(_, word, colour)| (*word, *colour));
    Tag::new(words.t(&format!("roll-standing-{word}")), colour)
}

fn reasons(words: Words) -> Vec<(&'static str, String)> {
    roll::REASONS
        .into_iter()
        .map(|reason| (reason, words.t(&format!("roll-reason-{reason}"))))
        .collect()
}

fn line(words: Words, row: LineRow) -> Line {
    Line {
        href: row.application.map(|id| format!("/office/cases/{id}")),
        number: if row.number.is_empty() {
            words.t("none")
        } else {
            row.number
        },
        area: row.area,
        state: standing(words, row.standing),
        reason: row
            .reason
            .map(|reason| words.t(&format!("roll-reason-{reason}")))
            .unwrap_or_default(),
        amount: words.money(row.amount.0),
        facts: row
            .facts
            .into_iter()
            .map(|(label, value)| (words.of(&label).to_owned(), value))
            .collect(),
    }
}

/// `GET /office/rolls`
pub(super) async fn list(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let rows = roll::list(&app.desk, &staff).await?;
    let register = cases::register::summary(&app.desk).await?;
    page(&RollsPage {
        rows: rows
            .iter()
            .map(|row| Row {
                href: format!("{HERE}/{}/{}", row.service, row.roll),
                service: words.of(&row.service_name).to_owned(),
                exclusions: (!row.confirms).then(|| format!("/office/exclusions/{}", row.service)),
                name: words.of(&row.name).to_owned(),
                from: words.date(row.from),
                state: state(words, row.state),
            })
            .collect(),
        register: register.map(|register| {
            words.with(
                "roll-register",
                &[
                    ("day", words.date(register.as_of)),
                    ("persons", civic::Money(register.persons).grouped()),
                ],
            )
        }),
        frame,
        staff,
    })
}

/// What a page shows beside the roll.
#[derive(Default)]
struct Shown<'a> {
    done: Option<Banner>,
    error: Option<(&'a str, String)>,
    after: Option<Uuid>,
    denials: &'a str,
}

async fn render(app: &App, duty: Duty, place: (&str, &str), shown: Shown<'_>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let view = roll::view(&app.desk, &staff, place.0, place.1).await?;
    let here = format!("{HERE}/{}/{}", view.row.service, view.row.roll);
    let lines = match (&view.confirm, view.row.confirms, view.row.state) {
        (Some(_), true, Some(state)) if state != RollState::Drawing => {
            roll::confirmation(&app.desk, &staff, place.0, place.1, shown.after).await?
        }
        _ => Vec::new(),
    };
    let next = (lines.len() >= 100)
        .then(|| lines.last().map(|line| format!("{here}?after={}", line.id)))
        .flatten();
    let mut facts = vec![
        (words.t("roll-reference"), words.date(view.reference_date)),
        (words.t("roll-from"), words.date(view.row.from)),
    ];
    let person = |key: &str, who: &Option<(String, jiff::Timestamp)>| {
        who.as_ref()
            .map(|(name, at)| (words.t(key), format!("{name} · {}", words.time(*at))))
    };
    if let Some(day) = view.drawn_from.or(view.register) {
        facts.push((words.t("roll-register-day"), words.date(day)));
    }
    facts.extend(person("roll-made", &view.made));
    if let Some((agency, what)) = &view.confirm {
        facts.push((
            words.t("roll-confirm-office"),
            format!("{}：{}", words.of(agency), words.of(what)),
        ));
    }
    facts.extend(person("roll-confirmed", &view.confirmed));
    if let Some(until) = view.object_until {
        facts.push((words.t("roll-until"), words.date(until)));
    }
    facts.extend(person("roll-granted", &view.granted));
    let mut hints = Vec::new();
    if view.row.state.is_none() && view.register.is_none() {
        hints.push(words.t("roll-no-register"));
    } else if view.row.state.is_none() && !view.may_begin && !view.row.confirms {
        hints.push(words.t1("roll-too-early", "day", words.date(view.row.from)));
    }
    if view.differing > 0 {
        hints.push(words.t1("roll-differing", "n", view.differing));
    }
    if view.needs_colleague {
        hints.push(words.t("roll-own"));
    }
    let status = match &shown.error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let standings = STANDINGS
        .iter()
        .filter_map(|(one, word, _)| {
            let count = *view.standings.get(one)?;
            Some((standing(words, *one), count, format!("{here}/lines?standing={word}")))
        })
        .collect();
    let page = RollPage {
        done: shown.done,
        errors: shown.error.map(|(field, text)| ErrorSummary {
            words,
            errors: vec![(field.to_owned(), text)],
        }),
        exclusions: (!view.row.confirms).then(|| format!("/office/exclusions/{}", view.row.service)),
        service: words.of(&view.row.service_name).to_owned(),
        name: words.of(&view.row.name).to_owned(),
        state: state(words, view.row.state),
        working: matches!(
            view.row.state,
            Some(RollState::Drawing | RollState::Telling | RollState::Granting)
        ),
        facts,
        hints,
        standings,
        areas: view
            .areas
            .iter()
            .map(|area| Area {
                name: if area.area.is_empty() {
                    words.t("roll-area-unknown")
                } else {
                    area.area.clone()
                },
                given: area.given,
                amount: words.money(area.amount.0),
                without_account: area.without_account,
            })
            .collect(),
        pays: view.pays,
        lines: lines.into_iter().map(|row| line(words, row)).collect(),
        next,
        denials: shown.denials.to_owned(),
        reasons: reasons(words),
        here,
        view,
        frame,
        staff,
    };
    page_with(status, &page)
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
    after: Option<Uuid>,
}

/// `GET /office/rolls/{service}/{roll}`
pub(super) async fn show(
    State(app): State<App>,
    duty: Duty,
    Path((service, roll)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let shown = Shown {
        done: done(&duty.frame, &asked.done),
        after: asked.after,
        ..Shown::default()
    };
    render(&app, duty, (&service, &roll), shown).await
}

/// `POST /office/rolls/{service}/{roll}/{act}`
pub(super) async fn act(
    State(app): State<App>,
    duty: Duty,
    Path((service, roll, act)): Path<(String, String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let here = format!("{HERE}/{service}/{roll}");
    let (desk, staff) = (&app.desk, &duty.staff);
    let denials = posted.text("denials").to_owned();
    let number = posted.text("number").to_owned();
    let (result, field) = match act.as_str() {
        "begin" => (roll::begin(desk, staff, &service, &roll).await, "begin"),
        "tell" => (
            roll::tell(desk, staff, &service, &roll, posted.value("revision")?).await,
            "tell",
        ),
        "grant" => (
            roll::grant(desk, staff, &service, &roll, posted.value("revision")?).await,
            "grant",
        ),
        "leave-out" => {
            let reason = posted.text("reason");
            (
                roll::leave_out(desk, staff, &service, &roll, &number, reason).await,
                "number",
            )
        }
        "confirm" => {
            let numbers = denials
                .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '，' | '、'))
                .filter(|number| !number.is_empty())
                .map(|number| Denial {
                    number: number.to_owned(),
                })
                .collect();
            let revision = posted.value("revision")?;
            (
                roll::confirm(desk, staff, &service, &roll, revision, numbers).await,
                "denials",
            )
        }
        _ => return Err(Problem::NotFound),
    };
    let text = match result {
        Ok(()) => return Ok(onward(&format!("{here}?done=roll-{act}"))),
        Err(CaseError::Conflict(_)) => return conflict(duty, here),
        Err(CaseError::NotFound("application")) => words.t("roll-error-number"),
        Err(CaseError::Input { problem, .. }) => words.t(&format!("roll-error-{}", problem.replace('_', "-"))),
        Err(error) => return Err(error.into()),
    };
    let shown = Shown {
        error: Some((field, text)),
        denials: &denials,
        ..Shown::default()
    };
    render(&app, duty, (&service, &roll), shown).await
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    standing: String,
    after: Option<Uuid>,
}

/// `GET /office/rolls/{service}/{roll}/lines`
pub(super) async fn lines(
    State(app): State<App>,
    duty: Duty,
    Path((service, roll)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let found = STANDINGS.iter().find(|(_, word, _)| *word == wanted.standing);
    let (of, word, _) = found.ok_or(Problem::NotFound)?;
    let view = roll::view(&app.desk, &staff, &service, &roll).await?;
    let rows = roll::lines(&app.desk, &staff, &service, &roll, &[*of], wanted.after).await?;
    let here = format!("{HERE}/{service}/{roll}");
    let next = (rows.len() >= 100)
        .then(|| {
            rows.last()
                .map(|row| format!("{here}/lines?standing={word}&after={}", row.id))
        })
        .flatten();
    page(&LinesPage {
        name: format!("{} · {}", words.of(&view.row.service_name), words.of(&view.row.name)),
        standing: standing(words, *of),
        lines: rows.into_iter().map(|row| line(words, row)).collect(),
        here,
        next,
        frame,
        staff,
    })
}

async fn render_exclusions(
    app: &App,
    duty: Duty,
    service: &str,
    done: Option<Banner>,
    errors: Vec<String>,
    typed: &str,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let (rows, total) = roll::exclusions(&app.desk, &staff, service).await?;
    let meta = &app.desk.service(service)?.meta;
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = ExclusionsPage {
        done,
        errors: (!errors.is_empty()).then(|| ErrorSummary {
            words,
            errors: errors.into_iter().map(|text| ("list".to_owned(), text)).collect(),
        }),
        here: format!("/office/exclusions/{service}"),
        service: words.of(&meta.name).to_owned(),
        total,
        rows: rows
            .into_iter()
            .map(|row| {
                let cells = [
                    row.who,
                    words.t(&format!("roll-reason-{}", row.reason)),
                    words.date(civic::legal_day(row.since)),
                    row.until.map_or_else(|| words.t("none"), |day| words.date(day)),
                    row.note,
                ];
                (row.id.to_string(), cells)
            })
            .collect(),
        typed: typed.to_owned(),
        reasons: reasons(words),
        frame,
        staff,
    };
    page_with(status, &page)
}

/// `GET /office/exclusions/{service}`
pub(super) async fn exclusions(
    State(app): State<App>,
    duty: Duty,
    Path(service): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let done = done(&duty.frame, &asked.done);
    render_exclusions(&app, duty, &service, done, Vec::new(), "").await
}

/// `POST /office/exclusions/{service}`
pub(super) async fn exclude(
    State(app): State<App>,
    duty: Duty,
    Path(service): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let typed = posted.text("list").to_owned();
    let errors = match roll::exclude(&app.desk, &duty.staff, &service, &typed).await {
        Ok(Excluded::Taken { .. }) => {
            return Ok(onward(&format!("/office/exclusions/{service}?done=roll-excluded")));
        }
        Ok(Excluded::Refused(wrong)) => wrong
            .into_iter()
            .take(20)
            .map(|one| {
                let what = words.t(&format!("roll-list-{}", one.problem.replace('_', "-")));
                words.with("roll-list-line", &[("line", one.line.to_string()), ("what", what)])
            })
            .collect(),
        Err(CaseError::Input { problem, .. }) => vec![words.t(&format!("roll-list-{}", problem.replace('_', "-")))],
        Err(CaseError::Conflict(_)) => return conflict(duty, format!("/office/exclusions/{service}")),
        Err(error) => return Err(error.into()),
    };
    render_exclusions(&app, duty, &service, None, errors, &typed).await
}

/// `POST /office/exclusions/{service}/{id}/readmit`
pub(super) async fn readmit(
    State(app): State<App>,
    duty: Duty,
    Path((service, id)): Path<(String, String)>,
    _: Posted,
) -> Result<Response, Problem> {
    let here = format!("/office/exclusions/{service}");
    let id = Uuid::try_parse(&id).map_err(|_| Problem::NotFound)?;
    match roll::readmit(&app.desk, &duty.staff, &service, id).await {
        Ok(()) => Ok(onward(&format!("{here}?done=roll-readmitted"))),
        Err(CaseError::Conflict(_)) => conflict(duty, here),
        Err(error) => Err(error.into()),
    }
}
