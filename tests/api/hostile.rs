//! Input that means no good: a clear 4xx, never a 5xx, and nothing of it stays.

use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Service, conformance::check_raw, ok};

#[tokio::test]
async fn hostile_json_is_400_and_leaves_nothing() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let before = service.dump().await;
    let deep_lists = format!(
        r#"{{"org_id":{}1{}}}"#,
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let deep_objects = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    let long = format!(r#"{{"org_id":1,"app_name":"{}"}}"#, "x".repeat(60_000));
    let many = format!(
        "{{{}\"z\":1}}",
        (0..5000)
            .map(|n| format!("\"a{n}\":1,"))
            .collect::<String>()
    );
    let bodies: Vec<&[u8]> = vec![
        b"null",
        b"[]",
        b"\"\"",
        b"1",
        b"{",
        b"{}{}",
        b"{'org_id':1}",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{\"org_id\":1,\"app_name\":\"a\"}",
        b"{\"org_id\":1,\"app_name\":\"\xff\"}",
        b"{\"org_id\":1,\"app_name\":\"\xed\xa0\x80\"}",
        br#"{"org_id":1,"app_name":"\ud800"}"#,
        br#"{"org_id":1,"app_name":"\u0000"}"#,
        br#"{"org_id":1,"app_name":"a","app_name":"b"}"#,
        br#"{"org_id":1,"app_name":"a","org_id":2}"#,
        br#"{"org_id":1,"app_name":"a","more":null}"#,
        br#"{"org_id":1,"app_name":"a","__proto__":{}}"#,
        br#"{"org_id":null,"app_name":"a"}"#,
        br#"{"org_id":1,"app_name":null}"#,
        br#"{"org_id":true,"app_name":"a"}"#,
        br#"{"org_id":1.5,"app_name":"a"}"#,
        br#"{"org_id":0,"app_name":"a"}"#,
        br#"{"org_id":-1,"app_name":"a"}"#,
        br#"{"org_id":9223372036854775808,"app_name":"a"}"#,
        br#"{"org_id":1e400,"app_name":"a"}"#,
        br#"{"org_id":1e30,"app_name":"a"}"#,
        br#"{"org_id":"1 ","app_name":"a"}"#,
        br#"{"org_id":"0x1","app_name":"a"}"#,
        br#"{"org_id":[1],"app_name":"a"}"#,
        br#"{"org_id":1,"app_name":["a"]}"#,
        br#"{"org_id":1,"app_name":{"$ne":""}}"#,
        br#"{"org_id":1,"app_name":1}"#,
        br#"{"org_id":1,"app_name":"a","session_key":""}"#,
        br#"{"org_id":NaN,"app_name":"a"}"#,
        deep_lists.as_bytes(),
        deep_objects.as_bytes(),
        long.as_bytes(),
        many.as_bytes(),
    ];
    for body in bodies {
        for path in ["/api/1/app", "/api/1/login", "/api/1/logout"] {
            let request = service
                .post(path)
                .bearer_auth(&key)
                .header("content-type", "application/json")
                .body(body.to_owned());
            let response = request.send().await.unwrap();
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]);
            assert_eq!(response.status(), 400, "{path} {shown}");
            let problem = response.text().await.unwrap();
            assert!(!problem.contains("panic"), "{problem}");
        }
    }
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn hostile_forms_and_queries_are_400_and_leave_nothing() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let before = service.dump().await;
    for pairs in [
        "org_id=1&app_name=a&app_name=b",
        "org_id=1&org_id=1&app_name=a",
        "org_id=1&app_name=a&more=1",
        "org_id=&app_name=a",
        "org_id=-1&app_name=a",
        "org_id=01&app_name=a",
        "org_id=%2B1&app_name=a",
        "org_id=1e1&app_name=a",
        "org_id=9223372036854775808&app_name=a",
        "org_id=99999999999999999999999999&app_name=a",
        "org_id=1&app_name=",
        "org_id=1&app_name=%ff",
        "org_id=1&app_name=%00",
        "org_id=1&app_name=%ed%a0%80",
        "org_id[]=1&app_name[]=a",
        "org_id=1;app_name=a",
        "%00=1",
        "=",
    ] {
        let form = service
            .post("/api/1/app")
            .bearer_auth(&key)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(pairs);
        assert_eq!(form.send().await.unwrap().status(), 400, "form {pairs}");
        let query = service
            .get(&format!("/api/1/app?{pairs}"))
            .bearer_auth(&key);
        assert_eq!(query.send().await.unwrap().status(), 400, "query {pairs}");
    }
    for id in [
        "0",
        "-1",
        "01",
        "1.0",
        "a",
        "%00",
        "%ff",
        "%20",
        "9223372036854775808",
        "1%2F2",
    ] {
        let delete = service.request(Method::DELETE, &format!("/api/1/app/{id}"));
        assert_eq!(
            delete.bearer_auth(&key).send().await.unwrap().status(),
            400,
            "{id}"
        );
    }
    assert_eq!(service.dump().await, before);
}

#[tokio::test]
async fn hostile_credentials_are_403_and_leave_nothing() {
    let service = Service::start().await;
    let before = service.dump().await;
    let long = "a".repeat(20_000);
    for value in [
        "",
        " ",
        "'",
        "\"",
        "a b",
        "%00",
        "../../x",
        "{}",
        "a,b",
        "ü",
        long.as_str(),
    ] {
        for (name, value) in [
            ("authorization", format!("Bearer {value}")),
            ("authorization", value.to_owned()),
            ("cookie", format!("session_key={value}")),
            ("cookie", value.to_owned()),
        ] {
            let request = service.get("/api/1/user").header(name, value.as_bytes());
            let status = request.send().await.unwrap().status();
            assert_eq!(status, 403, "{name}: {}", &value[..value.len().min(40)]);
        }
    }
    assert_eq!(service.dump().await, before);
}

/// Bytes that no HTTP client sends. The service closes the connection, answers 4xx or redirects
/// with 303, and keeps serving.
#[tokio::test]
async fn bytes_that_are_no_http_do_no_harm() {
    let service = Service::start().await;
    let many_headers: String = (0..200).map(|n| format!("x{n}: 1\r\n")).collect();
    let large_header = format!("x: {}\r\n", "x".repeat(100_000));
    let requests: Vec<Vec<u8>> = vec![
        b"\r\n\r\n\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET  /  HTTP/1.1\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"GET http://[::1 HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"POST /api/1/login HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n".to_vec(),
        b"POST /api/1/login HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na".to_vec(),
        b"POST /api/1/login HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(),
        b"POST /api/1/login HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        format!("GET / HTTP/1.1\r\nhost: a\r\n{many_headers}\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nhost: a\r\n{large_header}\r\n").into_bytes(),
        format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(100_000)).into_bytes(),
    ];
    for bytes in requests {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(50)]).into_owned();
        let mut stream = TcpStream::connect(service.address()).await.unwrap();
        // The service may close before it has read everything.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        // What hyper refuses by itself it answers without a body.
        if !body.is_empty() {
            let text = String::from_utf8_lossy(&bytes);
            let head = &text[..text.find("\r\n\r\n").unwrap() + 4];
            check_raw(head, None, answer.as_bytes()).unwrap();
        }
        let status = answer.split(' ').nth(1).unwrap_or("none");
        assert!(
            status == "none" || status.starts_with('4') || status == "303",
            "{shown:?} is answered with {status}"
        );
        ok(service.post("/api/1/logout").json(&json!({}))).await;
    }
}

/// Raw answer of the service to the raw bytes of a request.
async fn raw(service: &Service, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// RFC 9112, 3.2: two programs in a row that take a request for different hosts are a way into the
/// second one.
#[tokio::test]
async fn a_host_that_is_missing_or_ambiguous_is_400() {
    let service = Service::start().await;
    for head in [
        &b"GET /livez HTTP/1.1\r\n"[..],
        b"GET /livez HTTP/1.1\r\nhost: a\r\nhost: a\r\n",
        b"GET /livez HTTP/1.1\r\nhost: a\r\nHost: b\r\n",
        b"GET /livez HTTP/1.1\r\nhost:\r\n",
        b"GET /livez HTTP/1.1\r\nhost: \xff\r\n",
        b"GET /livez HTTP/1.1\r\nhost: a b\r\n",
        b"GET /livez HTTP/1.1\r\nhost: a, b\r\n",
        b"GET /livez HTTP/1.1\r\nhost: a/b\r\n",
        b"GET /livez HTTP/1.1\r\nhost: user@a\r\n",
        b"GET /livez HTTP/1.1\r\nhost: a:x\r\n",
        b"GET /livez HTTP/1.1\r\nhost: a:99999\r\n",
        b"GET /livez HTTP/1.1\r\nhost: [::1\r\n",
        b"GET /livez HTTP/1.1\r\nhost: http://a\r\n",
        b"GET /livez HTTP/1.0\r\nhost: a\r\nhost: a\r\n",
        b"GET /livez HTTP/1.0\r\nhost: a b\r\n",
        b"GET http://a/livez HTTP/1.1\r\n",
        b"GET http://user@a/livez HTTP/1.1\r\nhost: a\r\n",
        b"GET ftp://a/livez HTTP/1.1\r\nhost: a\r\n",
        b"GET /api/1/user HTTP/1.1\r\n",
        b"GET /nothing HTTP/1.1\r\n",
        b"POST /api/1/login HTTP/1.1\r\ncontent-length: 0\r\n",
    ] {
        let shown = String::from_utf8_lossy(head).into_owned();
        let answer = raw(&service, &[head, b"\r\n"].concat()).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n")
                || answer.starts_with("HTTP/1.0 400 Bad Request\r\n"),
            "{shown}: {answer}"
        );
        assert!(
            answer.contains("\"code\":\"invalid_request\""),
            "{shown}: {answer}"
        );
        assert!(answer.contains("x-request-id: "), "{shown}: {answer}");
    }
    for head in [
        &b"GET /livez HTTP/1.1\r\nhost: a\r\n"[..],
        b"GET /livez HTTP/1.1\r\nhost: my_service.example:8080\r\n",
        b"GET /livez HTTP/1.1\r\nhost: [::1]:80\r\n",
        b"GET /livez HTTP/1.0\r\n",
        b"GET /livez HTTP/1.0\r\nhost: a\r\n",
        // As it is sent to a proxy: RFC 9112, 3.2.2.
        b"GET http://a:80/livez HTTP/1.1\r\nhost: a:80\r\n",
        b"GET https://a/livez HTTP/1.1\r\nhost: b\r\n",
        b"GET http://a/livez HTTP/1.0\r\n",
    ] {
        let shown = String::from_utf8_lossy(head).into_owned();
        let answer = raw(&service, &[head, b"\r\n"].concat()).await;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "alive\n", "{shown}: {answer}");
    }
}
