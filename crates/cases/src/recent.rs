//! What was needed a moment ago and will be again: kept in memory, a bounded number of each, gone with the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use civic::ids::PersonId;
use jiff::civil::Date;
use rules::Decision;
use uuid::Uuid;

use crate::people::Person;

/// Most of each kind.
const KEPT: usize = 1024;

/// A decision with the revision and the day it holds for.
type Kept = (i64, Date, Arc<Decision>);

/// Decisions on drafts, and people who are signed in.
///
/// A page saved and the page shown after it need the rules once: answers change only with the revision, so a decision of the
/// same revision and day is the same decision. A person's row is changed at the counter alone, which forgets the person here.
#[derive(Default)]
pub struct Recent {
    decisions: Mutex<HashMap<Uuid, Kept>>,
    people: Mutex<HashMap<PersonId, Person>>,
}

impl std::fmt::Debug for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recent")
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recent {
    pub(crate) fn decision(&self, id: &Uuid, revision: i64, on: Date) -> Option<Arc<Decision>> {
        let kept = lock(&self.decisions);
        kept.get(id)
            .filter(|(at, day, _)| *at == revision && *day == on)
            .map(|(_, _, decision)| Arc::clone(decision))
    }

    pub(crate) fn keep_decision(&self, id: Uuid, revision: i64, on: Date, decision: Arc<Decision>) {
        let mut kept = lock(&self.decisions);
        if kept.len() >= KEPT && !kept.contains_key(&id) {
            kept.clear();
        }
        kept.insert(id, (revision, on, decision));
    }

    /// Forgets what is known of a case: it was handed in or destroyed.
    pub(crate) fn forget(&self, id: &Uuid) {
        lock(&self.decisions).remove(id);
    }

    pub(crate) fn person(&self, id: PersonId) -> Option<Person> {
        lock(&self.people).get(&id).cloned()
    }

    /// Forgets a person whose row was changed.
    pub(crate) fn forget_person(&self, id: PersonId) {
        lock(&self.people).remove(&id);
    }

    pub(crate) fn keep_person(&self, person: &Person) {
        let mut kept = lock(&self.people);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(person.id, person.clone());
    }
}
