//! Database: one module for each table, with its entity and queries.
//!
//! Rows that belong to an organization are looked up through the requesting user, so that it is
//! hard to write a query that forgets to check their rights.

mod active_session;
pub mod api_key;
pub mod app;
pub(crate) mod app_list;
pub mod audit;
pub mod backup;
pub(crate) mod batch;
pub(crate) mod changes;
mod connect;
mod connection;
pub(crate) mod contents;
pub mod dead_letter;
#[cfg(feature = "events")]
pub mod device_user;
pub(crate) mod erase_user;
mod error;
#[cfg_attr(not(feature = "events"), path = "store/events_off.rs")]
pub(crate) mod events;
mod group;
mod health;
mod ids;
#[cfg(feature = "events")]
pub mod inbox;
pub mod invitation;
pub mod known_client;
#[cfg(feature = "events")]
pub mod lake_claim;
pub mod lockout;
pub mod membership;
pub(crate) mod merge_users;
mod migrations;
pub(crate) mod new_app;
pub mod org;
pub mod outbox;
mod page;
mod probe;
pub mod rate_limit;
pub(crate) mod recent;
mod rights;
#[cfg(feature = "events")]
pub(crate) mod sender;
pub mod session;
pub(crate) mod session_cache;
pub mod state;
pub mod token;
mod url;
pub mod user;

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use sea_orm::{
    ColumnTrait, ConnAcquireErr, DatabaseBackend, DbErr, EntityTrait, Iterable, PrimaryKeyToColumn,
    PrimaryKeyTrait, QueryFilter, QuerySelect, TransactionTrait, TryGetable, Value,
    sea_query::Expr, sqlx,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use active_session::Active;
pub(crate) use active_session::{Found, KeyKind, note_use};
use connection::ACQUIRE_TIMEOUT;
pub(crate) use connection::{Reader, Writer};
pub use error::{ConnectError, Result, StoreError};
use group::Group;
use health::Health;

pub(crate) use ids::{ApiKeyId, AppId, InvitationId, OrgId, SessionId, TokenId, UserId};
pub(crate) use page::Page;
pub use rights::Role;
use rights::Tokens;
pub(crate) use rights::{Caller, Editor, Member, Owner, Remover, Scope, TokenMaker};
pub(crate) use url::DatabaseOptions;
pub use url::DatabaseUrl;

use crate::clock::Timestamp;

/// Target of queries: the database, or a transaction.
pub(crate) use sea_orm::ConnectionTrait as Connection;

/// Maximum number of long lists that are read as a whole at the same time.
const LONG_READS: usize = 2;

/// Number of connections that are reserved for reads.
const READERS: u32 = 2;

/// The database.
#[derive(Clone)]
pub struct Store {
    reader: Reader,
    /// Permits to write; with SQLite there is one. Writers wait here, and not each with a
    /// connection of the pool, which readers need.
    writing: Arc<Semaphore>,
    /// Permits to read a long list as a whole, which is then held in memory.
    long_reads: Arc<Semaphore>,
    /// The connection and transaction that writers to an SQLite database share.
    group: Option<Arc<Group>>,
}

impl Store {
    /// Opens the database with a maximum number of connections, and brings its schema up to date. A
    /// missing SQLite file is created. Of several instances that start together, only one changes
    /// the schema.
    ///
    /// # Errors
    ///
    /// The database cannot be opened, a migration failed, or the lock cannot be acquired.
    pub async fn open(url: &DatabaseUrl, connections: u32, lock_file: &Path) -> Result<Self> {
        let health = Arc::new(Health::default());
        let pooled = pooled(url, connections);
        let connection = connect::connect_and_migrate(url, pooled, lock_file, &health).await?;
        Self::new(url, Reader { connection, health }, connections).await
    }

    async fn new(url: &DatabaseUrl, reader: Reader, connections: u32) -> Result<Self> {
        let (writers, group) = match reader.get_database_backend() {
            DatabaseBackend::Sqlite => {
                let connection = connect::connect_writer(url, &reader.health).await?;
                (1, Some(Arc::new(Group::new(connection))))
            }
            _ => (connections.saturating_sub(READERS).max(1) as usize, None),
        };
        Ok(Self {
            reader,
            writing: Arc::new(Semaphore::new(writers)),
            long_reads: Arc::new(Semaphore::new(LONG_READS)),
            group,
        })
    }

    /// Opens a database whose schema a service of this version has brought up to date. Creates
    /// nothing.
    ///
    /// # Errors
    ///
    /// There is no such database, or it cannot be opened.
    pub async fn open_ready(url: &DatabaseUrl, connections: u32) -> Result<Self> {
        if connect::can_be_made(url) {
            return Err(StoreError::NotReady);
        }
        let health = Arc::new(Health::default());
        let connection = connect::connect(url, pooled(url, connections), &health).await?;
        if !connect::is_up_to_date(&connection).await? {
            return Err(StoreError::NotReady);
        }
        Self::new(url, Reader { connection, health }, connections).await
    }

    /// Checks that a database can be opened. A missing SQLite file is not created.
    ///
    /// # Errors
    ///
    /// The database cannot be opened.
    pub async fn check(url: &DatabaseUrl) -> Result<()> {
        if !connect::can_be_made(url) {
            let connection = connect::connect(url, 1, &Arc::default()).await?;
            if !connect::is_up_to_date(&connection).await? {
                probe::may_create_tables(&connection).await?;
            }
            connection.close().await?;
        }
        Ok(())
    }

    /// Returns the fingerprint of the server's key that a database was used with; `None` if there
    /// is no database yet, or one of a version that recorded none. Creates nothing.
    ///
    /// # Errors
    ///
    /// The database cannot be opened.
    pub async fn find_key_fingerprint(url: &DatabaseUrl) -> Result<Option<String>> {
        if connect::can_be_made(url) {
            return Ok(None);
        }
        let connection = connect::connect(url, 1, &Arc::default()).await?;
        let fingerprint = match connect::has_state(&connection).await? {
            true => state::find_key_fingerprint(&connection).await?,
            false => None,
        };
        connection.close().await?;
        Ok(fingerprint)
    }

    /// Records the fingerprint of the server's key, if none is recorded yet. Returns true if the
    /// recorded one is this one.
    pub(crate) async fn claim_key_fingerprint(&self, fingerprint: &str) -> Result<bool> {
        let writer = self.begin().await?;
        state::claim_key_fingerprint(&writer, fingerprint).await?;
        let recorded = state::find_key_fingerprint(&writer).await?;
        writer.commit().await?;
        Ok(recorded.as_deref() == Some(fingerprint))
    }

    /// Records the fingerprint of another key, and ends all pending logins. Returns their number.
    pub(crate) async fn replace_key_fingerprint(&self, fingerprint: &str) -> Result<u64> {
        let writer = self.begin().await?;
        state::replace_key_fingerprint(&writer, fingerprint).await?;
        let ended = session::disable_pending(&writer).await?;
        writer.commit().await?;
        Ok(ended)
    }

    /// Returns the connection for queries that change nothing.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Waits for a permit to read a long list. It is held until it is dropped.
    pub(crate) async fn begin_long_read(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        Arc::clone(&self.long_reads).acquire_owned().await.ok()
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Writer> {
        let Reader { connection, health } = self.reader.clone();
        health.check()?;
        let permit = permit(Arc::clone(&self.writing)).await?;
        let (writing, group) = (Arc::clone(&self.writing), self.group.clone());
        // A task of its own, which continues if the caller is dropped: a transaction that is
        // abandoned while it begins would stay open on a connection that others use.
        let begun = tokio::spawn(async move {
            let begun = match group {
                Some(group) => {
                    let begun = group.begin(&writing).await;
                    begun.map(|(transaction, part)| (transaction, Some(part)))
                }
                None => connection
                    .begin()
                    .await
                    .map(|transaction| (transaction, None)),
            };
            let (transaction, part) = begun.inspect_err(|error| health.observe(error))?;
            Ok(Writer {
                transaction,
                health,
                failed: AtomicBool::new(false),
                part,
                permit,
            })
        });
        begun
            .await
            .map_err(|error| DbErr::Custom(error.to_string()))?
    }

    /// Deletes rows of a table: at most `batch` by one statement, since other writers may have to
    /// wait for it, and at most `batches` times as many.
    ///
    /// The rows are looked up first: otherwise MariaDB would lock every row that it reads. A row
    /// that no longer matches stays.
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
                .all(&self.reader)
                .await?;
            let found = keys.len() as u64;
            if found > 0 {
                let writer = self.begin().await?;
                let some = E::delete_many().filter(key.is_in(keys));
                some.filter(which.clone()).exec(&writer).await?;
                writer.commit().await?;
            }
            if found < batch {
                break;
            }
        }
        Ok(())
    }

    /// Writes a row, like every request that changes something. The future must not be dropped
    /// half-way.
    ///
    /// # Errors
    ///
    /// A request that changes something would be answered with 503, or was a moment ago.
    pub(crate) async fn probe(&self, now: Timestamp) -> Result<()> {
        if self.reader.health.has_refused_writes() {
            return Err(StoreError::Unavailable(DbErr::Custom(
                "a write was refused a moment ago".to_owned(),
            )));
        }
        let writer = self.begin().await?;
        state::note_probe(&writer, now).await?;
        writer.commit().await
    }

    /// Number of open connections, and number of idle ones among them.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let connection = &self.reader.connection;
        match connection.get_database_backend() {
            DatabaseBackend::Postgres => size(connection.get_postgres_connection_pool()),
            DatabaseBackend::MySql => size(connection.get_mysql_connection_pool()),
            _ => {
                let pools = [
                    Some(connection),
                    self.group.as_deref().map(Group::connection),
                ];
                let pools = pools.into_iter().flatten();
                pools
                    .map(|connection| size(connection.get_sqlite_connection_pool()))
                    .fold((0, 0), |(open, idle), (more, idle_too)| {
                        (open + more, idle + idle_too)
                    })
            }
        }
    }

    /// Closes every connection.
    pub(crate) async fn close(self) {
        let group = self.group.as_deref().map(Group::connection);
        for connection in [group, Some(&self.reader.connection)].into_iter().flatten() {
            if let Err(error) = connection.close_by_ref().await {
                tracing::warn!(%error, "the database did not close cleanly");
            }
        }
        self.reader.health.close().await;
    }
}

/// Size of the pool, given the total of connections: with SQLite one less, since the connection
/// that writes is not in the pool, but at least one.
fn pooled(url: &DatabaseUrl, connections: u32) -> u32 {
    match url.sqlite_file() {
        Some(_) => connections.saturating_sub(1).max(1),
        None => connections,
    }
}

async fn permit(writing: Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    let permit = tokio::time::timeout(ACQUIRE_TIMEOUT, writing.acquire_owned()).await;
    // The semaphore is never closed, so a time-out is the only error.
    match permit {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(too_late()),
    }
}

/// Error of a writer that has waited too long for its turn.
fn too_late() -> StoreError {
    DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into()
}

fn size<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> (usize, usize) {
    (pool.size() as usize, pool.num_idle())
}
