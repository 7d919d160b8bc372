//! Every call of a test, held against openapi.yaml: what the service answers has to be documented,
//! and it may not grant what is not documented.

use std::{sync::LazyLock, time::Duration};

use cortex_report_tests::oracle::{Answer, Oracle, Sent};
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde::Serialize;

pub static ORACLE: LazyLock<Oracle> =
    LazyLock::new(|| Oracle::new(cortex_report_api::DOCUMENT_JSON).unwrap());

/// Calls a service.
pub struct Caller {
    client: Client,
    url: String,
    oracle: &'static Oracle,
}

impl Caller {
    pub fn new(url: &str) -> Self {
        Self::held_against(&ORACLE, url)
    }

    /// One of a service with another document.
    pub fn held_against(oracle: &'static Oracle, url: &str) -> Self {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(60));
        Self {
            client: client.build().unwrap(),
            url: url.to_owned(),
            oracle,
        }
    }

    pub fn request(&self, method: Method, path: &str) -> Call {
        let request = self.client.request(method, format!("{}{path}", self.url));
        Call {
            request,
            oracle: self.oracle,
        }
    }

    pub fn get(&self, path: &str) -> Call {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.request(Method::POST, path)
    }

    /// Sends a request as it is written.
    pub async fn send(&self, sent: &Sent) -> reqwest::Result<Answer> {
        let call = self.request(sent.method().clone(), &sent.uri().to_string());
        let body = sent.body().clone().unwrap();
        let headers = sent.headers().clone();
        let call = call.with(|request| request.headers(headers).body(body));
        call.answer().await
    }
}

/// A call of the API that is checked once it is answered.
pub struct Call {
    request: RequestBuilder,
    oracle: &'static Oracle,
}

impl Call {
    fn with(self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        Self {
            request: change(self.request),
            ..self
        }
    }

    pub fn bearer_auth(self, key: impl std::fmt::Display) -> Self {
        self.with(|request| request.bearer_auth(key))
    }

    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        self.with(|request| request.body(body))
    }

    pub fn form(self, form: &(impl Serialize + ?Sized)) -> Self {
        self.with(|request| request.form(form))
    }

    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.with(|request| request.header(name, value.as_ref()))
    }

    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        self.with(|request| request.json(body))
    }

    pub fn query(self, query: &(impl Serialize + ?Sized)) -> Self {
        self.with(|request| request.query(query))
    }

    /// Sends it, and fails the test if the answer is not documented.
    pub async fn send(self) -> reqwest::Result<Response> {
        self.answer().await.map(Response::from)
    }

    async fn answer(self) -> reqwest::Result<Answer> {
        let (client, request) = self.request.build_split();
        let request = request?;
        let mut sent = http::Request::builder()
            .method(request.method())
            .uri(request.url().as_str());
        if let Some(headers) = sent.headers_mut() {
            headers.clone_from(request.headers());
        }
        let body = match request.body() {
            Some(body) => body.as_bytes().map(<[u8]>::to_vec),
            None => Some(Vec::new()),
        };
        let sent = sent.body(body).unwrap();
        let response = client.execute(request).await?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let answer = answer.body(response.bytes().await?.to_vec()).unwrap();
        match self.oracle.check(&sent, &answer) {
            Ok(()) => Ok(answer),
            Err(reason) => panic!("{reason}"),
        }
    }
}

/// Says what is not documented of an answer as it came over the wire. `head` is the request's line
/// and headers; its body is `None` if it did not come whole.
pub fn check_raw(head: &str, body: Option<&[u8]>, answer: &[u8]) -> Result<(), String> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut line = httparse::Request::new(&mut headers);
    line.parse(head.as_bytes()).map_err(|it| it.to_string())?;
    let mut sent = http::Request::builder()
        .method(line.method.unwrap_or_default())
        .uri(line.path.unwrap_or_default());
    for header in line.headers {
        sent = sent.header(header.name, header.value);
    }

    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut line = httparse::Response::new(&mut headers);
    let head = line.parse(answer).map_err(|it| it.to_string())?;
    let httparse::Status::Complete(head) = head else {
        return Err("it is not answered to the end".to_owned());
    };
    let mut answered = http::Response::builder().status(line.code.unwrap_or_default());
    for header in line.headers {
        answered = answered.header(header.name, header.value);
    }
    ORACLE.check(
        &sent.body(body.map(<[u8]>::to_vec)).unwrap(),
        &answered.body(answer[head..].to_vec()).unwrap(),
    )
}

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
