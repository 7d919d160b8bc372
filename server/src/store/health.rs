//! Health of an open database: reasons to stop using it that its answers alone do not show.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{
        ConnectOptions, Connection, Executor, SqliteConnection,
        error::DatabaseError,
        mysql::MySqlDatabaseError,
        sqlite::{SqliteConnectOptions, SqliteError},
    },
};

use super::{Result, StoreError};

/// Health of a database. A server checks its own files; an SQLite file can be damaged, or replaced
/// while the service runs.
#[derive(Default)]
pub(super) struct Health {
    files: OnceLock<Files>,
    is_damaged: AtomicBool,
    write_failed_at: Mutex<Option<Instant>>,
}

/// Time for which a database counts as unable to write after a write failed for lack of space or
/// rights. A small write may still succeed where larger ones fail.
const FAILURE_COUNTS_FOR: Duration = Duration::from_secs(10);

impl Health {
    /// Checks that the database that was opened is still the one that others will see.
    ///
    /// # Errors
    ///
    /// A file of the database was removed or replaced, or is damaged.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(files) = self.files.get() {
            files.check()?;
            if self.is_damaged.load(Ordering::Relaxed) {
                return Err(StoreError::Damaged);
            }
        }
        Ok(())
    }

    /// Remembers an error that means that an SQLite file is damaged, or that nothing can be
    /// written.
    pub(super) fn observe(&self, error: &DbErr) {
        if is_damage(error) {
            self.is_damaged.store(true, Ordering::Relaxed);
        }
        if refuses_writes(error) {
            *lock(&self.write_failed_at) = Some(Instant::now());
        }
    }

    /// Returns true if a write failed lately for lack of space or rights.
    pub(super) fn has_refused_writes(&self) -> bool {
        let failed_at = *lock(&self.write_failed_at);
        failed_at.is_some_and(|at| at.elapsed() < FAILURE_COUNTS_FOR)
    }

    /// Remembers which files an SQLite database has, and keeps them open.
    ///
    /// # Errors
    ///
    /// The database cannot be opened, or one of its files is missing.
    pub(super) async fn watch(&self, options: SqliteConnectOptions) -> Result<()> {
        let files = Files::open(options).await?;
        // Watched once: another instance has a health of its own.
        let _ = self.files.set(files);
        Ok(())
    }

    /// Closes the connection that [`watch`](Self::watch) keeps open.
    pub(super) async fn close(&self) {
        let keeper = self.files.get();
        let keeper = keeper.and_then(|files| lock(&files.keeper).take());
        if let Some(keeper) = keeper
            && let Err(error) = keeper.close().await
        {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each is replaced as a whole, so a panic elsewhere does not spoil it.
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns true if an error means that a database has no space, or takes no writes.
fn refuses_writes(error: &DbErr) -> bool {
    /// SQLite's READONLY, IOERR and FULL.
    const SQLITE: [i64; 3] = [8, 10, 13];
    /// MariaDB's disk full, table full, read-only server, and read-only transaction.
    const MARIADB: [u16; 4] = [1021, 1114, 1290, 1792];
    /// The SQLSTATE of a disk that is full, and of a transaction that may only read.
    const POSTGRES: [&str; 2] = ["53100", "25006"];
    if let Some(code) = sqlite_code(error) {
        return SQLITE.contains(&code);
    }
    let Some(error) = database_error(error) else {
        return false;
    };
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return MARIADB.contains(&error.number());
    }
    error.code().is_some_and(|code| POSTGRES.contains(&&*code))
}

/// Returns true if SQLite found that a file is damaged, or is not a database.
pub(super) fn is_damage(error: &DbErr) -> bool {
    /// SQLite's CORRUPT and NOTADB.
    const DAMAGE: [i64; 2] = [11, 26];
    sqlite_code(error).is_some_and(|code| DAMAGE.contains(&code))
}

/// Returns SQLite's primary code of an error; `None` if it is not an error of SQLite.
pub(super) fn sqlite_code(error: &DbErr) -> Option<i64> {
    let error = database_error(error)?;
    error.try_downcast_ref::<SqliteError>()?;
    let code: i64 = error.code()?.parse().ok()?;
    // The extended codes keep the primary one in their low byte.
    Some(code & 0xff)
}

pub(super) fn database_error(error: &DbErr) -> Option<&dyn DatabaseError> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => error.as_database_error(),
        _ => None,
    }
}

/// The files of an SQLite database: the database, its write-ahead log, and the log's index.
struct Files {
    files: Vec<(PathBuf, Identity)>,
    /// As long as a connection is open, SQLite does not remove the log and its index.
    keeper: Mutex<Option<SqliteConnection>>,
}

/// Device and inode: another file of the same name has another identity.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    fn of(file: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(file)?;
        Ok(Self(metadata.dev(), metadata.ino()))
    }
}

impl Files {
    async fn open(options: SqliteConnectOptions) -> Result<Self> {
        let database = options.get_filename().to_owned();
        let failed = |error| DbErr::Conn(RuntimeErr::SqlxError(std::sync::Arc::new(error)));
        let mut keeper = options.connect().await.map_err(failed)?;
        // The log and its index are opened by the first query.
        let look = keeper.execute("SELECT count(*) FROM sqlite_schema").await;
        look.map_err(failed)?;
        let files = ["", "-wal", "-shm"].map(|suffix| {
            let mut name = database.clone().into_os_string();
            name.push(suffix);
            let file = PathBuf::from(name);
            match Identity::of(&file) {
                Ok(identity) => Ok((file, identity)),
                Err(_) => Err(StoreError::Replaced { file }),
            }
        });
        Ok(Self {
            files: files.into_iter().collect::<Result<_>>()?,
            keeper: Mutex::new(Some(keeper)),
        })
    }

    fn check(&self) -> Result<()> {
        for (file, identity) in &self.files {
            if Identity::of(file).ok() != Some(*identity) {
                return Err(StoreError::Replaced { file: file.clone() });
            }
        }
        Ok(())
    }
}
