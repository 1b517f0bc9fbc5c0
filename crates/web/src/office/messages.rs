//! Messages on their way (訊息遞送): where they stand on each channel, and those that somebody has to look at. No address, no text.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use cases::deliveries::{self, ChannelRow, DeliveryRow};
use cases::{CaseError, Staff};
use civic::ids::DeliveryId;
use serde::Deserialize;
use store::tables::delivery::State as Standing;

use super::act::conflict;
use super::{Duty, done};
use crate::address::{id, onward};
use crate::components::{Banner, Cell, Colour, ErrorSummary, Head, Table, Tag};
use crate::texts::Words;
use crate::{App, Frame, Posted, Problem, page_with};

/// The page.
pub(super) const HERE: &str = "/office/messages";

/// The pages of messages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(HERE, get(show))
        .route("/office/messages/{id}/{act}", post(act))
}

/// A message that somebody has to look at, in words.
struct Stuck {
    id: String,
    message: String,
    number: String,
    channel: String,
    problem: String,
    tries: i32,
    made: String,
    tag: Tag,
}

#[derive(Template)]
#[template(path = "office/messages.html")]
struct MessagesPage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    errors: Option<ErrorSummary>,
    channels: Table,
    stuck: Vec<Stuck>,
    /// What was typed as a reason, and for which message.
    typed: (String, String),
}

/// What a message tells.
pub(super) fn title(words: Words, kind: &str) -> String {
    let key = format!("office-message-{}", kind.replace('_', "-"));
    match words.has(&key) {
        true => words.t(&key),
        false => kind.to_owned(),
    }
}

/// A kind of channel.
fn channel(words: Words, kind: store::tables::channel::Kind) -> String {
    words.t(&format!("channels-{}", kind.word()))
}

fn problem(words: Words, problem: Option<&str>) -> String {
    match problem {
        Some(code) => {
            let key = format!("office-message-problem-{}", code.replace('_', "-"));
            if words.has(&key) {
                words.t(&key)
            } else {
                code.to_owned()
            }
        }
        None => words.t("none"),
    }
}

fn tag(words: Words, state: Standing) -> Tag {
    let colour = match state {
        Standing::Queued => Colour::Blue,
        Standing::Later => Colour::Yellow,
        Standing::Sent => Colour::Green,
        Standing::Failed | Standing::Dead => Colour::Red,
        Standing::Gone | Standing::Ended => Colour::Grey,
    };
    Tag::new(words.t(&format!("office-message-state-{}", state.word())), colour)
}

fn counts(words: Words, rows: Vec<ChannelRow>) -> Table {
    let heads = [
        ("office-message-channel", false),
        ("office-message-set", false),
        ("office-message-state-queued", true),
        ("office-message-state-later", true),
        ("office-message-oldest", false),
        ("office-message-stuck", true),
        ("office-message-sent-lately", true),
        ("office-message-ended-lately", true),
    ];
    let rows = rows.into_iter().map(|row| {
        let (key, colour) = match row.is_set {
            true => ("office-health-set", Colour::Green),
            false => ("office-health-unset", Colour::Grey),
        };
        vec![
            Cell::text(channel(words, row.kind)),
            Cell::tag(Tag::new(words.t(key), colour)),
            Cell::text(row.queued.to_string()),
            Cell::text(row.later.to_string()),
            Cell::text(row.oldest.map_or_else(|| words.t("none"), |at| words.time(at))),
            Cell::text(row.stuck.to_string()),
            Cell::text(row.sent.to_string()),
            Cell::text(row.ended.to_string()),
        ]
    });
    Table {
        caption: words.t("office-message-counts"),
        head: Head::all(words, &heads),
        rows: rows.collect(),
    }
}

/// The messages of a case, for its page.
pub(super) fn of_case(words: Words, rows: Vec<DeliveryRow>) -> Table {
    let heads = [
        "office-message-told",
        "office-message-channel",
        "office-queue-state",
        "office-message-problem",
        "office-message-made",
        "office-message-next",
    ];
    let none = || words.t("none");
    let rows = rows.into_iter().map(|row| {
        let problem = match row.reason {
            Some(reason) => reason,
            None => problem(words, row.problem.as_deref()),
        };
        vec![
            Cell::text(title(words, &row.message)),
            Cell::text(channel(words, row.channel)),
            Cell::tag(tag(words, row.state)),
            Cell::text(problem),
            Cell::text(words.time(row.made)),
            Cell::text(row.next.map_or_else(none, |at| words.time(at))),
        ]
    });
    Table {
        caption: words.t("office-message-of-case"),
        head: heads
            .iter()
            .map(|key| Head {
                text: words.t(key),
                numeric: false,
            })
            .collect(),
        rows: rows.collect(),
    }
}

async fn render(
    app: &App,
    duty: Duty,
    done: Option<Banner>,
    wrong: Option<(String, String)>,
) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let view = deliveries::overview(&app.desk, &staff).await?;
    let stuck = view.stuck.into_iter().map(|row| Stuck {
        id: row.id.to_string(),
        message: title(words, &row.message),
        number: row.number.clone().unwrap_or_else(|| words.t("none")),
        channel: channel(words, row.channel),
        problem: problem(words, row.problem.as_deref()),
        tries: row.tries,
        made: words.time(row.made),
        tag: tag(words, row.state),
    });
    let errors = wrong.as_ref().map(|(id, _)| ErrorSummary {
        words,
        errors: vec![(format!("reason-{id}"), words.t("office-message-reason-needed"))],
    });
    let status = match wrong {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    page_with(
        status,
        &MessagesPage {
            done,
            errors,
            channels: counts(words, view.channels),
            stuck: stuck.collect(),
            typed: wrong.unwrap_or_default(),
            frame,
            staff,
        },
    )
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    done: String,
}

/// `GET /office/messages`
async fn show(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let banner = done(&duty.frame, &asked.done);
    render(&app, duty, banner, None).await
}

/// `POST /office/messages/{id}/{act}`: has it sent again, or gives it up.
async fn act(
    State(app): State<App>,
    duty: Duty,
    Path((message, act)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let delivery = DeliveryId::from_uuid(id(&message)?);
    let reason: String = posted.text("reason").chars().take(600).collect();
    let (result, word) = match act.as_str() {
        "again" => (
            deliveries::again(&app.desk, &duty.staff, delivery).await,
            "message-again",
        ),
        "give-up" => (
            deliveries::give_up(&app.desk, &duty.staff, delivery, &reason).await,
            "message-given-up",
        ),
        _ => return Err(Problem::NotFound),
    };
    match result {
        Ok(()) => Ok(onward(&format!("{HERE}?done={word}"))),
        Err(CaseError::Conflict(_)) => conflict(duty, HERE.to_owned()),
        Err(CaseError::Input { .. }) => render(&app, duty, None, Some((delivery.to_string(), reason))).await,
        Err(error) => Err(error.into()),
    }
}
