//! Commits that are shared: SQLite waits for the disk at each one, and lets one transaction write at a
//! time. Those that wait for each other become parts of one transaction, each with a savepoint, and
//! are answered once that is committed. The servers do the same by themselves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Semaphore, oneshot};

/// The transaction that writers share. Only who holds the permit to write touches it.
#[derive(Default)]
pub(super) struct Group(Mutex<Open>);

#[derive(Default)]
struct Open {
    transaction: Option<DatabaseTransaction>,
    /// Members that wait for the commit.
    members: Vec<oneshot::Sender<Result<(), DbErr>>>,
    /// Why nothing of it can be committed. The database may have ended the transaction by itself, and
    /// with it what the other members wrote.
    failed: Option<DbErr>,
}

impl Group {
    /// Begins a part of the transaction that is open, or of a new one, which is committed when all
    /// who wait now for the permit have had it.
    pub(super) async fn begin(
        self: &Arc<Self>,
        connection: &DatabaseConnection,
        writing: &Arc<Semaphore>,
    ) -> Result<DatabaseTransaction, DbErr> {
        let open = self.open().transaction.take();
        let transaction = match open {
            Some(transaction) => transaction,
            None => {
                // One that begins as a reader would fail at once, without the busy timeout, when it
                // wants to write while another process does.
                let options = TransactionOptions {
                    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                    ..TransactionOptions::default()
                };
                let transaction = connection.begin_with_options(options).await?;
                tokio::spawn(Arc::clone(self).commit(Arc::clone(writing)));
                transaction
            }
        };
        let part = transaction.begin().await;
        self.open().transaction = Some(transaction);
        part.inspect_err(|error| self.fail(error))
    }

    /// Waits for the commit, whose outcome is that of each member.
    pub(super) fn join(&self) -> oneshot::Receiver<Result<(), DbErr>> {
        let (member, outcome) = oneshot::channel();
        self.open().members.push(member);
        outcome
    }

    /// Has nothing be committed.
    pub(super) fn fail(&self, error: &DbErr) {
        self.open().failed.get_or_insert_with(|| error.clone());
    }

    /// Commits once it is its turn to write: the permit is given in the order of those who wait.
    async fn commit(self: Arc<Self>, writing: Arc<Semaphore>) {
        // The semaphore is never closed.
        let _permit = writing.acquire_owned().await;
        let Open {
            transaction,
            members,
            failed,
        } = std::mem::take(&mut *self.open());
        let outcome = match (transaction, failed) {
            (Some(transaction), None) if !members.is_empty() => transaction.commit().await,
            // What is dropped is rolled back.
            (_, None) => Ok(()),
            (_, Some(error)) => Err(error),
        };
        for member in members {
            // Nobody may wait any more.
            let _ = member.send(outcome.clone());
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
