//! Commits that are shared: SQLite waits for the disk at each one, and lets one transaction write at a
//! time. Those that wait for each other become parts of one transaction, and are answered once that is
//! committed. The servers do the same by themselves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Semaphore, oneshot};

/// The connection and the transaction that writers share. Only who holds the permit to write touches
/// the transaction.
pub(super) struct Group {
    /// A pool of one: what SQLite has read of the database it reads again once another connection
    /// has written, and each connection prepares its own statements.
    connection: DatabaseConnection,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    transaction: Option<DatabaseTransaction>,
    /// Members that wait for the commit.
    members: Vec<oneshot::Sender<Result<(), DbErr>>>,
    /// Why nothing of it can be committed. The database may have ended the transaction by itself, and
    /// with it what the other members wrote.
    failed: Option<DbErr>,
}

/// A writer's share in a group.
pub(super) struct Part {
    group: Arc<Group>,
    /// True if its transaction is that of the group. It needs no savepoint: what it rolls back is its
    /// own, since nobody else writes before it is done.
    is_whole: bool,
}

impl Part {
    /// Has what was written be committed with what the others write. The outcome comes after that.
    ///
    /// # Errors
    ///
    /// Its savepoint cannot be released, and nothing of the group will be committed.
    pub(super) async fn end(
        &self,
        transaction: DatabaseTransaction,
    ) -> Result<oneshot::Receiver<Result<(), DbErr>>, DbErr> {
        if self.is_whole {
            self.group.open().transaction = Some(transaction);
        } else {
            let released = transaction.commit().await;
            released.inspect_err(|error| self.fail(error))?;
        }
        let (member, outcome) = oneshot::channel();
        self.group.open().members.push(member);
        Ok(outcome)
    }

    /// Tells that a statement failed, after which the database may have ended the transaction.
    pub(super) fn fail(&self, error: &DbErr) {
        if !self.is_whole {
            self.group.fail(error);
        }
    }
}

impl Group {
    pub(super) fn new(connection: DatabaseConnection) -> Self {
        Self {
            connection,
            open: Mutex::default(),
        }
    }

    pub(super) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Begins a part of the transaction that is open, or a new one, which is committed when all who
    /// wait now for the permit have had it.
    pub(super) async fn begin(
        self: &Arc<Self>,
        writing: &Arc<Semaphore>,
    ) -> Result<(DatabaseTransaction, Part), DbErr> {
        let part = |is_whole| Part {
            group: Arc::clone(self),
            is_whole,
        };
        let open = self.open().transaction.take();
        let Some(open) = open else {
            // One that begins as a reader would fail at once, without the busy timeout, when it wants
            // to write while another process does.
            let options = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            let transaction = self.connection.begin_with_options(options).await?;
            tokio::spawn(Arc::clone(self).commit(Arc::clone(writing)));
            return Ok((transaction, part(true)));
        };
        let transaction = open.begin().await;
        self.open().transaction = Some(open);
        let transaction = transaction.inspect_err(|error| self.fail(error))?;
        Ok((transaction, part(false)))
    }

    /// Has nothing be committed.
    fn fail(&self, error: &DbErr) {
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
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
