//! Message ids of late, so that none counts twice; and the calls of a day under each agreement. Both bounded in memory.

use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is known of a message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is new and now remembered.
    First,
    /// It was here before.
    Again,
    /// There is no room to remember it; the message must be refused.
    Full,
}

struct Generations {
    young: HashSet<[u8; 16]>,
    old: HashSet<[u8; 16]>,
    turned: Timestamp,
}

/// Message ids, remembered for at least a window and at most two.
pub struct Replays {
    generations: Mutex<Generations>,
    window_s: i64,
    most: usize,
}

impl Replays {
    /// Remembers at most `most` ids for at least `window_s` seconds.
    #[must_use]
    pub fn new(window_s: u64, most: usize, now: Timestamp) -> Replays {
        Replays {
            generations: Mutex::new(Generations {
                young: HashSet::new(),
                old: HashSet::new(),
                turned: now,
            }),
            window_s: i64::try_from(window_s).unwrap_or(i64::MAX),
            most,
        }
    }

    /// Looks a message of a client up and remembers it.
    pub fn see(&self, client: &str, id: &str, now: Timestamp) -> Seen {
        let hash = ring::digest::digest(&ring::digest::SHA256, format!("{client}\n{id}").as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(hash.as_ref().get(..16).unwrap_or(&[0; 16]));
        let mut generations = lock(&self.generations);
        let age = now.as_second().saturating_sub(generations.turned.as_second());
        if age >= self.window_s {
            let young = std::mem::take(&mut generations.young);
            // what was young longer than two windows ago is of no use any more
            generations.old = if age >= self.window_s.saturating_mul(2) {
                HashSet::new()
            } else {
                young
            };
            generations.turned = now;
        }
        if generations.young.contains(&key) || generations.old.contains(&key) {
            return Seen::Again;
        }
        if generations.young.len() + generations.old.len() >= self.most {
            return Seen::Full;
        }
        generations.young.insert(key);
        Seen::First
    }
}

/// Calls of today under each agreement.
#[derive(Default)]
pub struct Quotas(Mutex<(Date, HashMap<String, u64>)>);

impl Quotas {
    /// Begins with what was used before, for a gateway that starts within a day.
    #[must_use]
    pub fn new(today: Date, used: HashMap<String, u64>) -> Quotas {
        Quotas(Mutex::new((today, used)))
    }

    /// Takes one call of today; false when they are used up.
    pub fn take(&self, agreement: &str, most: Option<u64>, today: Date) -> bool {
        let mut kept = lock(&self.0);
        // a clock that is set back must not open the quota again
        if today > kept.0 {
            *kept = (today, HashMap::new());
        }
        let used = kept.1.entry(agreement.to_owned()).or_default();
        if most.is_some_and(|most| *used >= most) {
            return false;
        }
        *used = used.saturating_add(1);
        true
    }

    /// Calls used on the day counted last.
    #[must_use]
    pub fn used(&self, agreement: &str) -> u64 {
        lock(&self.0).1.get(agreement).copied().unwrap_or_default()
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
