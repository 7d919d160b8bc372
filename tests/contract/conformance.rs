//! The oracle of every test's traffic: what is not documented is told.

use cortex_report_tests::oracle::{Answer, Sent};
use reqwest::Method;

use crate::harness::conformance::ORACLE;

/// A call of an operation that is as documented, and so is its answer, with one of them changed.
fn told(change: impl FnOnce(&mut Sent, &mut Answer)) -> Result<(), String> {
    let mut sent = http::Request::post("/api/1/app")
        .header("content-type", "application/json")
        .body(Some(br#"{"org_id":"3","app_name":"a"}"#.to_vec()))
        .unwrap();
    let mut answer = http::Response::builder()
        .header("content-type", "application/json; charset=utf-8")
        .body(br#"{"app_id":12}"#.to_vec())
        .unwrap();
    change(&mut sent, &mut answer);
    ORACLE.check(&sent, &answer)
}

#[test]
fn what_is_not_documented_is_told() {
    assert_eq!(told(|_, _| {}), Ok(()));
    let taken = r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"x","code":"name_taken"}"#;
    let problem = |status: u16, retry_after: Option<&'static str>, body: &str| {
        told(|_, answer| {
            let mut problem = http::Response::builder()
                .status(status)
                .header("content-type", "application/problem+json");
            if let Some(seconds) = retry_after {
                problem = problem.header("retry-after", seconds);
            }
            *answer = problem.body(body.as_bytes().to_vec()).unwrap();
        })
    };
    let body = |body: &str| told(|_, answer| *answer.body_mut() = body.as_bytes().to_vec());
    let uri = |uri: &'static str| told(|sent, _| *sent.uri_mut() = uri.parse().unwrap());
    let sent = |body: &str| told(|sent, _| *sent.body_mut() = Some(body.as_bytes().to_vec()));
    assert_eq!(problem(409, None, taken), Ok(()));
    assert_eq!(problem(503, Some("1"), taken), Ok(()));
    for (told, expected) in [
        (problem(418, None, taken), "status is not documented"),
        (problem(409, None, &taken[1..]), "no JSON"),
        (
            problem(200, None, taken),
            "problem+json\" is not documented",
        ),
        (problem(409, None, r#"{"detail":"x"}"#), "required"),
        (problem(503, Some("soon"), taken), "Retry-After"),
        (problem(409, Some("1"), taken), "header Retry-After is not"),
        (body(r#"{"app_id":0}"#), "/app_id"),
        (body(r#"{"app_id":1,"x":1}"#), "'x'"),
        (
            told(|_, answer| answer.headers_mut().clear()),
            "media type \"\"",
        ),
        (
            told(|sent, _| *sent.method_mut() = Method::PUT),
            "no such operation",
        ),
        (
            told(|sent, answer| {
                *sent.uri_mut() = "/api/1/apps".parse().unwrap();
                *answer.status_mut() = reqwest::StatusCode::NOT_FOUND;
            }),
            "not of the media type",
        ),
        (
            told(|_, answer| {
                let headers = answer.headers_mut();
                headers.insert("set-cookie", "session_key=x".parse().unwrap());
            }),
            "header Set-Cookie is not documented",
        ),
        (uri("/api/1/apps"), "no such operation"),
        (uri("/api/1/app?x=1"), "x is no parameter"),
        (sent(""), "no body"),
        (sent("{}"), "required"),
        (told(|sent, _| sent.headers_mut().clear()), "not taken"),
    ] {
        let reason = told.expect_err(expected);
        assert!(reason.contains(expected), "{reason} instead of {expected}");
    }
}
