//! Messages between instances about changed sessions, by LISTEN and NOTIFY of PostgreSQL.
//!
//! The other databases have no such messages. A message can be lost, such as with a connection, and
//! a pooler that lends a connection for each transaction delivers none, so nothing may depend on
//! them.

use sea_orm::{
    DatabaseBackend, Statement,
    sqlx::{
        Error,
        postgres::{PgListener, PgPoolOptions},
    },
};

use super::{Connection, Result, Store};

const CHANNEL: &str = "cortex_report_sessions";
/// Message that stands for any number of sessions, in place of the hash of a key.
const ALL: &str = "all";

/// A change of one session, or of any number of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The session of the key with this hash.
    Session([u8; 32]),
    /// Any number of sessions.
    All,
}

impl Change {
    /// Returns the change of the session or token with a hash.
    pub(crate) fn of_hash(key_hash: Vec<u8>) -> Self {
        // A hash in the database has the length of one.
        key_hash.try_into().map_or(Self::All, Self::Session)
    }
}

/// Notifies all instances of a change; in a transaction, once it is committed.
pub(crate) async fn tell(db: &impl Connection, change: &Change) -> Result<()> {
    if db.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    let what = match change {
        Change::Session(key_hash) => key_hash.iter().map(|it| format!("{it:02x}")).collect(),
        Change::All => ALL.to_owned(),
    };
    let notify = Statement::from_sql_and_values(
        DatabaseBackend::Postgres,
        "SELECT pg_notify($1, $2)",
        [CHANNEL.into(), what.into()],
    );
    db.execute_raw(notify).await?;
    Ok(())
}

/// Receiver of changes, with a connection of its own.
pub(crate) struct Changes(PgListener);

impl Changes {
    /// Begins to listen. Returns `None` if the database has no such messages.
    ///
    /// # Errors
    ///
    /// The database cannot be reached.
    pub(crate) async fn of(store: &Store) -> Result<Option<Self>, Error> {
        let connection = &store.reader.connection;
        if connection.get_database_backend() != DatabaseBackend::Postgres {
            return Ok(None);
        }
        let options = connection.get_postgres_connection_pool().connect_options();
        let pool = PgPoolOptions::new().max_connections(1);
        let pool = pool.connect_lazy_with((*options).clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Some(Self(listener)))
    }

    /// Waits for a change. After a lost connection this is [`Change::All`], since messages may be
    /// missing.
    ///
    /// # Errors
    ///
    /// The database cannot be reached.
    pub(crate) async fn next(&mut self) -> Result<Change, Error> {
        let message = self.0.try_recv().await?;
        let key_hash = message.and_then(|message| bytes(message.payload())?.try_into().ok());
        Ok(key_hash.map_or(Change::All, Change::Session))
    }
}

/// Decodes a text in hexadecimal.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let bytes = digits.map(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
    bytes.collect()
}
