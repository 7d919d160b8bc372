//! The database: one module for each table, with the entity and the questions asked of it.
//!
//! Whatever belongs to an organization is found through the user who asks, so that a query which
//! forgets whose it is does not come easily.

pub mod api_key;
pub mod app;
pub mod audit;
pub mod code_failure;
mod connect;
pub mod dead_letter;
pub mod mail;
pub mod membership;
mod migrations;
pub mod org;
pub mod quota;
pub mod session;
pub mod user;

use std::{ops::Deref, path::Path, sync::Arc};

use sea_orm::{
    ColumnTrait, ConnAcquireErr, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    EntityTrait, Iterable, PrimaryKeyToColumn, PrimaryKeyTrait, QueryFilter, QuerySelect,
    RuntimeErr, SqlErr, SqliteTransactionMode, TransactionOptions, TransactionTrait, TryGetable,
    Value,
    sea_query::Expr,
    sqlx::{self, error::DatabaseError, mysql::MySqlDatabaseError, postgres::PgDatabaseError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use connect::ACQUIRE_TIMEOUT;

/// Anything that takes queries: the database, or a transaction.
pub(crate) use sea_orm::ConnectionTrait as Connection;

/// How many connections are always left for those who only read.
const READERS: u32 = 2;

/// Why the database did not do its part.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database yet, or one of an older version.
    #[error("start the service first: it makes the database, and brings it up to date")]
    NotReady,
    /// The URL is none of a database that is supported. It is not shown: it may hold a password.
    #[error(
        "write it like sqlite://cortex-report.db, postgres://user:password@host/database or \
         mariadb://user:password@host/database"
    )]
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
        let passing = match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
                inner.as_database_error().is_none_or(is_passing)
            }
            _ => false,
        };
        if passing {
            Self::Unavailable(error)
        } else {
            Self::Refused(error)
        }
    }
}

/// Whether a database refuses for a while only: it is busy, full, read-only, or about to stop.
fn is_passing(error: &dyn DatabaseError) -> bool {
    /// SQLite's BUSY, LOCKED, READONLY, IOERR, FULL and CANTOPEN.
    const SQLITE: [i64; 6] = [5, 6, 8, 10, 13, 14];
    /// MariaDB's disk full, too many connections, shutdown, out of resources, table full, lock
    /// wait timeout, deadlock, read-only, query interrupted, connection killed, and read-only
    /// transaction.
    const MARIADB: [u16; 12] = [
        1021, 1040, 1053, 1041, 1114, 1205, 1213, 1290, 1317, 1927, 1792, 1226,
    ];
    /// The classes of SQLSTATE for connections, transactions to be repeated, missing resources,
    /// and the operator's intervention; a lock that is not to be had, a transaction that may only
    /// read.
    const POSTGRES: [&str; 6] = ["08", "40", "53", "57", "55P03", "25006"];
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return MARIADB.contains(&error.number());
    }
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return POSTGRES.iter().any(|prefix| code.starts_with(prefix));
    }
    // The extended codes keep the primary one in their low byte.
    let code = code.parse::<i64>();
    code.is_ok_and(|code| SQLITE.contains(&(code & 0xff)))
}

/// The result of a question to the database.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The database.
#[derive(Clone)]
pub struct Store {
    connection: DatabaseConnection,
    /// As many as may write at a time, which with SQLite is one. Those who wait do it here, not each
    /// with a connection of the pool, which readers need.
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
    /// Opens the database, which is made if it is an SQLite file that is not there yet, with so
    /// many connections at most, and brings its schema up to date. Of several instances that start
    /// together only one does it.
    ///
    /// # Errors
    ///
    /// The URL is none, what it names cannot be opened, a migration failed, or the lock cannot be
    /// had.
    pub async fn open(url: &str, connections: u32, lock_file: &Path) -> Result<Self> {
        let connection = connect::connect_and_migrate(url, connections, lock_file).await?;
        Ok(Self::new(connection, connections))
    }

    fn new(connection: DatabaseConnection, connections: u32) -> Self {
        let writers = match connection.get_database_backend() {
            DatabaseBackend::Sqlite => 1,
            _ => connections.saturating_sub(READERS).max(1) as usize,
        };
        Self {
            connection,
            writing: Arc::new(Semaphore::new(writers)),
        }
    }

    /// Opens a database that a service of this version has brought up to date, and makes nothing.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be opened.
    pub async fn open_ready(url: &str, connections: u32) -> Result<Self> {
        if connect::can_be_made(url) {
            return Err(StoreError::NotReady);
        }
        let connection = connect::connect(url, connections).await?;
        if !connect::is_up_to_date(&connection).await? {
            return Err(StoreError::NotReady);
        }
        Ok(Self::new(connection, connections))
    }

    /// Tries whether a database can be opened; an SQLite file that is not there yet is not made.
    ///
    /// # Errors
    ///
    /// The URL is none, or what it names cannot be opened.
    pub async fn check(url: &str) -> Result<()> {
        if !connect::can_be_made(url) {
            connect::connect(url, 1).await?.close().await?;
        }
        Ok(())
    }

    /// For questions that change nothing.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Starts to write.
    pub(crate) async fn begin(&self) -> Result<Writer> {
        let permit = self.permit().await?;
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

    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.writing).acquire_owned();
        let permit = tokio::time::timeout(ACQUIRE_TIMEOUT, permit).await;
        // The semaphore is never closed, so that it was too late is the only failure.
        match permit {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into()),
        }
    }

    /// Deletes rows of a table, no more than `batch` by one statement, which others may have to wait
    /// for, and no more than `batches` times as many.
    ///
    /// What is deleted is looked up first: MariaDB would else lock every row that it looks at. A row
    /// that has changed meanwhile stays.
    pub(crate) async fn delete<E, K>(&self, which: Expr, batch: u64, batches: usize) -> Result<()>
    where
        E: EntityTrait<PrimaryKey: PrimaryKeyTrait<ValueType = K>>,
        K: TryGetable + Into<Value> + Send + Sync,
    {
        let Some(key) = E::PrimaryKey::iter().next() else {
            return Ok(());
        };
        let key = key.into_column();
        for _ in 0..batches {
            let keys: Vec<K> = E::find()
                .select_only()
                .column(key)
                .filter(which.clone())
                .limit(batch)
                .into_tuple()
                .all(&self.connection)
                .await?;
            let found = keys.len() as u64;
            if found > 0 {
                let _permit = self.permit().await?;
                let some = E::delete_many().filter(key.is_in(keys));
                some.filter(which.clone()).exec(&self.connection).await?;
            }
            if found < batch {
                break;
            }
        }
        Ok(())
    }

    /// Whether a question is answered at all; a mere ping never reaches an SQLite file.
    pub(crate) async fn ping(&self) -> Result<()> {
        user::Entity::find().limit(1).all(&self.connection).await?;
        Ok(())
    }

    /// How many connections are open, and how many of them nobody uses.
    pub(crate) fn connections(&self) -> (usize, usize) {
        match self.connection.get_database_backend() {
            DatabaseBackend::Postgres => size(self.connection.get_postgres_connection_pool()),
            DatabaseBackend::MySql => size(self.connection.get_mysql_connection_pool()),
            _ => size(self.connection.get_sqlite_connection_pool()),
        }
    }

    /// Closes every connection.
    pub(crate) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }
}

fn size<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> (usize, usize) {
    (pool.size() as usize, pool.num_idle())
}

/// Whether a write failed because what it writes has to be unique and is there already.
fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
