//! What differs between two versions of a plan: which parts, and within a text which words.

use std::collections::HashMap;

use dissimilar::Chunk;
use serde::Serialize;

use super::{MOST_TEXT, Plan};

/// A piece of a text that two versions share or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "piece", content = "text")]
pub enum Piece {
    /// In both.
    Same(String),
    /// In the older one only.
    Removed(String),
    /// In the newer one only.
    Added(String),
}

/// A text that is longer than a plan's text may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text has {MOST_TEXT} characters at most; shorten it before versions are compared")]
pub struct TooLong;

/// A part of a plan that differs between two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "part", content = "id")]
pub enum Changed {
    /// A text, by its name.
    Text(String),
    /// Title, period or government.
    Head,
    /// The self-assessment.
    Assessment,
    /// The table of indicators.
    Indicators,
    /// The budget lines.
    Budget,
    /// The table of subsidies, or the exception to the cap.
    Subsidy,
    /// The checkpoints.
    Checkpoints,
    /// The contact.
    Contact,
}

/// The parts that differ, texts first.
#[must_use]
pub fn compare(old: &Plan, new: &Plan) -> Vec<Changed> {
    let mut ids: Vec<&String> = old.texts.keys().chain(new.texts.keys()).collect();
    ids.sort();
    ids.dedup();
    let texts = ids.into_iter().filter(|id| old.text(id) != new.text(id));
    let mut changed: Vec<Changed> = texts.map(|id| Changed::Text(id.clone())).collect();
    let head = |plan: &Plan| {
        (
            plan.programme.clone(),
            plan.government.clone(),
            plan.title.clone(),
            plan.from,
            plan.through,
        )
    };
    let parts = [
        (head(old) != head(new), Changed::Head),
        (old.assessment != new.assessment, Changed::Assessment),
        (old.indicators != new.indicators, Changed::Indicators),
        (old.lines != new.lines, Changed::Budget),
        (
            old.subsidies != new.subsidies || old.cap_exception != new.cap_exception,
            Changed::Subsidy,
        ),
        (old.checkpoints != new.checkpoints, Changed::Checkpoints),
        (old.contact != new.contact, Changed::Contact),
    ];
    changed.extend(parts.into_iter().filter(|(differs, _)| *differs).map(|(_, part)| part));
    changed
}

/// The pieces of two versions of a text in reading order. Same and removed pieces make the older text, same and added
/// ones the newer. Sentences are compared first, then the words of those that changed, so that two texts with nothing in
/// common take no longer than two that differ a little.
///
/// # Errors
/// [`TooLong`] for a text beyond the bound of a plan.
pub fn difference(old: &str, new: &str) -> Result<Vec<Piece>, TooLong> {
    if [old, new].iter().any(|text| text.chars().count() > MOST_TEXT) {
        return Err(TooLong);
    }
    let texts = [sentences(old), sentences(new)];
    if texts.iter().any(|text| text.len() > MOST_SENTENCES) {
        return Ok(whole(old, new));
    }
    // each sentence as one character, so that one comparison serves both steps
    let mut known: HashMap<&str, char> = HashMap::new();
    let mut sentence_of: HashMap<char, &str> = HashMap::new();
    let [before, after] = texts.map(|text| {
        let mut encoded = String::new();
        for sentence in text {
            let fresh = FIRST + u32::try_from(known.len()).unwrap_or(0);
            let fresh = char::from_u32(fresh).unwrap_or(char::REPLACEMENT_CHARACTER);
            let name = *known.entry(sentence).or_insert(fresh);
            sentence_of.insert(name, sentence);
            encoded.push(name);
        }
        encoded
    });
    let decode = |text: &str| {
        text.chars()
            .filter_map(|name| sentence_of.get(&name).copied())
            .collect::<String>()
    };
    let mut pieces = Vec::new();
    let mut removed = String::new();
    for chunk in dissimilar::diff(&before, &after) {
        match chunk {
            Chunk::Delete(text) => removed = decode(text),
            Chunk::Insert(text) => pieces.extend(words(&std::mem::take(&mut removed), &decode(text))),
            Chunk::Equal(text) => {
                pieces.extend(words(&std::mem::take(&mut removed), ""));
                pieces.push(Piece::Same(decode(text)));
            }
        }
    }
    pieces.extend(words(&removed, ""));
    Ok(joined(pieces))
}

/// Most sentences that are told apart; a text with more is shown as changed between what both begin and end with.
const MOST_SENTENCES: usize = 2_000;
/// Most characters, one text times the other, whose words are told apart.
const MOST_WORDS: usize = 4_000_000;
/// First of the characters that stand for sentences: the private use plane 15.
const FIRST: u32 = 0xf_0000;

/// A text cut after each full stop and line break.
fn sentences(text: &str) -> Vec<&str> {
    text.split_inclusive(['。', '；', '！', '？', '\n']).collect()
}

/// The words of changed sentences.
fn words(old: &str, new: &str) -> Vec<Piece> {
    if old.chars().count().saturating_mul(new.chars().count()) > MOST_WORDS {
        return whole(old, new);
    }
    let pieces = dissimilar::diff(old, new).into_iter().map(|chunk| match chunk {
        Chunk::Equal(text) => Piece::Same(text.to_owned()),
        Chunk::Delete(text) => Piece::Removed(text.to_owned()),
        Chunk::Insert(text) => Piece::Added(text.to_owned()),
    });
    pieces.collect()
}

/// What both begin and end with, and between them all of either.
fn whole(old: &str, new: &str) -> Vec<Piece> {
    let common = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
        pairs
            .take_while(|(one, other)| one == other)
            .map(|(one, _)| one.len_utf8())
            .sum()
    };
    let head = common(&mut old.chars().zip(new.chars()));
    let (old_rest, new_rest) = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail = common(&mut old_rest.chars().rev().zip(new_rest.chars().rev()));
    let middle = |rest: &str| rest.get(..rest.len() - tail).unwrap_or_default().to_owned();
    let end = old_rest.get(old_rest.len() - tail..).unwrap_or_default();
    joined(vec![
        Piece::Same(old.get(..head).unwrap_or_default().to_owned()),
        Piece::Removed(middle(old_rest)),
        Piece::Added(middle(new_rest)),
        Piece::Same(end.to_owned()),
    ])
}

/// Neighbours of one kind put together, empty pieces left out.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match (out.last_mut(), piece) {
            (_, Piece::Same(text) | Piece::Removed(text) | Piece::Added(text)) if text.is_empty() => {}
            (Some(Piece::Same(before)), Piece::Same(text))
            | (Some(Piece::Removed(before)), Piece::Removed(text))
            | (Some(Piece::Added(before)), Piece::Added(text)) => before.push_str(&text),
            (_, piece) => out.push(piece),
        }
    }
    out
}
