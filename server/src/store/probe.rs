//! First connection to a database, made apart from the pool: the pool retries until its time is up,
//! and then knows no cause. Each cause becomes an error message with what to change.

mod server;

use std::{fs::File, path::Path, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, Statement,
    sqlx::{
        self, Connection, Row,
        postgres::{PgConnectOptions, PgConnection},
    },
};
use tokio::time::timeout;

use server::{Refusal, Server, refusal};

use super::{
    ConnectError, DatabaseOptions, DatabaseUrl,
    health::{database_error, is_damage},
};

type Result<T> = std::result::Result<T, ConnectError>;

/// Time limit for closing a connection of the probe.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Checks that a database can be reached and used.
///
/// # Errors
///
/// The database cannot be reached or used, or a pooler in front of it does not keep sessions apart.
pub(super) async fn probe(url: &DatabaseUrl) -> Result<()> {
    for (parameter, file) in url.tls_files() {
        // The error of sqlx does not name the file.
        File::open(file).map_err(|error| {
            ConnectError(format!(
                "the file {} that {parameter} names cannot be read: {error}",
                file.display()
            ))
        })?;
    }
    match url.options() {
        DatabaseOptions::Sqlite(options) => probe_sqlite(options.get_filename(), url.may_create()),
        DatabaseOptions::Postgres(options) => {
            let server = Server::postgres(options);
            let answer = server.within_time(probe_postgres(options, url, &server));
            answer.await
        }
        DatabaseOptions::MariaDb(options) => {
            let server = Server::mariadb(options);
            let answer = server.within_time(async {
                server.resolve().await?;
                let connection = sqlx::ConnectOptions::connect(&**options).await;
                let connection = connection.map_err(|error| server.explain(&error))?;
                close(connection).await;
                Ok(())
            });
            answer.await
        }
    }
}

fn probe_sqlite(file: &Path, may_create: bool) -> Result<()> {
    let shown = file.display();
    // The file is not opened: closing it would release the locks that SQLite holds on it.
    if file.is_dir() {
        return Err(ConnectError(format!(
            "{shown} is a folder: add the name of a file in it"
        )));
    }
    if file.exists() {
        return Ok(());
    }
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(ConnectError(format!(
            "the folder {} of the file {shown} does not exist or is not a folder: create it, or \
             correct the path",
            folder.display()
        )));
    }
    if !may_create {
        return Err(ConnectError(format!(
            "there is no file {shown}, and with mode=rw it is not created"
        )));
    }
    Ok(())
}

/// Adds the file to an error of SQLite, which does not name it.
pub(super) fn explain(url: &DatabaseUrl, error: DbErr) -> super::StoreError {
    let Some(file) = url.sqlite_file().filter(|_| !is_damage(&error)) else {
        return error.into();
    };
    let reason = match database_error(&error) {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    };
    ConnectError(format!(
        "cannot use the file {}: {reason}; the service must be able to read and write it and \
         its folder",
        file.display()
    ))
    .into()
}

async fn probe_postgres(
    options: &PgConnectOptions,
    url: &DatabaseUrl,
    server: &Server,
) -> Result<()> {
    server.resolve().await?;
    let connect = || async {
        let connection = sqlx::ConnectOptions::connect(options).await;
        connection.map_err(|error| server.explain(&error))
    };
    let failed = |error: sqlx::Error| server.explain(&error);
    let mut connection = connect().await?;
    let mut other = connect().await?;
    if shares_sessions(&mut connection, &mut other).await {
        return Err(ConnectError(format!(
            "the connection pooler at {} shares one session between several connections, which \
             loses prepared statements and settings: set pool_mode = session for this database \
             there, or connect to PostgreSQL itself",
            server.place
        )));
    }
    close(other).await;
    set_search_path(&mut connection, url.search_path())
        .await
        .map_err(failed)?;
    let schema = "SELECT current_schema()::text, current_setting('search_path')";
    let schema = sqlx::raw_sql(schema)
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    let (first, path): (Option<String>, String) = (
        schema.try_get(0).map_err(failed)?,
        schema.try_get(1).map_err(failed)?,
    );
    close(connection).await;
    let Some(first) = first else {
        return Err(ConnectError(format!(
            "none of the schemas in the search_path {path} exists in the database {}, or the \
             user {} may not use it: create one with CREATE SCHEMA, or correct search_path",
            server.database, server.user
        )));
    };
    // Otherwise the tables would be created in the next schema of the list.
    let wanted = url.search_path().map(first_schema).unwrap_or_default();
    if !wanted.is_empty() && wanted != "$user" && wanted != first {
        return Err(ConnectError(format!(
            "the schema {wanted} of search_path does not exist in the database {}, or the user {} \
             may not use it: CREATE SCHEMA \"{wanted}\" AUTHORIZATION \"{}\"",
            server.database, server.user, server.user
        )));
    }
    Ok(())
}

/// Sets the search_path of a session, if the URL has one.
pub(super) async fn set_search_path(
    connection: &mut PgConnection,
    search_path: Option<&str>,
) -> sqlx::Result<()> {
    if let Some(search_path) = search_path {
        sqlx::query("SELECT set_config('search_path', $1, false)")
            .bind(search_path)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Returns the first name of a search_path, as PostgreSQL reads it.
fn first_schema(search_path: &str) -> String {
    let search_path = search_path.trim();
    match search_path.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
        None => {
            let first = search_path.split(',').next().unwrap_or_default();
            first.trim().to_lowercase()
        }
    }
}

/// Returns true if two connections share one session, as with a pooler in transaction mode: the
/// second one sees what the first one set, or the first one loses it. Statements are sent
/// unprepared, which works with every pooler.
async fn shares_sessions(one: &mut PgConnection, other: &mut PgConnection) -> bool {
    const UNSET: &str = "SELECT set_config('cortex_report.probe', '', false)";
    async fn value(connection: &mut PgConnection) -> sqlx::Result<Option<String>> {
        let get = "SELECT current_setting('cortex_report.probe', true)";
        sqlx::raw_sql(get).fetch_one(connection).await?.try_get(0)
    }
    async fn set(connection: &mut PgConnection, statement: &'static str) -> sqlx::Result<()> {
        sqlx::raw_sql(statement)
            .execute(connection)
            .await
            .map(|_| ())
    }
    let shares = async {
        // It may be set by an earlier start.
        set(other, UNSET).await?;
        set(
            one,
            "SELECT set_config('cortex_report.probe', 'set', false)",
        )
        .await?;
        let mut shares = false;
        for _ in 0..3 {
            shares |= value(other).await?.as_deref() == Some("set");
            shares |= value(one).await?.as_deref() != Some("set");
        }
        set(one, UNSET).await?;
        Ok::<_, sqlx::Error>(shares)
    };
    // A database without such settings has no such pooler.
    shares.await.unwrap_or_default()
}

async fn close<C: Connection>(connection: C) {
    // An error is ignored, since the connection is not used again.
    let _ = timeout(CLOSE_TIMEOUT, connection.close()).await;
}

/// Checks that the user may create tables. Only PostgreSQL is asked; with the other databases the
/// migration itself shows it.
///
/// # Errors
///
/// The user may not create tables, or the query failed.
pub(super) async fn may_create_tables(connection: &DatabaseConnection) -> super::Result<()> {
    if connection.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    let ask = "SELECT has_schema_privilege(current_schema(), 'CREATE'), current_schema()::text, \
         current_user::text";
    let ask = Statement::from_string(DatabaseBackend::Postgres, ask);
    let Some(row) = connection.query_one_raw(ask).await? else {
        return Ok(());
    };
    let (may, schema, user): (bool, String, String) = (
        row.try_get_by_index(0)?,
        row.try_get_by_index(1)?,
        row.try_get_by_index(2)?,
    );
    match may {
        true => Ok(()),
        false => Err(ConnectError(format!(
            "the user {user} may not create tables in the schema {schema}: GRANT CREATE ON SCHEMA \
             \"{schema}\" TO \"{user}\""
        ))
        .into()),
    }
}

/// Explains a migration that failed because the user lacks rights.
pub(super) fn explain_migration(error: DbErr) -> super::StoreError {
    let denied = database_error(&error)
        .filter(|error| matches!(refusal(*error), Some(Refusal::NotAllowed)))
        .map(|error| error.message().to_owned());
    match denied {
        Some(message) => ConnectError(format!(
            "the user may not create or change the tables: {message}; GRANT ALL on the database \
             to the user"
        ))
        .into(),
        None => error.into(),
    }
}
