//! The ranking of a call, raw scores beside the comparable ones, and what a budget would hold.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::Staff;
use grants::Programme;
use grants::review::{AllotError, Allotment, Behind, Steer, Why};
use subsidies::{Decided, SubsidyError};

use super::{Seat, dollars, hundredths, standing};
use crate::components::{Cell, Control, ErrorSummary, Field, Head, Table, Typed};
use crate::texts::Words;
use crate::{App, Frame, Problem, page_with};

/// Longest address part that is read: a decision for each of sixty-four plans.
const MOST_QUERY: usize = 4_096;

/// What the official decided beforehand of a plan: its government, name, and each choice with whether it is taken.
struct SteerView {
    government: String,
    name: String,
    choices: Vec<(&'static str, String, bool)>,
}

#[derive(Template)]
#[template(path = "programme/ranking.html")]
struct RankingPage {
    frame: Frame,
    staff: Staff,
    errors: Option<ErrorSummary>,
    back: String,
    programme: String,
    here: String,
    ranking: Table,
    empty: bool,
    comparable: bool,
    leanings: Table,
    budget: Field,
    steers: Vec<SteerView>,
    result: Option<(String, Table)>,
}

fn behind(words: Words, behind: Option<Behind>) -> String {
    words.t(match behind {
        None => "none",
        Some(Behind::Priority) => "programme-behind-priority",
        Some(Behind::Urgency) => "programme-behind-urgency",
        Some(Behind::Feasibility) => "programme-behind-feasibility",
        Some(Behind::Score) => "programme-behind-score",
        Some(Behind::Equal) => "programme-behind-equal",
    })
}

fn why(words: Words, programme: &Programme, funded: bool, why: &Why) -> String {
    let points = |loss: u64| hundredths(i64::try_from(loss).unwrap_or(i64::MAX));
    match why {
        Why::Steered if funded => words.t("programme-why-steered-in"),
        Why::Steered => words.t("programme-why-steered-out"),
        Why::Needed { loss } => words.t1("programme-why-needed", "points", points(*loss)),
        Why::TooDear { short } => words.t1("programme-why-dear", "short", words.money(short.0)),
        Why::Displaces { loss, plans } => {
            let names: Vec<&str> = plans.iter().map(|id| subsidies::government(programme, id)).collect();
            words.with(
                "programme-why-displaces",
                &[("points", points(*loss)), ("names", names.join("、"))],
            )
        }
    }
}

fn result(words: Words, programme: &Programme, ranking: &subsidies::Ranking, found: &Allotment) -> (String, Table) {
    let told = words.with(
        "programme-what-if-told",
        &[
            ("spent", words.money(found.spent.0)),
            ("left", words.money(found.left.0)),
            ("points", hundredths(i64::try_from(found.value).unwrap_or(i64::MAX))),
        ],
    );
    let rows = found.verdicts.iter().map(|verdict| {
        let line = ranking.lines.iter().find(|line| line.government == verdict.government);
        let key = if verdict.funded {
            "programme-what-if-in"
        } else {
            "programme-what-if-out"
        };
        // what was granted competes no more: it is in, with what was approved
        let granted = line.and_then(|line| match line.decided {
            Some(Decided::Granted(amount)) => Some(amount),
            Some(Decided::Nothing) | None => None,
        });
        let amount = granted.or(line.map(|line| line.asked));
        vec![
            Cell::text(subsidies::government(programme, &verdict.government)),
            Cell::text(words.t(key)),
            Cell::text(amount.map_or_else(String::new, civic::Money::grouped)),
            Cell::text(line.map_or_else(String::new, |line| hundredths(line.adjusted))),
            Cell::text(match granted {
                Some(_) => words.t("programme-why-decided"),
                None => why(words, programme, verdict.funded, &verdict.why),
            }),
        ]
    });
    let table = Table {
        caption: words.t("programme-what-if-result"),
        head: vec![
            Head::text(words.t("programme-government")),
            Head::text(words.t("programme-what-if-verdict")),
            Head::number(words.t("programme-asked")),
            Head::number(words.t("programme-adjusted")),
            Head::text(words.t("programme-why")),
        ],
        rows: rows.collect(),
    };
    (told, table)
}

/// The order with what puts each plan where it stands.
fn ranked(words: Words, programme: &Programme, ranking: &subsidies::Ranking) -> Table {
    let rows = ranking.lines.iter().map(|line| {
        let said = line.appraisal;
        let grade = |of: Option<u8>| of.map_or_else(|| words.t("none"), |grade| grade.to_string());
        let scored = |value: i64| match line.sheets {
            0 => words.t("none"),
            _ => hundredths(value),
        };
        let sheets = match line.enough {
            true => line.sheets.to_string(),
            false => format!("{}/{}", line.sheets, programme.review.sheets_at_least),
        };
        vec![
            Cell::link(
                format!("{} {}", line.place, subsidies::government(programme, &line.government)),
                format!("/programme/received/{}", line.plan),
            ),
            Cell::tag(standing(words, line.state, line.decided == Some(Decided::Nothing))),
            Cell::text(scored(line.raw)),
            Cell::text(scored(line.adjusted)),
            Cell::text(sheets),
            Cell::text(grade(said.map(|said| said.urgency))),
            Cell::text(grade(said.map(|said| said.feasibility))),
            Cell::text(line.asked.grouped()),
            Cell::text(behind(words, line.behind)),
        ]
    });
    Table {
        caption: words.t("programme-ranking-caption"),
        head: vec![
            Head::text(words.t("programme-government")),
            Head::text(words.t("programme-state")),
            Head::number(words.t("programme-raw")),
            Head::number(words.t("programme-adjusted")),
            Head::number(words.t("programme-sheets")),
            Head::number(words.t("programme-urgency")),
            Head::number(words.t("programme-feasibility")),
            Head::number(words.t("programme-asked")),
            Head::text(words.t("programme-behind")),
        ],
        rows: rows.collect(),
    }
}

fn leanings(words: Words, ranking: &subsidies::Ranking) -> Table {
    let rows = ranking.leanings.iter().map(|(name, sheets, leaning)| {
        let key = match leaning {
            0 => "programme-leaning-none",
            1.. => "programme-leaning-lenient",
            _ => "programme-leaning-strict",
        };
        vec![
            Cell::text(name),
            Cell::text(sheets.to_string()),
            Cell::text(words.t1(key, "points", hundredths(leaning.saturating_abs()))),
        ]
    });
    Table {
        caption: words.t("programme-leanings"),
        head: vec![
            Head::text(words.t("programme-reviewer")),
            Head::number(words.t("programme-sheets")),
            Head::text(words.t("programme-leaning")),
        ],
        rows: rows.collect(),
    }
}

/// `GET /programme/calls/{programme}/ranking?budget=&steer.TPE=in`: nothing is changed by asking, so the question is an address.
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let query = query.unwrap_or_default();
    if query.len() > MOST_QUERY {
        return Err(Problem::Unusable);
    }
    let ranking = subsidies::ranking(&app.subsidies, &seat.member, &programme).await?;
    let found = app.subsidies.programme(&programme)?;
    let mut budget = String::new();
    let mut steers = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (name.strip_prefix("steer."), value.as_ref()) {
            (Some(government), "in") => drop(steers.insert(government.to_owned(), Steer::In)),
            (Some(government), "out") => drop(steers.insert(government.to_owned(), Steer::Out)),
            (None, value) if name == "budget" => budget = value.to_owned(),
            _ => {}
        }
    }
    let mut wrong = None;
    let mut answer = None;
    match dollars(&budget) {
        Ok(None) => {}
        Ok(Some(amount)) => match subsidies::allotment(&ranking, amount, &steers) {
            Ok(allotment) => answer = Some(result(words, found, &ranking, &allotment)),
            Err(SubsidyError::Allot(AllotError::Overspent(over))) => {
                wrong = Some(words.t1("programme-what-if-overspent", "over", words.money(over.0)));
            }
            Err(SubsidyError::Allot(error)) => {
                wrong = Some(words.t1("programme-what-if-wrong", "error", error));
            }
            Err(error) => return Err(error.into()),
        },
        Err(()) => wrong = Some(words.t("programme-wrong-amount")),
    }
    let status = match wrong {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let views = ranking.lines.iter().filter(|line| line.is_free()).map(|line| {
        let chosen = steers.get(&line.government).copied().unwrap_or_default();
        let choices = [
            ("free", "programme-steer-free", Steer::Free),
            ("in", "programme-steer-in", Steer::In),
            ("out", "programme-steer-out", Steer::Out),
        ];
        SteerView {
            name: subsidies::government(found, &line.government).to_owned(),
            government: line.government.clone(),
            choices: choices
                .into_iter()
                .map(|(value, key, steer)| (value, words.t(key), steer == chosen))
                .collect(),
        }
    });
    let typed = Typed {
        value: budget,
        mode: "numeric",
        width: 10,
        suffix: Some(words.t("programme-dollars")),
        ..Typed::default()
    };
    let mut budget = Field::new(words, "budget", words.t("programme-budget"), Control::Input(typed));
    budget.error.clone_from(&wrong);
    let page = RankingPage {
        errors: wrong.map(|text| ErrorSummary {
            words,
            errors: vec![("budget".to_owned(), text)],
        }),
        back: format!("/programme/calls/{programme}/received"),
        here: format!("/programme/calls/{programme}/ranking"),
        programme: words.of(&found.name).to_owned(),
        ranking: ranked(words, found, &ranking),
        empty: ranking.lines.is_empty(),
        comparable: ranking.comparable,
        leanings: leanings(words, &ranking),
        steers: views.collect(),
        budget,
        result: answer,
        frame: seat.frame,
        staff: seat.staff,
    };
    page_with(status, &page)
}
