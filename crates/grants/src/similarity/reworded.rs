//! Paragraphs of much the same words: character pairs weighted by rarity (tf-idf), compared by cosine. Words of one concept are
//! one word before pairs are counted.

use std::collections::HashMap;

use super::Reworded;
use super::concepts::Concepts;
use super::prepare::Prepared;
use crate::programme::SimilarityRules;

/// A paragraph of a plan.
struct Paragraph {
    plan: usize,
    /// Its letters, from and to.
    from: usize,
    to: usize,
    /// Letters that are not boilerplate.
    own: usize,
    /// Pairs by number with their weight, of length 1 together.
    pairs: Vec<(u32, f64)>,
}

/// By two plans, the lower first: a paragraph of the first, one of the second, and their cosine in per cent.
type Near = HashMap<(usize, usize), Vec<(usize, usize, u8)>>;

/// All paragraphs, and for each the nearest one of every other plan.
pub(super) struct Index {
    paragraphs: Vec<Paragraph>,
    near: Near,
}

impl Index {
    pub fn of(plans: &[Prepared<'_>], concepts: &Concepts, rules: &SimilarityRules) -> Index {
        let mut paragraphs = Vec::new();
        let mut counted: Vec<Vec<(u32, u32)>> = Vec::new();
        let mut numbers: HashMap<(char, char), u32> = HashMap::new();
        for (plan, prepared) in plans.iter().enumerate() {
            for (from, to) in split(prepared) {
                let letters = prepared.letters.get(from..to).unwrap_or_default();
                let own = letters.iter().filter(|letter| !letter.boilerplate).count();
                if own < rules.lexical_paragraph {
                    continue;
                }
                let mut counts: HashMap<u32, u32> = HashMap::new();
                let words = concepts.applied(letters);
                for ((one, fixed), (next, fixed_too)) in words.iter().zip(words.iter().skip(1)) {
                    if !fixed && !fixed_too {
                        let fresh = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                        let number = *numbers.entry((*one, *next)).or_insert(fresh);
                        *counts.entry(number).or_default() += 1;
                    }
                }
                // sorted, so that sums are made in one order whatever the map's
                let mut counts: Vec<(u32, u32)> = counts.into_iter().collect();
                counts.sort_unstable();
                counted.push(counts);
                paragraphs.push(Paragraph {
                    plan,
                    from,
                    to,
                    own,
                    pairs: Vec::new(),
                });
            }
        }
        let mut spread = vec![0_u32; numbers.len()];
        for (number, _) in counted.iter().flatten() {
            if let Some(count) = spread.get_mut(*number as usize) {
                *count += 1;
            }
        }
        let all = paragraphs.len() as f64;
        for (paragraph, counts) in paragraphs.iter_mut().zip(&counted) {
            let weights = counts.iter().map(|(number, count)| {
                let documents = spread.get(*number as usize).copied().unwrap_or(1).max(1);
                let weight = (1.0 + f64::from(*count).ln()) * (all / f64::from(documents)).ln();
                (*number, weight)
            });
            let pairs: Vec<(u32, f64)> = weights.collect();
            let length = pairs.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
            if length > 0.0 {
                paragraph.pairs = pairs
                    .into_iter()
                    .map(|(number, weight)| (number, weight / length))
                    .collect();
            }
        }
        let near = nearest(&paragraphs, numbers.len(), rules.lexical_percent);
        Index { paragraphs, near }
    }

    /// The paragraphs of two plans that are alike, the nearest first, and how many letters of the first plan they hold.
    pub fn between(&self, left: usize, right: usize, plans: &[Prepared<'_>]) -> (Vec<Reworded>, usize) {
        let mut found = self.near.get(&(left, right)).cloned().unwrap_or_default();
        found.sort_by_key(|(one, other, percent)| (std::cmp::Reverse(*percent), *one, *other));
        let excerpt = |at: usize| {
            let paragraph = self.paragraphs.get(at)?;
            Some(plans.get(paragraph.plan)?.excerpt(paragraph.from, paragraph.to))
        };
        let own = |at: usize| self.paragraphs.get(at).map_or(0, |paragraph| paragraph.own);
        let letters = found.iter().map(|(one, ..)| own(*one)).sum();
        let reworded = found.iter().filter_map(|(one, other, percent)| {
            Some(Reworded {
                left: excerpt(*one)?,
                right: excerpt(*other)?,
                percent: *percent,
            })
        });
        (reworded.collect(), letters)
    }
}

/// For each paragraph the nearest one of every later plan, from a cosine on.
fn nearest(paragraphs: &[Paragraph], numbers: usize, least: u8) -> Near {
    let mut places: Vec<Vec<(usize, f64)>> = vec![Vec::new(); numbers];
    let mut near = Near::new();
    let mut cosines = vec![0.0_f64; paragraphs.len()];
    // from the last plan on, so that what is in the index belongs to later plans
    let mut waiting: Vec<usize> = Vec::new();
    for (at, paragraph) in paragraphs.iter().enumerate().rev() {
        let done = |other: &usize| paragraphs.get(*other).is_some_and(|other| other.plan != paragraph.plan);
        if waiting.first().is_some_and(done) {
            for other in waiting.drain(..) {
                for (number, weight) in paragraphs.get(other).map_or(&[][..], |other| &other.pairs) {
                    if let Some(known) = places.get_mut(*number as usize) {
                        known.push((other, *weight));
                    }
                }
            }
        }
        waiting.push(at);
        cosines.fill(0.0);
        for (number, weight) in &paragraph.pairs {
            for (other, theirs) in places.get(*number as usize).map_or(&[][..], Vec::as_slice) {
                if let Some(cosine) = cosines.get_mut(*other) {
                    *cosine += weight * theirs;
                }
            }
        }
        let mut best: HashMap<usize, (usize, u8)> = HashMap::new();
        for (other, cosine) in cosines.iter().enumerate().filter(|(_, cosine)| **cosine > 0.0) {
            let percent = (cosine * 100.0).clamp(0.0, 100.0) as u8;
            let Some(plan) = paragraphs.get(other).map(|other| other.plan) else {
                continue;
            };
            if percent >= least && best.get(&plan).is_none_or(|(_, known)| percent > *known) {
                best.insert(plan, (other, percent));
            }
        }
        for (plan, (other, percent)) in best {
            near.entry((paragraph.plan, plan))
                .or_default()
                .push((at, other, percent));
        }
    }
    near
}

/// The paragraphs of a plan, as letters from and to: a new one after each line break and in each part.
fn split(plan: &Prepared<'_>) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, (one, next)) in plan.letters.iter().zip(plan.letters.iter().skip(1)).enumerate() {
        let broken = one.part != next.part || {
            let between = plan
                .document
                .parts
                .get(one.part)
                .and_then(|(_, text)| text.get(one.to..next.from));
            between.is_some_and(|between| between.contains('\n'))
        };
        if broken {
            found.push((from, at + 1));
            from = at + 1;
        }
    }
    if from < plan.letters.len() {
        found.push((from, plan.letters.len()));
    }
    found
}
