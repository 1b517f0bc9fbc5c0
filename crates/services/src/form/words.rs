//! What is said at a field that could not be read: what is wrong and how to put it right.

use civic::{Language, Money, roc};
use jiff::civil::Date;
use serde_json::Value;

use super::model::{Field, FieldKind};

/// Why an entry was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    Missing,
    TooLong { length: usize, max: usize },
    NotANumber { money: bool },
    TooSmall { min: i64, money: bool },
    TooLarge { max: i64, money: bool },
    NotADate,
    DatePartMissing { part: &'static str },
    DateInFuture,
    NotAChoice,
    Repeated,
    NationalId,
    Phone,
    Email,
    Address,
    BankCode,
    BankNumber,
    FileMissing,
    FileTooLarge { max_bytes: u64 },
    FileType { accept: String },
}

impl Problem {
    /// The sentence at the field. Languages without their own wording read the English one.
    pub fn message(&self, field: &Field, language: Language) -> String {
        let label = field.label.get(language);
        if language == Language::ZhTw {
            self.chinese(field, label)
        } else {
            self.english(field, label)
        }
    }

    fn chinese(&self, field: &Field, label: &str) -> String {
        match self {
            Self::Missing if chooses(&field.kind) => format!("請選擇「{label}」。"),
            Self::Missing if matches!(field.kind, FieldKind::File { .. }) => format!("請上傳「{label}」。"),
            Self::Missing => format!("請填寫「{label}」。"),
            Self::TooLong { length, max } => format!("「{label}」有 {length} 個字，請縮短到 {max} 個字以內。"),
            Self::NotANumber { money: true } => format!("「{label}」請只填數字，例如 8329。"),
            Self::NotANumber { money: false } => format!("「{label}」請填整數，例如 12。"),
            Self::TooSmall { min, money } => format!("「{label}」不能小於 {}。", amount(*min, *money)),
            Self::TooLarge { max, money } => format!("「{label}」不能大於 {}，請再看一次。", amount(*max, *money)),
            Self::NotADate => format!("「{label}」沒有這一天。請照民國年、月、日填寫，例如 38 年 5 月 12 日。"),
            Self::DatePartMissing { part } => {
                let part = match *part {
                    "year" => "年",
                    "month" => "月",
                    _ => "日",
                };
                format!("「{label}」少填了「{part}」。")
            }
            Self::DateInFuture => format!("「{label}」不能晚於今天。"),
            Self::NotAChoice => format!("「{label}」請從列出的項目中選擇。"),
            Self::Repeated => format!("「{label}」和前面的志願相同，請改選其他的，或不要選。"),
            Self::NationalId => format!("「{label}」不正確。請看身分證或居留證，填 1 個英文字母和 9 個數字。"),
            Self::Phone => format!("「{label}」請填手機（09 開頭共 10 碼）或市話（含區碼）。"),
            Self::Email => format!("「{label}」請填完整的電子郵件，例如 name@example.org。"),
            Self::Address => format!("「{label}」請填完整地址，從縣市開始，到門牌號碼為止。"),
            Self::BankCode => "銀行或郵局代號請填 3 碼或 7 碼數字，郵局是 700。".to_owned(),
            Self::BankNumber => "帳號請填 10 到 16 碼數字，請看存摺封面。".to_owned(),
            Self::FileMissing => format!("「{label}」沒有收到檔案，請再上傳一次。"),
            Self::FileTooLarge { max_bytes } => format!("「{label}」的檔案太大，請小於 {} MB。", max_bytes >> 20),
            Self::FileType { accept } => format!("「{label}」不收這種檔案，請改用：{accept}。"),
        }
    }

    fn english(&self, field: &Field, label: &str) -> String {
        match self {
            Self::Missing if chooses(&field.kind) => format!("Choose an answer for “{label}”."),
            Self::Missing if matches!(field.kind, FieldKind::File { .. }) => format!("Upload “{label}”."),
            Self::Missing => format!("Enter “{label}”."),
            Self::TooLong { length, max } => {
                format!("“{label}” has {length} characters; shorten it to {max} or fewer.")
            }
            Self::NotANumber { money: true } => format!("Enter “{label}” in figures only, for example 8329."),
            Self::NotANumber { money: false } => format!("Enter “{label}” as a whole number, for example 12."),
            Self::TooSmall { min, money } => format!("“{label}” must be {} or more.", plain(*min, *money)),
            Self::TooLarge { max, money } => {
                format!("“{label}” must be {} or less; please look again.", plain(*max, *money))
            }
            Self::NotADate => {
                format!("“{label}” is not a day that exists. Enter year, month and day, for example 38, 5, 12.")
            }
            Self::DatePartMissing { part } => format!("“{label}” has no {part}."),
            Self::DateInFuture => format!("“{label}” must not be after today."),
            Self::NotAChoice => format!("Choose one of the answers listed for “{label}”."),
            Self::Repeated => {
                format!("“{label}” is the same as a choice before it; choose another one, or none.")
            }
            Self::NationalId => {
                format!("“{label}” is not right. Enter the one or two letters and the digits as on the card.")
            }
            Self::Phone => {
                format!("Enter “{label}” as a mobile number (10 digits from 09) or a land line with its area code.")
            }
            Self::Email => format!("Enter “{label}” in full, for example name@example.org."),
            Self::Address => format!("Enter “{label}” in full, from the city to the house number."),
            Self::BankCode => "Enter the bank or post office code of 3 or 7 digits; the post office is 700.".to_owned(),
            Self::BankNumber => {
                "Enter the account number of 10 to 16 digits; see the cover of the passbook.".to_owned()
            }
            Self::FileMissing => format!("No file arrived for “{label}”; please upload it again."),
            Self::FileTooLarge { max_bytes } => format!(
                "The file for “{label}” is too large; the most is {} MB.",
                max_bytes >> 20
            ),
            Self::FileType { accept } => format!("“{label}” can't take this kind of file; use {accept}."),
        }
    }
}

fn chooses(kind: &FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Radios(_) | FieldKind::Select(_) | FieldKind::Checkboxes(_) | FieldKind::YesNo
    )
}

fn amount(number: i64, money: bool) -> String {
    if money {
        Money(number).to_string()
    } else {
        number.to_string()
    }
}

fn plain(number: i64, money: bool) -> String {
    if money {
        format!("NT${}", grouped(number))
    } else {
        number.to_string()
    }
}

/// `8329` as `8,329`.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if number < 0 { format!("-{out}") } else { out }
}

/// A value as people read it.
pub(crate) fn shown(kind: &FieldKind, value: &Value, language: Language) -> String {
    let chinese = language == Language::ZhTw;
    match (kind, value) {
        (_, Value::Bool(yes)) => match (yes, chinese) {
            (true, true) => "是".to_owned(),
            (false, true) => "否".to_owned(),
            (true, false) => "Yes".to_owned(),
            (false, false) => "No".to_owned(),
        },
        (FieldKind::Money { .. }, Value::Number(number)) => match number.as_i64() {
            Some(number) if chinese => Money(number).to_string(),
            Some(number) => plain(number, true),
            None => number.to_string(),
        },
        (FieldKind::Date { .. }, Value::String(text)) => match text.parse::<Date>() {
            Ok(date) if chinese => roc::long(date),
            _ => text.clone(),
        },
        (FieldKind::BankAccount, Value::Object(account)) => {
            let part = |name: &str| account.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
            format!("{} {}", part("bank"), part("account"))
        }
        (FieldKind::File { .. }, Value::Object(file)) => {
            file.get("name").and_then(Value::as_str).unwrap_or("").to_owned()
        }
        (_, Value::Array(values)) => {
            let each: Vec<String> = values.iter().map(|value| shown(kind, value, language)).collect();
            each.join(if chinese { "、" } else { ", " })
        }
        (kind, Value::String(text)) => {
            let chosen = kind.choices().iter().find(|choice| choice.value == *text);
            chosen.map_or_else(|| text.clone(), |choice| choice.label.get(language).to_owned())
        }
        (_, Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
