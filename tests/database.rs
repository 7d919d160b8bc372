//! A database that does not do its part.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseBackend};
use serde_json::json;

use crate::harness::{Service, ok, problem_of};

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
        read_for * 3 < wrote_for,
        "a read waited {read_for:?}, the writes {wrote_for:?}"
    );

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

/// What a schema looks like whose migration was killed in the middle. Where that leaves nothing,
/// what is there is somebody else's, and is left alone.
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
