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
