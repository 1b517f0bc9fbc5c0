//! The administrator's page (系統管理): services on offer, withdrawn, and without an amount for today; amounts still to be
//! checked, work behind the pages, accounts, and how the platform is.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use cases::platform::{self, Health};
use cases::{CaseError, Staff};
use civic::ids::OutboxId;
use serde::Deserialize;
use services::Service;

use super::act::conflict;
use super::{Duty, done, role};
use crate::address::{id, onward};
use crate::components::{Banner, Cell, Colour, Head, Table, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page};

struct Mistakes {
    title: String,
    lines: Vec<(String, String, String)>,
}

struct Work {
    id: String,
    kind: String,
    attempts: i32,
    put: String,
    error: String,
}

#[derive(Template)]
#[template(path = "office/admin.html")]
struct AdminPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    health: Table,
    services: Table,
    withdrawn: Vec<Mistakes>,
    undecided: Vec<Mistakes>,
    unchecked: Table,
    waiting: Table,
    given_up: Vec<Work>,
    accounts: Table,
    seats: Option<Table>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
}

fn table(words: Words, caption: &str, heads: &[(&str, bool)], rows: Vec<Vec<Cell>>) -> Table {
    Table {
        caption: words.t(caption),
        head: Head::all(words, heads),
        rows,
    }
}

/// The words of a kind of work; a new kind shows its own name.
fn kind(words: Words, kind: &str) -> String {
    let key = format!("office-work-{}", kind.replace(['.', '_'], "-"));
    if words.has(&key) {
        words.t(&key)
    } else {
        kind.to_owned()
    }
}

fn health(words: Words, health: &Health) -> Table {
    let state = |good: bool, yes: &str, no: &str| {
        if good {
            Tag::new(words.t(yes), Colour::Green)
        } else {
            Tag::new(words.t(no), Colour::Red)
        }
    };
    let row = |key: &str, tag: Tag, text: String| vec![Cell::text(words.t(key)), Cell::tag(tag), Cell::text(text)];
    let milliseconds = health.database.map_or_else(String::new, |micros| {
        words.t1(
            "office-health-milliseconds",
            "n",
            format!("{}.{:01}", micros / 1000, micros % 1000 / 100),
        )
    });
    let dead = health.given_up.len();
    table(
        words,
        "office-health",
        &[
            ("office-health-part", false),
            ("office-health-state", false),
            ("office-health-more", false),
        ],
        vec![
            row(
                "office-health-database",
                state(
                    health.database.is_some(),
                    "office-health-answers",
                    "office-health-silent",
                ),
                milliseconds,
            ),
            row(
                "office-health-mydata",
                state(health.mydata, "office-health-set", "office-health-unset"),
                String::new(),
            ),
            row(
                "office-health-mail",
                state(health.mail, "office-health-set", "office-health-unset"),
                words.t1("office-health-messages", "n", health.messages),
            ),
            row(
                "office-health-work",
                state(dead == 0, "office-health-good", "office-health-given-up"),
                words.t1("office-health-dead", "n", dead),
            ),
        ],
    )
}

/// Amounts whose source still says that somebody has to look them up.
fn unchecked<'a>(words: Words, services: impl Iterator<Item = &'a std::sync::Arc<Service>>) -> Table {
    let mut rows = Vec::new();
    for service in services {
        for parameter in service.rules.parameters() {
            let marked = parameter
                .rows
                .iter()
                .filter(|row| row.source.contains("verify") || row.note.contains("verify"));
            for row in marked {
                let name = if row.keys.is_empty() {
                    parameter.name.clone()
                } else {
                    format!("{}（{}）", parameter.name, row.keys.join("、"))
                };
                let cells = [
                    name,
                    words.of(&service.meta.name).to_owned(),
                    words.date(row.from),
                    format!("{} {}", row.value, row.unit),
                    row.source.clone(),
                    row.note.clone(),
                ];
                rows.push(cells.into_iter().map(Cell::text).collect());
            }
        }
    }
    let heads = [
        ("office-amount-name", false),
        ("office-service", false),
        ("office-amount-from", false),
        ("office-amount-value", true),
        ("office-amount-source", false),
        ("office-amount-note", false),
    ];
    table(words, "office-amounts", &heads, rows)
}

fn services<'a>(words: Words, services: impl Iterator<Item = &'a std::sync::Arc<Service>>) -> Table {
    let rows = services.map(|service| {
        let digest: String = service.rules.digest().chars().take(12).collect();
        let cells = [
            words.of(&service.meta.name).to_owned(),
            service.id.clone(),
            words.of(&service.meta.agency).to_owned(),
            service.meta.legal_basis.clone(),
            digest,
        ];
        cells.into_iter().map(Cell::text).collect()
    });
    let heads = [
        ("office-service", false),
        ("office-service-folder", false),
        ("office-service-agency", false),
        ("office-service-basis", false),
        ("office-service-digest", false),
    ];
    table(words, "office-services", &heads, rows.collect())
}

/// Sealed rounds whose seats the folders change.
fn seats(words: Words, changed: &[cases::round::ChangedRound]) -> Option<Table> {
    let rows = changed.iter().flat_map(|round| {
        round.seats.iter().map(|one| {
            let class = one.class.as_ref().map(|class| format!("・{}", words.of(class)));
            let below = if one.is_below() {
                words.t("office-seats-below")
            } else {
                String::new()
            };
            let cells = [
                format!("{} {}", words.of(&round.service_name), words.of(&round.round_name)),
                format!("{}{}", words.of(&one.place), class.unwrap_or_default()),
                one.sealed.to_string(),
                format!("{}{below}", one.folder),
                one.given.to_string(),
            ];
            cells.into_iter().map(Cell::text).collect()
        })
    });
    let heads = [
        ("office-seats-round", false),
        ("office-seats-place", false),
        ("office-seats-sealed", true),
        ("office-seats-folder", true),
        ("office-seats-given", true),
    ];
    (!changed.is_empty()).then(|| table(words, "office-seats-title", &heads, rows.collect()))
}

fn mistakes(id: &str, found: &[rules::Mistake]) -> Mistakes {
    let line = |mistake: &rules::Mistake| {
        let place = match (mistake.line, mistake.column) {
            (0, _) => mistake.file.clone(),
            (line, 0) => format!("{}:{line}", mistake.file),
            (line, column) => format!("{}:{line}:{column}", mistake.file),
        };
        (
            place,
            mistake.message.clone(),
            mistake.suggestion.clone().unwrap_or_default(),
        )
    };
    Mistakes {
        title: id.to_owned(),
        lines: found.iter().map(line).collect(),
    }
}

/// `GET /office/admin`
pub(super) async fn show(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let found = platform::health(&app.desk, &staff).await?;
    let accounts = platform::accounts(&app.desk, &staff).await?;
    let changed = platform::seats(&app.desk, &staff).await?;
    let catalogue = &app.desk.catalogue;
    let mut withdrawn: Vec<Mistakes> = catalogue
        .withdrawn()
        .iter()
        .map(|one| mistakes(&one.id, &one.mistakes))
        .collect();
    if !catalogue.offered_mistakes().is_empty() {
        withdrawn.push(mistakes("datasets/offered", catalogue.offered_mistakes()));
    }
    if !catalogue.mapping_mistakes().is_empty() {
        withdrawn.push(mistakes("datasets/mydata", catalogue.mapping_mistakes()));
    }
    if !catalogue.card_mistakes().is_empty() {
        withdrawn.push(mistakes("datasets/wallet", catalogue.card_mistakes()));
    }
    if !catalogue.vocabulary_mistakes().is_empty() {
        withdrawn.push(mistakes("services/vocabulary.toml", catalogue.vocabulary_mistakes()));
    }
    let today = app.desk.today();
    let undecided = catalogue.all().filter_map(|service| {
        let found = service.rules.not_in_force(today);
        (!found.is_empty()).then(|| mistakes(&service.meta.id, &found))
    });
    let undecided = undecided.collect();
    let state = |active: bool, locked: Option<jiff::Timestamp>| match (active, locked) {
        (false, _) => Tag::new(words.t("office-account-closed"), Colour::Grey),
        (true, Some(until)) => Tag::new(
            words.t1("office-account-locked", "until", words.time(until)),
            Colour::Red,
        ),
        (true, None) => Tag::new(words.t("office-account-open"), Colour::Green),
    };
    let accounts = accounts.into_iter().map(|one| {
        let role = one.role.map_or_else(|| words.t("none"), |known| role(&frame, known));
        vec![
            Cell::text(one.account),
            Cell::text(one.name),
            Cell::text(role),
            Cell::text(one.agency),
            Cell::tag(state(one.active, one.locked_until)),
            Cell::text(one.failures.to_string()),
            Cell::text(words.time(one.created)),
        ]
    });
    let heads = [
        ("office-account-name", false),
        ("office-account-person", false),
        ("office-account-role", false),
        ("office-service-agency", false),
        ("office-account-state", false),
        ("office-account-failures", true),
        ("office-account-created", false),
    ];
    let accounts = table(words, "office-accounts", &heads, accounts.collect());
    let waiting = found.waiting.iter().map(|one| {
        vec![
            Cell::text(kind(words, &one.kind)),
            Cell::text(one.count.to_string()),
            Cell::text(words.time(one.due)),
            Cell::text(one.attempts.to_string()),
            Cell::text(one.error.clone().unwrap_or_else(|| words.t("none"))),
        ]
    });
    let heads = [
        ("office-work-kind", false),
        ("office-work-count", true),
        ("office-work-due", false),
        ("office-work-attempts", true),
        ("office-work-error", false),
    ];
    let page_of_admin = AdminPage {
        done: done(&frame, &asked.done),
        health: health(words, &found),
        services: services(words, catalogue.all()),
        withdrawn,
        undecided,
        unchecked: unchecked(words, catalogue.all()),
        waiting: table(words, "office-work-waiting", &heads, waiting.collect()),
        given_up: found
            .given_up
            .iter()
            .map(|one| Work {
                id: one.id.uuid().to_string(),
                kind: kind(words, &one.kind),
                attempts: one.attempts,
                put: words.time(one.put),
                error: one.error.clone().unwrap_or_else(|| words.t("none")),
            })
            .collect(),
        accounts,
        seats: seats(words, &changed),
        frame,
        staff,
    };
    page(&page_of_admin)
}

/// `POST /office/admin/tasks/{id}/retry`
pub(super) async fn retry(
    State(app): State<App>,
    duty: Duty,
    Path(work): Path<String>,
    _: Posted,
) -> Result<Response, Problem> {
    match platform::retry(&app.desk, &duty.staff, OutboxId::from_uuid(id(&work)?)).await {
        Ok(()) => Ok(onward("/office/admin?done=revived")),
        Err(CaseError::Conflict(_)) => conflict(duty, "/office/admin".to_owned()),
        Err(error) => Err(error.into()),
    }
}
