//! Cache of sessions, so that most requests need no query for their session.

use std::{sync::Arc, time::Duration};

use super::{
    Active, Found, KeyKind, Reader, Result, Store, active_session,
    changes::{Change, Changes},
    recent::Recent,
};
use crate::clock::Timestamp;

/// Maximum number of cached sessions, of about 500 bytes each.
const CAPACITY: usize = 10_000;
/// Pause before another attempt to listen to the database.
const PAUSE: Duration = Duration::from_secs(1);

/// Active sessions that were found lately, by the hash of their key.
pub(crate) struct SessionCache(Recent<[u8; 32], Arc<Active>>);

impl Default for SessionCache {
    fn default() -> Self {
        Self(Recent::new(CAPACITY))
    }
}

impl SessionCache {
    /// Returns the session of a key if it is cached, active, and need not be queried again.
    pub(crate) fn recall(&self, key_hash: &[u8; 32], now: Timestamp) -> Option<Arc<Active>> {
        self.0.recall(key_hash, now)
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
        let begun = self.0.begin();
        let found = match kind {
            KeyKind::Session => active_session::find_by_key(db, key_hash).await?,
            KeyKind::Token => active_session::find_by_token(db, key_hash).await?,
        };
        let active = match &found {
            Found::Active(session) => Some(Arc::clone(session)),
            _ => None,
        };
        self.0.remember(key_hash, active, now, &begun);
        Ok(found)
    }

    /// Removes changed sessions, so that the next request with their key queries the database. To
    /// be called once a change of the session, its user or their memberships may be committed, and
    /// before that change is answered.
    pub(crate) fn forget(&self, change: &Change) {
        match change {
            Change::Session(key_hash) => self.0.forget(key_hash),
            Change::All => self.0.forget_all(),
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
}
