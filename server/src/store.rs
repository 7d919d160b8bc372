//! The database: one module for each table, with the entity and the questions asked of it.
//!
//! Whatever belongs to an organization is found through the user who asks, so that a query which
//! forgets whose it is does not come easily.

pub mod api_key;
pub mod app;
pub mod audit;
pub mod code_failure;
pub mod mail;
pub mod membership;
mod migrations;
pub mod org;
pub mod quota;
pub mod session;
pub mod user;

use std::{
    fs::File, ops::Deref, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration,
};

use sea_orm::{
    ConnAcquireErr, ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    RuntimeErr, SqlErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use sea_orm_migration::MigratorTrait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Anything that takes queries: the database, or a transaction.
pub(crate) use sea_orm::ConnectionTrait as Connection;

/// How long a request waits for a connection, and for another writer to finish.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
const MAX_CONNECTIONS: u32 = 8;

/// Why the database did not do its part.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL is none of a database that is supported. It is not shown: it may hold a password.
    #[error("write it like sqlite://cortex-report.db")]
    Url,
    /// It is away, busy or full: the same may work later.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] DbErr),
    /// It refused what it was asked, which is a fault of this program.
    #[error("the database refused: {0}")]
    Refused(#[source] DbErr),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        /// SQLite's BUSY, LOCKED, READONLY, IOERR, FULL and CANTOPEN.
        const PASSING: [i64; 6] = [5, 6, 8, 10, 13, 14];
        let passing = match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => match inner.as_database_error() {
                Some(inner) => inner
                    .code()
                    .and_then(|code| code.parse::<i64>().ok())
                    // The extended codes keep the primary one in their low byte.
                    .is_some_and(|code| PASSING.contains(&(code & 0xff))),
                None => true,
            },
            _ => false,
        };
        if passing {
            Self::Unavailable(error)
        } else {
            Self::Refused(error)
        }
    }
}

/// The result of a question to the database.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The database.
#[derive(Clone)]
pub struct Store {
    connection: DatabaseConnection,
    /// SQLite takes one writer at a time. Those who wait do it here, not each with a connection of
    /// the pool, which readers need.
    writing: Arc<Semaphore>,
}

/// A transaction that writes. Nothing of it stays unless it is committed.
pub(crate) struct Writer {
    transaction: DatabaseTransaction,
    _permit: OwnedSemaphorePermit,
}

impl Writer {
    /// Makes what was written stay.
    pub(crate) async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}

impl Deref for Writer {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

impl Store {
    /// Opens the database, which is made if it is an SQLite file that is not there yet.
    ///
    /// # Errors
    ///
    /// The URL is none, or what it names cannot be opened.
    pub async fn open(url: &str) -> Result<Self> {
        if !url.starts_with("sqlite:") {
            return Err(StoreError::Url);
        }
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(|options| {
                keep_private(options.get_filename());
                options
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(ACQUIRE_TIMEOUT)
                    .foreign_keys(true)
            });
        Ok(Self {
            connection: Database::connect(options).await?,
            writing: Arc::new(Semaphore::new(1)),
        })
    }

    /// Brings the schema up to date. Of several instances that start together only one does it:
    /// they hold a lock on the file `lock` meanwhile.
    ///
    /// # Errors
    ///
    /// A migration failed, or the lock cannot be had.
    pub async fn migrate(&self, lock: &Path) -> Result<()> {
        let failed = |error: std::io::Error| DbErr::Migration(error.to_string());
        let file = File::open(lock).map_err(failed)?;
        let file = tokio::task::spawn_blocking(move || file.lock().map(|()| file))
            .await
            .map_err(|error| DbErr::Migration(error.to_string()))?
            .map_err(failed)?;
        migrations::Migrator::up(&self.connection, None).await?;
        drop(file);
        Ok(())
    }

    /// For questions that change nothing.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Starts to write.
    pub(crate) async fn begin(&self) -> Result<Writer> {
        let permit = Arc::clone(&self.writing).acquire_owned();
        let permit = tokio::time::timeout(ACQUIRE_TIMEOUT, permit).await;
        // The semaphore is never closed, so that it was too late is the only failure.
        let Ok(Ok(permit)) = permit else {
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into());
        };
        // An SQLite transaction that begins as a reader would fail at once, without the busy
        // timeout, when it wants to write while another does.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(Writer {
            transaction: self.connection.begin_with_options(options).await?,
            _permit: permit,
        })
    }

    /// Closes every connection.
    pub(crate) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }
}

/// Makes the database's file readable for its owner alone; SQLite gives the files beside it the
/// same mode. What cannot be made here cannot be opened either, which is told then.
fn keep_private(file: &Path) {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    if file != Path::new(":memory:")
        && let Err(error) = options.open(file)
    {
        tracing::debug!(%error, "the database's file was not made");
    }
}

/// Whether a write failed because what it writes has to be unique and is there already.
fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
