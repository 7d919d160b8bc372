//! Service tokens: made, used, capped, ended, revoked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Service, ok, pointers, problem};

const HOUR: u64 = 60 * 60;

async fn make(service: &Service, key: &str, org_id: i64, body: Value) -> (i64, String) {
    let path = format!("/api/1/org/{org_id}/token");
    let made = ok(service.post(&path).bearer_auth(key).json(&body)).await;
    let token = made["token"].as_str().unwrap().to_owned();
    (made["token_id"].as_i64().unwrap(), token)
}

async fn list(service: &Service, key: &str, org_id: i64) -> Vec<Value> {
    let path = format!("/api/1/org/{org_id}/token");
    let list = ok(service.get(&path).bearer_auth(key)).await;
    list["token_list"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_program_calls_with_a_token_that_nobody_sees_again() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&ann).await;
    let other_id = service.create_org(&ann, "Other").await;
    let body = json!({ "label": "build server", "role": "member" });
    let (token_id, token) = make(&service, &ann, org_id, body).await;
    assert!(token.starts_with("cortexreport_"), "{token}");
    assert_eq!(token.len(), "cortexreport_".len() + 43);
    let secret = &token["cortexreport_".len()..];
    assert!(
        !service.dump().await.concat().contains(secret),
        "only its hash is stored"
    );

    assert_eq!(list(&service, &ann, org_id).await[0].get("used_at"), None);
    let user = ok(service.get("/api/1/user").bearer_auth(&token)).await;
    assert_eq!(
        user["org_list"],
        json!([{ "org_id": org_id, "name": "ann", "short_name": "ann", "role": "member" }]),
        "it reaches its organization alone"
    );
    let app_id = service.create_app(&token, org_id, "Space Miner").await;
    let other = json!({ "org_id": other_id, "app_name": "Space Miner" });
    let other = service.post("/api/1/app").bearer_auth(&token).json(&other);
    problem(other, 403, "not_allowed").await;
    let path = format!("/api/1/app?org_id={other_id}");
    problem(service.get(&path).bearer_auth(&token), 403, "not_allowed").await;
    let path = format!("/api/1/app/{app_id}");
    ok(service.request(Method::DELETE, &path).bearer_auth(&token)).await;

    let listed = list(&service, &token, org_id).await;
    assert_eq!(listed[0]["token_id"], token_id);
    assert_eq!(listed[0]["used_at"], "2026-01-01T00:00:00Z");
    service.clock.advance(HOUR);
    ok(service.get("/api/1/user").bearer_auth(&token)).await;
    assert_eq!(
        list(&service, &token, org_id).await[0]["used_at"],
        "2026-01-01T01:00:00Z"
    );

    // What only a person may.
    let create = json!({ "org_name": "Mine" });
    for refused in [
        service.post("/api/1/org").json(&create),
        service.get("/api/1/session"),
        service.request(Method::DELETE, "/api/1/session"),
        service.request(Method::DELETE, "/api/1/session/1"),
    ] {
        problem(refused.bearer_auth(&token), 403, "not_allowed").await;
    }
    ok(service.post("/api/1/logout").bearer_auth(&token)).await;
    ok(service.get("/api/1/user").bearer_auth(&token)).await;
    // An hour without use would end no token either.
    service.clock.advance(30 * 24 * HOUR);
    ok(service.get("/api/1/user").bearer_auth(&token)).await;
}

#[tokio::test]
async fn a_token_may_no_more_than_who_made_it_and_ends_with_them() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&ann).await;
    let bob = service
        .join(&ann, org_id, "bob@example.com", "member")
        .await;
    let bob_id = service.user_id(&bob).await;
    let path = format!("/api/1/org/{org_id}/token");
    let above = json!({ "label": "above", "role": "owner" });
    let above = service.post(&path).bearer_auth(&bob).json(&above);
    problem(above, 403, "not_allowed").await;
    let body = json!({ "label": "deploys", "role": "member" });
    let (token_id, token) = make(&service, &bob, org_id, body).await;
    service.create_app(&token, org_id, "First").await;
    assert_eq!(
        list(&service, &ann, org_id).await[0]["email"],
        "bob@example.com"
    );

    let member = format!("/api/1/org/{org_id}/member/{bob_id}");
    let viewer = json!({ "role": "viewer" });
    ok(service
        .request(Method::PATCH, &member)
        .bearer_auth(&ann)
        .json(&viewer))
    .await;
    // What was read of the token is used for a second at most; rights are looked up each time.
    let second = json!({ "org_id": org_id, "app_name": "Second" });
    let second = service.post("/api/1/app").bearer_auth(&token).json(&second);
    problem(second, 403, "not_allowed").await;
    let apps = format!("/api/1/app?org_id={org_id}");
    ok(service.get(&apps).bearer_auth(&token)).await;
    service.clock.advance(1);
    let user = ok(service.get("/api/1/user").bearer_auth(&token)).await;
    assert_eq!(user["org_list"][0]["role"], "viewer");

    ok(service.request(Method::DELETE, &member).bearer_auth(&ann)).await;
    problem(service.get(&apps).bearer_auth(&token), 403, "not_allowed").await;
    service.clock.advance(1);
    problem(
        service.get("/api/1/user").bearer_auth(&token),
        403,
        "not_logged_in",
    )
    .await;
    problem(service.get(&apps).bearer_auth(&token), 403, "not_logged_in").await;
    assert_eq!(list(&service, &ann, org_id).await, [] as [Value; 0]);
    let path = format!("{path}/{token_id}");
    problem(
        service.request(Method::DELETE, &path).bearer_auth(&ann),
        403,
        "not_allowed",
    )
    .await;
}

#[tokio::test]
async fn a_token_that_leaks_ends_no_other_one() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&ann).await;
    let body = json!({ "label": "deploys", "role": "member" });
    let (deploys, _) = make(&service, &ann, org_id, body).await;
    let body = json!({ "label": "reads", "role": "viewer" });
    let (_, leaked) = make(&service, &ann, org_id, body).await;
    let seen = list(&service, &leaked, org_id).await;
    assert_eq!(seen.len(), 1, "only itself: {seen:?}");
    let path = format!("/api/1/org/{org_id}/token/{deploys}");
    let revoke = service.request(Method::DELETE, &path).bearer_auth(&leaked);
    problem(revoke, 403, "not_allowed").await;
    assert_eq!(list(&service, &ann, org_id).await.len(), 2);
}

#[tokio::test]
async fn a_token_ends_at_its_end_or_when_it_is_revoked() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&ann).await;
    let path = format!("/api/1/org/{org_id}/token");
    let past = json!({ "label": "past", "role": "viewer", "ends_at": "2025-12-31T00:00:00Z" });
    let past = service.post(&path).bearer_auth(&ann).json(&past);
    assert_eq!(pointers(past).await, ["/body/ends_at"]);
    let body = json!({ "label": "a day", "role": "viewer", "ends_at": "2026-01-02T00:00:00Z" });
    let (_, ending) = make(&service, &ann, org_id, body).await;
    let body = json!({ "label": "for good", "role": "viewer" });
    let (token_id, token) = make(&service, &ann, org_id, body).await;
    ok(service.get("/api/1/user").bearer_auth(&ending)).await;
    service.clock.advance(24 * HOUR);
    problem(
        service.get("/api/1/user").bearer_auth(&ending),
        403,
        "not_logged_in",
    )
    .await;
    assert_eq!(list(&service, &ann, org_id).await.len(), 1);

    ok(service.get("/api/1/user").bearer_auth(&token)).await;
    let path = format!("{path}/{token_id}");
    ok(service.request(Method::DELETE, &path).bearer_auth(&ann)).await;
    problem(
        service.get("/api/1/user").bearer_auth(&token),
        403,
        "not_logged_in",
    )
    .await;
    service.clock.advance(25 * HOUR);
    // The clean-up begins with the service.
    let service = service.restart_with(|_| {}).await;
    service.rows_become("service_token", 0).await;
}
