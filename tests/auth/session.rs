//! Sessions: where the key may stand, how long it lasts, how it ends.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Service, ok, pointers, problem};

const DAY: u64 = 24 * 60 * 60;

#[tokio::test]
async fn the_key_may_stand_in_the_cookie_the_header_or_the_body() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let user = || service.get("/api/1/user");
    for request in [
        user().header("cookie", format!("a=b; session_key={key}")),
        user().bearer_auth(&key),
        user().json(&json!({ "session_key": key })),
        user().form(&[("session_key", &key)]),
        user()
            .bearer_auth(&key)
            .header("cookie", format!("session_key={key}")),
    ] {
        assert_eq!(ok(request).await["email"], "ann@example.com");
    }

    let org_id = service.org_id(&key).await;
    let with_key = json!({ "session_key": key });
    let app = json!({ "org_id": org_id, "app_name": "a", "session_key": key });
    let created = ok(service.post("/api/1/app").json(&app)).await;
    let listed = service
        .get(&format!("/api/1/app?org_id={org_id}"))
        .json(&with_key);
    assert_eq!(ok(listed).await["app_list"][0]["app_id"], created["app_id"]);
    let path = format!("/api/1/app/{}", created["app_id"]);
    ok(service.request(Method::DELETE, &path).json(&with_key)).await;
    ok(service.post("/api/1/logout").json(&with_key)).await;
    problem(user().bearer_auth(&key), 403, "not_logged_in").await;
}

#[tokio::test]
async fn two_different_keys_are_refused() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let request = service
        .get("/api/1/user")
        .bearer_auth(&key)
        .header("cookie", "session_key=other");
    assert_eq!(
        pointers(request).await,
        ["/cookie/session_key", "/header/Authorization"]
    );
    let request = service
        .post("/api/1/logout")
        .header("cookie", format!("session_key={key}"))
        .json(&json!({ "session_key": "other" }));
    assert_eq!(
        pointers(request).await,
        ["/body/session_key", "/cookie/session_key"]
    );
    ok(service.get("/api/1/user").bearer_auth(&key)).await;
}

#[tokio::test]
async fn no_other_cookie_or_header_is_taken_for_the_key() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let user = |cookie: String| {
        service
            .get("/api/1/user")
            .header("cookie", cookie.into_bytes())
    };
    ok(user(format!("session%5Fkey=other; session_key={key}"))).await;
    ok(user(format!("a=ü; session_key={key}; b=\"x"))).await;
    problem(user(format!("session%5Fkey={key}")), 403, "not_logged_in").await;
    let twice = service
        .get("/api/1/user")
        .bearer_auth(&key)
        .bearer_auth("other");
    assert_eq!(
        pointers(twice).await,
        ["/header/Authorization", "/header/Authorization"]
    );
}

#[tokio::test]
async fn no_key_is_not_logged_in() {
    let service = Service::start().await;
    for path in ["/api/1/user", "/api/1/app?org_id=1"] {
        problem(service.get(path), 403, "not_logged_in").await;
        problem(service.get(path).bearer_auth("x"), 403, "not_logged_in").await;
        let cookie = service.get(path).header("cookie", "session_key=%00\"");
        problem(cookie, 403, "not_logged_in").await;
        let body = service.get(path).json(&json!({ "session_key": "é\0" }));
        problem(body, 403, "not_logged_in").await;
    }
}

#[tokio::test]
async fn a_session_that_is_used_lasts_thirty_days() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    for _ in 0..5 {
        service.clock.advance(6 * DAY - 1);
        ok(service.get("/api/1/user").bearer_auth(&key)).await;
    }
    service.clock.advance(5);
    problem(
        service.get("/api/1/user").bearer_auth(&key),
        403,
        "not_logged_in",
    )
    .await;
    service.clock.set_ahead(-(DAY as i64));
    problem(
        service.get("/api/1/user").bearer_auth(&key),
        403,
        "not_logged_in",
    )
    .await;
}

#[tokio::test]
async fn a_session_that_is_not_used_lasts_seven_days() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let other = service.log_in("bob@example.com").await;
    service.clock.advance(7 * DAY - 1);
    ok(service.get("/api/1/user").bearer_auth(&key)).await;
    service.clock.advance(1);
    problem(
        service.get("/api/1/user").bearer_auth(&other),
        403,
        "not_logged_in",
    )
    .await;
    ok(service.get("/api/1/user").bearer_auth(&key)).await;
}

#[tokio::test]
async fn logout_disables_the_key_at_once_and_clears_the_cookie() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let other = service.log_in("ann@example.com").await;
    for _ in 0..2 {
        let response = service
            .post("/api/1/logout")
            .bearer_auth(&key)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers()["set-cookie"],
            "session_key=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict"
        );
        assert_eq!(response.text().await.unwrap(), r#"{"result":"logged_out"}"#);
        problem(
            service.get("/api/1/user").bearer_auth(&key),
            403,
            "not_logged_in",
        )
        .await;
    }
    ok(service.get("/api/1/user").bearer_auth(&other)).await;
}

#[tokio::test]
async fn logout_needs_no_session() {
    let service = Service::start().await;
    for request in [
        service.post("/api/1/logout"),
        service.post("/api/1/logout").bearer_auth("unknown"),
        service
            .post("/api/1/logout")
            .header("cookie", "session_key=unknown"),
        service.post("/api/1/logout").json(&json!({})),
        service.post("/api/1/logout").header("content-length", "0"),
    ] {
        assert_eq!(ok(request).await, json!({ "result": "logged_out" }));
    }
    assert_eq!(service.rows("audit").await, 0);
}

#[tokio::test]
async fn a_pending_login_can_be_logged_out_too() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    ok(service
        .post("/api/1/logout")
        .bearer_auth(&login.session_key))
    .await;
    assert_eq!(service.rows("audit").await, 0, "nobody had logged in");
    assert_eq!(
        service.type_code(&login, &login.manual_code).await.status(),
        404
    );
}

#[tokio::test]
async fn the_operator_ends_all_sessions_of_a_user() {
    let service = Service::start().await;
    let anns = [
        service.log_in("ann@example.com").await,
        service.log_in("ann@example.com").await,
    ];
    let bobs = service.log_in("bob@example.com").await;
    let pending = service.start_login("ann@example.com").await;
    let ended = service.operate(&["user", "end-sessions", "Ann@example.com"]);
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "ended 3 sessions\n");
    for key in anns {
        problem(
            service.get("/api/1/user").bearer_auth(key),
            403,
            "not_logged_in",
        )
        .await;
    }
    assert_eq!(
        service
            .type_code(&pending, &pending.manual_code)
            .await
            .status(),
        404
    );
    ok(service.get("/api/1/user").bearer_auth(bobs)).await;
}

#[tokio::test]
async fn a_session_outlives_a_restart() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let login = service.start_login("ann@example.com").await;
    let service = service.restart_with(|_| {}).await;
    ok(service.get("/api/1/user").bearer_auth(&key)).await;
    assert_eq!(
        service.type_code(&login, &login.manual_code).await.status(),
        200
    );
    service.stop().await;
}

/// A write for every request would cost too much.
#[tokio::test]
async fn the_last_use_is_stored_to_the_hour() {
    const HALF: u64 = 30 * 60;
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let sessions = || service.database.rows("session");
    let mut stored = sessions().await;
    for (advance, is_stored) in [(HALF, false), (HALF, true), (HALF, false), (HALF, true)] {
        service.clock.advance(advance);
        ok(service.get("/api/1/user").bearer_auth(&key)).await;
        let now = sessions().await;
        assert_eq!(now != stored, is_stored, "{now:?}");
        stored = now;
    }
}
