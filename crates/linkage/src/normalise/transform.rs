//! What keys and levels take of a normalised value.

use super::{PART, fold_variants, pinyin_key};
use crate::model::Transform;
use std::borrow::Cow;

/// The part of the value; `None` where there is none, which agrees with nothing.
pub(crate) fn transformed(text: &str, transform: Transform) -> Option<Cow<'_, str>> {
    let found = match transform {
        Transform::Whole => Cow::Borrowed(text),
        Transform::Prefix(count) => Cow::Borrowed(text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])),
        Transform::Suffix(count) => {
            let start = text
                .char_indices()
                .rev()
                .nth(count.saturating_sub(1))
                .map_or(0, |(start, _)| start);
            Cow::Borrowed(&text[start..])
        }
        Transform::Word(place) => Cow::Borrowed(text.split(' ').nth(place.saturating_sub(1))?),
        Transform::LastWord => Cow::Borrowed(text.rsplit(' ').next()?),
        Transform::Year => Cow::Borrowed(dated(text)?.0),
        Transform::MonthDay => Cow::Borrowed(text.get(5..).filter(|_| dated(text).is_some())?),
        Transform::YearDay => {
            let (year, _, day) = dated(text)?;
            Cow::Owned(format!("{year}--{day}"))
        }
        Transform::YearMonth => Cow::Borrowed(text.get(..7).filter(|_| dated(text).is_some())?),
        Transform::Soundex => Cow::Owned(soundex(text)?),
        Transform::Skeleton => Cow::Owned(skeleton(text)?),
        Transform::Sorted => {
            let mut characters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
            characters.sort_unstable();
            Cow::Owned(characters.into_iter().collect())
        }
        Transform::Digits => Cow::Owned(text.chars().filter(char::is_ascii_digit).collect()),
        Transform::Pinyin => Cow::Owned(pinyin_key(text)),
        Transform::Variant => fold_variants(text),
        Transform::Road => Cow::Borrowed(text.split_once(PART)?.0),
        Transform::Door => Cow::Borrowed(text.split_once(PART)?.1),
    };
    (!found.is_empty()).then_some(found)
}

/// The parts of a text that has the form of an ISO date, whether or not there is such a day.
fn dated(text: &str) -> Option<(&str, &str, &str)> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    Some((text.get(..4)?, text.get(5..7)?, text.get(8..)?))
}

/// American Soundex (National Archives, 2007) of the letters of the whole value.
fn soundex(text: &str) -> Option<String> {
    let class = |c: char| match c {
        'b' | 'f' | 'p' | 'v' => '1',
        'c' | 'g' | 'j' | 'k' | 'q' | 's' | 'x' | 'z' => '2',
        'd' | 't' => '3',
        'l' => '4',
        'm' | 'n' => '5',
        'r' => '6',
        // neither a sound nor a break between equal ones
        'h' | 'w' => 'h',
        _ => '0',
    };
    let mut letters = text
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_lowercase());
    let first = letters.next()?;
    let mut code = String::from(first);
    let mut before = class(first);
    for letter in letters {
        let now = class(letter);
        if now == 'h' {
            continue;
        }
        if now != '0' && now != before {
            code.push(now);
            if code.len() == 4 {
                return Some(code);
            }
        }
        before = now;
    }
    while code.len() < 4 {
        code.push('0');
    }
    Some(code)
}

/// The first letter and the consonants behind it, doubled ones once.
fn skeleton(text: &str) -> Option<String> {
    let mut letters = text.chars().filter(|c| c.is_alphabetic());
    let first = letters.next()?;
    let mut key = String::from(first);
    let mut last = first;
    for letter in letters {
        if !matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'h' | 'w') && letter != last {
            key.push(letter);
        }
        last = letter;
    }
    Some(key)
}
