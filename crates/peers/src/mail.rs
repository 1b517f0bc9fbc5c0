//! A mail server that takes messages for everybody (RFC 5321, as much as a sender needs) and a page that shows them.

use crate::PeerError;
use crate::html::{escape, page};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const WHO: &str = "示範信箱 Demonstration mailbox";
/// Messages kept; the oldest go first.
const KEPT: usize = 500;
/// Most bytes of a message.
const LARGEST: usize = 1 << 20;

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
}

impl Mailbox {
    pub fn open(folder: &std::path::Path) -> Result<Mailbox, PeerError> {
        let path = folder.join("mailbox.json");
        let messages = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| PeerError::Folder {
                path: path.clone(),
                why: error.to_string(),
            })?,
            Err(_) => Vec::new(),
        };
        Ok(Mailbox(Arc::new(Kept {
            path,
            messages: Mutex::new(messages),
        })))
    }

    fn put(&self, to: Vec<String>, source: String) -> std::io::Result<()> {
        let mut messages = self.0.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let id = header(&source, "message-id");
        // A message sent twice because its sender died in between is one message.
        if id.is_some()
            && messages
                .iter()
                .any(|message| header(&message.source, "message-id") == id)
        {
            return Ok(());
        }
        let number = messages.last().map_or(1, |message| message.number + 1);
        messages.push(Message { number, to, source });
        let over = messages.len().saturating_sub(KEPT);
        messages.drain(..over);
        crate::keep(&self.0.path, &serde_json::to_vec(&*messages)?)
    }

    fn all(&self) -> Vec<Message> {
        self.0.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Takes messages until it is told to stop.
pub async fn receive(listener: TcpListener, mailbox: Mailbox, mut stopped: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let mailbox = mailbox.clone();
        tokio::spawn(async move {
            let _ = tokio::time::timeout(Duration::from_secs(120), talk(stream, &mailbox)).await;
        });
    }
}

async fn talk(stream: TcpStream, mailbox: &Mailbox) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.demo.invalid ESMTP\r\n").await?;
    let (mut from, mut to) = (false, Vec::<String>::new());
    loop {
        let line = read_line(&mut stream, 4096).await?;
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let upper = line.to_ascii_uppercase();
        let answer = if upper.starts_with("EHLO") {
            format!("250-mail.demo.invalid\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {LARGEST}")
        } else if upper.starts_with("HELO") {
            "250 mail.demo.invalid".to_owned()
        } else if upper.starts_with("MAIL FROM:") {
            (from, to) = (true, Vec::new());
            "250 ok".to_owned()
        } else if upper.starts_with("RCPT TO:") {
            match line.split_once('<').and_then(|(_, rest)| rest.split_once('>')) {
                Some((address, _)) if from && to.len() < 20 => {
                    to.push(address.to_owned());
                    "250 ok".to_owned()
                }
                _ => "503 not now".to_owned(),
            }
        } else if upper == "DATA" {
            if to.is_empty() {
                "503 no recipient".to_owned()
            } else {
                stream.write_all(b"354 end with a dot\r\n").await?;
                match content(&mut stream).await? {
                    Some(source) => {
                        from = false;
                        match mailbox.put(std::mem::take(&mut to), source) {
                            Ok(()) => "250 kept".to_owned(),
                            Err(_) => "451 can't be kept".to_owned(),
                        }
                    }
                    None => "552 too large".to_owned(),
                }
            }
        } else if upper == "RSET" {
            (from, to) = (false, Vec::new());
            "250 ok".to_owned()
        } else if upper == "NOOP" {
            "250 ok".to_owned()
        } else if upper == "QUIT" {
            stream.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "502 unknown".to_owned()
        };
        stream.write_all(answer.as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
    }
}

/// A line with its end; a longer one, or the end of the stream, ends the talk.
async fn read_line(stream: &mut BufReader<TcpStream>, most: usize) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut limited = tokio::io::AsyncReadExt::take(&mut *stream, u64::try_from(most).unwrap_or(u64::MAX));
    if limited.read_until(b'\n', &mut line).await? == 0 || !line.ends_with(b"\n") {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line)
}

/// The lines until the one with a dot alone, leading dots taken off (RFC 5321, 4.5.2).
async fn content(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut large = false;
    loop {
        let line = read_line(stream, 64 * 1024).await?;
        if line == b".\r\n" {
            return Ok((!large).then(|| String::from_utf8_lossy(&bytes).into_owned()));
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        if bytes.len() + line.len() > LARGEST {
            large = true;
        } else {
            bytes.extend_from_slice(line);
        }
    }
}

/// A header's value, folded lines joined.
fn header(source: &str, name: &str) -> Option<String> {
    let head = source
        .split("\r\n\r\n")
        .next()
        .unwrap_or(source)
        .replace("\r\n ", " ")
        .replace("\r\n\t", " ");
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// Words of RFC 2047 in base64 and Q, all of them UTF-8.
fn words(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some(at) = rest.find("=?") {
        let (plain, word) = rest.split_at(at);
        let mut parts = word.get(2..).unwrap_or("").splitn(3, '?');
        let (_, encoding, tail) = (parts.next(), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let Some((text, after)) = tail.split_once("?=") else {
            break;
        };
        if !plain.trim().is_empty() || out.is_empty() {
            out.push_str(plain);
        }
        let bytes = if encoding.eq_ignore_ascii_case("b") {
            openssl::base64::decode_block(text).unwrap_or_default()
        } else {
            quoted(&text.replace('_', " "))
        };
        out.push_str(&String::from_utf8_lossy(&bytes));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Quoted-printable (RFC 2045, 6.7).
fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.as_bytes();
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        if *first != b'=' {
            out.push(*first);
            continue;
        }
        if let Some(after) = bytes.strip_prefix(b"\r\n").or_else(|| bytes.strip_prefix(b"\n")) {
            bytes = after;
        } else if let Some((pair, after)) = bytes.split_at_checked(2)
            && let Ok(byte) = u8::from_str_radix(&String::from_utf8_lossy(pair), 16)
        {
            out.push(byte);
            bytes = after;
        }
    }
    out
}

/// The text of a message: of its first text part, where it has several.
fn body(source: &str) -> String {
    text_part(source, 8)
}

/// `deeper` bounds how far parts within parts are followed.
fn text_part(source: &str, deeper: u8) -> String {
    let (_, content) = source.split_once("\r\n\r\n").unwrap_or(("", source));
    if deeper > 0
        && let Some(boundary) = header(source, "content-type").and_then(|kind| {
            let (_, rest) = kind.split_once("boundary=")?;
            Some(rest.split(';').next().unwrap_or(rest).trim_matches('"').to_owned())
        })
    {
        let mark = format!("--{boundary}");
        let part = content.split(mark.as_str()).nth(1).unwrap_or(content);
        return text_part(part.trim_start_matches("\r\n"), deeper - 1);
    }
    let encoding = header(source, "content-transfer-encoding")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let bytes = match encoding.as_str() {
        "base64" => openssl::base64::decode_block(&content.replace(['\r', '\n'], "")).unwrap_or_default(),
        "quoted-printable" => quoted(content),
        _ => content.as_bytes().to_vec(),
    };
    String::from_utf8_lossy(&bytes).into_owned()
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
    fn words_and_bodies_are_read() {
        assert_eq!(words("=?utf-8?b?5oKo5aW9?= =?utf-8?q?=E5=A5=BD?="), "您好好");
        assert_eq!(
            body("Content-Transfer-Encoding: quoted-printable\r\n\r\n=E5=A5=BD=\r\n!"),
            "好!"
        );
        assert_eq!(
            body(
                "Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n5aW9\r\n--x--"
            ),
            "好"
        );
    }

    #[test]
    fn parts_within_parts_end() {
        let head = "Content-Type: multipart/mixed; boundary=x\r\n";
        assert!(body(head).len() <= head.len());
        let nested = format!("{head}\r\n--x\r\n").repeat(5_000);
        assert!(body(&nested).len() < nested.len());
    }

    #[test]
    fn links_are_links_and_the_rest_is_text() {
        assert_eq!(
            linked("a <b> http://h/?a&b\n"),
            "a &lt;b&gt; <a href=\"http://h/?a&amp;b\">http://h/?a&amp;b</a>\n"
        );
    }
}
