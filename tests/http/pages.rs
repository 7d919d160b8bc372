//! Responses for a browser: the headers of every answer, the documentation and its document.

use cortex_report_api::{DOCUMENT_JSON, DOCUMENT_YAML};
use serde_json::Value;

use crate::harness::{Service, ok};

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_a_browser_safe() {
    let service = Service::start().await;
    let login = service.start_login("ann@example.com").await;
    for path in [
        "/",
        "/docs",
        "/docs/",
        "/docs/swagger-ui-bundle.js",
        "/openapi.yaml",
        "/openapi.json",
        "/verify.css",
        "/verify.js",
        "/verify/unknown",
        &login.path,
        "/nothing",
        "/api/1/user",
        "/api/1/nothing",
        "/api/1/login",
        "/livez",
        "/readyz",
    ] {
        let response = service.get(path).send().await.unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name);
            value
                .map(|value| value.to_str().unwrap())
                .unwrap_or_default()
        };
        let policy = header("content-security-policy");
        for directive in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            match path.starts_with("/api/") {
                true => "form-action 'none'",
                false => "form-action 'self'",
            },
        ] {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        let kept = if path.starts_with("/docs/") {
            "no-cache"
        } else {
            "no-store"
        };
        assert_eq!(header("cache-control"), kept, "{path}");
        assert_eq!(header("access-control-allow-origin"), "", "{path}");
        assert_eq!(
            header("strict-transport-security"),
            "",
            "{path}: only with HTTPS"
        );
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_written() {
    let service = Service::start().await;
    let yaml = service.get("/openapi.yaml").send().await.unwrap();
    assert_eq!(yaml.headers()["content-type"], "application/yaml");
    let written = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.yaml");
    assert_eq!(
        yaml.text().await.unwrap(),
        std::fs::read_to_string(written).unwrap()
    );
    assert!(!DOCUMENT_YAML.is_empty());

    let json = ok(service.get("/openapi.json")).await;
    let expected: Value = serde_json::from_str(DOCUMENT_JSON).unwrap();
    assert_eq!(json, expected);
    assert_eq!(json["openapi"], "3.1.0");
}

#[tokio::test]
async fn the_front_door_leads_to_the_documentation_which_loads_nothing_from_elsewhere() {
    let service = Service::start().await;
    for path in ["/", "/docs"] {
        let response = service.get(path).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["location"]),
            (303, &"/docs/".parse().unwrap())
        );
    }
    let index = service
        .get("/docs/")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let mut files = Vec::new();
    for attribute in ["src=\"", "href=\""] {
        let links = index.split(attribute).skip(1);
        files.extend(links.map(|rest| rest.split('"').next().unwrap()));
    }
    assert!(files.len() >= 5, "{index}");
    for file in files {
        assert!(!file.contains("//"), "{file} is elsewhere");
        let path = format!("/docs/{}", file.trim_start_matches("./"));
        let response = service.get(&path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
    let initializer = service
        .get("/docs/swagger-initializer.js")
        .send()
        .await
        .unwrap();
    let initializer = initializer.text().await.unwrap();
    assert!(initializer.contains("\"../openapi.json\""), "{initializer}");
}
