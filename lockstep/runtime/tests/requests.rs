//! The server of `notes.yaml` behind the check of requests: schemas and bodies of more shapes than
//! any one service has.

use openapi_lockstep::{Answers, Options};
use openapi_lockstep_runtime::{Contract, InvalidMember, Rejection, Serve, code, problems};
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response,
    endpoint::make_sync,
    http::{Method, StatusCode, header},
};
use serde_json::{Value, json};

#[allow(clippy::all, dead_code)]
pub mod notes {
    include!("../../tests/golden/notes.rs");
}

#[allow(clippy::module_inception, dead_code)]
pub mod ping {
    include!("../../tests/golden/ping.rs");
}

use notes::{note::*, status::*, types::*, *};

/// Answers what it was given, and who gave it.
pub struct Notes;

impl Authenticate<Credential> for Notes {
    type Principal = String;

    async fn authenticate(&self, _: &Request, credential: Credential) -> Result<String, Failure> {
        let key = match credential {
            Credential::Key(key) => key.0.into_inner(),
            Credential::Token(token) => format!("cookie {}", token.0.reveal()),
        };
        if key == "unknown" {
            return Err(Failure::unauthorized(Code::NotLoggedIn, "nobody"));
        }
        Ok(key)
    }
}

impl ListNotes for Notes {
    async fn list_notes(
        &self,
        _: &Request,
        principal: String,
        max_count: Option<i32>,
    ) -> Result<NoteList, Failure> {
        let note = Note {
            r#type: NoteKind::ToDo,
            text: principal,
            due: None,
            weight: 0.5,
            size: max_count,
            is_done: None,
            links: None,
        };
        Ok(NoteList { notes: vec![note] })
    }
}

impl PutNote for Notes {
    async fn put_note(
        &self,
        _: &Request,
        _: String,
        parameters: PutNoteParameters,
        body: Note,
    ) -> Result<PutNoteReply, PutNoteFailure> {
        let PutNoteParameters { folder, note_id } = parameters;
        match note_id {
            429 => Err(PutNoteFailure::too_many_requests(Code::TooMany, "later", 7)),
            500 => panic!("as a handler may"),
            _ => Ok(PutNoteReply {
                body,
                location: Some(format!("/folders/{folder}/notes/{note_id}")),
            }),
        }
    }
}

impl SetStatus for Notes {
    async fn set_status(
        &self,
        _: &Request,
        credential: Option<Credential>,
        body: Option<Status>,
    ) -> Result<StatusReply, SetStatusFailure> {
        let token = credential.map(|credential| match credential {
            Credential::Key(key) => key.0,
            Credential::Token(token) => token.0,
        });
        Ok(StatusReply {
            mood: body.as_ref().and_then(|body| body.mood),
            more_text: body.and_then(|body| body.more_text),
            token,
        })
    }
}

pub fn served() -> impl Endpoint<Output = Response> {
    guarded(include_str!("../../tests/golden/notes.yaml"), routes(Notes))
}

/// The routes of a document behind its check.
fn guarded(text: &str, routes: impl Serve) -> impl Endpoint<Output = Response> {
    let document = openapi_lockstep::read("document.yaml", text).expect("it is kept readable");
    let contract = Contract::new(&document.contract(), 1000).expect("lockstep accepts no other");
    let guarded = contract.serve(routes);
    guarded
        .expect("it is of the same document")
        .with(poem::middleware::CatchPanic::new())
        .around(problems)
        .map_to_response()
}

/// Answers without a body.
pub struct Ping;

impl ping::ping::Ping for Ping {
    async fn ping(&self, _: &Request) -> Result<ping::types::Pong, ping::Failure> {
        Ok(ping::types::Pong { at: None })
    }
}

impl ping::ping::Remember for Ping {
    async fn remember(&self, _: &Request) -> Result<(), ping::Failure> {
        Ok(())
    }
}

impl ping::ping::Forget for Ping {
    async fn forget(&self, _: &Request) -> Result<ping::ping::ForgetReply, ping::Failure> {
        Ok(ping::ping::ForgetReply { pings: Some(3) })
    }
}

pub fn served_ping() -> impl Endpoint<Output = Response> {
    guarded(
        include_str!("../../tests/golden/ping.yaml"),
        ping::routes(Ping),
    )
}

async fn send(method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let mut request = Request::builder().method(method).uri_str(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    served().get_response(request.body(body.to_owned())).await
}

pub async fn json_of(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let body = response.into_body().into_json().await.unwrap();
    (status, body)
}

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const KEY: (&str, &str) = ("authorization", "Bearer key");

/// The pointers of a 400, in order.
async fn wrong(method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> Vec<String> {
    let (status, problem) = json_of(send(method, uri, headers, body).await).await;
    assert_eq!(status, 400, "{problem}");
    assert_eq!(problem["code"], "invalid_request");
    let errors = problem["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_body_of_every_type_comes_back() {
    let note = json!({
        "type": "to-do", "text": "a b", "due": null, "weight": 1.5, "size": 3, "isDone": true,
        "links": [1, 2],
    });
    let response = send(
        Method::PUT,
        "/folders/a/notes/7",
        &[JSON, KEY],
        &note.to_string(),
    )
    .await;
    assert_eq!(
        response.header(header::LOCATION),
        Some("/folders/a/notes/7")
    );
    let (status, body) = json_of(response).await;
    assert_eq!(status, 201);
    assert_eq!(body, note);
}

#[tokio::test]
async fn a_path_is_decoded() {
    let note = r#"{"type":"plain","text":"","due":null,"weight":1}"#;
    let uri = "/folders/%61%2Fb/notes/%37";
    let response = send(Method::PUT, uri, &[JSON, KEY], note).await;
    assert_eq!(
        response.header(header::LOCATION),
        Some("/folders/a/b/notes/7")
    );
    let uri = "/folders/12345678901/notes/%ff";
    let pointers = wrong(Method::PUT, uri, &[JSON, KEY], note).await;
    assert_eq!(pointers, ["/path/folder", "/path/note_id"]);
}

#[tokio::test]
async fn a_member_that_is_not_there_is_not_null() {
    let note = json!({ "type": "plain", "text": "", "due": "now", "weight": 1 });
    let response = send(
        Method::PUT,
        "/folders/a/notes/7",
        &[JSON, KEY],
        &note.to_string(),
    )
    .await;
    let (_, body) = json_of(response).await;
    assert_eq!(
        body,
        json!({ "type": "plain", "text": "", "due": "now", "weight": 1.0 })
    );
}

#[tokio::test]
async fn every_failure_is_reported_with_its_place() {
    let note = json!({
        "type": "other", "text": "A", "due": 1, "weight": "1", "size": 2_147_483_648_u32,
        "isDone": null, "links": [1, "x"], "more": 1,
    });
    let pointers = wrong(
        Method::PUT,
        "/folders/a/notes/x?y=1",
        &[JSON, KEY],
        &note.to_string(),
    )
    .await;
    assert_eq!(
        pointers,
        [
            "/body/due",
            "/body/isDone",
            "/body/links/1",
            "/body/more",
            "/body/size",
            "/body/text",
            "/body/type",
            "/body/weight",
            "/path/note_id",
            "/query/y",
        ]
    );
    assert_eq!(
        wrong(Method::PUT, "/folders/a/notes/1", &[JSON, KEY], "{}").await,
        ["/body/due", "/body/text", "/body/type", "/body/weight"]
    );
}

#[tokio::test]
async fn integers_have_bounds_and_are_no_texts_in_json() {
    for (given, size) in [("3", json!(3)), ("3.0", json!(3))] {
        let note = format!(r#"{{"type":"plain","text":"","due":null,"weight":1,"size":{given}}}"#);
        let (status, body) =
            json_of(send(Method::PUT, "/folders/a/notes/7", &[JSON, KEY], &note).await).await;
        assert_eq!(
            (status, &body["size"]),
            (StatusCode::CREATED, &size),
            "{given}"
        );
    }
    for given in [
        "\"3\"",
        "\"03\"",
        "\"+3\"",
        "\" 3\"",
        "3.5",
        "1e40",
        "\"\"",
        "9223372036854775808",
    ] {
        let note =
            format!(r#"{{"type":"plain","text":"","due":null,"weight":1,"links":[{given}]}}"#);
        let pointers = wrong(Method::PUT, "/folders/a/notes/7", &[JSON, KEY], &note).await;
        assert_eq!(pointers, ["/body/links/0"], "{given}");
    }
}

#[tokio::test]
async fn a_query_is_checked_like_a_body() {
    let listed = send(Method::GET, "/notes?max-count=3", &[KEY], "").await;
    assert_eq!(json_of(listed).await.1["notes"][0]["size"], 3);
    for query in [
        "max-count=0",
        "max-count=x",
        "max-count=",
        "max-count=3000000000",
    ] {
        let uri = format!("/notes?{query}");
        assert_eq!(
            wrong(Method::GET, &uri, &[KEY], "").await,
            ["/query/max-count"]
        );
    }
    for query in ["max-count=1&max-count=2", "max-count=%ff"] {
        let uri = format!("/notes?{query}");
        assert_eq!(
            wrong(Method::GET, &uri, &[KEY], "").await,
            ["/query"],
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_form_is_checked_like_json() {
    let form = "mood=so-so&moreText=a+b%21";
    let (status, body) = json_of(send(Method::POST, "/status", &[FORM], form).await).await;
    assert_eq!(
        (status, body),
        (
            StatusCode::OK,
            json!({ "mood": "so-so", "moreText": "a b!" })
        )
    );
    assert_eq!(
        wrong(Method::POST, "/status", &[FORM], "mood=bad&x=1").await,
        ["/body/mood", "/body/x"]
    );
    for form in ["mood=good&mood=good", "moreText=%ff"] {
        assert_eq!(
            wrong(Method::POST, "/status", &[FORM], form).await,
            ["/body"],
            "{form}"
        );
    }
}

#[tokio::test]
async fn bytes_that_are_no_json_are_told() {
    let deep = "[".repeat(900);
    for body in [
        "{",
        "nul",
        "{}x",
        "\"\\ud800\"",
        r#"{"text":1,"text":1}"#,
        deep.as_str(),
        "1e999",
    ] {
        let pointers = wrong(Method::PUT, "/folders/a/notes/1", &[JSON, KEY], body).await;
        assert_eq!(pointers, ["/body"], "{body}");
    }
}

#[tokio::test]
async fn an_optional_body_may_be_missing_and_a_required_one_not() {
    let (status, body) = json_of(send(Method::POST, "/status", &[], "").await).await;
    assert_eq!((status, body), (StatusCode::OK, json!({})));
    assert_eq!(
        wrong(Method::PUT, "/folders/a/notes/1", &[KEY], "").await,
        ["/body"]
    );
    assert_eq!(
        wrong(Method::GET, "/notes", &[KEY, JSON], "{}").await,
        ["/body"]
    );
}

#[tokio::test]
async fn other_media_types_sizes_paths_and_methods_are_problems() {
    let large = "x".repeat(1001);
    let text = ("content-type", "text/plain");
    let latin = ("content-type", "application/json; charset=latin1");
    for (method, uri, headers, body, status, code) in [
        (
            Method::PUT,
            "/folders/a/notes/1",
            [KEY, text],
            "x",
            415,
            "unsupported_media_type",
        ),
        (
            Method::PUT,
            "/folders/a/notes/1",
            [KEY, latin],
            "{}",
            415,
            "unsupported_media_type",
        ),
        (
            Method::PUT,
            "/folders/a/notes/1",
            [KEY, FORM],
            "a=b",
            415,
            "unsupported_media_type",
        ),
        (
            Method::PUT,
            "/folders/a/notes/1",
            [KEY, KEY],
            "{}",
            415,
            "unsupported_media_type",
        ),
        (
            Method::PUT,
            "/folders/a/notes/1",
            [KEY, JSON],
            &large,
            413,
            "payload_too_large",
        ),
        (Method::GET, "/other", [KEY, KEY], "", 404, "not_found"),
        (Method::GET, "/notes/", [KEY, KEY], "", 404, "not_found"),
        (
            Method::PATCH,
            "/notes",
            [KEY, KEY],
            "",
            405,
            "method_not_allowed",
        ),
    ] {
        let response = send(method, uri, &headers, body).await;
        assert_eq!(response.content_type(), Some("application/problem+json"));
        if status == 405 {
            assert_eq!(response.header(header::ALLOW), Some("GET, HEAD"));
        }
        let (got, problem) = json_of(response).await;
        assert_eq!(got, status, "{uri} {body}");
        assert_eq!(
            (&problem["code"], &problem["status"]),
            (&json!(code), &json!(status))
        );
    }
    let charset = ("content-type", "Application/JSON; Charset=\"UTF-8\"");
    let (status, _) = json_of(send(Method::POST, "/status", &[charset], "{}").await).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_credential_may_stand_in_three_places() {
    let who = async |headers: &[(&str, &str)]| {
        let (status, body) = json_of(send(Method::GET, "/notes", headers, "").await).await;
        assert_eq!(status, 200, "{body}");
        body["notes"][0]["text"].as_str().unwrap().to_owned()
    };
    assert_eq!(who(&[KEY]).await, "key");
    assert_eq!(who(&[("authorization", "bearer   key")]).await, "key");
    assert_eq!(who(&[("cookie", "a=b; token=key")]).await, "cookie key");
    // Who sends the key otherwise too is no other site.
    assert_eq!(who(&[("cookie", "token=key"), KEY]).await, "key");

    for body in [r#"{"token":"key"}"#, r#"{"token":"key","mood":"good"}"#] {
        let (_, reply) = json_of(send(Method::POST, "/status", &[JSON], body).await).await;
        assert_eq!(reply["token"], "key");
    }
    let (_, reply) = json_of(send(Method::POST, "/status", &[FORM], "token=key").await).await;
    assert_eq!(reply["token"], "key");
    let (_, reply) = json_of(send(Method::POST, "/status", &[JSON], "{}").await).await;
    assert_eq!(reply.get("token"), None);
}

#[tokio::test]
async fn two_different_keys_are_refused() {
    let cookie = ("cookie", "token=other");
    let two_cookies = ("cookie", "token=one; token=other");
    assert_eq!(
        wrong(Method::GET, "/notes", &[KEY, cookie], "").await,
        ["/cookie/token", "/header/Authorization"]
    );
    assert_eq!(
        wrong(Method::GET, "/notes", &[two_cookies], "").await,
        ["/cookie/token", "/cookie/token"]
    );
    assert_eq!(
        wrong(
            Method::POST,
            "/status",
            &[JSON, KEY],
            r#"{"token":"other"}"#
        )
        .await,
        ["/body/token", "/header/Authorization"]
    );
}

#[tokio::test]
async fn a_missing_or_worthless_credential_is_told_by_the_documented_status() {
    for headers in [
        [JSON, JSON],
        [JSON, ("authorization", "Basic a2V5")],
        [JSON, ("authorization", "Bearer ")],
        [JSON, ("authorization", "Bearer k\"y")],
        [JSON, ("cookie", "token=")],
        [JSON, ("cookie", "token=%zz")],
        [JSON, ("cookie", "other=key")],
        [JSON, ("authorization", "Bearer unknown")],
    ] {
        let response = send(Method::GET, "/notes", &headers, "").await;
        let challenge = response.header(header::WWW_AUTHENTICATE);
        assert_eq!(
            challenge,
            Some("Bearer"),
            "a 401 has a challenge: {headers:?}"
        );
        let (status, problem) = json_of(response).await;
        assert_eq!(status, 401, "{headers:?}");
        assert_eq!(problem["code"], "not_logged_in");
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    for (headers, status) in [([JSON, KEY], 200), ([JSON, JSON], 401)] {
        let get = send(Method::GET, "/notes", &headers, "").await;
        let head = send(Method::HEAD, "/notes", &headers, "").await;
        assert_eq!(
            (get.status().as_u16(), head.status().as_u16()),
            (status, status)
        );
        assert_eq!(head.content_type(), get.content_type());
    }
    let no_get = send(Method::HEAD, "/status", &[KEY], "").await;
    assert_eq!(no_get.status(), 405);
    assert_eq!(no_get.header(header::ALLOW), Some("POST"));
}

#[tokio::test]
async fn very_many_failures_are_counted_and_not_all_listed() {
    let long = "x".repeat(300);
    let members: String = (0..60).map(|n| format!("&{n}=1")).collect();
    let escaped: String = (0..60).map(|n| format!("&%00%00{n}=1")).collect();
    let body = format!("mood=good{members}{escaped}");
    let query = format!("/status?{long}=1");
    let response = send(Method::POST, &query, &[FORM], &body).await;
    let (status, problem) = json_of(response).await;
    assert_eq!(status, 400, "{problem}");
    let errors = problem["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 100);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("lists 100 of 12"), "{detail}");
    assert!(detail.contains("leaves out 2"), "{detail}");
    let pointers = wrong(Method::POST, &query, &[FORM], "mood=good").await;
    let pointer = &pointers[pointers.len() - 1];
    assert!(pointer.len() < 120 && pointer.ends_with('…'), "{pointer}");
    let twice = format!("{long}=1&{long}=2");
    let (_, problem) = json_of(send(Method::POST, "/status", &[FORM], &twice).await).await;
    assert!(problem.to_string().len() < 500, "{problem}");
    let twice = format!(r#"{{"{long}":1,"{long}":2}}"#);
    let (_, problem) = json_of(send(Method::POST, "/status", &[JSON], &twice).await).await;
    assert!(problem.to_string().len() < 500, "{problem}");
}

#[tokio::test]
async fn a_response_has_its_headers_and_a_panic_is_a_problem() {
    let note = r#"{"type":"plain","text":"","due":null,"weight":1}"#;
    let response = send(Method::PUT, "/folders/a/notes/429", &[JSON, KEY], note).await;
    assert_eq!(response.header(header::RETRY_AFTER), Some("7"));
    assert_eq!(response.content_type(), Some("application/problem+json"));
    let (status, problem) = json_of(response).await;
    assert_eq!(status, 429);
    assert_eq!(
        problem,
        json!({
            "type": "about:blank", "title": "Too Many Requests", "status": 429,
            "detail": "later", "code": "too_many",
        })
    );
    let (status, problem) =
        json_of(send(Method::PUT, "/folders/a/notes/500", &[JSON, KEY], note).await).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &json!("internal_error"))
    );
}

/// Lockstep demands these codes of a document, since the runtime answers them.
#[tokio::test]
async fn the_codes_of_the_runtime_are_those_that_lockstep_demands() {
    let rejection = Rejection::invalid(vec![InvalidMember {
        pointer: "/body".to_owned(),
        detail: "is wrong".to_owned(),
    }]);
    let (_, problem) = json_of(rejection.into_response()).await;
    assert_eq!(
        problem["errors"],
        json!([{ "pointer": "/body", "detail": "is wrong" }])
    );
    let text = include_str!("../../tests/golden/notes.yaml");
    for code in code::ALL {
        let lacking = text.replace(&format!("{code}, "), "");
        let options = Options {
            answers: Answers::Documented,
            ..Options::default()
        };
        let diagnostics = openapi_lockstep::read_with("notes.yaml", &lacking, &options).err();
        let diagnostics = diagnostics.unwrap_or_else(|| panic!("{code} may be missing"));
        assert!(diagnostics[0].reason.contains(code), "{diagnostics:?}");
    }
}

/// The status that the check alone answers to a request, with `from` in `notes.yaml` replaced by `to`.
async fn checked(from: &str, to: &str, request: Request) -> StatusCode {
    let text = include_str!("../../tests/golden/notes.yaml");
    assert!(text.contains(from), "notes.yaml lacks {from:?}");
    let document = openapi_lockstep::read("notes.yaml", &text.replace(from, to));
    let document = document.unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}"));
    let contract = Contract::new(&document.contract(), 1000).unwrap();
    let guarded = contract.guard(make_sync(|_| ()));
    guarded.get_response(request).await.status()
}

#[tokio::test]
async fn a_path_is_reached_as_a_url_writes_it() {
    for (path, uri) in [
        ("/my notes", "/my%20notes"),
        ("/\u{e9}t\u{e9}", "/%C3%A9t%C3%A9"),
        ("/a^b", "/a%5Eb"),
        ("/a%20b", "/a%20b"),
    ] {
        let request = Request::builder().uri_str(uri).header(KEY.0, KEY.1);
        let status = checked("  /notes:", &format!("  {path}:"), request.finish()).await;
        assert_eq!(status, StatusCode::OK, "{path:?} as {uri}");
    }
}

/// Only the document says that a member of a body carries a key, whatever it is called.
#[tokio::test]
async fn a_member_with_the_name_of_the_cookie_is_no_key_by_itself() {
    let marked = "token: { type: string, x-body-member: true }";
    let request = || {
        let request = Request::builder().method(Method::POST).uri_str("/status");
        let request = request.header(KEY.0, KEY.1).content_type(JSON.1);
        request.body(r#"{"token":"other"}"#)
    };
    let status = checked(marked, marked, request()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "two keys differ");
    let status = checked(marked, "token: { type: string }", request()).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_reply_may_have_no_body() {
    for (method, status) in [
        (Method::PUT, StatusCode::ACCEPTED),
        (Method::DELETE, StatusCode::NO_CONTENT),
    ] {
        let request = Request::builder()
            .method(method.clone())
            .uri_str("/ping")
            .finish();
        let response = served_ping().get_response(request).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.header("content-type"), None, "{method}");
        let pings = response.header("pings").map(str::to_owned);
        assert_eq!(pings.as_deref(), (method == Method::DELETE).then_some("3"));
        let body = response.into_body().into_vec().await.unwrap();
        assert!(body.is_empty(), "{method}: {body:?}");
    }
}
