//! A database that does not do its part.

use std::time::{Duration, Instant};

use sea_orm::DatabaseBackend;
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
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    if database.backend() == DatabaseBackend::MySql {
        assert!(listed.status.success(), "{said}");
        assert_eq!(database.tables().await, whole, "the next start finishes it");
        return;
    }
    assert!(!listed.status.success());
    assert!(said.contains("CORTEX_REPORT_DATABASE_URL"), "{said}");
    let mut left = database.tables().await;
    // sea-orm makes its own table before the transaction.
    left.retain(|table| table != "seaql_migrations");
    assert_eq!(left, half);
}
