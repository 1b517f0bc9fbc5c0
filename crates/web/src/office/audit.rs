//! The auditor's page (稽核): who used whose data for what, whether the ledger still holds together, and what was refused.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cases::audit::{self, Line, PAGE, Search};
use cases::{CaseError, Staff};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use store::ledger::ActorKind;

use super::Duty;
use super::queue::short;
use crate::components::{Cell, Colour, ErrorSummary, Head, Table, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    number: String,
    from: String,
    to: String,
    before: String,
}

/// What the check of the chain found.
struct Checked {
    good: bool,
    title: String,
    text: String,
}

#[derive(Template)]
#[template(path = "office/audit.html")]
struct AuditPage {
    frame: Frame,
    staff: Staff,
    asked: Asked,
    errors: Option<ErrorSummary>,
    checked: Option<Checked>,
    entries: Table,
    older: Option<String>,
    events: Table,
}

/// A time for a narrow column, at the second: a list of uses is read by their order.
pub(super) fn short_time(words: Words, at: Timestamp) -> String {
    let clock = at.to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
    format!(
        "{} {:02}:{:02}:{:02}",
        short(words, clock.date()),
        clock.hour(),
        clock.minute(),
        clock.second()
    )
}

/// A legal day: `114/11/24` or `2025-11-24`.
pub(super) fn day(text: &str) -> Option<Date> {
    text.parse().ok().or_else(|| civic::roc::parse(text))
}

/// What was done, as the office says it.
pub(super) fn action(words: Words, action: &str) -> String {
    let key = format!("office-action-{}", action.replace('_', "-"));
    if words.has(&key) {
        words.t(&key)
    } else {
        action.to_owned()
    }
}

/// Who did it, as the office says it; `name` is that of the member of staff.
pub(super) fn actor(words: Words, actor: ActorKind, name: Option<&str>) -> String {
    match (actor, name) {
        (ActorKind::Staff, Some(name)) => name.to_owned(),
        (ActorKind::Staff, None) => words.t("office-actor-staff"),
        (ActorKind::System, _) => words.t("office-actor-system"),
        (ActorKind::Resident, _) => words.t("office-actor-person"),
        (ActorKind::Organisation, _) => words.t("office-actor-organisation"),
    }
}

fn row(words: Words, line: &Line) -> Vec<Cell> {
    let entry = &line.recorded.entry;
    let actor = actor(words, entry.actor, line.name.as_deref());
    let action = action(words, &entry.action);
    let purpose = words.with(
        "office-audit-purpose-text",
        &[
            ("code", format!("({})", entry.purpose.code)),
            ("basis", entry.purpose.basis.clone()),
        ],
    );
    let number = line.number.clone().unwrap_or_else(|| {
        words.t(if entry.application.is_some() {
            "office-audit-no-number"
        } else {
            "none"
        })
    });
    let cells = [
        line.recorded.seq.to_string(),
        short_time(words, entry.at),
        actor,
        action,
        number,
        purpose,
        entry.fields.join("、"),
        hex::encode(line.recorded.hash).chars().take(12).collect(),
    ];
    cells.into_iter().map(Cell::text).collect()
}

async fn render(app: &App, duty: Duty, asked: Asked, checked: Option<Checked>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let mut errors = Vec::new();
    let mut read = |name: &str, text: &str, next: bool| -> Option<Timestamp> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let found = day(text).and_then(|day| if next { day.tomorrow().ok() } else { Some(day) });
        if found.is_none() {
            errors.push((name.to_owned(), words.t("office-audit-day-wrong")));
        }
        found.map(civic::legal_start)
    };
    let search = Search {
        number: Some(asked.number.trim().to_uppercase()).filter(|number| !number.is_empty()),
        from: read("from", &asked.from, false),
        to: read("to", &asked.to, true),
        before: asked.before.parse().ok(),
    };
    let lines = match audit::search(&app.desk, &staff, &search).await {
        Ok(lines) => lines,
        Err(CaseError::NotFound(_)) => {
            errors.push(("number".to_owned(), words.t("office-audit-number-unknown")));
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    let full = lines.len() as u64 == PAGE;
    let older = lines.last().filter(|_| full).map(|line| {
        let mut query =
            url::form_urlencoded::Serializer::for_suffix(String::from("/office/audit?"), "/office/audit?".len());
        for (name, value) in [("number", &asked.number), ("from", &asked.from), ("to", &asked.to)] {
            query.append_pair(name, value);
        }
        query.append_pair("before", &line.recorded.seq.to_string()).finish()
    });
    let heads = ["seq", "at", "actor", "action", "number", "purpose", "fields", "hash"];
    let entries = Table {
        caption: words.t("office-audit-entries"),
        head: heads
            .into_iter()
            .map(|name| Head::text(words.t(&format!("office-audit-{name}"))))
            .collect(),
        rows: lines.iter().map(|line| row(words, line)).collect(),
    };
    let severity = |severity: &str| match severity {
        "alarm" => Tag::new(words.t("office-severity-alarm"), Colour::Red),
        "warning" => Tag::new(words.t("office-severity-warning"), Colour::Yellow),
        _ => Tag::new(words.t("office-severity-notice"), Colour::Blue),
    };
    let events = audit::events(&app.desk, &staff).await?;
    let events = Table {
        caption: words.t("office-audit-events"),
        head: ["at", "severity", "kind", "detail", "origin"]
            .into_iter()
            .map(|name| Head::text(words.t(&format!("office-audit-{name}"))))
            .collect(),
        rows: events
            .into_iter()
            .map(|event| {
                let origin = event
                    .origin
                    .filter(|origin| !origin.is_empty())
                    .unwrap_or_else(|| words.t("none"));
                vec![
                    Cell::text(short_time(words, event.at)),
                    Cell::tag(severity(&event.severity)),
                    Cell::text(event.kind),
                    Cell::text(event.detail),
                    Cell::text(origin),
                ]
            })
            .collect(),
    };
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let errors = (!errors.is_empty()).then_some(ErrorSummary { words, errors });
    page_with(
        status,
        &AuditPage {
            frame,
            staff,
            asked,
            errors,
            checked,
            entries,
            older,
            events,
        },
    )
}

/// `GET /office/audit`
pub(super) async fn show(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    render(&app, duty, asked, None).await
}

/// `POST /office/audit/verify`: goes through the whole chain.
pub(super) async fn verify(State(app): State<App>, duty: Duty, _: Posted) -> Result<Response, Problem> {
    let words = duty.frame.words;
    let checked = match audit::verify(&app.desk, &duty.staff).await? {
        Ok(verified) => Checked {
            good: true,
            title: words.t1("office-audit-good", "n", verified.entries),
            text: words.t1("office-audit-head", "head", format!(" {}", verified.head)),
        },
        Err(fault) => Checked {
            good: false,
            title: words.t("office-audit-bad"),
            text: fault.to_string(),
        },
    };
    render(&app, duty, Asked::default(), Some(checked)).await
}
