//! Reading a payment order (ISO 20022 `pain.001.001.09`): what the bank needs of it, by the path of each element.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use std::collections::HashSet;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
/// Deepest nesting; the message definition needs less.
const DEEPEST: usize = 30;
/// Most characters of an id (`Max35Text`).
const LONGEST_ID: usize = 35;

/// A payment order.
#[derive(Default)]
pub struct Order {
    pub message: String,
    pub totals: Totals,
    pub parts: Vec<Part>,
}

/// What a head says of the payments below it.
#[derive(Default)]
pub struct Totals {
    pub count: Option<String>,
    pub sum: Option<String>,
}

/// Payments from one account on one day (`PmtInf`).
#[derive(Default)]
pub struct Part {
    pub id: String,
    pub totals: Totals,
    pub lines: Vec<Line>,
}

/// One payment (`CdtTrfTxInf`).
#[derive(Default)]
pub struct Line {
    pub end_to_end: String,
    pub instruction: String,
    pub amount: String,
    pub currency: String,
    pub account: String,
    pub name: String,
}

impl Order {
    /// Reads an order. What can't be answered with a report, because it is no order or has no id, is an error.
    pub fn read(content: &str) -> Result<Order, String> {
        let mut reader = NsReader::from_str(content);
        reader.config_mut().expand_empty_elements = true;
        let mut path: Vec<String> = Vec::new();
        let mut order = Order::default();
        let mut text = String::new();
        let mut is_over = false;
        loop {
            let (bound, event) = reader
                .read_resolved_event()
                .map_err(|error| format!("檔案不是 XML：{error}"))?;
            match event {
                Event::Start(start) => {
                    let is_ours = matches!(bound, ResolveResult::Bound(Namespace(NAMESPACE)));
                    let name = start.local_name().as_ref().to_owned();
                    if path.is_empty() && (is_over || !is_ours || name != "Document") {
                        return Err("檔案不是付款檔（pain.001.001.09）。".to_owned());
                    }
                    // an element of another namespace has none of our names
                    path.push(if is_ours { name } else { String::new() });
                    if path.len() > DEEPEST {
                        return Err("檔案的層級太多。".to_owned());
                    }
                    order.open(&path, &start);
                    text.clear();
                }
                Event::Text(part) => text.push_str(&part),
                Event::CData(part) => text.push_str(&part),
                Event::GeneralRef(name) => text.push(match &*name {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "apos" => '\'',
                    "quot" => '"',
                    _ => name
                        .resolve_char_ref()
                        .ok()
                        .flatten()
                        .ok_or("檔案有銀行不認識的符號。")?,
                }),
                Event::End(_) => {
                    order.close(&path, text.trim());
                    path.pop();
                    text.clear();
                    is_over = path.is_empty();
                }
                Event::DocType(_) => return Err("檔案有 DTD，銀行不接受。".to_owned()),
                Event::Eof => break,
                _ => {}
            }
        }
        if !path.is_empty() {
            return Err("檔案不完整。".to_owned());
        }
        order.check()?;
        Ok(order)
    }

    fn open(&mut self, path: &[String], start: &BytesStart) {
        if is_at(path, &["PmtInf"]) {
            self.parts.push(Part::default());
        } else if is_at(path, &["PmtInf", "CdtTrfTxInf"]) {
            if let Some(part) = self.parts.last_mut() {
                part.lines.push(Line::default());
            }
        } else if is_at(path, &["PmtInf", "CdtTrfTxInf", "Amt", "InstdAmt"])
            && let Some(line) = self.line()
        {
            let currency = start.attributes().flatten().find(|found| found.key.as_ref() == "Ccy");
            line.currency = currency.map(|found| found.value.into_owned()).unwrap_or_default();
        }
    }

    fn close(&mut self, path: &[String], text: &str) {
        let Some(below) = below(path) else { return };
        let below: Vec<&str> = below.iter().map(String::as_str).collect();
        let text = text.to_owned();
        match below.as_slice() {
            ["GrpHdr", "MsgId"] => self.message = text,
            ["GrpHdr", "NbOfTxs"] => self.totals.count = Some(text),
            ["GrpHdr", "CtrlSum"] => self.totals.sum = Some(text),
            ["PmtInf", "CdtTrfTxInf", rest @ ..] => {
                let Some(line) = self.line() else { return };
                match rest {
                    ["PmtId", "EndToEndId"] => line.end_to_end = text,
                    ["PmtId", "InstrId"] => line.instruction = text,
                    ["Amt", "InstdAmt"] => line.amount = text,
                    ["CdtrAcct", "Id", "Othr", "Id"] => line.account = text,
                    ["Cdtr", "Nm"] => line.name = text,
                    _ => {}
                }
            }
            ["PmtInf", rest] => {
                let Some(part) = self.parts.last_mut() else { return };
                match *rest {
                    "PmtInfId" => part.id = text,
                    "NbOfTxs" => part.totals.count = Some(text),
                    "CtrlSum" => part.totals.sum = Some(text),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn line(&mut self) -> Option<&mut Line> {
        self.parts.last_mut()?.lines.last_mut()
    }

    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.parts.iter().flat_map(|part| &part.lines)
    }

    /// Without these there is nothing a report could name.
    fn check(&self) -> Result<(), String> {
        if self.lines().next().is_none() {
            return Err("檔案裡沒有付款。".to_owned());
        }
        if !is_id(&self.message) {
            return Err("檔案沒有可以用的編號（MsgId）。".to_owned());
        }
        if !self.parts.iter().all(|part| is_id(&part.id)) || !self.lines().all(|line| is_id(&line.end_to_end)) {
            return Err("有一筆沒有可以用的編號（PmtInfId、EndToEndId）。".to_owned());
        }
        let mut seen = HashSet::new();
        if !self.lines().all(|line| seen.insert(&line.end_to_end)) {
            return Err("有兩筆的編號（EndToEndId）相同。".to_owned());
        }
        Ok(())
    }

    /// Why the order as a whole is refused, by ISO 20022 ExternalStatusReason1Code: `AM18` for a number of payments, `AM10`
    /// for a control sum other than the head says.
    pub fn refusal(&self) -> Option<&'static str> {
        let parts = self.parts.iter().map(|part| (&part.totals, part.lines.as_slice()));
        for (totals, lines) in parts.clone() {
            // both may be left out of a part, not of the head
            if totals
                .count
                .as_ref()
                .is_some_and(|said| *said != lines.len().to_string())
            {
                return Some("AM18");
            }
            if totals.sum.is_some() && totals.amount() != sum(lines.iter()) {
                return Some("AM10");
            }
        }
        if self.totals.count.as_deref() != Some(self.lines().count().to_string().as_str()) {
            return Some("AM18");
        }
        let added = sum(self.lines());
        (added.is_none() || self.totals.amount() != added).then_some("AM10")
    }
}

impl Totals {
    fn amount(&self) -> Option<i128> {
        self.sum.as_deref().and_then(units)
    }
}

impl Line {
    /// Why this payment is refused, by ISO 20022 ExternalStatusReason1Code: zero, not allowed, of another currency, invalid.
    pub fn refusal(&self) -> Option<&'static str> {
        if self.currency != "TWD" {
            return Some("AM03");
        }
        match units(&self.amount) {
            Some(0) => return Some("AM01"),
            Some(amount) if amount > MOST => return Some("AM02"),
            Some(amount) if amount > 0 && amount % UNITS == 0 => {}
            _ => return Some("AM12"),
        }
        match self.account.as_bytes() {
            [.., b'9', b'9'] => Some("AC04"),
            [.., b'9', b'8'] | [] => Some("AC01"),
            _ => None,
        }
    }
}

/// Units of an amount in a dollar: the type has five decimal places.
const UNITS: i128 = 100_000;
/// Most of one payment: a trillion dollars.
const MOST: i128 = 1_000_000_000_000 * UNITS;

/// An amount of at most 18 digits, 5 of them decimal places, with its sign if it has one (`ActiveOrHistoricCurrencyAndAmount`
/// and, for sums, `DecimalNumber`).
fn units(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => (-1, text.get(1..)?),
        [b'+', ..] => (1, text.get(1..)?),
        _ => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{part:0<5}");
    let is_plain = all.bytes().all(|byte| byte.is_ascii_digit()) && part.len() <= 5 && all.len() <= 18 + 5;
    let is_some = !whole.is_empty() || !part.is_empty();
    (is_plain && is_some)
        .then(|| all.parse::<i128>().ok())
        .flatten()
        .map(|amount| sign * amount)
}

/// The sum of the amounts; `None` where one is no amount at all.
fn sum<'a>(mut lines: impl Iterator<Item = &'a Line>) -> Option<i128> {
    lines.try_fold(0_i128, |sum, line| sum.checked_add(units(&line.amount)?))
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST_ID && !text.chars().any(char::is_control)
}

/// The path below the message's root; `None` outside of it.
fn below(path: &[String]) -> Option<&[String]> {
    match path {
        [document, message, below @ ..] if document == "Document" && message == "CstmrCdtTrfInitn" => Some(below),
        _ => None,
    }
}

/// Whether the path is this one below the message's root.
fn is_at(path: &[String], wanted: &[&str]) -> bool {
    below(path).is_some_and(|below| below == wanted)
}

#[cfg(test)]
mod tests {
    use super::units;

    /// The lexical forms of `xs:decimal` with five decimal places; 1 is a hundred thousand units.
    #[test]
    fn amounts_are_decimals() {
        for (text, amount) in [
            ("8329", Some(832_900_000)),
            ("8329.00", Some(832_900_000)),
            ("+1", Some(100_000)),
            ("-5", Some(-500_000)),
            ("0", Some(0)),
            ("-0.00", Some(0)),
            ("1.50", Some(150_000)),
            (".5", Some(50_000)),
            ("0.00001", Some(1)),
            ("0.000001", None),
            ("999999999999999999", Some(99_999_999_999_999_999_900_000)),
            ("9999999999999999999", None),
            ("", None),
            ("-", None),
            (".", None),
            ("1e3", None),
            ("1,000", None),
            ("１", None),
            ("1.-5", None),
        ] {
            assert_eq!(units(text), amount, "{text}");
        }
    }
}
