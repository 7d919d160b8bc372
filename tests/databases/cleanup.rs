//! Clean-up of expired rows.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Service, ok};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

async fn start_logins(service: &Service, count: usize) {
    for number in 0..count {
        let login = service.post("/api/1/login");
        let email = format!("ann{number}@example.com");
        ok(login.json(&json!({ "email": email }))).await;
    }
}

#[tokio::test]
async fn what_has_expired_is_deleted_and_nothing_else() {
    let service = Service::start().await;
    start_logins(&service, 20).await;
    service.outbox_is_empty().await;
    let key = service.log_in("bob@example.com").await;
    assert!(service.rows("quota").await > 20);

    service.clock.advance(HOUR / 2);
    let service = service.restart_with(|_| {}).await;
    // The clean-up begins at once.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(service.rows("quota").await > 20, "an hour has not passed");

    service.clock.advance(2 * HOUR);
    let service = service.restart_with(|_| {}).await;
    service.rows_become("quota", 0).await;
    assert_eq!(service.rows("session").await, 21, "a day has not passed");
    ok(service.get("/api/1/user").bearer_auth(&key)).await;

    service.clock.advance(DAY);
    let service = service.restart_with(|_| {}).await;
    service.rows_become("session", 1).await;
    ok(service.get("/api/1/user").bearer_auth(&key)).await;
    let audited = service.rows("audit").await;

    service.clock.advance(31 * DAY);
    let service = service.restart_with(|_| {}).await;
    service.rows_become("session", 0).await;
    assert_eq!(service.rows("user").await, 1);
    assert_eq!(service.rows("audit").await, audited, "it is append-only");
}

/// More than one statement deletes at most.
#[tokio::test]
async fn a_great_many_are_deleted_too() {
    let service = Service::start().await;
    start_logins(&service, 300).await;
    assert!(service.rows("quota").await > 600);
    service.clock.advance(2 * HOUR);
    let service = service.restart_with(|_| {}).await;
    service.rows_become("quota", 0).await;
}

#[tokio::test]
async fn a_mail_that_was_given_up_is_shown_for_a_month() {
    let service = Service::start_with(|settings| {
        settings.mail.smtp_url = Some("smtp://127.0.0.1:1?tls=off".parse().unwrap());
    })
    .await;
    let login = service.post("/api/1/login");
    ok(login.json(&json!({ "email": "ann@example.com" }))).await;
    while service.rows("dead_letter").await == 0 {
        service.clock.advance(HOUR);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    service.clock.advance(29 * DAY);
    let service = service.restart_with(|_| {}).await;
    service.rows_become("session", 0).await;
    assert_eq!(service.rows("dead_letter").await, 1);
    service.clock.advance(2 * DAY);
    let service = service.restart_with(|_| {}).await;
    service.rows_become("dead_letter", 0).await;
}
