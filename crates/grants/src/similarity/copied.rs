//! Copied passages of two plans: runs of equal letters found by shingles, joined over small changes.

use super::Passage;
use super::prepare::Prepared;
use crate::programme::SimilarityRules;

/// Letters that may differ between two runs of one passage, on either side.
const GAP: usize = 8;

/// A run of equal letters.
#[derive(Clone, Copy, Debug)]
struct Run {
    left: usize,
    right: usize,
    length: usize,
}

/// Runs that belong together.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: Run,
    last: Run,
    /// Letters of all runs that are not boilerplate.
    shared: usize,
}

/// The passages of two plans, the longest first, and how many letters of the first plan they cover.
pub(super) fn passages(left: &Prepared<'_>, right: &Prepared<'_>, rules: &SimilarityRules) -> (Vec<Passage>, usize) {
    let mut chains: Vec<Chain> = Vec::new();
    for run in runs(left, right) {
        let letters = left.letters.get(run.left..run.left + run.length).unwrap_or_default();
        let shared = letters.iter().filter(|letter| !letter.boilerplate).count();
        match chains.last_mut() {
            Some(chain) if follows(chain.last, run, left, right) => {
                chain.last = run;
                chain.shared += shared;
            }
            _ => chains.push(Chain {
                first: run,
                last: run,
                shared,
            }),
        }
    }
    chains.retain(|chain| chain.shared >= rules.passage);
    let covered = chains.iter().map(|chain| chain.shared).sum();
    chains.sort_by_key(|chain| (std::cmp::Reverse(chain.shared), chain.first.left));
    let passages = chains.iter().map(|chain| Passage {
        left: left.excerpt(chain.first.left, chain.last.left + chain.last.length),
        right: right.excerpt(chain.first.right, chain.last.right + chain.last.length),
        shared: chain.shared,
    });
    (passages.collect(), covered)
}

/// Whether a run goes on where another ends, but for a small change on either side and within the same parts.
fn follows(before: Run, run: Run, left: &Prepared<'_>, right: &Prepared<'_>) -> bool {
    let near = |from: usize, to: usize| to >= from && to - from <= GAP;
    let part = |plan: &Prepared<'_>, at: usize| plan.letters.get(at).map(|letter| letter.part);
    near(before.left + before.length, run.left)
        && near(before.right + before.length, run.right)
        && part(left, before.left) == part(left, run.left)
        && part(right, before.right) == part(right, run.right)
}

/// Runs in the order of the first plan, none overlapping another there.
fn runs(left: &Prepared<'_>, right: &Prepared<'_>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut at, mut end) = (0, 0);
    while at < left.shingles.len() {
        let shingle = left.shingles.get(at).copied().flatten();
        let places = shingle.and_then(|shingle| right.places.get(&shingle));
        let found = places.into_iter().flatten().filter_map(|place| {
            let forward = equal(left, right, at, *place);
            // a hash that two shingles share by chance
            (forward > 0).then(|| {
                let back = equal_before(left, right, at, *place, end);
                Run {
                    left: at - back,
                    right: place - back,
                    length: forward + back,
                }
            })
        });
        // of equal ones the nearest to where the run before ended, so that a passage stays in one piece
        let after = runs.last().map_or(0, |run| run.right + run.length);
        match found.max_by_key(|run| (run.length, std::cmp::Reverse(run.right.abs_diff(after)))) {
            Some(run) => {
                end = run.left + run.length;
                at = end;
                runs.push(run);
            }
            None => at += 1,
        }
    }
    runs
}

/// Equal letters from two places on, within their parts.
fn equal(left: &Prepared<'_>, right: &Prepared<'_>, at: usize, place: usize) -> usize {
    let (Some(a), Some(b)) = (left.letters.get(at), right.letters.get(place)) else {
        return 0;
    };
    let (from, to) = (left.letters.iter().skip(at), right.letters.iter().skip(place));
    from.zip(to)
        .take_while(|(one, other)| one.letter == other.letter && one.part == a.part && other.part == b.part)
        .count()
}

/// Equal letters just before two places, within their parts and not before `end`.
fn equal_before(left: &Prepared<'_>, right: &Prepared<'_>, at: usize, place: usize, end: usize) -> usize {
    let (Some(a), Some(b)) = (left.letters.get(at), right.letters.get(place)) else {
        return 0;
    };
    let before = left.letters.get(end..at).unwrap_or_default().iter().rev();
    let other = right.letters.get(..place).unwrap_or_default().iter().rev();
    before
        .zip(other)
        .take_while(|(one, other)| one.letter == other.letter && one.part == a.part && other.part == b.part)
        .count()
}
