//! Cache of rows that were read a moment ago.

use std::{
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quick_cache::sync::Cache;

use crate::clock::Timestamp;

/// Time for which a row is used before it is queried again, and thus the longest time for which
/// this instance misses a change made by another one or by a command of the operator.
pub(crate) const USED_FOR: Duration = Duration::from_secs(1);
/// Age from which one request queries a row again, while the others use the cached one.
const RENEWED_AFTER: Duration = Duration::from_millis(500);

/// Rows that were found lately, by their keys.
pub(super) struct Recent<K, V> {
    found: Cache<K, Remembered<V>>,
    /// Number of changes so far. A row that was read before a change is not cached after it.
    forgotten: Mutex<u64>,
}

#[derive(Clone)]
struct Remembered<V> {
    value: V,
    read_at: Timestamp,
    /// Set while a request queries the row again.
    is_renewed: bool,
}

/// Number of changes when a query began.
pub(super) struct Begun(u64);

impl<K: Clone + Eq + Hash, V: Clone> Recent<K, V> {
    /// Creates a cache of a number of rows.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            found: Cache::new(capacity),
            forgotten: Mutex::default(),
        }
    }

    /// Returns a row if it is cached and need not be queried again.
    pub(super) fn recall(&self, key: &K, now: Timestamp) -> Option<V> {
        let remembered = self.found.get(key)?;
        let age = now.since(remembered.read_at);
        if age < RENEWED_AFTER || age < USED_FOR && remembered.is_renewed {
            return Some(remembered.value);
        }
        if age < USED_FOR {
            self.note_renewal(key, remembered);
        }
        None
    }

    /// Lets other requests use a row while one request queries it again. Two requests at the same
    /// moment may both query it.
    fn note_renewal(&self, key: &K, remembered: Remembered<V>) {
        // Held, so that a row that is forgotten meanwhile is not inserted again.
        let _forgotten = self.forgotten();
        let current = self.found.peek(key);
        if current.is_some_and(|current| current.read_at == remembered.read_at) {
            let renewed = Remembered {
                is_renewed: true,
                ..remembered
            };
            self.found.insert(key.clone(), renewed);
        }
    }

    /// To be called before a query whose row is passed to [`Recent::remember`].
    pub(super) fn begin(&self) -> Begun {
        Begun(*self.forgotten())
    }

    /// Caches a row, or that there is none, unless something changed since the query began.
    pub(super) fn remember(&self, key: &K, value: Option<V>, now: Timestamp, begun: &Begun) {
        let forgotten = self.forgotten();
        match value {
            Some(value) if *forgotten == begun.0 => {
                let remembered = Remembered {
                    value,
                    read_at: now,
                    is_renewed: false,
                };
                self.found.insert(key.clone(), remembered);
            }
            _ => drop(self.found.remove(key)),
        }
    }

    /// Removes a row. To be called once its change may be committed, and before that change is
    /// answered.
    pub(super) fn forget(&self, key: &K) {
        *self.forgotten() += 1;
        self.found.remove(key);
    }

    /// Removes all rows, like [`Recent::forget`].
    pub(super) fn forget_all(&self) {
        *self.forgotten() += 1;
        self.found.clear();
    }

    fn forgotten(&self) -> MutexGuard<'_, u64> {
        // A number is never left half written, so a panic elsewhere does not spoil it.
        self.forgotten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
