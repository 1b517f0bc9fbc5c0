//! One part of a plan: its form, with the chapter's guidance, findings, comments and versions beside it.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use cases::Staff;
use civic::Money;
use grants::Programme;
use grants::plan::Kind;
use subsidies::{Draft, Part, SubsidyError};

use super::execution_form::Counted;
use super::fields::{Fields, Group};
use super::form;
use super::place::{self, ASSESSMENT, Said};
use super::versions::{Aside, Piece, aside, pieces};
use super::{Asked, Seat, conflict, done};
use crate::address::{id, onward};
use crate::components::{Banner, ErrorSummary};
use crate::posted::Raw;
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

/// Empty lines that the button for more lines adds.
const MORE: usize = 5;

/// What somebody else saved meanwhile.
pub(super) struct Theirs {
    pub(super) told: String,
    pub(super) pieces: Vec<Piece>,
}

/// What the chapter asks for.
pub(super) struct Guidance {
    title: String,
    text: String,
}

#[derive(Template)]
#[template(path = "programme/part.html")]
struct PartPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    theirs: Option<Theirs>,
    plan: String,
    name: String,
    title: String,
    seen: i64,
    groups: Vec<Group>,
    /// Whether the form is a table that can have more lines.
    grows: bool,
    /// Sums and limits beside a table of money.
    facts: Vec<(String, String)>,
    guidance: Vec<Guidance>,
    findings: Vec<Said>,
    /// The plan is not written at the moment; its text is shown.
    closed: Option<String>,
    progress: String,
    aside: Aside,
    next: Option<(String, String)>,
}

/// Whether a plan is written at the moment.
pub(super) fn is_open(draft: &Draft) -> bool {
    matches!(draft.row.state, subsidies::State::Draft | subsidies::State::Correction)
}

/// How far the whole plan is.
pub(super) fn progress(words: Words, draft: &Draft) -> String {
    let written: usize = draft.completeness.iter().map(|one| one.written).sum();
    let parts: usize = draft.completeness.iter().map(|one| one.parts).sum();
    words.with(
        "programme-progress",
        &[("written", written.to_string()), ("parts", parts.to_string())],
    )
}

/// Where a form stands: what was typed, what is wrong with it, what somebody else did.
#[derive(Default)]
struct Standing {
    typed: Option<Raw>,
    wrong: Vec<(String, &'static str)>,
    more: usize,
    /// Version that was saved over.
    seen: Option<i64>,
    theirs: Option<Theirs>,
    problem: Option<String>,
    done: String,
}

fn guidance(words: Words, programme: &Programme, part: &str) -> Vec<Guidance> {
    let mut all = Vec::new();
    for chapter in &programme.chapters {
        let text = part.strip_prefix("text:");
        let section = text.and_then(|id| id.strip_prefix(&chapter.id)?.strip_prefix('.'));
        let whole = text == Some(chapter.id.as_str()) || place::kind(chapter.kind) == Some(part);
        if !whole && section.is_none() {
            continue;
        }
        all.push(Guidance {
            title: words.of(&chapter.title).to_owned(),
            text: words.of(&chapter.guidance).to_owned(),
        });
        let section = section.and_then(|id| chapter.sections.iter().find(|one| one.id == id));
        all.extend(section.map(|section| Guidance {
            title: words.of(&section.title).to_owned(),
            text: words.of(&section.guidance).to_owned(),
        }));
    }
    all
}

/// The services of the platform, from whose applications an indicator may be counted: folder name and name.
pub(super) fn services(app: &App, words: Words) -> Vec<(String, String)> {
    let all = app.desk.catalogue.all();
    all.map(|one| (one.id.clone(), words.of(&one.meta.name).to_owned()))
        .collect()
}

/// What the budget lines make, and what the programme gives at most, for who fills in a table of money.
fn facts(words: Words, draft: &Draft, part: &str) -> Vec<(String, String)> {
    if !["budget", "subsidy", "checkpoints"].contains(&part) {
        return Vec::new();
    }
    let (plan, programme) = (&draft.plan, &draft.programme);
    let mut facts = Vec::new();
    for year in &programme.period.years {
        let of = |kind: Option<Kind>| -> Money {
            let lines = plan
                .lines_of(*year)
                .filter(|line| kind.is_none_or(|kind| line.kind == kind));
            lines.map(|line| line.amount).sum()
        };
        let total = of(None);
        let name = words.t1("programme-year", "year", year);
        let value = words.with(
            "programme-fact-lines",
            &[
                ("total", words.money(total.0)),
                ("capital", words.money(of(Some(Kind::Capital)).0)),
                ("current", words.money(of(Some(Kind::Current)).0)),
            ],
        );
        facts.push((name.clone(), value));
        let total = plan.subsidy(*year).map_or(total, |subsidy| subsidy.total);
        if part == "subsidy"
            && let Some(most) = programme.most(&plan.government, total)
        {
            let value = words.with(
                "programme-fact-most",
                &[
                    ("total", words.money(total.0)),
                    ("percent", most.percent.to_string()),
                    ("most", words.money(most.subsidy.0)),
                    ("own", words.money(most.own.0)),
                ],
            );
            facts.push((words.t1("programme-fact-most-of", "year", name), value));
        }
    }
    facts
}

async fn render(
    app: &App,
    seat: Seat,
    plan: &str,
    name: &str,
    status: StatusCode,
    standing: Standing,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let number = id(plan)?;
    let draft = subsidies::draft(&app.subsidies, &seat.member, number).await?;
    let programme = &draft.programme;
    let Some(part) = Part::of(&draft.plan, programme, name) else {
        return Err(Problem::NotFound);
    };
    let here = format!("/programme/plans/{plan}");
    let raw = standing.typed.unwrap_or_else(|| form::values(&part));
    let said = place::said(words, programme, &draft.findings);
    let mine = said
        .into_iter()
        .filter(|one| one.place.as_ref().is_some_and(|place| place.part == name));
    let (at_line, findings): (Vec<Said>, Vec<Said>) =
        mine.partition(|one| one.place.as_ref().is_some_and(|place| !place.anchor.is_empty()));
    let own = programme.government(&draft.row.government);
    let services = match own.is_some_and(|own| own.name == app.subsidies.city) {
        true => services(app, words),
        false => Vec::new(),
    };
    let year = civic::roc::year(civic::legal_day(app.subsidies.now()));
    let counted = match name {
        "indicators" => subsidies::counted(&app.subsidies, programme, &draft.plan, year).await?,
        _ => Counted::new(),
    };
    let fields = Fields {
        words,
        programme,
        plan: &draft.plan,
        raw: &raw,
        wrong: &standing.wrong,
        findings: at_line
            .into_iter()
            .filter_map(|one| Some((one.place?.anchor, one.text)))
            .collect(),
        more: standing.more,
        services: &services,
        counted: &counted,
        year,
    };
    let groups = fields.groups(name);
    let mut errors: Vec<(String, String)> = standing
        .problem
        .map(|text| ("form".to_owned(), text))
        .into_iter()
        .collect();
    errors.extend(standing.wrong.iter().map(|(field, key)| (field.clone(), words.t(key))));
    let order = place::reading_order(programme);
    let next = order
        .iter()
        .position(|one| one == name)
        .and_then(|at| order.get(at + 1));
    let page = PartPage {
        done: done(&seat.frame, &standing.done),
        errors: (!errors.is_empty()).then_some(ErrorSummary { words, errors }),
        theirs: standing.theirs,
        title: place::title(words, programme, name),
        seen: standing
            .seen
            .unwrap_or_else(|| draft.versions.get(name).copied().unwrap_or(0)),
        grows: ["indicators", "budget"].contains(&name),
        facts: facts(words, &draft, name),
        guidance: guidance(words, programme, name),
        closed: (!is_open(&draft)).then(|| part.plain()),
        progress: progress(words, &draft),
        aside: aside(app, words, &seat.member, number, name).await?,
        next: next.map(|next| (place::href(&here, next), place::title(words, programme, next))),
        groups,
        findings,
        plan: here,
        name: name.to_owned(),
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}

/// `GET /programme/plans/{plan}/parts/{part}`
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path((plan, name)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    if name == ASSESSMENT {
        // seen by the verb behind that page
        return Ok(Redirect::to(&format!("/programme/plans/{plan}/assessment")).into_response());
    }
    let standing = Standing {
        done: asked.done,
        ..Standing::default()
    };
    render(&app, seat, &plan, &name, StatusCode::OK, standing).await
}

/// What somebody else saved over the version that was seen, and the newest version.
pub(super) async fn theirs(
    app: &App,
    seat: &Seat,
    plan: uuid::Uuid,
    part: &str,
    seen: i64,
) -> Result<(Theirs, i64), Problem> {
    let words = seat.frame.words;
    let versions = subsidies::versions(&app.subsidies, &seat.member, plan, part).await?;
    let Some(newest) = versions.first() else {
        return Err(Problem::Conflict);
    };
    let told = words.with(
        "programme-theirs",
        &[
            ("by", newest.by.clone()),
            ("at", words.time(newest.at)),
            ("version", newest.version.to_string()),
        ],
    );
    let found = subsidies::compare(&app.subsidies, &seat.member, plan, part, seen.max(0), newest.version).await;
    // a version that never was has nothing to compare with
    let pieces = found.map(pieces).unwrap_or_default();
    Ok((Theirs { told, pieces }, newest.version))
}

/// `POST /programme/plans/{plan}/parts/{part}`: saves, or shows the form with more lines.
pub(super) async fn save(
    State(app): State<App>,
    seat: Seat,
    Path((plan, name)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let number = id(&plan)?;
    let draft = subsidies::draft(&app.subsidies, &seat.member, number).await?;
    if name == ASSESSMENT || Part::of(&draft.plan, &draft.programme, &name).is_none() {
        return Err(Problem::NotFound);
    }
    let seen: i64 = posted.value("seen")?;
    let again = StatusCode::UNPROCESSABLE_ENTITY;
    if posted.raw.contains_key("more") {
        let standing = Standing {
            typed: Some(posted.raw),
            more: MORE,
            seen: Some(seen),
            ..Standing::default()
        };
        return render(&app, seat, &plan, &name, StatusCode::OK, standing).await;
    }
    let part = match form::part(&name, &draft.programme, &draft.plan, &posted.raw) {
        Ok(part) => part,
        Err(wrong) => {
            let standing = Standing {
                typed: Some(posted.raw),
                wrong,
                seen: Some(seen),
                ..Standing::default()
            };
            return render(&app, seat, &plan, &name, again, standing).await;
        }
    };
    let here = format!("/programme/plans/{plan}");
    match subsidies::save(&app.subsidies, &seat.member, number, part, seen).await {
        Ok(_) if posted.raw.contains_key("onward") => {
            let order = place::reading_order(&draft.programme);
            let next = order
                .iter()
                .position(|one| *one == name)
                .and_then(|at| order.get(at + 1));
            Ok(onward(
                &next.map_or_else(|| here.clone(), |next| place::href(&here, next)),
            ))
        }
        Ok(_) => Ok(onward(&format!("{}?done=saved", place::href(&here, &name)))),
        Err(SubsidyError::Conflict(_)) => {
            let (theirs, newest) = theirs(&app, &seat, number, &name, seen).await?;
            let standing = Standing {
                typed: Some(posted.raw),
                seen: Some(newest),
                theirs: Some(theirs),
                ..Standing::default()
            };
            render(&app, seat, &plan, &name, StatusCode::CONFLICT, standing).await
        }
        Err(SubsidyError::Input { .. }) => {
            let standing = Standing {
                typed: Some(posted.raw),
                seen: Some(seen),
                problem: Some(seat.frame.t("programme-too-long")),
                ..Standing::default()
            };
            render(&app, seat, &plan, &name, again, standing).await
        }
        Err(SubsidyError::State) => conflict(seat, here),
        Err(error) => Err(error.into()),
    }
}
