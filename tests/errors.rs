//! Every error, whoever answers it, is a problem of one shape.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Service, chunked_body, pointers, problem, problem_of};

#[tokio::test]
async fn an_unknown_path_is_404() {
    let service = Service::start().await;
    for path in [
        "/nothing",
        "/api",
        "/api/",
        "/api/1",
        "/api/1/apps",
        "/api/1/user/",
        "/api/1//user",
        "/api/2/user",
        "/API/1/user",
        "/api/1/app/1/x",
        "/api/1/app/",
        "/docs/../nothing",
        "/verify/",
        "/verify",
    ] {
        for method in [Method::GET, Method::POST, Method::PUT] {
            problem(service.request(method, path), 404, "not_found").await;
        }
    }
    problem(service.get("/docs/nothing"), 404, "not_found").await;
}

#[tokio::test]
async fn an_unknown_method_is_405_and_tells_the_known_ones() {
    let service = Service::start().await;
    for (path, known) in [
        ("/api/1/login", "POST"),
        ("/api/1/logout", "POST"),
        ("/api/1/user", "GET"),
        ("/api/1/app", "GET, POST"),
        ("/api/1/app/1", "DELETE"),
        ("/", "GET, HEAD"),
        ("/docs", "GET, HEAD"),
        ("/docs/index.html", "GET, HEAD"),
        ("/openapi.yaml", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/verify.css", "GET, HEAD"),
        ("/verify.js", "GET, HEAD"),
        ("/verify/x", "GET, HEAD, POST"),
    ] {
        for method in [
            "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW",
        ] {
            if known.split(", ").any(|known| known == method) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let response = service.request(method, path).send().await.unwrap();
            assert_eq!(response.headers()["allow"], known, "{path}");
            problem_of(response, 405, "method_not_allowed").await;
        }
    }
}

#[tokio::test]
async fn every_failure_of_a_request_is_listed_whatever_its_encoding() {
    let service = Service::start().await;
    let json = service
        .post("/api/1/app")
        .json(&json!({ "org_id": "x", "app_name": "" }));
    assert_eq!(pointers(json).await, ["/body/app_name", "/body/org_id"]);
    let form = service
        .post("/api/1/app")
        .form(&[("org_id", "x"), ("app_name", "")]);
    assert_eq!(pointers(form).await, ["/body/app_name", "/body/org_id"]);
    let query = service.get("/api/1/app?org_id=x&app_name=");
    assert_eq!(pointers(query).await, ["/query/app_name", "/query/org_id"]);
    let all = service
        .request(Method::DELETE, "/api/1/app/x?a=1")
        .json(&json!({ "session_key": 1, "b": 2 }));
    assert_eq!(
        pointers(all).await,
        ["/body/b", "/body/session_key", "/path/app_id", "/query/a"]
    );
}

#[tokio::test]
async fn a_missing_body_or_member_is_told() {
    let service = Service::start().await;
    assert_eq!(pointers(service.post("/api/1/login")).await, ["/body"]);
    assert_eq!(pointers(service.post("/api/1/app")).await, ["/body"]);
    assert_eq!(pointers(service.get("/api/1/app")).await, ["/query/org_id"]);
    let empty = service.post("/api/1/app").json(&json!({}));
    assert_eq!(pointers(empty).await, ["/body/app_name", "/body/org_id"]);
    let other = service.get("/api/1/app?app_name=a");
    assert_eq!(pointers(other).await, ["/query/org_id"]);
}

#[tokio::test]
async fn another_media_type_is_415() {
    let service = Service::start().await;
    for content_type in [
        "text/plain",
        "application/xml",
        "application/problem+json",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded2",
        "*/*",
        "",
    ] {
        let request = service
            .post("/api/1/login")
            .header("content-type", content_type);
        let request = request.body(r#"{"email":"ann@example.com"}"#);
        problem(request, 415, "unsupported_media_type").await;
    }
    let none = service.post("/api/1/login").body("email=ann@example.com");
    problem(none, 415, "unsupported_media_type").await;
}

#[tokio::test]
async fn a_body_over_64_kib_is_413_with_a_length_or_without() {
    let service = Service::start().await;
    for path in ["/api/1/login", "/api/1/logout", "/api/1/app"] {
        let json = service
            .post(path)
            .header("content-type", "application/json");
        problem(
            json.body("x".repeat(64 * 1024 + 1)),
            413,
            "payload_too_large",
        )
        .await;
        let json = service
            .post(path)
            .header("content-type", "application/json");
        problem(json.body(chunked_body(200_000)), 413, "payload_too_large").await;
    }
    let body = r#"{"email":"ann"}"#;
    let fits = format!("{body}{}", " ".repeat(64 * 1024 - body.len()));
    let request = service
        .post("/api/1/login")
        .header("content-type", "application/json");
    assert_eq!(pointers(request.body(fits)).await, ["/body/email"]);
}
