//! Values as they are compared: one spelling for what only looks different.

mod chinese;
mod romanised;
mod transform;

pub use chinese::fold_variants;
pub use romanised::pinyin_key;
pub(crate) use transform::transformed;

use crate::model::{Column, Kind};
use civic::{Address, roc};
use jiff::civil::Date;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A value of this column in the spelling it is compared in; empty where nothing is left of it.
#[must_use]
pub fn normalised<'a>(text: &'a str, column: &Column) -> Cow<'a, str> {
    match column.kind {
        Kind::Text => plain(text),
        Kind::Name => Cow::Owned(name(text)),
        Kind::Romanised => romanised(text),
        Kind::Date => {
            date(text, column.format.as_deref()).map_or_else(|| plain(text), |date| Cow::Owned(date.to_string()))
        }
        Kind::Id => Cow::Owned(id(text)),
        Kind::Address => address(text),
    }
}

fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes
        .iter()
        .all(|byte| matches!(byte, b'!'..=b'@' | b'['..=b'~' | b' '))
        && !bytes.windows(2).any(|pair| pair == b"  ")
        && bytes.first() != Some(&b' ')
        && bytes.last() != Some(&b' ')
}

/// Lower case, compatibility forms folded (NFKC), one space between words.
fn plain(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    // twice, for a small letter may have a shorter form that its capital has not
    let folded: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    Cow::Owned(spaced(folded.split_whitespace()))
}

fn spaced<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Compatibility forms folded, without spaces and the dots between the parts of an indigenous or foreign name.
fn name(text: &str) -> String {
    text.nfkc()
        .filter(|c| !c.is_whitespace() && !matches!(c, '·' | '‧' | '・' | '．' | '.' | '•' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'))
        .flat_map(char::to_lowercase)
        // once more, for what was taken out stood between marks
        .nfkc()
        .collect()
}

/// Letters without accents and marks; a hyphen and a comma separate like a space, an apostrophe is nothing.
fn romanised(text: &str) -> Cow<'_, str> {
    if is_plain(text)
        && !text
            .bytes()
            .any(|byte| matches!(byte, b'-' | b',' | b'.' | b'\'' | b'`'))
    {
        return Cow::Borrowed(text);
    }
    let folded: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && !matches!(c, '\'' | '`' | '’' | '‘' | 'ʼ' | 'ʻ'))
        .flat_map(char::to_lowercase)
        .map(|c| {
            if matches!(c, '-' | ',' | '.' | '‐' | '‑' | '–') {
                ' '
            } else {
                c
            }
        })
        .collect();
    Cow::Owned(spaced(folded.split_whitespace()))
}

/// Upper-case Latin letters and digits of compatibility forms; nothing else of an identifier counts.
fn id(text: &str) -> String {
    text.nfkc()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// A date in the column's format, else in any spelling the ROC calendar has.
fn date(text: &str, format: Option<&str>) -> Option<Date> {
    match format {
        Some(format) => Date::strptime(format, text).ok(),
        None => iso(text).or_else(|| roc::parse(text)),
    }
}

/// `2025-11-24`, by far the commonest, without a parser.
fn iso(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}

/// The day of a date in its normalised spelling, counted from an arbitrary one; `None` where the value is no date.
pub(crate) fn day_number(text: &str) -> Option<i32> {
    let date = iso(text)?;
    let (year, month) = (i32::from(date.year()), i32::from(date.month()));
    // days before the year and the month, of the proleptic Gregorian calendar
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap + (month * 153 + 2) / 5 + i32::from(date.day()))
}

/// The separator between the parts of an address.
const PART: char = '\u{1f}';

/// An address of Taiwan with its parts apart, so that what is written in different ways is one; village and neighbourhood are
/// left out, for half of all addresses lack them. Any other address as plain text.
fn address(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return plain(text);
    }
    let Ok(address) = Address::parse(text) else {
        return plain(text);
    };
    let floor = address.floor.map(|floor| format!("{floor}樓")).unwrap_or_default();
    let road = format!("{}{}{}", address.city, address.district, address.road);
    let door = format!(
        "{}{}{}號{floor}{}",
        address.lane, address.alley, address.number, address.unit
    );
    Cow::Owned(format!("{road}{PART}{door}"))
}
