//! Every call of a test, held against openapi.yaml: what the service answers has to be documented,
//! and it may not grant what is not documented.

use std::sync::LazyLock;

use jsonschema::Validator;
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{self, HeaderMap},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(cortex_report_api::DOCUMENT_JSON).unwrap());

/// A call of the API that is checked once it is answered.
pub struct Call(RequestBuilder);

impl Call {
    pub fn new(client: &Client, method: Method, url: String) -> Self {
        Self(client.request(method, url))
    }

    pub fn bearer_auth(self, key: impl std::fmt::Display) -> Self {
        Self(self.0.bearer_auth(key))
    }

    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.body(body))
    }

    pub fn form(self, form: &(impl Serialize + ?Sized)) -> Self {
        Self(self.0.form(form))
    }

    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self(self.0.header(name, value.as_ref()))
    }

    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        Self(self.0.json(body))
    }

    pub fn query(self, query: &(impl Serialize + ?Sized)) -> Self {
        Self(self.0.query(query))
    }

    /// Sends it, and fails the test if the answer is not documented.
    pub async fn send(self) -> reqwest::Result<Response> {
        let (client, request) = self.0.build_split();
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
        match check(&sent, &answer) {
            Ok(()) => Ok(answer.into()),
            Err(reason) => panic!("{reason}"),
        }
    }
}

/// A request; its body is `None` if it is streamed.
pub type Sent = http::Request<Option<Vec<u8>>>;
/// An answer.
pub type Answer = http::Response<Vec<u8>>;

/// Says what of an answer is not documented.
pub fn check(sent: &Sent, answer: &Answer) -> Result<(), String> {
    is_documented(sent, answer).map_err(|reason| {
        let (method, path, status) = (sent.method(), sent.uri().path(), answer.status());
        format!("{method} {path} is answered with {status}: {reason}")
    })
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase()
}

fn is_documented(sent: &Sent, answer: &Answer) -> Result<(), String> {
    if !sent.uri().path().starts_with("/api/") {
        // The pages are no part of the API.
        return Ok(());
    }
    if sent.method() == Method::HEAD && answer.body().is_empty() {
        // No operation takes it, and its answers have no body to check.
        let is_refused = matches!(answer.status().as_u16(), 404 | 405);
        return if is_refused {
            Ok(())
        } else {
            Err("HEAD is not documented".to_owned())
        };
    }
    let body: Value = serde_json::from_slice(answer.body())
        .map_err(|error| format!("its body is no JSON: {error}"))?;
    let Some((operation, in_path)) = operation(sent) else {
        if !matches!(answer.status().as_u16(), 404 | 405) {
            return Err("no such operation is documented".to_owned());
        }
        return fits(&DOCUMENT["components"]["schemas"]["Problem"], &body);
    };
    let response = resolve(&operation["responses"][answer.status().as_str()]);
    if response.is_null() {
        return Err("the status is not documented".to_owned());
    }
    let media_type = media_type(answer.headers());
    let content = &response["content"][&media_type];
    if content.is_null() {
        return Err(format!("the media type {media_type:?} is not documented"));
    }
    fits(&content["schema"], &body)?;
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        if let Some(value) = answer.headers().get(name) {
            let value = value.to_str().map_err(|_| format!("{name} is no text"))?;
            let value = read(value, &header["schema"]);
            fits(&header["schema"], &value).map_err(|reason| format!("{name}: {reason}"))?;
        }
    }
    match request_fits(sent, operation, &in_path) {
        Err(reason) if answer.status().is_success() => {
            Err(format!("the request is not as documented: {reason}"))
        }
        _ => Ok(()),
    }
}

/// The operation that a request is for, and its parameters in the path.
fn operation(sent: &Sent) -> Option<(&'static Value, Map<String, Value>)> {
    let paths = DOCUMENT["paths"].as_object()?;
    paths.iter().find_map(|(template, item)| {
        let operation = item.get(sent.method().as_str().to_lowercase())?;
        let (names, values) = (template.split('/'), sent.uri().path().split('/'));
        if names.clone().count() != values.clone().count() {
            return None;
        }
        let mut in_path = Map::new();
        for (name, value) in names.zip(values) {
            match name
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
            {
                Some(name) if !value.is_empty() => {
                    in_path.insert(name.to_owned(), json!(value));
                }
                _ if name == value => {}
                _ => return None,
            }
        }
        Some((operation, in_path))
    })
}

/// Says what of a request is not documented.
fn request_fits(
    sent: &Sent,
    operation: &Value,
    in_path: &Map<String, Value>,
) -> Result<(), String> {
    let in_query = pairs(sent.uri().query().unwrap_or_default().as_bytes())?;
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let mut known = Vec::new();
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap_or_default();
        let place = if parameter["in"] == "path" {
            in_path
        } else {
            &in_query
        };
        known.push(name);
        match place.get(name) {
            Some(value) => {
                let value = read(value.as_str().unwrap_or_default(), &parameter["schema"]);
                fits(&parameter["schema"], &value).map_err(|it| format!("{name}: {it}"))?;
            }
            None if parameter["required"] == true => return Err(format!("{name} is missing")),
            None => {}
        }
    }
    if let Some(name) = in_query.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("{name} is no parameter"));
    }
    let body = resolve(&operation["requestBody"]);
    let Some(bytes) = sent.body() else {
        return Ok(());
    };
    if bytes.is_empty() {
        let is_required = body["required"] == true;
        return if is_required {
            Err("it has no body".to_owned())
        } else {
            Ok(())
        };
    }
    let media_type = media_type(sent.headers());
    let schema = &body["content"][&media_type]["schema"];
    if schema.is_null() {
        return Err(format!("{media_type:?} is not taken"));
    }
    let value = match media_type.as_str() {
        "application/json" => {
            serde_json::from_slice(bytes).map_err(|error| format!("its body: {error}"))?
        }
        _ => Value::Object(pairs(bytes)?),
    };
    let properties = &resolve(schema)["properties"];
    let value = match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(text) => {
                        let value = read(&text, &properties[&name]);
                        (name, value)
                    }
                    value => (name, value),
                })
                .collect(),
        ),
        value => value,
    };
    fits(schema, &value)
}

/// The pairs of a query or a form, each name once.
fn pairs(text: &[u8]) -> Result<Map<String, Value>, String> {
    let mut pairs = Map::new();
    for (name, value) in form_urlencoded::parse(text) {
        if pairs.insert(name.to_string(), json!(value)).is_some() {
            return Err(format!("{name} is there twice"));
        }
    }
    Ok(pairs)
}

/// A text as the value that its schema means: a decimal string is an integer where one is due.
fn read(text: &str, schema: &Value) -> Value {
    match text.parse::<i64>() {
        Ok(number) if resolve(schema)["type"] == "integer" => json!(number),
        _ => json!(text),
    }
}

/// What stands behind a reference, or the value itself.
fn resolve(value: &Value) -> &Value {
    let target = value["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'));
    match target {
        Some(pointer) => DOCUMENT
            .pointer(pointer)
            .expect("a reference names something"),
        None => value,
    }
}

/// Says where a value is not as a schema has it; formats count.
fn fits(schema: &Value, value: &Value) -> Result<(), String> {
    let mut schema = schema.clone();
    schema["components"] = DOCUMENT["components"].clone();
    let validator: Validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    match validator.iter_errors(value).next() {
        Some(error) => Err(format!("{}: {error}", error.instance_path())),
        None => Ok(()),
    }
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
    check(&sent, &answer)
}

#[test]
fn what_is_not_documented_is_told() {
    assert_eq!(told(|_, _| {}), Ok(()));
    let taken = r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"x","code":"name_taken"}"#;
    let problem = |status: u16, retry_after: &'static str, body: &str| {
        told(|_, answer| {
            *answer = http::Response::builder()
                .status(status)
                .header("content-type", "application/problem+json")
                .header("retry-after", retry_after)
                .body(body.as_bytes().to_vec())
                .unwrap();
        })
    };
    let body = |body: &str| told(|_, answer| *answer.body_mut() = body.as_bytes().to_vec());
    let uri = |uri: &'static str| told(|sent, _| *sent.uri_mut() = uri.parse().unwrap());
    let sent = |body: &str| told(|sent, _| *sent.body_mut() = Some(body.as_bytes().to_vec()));
    assert_eq!(problem(409, "1", taken), Ok(()));
    assert_eq!(problem(503, "1", taken), Ok(()));
    for (told, expected) in [
        (problem(418, "1", taken), "status is not documented"),
        (problem(409, "1", &taken[1..]), "no JSON"),
        (problem(200, "1", taken), "problem+json\" is not documented"),
        (problem(409, "1", r#"{"detail":"x"}"#), "required"),
        (problem(503, "soon", taken), "Retry-After"),
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
