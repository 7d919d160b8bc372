//! The verification page.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Service, chunked_body, link_path, ok, problem};

#[tokio::test]
async fn the_page_shows_who_asked_and_opening_it_changes_nothing() {
    let service = Service::start().await;
    let request = service
        .post("/api/1/login")
        .header("user-agent", "Cello <script>alert(1)</script>")
        .json(&json!({ "email": "ann@example.com" }));
    ok(request).await;
    let path = link_path(&service.mail_after(0).await);
    service.outbox_is_empty().await;
    let before = service.dump().await;
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let response = service.request(method, &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let page = response.text().await.unwrap();
        if !page.is_empty() {
            for shown in [
                "ann@example.com",
                "127.0.0.1",
                "Thu, 01 Jan 2026 00:00:00 GMT",
                "Cello &#60;script&#62;",
                "<form method=\"post\">",
            ] {
                assert!(page.contains(shown), "lacks {shown}: {page}");
            }
            assert!(!page.contains("<script"), "{page}");
        }
    }
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn the_code_may_be_typed_in_any_case_without_the_dash() {
    let service = Service::start().await;
    for change in [
        str::to_lowercase,
        |code: &str| code.replace('-', ""),
        |code: &str| format!(" {code} "),
    ] {
        let login = service.start_login("ann@example.com").await;
        let page = service.type_code(&login, &change(&login.manual_code)).await;
        assert_eq!(page.status(), 200);
        ok(service.get("/api/1/user").bearer_auth(&login.session_key)).await;
    }
}

#[tokio::test]
async fn a_link_works_once() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    assert_eq!(
        service.type_code(&login, &login.manual_code).await.status(),
        200
    );
    assert_eq!(
        service.type_code(&login, &login.manual_code).await.status(),
        404
    );
    assert_eq!(service.get(&login.path).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn five_wrong_codes_burn_the_login() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    for left in [4, 3, 2, 1] {
        let page = service.type_code(&login, "BBBB-BBBB").await;
        assert_eq!(page.status(), 403);
        let page = page.text().await.unwrap();
        let tries = if left == 1 { "try" } else { "tries" };
        assert!(page.contains(&format!("{left} more {tries}")), "{page}");
    }
    assert_eq!(service.type_code(&login, "BBBB-BBBB").await.status(), 404);
    assert_eq!(
        service.type_code(&login, &login.manual_code).await.status(),
        404
    );
    // Whoever waits for it need wait no longer.
    let request = service.get("/api/1/user").bearer_auth(&login.session_key);
    problem(request, 403, "not_allowed").await;
    assert_eq!(
        service.rows("user").await,
        0,
        "nobody was logged in, so there is no user"
    );

    service.log_in("ann@example.com").await;
}

#[tokio::test]
async fn guesses_at_once_get_no_more_tries() {
    let service = Arc::new(Service::start().await);
    for _ in 0..3 {
        let login = Arc::new(service.start_login("ann@example.com").await);
        let before = failures(&service).await;
        let mut guesses = JoinSet::new();
        for _ in 0..40 {
            let (service, login) = (service.clone(), login.clone());
            guesses.spawn(async move { service.type_code(&login, "BBBB-BBBB").await.status() });
        }
        guesses.join_all().await;
        assert_eq!(
            failures(&service).await - before,
            5,
            "so many codes were compared"
        );
        assert_eq!(
            service.type_code(&login, &login.manual_code).await.status(),
            404
        );
    }
}

async fn failures(service: &Service) -> usize {
    let dump = service.dump().await;
    let audit = dump.iter().filter(|row| row.starts_with("audit"));
    audit.filter(|row| row.contains("'failure'")).count()
}

#[tokio::test]
async fn the_right_code_at_once_from_many_logs_in_once() {
    let service = Arc::new(Service::start().await);
    for round in 0..5 {
        let email = format!("ann{round}@example.com");
        let login = Arc::new(service.start_login(&email).await);
        let mut tries = JoinSet::new();
        for _ in 0..16 {
            let (service, login) = (service.clone(), login.clone());
            tries
                .spawn(async move { service.type_code(&login, &login.manual_code).await.status() });
        }
        let statuses = tries.join_all().await;
        let logged_in = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(logged_in, 1, "{statuses:?}");
    }
}

#[tokio::test]
async fn a_login_lives_ten_minutes() {
    let service = Service::start().await;
    let in_time = service.start_login("ann@example.com").await;
    let late = service.start_login("ann@example.com").await;
    service.clock.advance(599);
    assert_eq!(
        service
            .type_code(&in_time, &in_time.manual_code)
            .await
            .status(),
        200
    );
    service.clock.advance(1);
    assert_eq!(service.get(&late.path).send().await.unwrap().status(), 404);
    assert_eq!(
        service.type_code(&late, &late.manual_code).await.status(),
        404
    );
    service.clock.set_ahead(-86_400);
    assert_eq!(
        service.type_code(&late, &late.manual_code).await.status(),
        404
    );
}

#[tokio::test]
async fn a_hundred_wrong_codes_in_a_row_lock_the_address_until_the_operator_unlocks_it() {
    let service = Service::start().await;
    for _ in 0..20 {
        let login = service.start_login("ann@example.com").await;
        for _ in 0..5 {
            service.type_code(&login, "BBBB-BBBB").await;
        }
    }
    let login = service.start_login("ann@example.com").await;
    assert_eq!(
        service.type_code(&login, &login.manual_code).await.status(),
        404
    );
    service.log_in("bob@example.com").await;

    let unlocked = service.operate(&["user", "unlock", "ann@example.com"]);
    assert_eq!(
        String::from_utf8_lossy(&unlocked.stdout),
        "ann@example.com has tries again\n"
    );
    assert_eq!(
        service.type_code(&login, &login.manual_code).await.status(),
        200
    );
}

#[tokio::test]
async fn a_right_code_forgets_the_wrong_ones() {
    let service = Service::start().await;
    for _ in 0..25 {
        let login = service.start_login("ann@example.com").await;
        for _ in 0..4 {
            service.type_code(&login, "BBBB-BBBB").await;
        }
        assert_eq!(
            service.type_code(&login, &login.manual_code).await.status(),
            200
        );
    }
}

#[tokio::test]
async fn what_is_no_form_is_refused() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    let before = service.dump().await;
    let json = service
        .post(&login.path)
        .json(&json!({ "manual_code": "BBBB-BBBB" }));
    problem(json, 415, "unsupported_media_type").await;
    let other = service.post(&login.path).form(&[("code", "BBBB-BBBB")]);
    problem(other, 400, "invalid_request").await;
    let large = service
        .post(&login.path)
        .form(&[("manual_code", "B".repeat(70_000))]);
    problem(large, 413, "payload_too_large").await;
    let chunked = service
        .post(&login.path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(chunked_body(70_000));
    problem(chunked, 413, "payload_too_large").await;
    problem(
        service.request(Method::PUT, &login.path),
        405,
        "method_not_allowed",
    )
    .await;
    assert_eq!(service.dump().await, before);
}
