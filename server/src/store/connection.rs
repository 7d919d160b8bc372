//! Connections as the rest of the service sees them: no statement waits for ever, a transaction in
//! which one failed is never committed, and nothing is written into a database that is not the one
//! that was opened.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ConnectionTrait, DatabaseBackend, DatabaseConnection,
    DatabaseTransaction, DbErr, EntityTrait, ExecResult, IntoActiveModel, QueryResult, RuntimeErr,
    SqlErr, Statement, TransactionTrait,
};
use sea_orm_migration::async_trait;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout_at},
};

use super::{Result, StoreError, health::Health};

/// How long a commit may take. Its outcome is unknown afterwards, so it gets longer than a statement.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The pool of connections. Each statement is a transaction of its own.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(super) connection: DatabaseConnection,
    pub(super) health: Arc<Health>,
    /// How long a statement may take, the wait for a connection included.
    pub(super) time_limit: Duration,
}

impl Reader {
    async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let result = within(Instant::now() + self.time_limit, statement).await;
        result.inspect_err(|error| self.health.observe(error))
    }
}

/// A transaction that writes. Nothing of it stays unless it is committed.
pub(crate) struct Writer {
    pub(super) transaction: DatabaseTransaction,
    pub(super) health: Arc<Health>,
    /// When its last statement has to be answered: who waits for a lock has waited to begin too.
    pub(super) deadline: Instant,
    /// Set once a statement failed. The database may have ended the transaction by itself: SQLite
    /// and MariaDB would then run what follows outside of it, PostgreSQL answers COMMIT with a
    /// rollback that looks like a success.
    pub(super) failed: AtomicBool,
    pub(super) _permit: OwnedSemaphorePermit,
}

impl Writer {
    /// Makes what was written stay.
    ///
    /// # Errors
    ///
    /// A statement of it failed, the database does not answer, or its files are no longer there. Only
    /// after success is it certain that the writes stay.
    pub(crate) async fn commit(self) -> Result<()> {
        if self.failed.load(Ordering::Relaxed) {
            let reason = "a transaction is not committed after one of its statements failed";
            return Err(StoreError::Refused(DbErr::Custom(reason.to_owned())));
        }
        let deadline = Instant::now() + COMMIT_TIMEOUT;
        let committed = within(deadline, self.transaction.commit()).await;
        committed.inspect_err(|error| self.health.observe(error))?;
        // A file that was taken away meanwhile took the commit with it.
        self.health.check()
    }

    /// Inserts a row; none if something in it has to be unique and is there already. The
    /// transaction can be used on either way.
    pub(crate) async fn insert_unless_taken<A>(
        &self,
        row: A,
    ) -> Result<Option<<A::Entity as EntityTrait>::Model>>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        // PostgreSQL gives up a transaction in which something was refused, except for what has a
        // savepoint.
        let inserted = self.run(async {
            let savepoint = self.transaction.begin().await?;
            match row.insert(&savepoint).await {
                Ok(row) => {
                    savepoint.commit().await?;
                    Ok(Some(row))
                }
                Err(error)
                    if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) =>
                {
                    savepoint.rollback().await?;
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        });
        Ok(inserted.await?)
    }

    async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        // Set while the statement runs, so that a statement that is given up counts as failed too.
        let failed_before = self.failed.swap(true, Ordering::Relaxed);
        let result = within(self.deadline, statement).await;
        match &result {
            Ok(_) => self.failed.store(failed_before, Ordering::Relaxed),
            Err(error) => self.health.observe(error),
        }
        result
    }
}

/// The result of something that the database has to answer by `deadline`.
pub(super) async fn within<T>(
    deadline: Instant,
    answer: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    match timeout_at(deadline, answer).await {
        Ok(result) => result,
        Err(_) => {
            let reason = "the database did not answer in time";
            Err(DbErr::Conn(RuntimeErr::Internal(reason.to_owned())))
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(self.connection.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.run(self.connection.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(self.connection.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(self.connection.query_all_raw(statement)).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Writer {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(self.transaction.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.run(self.transaction.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(self.transaction.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(self.transaction.query_all_raw(statement)).await
    }
}
