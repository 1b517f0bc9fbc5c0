//! A mail server that takes messages for everybody (RFC 5321, as much as a sender needs) and a page that shows them.

mod read;
mod smtp;

use crate::html::{escape, page};
use crate::{PeerError, keep};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use read::{body, header, words};
use serde::{Deserialize, Serialize};
pub use smtp::receive;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

const WHO: &str = "示範信箱 Demonstration mailbox";
/// Messages kept; the oldest go first.
const KEPT: usize = 500;

#[derive(Clone, Serialize, Deserialize)]
struct Message {
    number: u64,
    to: Vec<String>,
    source: String,
}

/// The messages, newest last, in memory and in one file.
#[derive(Clone)]
pub struct Mailbox(Arc<Kept>);

struct Kept {
    path: PathBuf,
    messages: Mutex<Vec<Message>>,
    /// Where messages of other kinds are shown.
    beside: Mutex<Option<String>>,
}

impl Mailbox {
    pub fn open(folder: &std::path::Path) -> Result<Mailbox, PeerError> {
        let path = folder.join("mailbox.json");
        let messages = keep::read(&path)?.unwrap_or_default();
        Ok(Mailbox(Arc::new(Kept {
            path,
            messages: Mutex::new(messages),
            beside: Mutex::default(),
        })))
    }

    /// Has the page name the one that shows messages of other kinds.
    pub fn show_beside(&self, address: &str) {
        *self.0.beside.lock().unwrap_or_else(PoisonError::into_inner) = Some(address.to_owned());
    }

    fn put(&self, to: Vec<String>, source: String) -> std::io::Result<()> {
        let mut messages = self.0.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let id = header(&source, "message-id");
        // A message sent twice because its sender died in between is one message.
        let is_same = |message: &Message| message.to == to && header(&message.source, "message-id") == id;
        if id.is_some() && messages.iter().any(is_same) {
            return Ok(());
        }
        let number = messages.last().map_or(1, |message| message.number + 1);
        messages.push(Message { number, to, source });
        let over = messages.len().saturating_sub(KEPT);
        let newest = messages.get(over..).unwrap_or_default();
        let written = serde_json::to_vec(newest)
            .map_err(std::io::Error::other)
            .and_then(|bytes| keep::write(&self.0.path, &bytes));
        match written {
            Ok(()) => drop(messages.drain(..over)),
            // the sender is told that it was not kept, and will send it again
            Err(_) => drop(messages.pop()),
        }
        written
    }

    fn all(&self) -> Vec<Message> {
        self.0.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/messages/{number}", get(message))
        .with_state(mailbox)
}

async fn list(State(mailbox): State<Mailbox>) -> Response {
    let messages = mailbox.all();
    let mut out = String::from(
        "<p>示範城市寄給所有人的信都在這裡，最新的在最上面。</p><p lang=\"en\">Every mail of the demonstration, the newest first.</p>",
    );
    let beside = mailbox.0.beside.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(address) = beside {
        let _ = write!(
            out,
            "<p><a href=\"{0}/\">簡訊、LINE 和推播在這裡 Text messages, LINE and push messages</a></p>",
            escape(&address)
        );
    }
    if messages.is_empty() {
        out.push_str("<p>還沒有信。No mail yet.</p>");
    } else {
        out.push_str(
            "<table><thead><tr><th scope=\"col\">主旨 Subject</th><th scope=\"col\">收件人 To</th></tr></thead><tbody>",
        );
        for message in messages.iter().rev() {
            let _ = write!(
                out,
                "<tr><td><a href=\"/messages/{}\">{}</a></td><td>{}</td></tr>",
                message.number,
                escape(&words(
                    &header(&message.source, "subject").unwrap_or_else(|| "(no subject)".to_owned())
                )),
                escape(&message.to.join(", ")),
            );
        }
        out.push_str("</tbody></table>");
    }
    page(StatusCode::OK, WHO, "信箱", &out)
}

async fn message(State(mailbox): State<Mailbox>, Path(number): Path<u64>) -> Response {
    let Some(message) = mailbox.all().into_iter().find(|message| message.number == number) else {
        return (
            StatusCode::NOT_FOUND,
            page(
                StatusCode::NOT_FOUND,
                WHO,
                "沒有這封信",
                "<p><a href=\"/\">回信箱</a></p>",
            ),
        )
            .into_response();
    };
    let subject = words(&header(&message.source, "subject").unwrap_or_default());
    let text = linked(&body(&message.source));
    let out = format!(
        "<p>收件人 To: {}</p><pre>{text}</pre><p><a href=\"/\">回信箱 Back</a></p>",
        escape(&message.to.join(", "))
    );
    page(StatusCode::OK, WHO, &subject, &out)
}

/// The text with its addresses made links.
fn linked(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        if bare.starts_with("http://") || bare.starts_with("https://") {
            let _ = write!(
                out,
                "<a href=\"{0}\">{0}</a>{1}",
                escape(bare),
                word.get(bare.len()..).unwrap_or("")
            );
        } else {
            out.push_str(&escape(word));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_links_and_the_rest_is_text() {
        assert_eq!(
            linked("a <b> http://h/?a&b\n"),
            "a &lt;b&gt; <a href=\"http://h/?a&amp;b\">http://h/?a&amp;b</a>\n"
        );
    }
}
