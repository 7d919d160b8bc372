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
        ("/api/1/user", "GET, HEAD"),
        ("/api/1/app", "GET, HEAD, POST"),
        ("/api/1/app/1", "GET, HEAD, DELETE, PATCH"),
        ("/api/1/app/1/api_key", "GET, HEAD, POST"),
        ("/api/1/app/1/api_key/1", "PUT, DELETE"),
        ("/api/1/org", "POST"),
        ("/api/1/org/1", "GET, HEAD, DELETE, PATCH"),
        ("/api/1/org/1/audit", "GET, HEAD"),
        ("/api/1/org/1/member", "GET, HEAD"),
        ("/api/1/org/1/member/1", "DELETE, PATCH"),
        ("/api/1/org/1/invitation", "GET, HEAD, POST"),
        ("/api/1/org/1/invitation/1", "DELETE"),
        ("/api/1/org/1/token", "GET, HEAD, POST"),
        ("/api/1/org/1/token/1", "DELETE"),
        ("/api/1/session", "GET, HEAD, DELETE"),
        ("/api/1/session/1", "DELETE"),
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
            "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW",
        ] {
            if known.split(", ").any(|known| known == method) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = service.request(method.clone(), path);
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()["allow"], known, "{path}");
            if method == Method::HEAD {
                assert_eq!(response.status(), 405, "{path}");
                continue;
            }
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
async fn a_failure_is_told_in_words_that_need_no_schema() {
    let service = Service::start().await;
    let long = format!("{}@example.com", "a".repeat(250));
    for (path, body, words) in [
        ("login", json!({ "email": "nobody" }), "e-mail address"),
        ("login", json!({ "email": 1 }), "is not a string"),
        (
            "login",
            json!({ "email": long }),
            "is longer than 254 characters",
        ),
        ("login", json!([]), "is not an object"),
        (
            "app",
            json!({ "app_name": "a", "org_id": "x" }),
            "is not an integer",
        ),
        (
            "app",
            json!({ "app_name": "a", "org_id": 0 }),
            "is less than the minimum of 1",
        ),
    ] {
        let request = service.post(&format!("/api/1/{path}")).json(&body);
        let problem = problem(request, 400, "invalid_request").await;
        let details: Vec<&str> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["detail"].as_str().unwrap())
            .collect();
        assert!(
            details.iter().any(|detail| detail.contains(words)),
            "{body}: no {words:?} in {details:?}"
        );
        for wire in ["value is", "idn-email"] {
            assert!(
                details.iter().all(|detail| !detail.contains(wire)),
                "{body}: {wire:?} in {details:?}"
            );
        }
    }
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

/// RFC 9110, 9.3.2: the same status and headers, no body, and nothing changes.
#[tokio::test]
async fn a_head_is_answered_wherever_a_get_is() {
    let service = Service::start().await;
    let login = service.start_login("bob@example.com").await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    service.create_app(&key, org_id, "a").await;
    service.outbox_is_empty().await;
    let before = service.dump().await;
    for path in [
        "/",
        "/docs",
        "/docs/",
        "/docs/swagger-ui-bundle.js",
        "/docs/nothing",
        "/openapi.yaml",
        "/openapi.json",
        "/verify.css",
        "/verify/unknown",
        &login.path,
        "/livez",
        "/readyz",
        "/nothing",
        "/api/1/user",
        "/api/1/user?a=1",
        "/api/1/login",
        &format!("/api/1/app?org_id={org_id}"),
        "/api/1/app?org_id=99",
        "/api/1/app",
    ] {
        for with_key in [true, false] {
            let send = async |method: Method| {
                let request = service.request(method, path);
                let request = match with_key {
                    true => request.bearer_auth(&key),
                    false => request,
                };
                request.send().await.unwrap()
            };
            let head = send(Method::HEAD).await;
            let get = send(Method::GET).await;
            // A path that only a POST takes answers both with 405.
            assert_eq!(head.status(), get.status(), "{path}");
            let headers = |response: &reqwest::Response| {
                let mut headers = response.headers().clone();
                headers.remove("date");
                headers.remove("x-request-id");
                // Of an empty body it is left out.
                if headers.get("content-length").is_some_and(|it| it == "0") {
                    headers.remove("content-length");
                }
                headers
            };
            assert_eq!(headers(&head), headers(&get), "{path}");
            assert_eq!(head.text().await.unwrap(), "", "{path}");
        }
    }
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn very_many_failures_are_answered_in_few_words() {
    let service = Service::start().await;
    let pairs: Vec<String> = (0..10_000).map(|n| format!("{n:x}")).collect();
    let form = pairs.join("=&");
    assert!(form.len() < 64 * 1024);
    let names: String = pairs.iter().map(|n| format!("\"{n}\":1,")).collect();
    let (names, _) = names[..60_000].rsplit_once(',').unwrap();
    let json = format!("{{{names}}}");
    let long = "%00".repeat(20_000);
    for (media_type, body) in [
        ("application/x-www-form-urlencoded", &form),
        ("application/x-www-form-urlencoded", &format!("{long}=1")),
        (
            "application/x-www-form-urlencoded",
            &format!("{long}=1&{long}=2")[..65_000].to_owned(),
        ),
        ("application/json", &json),
        (
            "application/json",
            &format!(r#"{{"{0}":1,"{0}":2}}"#, "x".repeat(30_000)),
        ),
    ] {
        for path in ["/api/1/login", "/api/1/app", "/api/1/logout"] {
            let request = service.post(path).header("content-type", media_type);
            let response = request.body(body.clone()).send().await.unwrap();
            assert_eq!(response.status(), 400);
            let answer = response.text().await.unwrap();
            let length = answer.len();
            assert!(length < 32 * 1024, "{path}: {length} bytes are answered");
        }
    }
    let query = format!("/api/1/app?org_id=1&{}", pairs[..3000].join("=&"));
    let problem = problem(service.get(&query), 400, "invalid_request").await;
    assert_eq!(problem["errors"].as_array().unwrap().len(), 100);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("lists 100 of"), "{detail}");
}
