//! What differs between two versions of a plan: which parts, and within a text which words.

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
/// ones the newer.
///
/// # Errors
/// [`TooLong`] for a text beyond the bound of a plan; the work grows with length times difference.
pub fn difference(old: &str, new: &str) -> Result<Vec<Piece>, TooLong> {
    if [old, new].iter().any(|text| text.chars().count() > MOST_TEXT) {
        return Err(TooLong);
    }
    let pieces = dissimilar::diff(old, new).into_iter().map(|chunk| match chunk {
        Chunk::Equal(text) => Piece::Same(text.to_owned()),
        Chunk::Delete(text) => Piece::Removed(text.to_owned()),
        Chunk::Insert(text) => Piece::Added(text.to_owned()),
    });
    Ok(pieces.collect())
}
