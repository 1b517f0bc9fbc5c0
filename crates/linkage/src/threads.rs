//! The same work for many pieces, on the threads that are allowed.

use crate::error::LinkError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does the work for the pieces 0 to `count` and gives the results in their order, whatever thread did which. Each thread has
/// a state of its own, made by `begin`, and takes the next piece when it is done with one.
pub(crate) fn each<S, T: Send>(
    threads: usize,
    count: usize,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, LinkError> + Sync,
) -> Result<Vec<T>, LinkError> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut state = begin();
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= count {
                return Ok(done);
            }
            done.push((place, work(&mut state, place)?));
        }
    };
    let threads = threads.clamp(1, count.max(1));
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut all = run()?;
        for other in others {
            all.extend(other.join().map_err(|_| LinkError::Thread)??);
        }
        Ok::<_, LinkError>(all)
    })?;
    all.sort_unstable_by_key(|(place, _)| *place);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}

/// As many threads as the machine has cores.
#[must_use]
pub fn available() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
