//! What was learned: for each level of each comparison how often matches (m) and chance pairs (u) reach it, and the weight of a
//! pair by them (Fellegi and Sunter, "A theory for record linkage", JASA 64, 1969).

use crate::compare::{Compares, NULL_LEVEL, Pattern, level_of};
use crate::encode::Rows;
use crate::error::LinkError;
use crate::model::Model;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// The smallest share a level is given: what was never seen is rare, not impossible.
pub(crate) const LEAST: f64 = 1e-7;

/// Shares of a comparison's levels, "anything else" last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelShares {
    /// The comparison's name in the model.
    pub comparison: String,
    /// The levels as they are written in the model.
    pub levels: Vec<String>,
    /// Share of matches that reach each level.
    pub m: Vec<f64>,
    /// Share of chance pairs that reach each level.
    pub u: Vec<f64>,
}

/// The learned weights of a model; kept as JSON between runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Probability that two rows taken by chance are one person.
    pub prior: f64,
    /// The comparisons in the order of the model.
    pub comparisons: Vec<LevelShares>,
}

impl Weights {
    /// Whether they belong to this model.
    ///
    /// # Errors
    /// [`LinkError::Training`] with what differs.
    pub fn fit(&self, model: &Model) -> Result<(), LinkError> {
        let differs =
            |what: String| LinkError::Training(format!("the weights are of another model: {what}; train again"));
        if self.comparisons.len() != model.comparisons.len() {
            return Err(differs("the number of comparisons differs".to_owned()));
        }
        for (shares, comparison) in self.comparisons.iter().zip(&model.comparisons) {
            let levels: Vec<&String> = comparison.levels.iter().map(|level| &level.text).collect();
            let same = shares.comparison == comparison.name
                && shares.levels.iter().collect::<Vec<_>>() == levels
                && shares.m.len() == levels.len() + 1
                && shares.u.len() == levels.len() + 1;
            let sound = shares
                .m
                .iter()
                .chain(&shares.u)
                .all(|share| (0.0..=1.0).contains(share));
            if !same || !sound {
                return Err(differs(format!("comparison `{}`", comparison.name)));
            }
        }
        if !(0.0..1.0).contains(&self.prior) {
            return Err(differs("the prior is no probability".to_owned()));
        }
        Ok(())
    }

    /// The weight of a level in bits.
    #[must_use]
    pub fn bits(&self, comparison: usize, level: u8) -> f64 {
        let Some(shares) = self.comparisons.get(comparison) else {
            return 0.0;
        };
        match (shares.m.get(level as usize), shares.u.get(level as usize)) {
            (Some(m), Some(u)) => (m.max(LEAST) / u.max(LEAST)).log2(),
            _ => 0.0,
        }
    }
}

/// Bits of a probability's odds.
#[must_use]
pub fn bits_of(probability: f64) -> f64 {
    let probability = probability.clamp(1e-12, 1.0 - 1e-12);
    (probability / (1.0 - probability)).log2()
}

/// The probability that bits of odds stand for.
#[must_use]
pub fn probability(bits: f64) -> f64 {
    1.0 / (1.0 + (-bits).exp2())
}

/// What is needed to weigh pairs.
pub(crate) struct Scorer {
    prior: f64,
    /// Bits by comparison and level; null is 0.
    bits: Vec<[f64; 16]>,
    /// By comparison and level: bits added for agreement on what a code holds; empty without term frequencies.
    adjusted: Vec<Vec<Vec<f32>>>,
    /// The most a pair that does not agree exactly can gain.
    most: Vec<f64>,
    /// Comparisons in the order that rules most pairs out for least.
    order: Vec<usize>,
}

impl Scorer {
    pub fn new(model: &Model, weights: &Weights, rows: &Rows, compares: &Compares) -> Scorer {
        let mut scorer = Scorer {
            prior: bits_of(weights.prior),
            bits: Vec::new(),
            adjusted: Vec::new(),
            most: Vec::new(),
            order: (0..compares.all.len()).collect(),
        };
        for (at, comparison) in model.comparisons.iter().enumerate() {
            let mut bits = [0.0; 16];
            let mut adjusted: Vec<Vec<f32>> = vec![Vec::new(); 16];
            let mut most = f64::NEG_INFINITY;
            let frequencies = comparison.term_frequency.then(|| compares.frequencies(at));
            for level in 0..=comparison.levels.len() {
                bits[level] = weights.bits(at, level as u8);
                if let (Some((counts, _)), Some(written)) = (&frequencies, comparison.levels.get(level)) {
                    let keys = compares.all[at].exact_keys(rows, written, counts.len());
                    adjusted[level] = adjustments(&keys, counts);
                }
                if level > 0 || !compares.all[at].exact_first {
                    most = most.max(bits[level] + highest(&adjusted[level]));
                }
            }
            scorer.bits.push(bits);
            scorer.adjusted.push(adjusted);
            scorer.most.push(most);
        }
        // what costs nothing first, then what takes most away
        let spread = |at: usize| scorer.most[at] - scorer.bits[at].iter().copied().fold(f64::INFINITY, f64::min);
        scorer.order.sort_by(|a, b| {
            let cost = |at: usize| compares.all[at].costly;
            cost(*a).cmp(&cost(*b)).then(spread(*b).total_cmp(&spread(*a)))
        });
        scorer
    }

    /// The weight of a pair in bits with its levels, or none when it is below the floor.
    #[inline]
    pub fn weigh(
        &self,
        rows: &Rows,
        compares: &Compares,
        (left, right): (u32, u32),
        caches: &mut [crate::compare::Cache],
        floor: f64,
    ) -> Option<(f64, Pattern)> {
        let (a, b) = (compares.of(left), compares.of(right));
        let mut pattern: Pattern = 0;
        let mut sum = self.prior;
        // what codes alone decide
        let mut open = 0_u32;
        for (at, compare) in compares.all.iter().enumerate() {
            let (x, y) = (a[at], b[at]);
            if compare.is_null(x, y) {
                pattern |= Pattern::from(NULL_LEVEL) << (at * 4);
            } else if x == y && compare.exact_first && compare.is_full(x) {
                sum += self.bits[at][0] + self.adjustment(at, 0, x);
            } else {
                sum += self.most[at];
                open |= 1 << at;
            }
        }
        if sum < floor {
            return None;
        }
        for at in &self.order {
            let at = *at;
            if open & (1 << at) == 0 {
                continue;
            }
            let level = compares.all[at].level(rows, a[at], b[at], &mut caches[at]);
            pattern |= Pattern::from(level) << (at * 4);
            sum += self.bits[at][level as usize] - self.most[at] + self.adjustment(at, level, a[at]);
            if sum < floor {
                return None;
            }
        }
        // once more in one order, so that the sum of a pair is the same bits on every way to it
        let mut weight = self.prior;
        for (at, code) in a.iter().enumerate() {
            let level = level_of(pattern, at);
            weight += self.bits[at][level as usize] + self.adjustment(at, level, *code);
        }
        (weight >= floor).then_some((weight, pattern))
    }

    /// A value that came after the frequencies were counted is not adjusted.
    #[inline]
    fn adjustment(&self, at: usize, level: u8, code: u32) -> f64 {
        self.adjusted[at][level as usize]
            .get(code as usize)
            .copied()
            .map_or(0.0, f64::from)
    }
}

fn highest(adjusted: &[f32]) -> f64 {
    f64::from(adjusted.iter().copied().fold(0.0_f32, f32::max))
}

/// What agreement on each key is worth beside agreement on an average one, in bits. Two chance pairs agree on a key with its share f
/// squared, matches with f, so agreement on it weighs Σf²/f times the average. Keys are given by code, 0 for none.
fn adjustments(keys: &[u64], counts: &[u32]) -> Vec<f32> {
    let mut sums: FxHashMap<u64, u64> = FxHashMap::default();
    for (key, count) in keys.iter().zip(counts) {
        if *key != 0 {
            *sums.entry(*key).or_default() += u64::from(*count);
        }
    }
    // whole numbers, so that their order does not matter
    let total: u64 = sums.values().sum();
    let squares: u128 = sums
        .values()
        .map(|sum| u128::from(*sum) * u128::from(sum.saturating_sub(1)))
        .sum();
    if total < 2 {
        return Vec::new();
    }
    // of two different rows; where values stand once, agreement with a new row on one of them is an average one
    let average = (squares as f64 / (total - 1) as f64).max(1.0);
    let of = |key: &u64| match sums.get(key) {
        Some(sum) if *key != 0 => (average / (*sum).max(1) as f64).log2() as f32,
        _ => 0.0,
    };
    keys.iter().map(of).collect()
}
