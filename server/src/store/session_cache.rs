//! Cache of sessions, so that most requests need no query for their session.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quick_cache::sync::Cache;

use super::{
    Active, Found, KeyKind, Reader, Result, Store, active_session,
    changes::{Change, Changes},
};
use crate::clock::Timestamp;

/// Time for which a session is used before it is queried again, and thus the longest time for which
/// this instance misses a change made by another one or by a command of the operator.
pub(crate) const USED_FOR: Duration = Duration::from_secs(1);
/// Age from which one request queries a session again, while the others use the cached one.
const RENEWED_AFTER: Duration = Duration::from_millis(500);
/// Maximum number of cached sessions, of about 500 bytes each.
const CAPACITY: usize = 10_000;
/// Pause before another attempt to listen to the database.
const PAUSE: Duration = Duration::from_secs(1);

/// Active sessions that were found lately, by the hash of their key.
pub(crate) struct SessionCache {
    found: Cache<[u8; 32], Remembered>,
    /// Number of changes so far. A session that was read before a change is not cached after it.
    forgotten: Mutex<u64>,
}

#[derive(Clone)]
struct Remembered {
    session: Arc<Active>,
    read_at: Timestamp,
    /// Set while a request queries the session again.
    is_renewed: bool,
}

impl Default for SessionCache {
    fn default() -> Self {
        Self {
            found: Cache::new(CAPACITY),
            forgotten: Mutex::default(),
        }
    }
}

impl SessionCache {
    /// Returns the session of a key if it is cached, active, and need not be queried again.
    pub(crate) fn recall(&self, key_hash: &[u8; 32], now: Timestamp) -> Option<Arc<Active>> {
        let remembered = self.found.get(key_hash)?;
        let age = now.since(remembered.read_at);
        if age < RENEWED_AFTER || age < USED_FOR && remembered.is_renewed {
            return Some(remembered.session);
        }
        if age < USED_FOR {
            self.note_renewal(key_hash, remembered);
        }
        None
    }

    /// Lets other requests use a session while one request queries it again. Two requests at the
    /// same moment may both query it.
    fn note_renewal(&self, key_hash: &[u8; 32], remembered: Remembered) {
        // Held, so that a session that is forgotten meanwhile is not inserted again.
        let _forgotten = self.forgotten();
        let current = self.found.peek(key_hash);
        if current.is_some_and(|current| current.read_at == remembered.read_at) {
            let renewed = Remembered {
                is_renewed: true,
                ..remembered
            };
            self.found.insert(*key_hash, renewed);
        }
    }

    /// Looks a key up in the database. Only an active session is cached, so that invalid keys take
    /// no memory.
    pub(crate) async fn read(
        &self,
        db: &Reader,
        kind: KeyKind,
        key_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Found> {
        let forgotten = *self.forgotten();
        let found = match kind {
            KeyKind::Session => active_session::find_by_key(db, key_hash).await?,
            KeyKind::Token => active_session::find_by_token(db, key_hash).await?,
        };
        let unchanged = self.forgotten();
        match &found {
            Found::Active(session) if *unchanged == forgotten => {
                let remembered = Remembered {
                    session: Arc::clone(session),
                    read_at: now,
                    is_renewed: false,
                };
                self.found.insert(*key_hash, remembered);
            }
            _ => drop(self.found.remove(key_hash)),
        }
        Ok(found)
    }

    /// Removes changed sessions, so that the next request with their key queries the database. To
    /// be called once a change of the session, its user or their memberships may be committed, and
    /// before that change is answered.
    pub(crate) fn forget(&self, change: &Change) {
        let mut forgotten = self.forgotten();
        *forgotten += 1;
        match change {
            Change::Session(key_hash) => drop(self.found.remove(key_hash)),
            Change::All => self.found.clear(),
        }
    }

    /// Forgets the sessions whose changes other instances announce, if the database passes such
    /// messages on. The future may be dropped at any time.
    pub(crate) async fn follow(&self, store: &Store) {
        loop {
            match Changes::of(store).await {
                Ok(Some(mut changes)) => {
                    // Earlier announcements were not received.
                    self.forget(&Change::All);
                    let error = loop {
                        match changes.next().await {
                            Ok(change) => self.forget(&change),
                            Err(error) => break error,
                        }
                    };
                    tracing::debug!(%error, "cannot listen to other instances");
                }
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "cannot listen to other instances"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn forgotten(&self) -> MutexGuard<'_, u64> {
        // A number is never left half written, so a panic elsewhere does not spoil it.
        self.forgotten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
