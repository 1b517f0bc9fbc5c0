//! The calls there are, and one call: what it is for, what it gives, and all its dates.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::Staff;
use civic::{Money, legal_time};
use grants::Programme;
use grants::clock::{CALL, Phase, Term};
use subsidies::Call;

use super::{Seat, Side, minute, state};
use crate::address::onward;
use crate::components::{Cell, Colour, Head, Row, SummaryList, Table, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page};

struct Line {
    href: String,
    name: String,
    ministry: String,
    phase: Tag,
    closes: String,
    /// The own plan, or the plans that have come.
    way: Option<(String, String)>,
    state: Option<Tag>,
}

#[derive(Template)]
#[template(path = "programme/calls.html")]
struct CallsPage {
    frame: Frame,
    staff: Staff,
    lines: Vec<Line>,
}

/// One date with what it was before.
struct Dated {
    title: String,
    now: String,
    late: String,
    source: String,
    /// What it was, and the announcement that changed it.
    before: Vec<(String, String)>,
}

struct StageView {
    title: String,
    id: String,
    platform: String,
    groups: Vec<(String, Vec<String>)>,
}

#[derive(Template)]
#[template(path = "programme/call.html")]
struct CallPage {
    frame: Frame,
    staff: Staff,
    name: String,
    phase: Tag,
    closes: String,
    /// Where the own plan is, or that it can be opened.
    plan: Option<String>,
    may_open: bool,
    id: String,
    desk: Option<String>,
    facts: SummaryList,
    dates: Vec<Dated>,
    stages: Vec<StageView>,
    criteria: Table,
    law: String,
}

fn phase(words: Words, phase: Phase) -> Tag {
    match phase {
        Phase::Before => Tag::new(words.t("programme-phase-before"), Colour::Grey),
        Phase::Open => Tag::new(words.t("programme-phase-open"), Colour::Green),
        Phase::Over => Tag::new(words.t("programme-phase-over"), Colour::Grey),
    }
}

/// From when to when, in words; a day that counts whole as that day.
fn term(words: Words, term: Term) -> String {
    if term.opens.is_none() && term.closes.time() == jiff::civil::Time::midnight() {
        return words.t1("programme-through", "day", words.date(term.last_day()));
    }
    let closes = minute(words, term.closes);
    match term.opens {
        Some(opens) => words.with("programme-term", &[("opens", minute(words, opens)), ("closes", closes)]),
        None => words.t1("programme-until", "closes", closes),
    }
}

/// `GET /programme`
pub(super) async fn list(State(app): State<App>, seat: Seat) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let mine = match seat.side {
        Side::Government => subsidies::mine(&app.subsidies, &seat.member).await?,
        Side::Panel | Side::Ministry => Vec::new(),
    };
    let calls = subsidies::calls(&app.subsidies).into_iter().map(|call| {
        let programme = &call.programme;
        let own = mine.iter().find(|plan| plan.programme == programme.id);
        let way = match seat.side {
            Side::Government => {
                own.map(|plan| (format!("/programme/plans/{}", plan.id), words.t("programme-our-plan")))
            }
            Side::Panel | Side::Ministry => (subsidies::ministry(programme) == seat.member.agency).then(|| {
                let href = format!("/programme/calls/{}/received", programme.id);
                (href, words.t("programme-received-title"))
            }),
        };
        Line {
            href: format!("/programme/calls/{}", programme.id),
            name: words.of(&programme.name).to_owned(),
            ministry: words.of(&programme.ministry).to_owned(),
            phase: phase(words, call.phase),
            closes: term(words, call.term),
            way,
            state: own.map(|plan| state(words, plan.state)),
        }
    });
    page(&CallsPage {
        lines: calls.collect(),
        frame: seat.frame,
        staff: seat.staff,
    })
}

/// `GET /programme/calls/{programme}`
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let found = subsidies::calls(&app.subsidies)
        .into_iter()
        .find(|call| call.programme.id == programme);
    let Some(call) = found else {
        return Err(Problem::NotFound);
    };
    let mine = match seat.side {
        Side::Government => subsidies::mine(&app.subsidies, &seat.member).await?,
        Side::Panel | Side::Ministry => Vec::new(),
    };
    let plan = mine.iter().find(|plan| plan.programme == programme).map(|plan| plan.id);
    let of_ministry = seat.side != Side::Government && subsidies::ministry(&call.programme) == seat.member.agency;
    page(&CallPage {
        name: words.of(&call.programme.name).to_owned(),
        phase: phase(words, call.phase),
        closes: term(words, call.term),
        plan: plan.map(|plan| format!("/programme/plans/{plan}")),
        may_open: seat.side == Side::Government
            && plan.is_none()
            && call.phase != Phase::Over
            && call.programme.government(&seat.member.agency).is_some(),
        desk: of_ministry.then(|| format!("/programme/calls/{programme}/received")),
        facts: facts(words, &call, &seat.member.agency),
        dates: dates(words, &call.programme, &app),
        stages: stages(words, &call.programme),
        criteria: criteria(words, &call.programme),
        law: words.of(&call.programme.basis).to_owned(),
        id: programme,
        frame: seat.frame,
        staff: seat.staff,
    })
}

fn facts(words: Words, call: &Call, agency: &str) -> SummaryList {
    let programme = &call.programme;
    let period = &programme.period;
    let mut rows = vec![
        Row::new(words.t("programme-goals"), words.of(&programme.goals)),
        Row::new(words.t("programme-applicants"), words.of(&programme.applicants)),
        Row::new(words.t("programme-priority"), words.of(&programme.priority)),
        Row::new(
            words.t("programme-period"),
            words.with(
                "programme-period-value",
                &[
                    ("from", words.date(period.from)),
                    ("through", words.date(period.through)),
                ],
            ),
        ),
        Row::new(
            words.t("programme-funded"),
            words.t1("programme-year", "year", period.funded),
        ),
        Row::new(words.t("programme-cap"), words.money(programme.funding.cap.0)),
        Row::new(words.t("programme-ratios"), ratios(words, programme)),
    ];
    if let Some(government) = programme.government(agency) {
        let percent = programme.funding.ratio.iter().find(|one| one.tier == government.tier);
        let percent = percent.map_or(0, |one| one.percent);
        // the total from which on the cap is what limits
        let most = programme.most(agency, Money(programme.funding.cap.0));
        let value = words.with(
            "programme-own-ratio",
            &[
                ("name", government.name.clone()),
                ("tier", government.tier.to_string()),
                ("percent", percent.to_string()),
                ("total", words.money(programme.funding.cap.0)),
                ("most", words.money(most.map_or(0, |most| most.subsidy.0))),
            ],
        );
        rows.push(Row::new(words.t("programme-own-tier"), value));
    }
    SummaryList { rows }
}

fn ratios(words: Words, programme: &Programme) -> String {
    let ratios = programme.funding.ratio.iter().map(|one| {
        words.with(
            "programme-ratio",
            &[("tier", one.tier.to_string()), ("percent", one.percent.to_string())],
        )
    });
    ratios.collect::<Vec<_>>().join("\n")
}

fn dates(words: Words, programme: &Arc<Programme>, app: &App) -> Vec<Dated> {
    let known = legal_time(app.subsidies.now());
    let clocks = programme.clocks.iter().map(|clock| {
        let history = programme.history(&clock.id, known);
        let mut before: Vec<(String, String)> = Vec::new();
        for pair in history.windows(2) {
            let [old, new] = pair else { continue };
            let Some(by) = new.by else { continue };
            let why = words.with(
                "programme-announced",
                &[
                    ("number", by.number.clone()),
                    ("published", minute(words, by.published)),
                    ("reason", words.of(&by.reason).to_owned()),
                ],
            );
            before.push((term(words, old.term), why));
        }
        Dated {
            title: words.of(&clock.title).to_owned(),
            now: term(words, history.last().map_or(clock.term, |entry| entry.term)),
            // of the call it is told what being late means
            late: if clock.id == CALL {
                words.of(&clock.late).to_owned()
            } else {
                String::new()
            },
            source: clock.source.clone(),
            before,
        }
    });
    clocks.collect()
}

fn stages(words: Words, programme: &Programme) -> Vec<StageView> {
    let stages = programme.stages.iter().map(|stage| {
        let of = |group: Option<&str>| -> Vec<String> {
            let items = stage.items.iter().filter(|item| item.group.as_deref() == group);
            items
                .map(|item| {
                    let title = words.of(&item.title);
                    match item.mandatory {
                        true => words.t1("programme-item-mandatory", "title", title),
                        false => format!("{} {title}", item.id),
                    }
                })
                .collect()
        };
        let mut groups = vec![(String::new(), of(None))];
        for group in &stage.groups {
            groups.push((words.of(&group.title).to_owned(), of(Some(&group.id))));
        }
        groups.retain(|(_, items)| !items.is_empty());
        StageView {
            title: words.of(&stage.title).to_owned(),
            id: stage.id.clone(),
            platform: words.of(&stage.platform).to_owned(),
            groups,
        }
    });
    stages.collect()
}

fn criteria(words: Words, programme: &Programme) -> Table {
    let rows = programme.criteria.iter().map(|criterion| {
        let looks: Vec<&str> = criterion.looks.iter().map(|look| words.of(look)).collect();
        let points = match criterion.bonus {
            true => words.t1("programme-bonus", "points", criterion.points),
            false => criterion.points.to_string(),
        };
        vec![
            Cell::text(words.of(&criterion.title)),
            Cell::text(points),
            Cell::text(looks.join("；")),
        ]
    });
    Table {
        caption: words.t("programme-criteria"),
        head: vec![
            Head::text(words.t("programme-criterion")),
            Head::number(words.t("programme-points")),
            Head::text(words.t("programme-looks")),
        ],
        rows: rows.collect(),
    }
}

/// `POST /programme/calls/{programme}/open`: opens the plan of one's government, or finds it.
pub(super) async fn open(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
    _posted: Posted,
) -> Result<Response, Problem> {
    let plan = subsidies::open(&app.subsidies, &seat.member, &programme).await?;
    Ok(onward(&format!("/programme/plans/{plan}")))
}
