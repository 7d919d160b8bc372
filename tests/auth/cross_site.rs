//! Calls that a page of another site made a browser send.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Service, conformance::Call, ok, problem};

/// Every combination of what a browser tells, how the caller shows who it is, and the encoding.
#[tokio::test]
async fn a_call_by_cookie_that_changes_something_has_to_come_from_the_own_site() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let own = service.url();
    let mut created = 0;
    let mut refused = 0;
    for site in [
        None,
        Some("none"),
        Some("same-origin"),
        Some("same-site"),
        Some("cross-site"),
        Some("x"),
    ] {
        for origin in [
            None,
            Some(own.as_str()),
            Some("null"),
            Some("https://evil.example"),
            Some("http://127.0.0.1"),
        ] {
            for by in ["cookie", "bearer", "body", "cookie and bearer"] {
                for encoding in ["json", "form", "get"] {
                    let from_own = matches!(site, None | Some("none" | "same-origin"))
                        && origin.is_none_or(|origin| origin == own);
                    let name = format!("app {}", created + refused);
                    let request = call(&service, encoding, org_id, &name, by, &key);
                    let request = told(request, site, origin);
                    if from_own || by != "cookie" {
                        ok(request).await;
                        created += 1;
                    } else {
                        problem(request, 403, "cross_site").await;
                        refused += 1;
                    }
                }
            }
        }
    }
    assert_eq!(service.rows("app").await, created);
    // 30 combinations of the headers, of which 6 are of the own site, in 3 encodings.
    assert_eq!(refused, 24 * 3);
}

fn call(service: &Service, encoding: &str, org_id: i64, name: &str, by: &str, key: &str) -> Call {
    let org_id = org_id.to_string();
    let mut members = vec![("org_id", org_id.as_str()), ("app_name", name)];
    let mut request = match encoding {
        "get" => service.get("/api/1/app").query(&members),
        _ => service.post("/api/1/app"),
    };
    let by_body = [("session_key", key)];
    if by == "body" {
        members.extend(by_body);
    }
    request = match (encoding, by) {
        ("json", _) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.to_string(), json!(value)));
            request.json(&serde_json::Value::Object(members.collect()))
        }
        ("form", _) => request.form(&members),
        (_, "body") => request.form(&by_body),
        _ => request,
    };
    if by.contains("cookie") {
        request = request.header("cookie", format!("session_key={key}"));
    }
    if by.contains("bearer") {
        request = request.bearer_auth(key);
    }
    request
}

fn told(mut request: Call, site: Option<&str>, origin: Option<&str>) -> Call {
    if let Some(site) = site {
        request = request.header("sec-fetch-site", site);
    }
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    request
}

#[tokio::test]
async fn another_site_can_neither_log_out_nor_delete_nor_replace_the_session() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let app_id = service.create_app(&key, org_id, "a").await;
    let before = service.dump().await;
    let cookie = format!("session_key={key}");
    for request in [
        service.post("/api/1/logout").header("cookie", &cookie),
        service
            .request(Method::DELETE, &format!("/api/1/app/{app_id}"))
            .header("cookie", &cookie),
        service
            .post("/api/1/login")
            .form(&[("email", "mallory@example.com")]),
    ] {
        let request = told(request, Some("cross-site"), Some("https://evil.example"));
        problem(request, 403, "cross_site").await;
    }
    assert_eq!(service.dump().await, before);
}

/// A browser sends a SameSite=Strict cookie to nobody but its own site, but takes one away for all.
#[tokio::test]
async fn another_site_cannot_take_the_cookie_away() {
    let service = Service::start().await;
    for request in [
        service.post("/api/1/logout"),
        service.post("/api/1/logout").form(&[("session_key", "x")]),
    ] {
        let request = told(request, Some("cross-site"), Some("https://evil.example"));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn reading_by_cookie_needs_no_proof() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    for path in ["/api/1/user", &format!("/api/1/app?org_id={org_id}")] {
        let request = service
            .get(path)
            .header("cookie", format!("session_key={key}"));
        let response = told(request, Some("cross-site"), None)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let allowed = response.headers().get("access-control-allow-origin");
        assert_eq!(allowed, None, "no other site may read the answer");
    }
}
