//! Opens databases, with settings that make all three kinds behave alike, and brings their schema
//! up to date.

use std::{
    fs::{File, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    EntityTrait, Statement, TransactionTrait,
    sqlx::{
        self, Connection, Executor,
        pool::{PoolConnectionMetadata, PoolOptions},
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use sea_orm_migration::{MigratorTrait, SchemaManager, seaql_migrations};
use sha2::{Digest, Sha256};

use super::{
    DatabaseOptions, DatabaseUrl, Result, StoreError, connection::ACQUIRE_TIMEOUT, health::Health,
    migrations::Migrator, probe,
};

/// Idle time after which a connection is tested before it is used.
const TESTED_AFTER: Duration = Duration::from_secs(1);
/// Time limit for another instance to bring the schema up to date, in seconds.
const MIGRATION_TIMEOUT: u32 = 600;
const NOT_FINISHED: &str = "another instance did not finish bringing the schema up to date";

/// Settings of a PostgreSQL session. A commit is on disk when it is answered, whatever the server's
/// own setting is, and the wait for a lock has the same limit as the wait for a connection.
const POSTGRES_SESSION: &str = "SET synchronous_commit = on; SET lock_timeout = '3s'; \
    SET default_transaction_isolation = 'read committed'";
/// Settings of a MariaDB session. Isolation and the limit of waits are the same as with PostgreSQL,
/// and a value that does not fit is an error. Only the server as a whole has a setting for commits,
/// which [`warn_of_lost_commits`] checks.
const MARIADB_SESSION: &str = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), \
    innodb_lock_wait_timeout = 3, lock_wait_timeout = 3; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Opens the database of a URL. A missing SQLite file is created.
pub(super) async fn connect(
    url: &DatabaseUrl,
    max_connections: u32,
    health: &Arc<Health>,
) -> Result<DatabaseConnection> {
    probe::probe(url).await?;
    open(url, max_connections, health, sqlite_session).await
}

/// Opens the only connection that writes to an SQLite database, after the ones that read.
pub(super) async fn connect_writer(
    url: &DatabaseUrl,
    health: &Arc<Health>,
) -> Result<DatabaseConnection> {
    open(url, 1, health, sqlite_writer).await
}

async fn open(
    url: &DatabaseUrl,
    max_connections: u32,
    health: &Arc<Health>,
    sqlite_session: fn(SqliteConnectOptions) -> SqliteConnectOptions,
) -> Result<DatabaseConnection> {
    let search_path = url.search_path().map(str::to_owned);
    let mut options = url.connect_options();
    let health = Arc::clone(health);
    options
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A test at each use would double the time of each query.
        .test_before_acquire_if_idle_for(TESTED_AFTER)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |options| {
            keep_private(options.get_filename());
            sqlite_session(options.create_if_missing(true))
        })
        .map_sqlx_sqlite_pool_opts(move |options| {
            let health = Arc::clone(&health);
            give_back_outside_of_transactions(options).after_connect(move |_, _| {
                // A file that has replaced the database is not opened.
                let health = health.check();
                Box::pin(async { health.map_err(|error| sqlx::Error::Configuration(error.into())) })
            })
        })
        .map_sqlx_postgres_pool_opts(move |options| {
            let search_path = search_path.clone();
            give_back_outside_of_transactions(options).after_connect(move |connection, _| {
                let search_path = search_path.clone();
                Box::pin(async move {
                    probe::set_search_path(connection, search_path.as_deref()).await?;
                    connection.execute(POSTGRES_SESSION).await.map(|_| ())
                })
            })
        })
        .map_sqlx_mysql_pool_opts(|options| {
            give_back_outside_of_transactions(options).after_connect(|connection, _| {
                Box::pin(async { connection.execute(MARIADB_SESSION).await.map(|_| ()) })
            })
        });
    let connection = Database::connect(options).await;
    let connection = connection.map_err(|error| probe::explain(url, error))?;
    warn_of_lost_commits(&connection).await?;
    Ok(connection)
}

fn sqlite_session(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(ACQUIRE_TIMEOUT)
        .foreign_keys(true)
        // A log that has grown during a long read is truncated once it is reused.
        .pragma("journal_size_limit", "4194304")
}

/// Settings of the connection that writes: those of [`sqlite_session`], and more memory.
fn sqlite_writer(options: SqliteConnectOptions) -> SqliteConnectOptions {
    sqlite_session(options)
        // Otherwise the data to undo a statement of many rows would be written into a file first.
        .pragma("temp_store", "MEMORY")
        // Keys are random, so that each new one is written into another page: 8 MiB of these.
        .pragma("cache_size", "-8192")
}

/// Closes a connection instead of returning it to the pool if it is inside a transaction, or
/// believes to be: SQLite ends a transaction by itself when a statement fails for lack of space,
/// and then refuses to end it again. Later writes on such a connection would never be committed.
fn give_back_outside_of_transactions<D: sqlx::Database>(options: PoolOptions<D>) -> PoolOptions<D> {
    options.after_release(
        |connection: &mut D::Connection, _: PoolConnectionMetadata| {
            Box::pin(async move {
                if connection.is_in_transaction() {
                    // A rollback may be in progress; the answer to a ping comes after its answer.
                    connection.ping().await?;
                }
                Ok(!connection.is_in_transaction())
            })
        },
    )
}

/// Returns true if a URL is of an SQLite file that does not exist yet and may be made, in a folder
/// that exists.
pub(super) fn can_be_made(url: &DatabaseUrl) -> bool {
    let Some(file) = url.sqlite_file().filter(|_| url.may_create()) else {
        return false;
    };
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    !file.exists() && folder.is_dir()
}

/// Creates the database's file, readable for its owner alone; SQLite gives the files beside it the
/// same mode. An error is ignored here, since opening the file then fails too, and reports it.
fn keep_private(file: &Path) {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    if let Err(error) = options.open(file) {
        tracing::debug!(%error, "the database file was not created");
    }
}

/// Warns if a commit is not on disk when MariaDB answers it, which is a setting of the server, and
/// not of a session.
async fn warn_of_lost_commits(connection: &DatabaseConnection) -> Result<()> {
    if connection.get_database_backend() != DatabaseBackend::MySql {
        return Ok(());
    }
    let setting = "SELECT CAST(@@innodb_flush_log_at_trx_commit AS SIGNED) AS setting";
    let setting: i64 = number(connection, setting).await?;
    if setting != 1 {
        tracing::warn!(
            "MariaDB may lose committed writes in a crash: set innodb_flush_log_at_trx_commit to 1"
        );
    }
    Ok(())
}

/// Opens the database of a URL, and brings its schema up to date. Of several instances that start
/// together, only one does it, and the others wait: with SQLite for a lock on `lock_file`,
/// otherwise for a lock of the database, which one connection holds while others do the work.
pub(super) async fn connect_and_migrate(
    url: &DatabaseUrl,
    max_connections: u32,
    lock_file: &Path,
    health: &Arc<Health>,
) -> Result<DatabaseConnection> {
    if let DatabaseOptions::Sqlite(options) = url.options() {
        // Taken first, since the creation of the file and its journal must not be disturbed either.
        let _lock = lock_sqlite(lock_file).await?;
        let connection = connect(url, max_connections, health).await?;
        refuse_damaged(&connection).await?;
        bring_up_to_date(&connection).await?;
        health.watch(sqlite_session((**options).clone())).await?;
        return Ok(connection);
    }
    let connection = connect(url, max_connections, health).await?;
    if connection.get_database_backend() == DatabaseBackend::Postgres {
        let lock = lock_postgres(&connection).await?;
        let migrated = bring_up_to_date(&connection).await;
        // The end of the transaction releases the lock.
        lock.commit().await?;
        migrated?;
    } else {
        let lock = lock_mariadb(&connection).await?;
        let migrated = bring_up_to_date(&connection).await;
        lock.execute_unprepared("DO RELEASE_ALL_LOCKS()").await?;
        lock.commit().await?;
        migrated?;
    }
    Ok(connection)
}

/// Returns true if every migration of this version was applied. There may be more, of a newer
/// version.
pub(super) async fn is_up_to_date(connection: &DatabaseConnection) -> Result<bool> {
    let manager = SchemaManager::new(connection);
    if !manager
        .has_table(Migrator::migration_table_name().inner())
        .await?
    {
        return Ok(false);
    }
    let applied = seaql_migrations::Entity::find().all(connection).await?;
    let is_applied = |name: &str| applied.iter().any(|it| it.version == name);
    Ok(Migrator::migrations()
        .iter()
        .all(|it| is_applied(it.name())))
}

/// Checks an SQLite file for damage before anything is written into it, for example a file that was
/// put beside the log of another one.
async fn refuse_damaged(connection: &DatabaseConnection) -> Result<()> {
    let check = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA quick_check(1)");
    let row = connection.query_one_raw(check).await?;
    let found: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
    match found.as_deref() {
        Some("ok") => Ok(()),
        _ => Err(StoreError::Damaged),
    }
}

async fn bring_up_to_date(connection: &DatabaseConnection) -> Result<()> {
    // An instance of the previous version works with the schema of the next one, while other
    // instances are upgraded; sea-orm would refuse migrations that it does not know.
    if !is_up_to_date(connection).await? {
        probe::may_create_tables(connection).await?;
        let migrated = Migrator::up(connection, None).await;
        migrated.map_err(probe::explain_migration)?;
    }
    Ok(())
}

/// Returns true if a database has this program's tables, of any version.
pub(super) async fn has_tables(connection: &DatabaseConnection) -> Result<bool, DbErr> {
    let manager = SchemaManager::new(connection);
    let migrations = Migrator::migration_table_name();
    Ok(manager.has_table(migrations.inner()).await? && manager.has_table("session").await?)
}

/// Returns true if a database is of a version that records facts about the service.
pub(super) async fn has_state(connection: &DatabaseConnection) -> Result<bool> {
    Ok(SchemaManager::new(connection).has_table("state").await?)
}

pub(super) async fn lock_sqlite(file: &Path) -> Result<File> {
    let failed = |error: io::Error| DbErr::Migration(error.to_string());
    let file = File::open(file).map_err(failed)?;
    // A thread that waits for the lock would delay the end of the program.
    for _ in 0..MIGRATION_TIMEOUT * 20 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(TryLockError::Error(error)) => return Err(failed(error).into()),
        }
    }
    Err(DbErr::Migration(NOT_FINISHED.to_owned()).into())
}

async fn lock_postgres(connection: &DatabaseConnection) -> Result<DatabaseTransaction> {
    let lock = connection.begin().await?;
    lock.execute_unprepared(&format!("SET LOCAL lock_timeout = '{MIGRATION_TIMEOUT}s'"))
        .await?;
    let schema = Statement::from_string(DatabaseBackend::Postgres, "SELECT current_schema()::text");
    let schema = lock.query_one_raw(schema).await?;
    let schema: Option<String> = schema.map(|row| row.try_get_by_index(0)).transpose()?;
    // All schemas of the database share the numbers of locks.
    let digest = Sha256::digest(format!("cortex-report {}", schema.unwrap_or_default()));
    let number = digest.first_chunk().copied().map(i64::from_be_bytes);
    let take = "SELECT pg_advisory_xact_lock($1)";
    let take = Statement::from_sql_and_values(
        DatabaseBackend::Postgres,
        take,
        [number.unwrap_or_default().into()],
    );
    lock.execute_raw(take).await?;
    Ok(lock)
}

async fn lock_mariadb(connection: &DatabaseConnection) -> Result<DatabaseTransaction> {
    let lock = connection.begin().await?;
    // All databases of the server share the names of locks, which have at most 64 characters.
    let take = format!(
        "SELECT COALESCE(GET_LOCK(CONCAT('cortex-report ', MD5(DATABASE())), {MIGRATION_TIMEOUT}), 0) \
         AS taken"
    );
    if number(&lock, &take).await? != 1 {
        return Err(DbErr::Migration(NOT_FINISHED.to_owned()).into());
    }
    Ok(lock)
}

/// Returns the only value of the only row of a query.
async fn number(db: &impl ConnectionTrait, query: &str) -> Result<i64> {
    let statement = Statement::from_string(db.get_database_backend(), query);
    let row = db.query_one_raw(statement).await?;
    let value = row.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(value.unwrap_or_default())
}
