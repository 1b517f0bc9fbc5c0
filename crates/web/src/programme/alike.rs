//! Plans of different governments that say the same (雷同), passage beside passage. What the template says does not count.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use cases::Staff;
use grants::Programme;
use grants::similarity::{Excerpt, Pair};

use super::place;
use super::{Seat, hundredths};
use crate::texts::Words;
use crate::{App, Frame, Problem, page};

/// Passages of a pair that are shown; those copied longest and reworded least come first.
const SHOWN: usize = 40;

/// Two passages side by side.
struct Beside {
    how: String,
    left: (String, String),
    right: (String, String),
}

struct PairView {
    title: String,
    told: String,
    left: String,
    right: String,
    passages: Vec<Beside>,
}

#[derive(Template)]
#[template(path = "programme/alike.html")]
struct AlikePage {
    frame: Frame,
    staff: Staff,
    back: String,
    programme: String,
    pairs: Vec<PairView>,
}

/// What people call the part a passage stands in.
fn part(words: Words, programme: &Programme, name: &str) -> String {
    if let Some(stage) = name.strip_prefix("assessment ") {
        return format!("{} {stage}", place::title(words, programme, place::ASSESSMENT));
    }
    if let Some(indicator) = name.strip_prefix("indicator ") {
        return format!("{} {indicator}", place::title(words, programme, "indicators"));
    }
    place::title(words, programme, &format!("text:{name}"))
}

fn view(words: Words, programme: &Programme, pair: Pair) -> PairView {
    let name = |id: &str| subsidies::government(programme, id).to_owned();
    let (left, right) = (name(&pair.left), name(&pair.right));
    let side = |one: Excerpt| (part(words, programme, &one.part), one.text);
    let copied = pair.copied.into_iter().map(|one| Beside {
        how: words.t1("programme-alike-copied", "n", one.shared),
        left: side(one.left),
        right: side(one.right),
    });
    let reworded = pair.reworded.into_iter().map(|one| Beside {
        how: words.t1("programme-alike-reworded", "percent", one.percent),
        left: side(one.left),
        right: side(one.right),
    });
    PairView {
        title: words.with(
            "programme-alike-pair",
            &[("left", left.clone()), ("right", right.clone())],
        ),
        told: words.with(
            "programme-alike-told",
            &[
                ("copied", hundredths(i64::from(pair.copied_share))),
                ("reworded", hundredths(i64::from(pair.reworded_share))),
            ],
        ),
        left,
        right,
        passages: copied.chain(reworded).take(SHOWN).collect(),
    }
}

/// `GET /programme/calls/{programme}/alike`
pub(super) async fn show(
    State(app): State<App>,
    seat: Seat,
    Path(programme): Path<String>,
) -> Result<Response, Problem> {
    let words = seat.frame.words;
    let pairs = subsidies::alike(&app.subsidies, &seat.member, &programme).await?;
    let found = app.subsidies.programme(&programme)?;
    page(&AlikePage {
        back: format!("/programme/calls/{programme}/received"),
        programme: words.of(&found.name).to_owned(),
        pairs: pairs.into_iter().map(|pair| view(words, found, pair)).collect(),
        frame: seat.frame,
        staff: seat.staff,
    })
}
