//! A database that does not do its part.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, Database};
use serde_json::json;

use crate::harness::{Service, ok, problem_of, settings};

#[tokio::test]
async fn while_another_writes_reads_go_on_and_writes_are_told_to_come_back() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    service.outbox_is_empty().await;
    let (store, _) = settings(service.folder());
    let other = Database::connect(store.database_url).await.unwrap();
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();

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

    other.execute_unprepared("ROLLBACK").await.unwrap();
    assert_eq!(service.rows("app").await, 0);
    service.create_app(&key, org_id, "app").await;
}

#[tokio::test]
async fn a_start_that_was_cut_off_leaves_no_half_schema() {
    let service = Service::start().await;
    let (store, _) = settings(service.folder());
    let database = Database::connect(store.database_url).await.unwrap();
    // What a schema looks like whose migration failed in the middle: the last table is in the way.
    let tables = service.tables().await;
    for table in tables.iter().filter(|table| *table != "audit") {
        let drop = format!("PRAGMA foreign_keys = OFF; DROP TABLE \"{table}\"");
        database.execute_unprepared(&drop).await.unwrap();
    }
    database.close().await.unwrap();
    let failed = service.operate(&["user", "list"]);
    assert!(!failed.status.success());
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(
        said.contains("CORTEX_REPORT_DATABASE_URL") || said.contains("audit"),
        "{said}"
    );
    let left = service.tables().await;
    assert!(
        !left.contains(&"user".to_owned()),
        "nothing of the failed migration stays: {left:?}"
    );
}
