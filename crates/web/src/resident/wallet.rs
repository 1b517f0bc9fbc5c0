//! Showing a card of one's digital wallet (數位憑證皮夾) as evidence: what is asked and why, the link and its QR code, and what became
//! of it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cases::collect::{self, Draft};
use cases::wallet::show::{self, Showing};
use cases::wallet::taken;
use cases::{CaseError, Person, State as CaseState};
use services::form::Source;
use services::wallet::ShownCard;

use super::{Resident, apply, fields};
use crate::address::{application, onward};
use crate::components::{Banner, Qr, Row, SummaryList};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page};

#[derive(Template)]
#[template(path = "resident/wallet.html")]
struct WalletPage {
    frame: Frame,
    id: String,
    service: String,
    cards: Vec<CardPart>,
    /// How far it is with all of them; the page looks again until it is another.
    now: String,
    waits: bool,
    /// Whether something was shown, so that the way on is the next step.
    is_shown: bool,
    onward: String,
}

/// One card on the page.
struct CardPart {
    credential_type: String,
    title: String,
    agency: String,
    /// What is asked of it.
    wanted: Vec<String>,
    news: Option<Banner>,
    /// The link to the wallet, its code, and until when.
    open: Option<(String, Option<Qr>, String)>,
    /// What it said.
    shown: Option<SummaryList>,
    /// Whether it can be asked for (again).
    may_ask: bool,
}

/// Whether this person may show a card in a draft: only who applies themself, and where the service takes one.
pub(super) fn offers(app: &App, person: &Person, draft: &Draft) -> bool {
    person.acting().is_none() && !taken(&app.desk, &draft.service).is_empty()
}

/// What is said of a card that was not shown.
fn ended(words: Words, code: &str) -> String {
    let key = format!("wallet-ended-{code}");
    match words.has(&key) {
        true => words.t(&key),
        false => words.t("wallet-ended-not-genuine"),
    }
}

fn part(words: Words, draft: &Draft, card: &ShownCard, showing: &Showing) -> CardPart {
    let banner = |success, text| {
        Some(Banner {
            words,
            success,
            text,
            detail: None,
        })
    };
    let title = words.of(&card.title).to_owned();
    let (open, news) = match showing {
        Showing::NotUsed => (None, None),
        Showing::Waiting { link, until } => {
            let code = Qr::new(words.t1("wallet-qr", "card", &title), link);
            (Some((link.clone(), code, words.time(*until))), None)
        }
        Showing::Checking => (None, banner(true, words.t("wallet-checking"))),
        Showing::Shown => (None, banner(true, words.t1("wallet-shown", "card", &title))),
        Showing::Ended(code) => (None, banner(false, ended(words, code))),
    };
    let rows: Vec<Row> = match showing {
        Showing::Shown => said(words, draft, card),
        _ => Vec::new(),
    };
    CardPart {
        credential_type: card.credential_type.clone(),
        agency: words.of(&card.agency).to_owned(),
        wanted: card.wanted().map(|text| words.of(text).to_owned()).collect(),
        may_ask: !matches!(showing, Showing::Checking),
        shown: (!rows.is_empty()).then_some(SummaryList { rows }),
        news,
        open,
        title,
    }
}

/// The answers that a card gave, with their source; also those that this application does not ask for.
fn said(words: Words, draft: &Draft, card: &ShownCard) -> Vec<Row> {
    let form = &draft.service.form;
    let mut rows = Vec::new();
    for (key, answer) in &draft.answers.values {
        // what the person answered stands; what the card says is beside it
        let source = answer.changed_from.as_ref().map_or(&answer.source, |held| &held.source);
        let is_this = matches!(source, Source::Wallet { card: of, .. } if *of == card.credential_type);
        if let Some((_, field)) = form.field(key).filter(|_| is_this) {
            rows.push(Row {
                note: Some(fields::source(words, &answer.source)),
                ..Row::new(
                    words.of(&field.label).to_owned(),
                    form.shown(key, &draft.answers, words.language),
                )
            });
        }
    }
    rows
}

/// How far it is with the cards of a draft.
async fn far(app: &App, person: &Person, draft: &Draft) -> Result<Vec<Showing>, CaseError> {
    let mut all = Vec::new();
    for card in taken(&app.desk, &draft.service) {
        all.push(show::showing(&app.desk, person, draft.id, &card.credential_type).await?);
    }
    Ok(all)
}

fn words_of(all: &[Showing]) -> String {
    let words: Vec<&str> = all.iter().map(Showing::word).collect();
    words.join(" ")
}

/// `GET /applications/{id}/wallet`
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let draft = collect::draft(&app.desk, &person, application(&id)?).await?;
    if draft.state != CaseState::Draft {
        return Ok(onward(&format!("/applications/{id}")));
    }
    if !draft.agreed {
        return Ok(onward(&apply::next(&draft)));
    }
    if !offers(&app, &person, &draft) {
        return Err(Problem::NotFound);
    }
    let words = frame.words;
    let far = far(&app, &person, &draft).await?;
    let cards = taken(&app.desk, &draft.service);
    page(&WalletPage {
        service: words.of(&draft.service.meta.name).to_owned(),
        cards: cards
            .iter()
            .zip(&far)
            .map(|(card, showing)| part(words, &draft, card, showing))
            .collect(),
        waits: far
            .iter()
            .any(|one| matches!(one, Showing::Waiting { .. } | Showing::Checking)),
        is_shown: far.contains(&Showing::Shown),
        now: words_of(&far),
        onward: apply::question(&draft),
        id,
        frame,
    })
}

/// `POST /applications/{id}/wallet`: asks for a card.
pub(super) async fn ask(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
    posted: Posted,
) -> Result<Response, Problem> {
    let Resident { frame, person } = resident;
    let case = application(&id)?;
    show::begin(&app.desk, &person, case, posted.text("card"), frame.language()).await?;
    Ok(onward(&apply::address(case, "wallet")))
}

/// `GET /applications/{id}/wallet/state`: how far it is, in words for the page's script.
pub(super) async fn state(
    State(app): State<App>,
    Path(id): Path<String>,
    resident: Resident,
) -> Result<Response, Problem> {
    let draft = collect::draft(&app.desk, &resident.person, application(&id)?).await?;
    if !offers(&app, &resident.person, &draft) {
        return Err(Problem::NotFound);
    }
    let far = far(&app, &resident.person, &draft).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], words_of(&far)).into_response())
}
