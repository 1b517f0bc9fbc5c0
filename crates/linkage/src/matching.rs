//! A match from tables to scored pairs: of one table with itself, of two tables, or of new records with a table that is kept.

use crate::block::{Estimate, Group, Keys, between, made_before, within};
use crate::compare::{Compares, Pattern};
use crate::encode::Rows;
use crate::error::LinkError;
use crate::model::Model;
use crate::threads;
use crate::train::{Learner, Session, Sides};
use crate::weights::{Scorer, Weights, probability};
use arrow::array::RecordBatch;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most pairs that are kept.
pub const MOST_PAIRS: usize = 200_000_000;
/// Pairs of one piece of work, about.
const PIECE_PAIRS: usize = 1 << 16;

/// Two rows that may be one person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Row of the left table, from 0.
    pub left: u32,
    /// Row of the right table; of the same table where one was matched with itself, and then the larger one.
    pub right: u32,
    /// Weight in bits: the logarithm to base 2 of the odds that it is a match.
    pub weight: f32,
    /// The blocking rule that made it, from 0: the first in which both agree.
    pub rule: u8,
    /// The levels of all comparisons.
    pub levels: Pattern,
}

impl Pair {
    /// The probability that it is a match.
    #[must_use]
    pub fn probability(&self) -> f64 {
        probability(f64::from(self.weight))
    }
}

/// Tables made ready to be matched.
pub struct Matching<'a> {
    model: &'a Model,
    rows: Rows,
    compares: Compares,
    keys: Keys,
    /// First row of the right table.
    boundary: Option<usize>,
    threads: usize,
}

impl<'a> Matching<'a> {
    /// Makes one table ready to be matched with itself.
    ///
    /// # Errors
    /// [`LinkError::Table`] when a column is missing or is no text.
    pub fn within(model: &'a Model, table: &RecordBatch, threads: usize) -> Result<Matching<'a>, LinkError> {
        Matching::new(model, table, None, threads)
    }

    /// Makes two tables ready to be matched with each other.
    ///
    /// # Errors
    /// [`LinkError::Table`] when a column is missing or is no text.
    pub fn between(
        model: &'a Model,
        left: &RecordBatch,
        right: &RecordBatch,
        threads: usize,
    ) -> Result<Matching<'a>, LinkError> {
        Matching::new(model, left, Some(right), threads)
    }

    fn new(
        model: &'a Model,
        left: &RecordBatch,
        right: Option<&RecordBatch>,
        threads: usize,
    ) -> Result<Matching<'a>, LinkError> {
        let mut rows = Rows::new(model);
        rows.add(model, left, "left", threads)?;
        let boundary = right.map(|_| rows.count);
        if let Some(right) = right {
            rows.add(model, right, "right", threads)?;
        }
        let compares = Compares::new(model, &rows);
        let keys = Keys::new(model, &rows, boundary, threads)?;
        Ok(Matching {
            model,
            rows,
            compares,
            keys,
            boundary,
            threads,
        })
    }

    /// What each blocking rule will cost, before a pair is made.
    #[must_use]
    pub fn estimates(&self) -> &[Estimate] {
        &self.keys.estimates
    }

    fn sides(&self) -> Sides {
        match self.boundary {
            None => Sides {
                left: 0..self.rows.count,
                right: None,
            },
            Some(boundary) => Sides {
                left: 0..boundary,
                right: Some(boundary..self.rows.count),
            },
        }
    }

    fn learner(&self) -> Learner<'_> {
        Learner {
            model: self.model,
            rows: &self.rows,
            compares: &self.compares,
            sides: self.sides(),
            threads: self.threads,
        }
    }

    /// Learns the weights from the tables alone.
    ///
    /// # Errors
    /// [`LinkError::Training`] when no training block has a pair.
    pub fn train(&self) -> Result<(Weights, Vec<Session>), LinkError> {
        self.learner().learn(&[])
    }

    /// Learns the weights anew with the answers a person gave for pairs of the grey zone: each a pair of rows and whether it is
    /// one person. Answers count as certain pairs beside those EM only thinks to be matches, and the prior moves to where the answered
    /// pairs are told apart best.
    ///
    /// # Errors
    /// [`LinkError::Training`] when a row does not exist or no training block has a pair.
    pub fn retrain(&self, answers: &[(u32, u32, bool)]) -> Result<Weights, LinkError> {
        let mut caches = self.compares.caches();
        let mut known = Vec::with_capacity(answers.len());
        for (left, right, matches) in answers {
            let right = self.boundary.unwrap_or(0).saturating_add(*right as usize);
            let (Ok(right), true) = (
                u32::try_from(right),
                (*left as usize) < self.rows.count && right < self.rows.count,
            ) else {
                let message = "an answer names a row that is in no table; take the rows from the pairs of this match";
                return Err(LinkError::Training(message.to_owned()));
            };
            known.push((
                *left,
                right,
                *matches,
                self.compares.pattern(&self.rows, *left, right, &mut caches),
            ));
        }
        let patterns: Vec<(Pattern, bool)> = known
            .iter()
            .map(|(_, _, matches, pattern)| (*pattern, *matches))
            .collect();
        let (mut weights, _) = self.learner().learn(&patterns)?;
        if known.is_empty() {
            return Ok(weights);
        }
        let scorer = Scorer::new(self.model, &weights, &self.rows, &self.compares);
        let judged: Vec<(f64, bool)> = known
            .iter()
            .filter_map(|(left, right, matches, _)| {
                let pair = (*left, *right);
                let (weight, _) = scorer.weigh(&self.rows, &self.compares, pair, &mut caches, f64::NEG_INFINITY)?;
                Some((weight, *matches))
            })
            .collect();
        let shift = crate::review::shift(&judged);
        weights.prior = probability(crate::weights::bits_of(weights.prior) + shift).clamp(1e-12, 0.5);
        Ok(weights)
    }

    /// All pairs of the blocks whose weight is not below the model's floor, in the order of their rows.
    ///
    /// # Errors
    /// [`LinkError::Training`] when the weights are of another model, [`LinkError::TooMany`].
    pub fn pairs(&self, weights: &Weights) -> Result<Vec<Pair>, LinkError> {
        weights.fit(self.model)?;
        let scorer = Scorer::new(self.model, weights, &self.rows, &self.compares);
        let sides = self.sides();
        let sorted = |rule: usize| {
            let left = self.keys.sorted(rule, sides.left.clone());
            let right = sides.right.clone().map(|right| self.keys.sorted(rule, right));
            Ok((left, right))
        };
        let mut pairs = Vec::new();
        // two rules at a time are sorted, so that no more than that is held
        for rules in (0..self.model.blocks.len())
            .collect::<Vec<_>>()
            .chunks(self.threads.max(1))
        {
            let lists = threads::each(self.threads, rules.len(), || (), |(), place| sorted(rules[place]))?;
            for (rule, (left, right)) in rules.iter().zip(&lists) {
                self.scored(&scorer, *rule, left, right.as_deref(), &mut pairs)?;
            }
        }
        Ok(self.finished(pairs))
    }

    /// Pairs with the rows as their tables count them, in order.
    fn finished(&self, mut pairs: Vec<Pair>) -> Vec<Pair> {
        let first = u32::try_from(self.boundary.unwrap_or(0)).unwrap_or(0);
        pairs.iter_mut().for_each(|pair| pair.right -= first);
        pairs.sort_unstable_by_key(|pair| (pair.left, pair.right));
        pairs
    }

    fn scored(
        &self,
        scorer: &Scorer,
        rule: usize,
        left: &[(u64, u32)],
        right: Option<&[(u64, u32)]>,
        into: &mut Vec<Pair>,
    ) -> Result<(), LinkError> {
        let groups = match right {
            Some(right) => between(left, right),
            None => within(left),
        };
        let pieces = pieces(&groups, right.is_none());
        let kept = AtomicUsize::new(into.len());
        let floor = self.model.floor;
        let made = threads::each(
            self.threads,
            pieces.len(),
            || self.compares.caches(),
            |caches, piece| {
                let mut made = Vec::new();
                let (range, rows) = &pieces[piece];
                for group in &groups[range.clone()] {
                    let from = group.left.start;
                    for place in rows.clone().unwrap_or(0..group.left.len()) {
                        let (_, a) = left[from + place];
                        let others = match right {
                            Some(right) => &right[group.right.clone()],
                            None => &left[from + place + 1..group.left.end],
                        };
                        let keys = self.keys.of(a);
                        for (_, b) in others {
                            if made_before(keys, self.keys.of(*b), rule) {
                                continue;
                            }
                            if let Some((weight, levels)) =
                                scorer.weigh(&self.rows, &self.compares, (a, *b), caches, floor)
                            {
                                made.push(Pair {
                                    left: a,
                                    right: *b,
                                    weight: weight as f32,
                                    rule: u8::try_from(rule).unwrap_or(u8::MAX),
                                    levels,
                                });
                            }
                        }
                    }
                }
                if kept.fetch_add(made.len(), Ordering::Relaxed) > MOST_PAIRS {
                    return Err(LinkError::TooMany {
                        most: MOST_PAIRS,
                        floor,
                    });
                }
                Ok(made)
            },
        )?;
        into.extend(made.into_iter().flatten());
        Ok(())
    }
}

/// Groups by the piece, or rows of one group that is a piece and more by itself.
fn pieces(groups: &[Group], alone: bool) -> Vec<(Range<usize>, Option<Range<usize>>)> {
    let mut pieces = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for (at, group) in groups.iter().enumerate() {
        let width = if alone {
            group.left.len() / 2 + 1
        } else {
            group.right.len()
        };
        let size = group.left.len().saturating_mul(width);
        if size > PIECE_PAIRS {
            if start < at {
                pieces.push((start..at, None));
            }
            let step = (PIECE_PAIRS / width).max(1);
            let mut row = 0;
            while row < group.left.len() {
                let end = (row + step).min(group.left.len());
                pieces.push((at..at + 1, Some(row..end)));
                row = end;
            }
            (start, sum) = (at + 1, 0);
            continue;
        }
        sum += size;
        if sum > PIECE_PAIRS {
            pieces.push((start..at + 1, None));
            (start, sum) = (at + 1, 0);
        }
    }
    if start < groups.len() {
        pieces.push((start..groups.len(), None));
    }
    pieces
}

/// A table that is kept ready, so that new records are matched with it one file after the other.
pub struct Index<'a> {
    matching: Matching<'a>,
    weights: Weights,
    scorer: Scorer,
    /// For each rule the kept rows in the order of their keys.
    sorted: Vec<Vec<(u64, u32)>>,
}

impl<'a> Index<'a> {
    /// Makes a table ready, with weights learned before.
    ///
    /// # Errors
    /// [`LinkError::Table`] when a column is missing, [`LinkError::Training`] when the weights are of another model.
    pub fn new(
        model: &'a Model,
        table: &RecordBatch,
        weights: Weights,
        threads: usize,
    ) -> Result<Index<'a>, LinkError> {
        weights.fit(model)?;
        let matching = Matching::within(model, table, threads)?;
        let scorer = Scorer::new(model, &weights, &matching.rows, &matching.compares);
        let sorted = threads::each(
            threads,
            model.blocks.len(),
            || (),
            |(), rule| Ok(matching.keys.sorted(rule, 0..matching.rows.count)),
        )?;
        Ok(Index {
            matching,
            weights,
            scorer,
            sorted,
        })
    }

    /// How many rows are kept.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.matching.keys.rows()
    }

    /// The weights in force.
    #[must_use]
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Pairs of kept rows (left) with rows of `new` (right, counted from 0), not of `new` with itself. With `keep` the new rows
    /// stay, behind those that were there. Which blocks are too large, and how frequent a value is, stay as the first table said.
    ///
    /// # Errors
    /// As [`Matching::pairs`].
    pub fn add(&mut self, new: &RecordBatch, keep: bool) -> Result<Vec<Pair>, LinkError> {
        let matching = &mut self.matching;
        let known = matching.rows.count;
        let taken_in = matching.rows.add(matching.model, new, "new", matching.threads);
        if let Err(error) = taken_in {
            matching.rows.truncate(known);
            return Err(error);
        }
        matching.compares.extend(&matching.rows);
        matching.keys.extend(matching.model, &matching.rows);
        matching.boundary = Some(known);
        let count = matching.rows.count;
        let mut pairs = Vec::new();
        let mut lists = Vec::new();
        let mut done = Ok(());
        for (rule, kept) in self.sorted.iter().enumerate() {
            let list = self.matching.keys.sorted(rule, known..count);
            done = self.matching.scored(&self.scorer, rule, kept, Some(&list), &mut pairs);
            if done.is_err() {
                break;
            }
            lists.push(list);
        }
        let pairs = self.matching.finished(pairs);
        if keep && done.is_ok() {
            for (kept, list) in self.sorted.iter_mut().zip(lists) {
                kept.extend(list);
                kept.sort_unstable();
            }
        } else {
            self.matching.rows.truncate(known);
            self.matching.compares.truncate(known);
            self.matching.keys.truncate(known);
        }
        done.map(|()| pairs)
    }
}
