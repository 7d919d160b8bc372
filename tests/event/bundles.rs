//! A service with an application that sends bundles.

use std::collections::BTreeMap;

use reqwest::Response;
use serde_json::{Value, json};

use crate::harness::{Service, conformance::Call, lake, ok};

/// The name of the organization of ann@example.com in paths.
pub const ORG: &str = "ann";

/// A service with one application, whose events are moved into the lake at once.
pub struct Sender {
    pub service: Service,
    /// The session of the organization's owner.
    pub session: String,
    pub org_id: i64,
    pub app_id: i64,
    pub api_key: String,
}

impl Sender {
    pub async fn start() -> Self {
        Self::of(Service::start_with(|serve| serve.events.seal_interval = 0).await).await
    }

    pub async fn of(service: Service) -> Self {
        let session = service.log_in("ann@example.com").await;
        let org_id = service.org_id(&session).await;
        let app_id = service.create_app(&session, org_id, "Space Miner").await;
        let path = format!("/api/1/app?org_id={org_id}");
        let list = ok(service.get(&path).bearer_auth(&session)).await;
        let api_key = list["app_list"][0]["api_key_list"][0].as_str().unwrap();
        Self {
            api_key: api_key.to_owned(),
            service,
            session,
            org_id,
            app_id,
        }
    }

    /// A bundle of events of the device `d1`.
    pub fn bundle(&self, events: Value) -> Value {
        json!({ "api_key": self.api_key, "app_ver": "1", "device_tag": "d1", "events": events })
    }

    pub fn call(&self, verb: &str) -> Call {
        self.service.post(&format!("/{ORG}/1/{verb}"))
    }

    /// Sends a body as the browser's SDK does.
    pub async fn send(&self, verb: &str, body: impl Into<reqwest::Body>) -> Response {
        let call = self.call(verb).header("content-type", "text/plain");
        call.body(body).send().await.unwrap()
    }

    /// Sends events, all of which are to be stored.
    pub async fn track(&self, events: Value) {
        let sent = self.send("track", self.bundle(events).to_string()).await;
        assert_eq!(sent.status(), 200, "{}", sent.text().await.unwrap());
        assert_eq!(sent.headers()["content-type"], "text/plain");
        assert_eq!(sent.text().await.unwrap(), "OK");
    }

    /// Waits until everything is in the lake.
    pub async fn sealed(&self) {
        self.service.rows_become("inbox", 0).await;
    }

    /// The rows of a table, once everything is in the lake.
    pub async fn rows(&self, table: &str) -> Vec<BTreeMap<String, Value>> {
        self.sealed().await;
        let folder = self.service.folder().path().join("lake");
        lake::rows(&folder, self.org_id, table).await
    }
}
