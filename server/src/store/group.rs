//! Group commit for SQLite, which waits for the disk at each commit, and lets only one transaction
//! write at a time. Writers that wait for each other become parts of one transaction, and are
//! answered once it is committed. Database servers do the same by themselves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Semaphore, oneshot};

/// Connection and transaction that writers share. Only the holder of the permit to write uses the
/// transaction.
pub(super) struct Group {
    /// Pool of a single connection: SQLite discards its cache once another connection has written,
    /// and each connection prepares its own statements.
    connection: DatabaseConnection,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    transaction: Option<DatabaseTransaction>,
    /// Members that wait for the commit.
    members: Vec<oneshot::Sender<Result<(), DbErr>>>,
    /// Error after which nothing can be committed. The database may have ended the transaction by
    /// itself, and with it the writes of the other members.
    failed: Option<DbErr>,
}

/// Share of a writer in a group.
pub(super) struct Part {
    group: Arc<Group>,
    /// True if its transaction is that of the group. It needs no savepoint: a rollback undoes only
    /// its own writes, since no other writer begins before it is done.
    is_whole: bool,
}

impl Part {
    /// Leaves the writes to be committed with those of the other members. The receiver gets the
    /// outcome of that commit.
    ///
    /// # Errors
    ///
    /// The savepoint cannot be released, and nothing of the group will be committed.
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

    /// Records that a statement failed, after which the database may have ended the transaction.
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

    /// Begins a part of the open transaction, or a new transaction, which is committed once all
    /// writers that wait for the permit now have had it.
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
            // A transaction that begins as a reader would fail at once, without the busy timeout,
            // if it wrote while another process does.
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

    /// Prevents the commit of the open transaction.
    fn fail(&self, error: &DbErr) {
        self.open().failed.get_or_insert_with(|| error.clone());
    }

    /// Commits once it has the permit to write, which writers get in the order in which they wait.
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
            // A transaction that is dropped is rolled back.
            (_, None) => Ok(()),
            (_, Some(error)) => Err(error),
        };
        for member in members {
            // The receiver may be gone.
            let _ = member.send(outcome.clone());
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it is locked.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
