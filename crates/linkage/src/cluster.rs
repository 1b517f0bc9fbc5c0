//! From pairs to persons: connected components, and at most one partner for each record.

use crate::matching::Pair;
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
use petgraph::unionfind::UnionFind;

/// Most cells of the table that one assignment is solved in; a larger component loses its weakest pairs first.
const MOST_CELLS: usize = 250_000;

/// Which of `count` rows belong together: for each row the smallest row it is connected with. For pairs of one table with itself.
#[must_use]
pub fn components(count: usize, pairs: &[Pair], least_weight: f64) -> Vec<u32> {
    joined(count, pairs, least_weight, |pair| (pair.left as usize, pair.right as usize))
}

/// The same for two tables: the rows of the right one are counted on from `left_rows`.
#[must_use]
pub fn components_between(left_rows: usize, right_rows: usize, pairs: &[Pair], least_weight: f64) -> Vec<u32> {
    let ends = |pair: &Pair| (pair.left as usize, left_rows + pair.right as usize);
    joined(left_rows + right_rows, pairs, least_weight, ends)
}

fn joined(count: usize, pairs: &[Pair], least_weight: f64, ends: impl Fn(&Pair) -> (usize, usize)) -> Vec<u32> {
    let mut union: UnionFind<usize> = UnionFind::new(count);
    for pair in pairs.iter().filter(|pair| f64::from(pair.weight) >= least_weight) {
        let (left, right) = ends(pair);
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

/// The pairs of two tables with at most one for each row of either, so that the sum of what they lie above `least_weight` is the
/// highest there is. Each connected component is solved by itself (Kuhn–Munkres); of one larger than 250,000 possible pairs the
/// weakest links are cut until it falls apart, and then the highest is not certain. In the order of the rows.
#[must_use]
pub fn one_to_one(left_rows: usize, right_rows: usize, pairs: &[Pair], least_weight: f64) -> Vec<Pair> {
    let chosen = pairs.iter().filter(|pair| f64::from(pair.weight) >= least_weight).copied().collect();
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
    pairs.sort_by(|a, b| b.weight.total_cmp(&a.weight).then((a.left, a.right).cmp(&(b.left, b.right))));
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
    let groups = components_between(left_rows, right_rows, pairs, f64::NEG_INFINITY);
    let mut keyed: Vec<(u32, Pair)> = pairs
        .iter()
        .filter_map(|pair| Some((groups.get(pair.left as usize).copied()?, *pair)))
        .collect();
    keyed.sort_unstable_by_key(|(group, pair)| (*group, pair.left, pair.right));
    keyed.chunk_by(|a, b| a.0 == b.0).map(|run| run.iter().map(|(_, pair)| *pair).collect()).collect()
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
