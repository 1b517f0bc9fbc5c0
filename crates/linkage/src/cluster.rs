//! From pairs to persons: connected components, clusters that hold together on average, and at most one partner for each record.

use crate::matching::Pair;
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
use petgraph::unionfind::UnionFind;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Most cells of the table that one assignment is solved in; a larger component loses its weakest pairs first.
const MOST_CELLS: usize = 250_000;

/// Pairs of two tables as pairs of one list of rows: those of the right table are counted on from `left_rows`.
#[must_use]
pub fn in_one_list(left_rows: usize, pairs: &[Pair]) -> Vec<Pair> {
    let first = u32::try_from(left_rows).unwrap_or(u32::MAX);
    let moved = |pair: &Pair| Pair {
        right: pair.right.saturating_add(first),
        ..*pair
    };
    pairs.iter().map(moved).collect()
}

/// Connected components: for each of `count` rows the smallest row it is connected with by pairs of at least this weight.
#[must_use]
pub fn components(count: usize, pairs: &[Pair], least_weight: f64) -> Vec<u32> {
    let mut union: UnionFind<usize> = UnionFind::new(count);
    for pair in pairs.iter().filter(|pair| f64::from(pair.weight) >= least_weight) {
        let (left, right) = (pair.left as usize, pair.right as usize);
        if left < count && right < count {
            union.union(left, right);
        }
    }
    let mut smallest: Vec<u32> = vec![u32::MAX; count];
    (0..count)
        .map(|row| {
            let root = union.find_mut(row);
            if smallest[root] == u32::MAX {
                smallest[root] = u32::try_from(row).unwrap_or(u32::MAX);
            }
            smallest[root]
        })
        .collect()
}

/// Clusters in which every two parts fit on average (group-average linkage, Sokal and Michener 1958): beginning with single rows, the
/// two clusters whose rows have the highest mean weight with each other are joined, as long as that is at least `least_weight`. A pair that
/// is not in the list counts `missing`, which should be the floor below which pairs were not kept. A chain of doubtful pairs that makes
/// one component of many persons does not make one cluster, and a record that is doubtful with each of a person's records may still
/// be theirs. For each row the smallest row of its cluster. Memory grows with the pairs of the largest component.
#[must_use]
pub fn clusters(count: usize, pairs: &[Pair], least_weight: f64, missing: f64) -> Vec<u32> {
    let groups = components(count, pairs, least_weight);
    let mut inside: Vec<(u32, Pair)> = pairs
        .iter()
        .filter_map(|pair| {
            let group = *groups.get(pair.left as usize)?;
            (groups.get(pair.right as usize) == Some(&group)).then_some((group, *pair))
        })
        .collect();
    inside.sort_unstable_by_key(|(group, pair)| (*group, pair.left, pair.right));
    let mut heads: Vec<u32> = (0..count).map(|row| u32::try_from(row).unwrap_or(u32::MAX)).collect();
    for part in inside.chunk_by(|a, b| a.0 == b.0) {
        match part {
            // two rows of one pair: the commonest by far
            [(_, pair)] => heads[pair.right as usize] = pair.left,
            _ => Linkage::new(part, least_weight, missing).join(&mut heads),
        }
    }
    heads
}

/// A weight as a whole number, so that sums do not depend on their order.
fn whole(weight: f64) -> i64 {
    (weight.clamp(-1e6, 1e6) * 65_536.0) as i64
}

/// Sum of the weights between two clusters, and of how many pairs.
type Sum = (i64, u64);

/// The clusters of one component on their way together.
struct Linkage {
    rows: Vec<u32>,
    sizes: Vec<u64>,
    sums: Vec<FxHashMap<u32, Sum>>,
    /// Candidates by mean weight; what changed since is told by the mean being another.
    queue: BinaryHeap<(i64, Reverse<(u32, u32)>)>,
    least: i64,
    missing: i64,
}

impl Linkage {
    fn new(part: &[(u32, Pair)], least_weight: f64, missing: f64) -> Linkage {
        let mut rows: Vec<u32> = part.iter().flat_map(|(_, pair)| [pair.left, pair.right]).collect();
        rows.sort_unstable();
        rows.dedup();
        let mut linkage = Linkage {
            sizes: vec![1; rows.len()],
            sums: vec![FxHashMap::default(); rows.len()],
            queue: BinaryHeap::new(),
            least: whole(least_weight),
            missing: whole(missing),
            rows,
        };
        for (_, pair) in part {
            let place = |row: u32| {
                linkage
                    .rows
                    .binary_search(&row)
                    .ok()
                    .and_then(|place| u32::try_from(place).ok())
            };
            if let (Some(left), Some(right)) = (place(pair.left), place(pair.right)) {
                let sum = (whole(f64::from(pair.weight)), 1);
                linkage.sums[left as usize].insert(right, sum);
                linkage.sums[right as usize].insert(left, sum);
                linkage.offer(left, right);
            }
        }
        linkage
    }

    /// The mean weight between two clusters.
    fn mean(&self, a: u32, b: u32) -> Option<i64> {
        let (sum, count) = *self.sums[a as usize].get(&b)?;
        let all = self.sizes[a as usize] * self.sizes[b as usize];
        let unknown = i64::try_from(all - count).ok()?;
        sum.checked_add(self.missing.checked_mul(unknown)?)?
            .checked_div(i64::try_from(all).ok()?)
    }

    fn offer(&mut self, a: u32, b: u32) {
        if let Some(mean) = self.mean(a, b).filter(|mean| *mean >= self.least) {
            self.queue.push((mean, Reverse((a.min(b), a.max(b)))));
        }
    }

    fn join(mut self, heads: &mut [u32]) {
        while let Some((mean, Reverse((a, b)))) = self.queue.pop() {
            // out of date: one of them is gone, or has grown
            if self.mean(a, b) != Some(mean) {
                continue;
            }
            let mut gone = std::mem::take(&mut self.sums[b as usize]);
            gone.remove(&a);
            self.sums[a as usize].remove(&b);
            for (other, (sum, count)) in gone {
                self.sums[other as usize].remove(&b);
                let of_other = self.sums[other as usize].entry(a).or_default();
                *of_other = (of_other.0 + sum, of_other.1 + count);
                let joined = *of_other;
                self.sums[a as usize].insert(other, joined);
            }
            self.sizes[a as usize] += self.sizes[b as usize];
            self.sizes[b as usize] = 0;
            let (from, to) = (self.rows[b as usize], self.rows[a as usize]);
            heads[from as usize] = to;
            let others: Vec<u32> = self.sums[a as usize].keys().copied().collect();
            for other in others {
                self.offer(a, other);
            }
        }
        // a head is always the smaller row, so in ascending order each points at one that is settled
        for row in &self.rows {
            let head = heads[*row as usize];
            heads[*row as usize] = heads[head as usize];
        }
    }
}

/// The pairs of two tables with at most one for each row of either, so that the sum of what they lie above `least_weight` is the
/// highest there is. Each connected component is solved by itself (Kuhn–Munkres); of one larger than 250,000 possible pairs the
/// weakest links are cut until it falls apart, and then the highest is not certain. In the order of the rows.
#[must_use]
pub fn one_to_one(left_rows: usize, right_rows: usize, pairs: &[Pair], least_weight: f64) -> Vec<Pair> {
    let chosen = pairs
        .iter()
        .filter(|pair| f64::from(pair.weight) >= least_weight)
        .copied()
        .collect();
    let mut kept = Vec::new();
    let mut work: Vec<Vec<Pair>> = vec![chosen];
    while let Some(chosen) = work.pop() {
        for part in apart(left_rows, right_rows, &chosen) {
            if let [single] = part.as_slice() {
                kept.push(*single);
                continue;
            }
            let (rows, columns) = (ends(&part, |pair| pair.left), ends(&part, |pair| pair.right));
            if rows.len().saturating_mul(columns.len()) <= MOST_CELLS {
                solve(&part, &rows, &columns, least_weight, &mut kept);
                continue;
            }
            // the weaker half goes; equal weights go together
            let mut weights: Vec<f32> = part.iter().map(|pair| pair.weight).collect();
            weights.sort_unstable_by(f32::total_cmp);
            let middle = weights.get(weights.len() / 2).copied().unwrap_or(0.0);
            let stronger: Vec<Pair> = part.iter().filter(|pair| pair.weight > middle).copied().collect();
            work.push(if stronger.is_empty() { greedy(part) } else { stronger });
        }
    }
    kept.sort_unstable_by_key(|pair| (pair.left, pair.right));
    kept
}

/// Strongest first, each row once: for a component of equal weights that is too large.
fn greedy(mut pairs: Vec<Pair>) -> Vec<Pair> {
    pairs.sort_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then((a.left, a.right).cmp(&(b.left, b.right)))
    });
    let (mut lefts, mut rights) = (rustc_hash::FxHashSet::default(), rustc_hash::FxHashSet::default());
    pairs.retain(|pair| {
        let free = !lefts.contains(&pair.left) && !rights.contains(&pair.right);
        if free {
            lefts.insert(pair.left);
            rights.insert(pair.right);
        }
        free
    });
    pairs
}

/// The pairs of each component.
fn apart(left_rows: usize, right_rows: usize, pairs: &[Pair]) -> Vec<Vec<Pair>> {
    let groups = components(
        left_rows + right_rows,
        &in_one_list(left_rows, pairs),
        f64::NEG_INFINITY,
    );
    let mut keyed: Vec<(u32, Pair)> = pairs
        .iter()
        .filter_map(|pair| Some((groups.get(pair.left as usize).copied()?, *pair)))
        .collect();
    keyed.sort_unstable_by_key(|(group, pair)| (*group, pair.left, pair.right));
    keyed
        .chunk_by(|a, b| a.0 == b.0)
        .map(|run| run.iter().map(|(_, pair)| *pair).collect())
        .collect()
}

fn ends(pairs: &[Pair], end: impl Fn(&Pair) -> u32) -> Vec<u32> {
    let mut rows: Vec<u32> = pairs.iter().map(end).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

fn solve(part: &[Pair], rows: &[u32], columns: &[u32], least_weight: f64, kept: &mut Vec<Pair>) {
    // as many columns more as there are rows, worth nothing: a row may stay alone
    let mut table: Matrix<i64> = Matrix::new(rows.len(), columns.len() + rows.len(), 0);
    for pair in part {
        if let (Ok(row), Ok(column)) = (rows.binary_search(&pair.left), columns.binary_search(&pair.right)) {
            // millionths of a bit, and one more, so that a pair on the threshold counts
            table[(row, column)] = ((f64::from(pair.weight) - least_weight).clamp(0.0, 1e6) * 1e6) as i64 + 1;
        }
    }
    let (_, partners) = kuhn_munkres(&table);
    for (row, column) in partners.into_iter().enumerate() {
        let wanted = columns.get(column).map(|right| (rows[row], *right));
        kept.extend(part.iter().find(|pair| Some((pair.left, pair.right)) == wanted));
    }
}
