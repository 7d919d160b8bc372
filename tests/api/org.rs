//! Organizations: created, renamed, counted and deleted.

use cortex_report_server::Registration;
use reqwest::Method;
use serde_json::json;

use crate::harness::{Service, ok, pointers, problem};

#[tokio::test]
async fn an_organization_is_created_renamed_and_deleted() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.create_org(&key, "  Example Games ").await;
    let user = ok(service.get("/api/1/user").bearer_auth(&key)).await;
    let orgs = user["org_list"].as_array().unwrap();
    assert_eq!(
        orgs[0],
        json!({ "org_id": org_id, "name": "Example Games",
            "short_name": "example_games", "role": "owner" }),
        "sorted by name, before ann"
    );

    let path = format!("/api/1/org/{org_id}");
    let renamed = json!({ "org_name": "Better Games" });
    let renamed = service
        .request(Method::PATCH, &path)
        .bearer_auth(&key)
        .json(&renamed);
    assert_eq!(ok(renamed).await["name"], "Better Games");
    let user = ok(service.get("/api/1/user").bearer_auth(&key)).await;
    assert_eq!(user["org_list"][0]["name"], "Better Games");

    let app_id = service.create_app(&key, org_id, "Space Miner").await;
    service
        .join(&key, org_id, "bob@example.com", "member")
        .await;
    service
        .invite(&key, org_id, "cyd@example.com", "viewer")
        .await;
    let keys = format!("/api/1/app/{app_id}/api_key");
    ok(service.post(&keys).bearer_auth(&key).json(&json!({}))).await;
    let token = json!({ "label": "build server", "role": "viewer" });
    let tokens = format!("{path}/token");
    let token = ok(service.post(&tokens).bearer_auth(&key).json(&token)).await;
    let overview = ok(service.get(&path).bearer_auth(&key)).await;
    let counts = json!({
        "member_count": 2,
        "invitation_count": 1,
        "app_count": 1,
        "api_key_count": 2,
        "token_count": 1,
    });
    for (name, count) in counts.as_object().unwrap() {
        assert_eq!(&overview[name], count, "{name}");
    }
    assert_eq!(overview["created_at"], "2026-01-01T00:00:00Z");

    let delete = |name: &str| {
        let delete = service.request(Method::DELETE, &path).bearer_auth(&key);
        delete.query(&[("org_name", name)])
    };
    let before = service.dump().await;
    let refused = problem(delete("better games"), 403, "not_allowed").await;
    assert!(refused["detail"].as_str().unwrap().contains("another name"));
    assert_eq!(
        service.dump().await,
        before,
        "nothing is deleted by a wrong name"
    );
    let deleted = ok(delete("Better Games")).await;
    assert_eq!(deleted["result"], "org_deleted");
    for (name, count) in counts.as_object().unwrap() {
        assert_eq!(&deleted[name], count, "{name}");
    }
    for table in ["app", "api_key", "invitation", "service_token"] {
        assert_eq!(service.rows(table).await, 0, "{table}");
    }
    assert_eq!(
        service.rows("org").await,
        2,
        "those of ann and bob are left"
    );
    problem(delete("Better Games"), 403, "not_allowed").await;
    service.clock.advance(1);
    let token = token["token"].as_str().unwrap();
    let refused = service.get("/api/1/user").bearer_auth(token);
    problem(refused, 403, "not_logged_in").await;
    let user = ok(service.get("/api/1/user").bearer_auth(&key)).await;
    assert_eq!(user["org_list"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_name_is_checked_like_that_of_an_application() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    for name in ["", " ", "a\nb", "\u{202e}a", &"a".repeat(65)] {
        let create = service.post("/api/1/org").bearer_auth(&key);
        let create = create.json(&json!({ "org_name": name }));
        assert_eq!(pointers(create).await[0], "/body/org_name", "{name:?}");
    }
    // Unlike an application, it may have the name of another one.
    let first = service.create_org(&key, "Example").await;
    assert_ne!(first, service.create_org(&key, "Example").await);
}

#[tokio::test]
async fn a_user_has_a_hundred_at_most() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    for number in 1..100 {
        service.create_org(&key, &format!("Studio {number}")).await;
    }
    let create = service.post("/api/1/org").bearer_auth(&key);
    let create = create.json(&json!({ "org_name": "One too many" }));
    problem(create, 403, "not_allowed").await;
    assert_eq!(service.rows("org").await, 100);
}

#[tokio::test]
async fn while_registration_is_closed_only_the_operator_creates_one() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let service = service
        .restart_with(|settings| settings.registration = Registration::Closed)
        .await;
    let create = service.post("/api/1/org").bearer_auth(&key);
    let create = create.json(&json!({ "org_name": "Example" }));
    problem(create, 403, "not_allowed").await;
}
