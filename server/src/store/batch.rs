//! Batches of writes: items that wait at the same moment are written by the same few statements of
//! one transaction.

use std::{
    collections::VecDeque,
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sea_orm::{DbErr, SqlErr, sqlx::error::DatabaseError};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::Instant,
};

use super::{
    Result, Store, StoreError, Writer, connection::ACQUIRE_TIMEOUT, health::database_error,
    too_late,
};

/// Maximum number of items in a batch.
const MAX_SIZE: usize = 64;
/// Maximum number of transactions at a time: one gathers items and runs its statements while the
/// other is committed.
const TURNS: usize = 2;
/// Maximum number of attempts of a transaction that conflicts with another writer.
const TRIES: usize = 3;

/// Item that can be written together with others of its kind.
pub(crate) trait Batched: Send + Sync + Sized + 'static {
    /// The outcome of one item.
    type Outcome: Send;

    /// Writes all items, at least one, and returns the outcome of each, in their order.
    ///
    /// # Errors
    ///
    /// No item is written. After a conflict with another writer, which for example has added the
    /// same unique value, all items are tried again, and then find that value. If the database
    /// refuses the statements, each item is tried by itself.
    fn write_all(
        items: &[Self],
        writer: &Writer,
    ) -> impl Future<Output = Result<Vec<Self::Outcome>>> + Send;
}

/// The items that wait to be written.
pub(crate) struct Batch<T: Batched> {
    waiting: Mutex<VecDeque<Waiting<T>>>,
    /// Permits for transactions. While all are taken, further items gather.
    turns: Arc<Semaphore>,
}

struct Waiting<T: Batched> {
    item: T,
    since: Instant,
    /// Sender of the outcome, whose receiver may be gone.
    outcome: oneshot::Sender<Result<T::Outcome>>,
}

impl<T: Batched> Waiting<T> {
    /// Returns true if the item has waited too long to be written: its request has been answered.
    fn is_late(&self) -> bool {
        self.since.elapsed() > ACQUIRE_TIMEOUT
    }
}

impl<T: Batched> Default for Batch<T> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            turns: Arc::new(Semaphore::new(TURNS)),
        }
    }
}

impl<T: Batched> Batch<T> {
    /// Writes an item, together with others that wait. It is committed when this returns.
    ///
    /// # Errors
    ///
    /// The item is not written, or it is unknown whether it is.
    pub(crate) async fn write(self: &Arc<Self>, store: &Store, item: T) -> Result<T::Outcome> {
        let (outcome, written) = oneshot::channel();
        self.waiting().push_back(Waiting {
            item,
            since: Instant::now(),
            outcome,
        });
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            // A task of its own, so that this caller does not wait for items that come later.
            tokio::spawn(Arc::clone(self).write_waiting(store.clone(), turn));
        }
        let ended = |_| Err(DbErr::Custom("the writer has ended".to_owned()).into());
        written.await.unwrap_or_else(ended)
    }

    /// Writes until no item waits any more.
    async fn write_waiting(self: Arc<Self>, store: Store, mut turn: OwnedSemaphorePermit) {
        loop {
            while !self.waiting().is_empty() {
                self.write_some(&store).await;
            }
            drop(turn);
            // An item that came just before that has found the turn taken.
            if self.waiting().is_empty() {
                return;
            }
            match Arc::clone(&self.turns).try_acquire_owned() {
                Ok(next) => turn = next,
                // Another task has it.
                Err(_) => return,
            }
        }
    }

    async fn write_some(&self, store: &Store) {
        let begun = store.begin().await;
        // Taken only now, since more items gather while the transaction begins.
        let (mut items, mut outcomes) = (Vec::new(), Vec::new());
        for waiting in self.take() {
            if waiting.is_late() {
                let _ = waiting.outcome.send(Err(too_late()));
            } else {
                items.push(waiting.item);
                outcomes.push(waiting.outcome);
            }
        }
        // Another task may have taken them all.
        if items.is_empty() {
            return;
        }
        match write(store, begun, &items).await {
            Ok(written) => {
                for (outcome, written) in outcomes.into_iter().zip(written) {
                    let _ = outcome.send(Ok(written));
                }
            }
            // One item is at fault, and must not affect the others.
            Err(StoreError::Refused(_)) if items.len() > 1 => {
                for (item, outcome) in items.iter().zip(outcomes) {
                    let written = write(store, store.begin().await, slice::from_ref(item)).await;
                    let only = |mut written: Vec<_>| written.pop().ok_or_else(too_late);
                    let _ = outcome.send(written.and_then(only));
                }
            }
            Err(error) => {
                for outcome in outcomes {
                    let _ = outcome.send(Err(error.clone()));
                }
            }
        }
    }

    /// Takes the items that have waited longest: a power of two of them, at most [`MAX_SIZE`]. A
    /// statement is prepared anew for each number of rows, so only few numbers are used.
    fn take(&self) -> Vec<Waiting<T>> {
        let mut waiting = self.waiting();
        let power = waiting.len().min(MAX_SIZE).checked_ilog2();
        let count = power.map_or(0, |power| 1 << power);
        waiting.drain(..count).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting<T>>> {
        // Nothing panics while it is locked.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write<T: Batched>(
    store: &Store,
    begun: Result<Writer>,
    items: &[T],
) -> Result<Vec<T::Outcome>> {
    let mut writer = begun?;
    let mut tries = 1;
    loop {
        match T::write_all(items, &writer).await {
            Ok(outcomes) => {
                writer.commit().await?;
                return Ok(outcomes);
            }
            Err(error) if tries < TRIES && is_in_the_way(&error) => tries += 1,
            Err(error) => return Err(error),
        }
        // Rolled back before the next one begins.
        drop(writer);
        writer = store.begin().await?;
    }
}

/// Returns true if another writer was in the way, so that a retry of the transaction may succeed:
/// the other one has added a value that has to be unique or deleted the row that this one refers to,
/// or the database demands a retry, as after a deadlock.
fn is_in_the_way(error: &StoreError) -> bool {
    /// SQLSTATEs that demand a retry of the transaction.
    const TO_REPEAT: [&str; 2] = ["40001", "40P01"];
    let (StoreError::Refused(error) | StoreError::Unavailable(error)) = error else {
        return false;
    };
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_) | SqlErr::ForeignKeyConstraintViolation(_)) => {
            true
        }
        _ => database_error(error)
            .and_then(DatabaseError::code)
            .is_some_and(|state| TO_REPEAT.contains(&&*state)),
    }
}
