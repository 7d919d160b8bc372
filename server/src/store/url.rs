//! URL of the database, parsed strictly: sqlx ignores parameters that it does not know, some of
//! which decide whether a connection is encrypted or where the tables are.

mod known;
mod parameters;
mod server;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use sea_orm::sqlx::{
    ConnectOptions, mysql::MySqlConnectOptions, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use url::form_urlencoded;

use self::{
    known::{MARIADB, POSTGRES, SQLITE},
    parameters::Parameters,
    server::ServerUrl,
};

/// URL of a database. It may contain a password, which neither `Debug` nor `Display` shows.
#[derive(Clone)]
pub struct DatabaseUrl {
    options: DatabaseOptions,
    may_create: bool,
    has_password: bool,
    search_path: Option<String>,
    tls_files: Vec<(&'static str, PathBuf)>,
    /// The URL without its password.
    shown: String,
}

/// The options of sqlx for each kind of database.
#[derive(Clone)]
pub(crate) enum DatabaseOptions {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
    MariaDb(Box<MySqlConnectOptions>),
}

impl DatabaseUrl {
    pub(crate) fn options(&self) -> &DatabaseOptions {
        &self.options
    }

    /// Returns the options of a pool of connections. The settings of the pool itself are to be
    /// added.
    pub(crate) fn connect_options(&self) -> sea_orm::ConnectOptions {
        match &self.options {
            // It has no password.
            DatabaseOptions::Sqlite(_) => sea_orm::ConnectOptions::new(&self.shown),
            DatabaseOptions::Postgres(options) => {
                let options = options.clone();
                let mut all = sea_orm::ConnectOptions::new("postgres://localhost");
                all.map_sqlx_postgres_opts(move |_| (*options).clone());
                all
            }
            DatabaseOptions::MariaDb(options) => {
                let options = options.clone();
                let mut all = sea_orm::ConnectOptions::new("mysql://localhost");
                all.map_sqlx_mysql_opts(move |_| (*options).clone());
                all
            }
        }
    }

    /// Returns the file of an SQLite database.
    pub(crate) fn sqlite_file(&self) -> Option<&Path> {
        match &self.options {
            DatabaseOptions::Sqlite(options) => Some(options.get_filename()),
            _ => None,
        }
    }

    /// Returns true if a missing SQLite file is to be created.
    pub(crate) fn may_create(&self) -> bool {
        self.may_create
    }

    pub(crate) fn has_password(&self) -> bool {
        self.has_password
    }

    /// Returns the schemas of PostgreSQL in which tables are looked up. A statement sets them,
    /// since connection poolers refuse them among the parameters that open a connection.
    pub(crate) fn search_path(&self) -> Option<&str> {
        self.search_path.as_deref()
    }

    /// Returns the files with certificates and keys for TLS, each with the parameter that names it.
    pub(crate) fn tls_files(&self) -> &[(&'static str, PathBuf)] {
        &self.tls_files
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    /// An error contains no part of the URL but the name of a parameter.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong_form = || {
            "write it like sqlite://cortex-report.db, postgres://user:password@host/database or \
             mariadb://user:password@host/database"
                .to_owned()
        };
        if text.contains(char::is_control) {
            return Err("the URL has a line break or another control character in it".to_owned());
        }
        let (scheme, rest) = text.split_once(':').ok_or_else(wrong_form)?;
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => sqlite(rest),
            "postgres" | "postgresql" => {
                let rest = rest.strip_prefix("//").ok_or_else(wrong_form)?;
                ServerUrl::parse(&POSTGRES, rest)?.postgres()
            }
            "mysql" | "mariadb" => {
                let rest = rest.strip_prefix("//").ok_or_else(wrong_form)?;
                ServerUrl::parse(&MARIADB, rest)?.mariadb()
            }
            _ => Err(wrong_form()),
        }
    }
}

fn sqlite(rest: &str) -> Result<DatabaseUrl, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if path.is_empty() {
        return Err(
            "the URL names no file: write it like sqlite://cortex-report.db or \
             sqlite:///var/lib/cortex-report/cortex-report.db"
                .to_owned(),
        );
    }
    let in_memory = form_urlencoded::parse(query.as_bytes()).any(|it| it.1 == "memory");
    if path == ":memory:" || in_memory {
        return Err("a database in memory is lost when the service ends: name a file".to_owned());
    }
    let parameters = Parameters::parse(&SQLITE, query)?;
    let options: SqliteConnectOptions =
        format!("sqlite://{path}?{}", parameters.query())
            .parse()
            .map_err(|_| "the path of the database is not UTF-8".to_owned())?;
    Ok(DatabaseUrl {
        options: DatabaseOptions::Sqlite(Box::new(options.disable_statement_logging())),
        may_create: parameters.get("mode") != Some("rw"),
        has_password: false,
        search_path: None,
        tls_files: Vec::new(),
        shown: format!("sqlite://{path}{}", parameters.shown()),
    })
}
