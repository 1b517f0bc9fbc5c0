//! A bank: takes payment orders (ISO 20022 pain.001.001.09), answers with a status report (pain.002.001.10), keeps its books.

mod order;
mod report;

use crate::html::{escape, page};
use crate::{PeerError, Terms, keep};
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use order::Order;
use report::{Answer, report};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const WHO: &str = "示範銀行 Demonstration bank";

/// What the bank has booked.
#[derive(Default, Clone, Serialize, Deserialize)]
struct Books {
    /// Message ids seen.
    messages: Vec<String>,
    /// Payments made, by end-to-end id.
    paid: BTreeMap<String, Payment>,
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Payment {
    account: String,
    name: String,
    amount: String,
    /// How often this end-to-end id was paid; more than 1 is a fault of the sender.
    times: u32,
}

struct Shared {
    path: PathBuf,
    terms: Terms,
    books: Mutex<Books>,
}

pub fn router(folder: &Path, terms: &Terms) -> Result<Router, PeerError> {
    let path = folder.join("bank.json");
    let books = keep::read(&path)?.unwrap_or_default();
    let shared = Arc::new(Shared {
        path,
        terms: terms.clone(),
        books: Mutex::new(books),
    });
    Ok(Router::new()
        .route("/", get(desk))
        .route("/orders", post(upload))
        .route("/books", get(books_of))
        .layer(DefaultBodyLimit::max(32 << 20))
        .with_state(shared))
}

async fn desk() -> Response {
    page(
        StatusCode::OK,
        WHO,
        "交付付款檔",
        "<p>上傳付款檔（pain.001），銀行馬上付款，並交回狀態檔（pain.002）。</p><p lang=\"en\">Upload a payment order; the bank pays and gives back its report.</p>\
         <p>不付的：帳號末兩碼是 99，帳戶已結清（AC04）；98，帳號錯誤（AC01）；金額是零（AM01）、超過一兆元（AM02）、\
         不是新臺幣（AM03）、不是正的整數（AM12）。其他都付款。同一個檔案不會付第二次（DU01）。</p>\
         <form method=\"post\" action=\"/orders\" enctype=\"multipart/form-data\"><p><label for=\"file\">付款檔 Payment order</label><br>\
         <input type=\"file\" id=\"file\" name=\"file\" accept=\".xml,application/xml\"></p><button>交付 Send</button></form>\
         <p><a href=\"/books\">帳簿 Books</a></p>",
    )
}

async fn books_of(State(shared): State<Arc<Shared>>) -> Json<Books> {
    Json(shared.books.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

async fn upload(State(shared): State<Arc<Shared>>, mut parts: Multipart) -> Response {
    let refuse = |text: &str| {
        page(
            StatusCode::BAD_REQUEST,
            WHO,
            "不能處理這個檔案",
            &format!(
                "<p class=\"error\">{}</p><p><a href=\"/\">再試一次</a></p>",
                escape(text)
            ),
        )
    };
    let content = match file(&mut parts).await {
        Ok(content) => content,
        Err(why) => return refuse(why),
    };
    let order = match Order::read(&content) {
        Ok(order) => order,
        Err(why) => return refuse(&why),
    };
    match shared.book(&order) {
        Ok(report) => (
            [
                (header::CONTENT_TYPE, "application/xml; charset=utf-8".to_owned()),
                (
                    header::CONTENT_DISPOSITION,
                    format!("attachment; filename=\"pain002-{}.xml\"", plain(&order.message)),
                ),
            ],
            report,
        )
            .into_response(),
        Err(why) => refuse(&why),
    }
}

/// The one file of the form, as text.
async fn file(parts: &mut Multipart) -> Result<String, &'static str> {
    let mut content = None;
    while let Some(part) = parts
        .next_field()
        .await
        .map_err(|_| "檔案沒有完整送到。Not all of it arrived.")?
    {
        if part.name() != Some("file") {
            continue;
        }
        let bytes = part
            .bytes()
            .await
            .map_err(|_| "檔案沒有完整送到。Not all of it arrived.")?;
        if content.replace(bytes).is_some() {
            return Err("一次只能交付一個檔案。One file at a time.");
        }
    }
    let content = content.filter(|bytes| !bytes.is_empty()).ok_or("沒有檔案。No file.")?;
    String::from_utf8(content.to_vec()).map_err(|_| "檔案不是 UTF-8。The file is not UTF-8.")
}

/// Characters that are safe in the name of a file.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .collect()
}

impl Shared {
    /// Pays what can be paid, once, and gives the report.
    fn book(&self, order: &Order) -> Result<String, String> {
        let now = self.terms.clock.now();
        let mut kept = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.messages.contains(&order.message) {
            return Ok(report(order, &Answer::Refused("DU01"), now));
        }
        // a file that contradicts itself is not booked, so its number may come again with a better one
        if let Some(code) = order.refusal() {
            return Ok(report(order, &Answer::Refused(code), now));
        }
        // booked on a copy first: what could not be written was not booked
        let mut books = kept.clone();
        let each = order.parts.iter().map(|part| {
            let lines = part.lines.iter().map(|line| {
                let code = line.refusal();
                if code.is_none() {
                    let payment = books.paid.entry(line.end_to_end.clone()).or_default();
                    *payment = Payment {
                        account: line.account.clone(),
                        name: line.name.clone(),
                        amount: line.amount.clone(),
                        times: payment.times.saturating_add(1),
                    };
                }
                (line, code)
            });
            lines.collect()
        });
        let answer = Answer::Each(each.collect());
        books.messages.push(order.message.clone());
        let bytes = serde_json::to_vec(&books).map_err(|error| error.to_string())?;
        keep::write(&self.path, &bytes).map_err(|error| error.to_string())?;
        *kept = books;
        Ok(report(order, &answer, now))
    }
}
