//! Held payments (暫停給付) of the own office: what an officer has to find out before they go on or end.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use cases::Staff;
use cases::pay::hold::{self, HoldRow};

use super::Duty;
use crate::components::{Cell, Head, Table};
use crate::texts::Words;
use crate::{App, Frame, Problem, page};

/// The list of held cases.
pub(super) const HERE: &str = "/office/holds";

/// The page of held payments.
pub(super) fn routes() -> Router<App> {
    Router::new().route(HERE, get(list))
}

#[derive(Template)]
#[template(path = "office/holds.html")]
struct HoldsPage {
    frame: Frame,
    staff: Staff,
    holds: Table,
}

/// Who made a hold; where nobody did, why the platform did.
pub(super) fn by(words: Words, made_by: Option<&str>) -> String {
    made_by.map_or_else(|| words.t("office-hold-platform"), str::to_owned)
}

/// Until when a hold lasts.
pub(super) fn until(words: Words, day: Option<jiff::civil::Date>) -> String {
    day.map_or_else(|| words.t("office-hold-open-end"), |day| words.date(day))
}

fn table(words: Words, rows: Vec<HoldRow>) -> Table {
    let rows = rows.into_iter().map(|row| {
        let href = format!("/office/cases/{}/payments", row.application.uuid());
        vec![
            Cell::link(row.number, href),
            Cell::text(words.of(&row.service)),
            Cell::text(by(words, row.made_by.as_deref())),
            Cell::text(words.time(row.made_at)),
            Cell::text(until(words, row.until)),
        ]
    });
    let text = |key: &str| Head::text(words.t(key));
    Table {
        caption: words.t("office-hold-cashier"),
        head: vec![
            text("office-queue-number"),
            text("office-service"),
            text("office-hold-by"),
            text("office-hold-at"),
            text("office-hold-until"),
        ],
        rows: rows.collect(),
    }
}

/// `GET /office/holds`
async fn list(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    page(&HoldsPage {
        holds: table(frame.words, hold::to_settle(&app.desk, &staff).await?),
        frame,
        staff,
    })
}
