//! Connections as the rest of the service uses them: a transaction is never committed after one of
//! its statements failed, or if the database is no longer the one that was opened.
//!
//! No statement is cancelled while it runs: the driver of MariaDB would read its answer as that of
//! the next one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ConnectionTrait, DatabaseBackend, DatabaseConnection,
    DatabaseTransaction, DbErr, EntityTrait, ExecResult, IntoActiveModel, QueryResult, SqlErr,
    Statement, TransactionTrait, UpdateMany, Value, Values,
};
use sea_orm_migration::async_trait;
use tokio::sync::OwnedSemaphorePermit;

use super::{Result, StoreError, group::Part, health::Health};

/// Time limit of a request for getting a connection, and for another writer to finish.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// The pool of connections. Each statement is a transaction of its own.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(super) connection: DatabaseConnection,
    pub(super) health: Arc<Health>,
}

impl Reader {
    async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        statement
            .await
            .inspect_err(|error| self.health.observe(error))
    }
}

/// Transaction that writes. It is rolled back unless it is committed.
pub(crate) struct Writer {
    pub(super) transaction: DatabaseTransaction,
    pub(super) health: Arc<Health>,
    /// Set once a statement failed. The database may have ended the transaction by itself: SQLite
    /// and MariaDB would then run the following statements outside of it, and PostgreSQL answers
    /// COMMIT with a rollback that looks like a success.
    pub(super) failed: AtomicBool,
    /// Its share in a commit with others, if it has one.
    pub(super) part: Option<Part>,
    /// Released last: only its holder may use the connection of a group.
    pub(super) permit: OwnedSemaphorePermit,
}

impl Writer {
    /// Commits the transaction.
    ///
    /// # Errors
    ///
    /// A statement failed, the database does not answer, or its files are no longer there. Only
    /// success makes it certain that the writes stay.
    pub(crate) async fn commit(self) -> Result<()> {
        if self.failed.load(Ordering::Relaxed) {
            let reason = "a transaction is not committed after one of its statements failed";
            return Err(StoreError::Refused(DbErr::Custom(reason.to_owned())));
        }
        let Self {
            transaction,
            health,
            part,
            permit,
            failed: _,
        } = self;
        let committed = match part {
            None => transaction.commit().await,
            Some(part) => match part.end(transaction).await {
                Ok(outcome) => {
                    drop(permit);
                    // The outcome is sent, unless the runtime ends.
                    let outcome = outcome.await;
                    outcome.unwrap_or_else(|error| Err(DbErr::Custom(error.to_string())))
                }
                Err(error) => Err(error),
            },
        };
        committed.inspect_err(|error| health.observe(error))?;
        // If a file was removed meanwhile, the commit is lost with it.
        health.check()
    }

    /// Inserts a row. Returns `None` if a value that has to be unique exists already. The
    /// transaction can be used further in both cases.
    pub(crate) async fn insert_unless_taken<A>(
        &self,
        row: A,
    ) -> Result<Option<<A::Entity as EntityTrait>::Model>>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        let inserted = self.run(async {
            let savepoint = self.savepoint().await?;
            let inserted = row.insert(savepoint.as_ref().unwrap_or(&self.transaction));
            let inserted = inserted.await;
            unless_taken(savepoint, inserted).await
        });
        Ok(inserted.await?)
    }

    /// Updates rows. Returns false if a value that has to be unique exists already. The transaction
    /// can be used further in both cases.
    pub(crate) async fn update_unless_taken<E: EntityTrait>(
        &self,
        update: UpdateMany<E>,
    ) -> Result<bool> {
        let updated = self.run(async {
            let savepoint = self.savepoint().await?;
            let updated = update.exec(savepoint.as_ref().unwrap_or(&self.transaction));
            let updated = updated.await;
            unless_taken(savepoint, updated).await
        });
        Ok(updated.await?.is_some())
    }

    /// Begins a savepoint where a statement that fails would end the transaction: PostgreSQL aborts
    /// it, unless it is rolled back to a savepoint.
    async fn savepoint(&self) -> Result<Option<DatabaseTransaction>, DbErr> {
        Ok(match self.get_database_backend() {
            DatabaseBackend::Postgres => Some(self.transaction.begin().await?),
            _ => None,
        })
    }

    async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        statement.await.inspect_err(|error| {
            self.failed.store(true, Ordering::Relaxed);
            if let Some(part) = &self.part {
                part.fail(error);
            }
            self.health.observe(error);
        })
    }
}

/// Ends the savepoint of a statement. Returns `None` if it failed since a value that has to be
/// unique exists already.
async fn unless_taken<T>(
    savepoint: Option<DatabaseTransaction>,
    outcome: Result<T, DbErr>,
) -> Result<Option<T>, DbErr> {
    match outcome {
        Ok(outcome) => {
            if let Some(savepoint) = savepoint {
                savepoint.commit().await?;
            }
            Ok(Some(outcome))
        }
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            if let Some(savepoint) = savepoint {
                savepoint.rollback().await?;
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Writes the limits of a statement for SQLite into its text. SQLite makes a new plan whenever the
/// value of a limit is bound, which takes several times as long as running the statement.
fn with_written_limits(mut statement: Statement) -> Statement {
    const LIMIT: &str = "LIMIT ?";
    let Some(Values(values)) = &mut statement.values else {
        return statement;
    };
    if statement.db_backend != DatabaseBackend::Sqlite {
        return statement;
    }
    while let Some(at) = statement.sql.find(LIMIT) {
        let place = at + LIMIT.len() - 1;
        // Each `?` is a placeholder, since texts are bound too.
        let number = statement.sql[..place].matches('?').count();
        let Some(Value::BigUnsigned(Some(limit))) = values.get(number) else {
            break;
        };
        statement
            .sql
            .replace_range(place..=place, &limit.to_string());
        values.remove(number);
    }
    statement
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let statement = with_written_limits(statement);
        self.run(self.connection.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.run(self.connection.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let statement = with_written_limits(statement);
        self.run(self.connection.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let statement = with_written_limits(statement);
        self.run(self.connection.query_all_raw(statement)).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Writer {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let statement = with_written_limits(statement);
        self.run(self.transaction.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.run(self.transaction.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let statement = with_written_limits(statement);
        self.run(self.transaction.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let statement = with_written_limits(statement);
        self.run(self.transaction.query_all_raw(statement)).await
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::Store;

    /// A caller that ignores an error cannot commit half a transaction.
    #[tokio::test]
    async fn a_transaction_is_not_committed_after_a_statement_failed() {
        let folder = tempfile::tempdir().unwrap();
        let lock_file = folder.path().join("key");
        fs::write(&lock_file, "").unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let url = url.parse().unwrap();
        let store = Store::open(&url, 3, &lock_file).await.unwrap();
        let writer = store.begin().await.unwrap();
        let row = "INSERT INTO state (name, value) VALUES ('half', '')";
        writer.execute_unprepared(row).await.unwrap();
        let failed = writer.execute_unprepared("INSERT INTO nowhere VALUES (1)");
        failed.await.unwrap_err();
        let committed = writer.commit().await;
        assert!(matches!(committed, Err(StoreError::Refused(_))));
        let half = "SELECT name FROM state WHERE name = 'half'";
        let half = Statement::from_string(DatabaseBackend::Sqlite, half);
        let half = store.reader().query_one_raw(half).await.unwrap();
        assert!(half.is_none());
    }
}
