//! Metrics for Prometheus.

use std::time::{Duration, Instant, UNIX_EPOCH};

use cortex_report_server::TimeSource;
use sea_orm::DatabaseBackend;
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::harness::{Service, ok, problem};

async fn service() -> Service {
    Service::start_with(|settings| {
        settings.metrics_listen = Some(([127, 0, 0, 1], 0).into());
    })
    .await
}

fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("lacks {name}:\n{metrics}"));
    value.trim().parse().unwrap()
}

#[tokio::test]
async fn it_counts_requests_mails_sessions_and_connections() {
    let service = service().await;
    let key = service.log_in("ann@example.com").await;
    service.start_login("bob@example.com").await;
    service.outbox_is_empty().await;
    for _ in 0..3 {
        ok(service.get("/api/1/user").bearer_auth(&key)).await;
    }
    problem(service.get("/api/1/user"), 403, "not_logged_in").await;
    let wrong = service.post("/api/1/app").bearer_auth(&key);
    problem(wrong.json(&json!({})), 400, "invalid_request").await;
    problem(service.get("/nowhere/at/all"), 404, "not_found").await;

    let metrics = service.metrics().await;
    for (name, expected) in [
        (
            r#"cortex_report_requests_total{operation="getUser",status="200"}"#,
            3.0,
        ),
        (
            r#"cortex_report_requests_total{operation="getUser",status="403"}"#,
            1.0,
        ),
        (
            r#"cortex_report_requests_total{operation="createApp",status="400"}"#,
            1.0,
        ),
        (
            r#"cortex_report_requests_total{operation="login",status="200"}"#,
            2.0,
        ),
        (
            r#"cortex_report_requests_total{operation="/verify/:token",status="200"}"#,
            1.0,
        ),
        (
            r#"cortex_report_requests_total{operation="none",status="404"}"#,
            1.0,
        ),
        (
            r#"cortex_report_request_duration_seconds_count{operation="getUser"}"#,
            4.0,
        ),
        (r#"cortex_report_mails_total{outcome="sent"}"#, 2.0),
        (r#"cortex_report_sessions{state="active"}"#, 1.0),
        (r#"cortex_report_sessions{state="pending"}"#, 1.0),
        (r#"cortex_report_mail_queue{state="owed"}"#, 0.0),
        (r#"cortex_report_mail_queue{state="given_up"}"#, 0.0),
        ("cortex_report_database_up", 1.0),
        ("cortex_report_log_lines_dropped_total", 0.0),
    ] {
        assert_eq!(value(&metrics, name), expected, "{name}:\n{metrics}");
    }
    for worker in ["outbox", "cleanup"] {
        let name =
            format!("cortex_report_worker_last_success_timestamp_seconds{{worker=\"{worker}\"}}");
        let now = service.clock.now().duration_since(UNIX_EPOCH).unwrap();
        let since = now.as_secs_f64() - value(&metrics, &name);
        assert!((0.0..60.0).contains(&since), "{worker}: {metrics}");
    }
    let connections = |state: &str| {
        let name = format!("cortex_report_database_connections{{state=\"{state}\"}}");
        value(&metrics, &name)
    };
    let connections = connections("idle") + connections("used");
    // With SQLite the connection that writes is apart from those that read.
    let least = match service.database.backend() {
        DatabaseBackend::Sqlite => 2.0,
        _ => 1.0,
    };
    assert!((least..=4.0).contains(&connections), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    assert!(!metrics.contains("ann@example.com"), "{metrics}");
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted_too() {
    let service = service().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    service.outbox_is_empty().await;
    let other = service.database.lock().await;
    let mut client = TcpStream::connect(service.address()).await.unwrap();
    let body = json!({ "org_id": org_id, "app_name": "a" }).to_string();
    let request = format!(
        "POST /api/1/app HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(client);
    let begin = Instant::now();
    let gone = r#"cortex_report_requests_total{operation="createApp",status="499"} 1"#;
    while !service.metrics().await.contains(gone) {
        assert!(begin.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    other.close().await.unwrap();
    // What the client asked for is not cut off, and uses the test's database.
    service.stop().await;
}

#[tokio::test]
async fn a_page_is_counted_by_its_route_whatever_goes_wrong() {
    let service = service().await;
    let wrong = service.post("/verify/x").body("a".repeat(70_000));
    assert_eq!(wrong.send().await.unwrap().status(), 413);
    let metrics = service.metrics().await;
    let name = r#"cortex_report_requests_total{operation="/verify/:token",status="413"}"#;
    assert_eq!(value(&metrics, name), 1.0);
}

#[tokio::test]
async fn without_the_database_it_tells_the_rest() {
    let service = service().await;
    problem(service.get("/api/1/user"), 403, "not_logged_in").await;
    let failed = service.database.fail().await;
    let metrics = service.metrics().await;
    assert_eq!(value(&metrics, "cortex_report_database_up"), 0.0);
    assert!(
        metrics.contains("cortex_report_requests_total"),
        "{metrics}"
    );
    assert!(!metrics.contains("cortex_report_sessions"), "{metrics}");
    failed.close().await.unwrap();
}

#[tokio::test]
async fn nobody_finds_them_where_the_service_is() {
    let service = service().await;
    problem(service.get("/metrics"), 404, "not_found").await;
}
