//! A URL that leads to no database that can be used: each cause is a sentence of its own.

use std::{fs, path::Path, time::Duration};

use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::Command,
};

use crate::harness::{
    TestDatabase,
    binary::{binary, serve, text},
    say,
};

/// Starts the binary with this URL and returns the error message with which it exits.
async fn refusal(folder: &Path, url: &str) -> String {
    let mut command = binary(folder);
    command
        .env("CORTEX_REPORT_DATABASE_URL", url)
        .env("CORTEX_REPORT_LOG_LEVEL", "trace");
    let output = tokio::time::timeout(Duration::from_secs(20), command.output());
    let output = output.await.expect("it ends by itself").unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{url}: {said}");
    assert!(
        !said.contains("hunter2") && !said.contains("panicked"),
        "{url}: {said}"
    );
    let last = said.lines().last().unwrap_or_default();
    let sentence = last.strip_prefix("cortex-reportd: CORTEX_REPORT_DATABASE_URL: ");
    sentence
        .unwrap_or_else(|| panic!("{url}: {said}"))
        .to_owned()
}

#[track_caller]
fn says(sentence: &str, parts: &[&str]) {
    for part in parts {
        assert!(sentence.contains(part), "lacks {part}: {sentence}");
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_meant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (url, parts) in [
        (
            "postgres://ann:hunter2@h/d?sslmod=verify-full",
            &["sslmod", "write sslmode"][..],
        ),
        (
            "postgres://ann:hunter2@h/d?schema=app",
            &["schema", "write search_path"],
        ),
        (
            "mariadb://ann:hunter2@h/d?ssl_mode=REQUIRED",
            &["ssl_mode", "write ssl-mode"],
        ),
        ("sqlite://a.db?jornal=wal", &["jornal", "mode, cache"]),
        ("postgres://ann:hun#ter2hunter2@h/d", &["%23"]),
        ("postgres://ann:hun/ter2hunter2@h/d", &["%2F"]),
        ("mariadb://ann:hun?ter2hunter2@h/d", &["%3F"]),
        ("postgres://ann:100%hunter2@h/d", &["%25"]),
        ("postgres://ann:hunter2@h", &["names no database"]),
        ("mariadb://ann:hunter2@h", &["names no database"]),
        ("postgres://ann:hunter2@h:port/d", &["the port in the URL"]),
        ("hunter2", &["write it like"]),
    ] {
        says(&refusal(folder.path(), url).await, parts);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("notes.txt"),
        "no database, and longer than a header of one. ".repeat(4),
    )
    .unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let file = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    for (url, parts) in [
        (
            file("nowhere/a.db"),
            &["/nowhere of the file", "/nowhere/a.db does not exist"][..],
        ),
        (
            file("notes.txt/a.db"),
            &["notes.txt of the file", "is not a folder"],
        ),
        (file("data"), &["/data is a folder"]),
        (
            file("a.db?mode=rw"),
            &["there is no file", "/a.db", "mode=rw"],
        ),
        (file("notes.txt"), &["is damaged, or is not a database"]),
        (file("a.db?vfs=none"), &["cannot use the file", "a.db"]),
        (
            "sqlite://~/a.db".to_owned(),
            &["the folder ~ of the file ~/a.db"],
        ),
    ] {
        says(&refusal(folder.path(), &url).await, parts);
    }
}

/// Answers everyone with these bytes.
async fn answering(bytes: impl Into<Vec<u8>>) -> u16 {
    let bytes = bytes.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut clients = Vec::new();
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            client.write_all(&bytes).await.unwrap();
            clients.push(tokio::spawn(async move {
                let mut said = Vec::new();
                let _ = client.read_to_end(&mut said).await;
            }));
        }
    });
    port
}

/// Message (ErrorResponse) with which PostgreSQL refuses a connection.
fn refusal_of_postgres(code: &str, message: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap();
    [b"E", length.to_be_bytes().as_slice(), fields.as_bytes()].concat()
}

/// Refusals that the database servers of the tests never send, so a fake server sends them.
#[tokio::test]
async fn a_refusal_is_told_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    for (code, message, parts) in [
        (
            "28P01",
            "password authentication failed for user \"ann\"",
            &[
                "refused the user ann: password authentication failed",
                "%40 for @",
            ][..],
        ),
        (
            "28000",
            "no pg_hba.conf entry for host \"::1\", no encryption",
            &["no pg_hba.conf entry", "sslmode=require"],
        ),
        (
            "3D000",
            "database \"d\" does not exist",
            &["database \"d\" does not exist: CREATE DATABASE d"],
        ),
        (
            "42501",
            "permission denied for database \"d\"",
            &["give the user ann rights in the database d"],
        ),
        (
            "53300",
            "sorry, too many clients already",
            &["too many clients already: the server takes no more connections"],
        ),
        (
            "08P01",
            "unsupported startup parameter: options",
            &["the connection pooler does not take the parameter options: take it out of the URL"],
        ),
        (
            "08P01",
            "unsupported startup parameter: application_name",
            &["add it to ignore_startup_parameters of the connection pooler"],
        ),
    ] {
        let port = answering(refusal_of_postgres(code, message)).await;
        let url = format!("postgres://ann:hunter2@127.0.0.1:{port}/d?sslmode=disable");
        let said = refusal(folder.path(), &url).await;
        says(&said, &[&format!("PostgreSQL at 127.0.0.1:{port} refused")]);
        says(&said, parts);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = free.local_addr().unwrap().port();
    drop(free);
    let silent = answering(b"").await;
    let other = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let plain = answering(b"N").await;
    let socket = folder.path().join("nowhere");
    let socket = socket.display();
    let refused = format!("127.0.0.1:{closed}");
    for (url, parts) in [
        (
            format!("postgres://ann:hunter2@127.0.0.1:{closed}/d"),
            &["connection refused: no PostgreSQL listens at", &refused][..],
        ),
        (
            format!("mariadb://ann:hunter2@127.0.0.1:{closed}/d"),
            &["connection refused: no MariaDB listens at", &refused],
        ),
        (
            "postgres://ann:hunter2@nowhere.invalid/d".to_owned(),
            &["the host nowhere.invalid is not found", "%40"],
        ),
        (
            "mariadb://ann:hunter2@nowhere.invalid/d".to_owned(),
            &["the host nowhere.invalid is not found", "%40"],
        ),
        (
            format!("postgres://ann:hunter2@127.0.0.1:{silent}/d"),
            &["does not answer as PostgreSQL within 3 seconds"],
        ),
        (
            format!("mariadb://ann:hunter2@127.0.0.1:{silent}/d"),
            &["does not answer as MariaDB within 3 seconds"],
        ),
        (
            format!("postgres://ann:hunter2@127.0.0.1:{other}/d"),
            &["does not speak the protocol of PostgreSQL"],
        ),
        (
            format!("postgres://ann:hunter2@127.0.0.1:{plain}/d?sslmode=require"),
            &["demands TLS", "sslmode"],
        ),
        (
            format!("postgres://ann@/d?host={socket}"),
            &["there is no socket", "nowhere/.s.PGSQL.5432"],
        ),
        (
            format!("mariadb://ann@/d?socket={socket}"),
            &["there is no socket", "nowhere"],
        ),
        (
            format!("postgres://ann@h/d?sslmode=verify-full&sslrootcert={socket}"),
            &["nowhere that sslrootcert names cannot be read"],
        ),
        (
            format!("mariadb://ann@h/d?ssl-mode=VERIFY_CA&ssl-ca={socket}"),
            &["nowhere that ssl-ca names cannot be read"],
        ),
    ] {
        says(&refusal(folder.path(), &url).await, parts);
    }
}

/// On a server that is there.
#[tokio::test]
async fn a_server_that_refuses_is_told_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    let url = database.url().to_owned();
    let at = |user: &str, database: &str| {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (_, rest) = rest.split_once('@').unwrap();
        let (server, rest) = rest.split_once('/').unwrap();
        let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
        let database = if database.is_empty() { name } else { database };
        format!("{scheme}://{user}@{server}/{database}?{query}")
    };
    if database.backend() == DatabaseBackend::Sqlite {
        return;
    }
    let connection = database.connect().await;
    let run = async |statement: String| {
        connection.execute_unprepared(&statement).await.unwrap();
    };
    let user = format!("limited_{}", std::process::id());
    match database.backend() {
        DatabaseBackend::Postgres => {
            let says_of = async |url: String, parts: &[&str]| {
                says(&refusal(folder.path(), &url).await, parts);
            };
            says_of(
                at("postgres:hunter2", "nowhere"),
                &["\"nowhere\" does not exist", "CREATE DATABASE"],
            )
            .await;
            says_of(
                at("nobody:hunter2", ""),
                &["refused the user nobody", "correct user and password"],
            )
            .await;
            let elsewhere = at("postgres", "").replace("[search_path]=", "[search_path]=nowhere,");
            says_of(
                elsewhere,
                &[
                    "the schema nowhere of search_path does not exist",
                    "CREATE SCHEMA",
                ],
            )
            .await;
            let (nowhere, _) = url.split_once('?').unwrap();
            for parameter in ["search_path", "options[search_path]"] {
                let url = format!("{nowhere}?{parameter}=nowhere");
                says_of(
                    url,
                    &["none of the schemas in the search_path nowhere exists"],
                )
                .await;
            }
            let setting = format!("{url}&options[nothing]=1");
            says_of(
                setting,
                &["unrecognized configuration parameter \"nothing\""],
            )
            .await;

            let (_, schema) = url.rsplit_once('=').unwrap();
            run(format!("CREATE ROLE {user} LOGIN")).await;
            let unusable = refusal(folder.path(), &at(&user, "")).await;
            run(format!("GRANT USAGE ON SCHEMA {schema} TO {user}")).await;
            let limited = refusal(folder.path(), &at(&user, "")).await;
            let mut check = binary(folder.path());
            check
                .env("CORTEX_REPORT_DATABASE_URL", at(&user, ""))
                .arg("check-config");
            let checked = check.output().await.unwrap();
            run(format!("DROP OWNED BY {user}; DROP ROLE {user}")).await;
            says(
                &unusable,
                &["exists in the database", &user, "may not use it"],
            );
            says(
                &limited,
                &[
                    "may not create tables in the schema",
                    "GRANT CREATE ON SCHEMA",
                ],
            );
            says(
                &text(&checked.stdout),
                &["failed: CORTEX_REPORT_DATABASE_URL: ", "GRANT CREATE"],
            );
        }
        _ => {
            let says_of = async |url: String, parts: &[&str]| {
                says(&refusal(folder.path(), &url).await, parts);
            };
            says_of(
                at("root:hunter2", ""),
                &["Access denied for user 'root'", "correct user and password"],
            )
            .await;
            says_of(
                at("root", "nowhere"),
                &["Unknown database 'nowhere'", "CREATE DATABASE"],
            )
            .await;
            let (_, name) = url.rsplit_once('/').unwrap();
            run(format!(
                "CREATE USER {user}@'%'; GRANT SELECT ON {name}.* TO {user}@'%'"
            ))
            .await;
            let limited = refusal(folder.path(), &at(&user, "")).await;
            run(format!("DROP USER {user}@'%'")).await;
            says(
                &limited,
                &["may not create or change the tables", "GRANT ALL"],
            );
        }
    }
}

#[tokio::test]
async fn a_socket_of_the_server_works() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    let url = database.url().to_owned();
    let ask = async |query: &str| {
        let statement = Statement::from_string(database.backend(), query);
        let row = database
            .connect()
            .await
            .query_one_raw(statement)
            .await
            .unwrap();
        row.unwrap().try_get_by_index::<String>(0).unwrap()
    };
    let (socket, url) = match database.backend() {
        DatabaseBackend::Sqlite => return,
        DatabaseBackend::Postgres => {
            let folders = ask("SELECT current_setting('unix_socket_directories')").await;
            let port = ask("SELECT current_setting('port')").await;
            let folder = folders.split(',').next().unwrap().trim().to_owned();
            let (_, rest) = url.split_once('@').unwrap();
            let (_, rest) = rest.split_once('/').unwrap();
            let url = format!("postgres://postgres@/{rest}&host={folder}&port={port}");
            (format!("{folder}/.s.PGSQL.{port}"), url)
        }
        _ => {
            let socket = ask("SELECT @@socket").await;
            let (_, name) = url.rsplit_once('/').unwrap();
            let url = format!("mariadb://root@/{name}?socket={socket}");
            (socket, url)
        }
    };
    if !Path::new(&socket).exists() {
        say(&format!(
            "socket: LEFT OUT, since the server's {socket} is not on this machine"
        ));
        return;
    }
    let mut command: Command = binary(folder.path());
    command.env("CORTEX_REPORT_DATABASE_URL", url);
    serve(command).await;
    assert!(database.tables().await.contains(&"session".to_owned()));
}
