//! What became of a programme's funded plans (成果公開), for everybody and without sign-in.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use subsidies::Outcome;

use super::execution_view::indicators;
use crate::components::{Row, SummaryList};
use crate::texts::Words;
use crate::{App, Frame, Problem, page};

/// A funded plan.
struct PlanView {
    government: String,
    title: String,
    facts: SummaryList,
    years: Vec<(String, SummaryList)>,
}

#[derive(Template)]
#[template(path = "programme/results.html")]
struct ResultsPage {
    frame: Frame,
    programme: String,
    ministry: String,
    law: String,
    plans: Vec<PlanView>,
}

#[derive(Template)]
#[template(path = "programme/results_list.html")]
struct ListPage {
    frame: Frame,
    /// Address and name of each programme.
    programmes: Vec<(String, String)>,
}

fn view(words: Words, one: Outcome) -> PlanView {
    let key = match one.settled {
        true => "programme-results-paid",
        false => "programme-results-approved",
    };
    let mut rows = vec![
        Row::new(words.t(key), words.money(one.amount.0)),
        Row::new(words.t("programme-subsidy-total"), words.money(one.total.0)),
    ];
    let progress = match one.progress {
        Some((quarter, real, planned)) => words.with(
            "programme-results-progress-value",
            &[
                ("quarter", words.t1("programme-quarter-n", "n", quarter)),
                ("real", real.to_string()),
                ("planned", planned.to_string()),
            ],
        ),
        None => words.t("programme-not-reported"),
    };
    rows.push(Row::new(words.t("programme-results-progress"), progress));
    if let Some(percent) = one.spent_percent {
        rows.push(Row::new(words.t("programme-spent-share"), format!("{percent}%")));
    }
    let years = one.years.iter().map(|(year, shown)| {
        let title = words.t1("programme-filing-results", "year", year);
        (title, indicators(words, shown))
    });
    PlanView {
        years: years.collect(),
        government: one.government,
        title: one.title,
        facts: SummaryList { rows },
    }
}

/// `GET /results`
pub(super) async fn list(State(app): State<App>, frame: Frame) -> Result<Response, Problem> {
    let programmes = subsidies::calls(&app.subsidies).into_iter().map(|call| {
        let name = frame.words.of(&call.programme.name).to_owned();
        (format!("/results/{}", call.programme.id), name)
    });
    page(&ListPage {
        programmes: programmes.collect(),
        frame,
    })
}

/// `GET /results/{programme}`
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(programme): Path<String>,
) -> Result<Response, Problem> {
    let words = frame.words;
    let plans = subsidies::outcomes(&app.subsidies, &programme).await?;
    let found = app.subsidies.programme(&programme)?;
    page(&ResultsPage {
        programme: words.of(&found.name).to_owned(),
        ministry: words.of(&found.ministry).to_owned(),
        law: words.of(&found.basis).to_owned(),
        plans: plans.into_iter().map(|one| view(words, one)).collect(),
        frame,
    })
}
