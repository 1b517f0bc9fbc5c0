//! Blocking: which rows are compared at all, and how many pairs that will be, before any pair is made.

use crate::encode::{NULL, Rows, mixed};
use crate::error::LinkError;
use crate::model::{Block, Expression, Model};
use crate::threads;
use rustc_hash::FxHashSet;
use std::ops::Range;

/// What a blocking rule will cost and what it leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Estimate {
    /// Pairs of rows that agree in the keys, before pairs of earlier rules are taken out and before large blocks are split.
    pub wanted: u64,
    /// Pairs that will be made, before pairs of earlier rules are taken out.
    pub pairs: u64,
    /// Blocks that were too large and were split by the second key.
    pub split_blocks: usize,
    /// Rows that stand in no block of this rule, since theirs was too large even when it was split.
    pub left_out_rows: u64,
}

/// Rows of one key on both sides, as ranges of the sorted rows.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub left: Range<usize>,
    /// Empty where rows are paired among themselves.
    pub right: Range<usize>,
}

/// Keys of all rows by all rules.
pub(crate) struct Keys {
    rules: usize,
    /// The key in force of a row by a rule, row by row; 0 for none.
    effective: Vec<u64>,
    too_large: Vec<FxHashSet<u64>>,
    left_out: Vec<FxHashSet<u64>>,
    pub estimates: Vec<Estimate>,
}

/// Keys of the rows from `from` on by these expressions; 0 where one of them is missing.
pub(crate) fn keys_of(rows: &Rows, expressions: &[Expression], from: usize) -> Vec<u64> {
    let mut keys = vec![0x9e37_79b9_7f4a_7c15_u64; rows.count - from];
    for expression in expressions {
        let hashes = rows.hashes(*expression, 0);
        let Some(column) = rows.columns.get(expression.column) else {
            continue;
        };
        for (key, code) in keys.iter_mut().zip(&column.codes[from..]) {
            let part = match *code {
                NULL => 0,
                code => hashes[code as usize],
            };
            *key = match (*key, part) {
                (0, _) | (_, 0) => 0,
                (key, part) => mixed(key.rotate_left(23) ^ part).max(1),
            };
        }
    }
    if expressions.is_empty() {
        keys.fill(0);
    }
    keys
}

/// The keys that more than `most` rows have.
pub(crate) fn larger_than(keys: &[u64], most: usize) -> FxHashSet<u64> {
    let mut sorted: Vec<u64> = keys.iter().copied().filter(|key| *key != 0).collect();
    sorted.sort_unstable();
    sorted
        .chunk_by(|a, b| a == b)
        .filter(|run| run.len() > most)
        .map(|run| run[0])
        .collect()
}

impl Keys {
    /// The keys of all rows. `boundary` is the first row of the right table, or none where one table is matched with itself.
    pub fn new(model: &Model, rows: &Rows, boundary: Option<usize>, threads: usize) -> Result<Keys, LinkError> {
        let made = threads::each(
            threads,
            model.blocks.len(),
            || (),
            |(), place| Ok(rule(&model.blocks[place], rows, boundary)),
        )?;
        let rules = made.len();
        let mut keys = Keys {
            rules,
            effective: vec![0; rules * rows.count],
            too_large: Vec::new(),
            left_out: Vec::new(),
            estimates: Vec::new(),
        };
        for (rule, made) in made.into_iter().enumerate() {
            for (row, key) in made.keys.into_iter().enumerate() {
                keys.effective[row * rules + rule] = key;
            }
            keys.too_large.push(made.too_large);
            keys.left_out.push(made.left_out);
            keys.estimates.push(made.estimate);
        }
        Ok(keys)
    }

    /// Adds the rows behind those that are known. Which blocks are split is decided by the rows known before.
    pub fn extend(&mut self, model: &Model, rows: &Rows) {
        let from = self.rows();
        self.effective.resize(rows.count * self.rules, 0);
        for (rule, block) in model.blocks.iter().enumerate() {
            let keys = keys_of(rows, &block.keys, from);
            let second = keys_of(rows, &block.split, from);
            for (row, (key, second)) in keys.into_iter().zip(second).enumerate() {
                let mut key = key;
                if self.too_large[rule].contains(&key) {
                    key = joined(key, second);
                    if self.left_out[rule].contains(&key) {
                        key = 0;
                    }
                }
                self.effective[(from + row) * self.rules + rule] = key;
            }
        }
    }

    pub fn truncate(&mut self, rows: usize) {
        self.effective.truncate(rows * self.rules);
    }

    pub fn rows(&self) -> usize {
        self.effective.len().checked_div(self.rules).unwrap_or(0)
    }

    /// The keys of a row.
    #[inline]
    pub fn of(&self, row: u32) -> &[u64] {
        let start = row as usize * self.rules;
        &self.effective[start..start + self.rules]
    }

    /// The rows of a range that have a key by the rule, in the order of the keys.
    pub fn sorted(&self, rule: usize, rows: Range<usize>) -> Vec<(u64, u32)> {
        let mut sorted: Vec<(u64, u32)> = rows
            .filter_map(|row| {
                let key = self.effective[row * self.rules + rule];
                (key != 0).then_some((key, u32::try_from(row).ok()?))
            })
            .collect();
        sorted.sort_unstable();
        sorted
    }
}

/// Whether a pair that rule `rule` makes was made by an earlier one.
#[inline]
pub(crate) fn made_before(left: &[u64], right: &[u64], rule: usize) -> bool {
    left[..rule]
        .iter()
        .zip(&right[..rule])
        .any(|(left, right)| left == right && *left != 0)
}

fn joined(key: u64, second: u64) -> u64 {
    match second {
        0 => 0,
        second => mixed(key.rotate_left(17) ^ second).max(1),
    }
}

struct RuleKeys {
    keys: Vec<u64>,
    too_large: FxHashSet<u64>,
    left_out: FxHashSet<u64>,
    estimate: Estimate,
}

fn rule(block: &Block, rows: &Rows, boundary: Option<usize>) -> RuleKeys {
    let mut keys = keys_of(rows, &block.keys, 0);
    let wanted = pairs_of(&keys, boundary);
    let too_large = larger_than(&keys, block.most_rows);
    let mut left_out = FxHashSet::default();
    let mut left_out_rows = 0;
    if !too_large.is_empty() {
        let second = keys_of(rows, &block.split, 0);
        let mut split = vec![0; keys.len()];
        for (at, key) in keys.iter_mut().enumerate() {
            if too_large.contains(key) {
                *key = joined(*key, second[at]);
                split[at] = *key;
                left_out_rows += u64::from(*key == 0);
            }
        }
        left_out = larger_than(&split, block.most_rows);
        if !left_out.is_empty() {
            for key in keys.iter_mut().filter(|key| left_out.contains(*key)) {
                *key = 0;
                left_out_rows += 1;
            }
        }
    }
    let estimate = Estimate {
        wanted,
        pairs: pairs_of(&keys, boundary),
        split_blocks: too_large.len(),
        left_out_rows,
    };
    RuleKeys {
        keys,
        too_large,
        left_out,
        estimate,
    }
}

/// How many pairs agree in their key.
fn pairs_of(keys: &[u64], boundary: Option<usize>) -> u64 {
    let sorted = |keys: &[u64]| {
        let mut keys: Vec<u64> = keys.iter().copied().filter(|key| *key != 0).collect();
        keys.sort_unstable();
        keys
    };
    let Some(boundary) = boundary else {
        let keys = sorted(keys);
        return keys
            .chunk_by(|a, b| a == b)
            .map(|run| run.len() as u64 * (run.len() as u64 - 1) / 2)
            .sum();
    };
    let (left, right) = keys.split_at(boundary.min(keys.len()));
    let (left, right) = (sorted(left), sorted(right));
    let mut right = right.chunk_by(|a, b| a == b).peekable();
    let mut pairs = 0_u64;
    for run in left.chunk_by(|a, b| a == b) {
        while right.next_if(|other| other[0] < run[0]).is_some() {}
        if let Some(other) = right.next_if(|other| other[0] == run[0]) {
            pairs = pairs.saturating_add(run.len() as u64 * other.len() as u64);
        }
    }
    pairs
}

/// The blocks of sorted rows that are paired among themselves.
pub(crate) fn within(sorted: &[(u64, u32)]) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut start = 0;
    for run in sorted.chunk_by(|a, b| a.0 == b.0) {
        let end = start + run.len();
        if run.len() > 1 {
            groups.push(Group {
                left: start..end,
                right: 0..0,
            });
        }
        start = end;
    }
    groups
}

/// The blocks two lists of sorted rows have in common.
pub(crate) fn between(left: &[(u64, u32)], right: &[(u64, u32)]) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut at = 0;
    let mut start = 0;
    for run in left.chunk_by(|a, b| a.0 == b.0) {
        let (key, end) = (run[0].0, start + run.len());
        // a short list skips through a long one
        at += right[at..].partition_point(|(other, _)| *other < key);
        let until = at + right[at..].iter().take_while(|(other, _)| *other == key).count();
        if until > at {
            groups.push(Group {
                left: start..end,
                right: at..until,
            });
        }
        at = until;
        start = end;
    }
    groups
}
