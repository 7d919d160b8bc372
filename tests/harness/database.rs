//! A database for each test: an SQLite file, or a database of its own on a server.

use std::{
    path::Path,
    process,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, Statement,
};

/// The variable with the URL of a database on a server, which the tests use instead of SQLite files.
pub const SERVER: &str = "CORTEX_REPORT_TEST_SERVER";

/// A database that nobody else uses, gone when it is dropped: with PostgreSQL a schema, which is
/// made faster.
pub struct TestDatabase {
    url: String,
    /// The server and the name there.
    made: Option<(String, String)>,
}

impl TestDatabase {
    /// An empty one: a file in `folder`, or on the server that the tests are to use.
    pub async fn create(folder: &Path) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let Ok(server) = std::env::var(SERVER) else {
            return Self {
                url: format!("sqlite://{}", folder.join("test.db").display()),
                made: None,
            };
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cortex_report_test_{}_{number}", process::id());
        execute(&server, &format!("CREATE SCHEMA {name}")).await;
        let url = match (backend(&server), server.rsplit_once('/')) {
            (DatabaseBackend::MySql, Some((server, _))) => format!("{server}/{name}"),
            _ => format!("{server}?options[search_path]={name}"),
        };
        Self {
            url,
            made: Some((server, name)),
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host of the server in the URL, with its port if there is one.
    pub fn server(&self) -> String {
        let (_, rest) = self.url.split_once('@').unwrap();
        rest.split('/').next().unwrap().to_owned()
    }

    /// The same by another way to the server, without TLS.
    pub fn through(mut self, address: &str) -> Self {
        let plain = match self.backend() {
            DatabaseBackend::MySql => "?ssl-mode=DISABLED",
            _ => "&sslmode=disable",
        };
        self.url = self.url.replacen(&self.server(), address, 1) + plain;
        self
    }

    /// A connection, and no more than one.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.url).await
    }

    pub fn backend(&self) -> DatabaseBackend {
        backend(&self.url)
    }

    /// The names of all tables, but for the database's own.
    pub async fn tables(&self) -> Vec<String> {
        let tables = match self.backend() {
            DatabaseBackend::Sqlite => {
                "SELECT name AS row FROM sqlite_master
                WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
            }
            DatabaseBackend::Postgres => {
                "SELECT table_name::text AS row FROM information_schema.tables
                WHERE table_schema = current_schema() ORDER BY 1"
            }
            _ => {
                "SELECT table_name AS `row` FROM information_schema.tables
                WHERE table_schema = database() ORDER BY 1"
            }
        };
        texts(&self.connect().await, tables).await
    }

    /// Takes away a table that others refer to.
    pub async fn drop_table(&self, table: &str) {
        let drop = match self.backend() {
            DatabaseBackend::Sqlite => {
                format!("PRAGMA foreign_keys = OFF; DROP TABLE \"{table}\"")
            }
            DatabaseBackend::Postgres => format!("DROP TABLE \"{table}\" CASCADE"),
            _ => format!("SET foreign_key_checks = 0; DROP TABLE `{table}`"),
        };
        self.connect()
            .await
            .execute_unprepared(&drop)
            .await
            .unwrap();
    }

    /// The database cannot be used, as after a failure, while what is answered is kept.
    pub async fn fail(&self) -> DatabaseConnection {
        let connection = self.connect().await;
        let tables = self.tables().await;
        match self.backend() {
            DatabaseBackend::Sqlite => {
                let write = "CREATE TABLE other (id)";
                connection.execute_unprepared(write).await.unwrap();
                // What was written lately is in this file, and nowhere else yet: the disk fails.
                let log = format!("{}-wal", self.url.trim_start_matches("sqlite://"));
                let log = std::fs::File::options().write(true).open(log).unwrap();
                log.set_len(0).unwrap();
            }
            DatabaseBackend::Postgres => {
                let tables = format!("\"{}\"", tables.join("\", \""));
                let lock = format!("BEGIN; LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE");
                connection.execute_unprepared(&lock).await.unwrap();
            }
            _ => {
                let lock = format!("LOCK TABLES `{}` WRITE", tables.join("` WRITE, `"));
                connection.execute_unprepared(&lock).await.unwrap();
            }
        }
        connection
    }

    /// Lets nobody write until the connection is closed.
    pub async fn lock(&self) -> DatabaseConnection {
        let lock = match self.backend() {
            DatabaseBackend::Sqlite => "BEGIN IMMEDIATE",
            DatabaseBackend::Postgres => "BEGIN; LOCK TABLE app IN EXCLUSIVE MODE",
            _ => "LOCK TABLES app READ",
        };
        let connection = self.connect().await;
        connection.execute_unprepared(lock).await.unwrap();
        connection
    }

    /// The rows of a table, each as a text, in an order of their own. Bytes are in hexadecimal.
    pub async fn rows(&self, table: &str) -> Vec<String> {
        let connection = self.connect().await;
        let columns = match self.backend() {
            DatabaseBackend::Sqlite => {
                format!(
                    "SELECT 'quote(\"' || name || '\")' AS row FROM pragma_table_info('{table}')
                    ORDER BY cid"
                )
            }
            DatabaseBackend::Postgres => {
                format!(
                    "SELECT 'quote_nullable(\"' || column_name || '\")' AS row
                    FROM information_schema.columns
                    WHERE table_schema = current_schema() AND table_name = '{table}'
                    ORDER BY ordinal_position"
                )
            }
            _ => {
                format!(
                    "SELECT CONCAT(IF(data_type = 'varbinary', 'HEX(`', 'QUOTE(`'),
                    column_name, '`)') AS `row` FROM information_schema.columns
                    WHERE table_schema = database() AND table_name = '{table}'
                    ORDER BY ordinal_position"
                )
            }
        };
        let columns = texts(&connection, &columns).await.join(", ");
        let rows = match self.backend() {
            DatabaseBackend::MySql => {
                format!("SELECT CONCAT_WS(' ', {columns}) AS `row` FROM `{table}` ORDER BY 1")
            }
            _ => {
                let columns = columns.replace(", ", " || ' ' || ");
                format!("SELECT {columns} AS row FROM \"{table}\" ORDER BY 1")
            }
        };
        texts(&connection, &rows).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some((server, name)) = self.made.take() else {
            return;
        };
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(drop_schema(&server, &name));
        });
        let dropped = dropping.join();
        assert!(
            dropped.is_ok() || thread::panicking(),
            "the test's database is still there"
        );
    }
}

fn backend(url: &str) -> DatabaseBackend {
    match url.split(':').next() {
        Some("sqlite") => DatabaseBackend::Sqlite,
        Some("postgres") => DatabaseBackend::Postgres,
        _ => DatabaseBackend::MySql,
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

async fn drop_schema(server: &str, name: &str) {
    let cascade = match backend(server) {
        DatabaseBackend::Postgres => " CASCADE",
        _ => "",
    };
    execute(server, &format!("DROP SCHEMA {name}{cascade}")).await;
}

/// Sends a statement to a server.
async fn execute(server: &str, statement: &str) {
    let connection = connect(server).await;
    connection.execute_unprepared(statement).await.unwrap();
    connection.close().await.unwrap();
}

async fn texts(database: &DatabaseConnection, query: &str) -> Vec<String> {
    let statement = Statement::from_string(database.get_database_backend(), query);
    let rows = database.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("", "row").unwrap())
        .collect()
}
