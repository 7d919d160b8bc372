//! Sessions in memory, so that most requests ask the database nothing about who sends them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quick_cache::sync::Cache;

use super::{
    Active, Found, Reader, Result, Store, active_session,
    changes::{Change, Changes},
};
use crate::clock::Timestamp;

/// Time that a session is used before the database is asked again, and thus the longest that this
/// instance misses a change made by another one or by a command of the operator.
pub(crate) const USED_FOR: Duration = Duration::from_secs(1);
/// From this age on one request asks again while the others go on.
const RENEWED_AFTER: Duration = Duration::from_millis(500);
/// The most sessions in memory, each of some 500 bytes.
const CAPACITY: usize = 10_000;
/// The pause before the database is listened to again.
const PAUSE: Duration = Duration::from_secs(1);

/// The active sessions that were found lately, by the hash of their key.
pub(crate) struct SessionCache {
    found: Cache<[u8; 32], Remembered>,
    /// The count of changes so far. A session that was read before one is not remembered after it.
    forgotten: Mutex<u64>,
}

#[derive(Clone)]
struct Remembered {
    session: Arc<Active>,
    read_at: Timestamp,
    /// A request is asking the database again.
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
    /// The session of a key if it is in memory, is active, and need not be asked for again.
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

    /// Has the others go on with a session while one request asks the database about it. Two that come
    /// at the same moment both ask.
    fn note_renewal(&self, key_hash: &[u8; 32], remembered: Remembered) {
        // Held, so that what is forgotten meanwhile does not come back.
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

    /// The worth of a key, as the database has it now. Only an active session is remembered: keys that
    /// nobody has logged in with take no place.
    pub(crate) async fn read(
        &self,
        db: &Reader,
        key_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Found> {
        let forgotten = *self.forgotten();
        let found = active_session::find_by_key(db, key_hash).await?;
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

    /// Has the next request with a key ask the database. To be called once a change of the session,
    /// its user or their memberships may be committed, and before it is answered.
    pub(crate) fn forget(&self, change: &Change) {
        let mut forgotten = self.forgotten();
        *forgotten += 1;
        match change {
            Change::Session(key_hash) => drop(self.found.remove(key_hash)),
            Change::All => self.found.clear(),
        }
    }

    /// Forgets the changes that other instances announce, where the database passes them on. May be
    /// dropped at any time.
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
                    tracing::debug!(%error, "other instances are not heard");
                }
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "other instances are not heard"),
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
