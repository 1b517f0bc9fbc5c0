//! The ROC calendar (民國紀年): year 1 is 1912.

use crate::{fold_width, numerals};
use jiff::civil::{Date, Weekday};

/// Years between the two countings.
const OFFSET: i16 = 1911;

/// The ROC year of a date: 114 for 2025. Zero and below are years before the Republic (民國前).
#[must_use]
pub fn year(date: Date) -> i16 {
    date.year() - OFFSET
}

/// A date people can read: `民國114年11月24日 (一)`.
#[must_use]
pub fn long(date: Date) -> String {
    format!("{} ({})", plain(date), weekday(date))
}

/// A date as letters write it: `民國114年11月24日`; `民國前1年…` before 1912.
#[must_use]
pub fn plain(date: Date) -> String {
    let year = year(date);
    let (era, year) = if year > 0 {
        ("民國", year)
    } else {
        ("民國前", 1 - year)
    };
    format!("{era}{year}年{}月{}日", date.month(), date.day())
}

/// A date in little room: `114/11/24`.
#[must_use]
pub fn short(date: Date) -> String {
    format!("{}/{:02}/{:02}", year(date), date.month(), date.day())
}

/// The character of the day of the week.
#[must_use]
pub fn weekday(date: Date) -> char {
    match date.weekday() {
        Weekday::Monday => '一',
        Weekday::Tuesday => '二',
        Weekday::Wednesday => '三',
        Weekday::Thursday => '四',
        Weekday::Friday => '五',
        Weekday::Saturday => '六',
        Weekday::Sunday => '日',
    }
}

/// A date from an ROC year, a month and a day, if there is such a day.
#[must_use]
pub fn date(year: i16, month: i8, day: i8) -> Option<Date> {
    Date::new(year.checked_add(OFFSET)?, month, day).ok()
}

/// Reads a date as people and registers write it: `114-11-24`, `1141124`, `0391124`, `114/11/24`, `114.11.24`,
/// `民國114年11月24日`, `一一四年十一月二十四日`, `民國前5年1月2日`, ISO `2025-11-24` and `20251124`. A trailing weekday in
/// brackets is ignored. `None` for anything else and for days that don't exist.
#[must_use]
pub fn parse(text: &str) -> Option<Date> {
    let folded = fold_width(text);
    let mut text = folded.as_str();
    if let Some(at) = text.find('(') {
        text = text[..at].trim_end();
    }
    let (before, text) = match text.strip_prefix("民國前") {
        Some(rest) => (true, rest),
        None => (
            false,
            text.strip_prefix("民國")
                .or_else(|| text.strip_prefix("中華民國"))
                .unwrap_or(text),
        ),
    };
    let text = text.trim();
    if text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.len() {
            6 | 7 => from_parts(
                before,
                &text[..text.len() - 4],
                &text[text.len() - 4..text.len() - 2],
                &text[text.len() - 2..],
            ),
            8 if !before => from_parts(false, &text[..4], &text[4..6], &text[6..]),
            _ => None,
        };
    }
    let parts: Vec<&str> = text
        .split(['-', '/', '.', '年', '月', '日'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    match parts.as_slice() {
        [year, month, day] => from_parts(before, year, month, day),
        _ => None,
    }
}

fn from_parts(before: bool, year: &str, month: &str, day: &str) -> Option<Date> {
    let number = |text: &str| numerals::parse(text).and_then(|number| i16::try_from(number).ok());
    let (year, month, day) = (
        number(year)?,
        i8::try_from(number(month)?).ok()?,
        i8::try_from(number(day)?).ok()?,
    );
    if before {
        // the year before 民國1年 is 民國前1年: there is no year 0
        return (year >= 1).then(|| date(1 - year, month, day)).flatten();
    }
    if year >= 1000 {
        Date::new(year, month, day).ok()
    } else {
        date(year, month, day)
    }
}

/// Full years of age (足歲) on a legal day. A year of life is full at the end of the day before the birthday
/// (Civil Code §121 II, §124), so the age counts from the birthday on; whoever was born on 29 February is a year
/// older on 1 March of a common year.
#[must_use]
pub fn age_on(birth: Date, on: Date) -> i16 {
    let reached = (on.month(), on.day()) >= (birth.month(), birth.day());
    on.year() - birth.year() - i16::from(!reached)
}
