//! From what was typed to a value: one reading for each kind of field, on the server, whatever a browser checked before.

use std::collections::BTreeMap;

use civic::{Address, MobileNumber, NationalId, roc};
use jiff::civil::Date;
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use super::model::{Choice, FieldKind};
use super::words::Problem;

/// What was entered for one field: its own values, and those of its boxes (`year`, `bank`).
#[derive(Clone, Default)]
pub(crate) struct Entered {
    values: Vec<String>,
    parts: BTreeMap<String, String>,
}

impl Entered {
    /// One value in one box.
    pub fn one(text: &str) -> Self {
        Self {
            values: vec![text.to_owned()],
            parts: BTreeMap::new(),
        }
    }

    /// What was entered under a key and under its boxes.
    pub fn under(key: &str, raw: &BTreeMap<String, Vec<String>>) -> Self {
        let mut entered = Self::default();
        for (name, values) in raw.range(key.to_owned()..) {
            let Some(rest) = name.strip_prefix(key) else { break };
            if rest.is_empty() {
                entered.values = values.clone();
            } else if let (Some(part), Some(value)) = (rest.strip_prefix('.'), values.first()) {
                entered.parts.insert(part.to_owned(), value.clone());
            }
        }
        entered
    }

    /// The one value, NFC, without spaces around it.
    fn text(&self) -> String {
        clean(self.values.first().map_or("", String::as_str))
    }

    /// One box, with full-width digits and letters made half width.
    fn part(&self, name: &str) -> String {
        narrow(self.parts.get(name).map_or("", String::as_str))
    }

    /// Whether anything was typed at all.
    pub fn is_empty(&self) -> bool {
        self.values
            .iter()
            .chain(self.parts.values())
            .all(|text| text.trim().is_empty())
    }
}

fn clean(text: &str) -> String {
    text.nfc()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect::<String>()
        .trim()
        .to_owned()
}

fn narrow(text: &str) -> String {
    text.nfkc().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

/// Reads what was entered. None means nothing was entered.
pub(crate) fn read(kind: &FieldKind, entered: &Entered, today: Date) -> Result<Option<Value>, Problem> {
    if entered.is_empty() {
        return Ok(None);
    }
    let text = entered.text();
    let value = match kind {
        FieldKind::Text { max_length } => line(&text.replace(['\n', '\t'], " "), *max_length)?,
        FieldKind::TextArea { max_length } => line(&text.replace("\r\n", "\n"), *max_length)?,
        FieldKind::Integer { min, max } => integer(&text, *min, *max, false)?.into(),
        FieldKind::Money { min, max } => integer(&text, *min, *max, true)?.into(),
        FieldKind::Date { past } => date(&text, entered, *past, today)?,
        FieldKind::YesNo => match text.as_str() {
            "yes" | "true" => Value::Bool(true),
            "no" | "false" => Value::Bool(false),
            _ => return Err(Problem::NotAChoice),
        },
        FieldKind::Radios(choices) | FieldKind::Select(choices) => choice(&text, choices)?,
        FieldKind::Checkboxes(choices) => {
            let chosen: Vec<Value> = entered
                .values
                .iter()
                .map(|one| choice(&clean(one), choices))
                .collect::<Result<_, _>>()?;
            Value::Array(chosen)
        }
        FieldKind::NationalId => match NationalId::parse(&text) {
            Ok(id) => Value::String(id.reveal().to_owned()),
            Err(_) => return Err(Problem::NationalId),
        },
        FieldKind::Phone => phone(&text)?,
        FieldKind::Email => email(&text)?,
        FieldKind::Address => {
            line(&text, 200)?;
            match Address::parse(&text) {
                Ok(address) => Value::String(address.to_string()),
                Err(_) => return Err(Problem::Address),
            }
        }
        FieldKind::BankAccount => bank_account(entered)?,
        FieldKind::File { max_bytes, accept } => file(&text, entered, *max_bytes, accept)?,
    };
    Ok(Some(value))
}

fn line(text: &str, max_length: usize) -> Result<Value, Problem> {
    let length = text.chars().count();
    if length > max_length {
        Err(Problem::TooLong {
            length,
            max: max_length,
        })
    } else {
        Ok(Value::String(text.to_owned()))
    }
}

/// Digits as people type them: full width, with thousands separators, with 元.
fn integer(text: &str, min: i64, max: i64, money: bool) -> Result<i64, Problem> {
    let mut digits = narrow(text).replace(',', "");
    if money {
        for word in ["NT$", "新臺幣", "新台幣", "$", "元"] {
            digits = digits.replace(word, "");
        }
    }
    let number: i64 = digits.parse().map_err(|_| Problem::NotANumber { money })?;
    if number < min {
        Err(Problem::TooSmall { min, money })
    } else if number > max {
        Err(Problem::TooLarge { max, money })
    } else {
        Ok(number)
    }
}

fn date(text: &str, entered: &Entered, past: bool, today: Date) -> Result<Value, Problem> {
    let (year, month, day) = (entered.part("year"), entered.part("month"), entered.part("day"));
    let typed = if [&year, &month, &day].iter().all(|part| part.is_empty()) {
        text.to_owned()
    } else {
        for (part, name) in [(&year, "year"), (&month, "month"), (&day, "day")] {
            if part.is_empty() {
                return Err(Problem::DatePartMissing { part: name });
            }
        }
        let year = year.trim_start_matches("民國").to_owned();
        format!("{year}-{month:0>2}-{day:0>2}")
    };
    let date = roc::parse(&typed).ok_or(Problem::NotADate)?;
    if past && date > today {
        return Err(Problem::DateInFuture);
    }
    Ok(Value::String(date.to_string()))
}

fn choice(text: &str, choices: &[Choice]) -> Result<Value, Problem> {
    if choices.iter().any(|choice| choice.value == text) {
        Ok(Value::String(text.to_owned()))
    } else {
        Err(Problem::NotAChoice)
    }
}

/// A mobile number by its own rule; a land line as `0` and 8 or 9 digits more.
fn phone(text: &str) -> Result<Value, Problem> {
    let digits: String = narrow(text)
        .chars()
        .filter(|c| !matches!(c, '-' | '(' | ')' | '#'))
        .collect();
    if let Ok(mobile) = MobileNumber::parse(&digits) {
        return Ok(Value::String(mobile.reveal().to_owned()));
    }
    let digits = match digits.strip_prefix("+886") {
        Some(rest) => format!("0{rest}"),
        None => digits,
    };
    let land_line = digits.starts_with('0') && !digits.starts_with("09") && digits.chars().all(|c| c.is_ascii_digit());
    if land_line && (9..=10).contains(&digits.len()) {
        Ok(Value::String(digits))
    } else {
        Err(Problem::Phone)
    }
}

fn email(text: &str) -> Result<Value, Problem> {
    let address = narrow(text);
    let sound = address.len() <= 254
        && address.is_ascii()
        && address.split_once('@').is_some_and(|(name, host)| {
            let labels: Vec<&str> = host.split('.').collect();
            !name.is_empty()
                && !name.contains(['@', '<', '>', ',', ';', '"'])
                && labels.len() >= 2
                && labels
                    .iter()
                    .all(|label| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        });
    if sound {
        Ok(Value::String(address))
    } else {
        Err(Problem::Email)
    }
}

/// Bank or post office code of 3 or 7 digits and an account of 10 to 16 digits.
fn bank_account(entered: &Entered) -> Result<Value, Problem> {
    let plain = |name: &str| -> String { entered.part(name).chars().filter(|c| *c != '-').collect() };
    let (bank, account) = (plain("bank"), plain("account"));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if !matches!(bank.len(), 3 | 7) || !digits(&bank) {
        return Err(Problem::BankCode);
    }
    if !(10..=16).contains(&account.len()) || !digits(&account) {
        return Err(Problem::BankNumber);
    }
    Ok(json!({ "bank": bank, "account": account }))
}

/// The server puts the stored file's id, name, type and size here after the upload.
fn file(id: &str, entered: &Entered, max_bytes: u64, accept: &[String]) -> Result<Value, Problem> {
    let name = entered.parts.get("name").map_or("", String::as_str);
    let media_type = entered.parts.get("type").map_or("", String::as_str);
    let bytes: u64 = entered.part("bytes").parse().unwrap_or(0);
    if id.parse::<civic::ids::FileId>().is_err() || bytes == 0 {
        return Err(Problem::FileMissing);
    }
    if bytes > max_bytes {
        return Err(Problem::FileTooLarge { max_bytes });
    }
    if !accept.iter().any(|one| one == media_type) {
        return Err(Problem::FileType {
            accept: accept.join(", "),
        });
    }
    Ok(json!({ "id": id, "name": clean(name), "type": media_type, "bytes": bytes }))
}

#[cfg(test)]
#[path = "kinds_tests.rs"]
mod tests;
