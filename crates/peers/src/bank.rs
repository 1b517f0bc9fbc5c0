//! A bank: takes payment orders (ISO 20022 pain.001.001.09), answers with a status report (pain.002.001.10), keeps its books.

use crate::PeerError;
use crate::html::{escape, page};
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
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
    books: Mutex<Books>,
}

pub fn router(folder: &Path) -> Result<Router, PeerError> {
    let path = folder.join("bank.json");
    let books = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| PeerError::Folder {
            path: path.clone(),
            why: error.to_string(),
        })?,
        Err(_) => Books::default(),
    };
    let shared = Arc::new(Shared {
        path,
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
         <p>帳號末兩碼是 99 的帳戶已結清（AC04），98 的帳號錯誤（AC01）；其他都付款。同一個檔案不會付第二次。</p>\
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
    let mut content = None;
    while let Ok(Some(part)) = parts.next_field().await {
        if part.name() == Some("file") {
            content = part.text().await.ok();
        }
    }
    let Some(content) = content.filter(|text| !text.is_empty()) else {
        return refuse("沒有檔案。No file.");
    };
    let order = match read(&content) {
        Ok(order) => order,
        Err(why) => return refuse(&why),
    };
    let report = shared.book(&order);
    match report {
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

fn plain(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .collect()
}

#[derive(Default)]
struct Order {
    message: String,
    control_sum: String,
    count: String,
    payment: String,
    lines: Vec<Line>,
}

#[derive(Default)]
struct Line {
    end_to_end: String,
    instruction: String,
    amount: String,
    account: String,
    name: String,
}

/// Reads what the bank needs by the path of each element.
fn read(content: &str) -> Result<Order, String> {
    let mut reader = Reader::from_str(content);
    let mut path: Vec<String> = Vec::new();
    let mut order = Order::default();
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(|error| format!("檔案不是 XML：{error}"))? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                if path.is_empty() && name != "Document" {
                    return Err("檔案不是付款檔（pain.001）。".to_owned());
                }
                if name == "CdtTrfTxInf" {
                    order.lines.push(Line::default());
                }
                path.push(name);
                text.clear();
                if path.len() > 30 {
                    return Err("檔案的層級太多。".to_owned());
                }
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(name) => text.push_str(match &*name {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "apos" => "'",
                "quot" => "\"",
                _ => return Err("檔案有銀行不認識的符號。".to_owned()),
            }),
            Event::End(_) => {
                let value = text.trim().to_owned();
                let below = |tail: &[&str]| {
                    path.len() >= tail.len() && path.iter().rev().zip(tail.iter().rev()).all(|(a, b)| a == b)
                };
                if below(&["GrpHdr", "MsgId"]) {
                    order.message = value;
                } else if below(&["GrpHdr", "CtrlSum"]) {
                    order.control_sum = value;
                } else if below(&["GrpHdr", "NbOfTxs"]) {
                    order.count = value;
                } else if below(&["PmtInf", "PmtInfId"]) {
                    order.payment = value;
                } else if let Some(line) = order.lines.last_mut() {
                    if below(&["PmtId", "EndToEndId"]) {
                        line.end_to_end = value;
                    } else if below(&["PmtId", "InstrId"]) {
                        line.instruction = value;
                    } else if below(&["Amt", "InstdAmt"]) {
                        line.amount = value;
                    } else if below(&["CdtrAcct", "Id", "Othr", "Id"]) {
                        line.account = value;
                    } else if below(&["Cdtr", "Nm"]) {
                        line.name = value;
                    }
                }
                path.pop();
                text.clear();
            }
            Event::DocType(_) => return Err("檔案有 DTD，銀行不接受。".to_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    if order.message.is_empty() || order.lines.is_empty() {
        return Err("檔案裡沒有付款。".to_owned());
    }
    if order.count != order.lines.len().to_string() {
        return Err("筆數和檔頭不同。".to_owned());
    }
    let mut sum = 0;
    for line in &order.lines {
        sum += dollars(&line.amount).ok_or("有一筆金額不是整數的新臺幣。")?;
    }
    if dollars(&order.control_sum) != Some(sum) {
        return Err("總金額和檔頭不同。".to_owned());
    }
    Ok(order)
}

/// An amount above nothing in whole NT dollars, as `8329` or `8329.00`; at most a trillion.
fn dollars(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let plain =
        !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) && part.bytes().all(|byte| byte == b'0');
    whole
        .parse()
        .ok()
        .filter(|amount| plain && (1..=1_000_000_000_000).contains(amount))
}

impl Shared {
    fn book(&self, order: &Order) -> Result<String, String> {
        let mut kept = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        // booked on a copy first: what could not be written was not booked
        let mut books = kept.clone();
        let duplicate = books.messages.contains(&order.message);
        let mut lines = String::new();
        let (mut good, mut bad) = (0, 0);
        for line in order.lines.iter().filter(|_| !duplicate) {
            let code = match line.account.get(line.account.len().saturating_sub(2)..) {
                Some("99") => Some("AC04"),
                Some("98") => Some("AC01"),
                _ => None,
            };
            let status = match code {
                None => {
                    good += 1;
                    let payment = books.paid.entry(line.end_to_end.clone()).or_default();
                    *payment = Payment {
                        account: line.account.clone(),
                        name: line.name.clone(),
                        amount: line.amount.clone(),
                        times: payment.times + 1,
                    };
                    "ACSC"
                }
                Some(_) => {
                    bad += 1;
                    "RJCT"
                }
            };
            let reason = code.map_or_else(String::new, |code| {
                format!("<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>")
            });
            let instruction = if line.instruction.is_empty() {
                String::new()
            } else {
                format!("<OrgnlInstrId>{}</OrgnlInstrId>", escape(&line.instruction))
            };
            let _ = write!(
                lines,
                "<TxInfAndSts>{instruction}<OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}</TxInfAndSts>",
                escape(&line.end_to_end)
            );
        }
        if !duplicate {
            books.messages.push(order.message.clone());
            let bytes = serde_json::to_vec(&books).map_err(|error| error.to_string())?;
            crate::keep(&self.path, &bytes).map_err(|error| error.to_string())?;
            *kept = books;
        }
        let group = match (duplicate, good, bad) {
            (true, ..) => "RJCT",
            (_, 0, _) => "RJCT",
            (_, _, 0) => "ACSC",
            _ => "PART",
        };
        let why = if duplicate {
            "<StsRsnInf><Rsn><Cd>DUPL</Cd></Rsn></StsRsnInf>"
        } else {
            ""
        };
        let now = jiff::Timestamp::now();
        let payments = if duplicate {
            String::new()
        } else {
            format!(
                "<OrgnlPmtInfAndSts><OrgnlPmtInfId>{}</OrgnlPmtInfId><PmtInfSts>{group}</PmtInfSts>{lines}</OrgnlPmtInfAndSts>",
                escape(&order.payment)
            )
        };
        Ok(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
             <GrpHdr><MsgId>BANK-{stamp}</MsgId><CreDtTm>{time}</CreDtTm></GrpHdr>\
             <OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>{group}</GrpSts>{why}</OrgnlGrpInfAndSts>\
             {payments}</CstmrPmtStsRpt></Document>\n",
            stamp = now.as_millisecond(),
            time = now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            message = escape(&order.message),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_dollars_above_nothing() {
        for (text, amount) in [
            ("8329", Some(8329)),
            ("8329.00", Some(8329)),
            ("1.50", None),
            ("-5", None),
            ("+5", None),
            ("0", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(dollars(text), amount, "{text}");
        }
    }

    #[test]
    fn an_order_is_paid_once() {
        let path = std::env::temp_dir().join(format!("tongban-bank-{}.json", std::process::id()));
        let bank = Shared {
            path: path.clone(),
            books: Mutex::default(),
        };
        let line = |id: &str, account: &str| Line {
            end_to_end: id.to_owned(),
            amount: "8329".to_owned(),
            account: account.to_owned(),
            ..Line::default()
        };
        let order = Order {
            message: "M1".to_owned(),
            lines: vec![line("a", "0123"), line("b", "0199")],
            ..Order::default()
        };
        let first = bank.book(&order).unwrap_or_default();
        assert!(
            first.contains("<GrpSts>PART</GrpSts>") && first.contains("AC04"),
            "{first}"
        );
        let again = bank.book(&order).unwrap_or_default();
        assert!(again.contains("DUPL"), "{again}");
        let books: Books = std::fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        assert_eq!(
            books
                .paid
                .iter()
                .map(|(id, payment)| (id.as_str(), payment.times))
                .collect::<Vec<_>>(),
            [("a", 1)]
        );
        let _ = std::fs::remove_file(path);
    }
}
