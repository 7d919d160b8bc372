//! Backup and restore of an SQLite database. A database on a server has tools of its own.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DbErr,
    Statement,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use tempfile::NamedTempFile;

use super::{
    DatabaseUrl, StoreError, connect,
    health::{is_damage, sqlite_code},
};

/// Error of a backup or restore.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is on a server.
    #[error(
        "this command backs up and restores SQLite files only; for a server, use its own tools: \
         pg_dump --format=custom and pg_restore, or mariadb-dump --single-transaction and mariadb"
    )]
    OnServer,
    /// A file with this name exists, and is not overwritten.
    #[error("{} already exists; move it away, or choose another name", .0.display())]
    Exists(PathBuf),
    /// The name cannot be passed to SQLite.
    #[error("the file name {} is not UTF-8, which SQLite requires", .0.display())]
    Name(PathBuf),
    /// The file is missing, damaged, or the database of another program.
    #[error("{} is not a backup that can be restored: {reason}", file.display())]
    Unfit {
        /// The backup.
        file: PathBuf,
        /// Reason why it cannot be restored.
        reason: String,
    },
    /// Another program has the database open.
    #[error(
        "{} is in use; first stop the service and all other programs that use it", .0.display()
    )]
    InUse(PathBuf),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or its folder failed.
    #[error("{}: {error}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Error of the operating system.
        error: io::Error,
    },
}

impl From<DbErr> for BackupError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// SQLite's code for a database that another connection has locked.
const BUSY: i64 = 5;
/// Suffix of the names of the files that are kept when a backup replaces a database.
const REPLACED: &str = ".before-restore";

/// Copies an SQLite database as it is at one moment into a new file that only its owner can read,
/// also while the service runs.
///
/// # Errors
///
/// There is no such database, it is damaged, or the file cannot be created.
pub async fn backup(url: &DatabaseUrl, file: &Path) -> Result<(), BackupError> {
    let database = url.sqlite_file().ok_or(BackupError::OnServer)?;
    if !database.exists() {
        return Err(StoreError::NotReady.into());
    }
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let copy = copy(database, file).await?;
    check(copy.path(), database).await?;
    put(copy, file)
}

/// Replaces an SQLite database, which must not be in use, with a backup. Its old files are kept
/// beside it, under names with `.before-restore`. Returns true if there were any.
///
/// # Errors
///
/// The backup is missing, damaged, or of another program; the database is in use; files that an
/// earlier restore has kept still exist; or a file cannot be moved. Then nothing has changed.
pub async fn restore(
    url: &DatabaseUrl,
    backup: &Path,
    lock_file: &Path,
) -> Result<bool, BackupError> {
    let database = url.sqlite_file().ok_or(BackupError::OnServer)?;
    let unfit = |reason: &str| BackupError::Unfit {
        file: backup.to_owned(),
        reason: reason.to_owned(),
    };
    if !backup.is_file() {
        return Err(unfit("there is no such file"));
    }
    // A service that starts meanwhile waits.
    let _lock = match lock_file.exists() {
        true => Some(connect::lock_sqlite(lock_file).await?),
        false => None,
    };
    let copy = copy(backup, database).await?;
    check(copy.path(), backup).await?;
    refuse_in_use(database).await?;
    let kept = beside(database, REPLACED);
    // The log is moved first: a database without its log is merely older, but one with the log of
    // another database is damaged.
    let mut moves = Vec::new();
    for suffix in ["-wal", "-shm", ""] {
        let (from, to) = (beside(database, suffix), beside(&kept, suffix));
        if to.exists() {
            return Err(BackupError::Exists(to));
        }
        if from.exists() {
            moves.push((from, to));
        }
    }
    keep_owner(database, copy.path())?;
    for (from, to) in &moves {
        match fs::rename(from, to) {
            // SQLite removes an empty log when the last connection has closed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            moved => moved.map_err(failed(from))?,
        }
    }
    put(copy, database)?;
    Ok(!moves.is_empty())
}

/// Makes a consistent copy of a database, in the folder where `destination` will be.
async fn copy(database: &Path, destination: &Path) -> Result<NamedTempFile, BackupError> {
    let folder = folder(destination);
    // Readable for its owner alone, and gone if anything fails.
    let copy = NamedTempFile::new_in(folder).map_err(failed(folder))?;
    let name = copy.path().to_str();
    let name = name.ok_or_else(|| BackupError::Name(copy.path().to_owned()))?;
    let unfit = |error: DbErr| BackupError::Unfit {
        file: database.to_owned(),
        reason: match is_damage(&error) {
            true => "it is damaged, or not a database".to_owned(),
            false => error.to_string(),
        },
    };
    let connection = open(database, None).await.map_err(unfit)?;
    let vacuum =
        Statement::from_sql_and_values(DatabaseBackend::Sqlite, "VACUUM INTO $1", [name.into()]);
    let copied = connection.execute_raw(vacuum).await;
    connection.close().await?;
    copied.map_err(unfit)?;
    copy.as_file().sync_all().map_err(failed(copy.path()))?;
    Ok(copy)
}

/// Checks that a copy of `original` is a whole database of this program.
async fn check(copy: &Path, original: &Path) -> Result<(), BackupError> {
    let unfit = |reason: String| BackupError::Unfit {
        file: original.to_owned(),
        reason,
    };
    let connection = open(copy, None).await?;
    let check = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA integrity_check(1)");
    let row = connection.query_one_raw(check).await?;
    let found: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
    let is_ours = connect::has_tables(&connection).await?;
    connection.close().await?;
    match found.as_deref() {
        Some("ok") if is_ours => Ok(()),
        Some("ok") => Err(unfit("it is not a database of cortex-reportd".to_owned())),
        found => Err(unfit(found.unwrap_or("it cannot be checked").to_owned())),
    }
}

/// Returns an error if another program has the database open. A database that is too damaged to
/// tell may be replaced.
async fn refuse_in_use(database: &Path) -> Result<(), BackupError> {
    if !database.exists() {
        return Ok(());
    }
    // SQLite leaves write-ahead logging only if no other connection has the database open.
    match open(database, Some(SqliteJournalMode::Delete)).await {
        Ok(connection) => Ok(connection.close().await?),
        Err(error) if is_damage(&error) => Ok(()),
        Err(error) if sqlite_code(&error) == Some(BUSY) => {
            Err(BackupError::InUse(database.to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn open(
    database: &Path,
    journal_mode: Option<SqliteJournalMode>,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    let database = database.to_owned();
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |_| {
            let options = SqliteConnectOptions::new()
                .filename(&database)
                .busy_timeout(Duration::from_secs(1));
            match journal_mode {
                Some(mode) => options.journal_mode(mode),
                None => options,
            }
        });
    Database::connect(options).await
}

/// Gives the copy the owner of the database that it replaces, or otherwise of the folder: the
/// operator may be root, while the service is not.
fn keep_owner(database: &Path, copy: &Path) -> Result<(), BackupError> {
    let model = if database.exists() {
        database
    } else {
        folder(database)
    };
    let owner = fs::metadata(model).map_err(failed(model))?;
    let own = fs::metadata(copy).map_err(failed(copy))?;
    if (owner.uid(), owner.gid()) != (own.uid(), own.gid()) {
        chown(copy, Some(owner.uid()), Some(owner.gid())).map_err(failed(copy))?;
    }
    Ok(())
}

/// Gives the copy its final name, and waits until that is on disk.
fn put(copy: NamedTempFile, file: &Path) -> Result<(), BackupError> {
    copy.persist_noclobber(file)
        .map_err(|error| failed(file)(error.error))?;
    let folder = folder(file);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(failed(folder))
}

fn failed(file: &Path) -> impl Fn(io::Error) -> BackupError {
    move |error| BackupError::File {
        file: file.to_owned(),
        error,
    }
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}
