//! Chance without surprises: whole numbers from one stream of ChaCha, the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use serde::Deserialize;

/// A stream of draws. Each family has a stream of its own, so that it can be made again alone.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of this number under a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut key = [0_u8; 32];
        for (to, from) in key.iter_mut().zip(seed.to_le_bytes()) {
            *to = from;
        }
        let mut random = ChaCha8Rng::from_seed(key);
        random.set_stream(stream);
        Self(random)
    }

    /// A whole number from 0 to below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        let product = u128::from(self.0.next_u64()) * u128::from(n);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// True in so many of a thousand cases.
    pub fn chance(&mut self, thousandths: u64) -> bool {
        self.below(1000) < thousandths
    }

    /// The place of one of several weights.
    pub fn weighted(&mut self, weights: impl Iterator<Item = u64> + Clone) -> usize {
        let mut left = self.below(weights.clone().sum::<u64>().max(1));
        for (place, weight) in weights.enumerate() {
            if left < weight {
                return place;
            }
            left -= weight;
        }
        0
    }

    /// One of a list.
    pub fn one<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let place = self.below(u64::try_from(list.len()).unwrap_or(0));
        list.get(usize::try_from(place).unwrap_or(0))
    }

    /// A value of a quantile table.
    pub fn value(&mut self, table: &Quantiles) -> i64 {
        let at = i64::try_from(self.below(1_000_000)).unwrap_or(0);
        table.at(at)
    }
}

/// A distribution: thousandths of the people and the value that so many stay below, rising; straight in between.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Quantiles(Vec<(i64, i64)>);

impl Quantiles {
    /// The value at a millionth.
    fn at(&self, millionth: i64) -> i64 {
        for pair in self.0.windows(2) {
            if let [(from, low), (to, high)] = pair
                && millionth <= to * 1000
            {
                let width = ((to - from) * 1000).max(1);
                return low + (high - low) * (millionth - from * 1000) / width;
            }
        }
        self.0.last().map_or(0, |(_, value)| *value)
    }

    /// Whether it begins at 0, ends at 1000 and only rises.
    #[cfg(test)]
    pub fn is_sound(&self) -> bool {
        let rises = self
            .0
            .windows(2)
            .all(|pair| matches!(pair, [(a, x), (b, y)] if a < b && x <= y));
        rises
            && self.0.first().is_some_and(|(first, _)| *first == 0)
            && self.0.last().is_some_and(|(last, _)| *last == 1000)
    }
}
