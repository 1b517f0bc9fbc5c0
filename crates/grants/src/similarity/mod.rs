//! Plans of different governments that are alike (雷同): near-copies by shingles, reworded passages by their words, both with the
//! passages side by side. Titles, guidance and fixed wording of the programme do not count.
//!
//! Two measures, and what each can and can't see:
//!
//! - **Copied** ([`Passage`]): runs of the same characters, spaces, punctuation, width and case aside, joined over small
//!   changes such as the government's name. It sees whole chapters, moved sentences and light edits.
//! - **Reworded** ([`Reworded`]): two paragraphs of much the same words, by the cosine of their character pairs weighted by
//!   how rare a pair is among all plans. Words that the programme's folder lists as meaning the same (`concepts.txt`) count as
//!   one word, so a passage is found whose every word was replaced by such a one. It sees changed order and replaced words as
//!   long as most words stay or are listed, and it does not understand: the same idea in words of no list, or told in sentences
//!   of another build, is not found.

pub(crate) mod concepts;
mod copied;
mod prepare;
mod reworded;

use serde::Serialize;

use crate::assessment::Assessment;
use crate::plan::Plan;
use crate::programme::{Programme, SimilarityRules};
use concepts::Concepts;
use prepare::{Boilerplate, Prepared};

/// Most plans that are compared.
pub const MOST_PLANS: usize = 200;
/// Most characters of a plan that are compared.
pub const MOST_CHARACTERS: usize = 400_000;

/// The texts of a plan, by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The government.
    pub government: String,
    /// Name of the part and its text.
    pub parts: Vec<(String, String)>,
}

/// A piece of a plan's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// The part it stands in.
    pub part: String,
    /// First byte within the part's text.
    pub from: usize,
    /// Its text.
    pub text: String,
}

/// A copied passage, side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Passage {
    /// In the first plan.
    pub left: Excerpt,
    /// In the second plan.
    pub right: Excerpt,
    /// Characters they share, boilerplate aside.
    pub shared: usize,
}

/// A paragraph and its nearest one of the other plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reworded {
    /// In the first plan.
    pub left: Excerpt,
    /// In the second plan.
    pub right: Excerpt,
    /// Cosine in per cent.
    pub percent: u8,
}

/// Two plans and what they have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// One government.
    pub left: String,
    /// The other.
    pub right: String,
    /// Copied passages, the longest first.
    pub copied: Vec<Passage>,
    /// Copied share of the shorter plan's own text, in hundredths of a per cent.
    pub copied_share: u32,
    /// Paragraphs with much the same words, the nearest first.
    pub reworded: Vec<Reworded>,
    /// Share of the shorter plan's own text in such paragraphs, in hundredths of a per cent.
    pub reworded_share: u32,
    /// Whether the programme's measures call the two alike. A person decides what follows.
    pub alike: bool,
}

/// Documents that can't be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimilarityError {
    /// Too many.
    #[error("{0} plans are more than {MOST_PLANS}; compare fewer at once")]
    TooMany(usize),
    /// One is too long.
    #[error("the plan of `{0}` has more than {MOST_CHARACTERS} characters; shorten it")]
    TooLong(String),
}

impl Document {
    /// The texts of a plan that people write: chapters, and what the self-assessment says of items.
    #[must_use]
    pub fn of(plan: &Plan) -> Document {
        let texts = plan.texts.iter().map(|(id, text)| (id.clone(), text.clone()));
        let indicators = plan.indicators.iter().map(|one| {
            let text = [&*one.title, &*one.formula, &*one.base, &*one.source].join("\n");
            (format!("indicator {}", one.id), text)
        });
        let parts = texts.chain(assessed(&plan.assessment)).chain(indicators);
        Document {
            government: plan.government.clone(),
            parts: parts.collect(),
        }
    }
}

fn assessed(assessment: &Assessment) -> impl Iterator<Item = (String, String)> {
    assessment.rows.iter().map(|row| {
        let planned = row.planned.iter().map(|one| one.text.as_str());
        let extra = row.extra.iter().map(|one| one.text.as_str());
        let refused = row.refused.iter().map(|one| one.reason.as_str());
        let texts: Vec<&str> = planned.chain(extra).chain(refused).collect();
        (format!("assessment {}", row.stage), texts.join("\n"))
    })
}

/// Compares every plan with every other one; pairs with nothing in common are left out, those most alike come first.
///
/// Work: linear in all texts for the shingles, and for the words in the number of pairs of paragraphs that share a pair of
/// characters.
///
/// # Errors
/// [`SimilarityError`] for more text than is compared at once.
pub fn compare(documents: &[Document], programme: &Programme) -> Result<Vec<Pair>, SimilarityError> {
    if documents.len() > MOST_PLANS {
        return Err(SimilarityError::TooMany(documents.len()));
    }
    let rules = &programme.similarity;
    let boilerplate = Boilerplate::of(programme);
    let mut prepared = Vec::with_capacity(documents.len());
    for document in documents {
        let length: usize = document.parts.iter().map(|(_, text)| text.chars().count()).sum();
        if length > MOST_CHARACTERS {
            return Err(SimilarityError::TooLong(document.government.clone()));
        }
        prepared.push(Prepared::of(document, &boilerplate, rules));
    }
    let words = reworded::Index::of(&prepared, &Concepts::of(programme), rules);
    let mut pairs = Vec::new();
    for (at, left) in prepared.iter().enumerate() {
        for (other, right) in prepared.iter().enumerate().skip(at + 1) {
            let (copied, shared) = copied::passages(left, right, rules);
            let (reworded, alike_text) = words.between(at, other, &prepared);
            if copied.is_empty() && reworded.is_empty() {
                continue;
            }
            let own = left.own.min(right.own);
            let pair = Pair {
                left: left.document.government.clone(),
                right: right.document.government.clone(),
                copied_share: share(shared, own),
                reworded_share: share(alike_text, own),
                alike: false,
                copied,
                reworded,
            };
            let alike = is_alike(&pair, rules);
            pairs.push(Pair { alike, ..pair });
        }
    }
    pairs.sort_by_key(|pair| {
        let most = pair.copied_share.max(pair.reworded_share);
        std::cmp::Reverse((pair.alike, most))
    });
    Ok(pairs)
}

fn is_alike(pair: &Pair, rules: &SimilarityRules) -> bool {
    let longest = pair.copied.iter().map(|passage| passage.shared).max().unwrap_or(0);
    longest >= rules.flag_passage
        || pair.copied_share >= u32::from(rules.flag_percent) * 100
        || pair.reworded_share >= u32::from(rules.lexical_share) * 100
}

/// Hundredths of a per cent.
fn share(part: usize, whole: usize) -> u32 {
    let share = part.saturating_mul(10_000).checked_div(whole).unwrap_or(0);
    u32::try_from(share.min(10_000)).unwrap_or(10_000)
}
