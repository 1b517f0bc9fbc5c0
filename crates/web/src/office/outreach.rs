//! Who is entitled and does not receive (主動通知): counts by village as a map of tiles and as a table, and the invitations.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use cases::outreach::{
    self, AreaRow, CampaignRow, CampaignState, InvitationStanding as Standing, Number, Overview, Tally,
};
use cases::{CaseError, Staff};
use serde::Deserialize;

use super::{Duty, done};
use crate::address::{id, onward};
use crate::components::{Banner, Colour, ErrorSummary, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page, page_with};

pub(super) const HERE: &str = "/office/outreach";
/// Steps of darkness on the map, beside the one for nobody.
const STEPS: i64 = 5;

/// The pages of invitations.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/office/outreach", get(list))
        .route("/office/outreach/{service}", get(show))
        .route("/office/outreach/{service}/invite", post(invite))
        .route("/office/outreach/{service}/{campaign}", get(campaign))
}

/// A service in the list.
struct Row {
    href: String,
    name: String,
    unit: String,
    /// Entitled, receiving, missing, take-up; nothing before it was counted.
    figures: Option<[String; 4]>,
    note: String,
}

#[derive(Template)]
#[template(path = "office/outreach.html")]
struct ListPage {
    frame: Frame,
    staff: Staff,
    register: String,
    rows: Vec<Row>,
}

/// A village on the map and in the table.
struct Tile {
    /// Name of the village without its district.
    short: String,
    name: String,
    value: String,
    step: i64,
    chosen: bool,
    missing: String,
    entitled: String,
    receiving: String,
    take_up: String,
}

/// The villages of a district.
struct District {
    name: String,
    tiles: Vec<Tile>,
}

/// Invitations in the list.
struct Sent {
    href: String,
    at: String,
    by: String,
    state: Tag,
    before: String,
    now: String,
}

#[derive(Template)]
#[template(path = "office/outreach_service.html")]
struct ServicePage {
    frame: Frame,
    staff: Staff,
    errors: Option<ErrorSummary>,
    here: String,
    name: String,
    facts: Vec<(String, String)>,
    hints: Vec<String>,
    districts: Vec<District>,
    may_invite: bool,
    text: Vec<String>,
    again: String,
    sent: Vec<Sent>,
}

#[derive(Template)]
#[template(path = "office/outreach_campaign.html")]
struct CampaignPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    here: String,
    back: String,
    name: String,
    state: Tag,
    working: bool,
    facts: Vec<(String, String)>,
    counts: Vec<(String, i64)>,
    found: i64,
    visits: Option<String>,
    until: String,
}

fn number(words: Words, number: Number) -> String {
    match number {
        Number::Exact(n) => civic::Money(n).grouped(),
        Number::Few => words.t("outreach-few"),
    }
}

/// What is not told, told as such.
fn told(words: Words, tally: Option<Tally>, of: impl Fn(Tally) -> String) -> String {
    tally.map_or_else(|| words.t("outreach-hidden"), of)
}

fn percent(words: Words, tally: Tally) -> String {
    tally.take_up().map_or_else(
        || words.t("office-kpi-nothing"),
        |share| format!("{:.1}%", share * 100.0),
    )
}

/// What stands between the items of a list.
fn between(words: Words) -> &'static str {
    match words.language {
        civic::Language::ZhTw => "、",
        _ => ", ",
    }
}

fn grouped(n: i64) -> String {
    civic::Money(n).grouped()
}

/// How dark a tile is: 0 where nobody misses it, then by its share of the most.
fn step(missing: Number, most: i64) -> i64 {
    match missing {
        Number::Exact(n) if n > 0 => (n * STEPS).div_euclid(most.max(1)).clamp(1, STEPS),
        Number::Exact(_) => 0,
        Number::Few => 1,
    }
}

/// The villages by district, in the order of their names. `chosen` are those that were ticked.
fn districts(words: Words, areas: &[AreaRow], chosen: &[String]) -> Vec<District> {
    let exact = areas.iter().filter_map(|area| match area.missing {
        Number::Exact(n) => Some(n),
        Number::Few => None,
    });
    let most = exact.max().unwrap_or(0);
    let mut districts: Vec<District> = Vec::new();
    for area in areas {
        let (district, short) = match area.area.split_once(' ') {
            Some((district, village)) => (district.to_owned(), village.to_owned()),
            None if area.area.is_empty() => (String::new(), words.t("roll-area-unknown")),
            None => (String::new(), area.area.clone()),
        };
        let tile = Tile {
            name: if area.area.is_empty() {
                short.clone()
            } else {
                area.area.clone()
            },
            short,
            value: area.area.clone(),
            step: step(area.missing, most),
            chosen: chosen.contains(&area.area),
            missing: number(words, area.missing),
            entitled: told(words, area.tally, |tally| grouped(tally.entitled)),
            receiving: told(words, area.tally, |tally| grouped(tally.receiving)),
            take_up: told(words, area.tally, |tally| percent(words, tally)),
        };
        match districts.last_mut().filter(|one| one.name == district) {
            Some(one) => one.tiles.push(tile),
            None => districts.push(District {
                name: district,
                tiles: vec![tile],
            }),
        }
    }
    for one in districts.iter_mut().filter(|one| one.name.is_empty()) {
        one.name = words.t("outreach-elsewhere");
    }
    districts
}

fn state(words: Words, of: CampaignState) -> Tag {
    let (key, colour) = match of {
        CampaignState::Writing => ("outreach-state-writing", Colour::Yellow),
        CampaignState::Written => ("outreach-state-written", Colour::Green),
        CampaignState::Closed => ("outreach-state-closed", Colour::Grey),
    };
    Tag::new(words.t(key), colour)
}

/// `GET /office/outreach`
async fn list(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let rows = outreach::list(&app.desk, &staff).await?;
    let register = cases::register::summary(&app.desk).await?;
    let row = |row: &outreach::ServiceRow| {
        let counted = row.counted.filter(|_| row.lacking.is_empty());
        Row {
            href: format!("{HERE}/{}", row.service),
            name: words.of(&row.name).to_owned(),
            unit: words.t(if row.households {
                "outreach-households"
            } else {
                "outreach-persons"
            }),
            figures: counted.map(|_| {
                [
                    told(words, row.tally, |tally| grouped(tally.entitled)),
                    told(words, row.tally, |tally| grouped(tally.receiving)),
                    number(words, row.missing),
                    told(words, row.tally, |tally| percent(words, tally)),
                ]
            }),
            note: match (row.counted, row.lacking.len()) {
                (None, _) => words.t("outreach-not-counted"),
                (Some(_), 0) => String::new(),
                (Some(_), n) => words.t1("outreach-lacking-n", "n", n),
            },
        }
    };
    page(&ListPage {
        register: match register {
            Some(register) => words.with(
                "roll-register",
                &[
                    ("day", words.date(register.as_of)),
                    ("persons", grouped(register.persons)),
                ],
            ),
            None => words.t("roll-no-register"),
        },
        rows: rows.iter().map(row).collect(),
        frame,
        staff,
    })
}

async fn render(
    app: &App,
    duty: Duty,
    service: &str,
    chosen: &[String],
    error: Option<String>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let view: Overview = outreach::view(&app.desk, &staff, service).await?;
    let here = format!("{HERE}/{}", view.row.service);
    let unit = words.t(if view.row.households {
        "outreach-households"
    } else {
        "outreach-persons"
    });
    let mut facts = vec![(words.t("outreach-unit"), unit)];
    if let Some((day, as_of)) = view.row.counted {
        facts.push((words.t("outreach-day"), words.date(day)));
        facts.push((words.t("roll-register-day"), words.date(as_of)));
        if view.row.lacking.is_empty() {
            let tally = view.row.tally;
            facts.push((
                words.t("outreach-entitled"),
                told(words, tally, |tally| grouped(tally.entitled)),
            ));
            facts.push((
                words.t("outreach-receiving"),
                told(words, tally, |tally| grouped(tally.receiving)),
            ));
            facts.push((words.t("outreach-missing"), number(words, view.row.missing)));
            facts.push((
                words.t("outreach-take-up"),
                told(words, tally, |tally| percent(words, tally)),
            ));
        }
    }
    let mut hints = Vec::new();
    if view.row.counted.is_none() {
        hints.push(words.t("outreach-not-counted"));
    }
    if !view.row.lacking.is_empty() {
        let names: Vec<&str> = view.row.lacking.iter().map(|one| words.of(one)).collect();
        hints.push(words.t1("outreach-lacking", "facts", names.join(between(words))));
    }
    if !view.row.invites {
        hints.push(words.t("outreach-no-invite"));
    }
    let sent = |row: &CampaignRow| Sent {
        href: format!("{here}/{}", row.id),
        at: words.time(row.at),
        by: row.by.clone(),
        state: state(words, row.state),
        before: told(words, row.before, |tally| percent(words, tally)),
        now: told(words, row.now, |tally| percent(words, tally)),
    };
    let status = match &error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let page = ServicePage {
        errors: error.map(|text| ErrorSummary {
            words,
            errors: vec![("villages".to_owned(), text)],
        }),
        name: words.of(&view.row.name).to_owned(),
        facts,
        hints,
        districts: districts(words, &view.areas, chosen),
        may_invite: view.may_invite,
        text: view
            .text
            .iter()
            .flat_map(|text| words.of(text).trim().lines().map(str::to_owned).collect::<Vec<_>>())
            .collect(),
        again: words.t1("outreach-again", "days", i64::from(view.again_days)),
        sent: view.campaigns.iter().map(sent).collect(),
        here,
        frame,
        staff,
    };
    page_with(status, &page)
}

/// `GET /office/outreach/{service}`
async fn show(State(app): State<App>, duty: Duty, Path(service): Path<String>) -> Result<Response, Problem> {
    render(&app, duty, &service, &[], None).await
}

/// `POST /office/outreach/{service}/invite`
async fn invite(
    State(app): State<App>,
    duty: Duty,
    Path(service): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let all = posted.text("all") == "yes";
    let chosen = posted.raw.get("area").cloned().unwrap_or_default();
    if !all && chosen.is_empty() {
        return render(&app, duty, &service, &[], Some(words.t("outreach-choose"))).await;
    }
    let areas = if all { Vec::new() } else { chosen.clone() };
    let problem = match outreach::begin(&app.desk, &duty.staff, &service, areas).await {
        Ok(id) => return Ok(onward(&format!("{HERE}/{service}/{id}?done=outreach"))),
        Err(CaseError::Input {
            field: "campaign",
            problem,
        }) => problem,
        Err(CaseError::Conflict(_)) => "writing",
        Err(error) => return Err(error.into()),
    };
    let key = format!("outreach-wrong-{}", problem.replace('_', "-"));
    render(&app, duty, &service, &chosen, Some(words.t(&key))).await
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

/// `GET /office/outreach/{service}/{campaign}`
async fn campaign(
    State(app): State<App>,
    duty: Duty,
    Path((service, campaign)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let view = outreach::campaign(&app.desk, &staff, &service, id(&campaign)?).await?;
    let here = format!("{HERE}/{}/{}", view.service, view.row.id);
    let rows = [
        (Standing::Queued, "outreach-count-queued"),
        (Standing::Sent, "outreach-count-sent"),
        (Standing::Failed, "outreach-count-failed"),
        (Standing::NoAddress, "outreach-count-no-address"),
        (Standing::Declined, "outreach-count-declined"),
        (Standing::Lately, "outreach-count-lately"),
    ];
    let counts = rows.into_iter().map(|(standing, key)| {
        let n = view.counts.get(&standing).copied().unwrap_or(0);
        (words.t(key), n)
    });
    let areas = match view.row.areas.as_slice() {
        [] => words.t("outreach-all"),
        some => some.join(between(words)),
    };
    let share = |tally: Tally| {
        words.with(
            "outreach-tally",
            &[
                ("share", percent(words, tally)),
                ("receiving", grouped(tally.receiving)),
                ("entitled", grouped(tally.entitled)),
            ],
        )
    };
    page(&CampaignPage {
        done: done(&frame, &asked.done),
        back: format!("{HERE}/{}", view.service),
        name: words.of(&view.name).to_owned(),
        state: state(words, view.row.state),
        working: view.row.state == CampaignState::Writing || view.counts.contains_key(&Standing::Queued),
        facts: vec![
            (
                words.t("outreach-by"),
                format!("{} · {}", view.row.by, words.time(view.row.at)),
            ),
            (words.t("outreach-areas"), areas),
            (words.t("outreach-before"), told(words, view.row.before, share)),
            (words.t("outreach-now"), told(words, view.row.now, share)),
            (words.t("outreach-applied"), grouped(view.applied)),
        ],
        counts: counts.filter(|(_, n)| *n > 0).collect(),
        found: view.found,
        visits: view.may_visit.then(|| format!("{here}/visits")),
        until: words.date(view.until),
        here,
        frame,
        staff,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_as_dark_as_their_share_of_the_most() {
        let dark = |n| step(Number::Exact(n), 50);
        assert_eq!([0, 1, 10, 25, 49, 50].map(dark), [0, 1, 1, 2, 4, 5]);
        assert_eq!(step(Number::Few, 50), 1);
        assert_eq!(step(Number::Exact(0), 0), 0);
    }
}
