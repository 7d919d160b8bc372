//! How many login mails are sent.

use serde_json::{Value, json};

use crate::harness::{Service, ok, problem_of};

async fn limited(address_client: &str, address: &str, client: &str, total: &str) -> Service {
    Service::start_with(|settings| {
        let limits = &mut settings.mail_limits;
        limits.address_client = address_client.parse().unwrap();
        limits.address = address.parse().unwrap();
        limits.client = client.parse().unwrap();
        limits.total = total.parse().unwrap();
    })
    .await
}

async fn log_in(service: &Service, email: &str) {
    ok(service
        .post("/api/1/login")
        .json(&json!({ "email": email })))
    .await;
}

/// The problem of a login that is one too many, and the seconds of its Retry-After.
async fn refused(service: &Service, email: &str) -> (Value, u64) {
    let request = service
        .post("/api/1/login")
        .json(&json!({ "email": email }));
    let response = request.send().await.unwrap();
    let retry_after = response
        .headers()
        .get("retry-after")
        .map(|it| it.to_str().unwrap().parse());
    let problem = problem_of(response, 429, "too_many_requests").await;
    (
        problem,
        retry_after.expect("a 429 says when to come back").unwrap(),
    )
}

#[tokio::test]
async fn five_at_once_then_one_every_ten_minutes() {
    let service = limited("5/10m", "100/1s", "100/1s", "100/1s").await;
    for _ in 0..5 {
        log_in(&service, "ann@example.com").await;
    }
    let (problem, wait) = refused(&service, "Ann@EXAMPLE.com").await;
    assert_eq!(wait, 600);
    assert!(problem["detail"].as_str().unwrap().contains("600 seconds"));
    assert_eq!(service.rows("session").await, 5);
    log_in(&service, "bob@example.com").await;

    service.clock.advance(599);
    assert_eq!(refused(&service, "ann@example.com").await.1, 1);
    service.clock.advance(1);
    log_in(&service, "ann@example.com").await;
    assert_eq!(refused(&service, "ann@example.com").await.1, 600);
    service.clock.advance(100_000);
    for _ in 0..5 {
        log_in(&service, "ann@example.com").await;
    }
    refused(&service, "ann@example.com").await;
}

#[tokio::test]
async fn each_limit_holds_by_itself() {
    let many = "100/1s";
    for (limits, refused_ones, free_ones) in [
        (
            [many, "2/5m", many, many],
            vec!["ann@example.com"],
            vec!["bob@example.com"],
        ),
        (
            [many, many, "2/30s", many],
            vec!["ann@example.com", "bob@example.com"],
            vec![],
        ),
        (
            [many, many, many, "2/1m"],
            vec!["ann@example.com", "bob@example.com"],
            vec![],
        ),
    ] {
        let [address_client, address, client, total] = limits;
        let service = limited(address_client, address, client, total).await;
        log_in(&service, "ann@example.com").await;
        log_in(&service, "ann@example.com").await;
        for email in refused_ones {
            refused(&service, email).await;
        }
        for email in free_ones {
            log_in(&service, email).await;
        }
    }
}

#[tokio::test]
async fn a_refused_login_uses_nothing_up() {
    let service = limited("1/10m", "2/1h", "100/1s", "100/1s").await;
    log_in(&service, "ann@example.com").await;
    for _ in 0..10 {
        refused(&service, "ann@example.com").await;
    }
    service.clock.advance(600);
    log_in(&service, "ann@example.com").await;
}

#[tokio::test]
async fn known_and_unknown_addresses_are_limited_alike() {
    let service = limited("1/10m", "100/1s", "100/1s", "100/1s").await;
    service.operate(&["user", "add", "known@example.com"]);
    let mut problems = Vec::new();
    for email in ["known@example.com", "unknown@example.com"] {
        log_in(&service, email).await;
        problems.push(refused(&service, email).await);
    }
    assert_eq!(problems[0], problems[1]);
}

#[tokio::test]
async fn the_limits_outlive_a_restart() {
    let service = limited("1/10m", "100/1s", "100/1s", "100/1s").await;
    log_in(&service, "ann@example.com").await;
    let service = service
        .restart_with(|settings| settings.mail_limits.address_client = "1/10m".parse().unwrap())
        .await;
    refused(&service, "ann@example.com").await;
}

#[tokio::test]
async fn a_mail_that_is_owed_is_sent_after_a_restart_and_an_expired_one_is_not() {
    let service = Service::start().await;
    let folder = service.folder().path().join("mail");
    // A folder that takes no mail.
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "").unwrap();
    log_in(&service, "late@example.com").await;
    service.clock.advance(500);
    log_in(&service, "ann@example.com").await;
    assert_eq!(service.rows("mail").await, 2);
    std::fs::remove_file(&folder).unwrap();
    service.clock.advance(100);
    let service = service.restart_with(|_| {}).await;
    // The first one may have tried once more in vain before it stopped: that is due again by now.
    service.clock.advance(60);
    service.outbox_is_empty().await;
    let mails = service.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("To: ann@example.com\r\n"));
}
