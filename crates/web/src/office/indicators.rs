//! The indicators (績效指標), counted from live data, each with its formula and what it was counted from.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use cases::measure::{self, Indicators, Period};
use cases::{Month, Staff};
use serde::Deserialize;

use super::{Duty, chart};
use crate::components::{Cell, Choice, ErrorSummary, Head, Table};
use crate::texts::Words;
use crate::{App, Frame, Problem, page_with};

/// Most months with a row of their own.
const MONTHS: usize = 24;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    service: String,
    from: String,
    to: String,
}

/// One number with what it is made of.
struct Figure {
    name: String,
    value: String,
    formula: String,
    base: String,
}

#[derive(Template)]
#[template(path = "office/indicators.html")]
struct IndicatorsPage {
    frame: Frame,
    staff: Staff,
    asked: Asked,
    errors: Option<ErrorSummary>,
    services: Vec<Choice>,
    figures: Vec<Figure>,
    grades: Table,
    outcomes: Table,
    chart: String,
    months: Table,
    counted: String,
    /// What questionnaires of residents came to, by service.
    screenings: Table,
    /// How many of those entitled receive, by service.
    take_up: Table,
}

fn decimals(words: Words, value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| words.t("office-kpi-nothing"), |value| format!("{value:.places$}"))
}

fn percent(words: Words, value: Option<f64>) -> String {
    value.map_or_else(
        || words.t("office-kpi-nothing"),
        |value| format!("{:.1}%", value * 100.0),
    )
}

fn figures(words: Words, all: &Indicators) -> Vec<Figure> {
    let grades = all.grades;
    let text = |key: &str, values: &[(&str, i64)]| {
        let values: Vec<(&str, String)> = values.iter().map(|(name, n)| (*name, n.to_string())).collect();
        words.with(key, &values)
    };
    let days = |value: Option<f64>| {
        value.map_or_else(
            || words.t("office-kpi-nothing"),
            |value| words.t1("office-kpi-days-n", "n", format!("{value:.1}")),
        )
    };
    vec![
        Figure {
            name: words.t("office-kpi-satisfaction"),
            value: decimals(words, all.satisfaction, 2),
            formula: words.t("office-kpi-satisfaction-formula"),
            base: text(
                "office-kpi-satisfaction-base",
                &[
                    ("a", grades.very_satisfied),
                    ("b", grades.satisfied),
                    ("c", grades.neutral),
                    ("d", grades.dissatisfied),
                    ("e", grades.very_dissatisfied),
                    ("n", grades.answers()),
                ],
            ),
        },
        Figure {
            name: words.t("office-kpi-online"),
            value: percent(words, all.online_share),
            formula: words.t("office-kpi-online-formula"),
            base: text(
                "office-kpi-online-base",
                &[
                    ("online", all.online),
                    ("agent", all.agent),
                    ("counter", all.counter),
                    ("n", all.applications),
                ],
            ),
        },
        Figure {
            name: words.t("office-kpi-proactive"),
            value: civic::Money(all.proactive).grouped(),
            formula: words.t("office-kpi-proactive-formula"),
            base: text("office-kpi-proactive-base", &[("n", all.applications)]),
        },
        Figure {
            name: words.t("office-kpi-median"),
            value: days(all.days.median),
            formula: words.t("office-kpi-median-formula"),
            base: text("office-kpi-days-base", &[("n", all.days.decided)]),
        },
        Figure {
            name: words.t("office-kpi-mean"),
            value: days(all.days.mean),
            formula: words.t("office-kpi-mean-formula"),
            base: text("office-kpi-days-base", &[("n", all.days.decided)]),
        },
        Figure {
            name: words.t("office-kpi-documents"),
            value: civic::Money(all.documents_saved).grouped(),
            formula: words.t("office-kpi-documents-formula"),
            base: text("office-kpi-documents-base", &[("n", all.applications)]),
        },
    ]
}

fn counts(words: Words, caption: &str, heads: [&str; 2], rows: &[(&str, i64)]) -> Table {
    Table {
        caption: words.t(caption),
        head: vec![Head::text(words.t(heads[0])), Head::number(words.t(heads[1]))],
        rows: rows
            .iter()
            .map(|(key, n)| vec![Cell::text(words.t(key)), Cell::text(n.to_string())])
            .collect(),
    }
}

/// What questionnaires came to, by service.
fn screenings(app: &App, words: Words, found: impl Iterator<Item = cases::find::Found>) -> Table {
    let heads = ["find-yes-tag", "find-open-tag", "find-no-tag"];
    let mut head = vec![Head::text(words.t("office-service"))];
    head.extend(heads.into_iter().map(|key| Head::number(words.t(key))));
    let row = |one: cases::find::Found| {
        let service = app.desk.catalogue.get(&one.service);
        let name = service.map_or(one.service.clone(), |service| words.of(&service.meta.name).to_owned());
        let cells = [
            name,
            one.entitled.to_string(),
            one.maybe.to_string(),
            one.not.to_string(),
        ];
        cells.into_iter().map(Cell::text).collect()
    };
    Table {
        caption: words.t("office-kpi-screenings"),
        head,
        rows: found.map(row).collect(),
    }
}

/// How many of those entitled receive, now and before the newest invitations, by service.
fn take_up(words: Words, found: &[cases::outreach::TakeUp], service: &str) -> Table {
    let heads = ["entitled", "receiving", "take-up", "before", "now"];
    let mut head = vec![Head::text(words.t("office-service"))];
    head.extend(
        heads
            .into_iter()
            .map(|key| Head::number(words.t(&format!("outreach-{key}")))),
    );
    let row = |one: &cases::outreach::TakeUp| {
        let share = |tally: cases::outreach::Tally| percent(words, tally.take_up());
        let part = |tally: Option<cases::outreach::Tally>| tally.map_or_else(|| words.t("outreach-hidden"), share);
        let parts = |(before, now)| (part(before), part(now));
        let (before, now) = one.invited.map_or_else(Default::default, parts);
        let cells = [
            words.of(&one.name).to_owned(),
            one.tally.entitled.to_string(),
            one.tally.receiving.to_string(),
            share(one.tally),
            before,
            now,
        ];
        cells.into_iter().map(Cell::text).collect()
    };
    let shown = found.iter().filter(|one| service.is_empty() || one.service == service);
    Table {
        caption: words.t("outreach-kpi"),
        head,
        rows: shown.map(row).collect(),
    }
}

/// A month as people read it: `114/11`, or `2025-11` in English.
fn month_name(words: Words, month: &str) -> String {
    match (words.language, month.parse::<Month>()) {
        (civic::Language::ZhTw, Ok(month)) => format!("{}/{:02}", month.roc_year(), month.number()),
        _ => month.to_owned(),
    }
}

/// `GET /office/indicators`
pub(super) async fn show(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let mut errors = Vec::new();
    let mut month = |name: &str, text: &str| -> Option<Month> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let month = text.parse().ok();
        if month.is_none() {
            errors.push((name.to_owned(), words.t("office-kpi-month-wrong")));
        }
        month
    };
    let (from, to) = (month("from", &asked.from), month("to", &asked.to));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        errors.push(("to".to_owned(), words.t("office-kpi-months-turned")));
    }
    let span = Period {
        service: Some(asked.service.clone()).filter(|service| !service.is_empty()),
        from: from.map(|month| month.to_string()),
        to: to.map(|month| month.to_string()),
    };
    let all = measure::indicators(&app.desk, &staff, &span).await?;
    let mut rows = Vec::new();
    let skipped = all.months.len().saturating_sub(MONTHS);
    for (month, _) in all.months.iter().skip(skipped) {
        let one = Period {
            service: span.service.clone(),
            from: Some(month.clone()),
            to: Some(month.clone()),
        };
        let one = measure::indicators(&app.desk, &staff, &one).await?;
        let cells = [
            month_name(words, month),
            one.applications.to_string(),
            percent(words, one.online_share),
            decimals(words, one.satisfaction, 2),
            one.grades.answers().to_string(),
            decimals(words, one.days.median, 1),
            decimals(words, one.days.mean, 1),
            one.approved.to_string(),
            one.refused.to_string(),
            one.documents_saved.to_string(),
        ];
        rows.push(cells.into_iter().map(Cell::text).collect());
    }
    let heads = [
        "office-kpi-applications",
        "office-kpi-online",
        "office-kpi-satisfaction",
        "office-kpi-answers",
        "office-kpi-median",
        "office-kpi-mean",
        "office-kpi-approved",
        "office-kpi-refused",
        "office-kpi-documents",
    ];
    let mut head = vec![Head::text(words.t("office-kpi-month"))];
    head.extend(heads.into_iter().map(|key| Head::number(words.t(key))));
    let found = cases::find::counts(&app.desk, &staff, span.from.as_deref(), span.to.as_deref()).await?;
    let found = found
        .into_iter()
        .filter(|one| span.service.as_ref().is_none_or(|service| *service == one.service));
    let grades = all.grades;
    let bars: Vec<(String, i64)> = all
        .months
        .iter()
        .skip(skipped)
        .map(|(month, n)| (month_name(words, month), *n))
        .collect();
    let open = all.applications - all.approved - all.refused - all.withdrawn;
    let status = if errors.is_empty() {
        axum::http::StatusCode::OK
    } else {
        axum::http::StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = IndicatorsPage {
        errors: (!errors.is_empty()).then_some(ErrorSummary { words, errors }),
        services: cases::review::services(&app.desk, &staff)
            .into_iter()
            .map(|(id, name)| Choice {
                chosen: id == asked.service,
                value: id,
                label: words.of(&name).to_owned(),
                hint: None,
            })
            .collect(),
        figures: figures(words, &all),
        grades: counts(
            words,
            "office-kpi-grades",
            ["office-kpi-grade", "office-kpi-answers"],
            &[
                ("office-kpi-grade-5", grades.very_satisfied),
                ("office-kpi-grade-4", grades.satisfied),
                ("office-kpi-grade-3", grades.neutral),
                ("office-kpi-grade-2", grades.dissatisfied),
                ("office-kpi-grade-1", grades.very_dissatisfied),
            ],
        ),
        outcomes: counts(
            words,
            "office-kpi-outcomes",
            ["office-kpi-outcome", "office-kpi-applications"],
            &[
                ("office-kpi-approved", all.approved),
                ("office-kpi-refused", all.refused),
                ("office-kpi-withdrawn", all.withdrawn),
                ("office-kpi-open", open.max(0)),
            ],
        ),
        chart: chart::bars(&words.t("office-kpi-chart"), &bars),
        months: Table {
            caption: words.t("office-kpi-months"),
            head,
            rows,
        },
        screenings: screenings(&app, words, found),
        take_up: take_up(
            words,
            &cases::outreach::take_up(&app.desk, &staff).await?,
            &asked.service,
        ),
        counted: words.t1("office-kpi-counted", "at", words.time(app.desk.now())),
        asked,
        frame,
        staff,
    };
    page_with(status, &page)
}
