//! Load and age of cases, for the supervisor: where work piles up, not who is fast.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cases::Staff;
use cases::load::{self, BANDS};

use super::Duty;
use crate::components::{Cell, Head, Table};
use crate::{App, Frame, Problem, page};

#[derive(Template)]
#[template(path = "office/load.html")]
struct LoadPage {
    frame: Frame,
    staff: Staff,
    piles: Table,
    ages: Table,
}

/// `GET /office/load`
pub(super) async fn show(State(app): State<App>, duty: Duty) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let found = load::load(&app.desk, &staff).await?;
    let name = |pile: &load::Pile| pile.name.clone().unwrap_or_else(|| words.t("office-load-nobody"));
    let days = |n: i32| words.t1("office-load-days", "n", n);
    let heads = [
        "office-load-open",
        "office-load-late",
        "office-load-soon",
        "office-load-correction",
        "office-load-oldest",
    ];
    let mut head = vec![Head::text(words.t("office-load-holder"))];
    head.extend(heads.into_iter().map(|key| Head::number(words.t(key))));
    let rows = found.iter().map(|pile| {
        let numbers = [pile.open, pile.late, pile.soon, pile.correction].map(|n| Cell::text(n.to_string()));
        let oldest = Cell::text(pile.oldest.map_or_else(|| words.t("none"), days));
        [Cell::text(name(pile))]
            .into_iter()
            .chain(numbers)
            .chain([oldest])
            .collect()
    });
    let piles = Table {
        caption: words.t("office-load-caption"),
        head,
        rows: rows.collect(),
    };
    let band = |place: usize, begin: i32| match BANDS.get(place + 1) {
        Some(next) => words.with(
            "office-load-band",
            &[("from", begin.to_string()), ("to", (next - 1).to_string())],
        ),
        None => words.t1("office-load-band-last", "from", begin),
    };
    let mut head = vec![Head::text(words.t("office-load-holder"))];
    head.extend(
        BANDS
            .into_iter()
            .enumerate()
            .map(|(place, begin)| Head::number(band(place, begin))),
    );
    let rows = found.iter().map(|pile| {
        [name(pile)]
            .into_iter()
            .chain(pile.ages.iter().map(u64::to_string))
            .map(Cell::text)
            .collect()
    });
    let ages = Table {
        caption: words.t("office-load-ages"),
        head,
        rows: rows.collect(),
    };
    page(&LoadPage {
        frame,
        staff,
        piles,
        ages,
    })
}
