//! A database that does not do its part.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

use crate::harness::{Service, TestDatabase, ok, problem_of};

/// Stands between the service and a server, and passes on nothing while it is frozen. Answers where.
async fn freezable(server: String, frozen: watch::Receiver<bool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(&server).await.unwrap();
            server.set_nodelay(true).unwrap();
            client.set_nodelay(true).unwrap();
            let (from_server, to_server) = server.into_split();
            let (from_client, to_client) = client.into_split();
            tokio::spawn(pass_on(from_server, to_client, frozen.clone()));
            tokio::spawn(pass_on(from_client, to_server, frozen.clone()));
        }
    });
    address
}

async fn pass_on(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut frozen: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 || frozen.wait_for(|frozen| !frozen).await.is_err() {
            return Ok(());
        }
        to.write_all(&bytes[..count]).await?;
    }
}

/// No statement ends then, not even by a time limit of the server's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_is_frozen_every_request_is_told_in_time_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    if database.backend() == DatabaseBackend::Sqlite {
        // A file does not freeze; that others lock it is another test.
        return;
    }
    let (freeze, frozen) = watch::channel(false);
    let address = freezable(database.server(), frozen).await;
    let database = database.through(&address);
    let service = Service::start_on(folder, database, |_| {}).await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let pending = service.start_login("bob@example.com").await;
    service.outbox_is_empty().await;

    freeze.send(true).unwrap();
    // What is in memory would be answered.
    service.clock.advance(1);
    let mut requests = JoinSet::new();
    let begin = Instant::now();
    for number in 0..5 {
        let body = json!({ "org_id": org_id, "app_name": format!("app {number}") });
        for request in [
            service.get("/api/1/user").bearer_auth(&key),
            service.post("/api/1/app").bearer_auth(&key).json(&body),
        ] {
            requests.spawn(async move { (request.send().await.unwrap(), begin.elapsed()) });
        }
    }
    let page = service.get(&pending.path);
    let page = tokio::spawn(async move { (page.send().await.unwrap(), begin.elapsed()) });
    let alive = service.get("/livez").send().await.unwrap();
    assert_eq!(alive.status(), 200);
    let in_time = |waited: Duration| {
        // 3.3 seconds, and what a busy machine adds.
        assert!(waited < Duration::from_secs(7), "answered after {waited:?}");
    };
    for (response, waited) in requests.join_all().await {
        in_time(waited);
        assert_eq!(response.headers()["retry-after"], "5");
        problem_of(response, 503, "unavailable").await;
    }
    let (page, waited) = page.await.unwrap();
    in_time(waited);
    assert_eq!(
        (page.status().as_u16(), &page.headers()["retry-after"]),
        (503, &"5".parse().unwrap())
    );
    let page = page.text().await.unwrap();
    assert!(page.contains("Try again"), "a person gets a page: {page}");

    freeze.send(false).unwrap();
    let begin = Instant::now();
    for number in 0..5 {
        let name = format!("app {number}");
        let body = json!({ "org_id": org_id, "app_name": name });
        loop {
            let request = service.post("/api/1/app").bearer_auth(&key).json(&body);
            match request.send().await.unwrap().status().as_u16() {
                // What it was told before was not that it is not done.
                200 | 409 => break,
                503 => assert!(
                    begin.elapsed() < Duration::from_secs(20),
                    "it has to recover"
                ),
                status => panic!("{status}"),
            }
        }
    }
    assert_eq!(service.rows("app").await, 5);
    assert_eq!(service.rows("api_key").await, 5, "nothing is half done");
    ok(service.get("/api/1/user").bearer_auth(&key)).await;
}

#[tokio::test]
async fn while_another_writes_reads_go_on_and_writes_are_told_to_come_back() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    service.outbox_is_empty().await;
    let other = service.database.lock().await;

    let begin = Instant::now();
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..16 {
        let body = json!({ "org_id": org_id, "app_name": format!("app {number}") });
        let request = service.post("/api/1/app").bearer_auth(&key).json(&body);
        writes.spawn(async move { request.send().await.unwrap() });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let reading = Instant::now();
    ok(service.get("/api/1/user").bearer_auth(&key)).await;
    let read_for = reading.elapsed();
    for response in writes.join_all().await {
        assert_eq!(response.headers()["retry-after"], "5");
        problem_of(response, 503, "unavailable").await;
    }
    let wrote_for = begin.elapsed();
    assert!(
        wrote_for < Duration::from_secs(7),
        "answered after {wrote_for:?}"
    );
    assert!(
        read_for * 3 < wrote_for,
        "a read waited {read_for:?}, the writes {wrote_for:?}"
    );

    // The database gives up by itself on what has waited for it, a while after the clients.
    tokio::time::sleep(Duration::from_secs(4)).await;
    other.close().await.unwrap();
    assert_eq!(service.rows("app").await, 0);
    service.create_app(&key, org_id, "app").await;
}

/// While instances are upgraded one after the other, an old one may have to start again.
#[tokio::test]
async fn a_schema_of_a_newer_version_is_as_good() {
    let service = Service::start().await;
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('99991231_newer', 0)";
    let database = service.database.connect().await;
    database.execute_unprepared(newer).await.unwrap();
    database.close().await.unwrap();
    let service = service.restart_with(|_| {}).await;
    service.log_in("ann@example.com").await;
    assert!(service.operate(&["user", "list"]).status.success());
}

/// A database that was used with a release has recorded the names: a step of another name would run
/// again. A new step is added at the end.
#[tokio::test]
async fn the_steps_of_the_schema_keep_their_names() {
    const STEPS: [&str; 18] = [
        "20261123_create_tables",
        "20261125_create_dead_letters",
        "20261125_index_expiry",
        "20261126_add_time_of_quotas",
        "20261126_create_known_clients",
        "20261126_create_state",
        "20261126_fold_names",
        "20261129_index_app_ids",
        "20261129_index_dead_letters",
        "20261130_create_inbox",
        "20261130_create_invitations",
        "20261130_create_service_tokens",
        "20261130_describe_api_keys",
        "20261130_describe_audit",
        "20261130_describe_users",
        "20261130_fill_audit",
        "20261130_name_orgs",
        "20261130_queue_invitations",
    ];
    let service = Service::start().await;
    let database = service.database.connect().await;
    let names = Statement::from_string(
        database.get_database_backend(),
        "SELECT version FROM seaql_migrations ORDER BY version",
    );
    let names = database.query_all_raw(names).await.unwrap();
    let names = names.iter().map(|row| row.try_get_by_index(0).unwrap());
    assert_eq!(names.collect::<Vec<String>>(), STEPS);
    database.close().await.unwrap();
}

/// The schema looks as if its migration had been killed in the middle. On databases where such a
/// kill leaves no tables, the tables found belong to somebody else and are left alone.
#[tokio::test]
async fn a_start_that_was_cut_off_leaves_no_half_schema() {
    let service = Service::start().await;
    let database = &service.database;
    let whole = database.tables().await;
    for table in ["mail", "quota", "seaql_migrations"] {
        database.drop_table(table).await;
    }
    let half = database.tables().await;
    let listed = service.operate(&["user", "list"]);
    assert!(!listed.status.success());
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert!(said.contains("start the service first"), "{said}");
    assert_eq!(database.tables().await, half, "a command makes nothing");
    if database.backend() == DatabaseBackend::MySql {
        let service = service.restart_with(|_| {}).await;
        let tables = service.database.tables().await;
        assert_eq!(tables, whole, "the next start finishes it");
        return;
    }
    let started = service.operate(&[]);
    assert!(!started.status.success());
    let said = String::from_utf8_lossy(&started.stderr).into_owned();
    assert!(said.contains("CORTEX_REPORT_DATABASE_URL"), "{said}");
    let mut left = database.tables().await;
    // sea-orm makes its own table before the transaction.
    left.retain(|table| table != "seaql_migrations");
    assert_eq!(left, half);
}
