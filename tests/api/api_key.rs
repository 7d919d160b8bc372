//! API keys: added, labelled, given an end, revoked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Service, ok, pointers, problem};

struct Fixture {
    service: Service,
    key: String,
    org_id: i64,
    app_id: i64,
}

impl Fixture {
    async fn start() -> Self {
        let service = Service::start().await;
        let key = service.log_in("ann@example.com").await;
        let org_id = service.org_id(&key).await;
        let app_id = service.create_app(&key, org_id, "Space Miner").await;
        Self {
            service,
            key,
            org_id,
            app_id,
        }
    }

    fn path(&self) -> String {
        format!("/api/1/app/{}/api_key", self.app_id)
    }

    async fn list(&self) -> Vec<Value> {
        let list = ok(self.service.get(&self.path()).bearer_auth(&self.key)).await;
        list["api_key_list"].as_array().unwrap().clone()
    }

    async fn add(&self, body: Value) -> Value {
        ok(self
            .service
            .post(&self.path())
            .bearer_auth(&self.key)
            .json(&body))
        .await
    }

    fn change(&self, id: &Value, body: Value) -> crate::harness::conformance::Call {
        let path = format!("{}/{id}", self.path());
        let change = self.service.request(Method::PUT, &path);
        change.bearer_auth(&self.key).json(&body)
    }

    fn revoke(&self, id: &Value) -> crate::harness::conformance::Call {
        let path = format!("{}/{id}", self.path());
        self.service
            .request(Method::DELETE, &path)
            .bearer_auth(&self.key)
    }

    /// The keys that work, as each operation tells them.
    async fn working(&self) -> Vec<String> {
        let path = format!("/api/1/app/{}", self.app_id);
        let app = ok(self.service.get(&path).bearer_auth(&self.key)).await;
        for page in ["", "&limit=5"] {
            let path = format!("/api/1/app?org_id={}{page}", self.org_id);
            let list = ok(self.service.get(&path).bearer_auth(&self.key)).await;
            assert_eq!(list["app_list"], json!([app]));
        }
        let keys = app["api_key_list"].as_array().unwrap();
        keys.iter()
            .map(|key| key.as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn a_leaked_key_is_replaced_while_both_work() {
    let at = Fixture::start().await;
    let first = at.list().await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["state"], "active");
    assert_eq!(first[0].get("label"), None);
    let second = at.add(json!({ "label": " released games " })).await;
    assert_eq!(second["label"], "released games");
    let keys = [&first[0]["api_key"], &second["api_key"]].map(|it| it.as_str().unwrap().to_owned());
    assert_eq!(at.working().await, keys, "the oldest first");

    let end = json!({ "label": "leaked", "ends_at": "2026-01-08T00:00:00Z" });
    let ending = ok(at.change(&first[0]["api_key_id"], end)).await;
    assert_eq!(ending["state"], "active");
    assert_eq!(ending["ends_at"], "2026-01-08T00:00:00Z");
    assert_eq!(at.working().await, keys);
    at.service.clock.advance(6 * 24 * 60 * 60);
    assert_eq!(at.working().await, keys);
    at.service.clock.advance(24 * 60 * 60 - 1);
    assert_eq!(at.working().await, keys);
    at.service.clock.advance(1);
    assert_eq!(at.working().await, keys[1..]);
    assert_eq!(at.list().await[0]["state"], "ended");

    // An end that was a mistake is taken back.
    let revived = ok(at.change(&first[0]["api_key_id"], json!({ "label": "leaked" }))).await;
    assert_eq!(
        (&revived["state"], revived.get("ends_at")),
        (&json!("active"), None)
    );
    let revoked = ok(at.revoke(&first[0]["api_key_id"])).await;
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(
        ok(at.revoke(&first[0]["api_key_id"])).await,
        revoked,
        "it may be repeated"
    );
    assert_eq!(at.working().await, keys[1..]);
    let listed = at.list().await;
    assert_eq!(listed[0]["state"], "revoked", "it stays in the list");
    problem(
        at.change(&first[0]["api_key_id"], json!({})),
        403,
        "not_allowed",
    )
    .await;
    let page = format!("{}?limit=1&after={}", at.path(), first[0]["api_key_id"]);
    let page = ok(at.service.get(&page).bearer_auth(&at.key)).await;
    assert_eq!(page["api_key_list"], json!([listed[1]]));
}

#[tokio::test]
async fn an_end_is_in_the_future_and_a_label_can_be_read() {
    let at = Fixture::start().await;
    let before = at.service.dump().await;
    for (body, place) in [
        (
            json!({ "ends_at": "2026-01-01T00:00:00Z" }),
            "/body/ends_at",
        ),
        (
            json!({ "ends_at": "1999-12-31T00:00:00+01:00" }),
            "/body/ends_at",
        ),
        (json!({ "ends_at": "tomorrow" }), "/body/ends_at"),
        (json!({ "label": "" }), "/body/label"),
        (json!({ "label": "a\u{202e}b" }), "/body/label"),
    ] {
        let add = at.service.post(&at.path()).bearer_auth(&at.key).json(&body);
        assert_eq!(pointers(add).await, [place], "{body}");
    }
    assert_eq!(at.service.dump().await, before);
    let far = at
        .add(json!({ "ends_at": "9999-12-31T23:59:59.999Z" }))
        .await;
    assert_eq!(far["ends_at"], "9999-12-31T23:59:59.999Z");
}

#[tokio::test]
async fn twenty_keys_work_at_most() {
    let at = Fixture::start().await;
    for _ in 1..20 {
        at.add(json!({})).await;
    }
    let before = at.service.dump().await;
    let refused = at
        .service
        .post(&at.path())
        .bearer_auth(&at.key)
        .json(&json!({}));
    let refused = problem(refused, 403, "not_allowed").await;
    assert!(
        refused["detail"].as_str().unwrap().contains("20 API keys"),
        "{refused}"
    );
    assert_eq!(at.service.dump().await, before);
    let first = at.list().await;
    let end = json!({ "ends_at": "2026-01-02T00:00:00Z" });
    ok(at.change(&first[0]["api_key_id"], end)).await;
    at.service.clock.advance(24 * 60 * 60);
    at.add(json!({})).await;
    assert_eq!(at.list().await.len(), 21);
    let revived = at.change(&first[0]["api_key_id"], json!({}));
    let revived = problem(revived, 403, "not_allowed").await;
    assert_eq!(
        revived["detail"], refused["detail"],
        "a new end of an ended key is one more"
    );
}
