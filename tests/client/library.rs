//! The client library against the real service.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use cortex_report_client::{
    CallError, Client, Error, Secret,
    types::{
        CreateApiKeyRequest, CreateAppRequest, CreateInvitationRequest, CreateOrgRequest,
        CreateTokenRequest, LogBundle, LoginRequest, ProblemCode, Role, TrackBundle,
        UpdateApiKeyRequest, UpdateAppRequest, UpdateMemberRequest, UpdateOrgRequest,
    },
};
use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{
    Service,
    conformance::ORACLE,
    link_path,
    proxy::{Proxy, Sent, Then, answer, json},
};

/// Calls each operation with arguments that are as documented. The names are methods, which the
/// compiler checks.
macro_rules! operations {
    ($($name:ident $arguments:tt)*) => {
        const OPERATIONS: &[&str] = &[$(stringify!($name)),*];

        async fn call(client: &Client, operation: &str) -> Result<(), CallError> {
            match operation {
                $(stringify!($name) => call!(client $name $arguments).send().await.map(drop),)*
                other => panic!("{other} is no method of the client: add it to operations!"),
            }
        }
    };
}

macro_rules! call {
    ($client:ident $name:ident { $($argument:ident: $value:expr),* }) => {
        $client.$name()$(.$argument($value))*
    };
}

operations! {
    login { body: LoginRequest { email: "ann@example.com".to_owned() } }
    logout {}
    get_user {}
    list_apps { org_id: 1 }
    create_app { body: CreateAppRequest { org_id: 1, app_name: "app".to_owned() } }
    get_app { app_id: 1 }
    update_app { app_id: 1, body: UpdateAppRequest { app_name: "app".to_owned() } }
    delete_app { app_id: 1 }
    list_api_keys { app_id: 1 }
    create_api_key { app_id: 1, body: CreateApiKeyRequest { label: None, ends_at: None } }
    update_api_key {
        app_id: 1,
        api_key_id: 1,
        body: UpdateApiKeyRequest { label: None, ends_at: None }
    }
    revoke_api_key { app_id: 1, api_key_id: 1 }
    create_org { body: CreateOrgRequest { org_name: "org".to_owned(), short_name: None } }
    get_org { org_id: 1 }
    update_org {
        org_id: 1,
        body: UpdateOrgRequest { org_name: "org".to_owned(), short_name: None }
    }
    delete_org { org_id: 1, org_name: "org" }
    list_audit { org_id: 1 }
    list_members { org_id: 1 }
    update_member { org_id: 1, user_id: 1, body: UpdateMemberRequest { role: Role::Viewer } }
    remove_member { org_id: 1, user_id: 1 }
    list_invitations { org_id: 1 }
    create_invitation {
        org_id: 1,
        body: CreateInvitationRequest { email: "bob@example.com".to_owned(), role: Role::Viewer }
    }
    revoke_invitation { org_id: 1, invitation_id: 1 }
    list_tokens { org_id: 1 }
    create_token {
        org_id: 1,
        body: CreateTokenRequest { label: "token".to_owned(), role: Role::Viewer, ends_at: None }
    }
    revoke_token { org_id: 1, token_id: 1 }
    list_sessions {}
    end_session { session_id: 1 }
    end_other_sessions {}
    track { org: "org", body: bundle::<TrackBundle>() }
    app_log { org: "org", body: bundle::<LogBundle>() }
}

/// A bundle of any kind with one event.
fn bundle<T: serde::de::DeserializeOwned>() -> T {
    let bundle = json!({ "api_key": "key", "device_tag": "d", "events": [{ "type": "event" }] });
    serde_json::from_value(bundle).unwrap()
}

/// Each operation of the document by the name of its method, with its error statuses.
fn documented() -> Vec<(String, Vec<u16>)> {
    let paths = ORACLE.document()["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|item| item.as_object().unwrap().values());
    operations
        .map(|operation| {
            let mut name = String::new();
            for letter in operation["operationId"].as_str().unwrap().chars() {
                if letter.is_uppercase() {
                    name.push('_');
                }
                name.extend(letter.to_lowercase());
            }
            let statuses = operation["responses"].as_object().unwrap().keys();
            let statuses = statuses.map(|status| status.parse().unwrap());
            (name, statuses.filter(|status| *status >= 400).collect())
        })
        .collect()
}

/// Time limit of a login whose verification is already under way.
const TIMEOUT: Duration = Duration::from_secs(20);

fn client(url: &str) -> Client {
    Client::builder(url)
        .retries(0)
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap()
}

#[test]
fn every_operation_of_the_document_is_a_method() {
    let documented: BTreeSet<String> = documented().into_iter().map(|(name, _)| name).collect();
    let methods: BTreeSet<String> = OPERATIONS.iter().map(ToString::to_string).collect();
    assert_eq!(methods, documented);
}

#[tokio::test]
async fn every_documented_error_arrives_as_a_typed_error() {
    let mut by_status = BTreeMap::<u16, Vec<String>>::new();
    // What becomes of events is told in tests of their own.
    let others = documented().into_iter();
    let others = others.filter(|(name, _)| !["track", "app_log"].contains(&name.as_str()));
    for (operation, statuses) in others {
        assert!(!statuses.is_empty(), "{operation} documents no error");
        for status in statuses {
            by_status.entry(status).or_default().push(operation.clone());
        }
    }
    // That takes as long as all others, which go one after the other, so that none has to wait for
    // the processor for longer than a service waits for its database.
    let late = tokio::spawn(provoke(by_status.remove(&408).unwrap(), 408));
    let mut provoked = Vec::new();
    for (status, operations) in by_status {
        provoked.extend(provoke(operations, status).await);
    }
    provoked.extend(late.await.unwrap());
    let mut wrong = Vec::new();
    for (operation, status, error) in provoked {
        let code = match status {
            400 => ProblemCode::InvalidRequest,
            403 if matches!(operation.as_str(), "login" | "logout") => ProblemCode::CrossSite,
            403 => ProblemCode::NotLoggedIn,
            408 => ProblemCode::RequestTimeout,
            409 => ProblemCode::NameTaken,
            413 => ProblemCode::PayloadTooLarge,
            415 => ProblemCode::UnsupportedMediaType,
            429 => ProblemCode::TooManyRequests,
            500 => ProblemCode::InternalError,
            503 => ProblemCode::Unavailable,
            other => panic!("{other} is documented: say here which code it has"),
        };
        match error {
            Some(CallError::ErrorResponse(response))
                if response.status() == status
                    && response.code == code
                    && i32::from(status) == response.status => {}
            other => wrong.push(format!("{operation} {status}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lets operations of the real service fail with a status. Where the client itself sends nothing
/// that is answered so, what it sends is changed on the way.
async fn provoke(operations: Vec<String>, status: u16) -> Vec<(String, u16, Option<CallError>)> {
    let service = Service::start_with(|settings| {
        if status == 429 {
            settings.mail_limits.total = "1/1h".parse().unwrap();
        }
    })
    .await;
    // Nobody is logged in, or nobody has used the key, so that it has to be looked up.
    let key = match status {
        403 => service.start_login("ann@example.com").await.session_key,
        _ => service.log_in("ann@example.com").await,
    };
    let address = service.address();
    let _failure = match status {
        500 => {
            service.outbox_is_empty().await;
            service.database.drop_table("session").await;
            None
        }
        503 => {
            service.outbox_is_empty().await;
            Some(service.database.fail().await)
        }
        _ => None,
    };
    let calls = operations.into_iter().map(async |operation| {
        let is_logout = operation == "logout";
        let proxy = Proxy::start(move |sent| {
            tamper(sent, status, is_logout);
            Then::Forward(address)
        })
        .await;
        let key = (operation != "login").then(|| Secret::from(key.clone()));
        let client = client(&proxy.url()).with_session_key(key);
        let error = match (status, operation.as_str()) {
            (409, _) => name_taken(&client, &operation).await,
            // Each limit has one left: that of invitations, and that of clients that are known.
            (429, _) => {
                call(&client, &operation).await.unwrap();
                call(&client, &operation).await.err()
            }
            _ => call(&client, &operation).await.err(),
        };
        (operation, status, error)
    });
    join_all(calls).await
}

/// Lets an operation fail since a name is taken.
async fn name_taken(client: &Client, operation: &str) -> Option<CallError> {
    let name = |name: &str| CreateAppRequest {
        org_id: 1,
        app_name: name.to_owned(),
    };
    // Each operation does it once more, and to no avail.
    for name in [name("first"), name("app")] {
        let _ = client.create_app().body(name).send().await;
    }
    if operation != "list_apps" {
        return call(client, operation).await.err();
    }
    // The one operation whose error needs an argument that it better does without.
    #[expect(deprecated)]
    let call = client.list_apps().org_id(1).app_name("app").send();
    call.await.err()
}

fn tamper(sent: &mut Sent, status: u16, is_logout: bool) {
    match status {
        400 => {
            let query = if sent.line().contains('?') { "&" } else { "?" };
            sent.head = sent
                .head
                .replacen(" HTTP/1.1", &format!("{query}nonsense=1 HTTP/1.1"), 1);
        }
        403 => {
            sent.set_header("sec-fetch-site", "cross-site");
            if is_logout {
                let bearer = sent.header("authorization").unwrap();
                let key = bearer.trim_start_matches("Bearer ").to_owned();
                sent.remove_header("authorization");
                sent.set_header("cookie", &format!("session_key={key}"));
            }
        }
        // The rest of the body never comes.
        408 => {
            sent.set_header("content-type", "application/json");
            sent.set_header("content-length", "1000");
        }
        413 => {
            sent.set_header("content-type", "application/json");
            sent.body.extend([b' '; 70_000]);
            sent.set_header("content-length", &sent.body.len().to_string());
        }
        415 => {
            sent.set_header("content-type", "text/csv");
            sent.set_header("content-length", &(sent.body.len() + 2).to_string());
            sent.body.extend(b"{}");
        }
        _ => {}
    }
}

#[tokio::test]
async fn an_error_says_what_is_wrong_and_how_long_to_wait() {
    let service = Service::start_with(|settings| {
        settings.mail_limits.total = "1/10m".parse().unwrap();
    })
    .await;
    let proxy = Proxy::checking(service.address()).await;
    let client = client(&proxy.url());
    client.start_login("ann@example.com").await.unwrap();
    let error = client.start_login("ann@example.com").await.unwrap_err();
    assert_eq!(error.code(), Some(ProblemCode::TooManyRequests));
    assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
    let Error::Refused { retry_after, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(600)));

    let error = client.start_login("nobody").await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("/body/email"), "{said}");
}

#[tokio::test]
async fn a_login_waits_for_the_person_and_carries_its_key() {
    let service = Service::start().await;
    let proxy = Proxy::checking(service.address()).await;
    let client = client(&proxy.url());
    let login = client.start_login("ann@example.com").await.unwrap();
    let key = login.session_key().unwrap().reveal().to_owned();

    for limit in [Duration::ZERO, Duration::from_millis(300)] {
        let pending = login.wait(limit).await;
        assert!(matches!(pending, Err(Error::NotVerified)), "{pending:?}");
    }

    // A wait that is given up half-way takes nothing away from the next one.
    let cut = tokio::time::timeout(Duration::from_millis(300), login.wait(TIMEOUT)).await;
    assert!(cut.is_err(), "{cut:?}");

    let waiting = tokio::spawn({
        let login = login.clone();
        // As long as the login lives, and no longer.
        async move { login.wait(Duration::MAX).await }
    });
    let path = link_path(&service.mail_after(0).await);
    let form = [("manual_code", login.manual_code())];
    let page = service.post(&path).form(&form).send().await.unwrap();
    assert_eq!(page.status(), 303);
    let (client, user) = waiting.await.unwrap().unwrap();
    assert_eq!(user.email, "ann@example.com");
    assert_eq!(client.session_key().unwrap().reveal(), key);

    let org_id = user.org_list[0].org_id;
    let request = CreateAppRequest {
        org_id,
        app_name: "app".to_owned(),
    };
    let created = client.create_app().body(request).send().await.unwrap();
    let apps = client.list_apps().org_id(org_id).send().await.unwrap();
    assert_eq!(apps.app_list[0].app_id, created.app_id);
    client
        .delete_app()
        .app_id(created.app_id)
        .send()
        .await
        .unwrap();
    client.logout().send().await.unwrap();
    let error = Error::from(client.get_user().send().await.unwrap_err());
    assert_eq!(error.code(), Some(ProblemCode::NotLoggedIn));
}

#[tokio::test]
async fn a_wait_outlives_a_service_that_is_away_for_a_while() {
    let service = Service::start().await;
    let address = service.address();
    let looks = AtomicUsize::new(0);
    let proxy = Proxy::start(move |sent| {
        if sent.line() == "POST /api/1/login" {
            return Then::Forward(address);
        }
        match looks.fetch_add(1, Ordering::SeqCst) {
            0 => Then::Answer(String::new()),
            1 => answer("502 Bad Gateway", "", "<html>"),
            2 => answer(
                "503 Service Unavailable",
                "content-type: text/html\r\n",
                "<html>",
            ),
            3 => answer("429 Too Many Requests", "retry-after: 0\r\n", "<html>"),
            _ => Then::Forward(address),
        }
    })
    .await;
    let client = client(&proxy.url());
    let login = client.start_login("ann@example.com").await.unwrap();
    let path = link_path(&service.mail_after(0).await);
    let form = [("manual_code", login.manual_code())];
    service.post(&path).form(&form).send().await.unwrap();
    let (_, user) = login.wait(TIMEOUT).await.unwrap();
    assert_eq!(user.email, "ann@example.com");
}

#[tokio::test]
async fn a_wait_for_a_service_that_stays_away_says_so() {
    let service = Service::start().await;
    let address = service.address();
    let proxy = Proxy::start(move |sent| match sent.line() {
        "POST /api/1/login" => Then::Forward(address),
        _ => Then::Answer(String::new()),
    })
    .await;
    let login = client(&proxy.url()).start_login("ann@example.com").await;
    let error = login.unwrap().wait(Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_wait_ends_with_an_error_that_waiting_does_not_mend() {
    let service = Service::start().await;
    let address = service.address();
    let proxy = Proxy::start(move |sent| match sent.line() {
        "POST /api/1/login" => Then::Forward(address),
        _ => json("200 OK", "{}"),
    })
    .await;
    let login = client(&proxy.url()).start_login("ann@example.com").await;
    let error = login.unwrap().wait(TIMEOUT).await.unwrap_err();
    assert!(matches!(error, Error::Unexpected { .. }), "{error:?}");
}

/// Calls an operation of a service that treats every request alike. Returns how often it was sent,
/// and its error.
async fn sent(operation: &str, then: fn() -> Then) -> (usize, Error) {
    let proxy = Proxy::start(move |_| then()).await;
    let client = Client::builder(&proxy.url())
        .jitter(|| 0.0)
        .build()
        .unwrap();
    let error = call(&client, operation).await.unwrap_err();
    (proxy.requests(), error.into())
}

#[tokio::test]
async fn only_what_may_be_repeated_is_repeated() {
    const LOST: fn() -> Then = || Then::Answer(String::new());
    const UNAVAILABLE: fn() -> Then = || answer("503 Service Unavailable", "", "");
    const TOO_MANY: fn() -> Then = || answer("429 Too Many Requests", "retry-after: 0\r\n", "");
    const FAILED: fn() -> Then = || answer("500 Internal Server Error", "", "");
    for operation in OPERATIONS {
        let only_reads = ["get_", "list_"]
            .iter()
            .any(|verb| operation.starts_with(verb));
        let is_safe = only_reads || *operation == "logout";
        let expected = if is_safe { 3 } else { 1 };
        assert_eq!(sent(operation, LOST).await.0, expected, "{operation} lost");
        assert_eq!(
            sent(operation, UNAVAILABLE).await.0,
            expected,
            "{operation} 503"
        );
        assert_eq!(sent(operation, TOO_MANY).await.0, 3, "{operation} 429");
        assert_eq!(sent(operation, FAILED).await.0, 1, "{operation} 500");
    }
    let proxy = Proxy::start(|_| LOST()).await;
    let client = Client::builder(&proxy.url()).build().unwrap();
    #[expect(deprecated)]
    let creating = client.list_apps().org_id(1).app_name("app").send().await;
    assert!(creating.is_err());
    assert_eq!(proxy.requests(), 1, "it creates, so it is not repeated");
}

#[tokio::test]
async fn a_call_waits_as_long_as_it_is_told_to_or_fails_at_once() {
    let begin = Instant::now();
    let soon = || answer("429 Too Many Requests", "retry-after: 1\r\n", "");
    assert_eq!(sent("login", soon).await.0, 3);
    assert!(
        begin.elapsed() >= Duration::from_secs(2),
        "two pauses of 1 s"
    );

    let begin = Instant::now();
    let late = || answer("503 Service Unavailable", "retry-after: 3600\r\n", "");
    assert_eq!(sent("get_user", late).await.0, 1);
    let never = || {
        let header = format!("retry-after: {}\r\n", u64::MAX);
        answer("503 Service Unavailable", &header, "")
    };
    assert_eq!(sent("get_user", never).await.0, 1);
    let date = || {
        answer(
            "503 Service Unavailable",
            "retry-after: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
            "",
        )
    };
    assert_eq!(
        sent("get_user", date).await.0,
        1,
        "nobody knows how long that is"
    );
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_time_out_is_told_apart_and_not_repeated() {
    let proxy = Proxy::start(|_| Then::Stall).await;
    let client = Client::builder(&proxy.url())
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let error = Error::from(client.get_user().send().await.unwrap_err());
    assert!(matches!(error, Error::TimedOut(_)), "{error:?}");
    assert_eq!(proxy.requests(), 1);
}

#[tokio::test]
async fn an_answer_that_is_not_documented_is_unexpected() {
    for (then, reason) in [
        (
            (|| answer("200 OK", "", "<html>")) as fn() -> Then,
            "200 OK",
        ),
        (
            || answer("200 OK", "content-type: text/html\r\n", "{}"),
            "text/html",
        ),
        (|| json("200 OK", "<html>"), "body"),
        (|| json("200 OK", "{}"), "missing field"),
        (|| json("404 Not Found", "{}"), "404"),
        (|| json("403 Forbidden", "<html>"), "body"),
        (
            || answer("403 Forbidden", "content-type: text/html\r\n", "<html>"),
            "text/html",
        ),
        (
            || answer("301 Moved", "location: https://elsewhere.example/\r\n", ""),
            "https://elsewhere.example/",
        ),
    ] {
        let (_, error) = sent("get_user", then).await;
        assert!(matches!(error, Error::Unexpected { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    for then in [
        (|| Then::Answer("220 mail.example.com ESMTP\r\n".to_owned())) as fn() -> Then,
        || {
            Then::Answer(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{"
                    .to_owned(),
            )
        },
    ] {
        let (_, error) = sent("get_user", then).await;
        assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    }
}

#[tokio::test]
async fn the_key_goes_with_every_call_and_is_never_shown() {
    let key = "4ZQ3mX0u7dT1rN8kVb6sYpWc2fHgJ9LaEoUiKtRqMzA";
    let proxy = Proxy::start(|sent| {
        let bearer = sent.header("authorization").unwrap_or_default().to_owned();
        let cookie = format!("set-cookie: session_key={bearer}\r\n");
        answer("418 Teapot", &cookie, &bearer)
    })
    .await;
    let client = Client::builder(&proxy.url()).session_key(key).build();
    let client = client.unwrap();
    for operation in OPERATIONS {
        let error = call(&client, operation).await.unwrap_err();
        let CallError::UnexpectedResponse(response) = &error else {
            panic!("{error:?}");
        };
        let echoed = response.headers()["set-cookie"].to_str().unwrap();
        assert_eq!(echoed, format!("session_key=Bearer {key}"), "{operation}");
        let shown = format!("{error:?} {error} {:?} {client:?}", client.login());
        assert!(!shown.contains(key), "{operation}: {shown}");
    }

    // A key in a reply that cannot be read.
    let reply = format!(r#"{{"result":"else","session_key":"{key}","manual_code":"x"}}"#);
    let proxy = Proxy::start(move |_| json("200 OK", &reply)).await;
    let other = Client::builder(&proxy.url()).build().unwrap();
    let error = call(&other, "login").await.unwrap_err();
    assert!(
        matches!(error, CallError::InvalidResponsePayload(..)),
        "{error}"
    );
    let shown = format!("{error:?} {error}");
    assert!(!shown.contains(key), "{shown}");

    let service = Service::start().await;
    let proxy = Proxy::checking(service.address()).await;
    let login = Client::builder(&proxy.url()).build().unwrap();
    let login = login.start_login("ann@example.com").await.unwrap();
    let key = login.session_key().unwrap().reveal();
    assert!(!format!("{login:?}").contains(key));
}

#[tokio::test]
async fn a_wait_ends_as_soon_as_wrong_codes_have_invalidated_the_login() {
    let service = Service::start().await;
    let proxy = Proxy::checking(service.address()).await;
    let login = client(&proxy.url()).start_login("ann@example.com").await;
    let login = login.unwrap();
    let path = link_path(&service.mail_after(0).await);
    for _ in 0..4 {
        let form = service.post(&path).form(&[("manual_code", "BBBB-BBBB")]);
        form.send().await.unwrap();
    }
    let pending = login.wait(Duration::ZERO).await;
    assert!(matches!(pending, Err(Error::NotVerified)), "{pending:?}");
    let form = service.post(&path).form(&[("manual_code", "BBBB-BBBB")]);
    form.send().await.unwrap();
    let ended = login.wait(TIMEOUT).await;
    assert!(matches!(ended, Err(Error::Invalidated)), "{ended:?}");
}

#[tokio::test]
async fn a_key_that_cannot_be_sent_is_said_to_be_the_reason() {
    let client = client("http://127.0.0.1:1").with_session_key(Some(Secret::from("one\ntwo")));
    let error = Error::from(client.get_user().send().await.unwrap_err());
    assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
    let said = format!("{error} {error:?}");
    assert!(said.contains("the session_key has characters"), "{said}");
    assert!(!said.contains("two"), "{said}");
}

#[test]
fn a_url_that_is_none_is_refused_before_anything_is_sent() {
    for url in [
        "",
        "report.example.com",
        "ftp://report.example.com",
        "https://ann:secret@report.example.com",
        "https://report.example.com/?a=b",
        "https://report.example.com/#a",
    ] {
        let error = Client::builder(url).build().unwrap_err();
        assert!(matches!(error, Error::InvalidUrl(_)), "{url}: {error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
}
