//! Sessions of one's own: listed, and ended from another one.

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Service, ok, problem};

async fn list(service: &Service, key: &str) -> Vec<Value> {
    let list = ok(service.get("/api/1/session").bearer_auth(key)).await;
    list["session_list"].as_array().unwrap().clone()
}

#[tokio::test]
async fn they_are_listed_and_one_or_all_others_are_ended() {
    let service = Service::start().await;
    let old = service.log_in("ann@example.com").await;
    service.clock.advance(90);
    let key = service.log_in("ann@example.com").await;
    let bob = service.log_in("bob@example.com").await;
    let pending = service.start_login("ann@example.com").await;

    let sessions = list(&service, &key).await;
    let current: Vec<_> = sessions
        .iter()
        .map(|it| it["is_current"].as_bool().unwrap())
        .collect();
    assert_eq!(
        current,
        [true, false],
        "the newest first; a login that waits is none"
    );
    assert_eq!(sessions[1]["created_at"], "2026-01-01T00:00:00Z");
    assert_eq!(sessions[1]["ends_at"], "2026-01-31T00:00:00Z");
    assert_eq!(sessions[1]["client"], "127.0.0.1");

    let of_bob = list(&service, &bob).await;
    let path = |session: &Value| format!("/api/1/session/{}", session["session_id"]);
    let end = |key: &str, path: &str| service.request(Method::DELETE, path).bearer_auth(key);
    problem(end(&key, &path(&of_bob[0])), 403, "not_allowed").await;
    problem(end(&key, "/api/1/session/999999"), 403, "not_allowed").await;
    ok(service.get("/api/1/user").bearer_auth(&bob)).await;

    ok(end(&key, &path(&sessions[1]))).await;
    problem(
        service.get("/api/1/user").bearer_auth(&old),
        403,
        "not_logged_in",
    )
    .await;
    problem(end(&key, &path(&sessions[1])), 403, "not_allowed").await;

    let another = service.log_in("ann@example.com").await;
    ok(service.get("/api/1/user").bearer_auth(&another)).await;
    let ended = ok(end(&key, "/api/1/session")).await;
    assert_eq!(ended["session_count"], 2, "the one that waits, too");
    problem(
        service.get("/api/1/user").bearer_auth(&another),
        403,
        "not_logged_in",
    )
    .await;
    let page = service.type_code(&pending, &pending.manual_code).await;
    assert_eq!(page.status(), 404);
    assert_eq!(list(&service, &key).await.len(), 1);
    ok(service.get("/api/1/user").bearer_auth(&bob)).await;
    assert_eq!(ok(end(&key, "/api/1/session")).await["session_count"], 0);

    let own = list(&service, &key).await;
    ok(end(&key, &path(&own[0]))).await;
    problem(
        service.get("/api/1/user").bearer_auth(&key),
        403,
        "not_logged_in",
    )
    .await;
}
