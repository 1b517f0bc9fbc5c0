//! Unwrapped data keys in memory, a bounded number of them, wiped when they leave.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;
use zeroize::Zeroizing;

const KEPT: usize = 4096;

/// An unwrapped data key and whose data it seals.
pub(super) struct Key {
    pub bytes: Zeroizing<[u8; 32]>,
    pub owner_kind: String,
    pub owner_id: String,
}

#[derive(Default)]
pub(super) struct Cache {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Two generations: when the young one is half the bound, the old one is dropped.
    young: HashMap<Uuid, Arc<Key>>,
    old: HashMap<Uuid, Arc<Key>>,
    /// Keys destroyed so far. A key read before a destruction must not be kept after it.
    destroyed: u64,
}

/// A moment before a key was read from the table.
#[derive(Clone, Copy)]
pub(super) struct Moment(u64);

impl Cache {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &Uuid) -> Option<Arc<Key>> {
        let mut inner = self.lock();
        if let Some(key) = inner.young.get(id) {
            return Some(Arc::clone(key));
        }
        let key = inner.old.remove(id)?;
        inner.insert(*id, Arc::clone(&key));
        Some(key)
    }

    pub(super) fn moment(&self) -> Moment {
        Moment(self.lock().destroyed)
    }

    pub(super) fn keep(&self, id: Uuid, key: Arc<Key>, moment: Moment) {
        let mut inner = self.lock();
        if inner.destroyed == moment.0 {
            inner.insert(id, key);
        }
    }

    pub(super) fn forget(&self, id: &Uuid) {
        let mut inner = self.lock();
        inner.destroyed += 1;
        inner.young.remove(id);
        inner.old.remove(id);
    }
}

impl Inner {
    fn insert(&mut self, id: Uuid, key: Arc<Key>) {
        if self.young.len() >= KEPT / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, key);
    }
}
