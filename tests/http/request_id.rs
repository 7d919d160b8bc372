//! Each request has an id, by which its answer is found in the log.

use crate::harness::{
    Service, TestDatabase,
    binary::{binary, serve},
    problem,
};

async fn id(request: crate::harness::conformance::Call) -> String {
    let answer = request.send().await.unwrap();
    answer.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn every_answer_has_one_of_its_own() {
    let service = Service::start().await;
    let mut ids = Vec::new();
    for path in [
        "/",
        "/livez",
        "/api/1/user",
        "/verify/x",
        "/nowhere",
        "/docs/",
    ] {
        for _ in 0..2 {
            ids.push(id(service.get(path)).await);
        }
    }
    assert!(ids.iter().all(|id| id.len() == 16), "{ids:?}");
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
    // `problem` compares it with the one in the body.
    problem(service.get("/nowhere"), 404, "not_found").await;
}

#[tokio::test]
async fn a_client_cannot_choose_it_but_a_trusted_proxy_can() {
    let asked = |service: &Service, id: &str| service.get("/livez").header("x-request-id", id);
    let service = Service::start().await;
    assert_ne!(id(asked(&service, "from-outside")).await, "from-outside");

    let service = service
        .restart_with(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()])
        .await;
    assert_eq!(
        id(asked(&service, "from-proxy_1.2")).await,
        "from-proxy_1.2"
    );
    for wrong in ["", "two words", "<b>", "a\"b", "\u{e9}", &"x".repeat(65)] {
        assert_eq!(id(asked(&service, wrong)).await.len(), 16, "{wrong:?}");
    }
}

/// Also where little is logged.
#[tokio::test]
async fn a_warning_names_its_request() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    let mut command = binary(folder.path());
    command
        .env("CORTEX_REPORT_DATABASE_URL", database.url())
        .env(
            "CORTEX_REPORT_LOG_LEVEL",
            "warn,cortex_report_server::run=info",
        );
    let mut served = serve(command).await;
    let failed = database.fail().await;
    let asked_for_user = served.api.get("/api/1/user").bearer_auth("no-key");
    for (request, message) in [
        (served.api.get("/readyz"), "not ready"),
        // It waits for the database in a task of its own.
        (
            asked_for_user,
            "a request failed because the database is not available",
        ),
    ] {
        let id = id(request).await;
        let warning = loop {
            let line = served.log.next_line().await.unwrap().unwrap();
            // The workers miss the database too.
            if line.contains(message) {
                break line;
            }
        };
        assert!(warning.contains(&format!("request_id={id}")), "{warning}");
    }
    failed.close().await.unwrap();
    served.child.kill().await.unwrap();
}

#[tokio::test]
async fn the_log_names_the_request_of_each_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.env("CORTEX_REPORT_LOG_FORMAT", "json");
    let mut served = serve(command).await;
    let id = id(served.api.get("/api/1/user")).await;
    let line = served.log.next_line().await.unwrap().unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["request_id"], id, "{line}");
    assert_eq!(line["fields"]["operation"], "getUser", "{line}");
    assert_eq!(line["fields"]["status"], 403, "{line}");
}

/// Whatever stands in the place of the method, such as a secret.
#[tokio::test]
async fn the_log_names_methods_that_http_knows_and_counts_in_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.env("CORTEX_REPORT_LOG_FORMAT", "json");
    let mut served = serve(command).await;
    for (method, logged) in [
        ("GET", "GET"),
        ("HEAD", "HEAD"),
        ("PATCH", "PATCH"),
        ("SECRET-4ZQ3mX0u7dT1rN8k", "other"),
        ("Get", "other"),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let id = id(served.api.request(method, "/nothing")).await;
        let line = served.log.next_line().await.unwrap().unwrap();
        assert!(!line.contains("SECRET"), "{line}");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["request_id"], id, "{line}");
        let fields = line["fields"].as_object().unwrap();
        assert_eq!(fields["method"], logged, "{line}");
        assert!(fields["status"].is_u64(), "{line}");
        assert!(fields["milliseconds"].is_u64(), "{line}");
        assert!(fields["operation"].is_string(), "{line}");
    }
    served.child.kill().await.unwrap();
}
