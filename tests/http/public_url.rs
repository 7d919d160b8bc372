//! Under which URLs the service is reached: below a path, and by each name of the loopback
//! interface.

use cortex_report_api::{DOCUMENT_JSON, DOCUMENT_YAML};
use reqwest::{StatusCode, redirect};
use serde_json::{Value, json};

use crate::harness::{Service, link_path, ok, problem};

async fn below_a_path() -> Service {
    Service::start_with(|settings| {
        settings.public_url = Some("https://a.example/team/x".parse().unwrap());
    })
    .await
}

/// A proxy may take the path away before it passes a request on, or leave it.
const WAYS: [&str; 2] = ["", "/team/x"];

#[tokio::test]
async fn below_a_path_a_person_logs_in_whatever_the_proxy_does_with_the_path() {
    let service = below_a_path().await;
    for way in WAYS {
        let mails = service.mails().len();
        let login = service.post(&format!("{way}/api/1/login"));
        let login = login.json(&json!({ "email": "ann@example.com" }));
        let login = login.send().await.unwrap();
        assert_eq!(login.status(), 200);
        let cookie = login.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("; Path=/team/x; "), "{cookie}");
        let login: Value = serde_json::from_str(&login.text().await.unwrap()).unwrap();
        let mail = service.mail_after(mails).await;
        assert!(mail.contains("https://a.example/team/x/verify/"), "{mail}");

        let path = format!("{way}{}", link_path(&mail));
        let page = service.get(&path).send().await.unwrap();
        let page = page.text().await.unwrap();
        // Relative to the page, so it is right for the browser in both cases.
        assert!(page.contains("href=\"../verify.css\""), "{page}");
        assert!(!page.contains("href=\"/"), "{page}");
        let code = login["manual_code"].as_str().unwrap();
        let form = service.post(&path).form(&[("manual_code", code)]);
        let verified = form.send().await.unwrap();
        assert!(!verified.status().is_client_error(), "{path}");

        let key = login["session_key"].as_str().unwrap();
        let user = service.get(&format!("{way}/api/1/user?")).bearer_auth(key);
        assert_eq!(ok(user).await["email"], "ann@example.com");
        let logout = service.post(&format!("{way}/api/1/logout"));
        let logout = logout.bearer_auth(key).send().await.unwrap();
        let cookie = logout.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("; Path=/team/x; "), "{cookie}");
        for path in ["/verify.css", "/livez", "/readyz"] {
            let page = service.get(&format!("{way}{path}")).send().await.unwrap();
            assert_eq!(page.status(), 200, "{way}{path}");
        }
    }
}

#[tokio::test]
async fn below_a_path_the_documentation_names_it() {
    let service = below_a_path().await;
    let client = reqwest::Client::builder().redirect(redirect::Policy::none());
    let client = client.build().unwrap();
    for way in WAYS {
        for path in ["/", "/docs", ""] {
            // What a browser shows has the path in any case.
            let url = format!("{}{way}{path}", service.url());
            let response = client.get(url).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::SEE_OTHER, "{way}{path}");
            assert_eq!(response.headers()["location"], "/team/x/docs/");
        }
        let text = async |path: &str| {
            let response = service.get(&format!("{way}{path}")).send().await.unwrap();
            assert_eq!(response.status(), 200, "{way}{path}");
            response.text().await.unwrap()
        };
        let initializer = text("/docs/swagger-initializer.js").await;
        assert!(initializer.contains("\"../openapi.json\""), "{initializer}");
        let json: Value = serde_json::from_str(&text("/openapi.json").await).unwrap();
        assert_eq!(json["servers"][0]["url"], "/team/x");
        assert_eq!(json["servers"].as_array().unwrap().len(), 1);
        let mut canonical: Value = serde_json::from_str(DOCUMENT_JSON).unwrap();
        canonical["servers"][0]["url"] = "/team/x".into();
        assert_eq!(json, canonical, "nothing else is changed");
        let canonical = DOCUMENT_YAML.replacen("\n  - url: /\n", "\n  - url: /team/x\n", 1);
        assert_eq!(text("/openapi.yaml").await, canonical);
    }
}

#[tokio::test]
async fn a_path_that_only_begins_like_it_is_another() {
    let service = below_a_path().await;
    for path in [
        "/team",
        "/team/xx/livez",
        "/team/x/team/x/livez",
        "/x/livez",
        "/team/x/nothing",
        "/team/x//livez",
    ] {
        problem(service.get(path), 404, "not_found").await;
    }
    problem(service.post("/team/x/livez"), 405, "method_not_allowed").await;
    let own = service.post("/api/1/logout");
    let own = own.header("origin", "https://a.example");
    assert_eq!(own.send().await.unwrap().status(), 200);
    let elsewhere = service.post("/api/1/login");
    let elsewhere = elsewhere.form(&[("email", "ann@example.com")]);
    let elsewhere = elsewhere.header("origin", "https://a.example/team/x");
    problem(elsewhere, 403, "cross_site").await;
}

/// Returns true if the service accepts a login that a page of `origin` starts.
async fn is_own(service: &Service, origin: &str) -> bool {
    let login = service.post("/api/1/login").header("origin", origin);
    let login = login.json(&json!({ "email": "ann@example.com" }));
    match login.send().await.unwrap().status().as_u16() {
        200 => true,
        403 => false,
        status => panic!("{origin}: {status}"),
    }
}

#[tokio::test]
async fn each_name_of_the_loopback_interface_is_the_service_where_no_url_is_set() {
    let service = Service::start().await;
    let port = service.address().port();
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        assert!(is_own(&service, &format!("http://{host}:{port}")).await);
        for other in [
            format!("https://{host}:{port}"),
            format!("http://{host}"),
            format!("http://{host}:{}", port ^ 1),
            format!("http://{host}:{port}.evil.example"),
        ] {
            assert!(!is_own(&service, &other).await, "{other}");
        }
    }
    for other in ["null", "", "http://localhost.evil.example", "localhost"] {
        assert!(!is_own(&service, other).await, "{other}");
    }

    let service = service
        .restart_with(|settings| {
            settings.public_url = Some("http://localhost:8080".parse().unwrap())
        })
        .await;
    assert!(is_own(&service, "http://localhost:8080").await);
    let port = service.address().port();
    for other in [
        "http://127.0.0.1:8080".to_owned(),
        "http://[::1]:8080".to_owned(),
        format!("http://localhost:{port}"),
    ] {
        assert!(!is_own(&service, &other).await, "{other}");
    }
}
