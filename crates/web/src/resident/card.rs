//! Taking the card of a granted case into one's digital wallet (數位憑證皮夾).

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cases::wallet::card::{self, Given, MyCard};

use super::{Resident, apply};
use crate::address::{application, onward};
use crate::components::{Banner, Colour, Qr, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page};

#[derive(Template)]
#[template(path = "resident/card.html")]
struct CardPage {
    frame: Frame,
    id: String,
    title: String,
    fields: Vec<String>,
    news: Option<Banner>,
    /// The link to the wallet, its code, the PIN, and until when.
    open: Option<(String, Option<Qr>, String, String)>,
    given: Vec<(String, Tag)>,
    may_take: bool,
    now: String,
}

/// A card that was given: when and until when, and whether it stands.
pub(crate) fn given(words: Words, card: &Given, now: jiff::Timestamp) -> (String, Tag) {
    let (key, colour) = match &card.revoked {
        Some((_, reason)) if reason == "renewed" => ("card-renewed", Colour::Grey),
        Some(_) => ("card-revoked", Colour::Red),
        None if card.until < now => ("card-over", Colour::Grey),
        None => ("card-valid", Colour::Green),
    };
    let times = [("given", words.time(card.given)), ("until", words.time(card.until))];
    (words.with("card-given", &times), Tag::new(words.t(key), colour))
}

/// How far it is, in a word that changes with every step.
fn far(card: &MyCard) -> String {
    let open = if card.open.is_some() { "open" } else { "closed" };
    format!("{open} {}", card.given.len())
}

/// `GET /applications/{id}/card`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let found = card::mine(&app.desk, &person, application(&id)?).await?;
    let mine = found.ok_or(Problem::NotFound)?;
    let words = frame.words;
    let title = words.of(&mine.title).to_owned();
    let banner = |success, text| {
        Some(Banner {
            words,
            success,
            text,
            detail: None,
        })
    };
    let is_held = mine.given.iter().any(|card| card.revoked.is_none());
    let news = match (&mine.open, mine.ended.as_deref()) {
        (Some(_), _) => None,
        (None, Some("too-late")) => banner(false, words.t("card-too-late")),
        (None, _) if is_held => banner(true, words.t("card-taken")),
        (None, _) if !mine.may_take => banner(false, words.t("card-not-now")),
        (None, _) => None,
    };
    page(&CardPage {
        now: far(&mine),
        fields: mine.fields.iter().map(|text| words.of(text).to_owned()).collect(),
        open: mine.open.as_ref().map(|open| {
            let code = Qr::new(words.t1("card-qr", "card", &title), &open.link);
            (open.link.clone(), code, open.pin.clone(), words.time(open.until))
        }),
        given: mine
            .given
            .iter()
            .map(|card| given(words, card, app.desk.now()))
            .collect(),
        may_take: mine.may_take,
        news,
        title,
        id,
        frame,
    })
}

/// `POST /applications/{id}/card`: offers the card to the wallet.
pub(super) async fn offer(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    _: Posted,
) -> Result<Response, Problem> {
    let case = application(&id)?;
    card::offer(&app.desk, &resident.person, case).await?;
    Ok(onward(&apply::address(case, "card")))
}

/// `GET /applications/{id}/card/state`: how far it is, for the page's script.
pub(super) async fn state(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    let found = card::mine(&app.desk, &resident.person, application(&id)?).await?;
    let mine = found.ok_or(Problem::NotFound)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], far(&mine)).into_response())
}
