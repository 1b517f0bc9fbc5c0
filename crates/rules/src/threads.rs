//! The same work for many pieces, on every core.

use crate::error::RuleError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does the work for the pieces 0 to `count` and gives the results in their order. Each thread takes the next piece when
/// it is done with one, so that a slow piece holds nobody up.
pub(crate) fn each<T: Send>(
    count: usize,
    work: impl Fn(usize) -> Result<T, RuleError> + Sync,
) -> Result<Vec<T>, RuleError> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= count {
                return Ok(done);
            }
            done.push((place, work(place)?));
        }
    };
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(count.max(1));
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut all = run()?;
        for other in others {
            let stopped = |_| RuleError::Population("a thread stopped; try again with more memory".to_owned());
            all.extend(other.join().map_err(stopped)??);
        }
        Ok::<_, RuleError>(all)
    })?;
    all.sort_by_key(|(place, _)| *place);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}
