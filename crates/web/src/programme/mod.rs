//! The pages of a subsidy programme (補助計畫): a government writes its plan, a panel scores it, the ministry decides.
//!
//! Who may do what is decided by the access policies behind the verbs of `subsidies`; here it is only known which side of the call
//! somebody stands on, because the pages of the sides differ.

mod alike;
mod calls;
mod check;
mod decide;
mod document;
mod execution;
mod execution_form;
mod execution_view;
mod fields;
mod follow;
mod form;
mod meeting;
mod part;
mod place;
mod plan;
mod ranking;
mod received;
mod results;
mod sent;
mod sheet;
mod stage;
mod stage_fields;
mod stage_form;
mod versions;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, post};
use cases::{Role, Staff};
use civic::Money;
use jiff::civil::DateTime;
use subsidies::{Member, State, SubsidyError};

use crate::components::{Banner, Colour, Tag};
use crate::office::{self, Duty};
use crate::posted::{Raw, first};
use crate::texts::Words;
use crate::{App, Frame, Problem};

/// The first page.
pub(crate) const HERE: &str = "/programme";

/// Most bytes of a document that is taken in: a plan of ten megabytes is pictures.
const DOCUMENT_LIMIT: usize = 10 * 1024 * 1024;

/// Most bytes of the form of a part: a table of two hundred lines of Chinese, encoded for a form.
const PART_LIMIT: usize = 2 * 1024 * 1024;

/// The pages of subsidy programmes.
pub(crate) fn routes() -> Router<App> {
    let part = get(part::show)
        .post(part::save)
        .layer(DefaultBodyLimit::max(PART_LIMIT));
    let document = get(document::export)
        .post(document::import)
        .layer(DefaultBodyLimit::max(DOCUMENT_LIMIT));
    Router::new()
        .route(HERE, get(calls::list))
        .route("/programme/calls/{programme}", get(calls::show))
        .route("/programme/calls/{programme}/open", post(calls::open))
        .route("/programme/plans/{plan}", get(plan::show))
        .route("/programme/plans/{plan}/progress", get(plan::live))
        .route("/programme/plans/{plan}/assessment", get(stage::overview))
        .route(
            "/programme/plans/{plan}/assessment/{stage}",
            get(stage::show)
                .post(stage::save)
                .layer(DefaultBodyLimit::max(PART_LIMIT)),
        )
        .route("/programme/plans/{plan}/parts/{part}", part)
        .route("/programme/plans/{plan}/parts/{part}/comments", post(versions::comment))
        .route("/programme/plans/{plan}/parts/{part}/versions", get(versions::show))
        .route("/programme/plans/{plan}/document", document)
        .route("/programme/plans/{plan}/pdf", get(document::draft_pdf))
        .route("/programme/plans/{plan}/pdf/{which}", get(document::own_pdf))
        .route("/programme/received/{plan}/pdf", get(document::sent_pdf))
        .route("/programme/calls/{programme}/meeting", get(meeting::show))
        .route("/programme/calls/{programme}/meeting/{act}", post(meeting::act))
        .route("/programme/calls/{programme}/draw.json", get(meeting::draw_file))
        .route("/programme/plans/{plan}/check", get(check::show).post(check::send))
        .route("/programme/plans/{plan}/execution", get(execution::show))
        .route(
            "/programme/plans/{plan}/execution/{kind}/{number}",
            get(execution::form).post(execution::save),
        )
        .route("/programme/plans/{plan}/audit", get(execution::audit))
        .route("/programme/calls/{programme}/progress", get(follow::list))
        .route("/programme/received/{plan}/execution", get(follow::show))
        .route(
            "/programme/received/{plan}/execution/{kind}/{number}",
            post(follow::answer),
        )
        .route("/programme/received/{plan}/settlement", post(follow::settle))
        .route("/programme/received/{plan}/payment", post(follow::pay))
        .route("/programme/received/{plan}/audit", get(execution::audit))
        .route("/results", get(results::list))
        .route("/results/{programme}", get(results::show))
        .route("/programme/calls/{programme}/received", get(received::list))
        .route("/programme/calls/{programme}/conflicts", post(received::declare))
        .route("/programme/calls/{programme}/ranking", get(ranking::show))
        .route("/programme/calls/{programme}/alike", get(alike::show))
        .route("/programme/received/{plan}", get(sent::show))
        .route("/programme/received/{plan}/sheet", get(sheet::show).post(sheet::save))
        .route("/programme/received/{plan}/{act}", post(decide::act))
}

/// On which side of a call somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Writes the plan of a government.
    Government,
    /// Scores plans.
    Panel,
    /// Decides on plans.
    Ministry,
}

/// Somebody of a programme with the surroundings of their page.
pub(super) struct Seat {
    pub(super) frame: Frame,
    pub(super) staff: Staff,
    pub(super) member: Member,
    pub(super) side: Side,
}

impl FromRequestParts<App> for Seat {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Duty { frame, staff } = Duty::from_request_parts(parts, app).await?;
        let side = match staff.role {
            Role::GrantWriter => Side::Government,
            Role::GrantReviewer => Side::Panel,
            Role::GrantOfficer => Side::Ministry,
            Role::Officer
            | Role::Supervisor
            | Role::Cashier
            | Role::Auditor
            | Role::Administrator
            | Role::Clerk
            | Role::Confirmer
            | Role::Privacy
            | Role::Steward
            | Role::Organisation
            | Role::VillageOfficer => return Err(Problem::Forbidden),
        };
        let member = Member {
            id: staff.id,
            role: staff.role.word().to_owned(),
            agency: staff.agency.clone(),
        };
        Ok(Seat {
            frame,
            staff,
            member,
            side,
        })
    }
}

impl From<SubsidyError> for Problem {
    /// The page of a verb's error, where the page it came from says nothing better.
    fn from(error: SubsidyError) -> Problem {
        match error {
            SubsidyError::NotFound(_) => Problem::NotFound,
            SubsidyError::Refused(_) => Problem::Forbidden,
            SubsidyError::Conflict(_)
            | SubsidyError::State
            | SubsidyError::NotYet(_)
            | SubsidyError::Late(_)
            | SubsidyError::Unready(_)
            | SubsidyError::Forfeit(_)
            | SubsidyError::ChangeLate(_)
            | SubsidyError::Lapsed(_)
            | SubsidyError::FewSheets { .. }
            | SubsidyError::Deferral(_) => Problem::Conflict,
            SubsidyError::Input { .. }
            | SubsidyError::AboveMost(_)
            | SubsidyError::Sheet(_)
            | SubsidyError::Allot(_)
            | SubsidyError::Document(_)
            | SubsidyError::Report(_)
            | SubsidyError::Results(_)
            | SubsidyError::Settle(_)
            | SubsidyError::Similarity(_) => Problem::Unusable,
            SubsidyError::Pdf(grants::pdf::PdfError::Plan(_)) => Problem::Unusable,
            SubsidyError::Store(error) if error.is_temporary() => Problem::Busy,
            error @ (SubsidyError::Corrupt { .. }
            | SubsidyError::Audit(_)
            | SubsidyError::Pdf(_)
            | SubsidyError::Store(_)) => {
                tracing::error!(%error, "subsidy");
                Problem::Broken
            }
        }
    }
}

/// The page for an act that came too late.
pub(super) fn conflict(seat: Seat, here: String) -> Result<Response, Problem> {
    let Seat { frame, staff, .. } = seat;
    office::conflict(Duty { frame, staff }, here)
}

/// What has just been done, by the word the address carries.
pub(super) fn done(frame: &Frame, word: &str) -> Option<Banner> {
    office::said(frame, &format!("programme-done-{word}"))
}

/// What an address may say beside its path: what was done.
#[derive(serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    pub(super) done: String,
}

/// State of a plan as a tag.
pub(super) fn state(words: Words, state: State) -> Tag {
    let (key, colour) = match state {
        State::Draft => ("programme-state-draft", Colour::Blue),
        State::Sent => ("programme-state-sent", Colour::Yellow),
        State::Correction => ("programme-state-correction", Colour::Yellow),
        State::Corrected => ("programme-state-corrected", Colour::Green),
        State::Refused => ("programme-state-refused", Colour::Red),
    };
    Tag::new(words.t(key), colour)
}

/// The same, and of a plan whose correction did not come in time that it is given up.
pub(super) fn standing(words: Words, of: State, forfeit: bool) -> Tag {
    match of {
        State::Correction if forfeit => Tag::new(words.t("programme-state-forfeited"), Colour::Red),
        of => state(words, of),
    }
}

/// A legal time to the minute.
pub(super) fn minute(words: Words, at: DateTime) -> String {
    format!("{} {:02}:{:02}", words.date(at.date()), at.hour(), at.minute())
}

/// Hundredths of a point as people write them: 8550 is 85.50.
pub(super) fn hundredths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    format!("{sign}{}.{:02}", value / 100, value % 100)
}

/// A typed number of whole dollars; separators are left out, nothing is nothing.
pub(super) fn dollars(text: &str) -> Result<Option<Money>, ()> {
    let digits: String = civic::fold_width(text)
        .chars()
        .filter(|c| !matches!(c, ',' | ' '))
        .collect();
    if digits.is_empty() {
        return Ok(None);
    }
    let amount: i64 = digits.parse().map_err(|_| ())?;
    match (0..=grants::funding::MOST.0).contains(&amount) {
        true => Ok(Some(Money(amount))),
        false => Err(()),
    }
}

/// A typed share of at most 100 per cent; nothing is nothing.
pub(super) fn share(text: &str) -> Result<Option<u8>, ()> {
    let digits = civic::fold_width(text);
    match digits.trim_end_matches('%').trim() {
        "" => Ok(None),
        digits => match digits.parse() {
            Ok(share) if share <= 100 => Ok(Some(share)),
            _ => Err(()),
        },
    }
}

/// Puts what stands in a field.
pub(super) fn put(raw: &mut Raw, name: impl Into<String>, value: impl Into<String>) {
    raw.entry(name.into()).or_default().push(value.into());
}

/// A typed text with the line ends that are kept; browsers send CR LF.
pub(super) fn lines(raw: &Raw, name: &str) -> String {
    first(raw, name).replace("\r\n", "\n").trim().to_owned()
}
