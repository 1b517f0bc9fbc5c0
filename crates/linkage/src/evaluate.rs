//! How good a match is, where the truth is known: precision and recall at every threshold, in memory that does not grow with the
//! number of pairs.

use serde::Serialize;

/// Bins of a bit.
const FINE: f64 = 64.0;
/// Weights beyond this many bits stand in the last bin.
const WIDEST: f64 = 128.0;

/// Counts of true and false pairs by weight.
#[derive(Clone, Debug)]
pub struct Curve {
    bins: Vec<(u64, u64)>,
    true_pairs: u64,
}

/// What a threshold gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Weight in bits from which pairs are taken.
    pub weight: f64,
    /// Share of the taken pairs that are true.
    pub precision: f64,
    /// Share of all true pairs that are taken.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

impl Curve {
    /// An empty curve; `true_pairs` is how many there are in all, with those no block makes.
    #[must_use]
    pub fn new(true_pairs: u64) -> Curve {
        Curve {
            bins: vec![(0, 0); (2.0 * WIDEST * FINE) as usize + 1],
            true_pairs,
        }
    }

    /// Counts a pair.
    pub fn add(&mut self, weight: f64, is_true: bool) {
        let place = ((weight + WIDEST) * FINE).clamp(0.0, 2.0 * WIDEST * FINE) as usize;
        if let Some((hits, misses)) = self.bins.get_mut(place) {
            *(if is_true { hits } else { misses }) += 1;
        }
    }

    /// The points of the curve from the highest threshold to the lowest.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        let (mut hits, mut made) = (0, 0);
        let mut points = Vec::new();
        for (place, (yes, no)) in self.bins.iter().enumerate().rev() {
            if yes + no == 0 {
                continue;
            }
            hits += yes;
            made += yes + no;
            points.push(Point {
                weight: place as f64 / FINE - WIDEST,
                precision: hits as f64 / made as f64,
                recall: hits as f64 / self.true_pairs.max(1) as f64,
                f1: 2.0 * hits as f64 / (made + self.true_pairs).max(1) as f64,
            });
        }
        points
    }

    /// The threshold with the highest F1; of equal ones the highest threshold.
    #[must_use]
    pub fn best(&self) -> Option<Point> {
        let mut best: Option<Point> = None;
        for point in self.points() {
            if best.is_none_or(|best| point.f1 > best.f1) {
                best = Some(point);
            }
        }
        best
    }

    /// The lowest threshold that keeps this precision, and so gives the most recall with it.
    #[must_use]
    pub fn with_precision(&self, precision: f64) -> Option<Point> {
        self.points().into_iter().rfind(|point| point.precision >= precision)
    }
}

/// How many pairs of a grouping are true, and how many pairs it makes, from the sizes of what falls together.
///
/// `groups` and `truth` say for each row which group it is in.
#[must_use]
pub fn grouped_pairs(groups: &[u32], truth: &[u32]) -> (u64, u64) {
    let runs = |mut keys: Vec<(u32, u32)>| {
        keys.sort_unstable();
        keys.chunk_by(|a, b| a == b)
            .map(|run| run.len() as u64 * (run.len() as u64 - 1) / 2)
            .sum::<u64>()
    };
    let both = groups.iter().copied().zip(truth.iter().copied()).collect();
    let made = groups.iter().map(|group| (*group, 0)).collect();
    (runs(both), runs(made))
}
