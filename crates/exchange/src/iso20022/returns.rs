//! Reading what the bank got back after it had paid (退匯): PaymentReturn, `pacs.004.001.09`, or, from banks without that
//! message, a CSV file of the columns `payment,amount,reason,date`.

use crate::xml::{self, Element, Limits, XmlError};
use civic::Money;
use civic::ids::PaymentId;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// The namespace of the payment return.
pub const RETURN_NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pacs.004.001.09";
/// Most bytes of a file.
const LARGEST: usize = 64 << 20;
/// Most returns of a file.
const MOST: usize = 100_000;
const LIMITS: Limits = Limits {
    elements: 3_000_000,
    depth: 32,
    text: 4096,
};
/// Columns of the CSV file.
const COLUMNS: [&str; 4] = ["payment", "amount", "reason", "date"];

/// One payment whose money came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// The payment, by its `EndToEndId`.
    pub payment: PaymentId,
    /// Whole NT dollars that came back.
    pub amount: Money,
    /// Why, of ISO 20022 ExternalReturnReason1Code such as `AC04`.
    pub reason: String,
    /// The day the money came back.
    pub on: Date,
}

/// Why a file of returns is refused. Payments are named by id; nothing personal is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReturnError {
    /// Larger than accepted.
    #[error("the file is larger than {LARGEST} bytes or has more than {MOST} returns")]
    TooLarge,
    /// Not UTF-8.
    #[error("the file is not UTF-8")]
    Encoding,
    /// Not an acceptable XML document.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Another document.
    #[error("the document is neither a pacs.004.001.09 nor a CSV file of `payment,amount,reason,date`")]
    OtherFile,
    /// Nothing in it.
    #[error("the file has no returns")]
    Empty,
    /// A value that is missing or not one.
    #[error("return {line}: `{what}` is missing or can't be read")]
    Value {
        /// Which return, from 1.
        line: usize,
        /// Which value.
        what: &'static str,
    },
    /// A payment with two returns.
    #[error("the file names the payment {0} twice")]
    Twice(PaymentId),
}

/// Reads a file of returns.
///
/// # Errors
///
/// [`ReturnError`]; a file is taken as a whole or not at all.
pub fn read(bytes: &[u8]) -> Result<Vec<Return>, ReturnError> {
    if bytes.len() > LARGEST {
        return Err(ReturnError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ReturnError::Encoding)?;
    let text = text.trim_start_matches('\u{feff}');
    let found = if text.trim_start().starts_with('<') {
        message(text)?
    } else {
        table(text)?
    };
    if found.is_empty() {
        return Err(ReturnError::Empty);
    }
    let mut seen = BTreeSet::new();
    match found.iter().find(|one| !seen.insert(one.payment)) {
        Some(twice) => Err(ReturnError::Twice(twice.payment)),
        None => Ok(found),
    }
}

/// Whole dollars; a bank may write decimal places, which must be zero.
fn dollars(text: &str) -> Option<Money> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let plain = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || !part.bytes().all(|byte| byte == b'0') {
        return None;
    }
    whole.parse().ok().filter(|amount| *amount > 0).map(Money)
}

fn message(text: &str) -> Result<Vec<Return>, ReturnError> {
    let mut found = Vec::new();
    let mut wrong = None;
    let document = xml::parse_each(text, LIMITS, |within, element| {
        let path: Vec<&str> = within.iter().map(|one| one.name.as_str()).collect();
        if path != ["Document", "PmtRtr"] || element.name != "TxInf" {
            return Some(element);
        }
        if found.len() >= MOST {
            wrong.get_or_insert(ReturnError::TooLarge);
            return None;
        }
        match transaction(&element, found.len() + 1) {
            Ok(one) => found.push(one),
            Err(error) => {
                wrong.get_or_insert(error);
            }
        }
        None
    })?;
    if document.name != "Document" || document.namespace.as_deref() != Some(RETURN_NAMESPACE) {
        return Err(ReturnError::OtherFile);
    }
    match wrong {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

fn transaction(element: &Element, line: usize) -> Result<Return, ReturnError> {
    let value = |what| ReturnError::Value { line, what };
    let amount = element
        .child("RtrdIntrBkSttlmAmt")
        .filter(|amount| amount.value("Ccy") == Some("TWD"))
        .and_then(|amount| dollars(&amount.text));
    let reason = element.child("RtrRsnInf").and_then(|reason| {
        reason
            .text_at(&["Rsn", "Cd"])
            .or_else(|| reason.text_at(&["Rsn", "Prtry"]))
    });
    Ok(Return {
        payment: element
            .text_at(&["OrgnlEndToEndId"])
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| value("OrgnlEndToEndId"))?,
        amount: amount.ok_or_else(|| value("RtrdIntrBkSttlmAmt"))?,
        reason: code(reason.unwrap_or_default()).ok_or_else(|| value("RtrRsnInf"))?,
        on: element
            .text_at(&["IntrBkSttlmDt"])
            .and_then(|day| day.parse().ok())
            .ok_or_else(|| value("IntrBkSttlmDt"))?,
    })
}

/// A reason code: short, plain letters and digits.
fn code(text: &str) -> Option<String> {
    let plain = (1..=35).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| text.to_owned())
}

fn table(text: &str) -> Result<Vec<Return>, ReturnError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let is_ours = reader.headers().is_ok_and(|head| head.iter().eq(COLUMNS));
    if !is_ours {
        return Err(ReturnError::OtherFile);
    }
    let mut found = Vec::new();
    for (place, row) in reader.records().enumerate() {
        if place >= MOST {
            return Err(ReturnError::TooLarge);
        }
        let line = place + 1;
        let value = |what| ReturnError::Value { line, what };
        let row = row.map_err(|_| value("payment"))?;
        let [payment, amount, reason, date] = COLUMNS.map(|column| {
            let place = COLUMNS.iter().position(|one| *one == column).unwrap_or_default();
            row.get(place).unwrap_or_default()
        });
        found.push(Return {
            payment: payment.parse().map_err(|_| value("payment"))?,
            amount: dollars(amount).ok_or_else(|| value("amount"))?,
            reason: code(reason).ok_or_else(|| value("reason"))?,
            on: date.parse().map_err(|_| value("date"))?,
        });
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const ID: &str = "0193a1b2c3d4e5f60718293a4b5c6d7e";

    fn xml(transaction: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><Document xmlns=\"{RETURN_NAMESPACE}\"><PmtRtr><GrpHdr><MsgId>B1</MsgId></GrpHdr>{transaction}</PmtRtr></Document>"
        )
    }

    fn one() -> String {
        format!(
            "<TxInf><OrgnlEndToEndId>{ID}</OrgnlEndToEndId><RtrdIntrBkSttlmAmt Ccy=\"TWD\">8329.00</RtrdIntrBkSttlmAmt>\
             <IntrBkSttlmDt>2026-12-03</IntrBkSttlmDt><RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf></TxInf>"
        )
    }

    #[test]
    fn both_forms_say_the_same() {
        let message = read(xml(&one()).as_bytes()).unwrap();
        let table = read(format!("\u{feff}payment,amount,reason,date\r\n{ID}, 8329 ,AC04,2026-12-03\r\n").as_bytes());
        assert_eq!(message, table.unwrap());
        assert_eq!(message[0].amount, Money(8329));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let value = |line, what| Err(ReturnError::Value { line, what });
        for (file, result) in [
            (String::new(), Err(ReturnError::OtherFile)),
            ("a,b\n1,2\n".to_owned(), Err(ReturnError::OtherFile)),
            ("payment,amount,reason,date\n".to_owned(), Err(ReturnError::Empty)),
            (
                "payment,amount,reason,date\nx,1,AC04,2026-12-03\n".to_owned(),
                value(1, "payment"),
            ),
            (
                format!("payment,amount,reason,date\n{ID},-1,AC04,2026-12-03\n"),
                value(1, "amount"),
            ),
            (
                format!("payment,amount,reason,date\n{ID},1.50,AC04,2026-12-03\n"),
                value(1, "amount"),
            ),
            (
                format!("payment,amount,reason,date\n{ID},99999999999999999999,AC04,2026-12-03\n"),
                value(1, "amount"),
            ),
            (
                format!("payment,amount,reason,date\n{ID},1,<b>,2026-12-03\n"),
                value(1, "reason"),
            ),
            (
                format!("payment,amount,reason,date\n{ID},1,AC04,115/12/3\n"),
                value(1, "date"),
            ),
            (xml(""), Err(ReturnError::Empty)),
            (xml(&one().replace("TWD", "USD")), value(1, "RtrdIntrBkSttlmAmt")),
            (xml(&one().replace("8329.00", "")), value(1, "RtrdIntrBkSttlmAmt")),
            (
                xml(&one()).replace("pacs.004.001.09", "pacs.004.001.02"),
                Err(ReturnError::OtherFile),
            ),
            (
                xml(&format!("{}{}", one(), one())),
                Err(ReturnError::Twice(ID.parse().unwrap())),
            ),
        ] {
            assert_eq!(read(file.as_bytes()), result, "{file}");
        }
        assert_eq!(read(&[0xff, 0xfe]), Err(ReturnError::Encoding));
        let entity = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"x\">]><a>&b;</a>";
        assert_eq!(read(entity.as_bytes()), Err(ReturnError::Xml(XmlError::DocumentType)));
    }
}
