//! The audit log: who did what, when, and from where.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Service, ok};

#[tokio::test]
async fn an_owner_reads_who_did_what() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.create_org(&ann, "Example Games").await;
    let org = format!("/api/1/org/{org_id}");
    let rename = json!({ "org_name": "Better Games" });
    ok(service
        .request(Method::PATCH, &org)
        .bearer_auth(&ann)
        .json(&rename))
    .await;
    let bob = service
        .join(&ann, org_id, "bob@example.com", "member")
        .await;
    let bob_id = service.user_id(&bob).await;
    let token = json!({ "label": "build server", "role": "member" });
    let token = ok(service
        .post(&format!("{org}/token"))
        .bearer_auth(&bob)
        .json(&token))
    .await;
    let app_id = service
        .create_app(token["token"].as_str().unwrap(), org_id, "Space Miner")
        .await;
    let app = format!("/api/1/app/{app_id}");
    let rename = json!({ "app_name": "Space Digger" });
    ok(service
        .request(Method::PATCH, &app)
        .bearer_auth(&bob)
        .json(&rename))
    .await;
    let key = json!({ "label": "released games" });
    let key = ok(service
        .post(&format!("{app}/api_key"))
        .bearer_auth(&bob)
        .json(&key))
    .await;
    let key = format!("{app}/api_key/{}", key["api_key_id"]);
    let end = json!({ "label": "old games", "ends_at": "2026-02-01T00:00:00Z" });
    ok(service
        .request(Method::PUT, &key)
        .bearer_auth(&bob)
        .json(&end))
    .await;
    ok(service.request(Method::DELETE, &key).bearer_auth(&bob)).await;
    ok(service.request(Method::DELETE, &app).bearer_auth(&bob)).await;
    let revoked = format!("{org}/token/{}", token["token_id"]);
    ok(service.request(Method::DELETE, &revoked).bearer_auth(&ann)).await;
    let member = format!("{org}/member/{bob_id}");
    let role = json!({ "role": "viewer" });
    ok(service
        .request(Method::PATCH, &member)
        .bearer_auth(&ann)
        .json(&role))
    .await;
    ok(service.request(Method::DELETE, &member).bearer_auth(&bob)).await;
    service
        .invite(&ann, org_id, "cyd@example.com", "viewer")
        .await;
    let open = ok(service.get(&format!("{org}/invitation")).bearer_auth(&ann)).await;
    let open = format!(
        "{org}/invitation/{}",
        open["invitation_list"][0]["invitation_id"]
    );
    ok(service.request(Method::DELETE, &open).bearer_auth(&ann)).await;

    let path = format!("{org}/audit");
    let all = ok(service.get(&path).bearer_auth(&ann)).await;
    let all = all["audit_list"].as_array().unwrap();
    let told = all.iter().rev().map(|entry| {
        let text = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
        let role = entry["role"]
            .as_str()
            .map_or(String::new(), |role| format!(" {role}"));
        format!(
            "{} {} {}{role}",
            text("kind"),
            text("email"),
            text("subject")
        )
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "org_created ann@example.com Example Games",
            "org_renamed ann@example.com Better Games",
            "member_invited ann@example.com bob@example.com member",
            "invite_accepted bob@example.com bob@example.com member",
            "token_created bob@example.com build server member",
            "app_created bob@example.com Space Miner",
            "app_renamed bob@example.com Space Digger",
            "key_created bob@example.com released games",
            "key_changed bob@example.com old games",
            "key_revoked bob@example.com old games",
            "app_deleted bob@example.com Space Digger",
            "token_revoked ann@example.com build server",
            "member_role ann@example.com bob@example.com viewer",
            "member_removed bob@example.com bob@example.com",
            "member_invited ann@example.com cyd@example.com viewer",
            "invite_revoked ann@example.com cyd@example.com",
        ]
    );
    let created = all
        .iter()
        .find(|entry| entry["kind"] == "app_created")
        .unwrap();
    assert_eq!(created["token_id"], token["token_id"]);
    assert_eq!(created["user_id"], bob_id);
    assert_eq!(created["app_id"], app_id);
    assert_eq!(created["client"], "127.0.0.1");
    assert_eq!(created["at"], "2026-01-01T00:00:00Z");

    let mut paged = Vec::<Value>::new();
    let mut page = format!("{path}?limit=5");
    loop {
        let some = ok(service.get(&page).bearer_auth(&ann)).await;
        let some = some["audit_list"].as_array().unwrap().clone();
        let is_last = some.len() < 5;
        paged.extend(some);
        if is_last {
            break;
        }
        page = format!(
            "{path}?limit=5&before={}",
            paged.last().unwrap()["audit_id"]
        );
    }
    assert_eq!(&paged, all, "pages meet each entry once");
    let kind = ok(service
        .get(&format!("{path}?kind=member_invited"))
        .bearer_auth(&ann))
    .await;
    let kind = kind["audit_list"].as_array().unwrap();
    assert_eq!(kind.len(), 2);
    let none = ok(service
        .get(&format!("{path}?kind=unheard_of"))
        .bearer_auth(&ann))
    .await;
    assert_eq!(none["audit_list"], json!([]));
}
