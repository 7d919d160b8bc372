//! PgBouncer between the service and PostgreSQL.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use sea_orm::DatabaseBackend;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

use crate::harness::{
    TestDatabase,
    binary::{Served, binary, serve, text},
    link_path, mail_after, say,
};

/// Time limit for PgBouncer to listen.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A PgBouncer, stopped when it is dropped.
struct PgBouncer {
    _child: Child,
    /// The URL of the database through it.
    url: String,
}

/// Path of PgBouncer. If it is missing, the tests here are skipped; in CI they fail.
fn program() -> Option<&'static str> {
    let found = [
        "/usr/sbin/pgbouncer",
        "/usr/bin/pgbouncer",
        "/usr/local/bin/pgbouncer",
    ]
    .into_iter()
    .find(|program| Path::new(program).exists());
    if found.is_none() {
        assert!(env::var_os("CI").is_none(), "there is no pgbouncer");
        say("PgBouncer: LEFT OUT, since it is missing; install pgbouncer");
    }
    found
}

impl PgBouncer {
    async fn start(folder: &Path, database: &TestDatabase, pool_mode: &str) -> Option<Self> {
        let program = program()?;
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let (_, rest) = database.url().split_once('@').unwrap();
        let (server, rest) = rest.split_once('/').unwrap();
        let (host, server_port) = server.split_once(':').unwrap_or((server, "5432"));
        let (name, _) = rest.split_once('?').unwrap();
        let settings = format!(
            "[databases]
            {name} = host={host} port={server_port} dbname={name} user=postgres
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = {pool_mode}
            "
        );
        let file = folder.join("pgbouncer.ini");
        fs::write(&file, settings.replace("            ", "")).unwrap();
        // It refuses to be root, and another user has to read this.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        let is_root = Command::new("id").arg("-u").output().await.unwrap().stdout == b"0\n";
        let mut command = match is_root {
            true => {
                let mut command = Command::new("setpriv");
                command.args([
                    "--reuid=nobody",
                    "--regid=nogroup",
                    "--clear-groups",
                    program,
                ]);
                command
            }
            false => Command::new(program),
        };
        let child = command
            .arg(&file)
            .kill_on_drop(true)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(begin.elapsed() < TIMEOUT, "PgBouncer does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let address = format!("127.0.0.1:{port}");
        Some(Self {
            _child: child,
            url: database.url().replacen(server, &address, 1),
        })
    }
}

#[tokio::test]
async fn a_session_for_each_connection_works() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    if database.backend() != DatabaseBackend::Postgres {
        return;
    }
    let Some(bouncer) = PgBouncer::start(folder.path(), &database, "session").await else {
        return;
    };
    let mut command = binary(folder.path());
    command.env("CORTEX_REPORT_DATABASE_URL", &bouncer.url);
    let Served { child, api, .. } = serve(command).await;
    // In the schema that the URL names.
    assert!(database.tables().await.contains(&"session".to_owned()));
    let login = api
        .post("/api/1/login")
        .json(&json!({ "email": "ann@example.com" }));
    let login: Value = login.send().await.unwrap().json().await.unwrap();
    let path = link_path(&mail_after(folder.path(), 0).await);
    let code = login["manual_code"].as_str().unwrap();
    let form = api.post(&path).form(&[("manual_code", code)]);
    assert_eq!(form.send().await.unwrap().status(), 303);
    let key = login["session_key"].as_str().unwrap();
    let user = api
        .get("/api/1/user")
        .bearer_auth(key)
        .send()
        .await
        .unwrap();
    assert_eq!(user.status(), 200);
    let mut listed = binary(folder.path());
    listed.env("CORTEX_REPORT_DATABASE_URL", &bouncer.url);
    let listed = listed.args(["user", "list"]).output().await.unwrap();
    let listed = text(&listed.stdout);
    assert!(listed.starts_with("1\tann@example.com\tann\t"), "{listed}");
    drop(child);
}

/// Prepared statements and the settings of a session would be lost.
#[tokio::test]
async fn a_session_for_each_transaction_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    if database.backend() != DatabaseBackend::Postgres {
        return;
    }
    for pool_mode in ["transaction", "statement"] {
        let Some(bouncer) = PgBouncer::start(folder.path(), &database, pool_mode).await else {
            return;
        };
        // The sessions of the first try are there at the second.
        for arguments in [&[][..], &["user", "list"], &[], &["check-config"]] {
            let mut command = binary(folder.path());
            command.env("CORTEX_REPORT_DATABASE_URL", &bouncer.url);
            let output = command.args(arguments).output().await.unwrap();
            let said = text(&output.stdout) + &text(&output.stderr);
            assert_eq!(
                output.status.code(),
                Some(1),
                "{pool_mode} {arguments:?}: {said}"
            );
            for part in [
                "CORTEX_REPORT_DATABASE_URL: the connection pooler at 127.0.0.1:",
                "set pool_mode = session",
            ] {
                assert!(said.contains(part), "{pool_mode} {arguments:?}: {said}");
            }
        }
        assert_eq!(database.tables().await, [""; 0], "nothing is made");
    }
}
