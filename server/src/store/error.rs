//! Errors of the database.

use std::path::PathBuf;

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{error::DatabaseError, mysql::MySqlDatabaseError, postgres::PgDatabaseError},
};

use super::health::is_damage;

/// Reason why a database cannot be used, with the place and what to change. It never contains a
/// password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(pub(super) String);

/// Error of the database.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database yet, or one of an older version.
    #[error("start the service first: it creates the database, and brings its schema up to date")]
    NotReady,
    /// The database cannot be reached or used with this URL.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database cannot be reached, or is busy or full: a retry may succeed later.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] DbErr),
    /// A file of an SQLite database is no longer the one that was opened.
    #[error(
        "{} was removed or replaced while the service was running, so nothing more is written; \
         stop the service, put the file back, and start it again", file.display()
    )]
    Replaced {
        /// The file.
        file: PathBuf,
    },
    /// An SQLite file is damaged.
    #[error(
        "the database file is damaged, or is not a database; stop the service and restore a backup: \
         cortex-reportd restore FILE"
    )]
    Damaged,
    /// The database refused a statement, which is a bug of this program.
    #[error("the database refused a statement: {0}")]
    Refused(#[source] DbErr),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_damage(&error) {
            return Self::Damaged;
        }
        let is_temporary = match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
                inner.as_database_error().is_none_or(is_transient)
            }
            _ => false,
        };
        if is_temporary {
            Self::Unavailable(error)
        } else {
            Self::Refused(error)
        }
    }
}

/// Returns true if an error of a database is temporary: it is busy, full, read-only, or about to
/// stop.
fn is_transient(error: &dyn DatabaseError) -> bool {
    /// SQLite's BUSY, LOCKED, READONLY, IOERR, FULL and CANTOPEN.
    const SQLITE: [i64; 6] = [5, 6, 8, 10, 13, 14];
    /// MariaDB's disk full, too many connections, shutdown, out of resources, table full, lock
    /// wait timeout, deadlock, read-only, query interrupted, connection killed, and read-only
    /// transaction.
    const MARIADB: [u16; 12] = [
        1021, 1040, 1053, 1041, 1114, 1205, 1213, 1290, 1317, 1927, 1792, 1226,
    ];
    /// The classes of SQLSTATE for connections, transactions to be repeated, missing resources, and
    /// the operator's intervention; a lock that is not available, and a transaction that may only
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

/// Result of a query.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
