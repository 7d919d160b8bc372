//! A clock that was wrong, and is set right.

use serde_json::json;

use crate::harness::{Service, ok, problem};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
const YEAR: i64 = 365 * DAY;

/// Starts logins until one is refused, and answers how long to wait.
async fn use_up(service: &Service, email: &str) -> u64 {
    for _ in 0..100 {
        let login = service
            .post("/api/1/login")
            .json(&json!({ "email": email }));
        let answer = login.send().await.unwrap();
        if answer.status() == 429 {
            let told = answer.headers()["retry-after"].to_str().unwrap();
            return told.parse().unwrap();
        }
        assert_eq!(answer.status(), 200);
    }
    panic!("the limit does not limit");
}

async fn with_limits() -> Service {
    Service::start_with(|settings| {
        settings.mail_limits.address_client = "2/10m".parse().unwrap();
    })
    .await
}

#[tokio::test]
async fn a_limit_that_was_used_while_the_clock_was_ahead_locks_no_longer_than_its_interval() {
    for ahead in [MINUTE, DAY, YEAR] {
        let service = with_limits().await;
        service.clock.set_ahead(ahead);
        use_up(&service, "ann@example.com").await;
        service.clock.set_ahead(-ahead);
        let service = service
            .restart_with(|settings| {
                settings.mail_limits.address_client = "2/10m".parse().unwrap();
            })
            .await;
        let wait = use_up(&service, "ann@example.com").await;
        assert!(wait <= 600, "ahead by {ahead} s: locked for {wait} s");
        service.clock.advance(wait);
        let login = service.post("/api/1/login");
        ok(login.json(&json!({ "email": "ann@example.com" }))).await;
    }
}

/// An instance whose clock is a little behind does not give out more than there is.
#[tokio::test]
async fn a_clock_that_is_a_little_behind_makes_no_limit_whole() {
    let service = with_limits().await;
    service.clock.set_ahead(5);
    use_up(&service, "ann@example.com").await;
    service.clock.set_ahead(-5);
    let other = service
        .another(|settings| settings.mail_limits.address_client = "2/10m".parse().unwrap())
        .await;
    let login = other.api.post("/api/1/login");
    let login = login.json(&json!({ "email": "ann@example.com" }));
    problem(login, 429, "too_many_requests").await;
}

#[tokio::test]
async fn a_session_of_a_clock_that_was_ahead_lasts_no_longer_than_a_session() {
    let service = Service::start().await;
    service.clock.set_ahead(YEAR);
    let key = service.log_in("ann@example.com").await;
    service.clock.set_ahead(-YEAR);
    let service = service.restart_with(|_| {}).await;
    service.clock.advance(31 * DAY as u64);
    problem(
        service.get("/api/1/user").bearer_auth(&key),
        403,
        "not_logged_in",
    )
    .await;
}

#[tokio::test]
async fn a_mail_that_is_owed_since_the_clock_was_ahead_is_sent() {
    let service = Service::start().await;
    let folder = service.folder().path().join("mail");
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "").unwrap();
    service.clock.set_ahead(YEAR);
    let login = service.post("/api/1/login");
    ok(login.json(&json!({ "email": "ann@example.com" }))).await;
    // It has failed at least once, so that it is put off.
    while !service.database.rows("mail").await[0].contains("folder") {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    service.clock.set_ahead(-YEAR);
    std::fs::remove_file(&folder).unwrap();
    let service = service.restart_with(|_| {}).await;
    service.outbox_is_empty().await;
    assert_eq!(service.mails().len(), 1);
}

#[tokio::test]
async fn what_expired_stays_so_whatever_the_clock_says_after_a_restart() {
    let service = Service::start().await;
    let asked = service.log_in("ann@example.com").await;
    let not_asked = service.log_in("bob@example.com").await;
    let login = service.start_login("cat@example.com").await;
    service.clock.advance(8 * DAY as u64);
    problem(
        service.get("/api/1/user").bearer_auth(&asked),
        403,
        "not_logged_in",
    )
    .await;
    service.clock.set_ahead(-8 * DAY);
    let service = service.restart_with(|_| {}).await;
    for key in [asked, not_asked] {
        problem(
            service.get("/api/1/user").bearer_auth(&key),
            403,
            "not_logged_in",
        )
        .await;
    }
    let page = service.type_code(&login, &login.manual_code).await;
    assert_eq!(page.status(), 404);
}

#[tokio::test]
async fn a_login_lives_ten_minutes_also_when_the_clock_is_set_back() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    service.clock.set_ahead(-10 * MINUTE);
    service.clock.advance(601);
    let page = service.type_code(&login, &login.manual_code).await;
    assert_eq!(page.status(), 404);
}

/// The machine's clock is wrong by a day, backwards: nobody is kept out.
#[tokio::test]
async fn a_clock_a_day_behind_locks_nobody_out() {
    let service = with_limits().await;
    let key = service.log_in("ann@example.com").await;
    use_up(&service, "ann@example.com").await;
    service.clock.set_ahead(-DAY);
    let service = service
        .restart_with(|settings| {
            settings.mail_limits.address_client = "2/10m".parse().unwrap();
        })
        .await;
    ok(service.get("/api/1/user").bearer_auth(&key)).await;
    let wait = use_up(&service, "ann@example.com").await;
    assert!(wait <= 600, "locked for {wait} s");
}
