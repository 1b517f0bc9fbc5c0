//! How the weights are learned without labels: chance agreement (u) from random pairs, agreement of matches (m) by
//! expectation maximisation over the pairs of one block at a time, with the comparisons the block fixes left out, as Splink does.
//! With labels, answered pairs join in as certain ones.

use crate::block::{Group, between, keys_of, within};
use crate::compare::{Compares, LEVEL_BITS, NULL_LEVEL, Pattern, counted, level_of};
use crate::encode::{Rows, mixed};
use crate::error::LinkError;
use crate::model::{Expression, Model};
use crate::threads;
use crate::weights::{LEAST, LevelShares, Weights};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// Most rounds of EM.
const ROUNDS: usize = 50;
/// EM ends when no share moves by more than this.
const SETTLED: f64 = 1e-5;
/// Most pairs one run of EM looks at; of larger blocks an even sample is taken.
const EM_PAIRS: u64 = 2_000_000;
/// Rows of a block of training above which it says little about matches and is left out.
const EM_BLOCK_ROWS: usize = 5_000;
/// Random pairs of one piece of work.
const PIECE: usize = 1 << 14;

/// The pairs of levels that were seen, with how often.
pub(crate) type Patterns = Vec<(Pattern, f64)>;

/// One run of EM, for who wants to see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Comparisons that were learned.
    pub learned: Vec<usize>,
    /// Pairs looked at.
    pub pairs: u64,
    /// Share of matches among them.
    pub share: f64,
    /// Log-likelihood after each round, never falling.
    pub likelihood: Vec<f64>,
    m: Vec<Vec<f64>>,
}

/// Two ranges of rows that are paired, or one that is paired within itself.
#[derive(Clone)]
pub(crate) struct Sides {
    pub left: Range<usize>,
    pub right: Option<Range<usize>>,
}

impl Sides {
    pub fn pairs(&self) -> f64 {
        let left = self.left.len() as f64;
        match &self.right {
            Some(right) => left * right.len() as f64,
            None => left * (left - 1.0) / 2.0,
        }
    }
}

pub(crate) struct Learner<'a> {
    pub model: &'a Model,
    pub rows: &'a Rows,
    pub compares: &'a Compares,
    pub sides: Sides,
    pub threads: usize,
}

impl Learner<'_> {
    /// Learns everything. `answers` are pairs a person judged, as levels with the answer.
    pub fn learn(&self, answers: &[(Pattern, bool)]) -> Result<(Weights, Vec<Session>), LinkError> {
        if self.sides.pairs() < 1.0 {
            return Err(LinkError::Training(
                "there are no two rows to compare; give at least two records".to_owned(),
            ));
        }
        let chance = self.chance()?;
        let mut sessions = Vec::new();
        let mut prior = Vec::new();
        for keys in &self.model.training.blocks {
            let patterns = self.blocked(keys)?;
            let pairs: f64 = patterns.iter().map(|(_, count)| count).sum();
            if pairs < 1.0 {
                continue;
            }
            let fixed = |at: usize| {
                keys.iter()
                    .any(|key| self.model.comparisons[at].columns.contains(&key.column))
            };
            let learned: Vec<usize> = (0..self.model.comparisons.len()).filter(|at| !fixed(*at)).collect();
            if learned.is_empty() {
                continue;
            }
            let session = maximise(&patterns, &chance, learned, answers);
            prior.push((session.share, keys));
            sessions.push(session);
        }
        if sessions.is_empty() {
            let message = "no block of `train` has a pair; choose keys that records of one person share";
            return Err(LinkError::Training(message.to_owned()));
        }
        let comparisons: Vec<LevelShares> = self
            .model
            .comparisons
            .iter()
            .enumerate()
            .map(|(at, comparison)| LevelShares {
                comparison: comparison.name.clone(),
                levels: comparison.levels.iter().map(|level| level.text.clone()).collect(),
                m: averaged(&sessions, at, &chance[at]),
                u: chance[at].clone(),
            })
            .collect();
        let weights = Weights {
            prior: self.prior(&prior, &comparisons),
            comparisons,
        };
        Ok((weights, sessions))
    }

    /// For each comparison the share of random pairs at each level. All pairs where there are no more than wanted.
    fn chance(&self) -> Result<Vec<Vec<f64>>, LinkError> {
        let wanted = self.model.training.pairs;
        let all = self.sides.pairs();
        let left = self.sides.left.clone();
        let right = self.sides.right.clone();
        let width = self.compares.all.len();
        let (every, count) = match all <= wanted as f64 {
            true => (true, left.len()),
            false => (false, wanted.div_ceil(PIECE)),
        };
        let counted = threads::each(
            self.threads,
            count,
            || self.compares.caches(),
            |caches, piece| {
                let mut counts = vec![[0_u64; 16]; width];
                let mut add = |a: usize, b: usize| {
                    let pattern = self.compares.pattern(self.rows, a as u32, b as u32, caches);
                    for (at, counts) in counts.iter_mut().enumerate() {
                        counts[level_of(pattern, at) as usize] += 1;
                    }
                };
                if every {
                    let row = left.start + piece;
                    match &right {
                        Some(right) => right.clone().for_each(|other| add(row, other)),
                        None => (row + 1..left.end).for_each(|other| add(row, other)),
                    }
                } else {
                    let mut random = Random(mixed(
                        self.model.training.seed ^ (piece as u64).wrapping_mul(0x2545_f491_4f6c_dd1d),
                    ));
                    for _ in 0..PIECE {
                        let row = random.within(&left);
                        let other = random.within(right.as_ref().unwrap_or(&left));
                        if right.is_some() || row != other {
                            add(row.min(other), row.max(other));
                        }
                    }
                }
                Ok(counts)
            },
        )?;
        let mut sums = vec![[0_u64; 16]; width];
        for counts in counted {
            for (sum, count) in sums.iter_mut().zip(counts) {
                sum.iter_mut().zip(count).for_each(|(sum, count)| *sum += count);
            }
        }
        let shares = |(at, counts): (usize, &[u64; 16])| {
            let levels = self.model.comparisons[at].levels.len() + 1;
            let total: u64 = counts[..levels].iter().sum();
            // half a pair where none was seen
            let mut shares: Vec<f64> = counts[..levels]
                .iter()
                .map(|count| (*count as f64).max(0.5) / (total as f64).max(1.0))
                .collect();
            if let Some(exact) = self.exact(at).filter(|_| !every) {
                // known without a sample; the others share the rest as they were seen
                let rest: f64 = shares[1..].iter().sum();
                shares[1..]
                    .iter_mut()
                    .for_each(|share| *share *= (1.0 - exact) / rest.max(LEAST));
                shares[0] = exact;
            }
            shares
        };
        Ok(sums.iter().enumerate().map(shares).collect())
    }

    /// The share of chance pairs that agree exactly in a comparison of one column, from how often each value stands.
    fn exact(&self, at: usize) -> Option<f64> {
        let [column] = self.model.comparisons[at].columns.as_slice() else {
            return None;
        };
        if !self.compares.all[at].exact_first {
            return None;
        }
        let codes = &self.rows.columns.get(*column)?.codes;
        let count = |range: Range<usize>| counted(codes[range].iter().copied());
        let (left, of_left) = count(self.sides.left.clone());
        let (agreeing, pairs) = match &self.sides.right {
            None => {
                let agreeing: u128 = left
                    .iter()
                    .map(|count| u128::from(*count) * u128::from(count.saturating_sub(1)))
                    .sum();
                (agreeing, u128::from(of_left) * u128::from(of_left.saturating_sub(1)))
            }
            Some(right) => {
                let (right, of_right) = count(right.clone());
                let agreeing: u128 = left
                    .iter()
                    .zip(&right)
                    .map(|(a, b)| u128::from(*a) * u128::from(*b))
                    .sum();
                (agreeing, u128::from(of_left) * u128::from(of_right))
            }
        };
        (pairs > 0).then(|| (agreeing as f64).max(0.5) / pairs as f64)
    }

    /// The levels of the pairs of a training block, counted.
    fn blocked(&self, keys: &[Expression]) -> Result<Patterns, LinkError> {
        let hashes = keys_of(self.rows, keys, 0);
        let sorted = |range: Range<usize>| {
            let mut sorted: Vec<(u64, u32)> = range
                .filter(|row| hashes[*row] != 0)
                .map(|row| (hashes[row], row as u32))
                .collect();
            sorted.sort_unstable();
            sorted
        };
        let left = sorted(self.sides.left.clone());
        let right = self.sides.right.clone().map(sorted);
        let mut groups = match &right {
            Some(right) => between(&left, right),
            None => within(&left),
        };
        groups.retain(|group| group.left.len() + group.right.len() <= EM_BLOCK_ROWS);
        let size = |group: &Group| match right {
            Some(_) => (group.left.len() * group.right.len()) as u64,
            None => (group.left.len() * (group.left.len() - 1) / 2) as u64,
        };
        let total: u64 = groups.iter().map(size).sum();
        // an even sample of blocks, in the order of their keys, which are hashes
        let step = (total / EM_PAIRS).max(1) as usize;
        let groups: Vec<&Group> = groups.iter().step_by(step).collect();
        const GROUPS: usize = 256;
        let pieces = groups.len().div_ceil(GROUPS);
        let counted = threads::each(
            self.threads,
            pieces,
            || self.compares.caches(),
            |caches, piece| {
                let mut counts: FxHashMap<Pattern, u32> = FxHashMap::default();
                for group in groups.iter().skip(piece * GROUPS).take(GROUPS) {
                    for (place, (_, a)) in left[group.left.clone()].iter().enumerate() {
                        let others = match &right {
                            Some(right) => &right[group.right.clone()],
                            None => &left[group.left.start + place + 1..group.left.end],
                        };
                        for (_, b) in others {
                            *counts
                                .entry(self.compares.pattern(self.rows, *a, *b, caches))
                                .or_default() += 1;
                        }
                    }
                }
                Ok(counts)
            },
        )?;
        let mut sums: FxHashMap<Pattern, f64> = FxHashMap::default();
        for (pattern, count) in counted.into_iter().flatten() {
            *sums.entry(pattern).or_default() += f64::from(count);
        }
        let mut patterns: Patterns = sums.into_iter().collect();
        // sums of floats in one order
        patterns.sort_unstable_by_key(|(pattern, _)| *pattern);
        Ok(patterns)
    }

    /// The chance that two random rows match: the share found in each block, with the evidence taken out that agreeing in the
    /// block's keys gives.
    fn prior(&self, found: &[(f64, &Vec<Expression>)], comparisons: &[LevelShares]) -> f64 {
        let mut bits = 0.0;
        for (share, keys) in found {
            let mut sum = crate::weights::bits_of(*share);
            for (at, comparison) in self.model.comparisons.iter().enumerate() {
                if keys.iter().any(|key| comparison.columns.contains(&key.column)) {
                    sum -= (comparisons[at].m[0].max(LEAST) / comparisons[at].u[0].max(LEAST)).log2();
                }
            }
            bits += sum / found.len() as f64;
        }
        // not below one match in all pairs, nor above one in ten
        crate::weights::probability(bits).clamp(1.0 / self.sides.pairs().max(10.0), 0.1)
    }
}

/// The mean of the sessions that learned a comparison, or a start value where none did.
fn averaged(sessions: &[Session], at: usize, chance: &[f64]) -> Vec<f64> {
    let found: Vec<&Vec<f64>> = sessions
        .iter()
        .filter_map(|session| {
            let place = session.learned.iter().position(|learned| *learned == at)?;
            session.m.get(place)
        })
        .collect();
    if found.is_empty() {
        return start(chance.len());
    }
    let mut m: Vec<f64> = (0..chance.len())
        .map(|level| found.iter().map(|m| m[level]).sum::<f64>() / found.len() as f64)
        .collect();
    let total: f64 = m.iter().sum();
    m.iter_mut().for_each(|share| *share /= total.max(LEAST));
    m
}

/// What matches are thought to do before anything is known: most agree, fewer at each level below.
fn start(levels: usize) -> Vec<f64> {
    let mut m: Vec<f64> = (0..levels)
        .map(|level| {
            if level == 0 {
                0.85
            } else {
                0.15 / (levels - 1).max(1) as f64
            }
        })
        .collect();
    if levels == 1 {
        m[0] = 1.0;
    }
    m
}

/// Expectation maximisation of m and of the share of matches, u held. Levels of comparisons that are not learned do not count;
/// null counts for neither side. Answered pairs count with their answer.
pub(crate) fn maximise(
    patterns: &Patterns,
    chance: &[Vec<f64>],
    learned: Vec<usize>,
    answers: &[(Pattern, bool)],
) -> Session {
    let mut merged: FxHashMap<Pattern, f64> = FxHashMap::default();
    let mask: Pattern = learned.iter().map(|at| (15 as Pattern) << (at * LEVEL_BITS)).sum();
    for (pattern, count) in patterns {
        *merged.entry(pattern & mask).or_default() += count;
    }
    let mut merged: Patterns = merged.into_iter().collect();
    merged.sort_unstable_by_key(|(pattern, _)| *pattern);
    let mut certain: Vec<Vec<f64>> = learned.iter().map(|at| vec![0.0; chance[*at].len()]).collect();
    for (pattern, _) in answers.iter().filter(|(_, matches)| *matches) {
        for (counts, at) in certain.iter_mut().zip(&learned) {
            if let Some(count) = counts.get_mut(level_of(*pattern, *at) as usize) {
                *count += 1.0;
            }
        }
    }
    let mut m: Vec<Vec<f64>> = learned.iter().map(|at| start(chance[*at].len())).collect();
    let mut share = 0.1_f64;
    let total: f64 = merged.iter().map(|(_, count)| count).sum();
    let mut likelihood = Vec::new();
    for _ in 0..ROUNDS {
        let mut sums = certain.clone();
        let mut matches = 0.0;
        let mut log = 0.0;
        for (pattern, count) in &merged {
            let (mut yes, mut no) = (share, 1.0 - share);
            for (m, at) in m.iter().zip(&learned) {
                let level = level_of(*pattern, *at);
                if level != NULL_LEVEL {
                    yes *= m[level as usize].max(LEAST);
                    no *= chance[*at][level as usize].max(LEAST);
                }
            }
            let sum = (yes + no).max(f64::MIN_POSITIVE);
            let weight = yes / sum * count;
            log += sum.ln() * count;
            matches += weight;
            for (sums, at) in sums.iter_mut().zip(&learned) {
                let level = level_of(*pattern, *at);
                if level != NULL_LEVEL {
                    sums[level as usize] += weight;
                }
            }
        }
        for (counts, m) in certain.iter().zip(&m) {
            log += counts
                .iter()
                .zip(m)
                .map(|(count, m)| count * m.max(LEAST).ln())
                .sum::<f64>();
        }
        likelihood.push(log);
        let mut moved = 0.0_f64;
        for (m, sums) in m.iter_mut().zip(&sums) {
            let total: f64 = sums.iter().sum();
            if total > 0.0 {
                for (m, sum) in m.iter_mut().zip(sums) {
                    let next = (sum / total).max(LEAST);
                    moved = moved.max((next - *m).abs());
                    *m = next;
                }
            }
        }
        let next = (matches / total.max(1.0)).clamp(1e-9, 1.0 - 1e-9);
        moved = moved.max((next - share).abs());
        share = next;
        if moved < SETTLED {
            break;
        }
    }
    Session {
        learned,
        pairs: total as u64,
        share,
        likelihood,
        m,
    }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the sample is the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    fn within(&mut self, range: &Range<usize>) -> usize {
        let width = range.len().max(1) as u128;
        range.start + ((u128::from(self.next()) * width) >> 64) as usize
    }
}
