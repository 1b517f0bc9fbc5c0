//! The grey zone: which pairs a person should look at, and what is learned from the answers.

use crate::matching::Pair;
use crate::model::Model;

/// The pairs between `review` and `threshold` of the model, the most doubtful first: those nearest to even odds, then by their rows.
#[must_use]
pub fn doubtful(model: &Model, pairs: &[Pair], most: usize) -> Vec<Pair> {
    let grey = |pair: &&Pair| (model.review..model.threshold).contains(&pair.probability());
    let mut found: Vec<Pair> = pairs.iter().filter(grey).copied().collect();
    found.sort_by(|a, b| (a.weight.abs().total_cmp(&b.weight.abs())).then((a.left, a.right).cmp(&(b.left, b.right))));
    found.truncate(most);
    found
}

/// By how many bits weights must move so that the answered pairs fall on the right sides of even odds: the maximum of the likelihood
/// of one intercept, with one certain answer on each side far away, so that few answers move little.
pub(crate) fn shift(judged: &[(f64, bool)]) -> f64 {
    if judged.is_empty() {
        return 0.0;
    }
    // two opposite pseudo-answers at even odds
    let slope = |shift: f64| {
        let fit = |weight: f64, matches: bool| f64::from(u8::from(matches)) - 1.0 / (1.0 + (-(weight + shift)).exp2());
        judged
            .iter()
            .map(|(weight, matches)| fit(*weight, *matches))
            .sum::<f64>()
            + fit(0.0, true)
            + fit(0.0, false)
    };
    // the slope falls with the shift: halve the interval
    let (mut low, mut high) = (-30.0, 30.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if slope(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}
