//! Connections that stall, and the end of the service.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    conformance::{ORACLE, check_raw},
    harness::{Service, ok},
};

/// A request that is not sent to its end.
struct Half {
    stream: TcpStream,
    sent: String,
}

async fn send(service: &Service, sent: impl Into<String>) -> Half {
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    let sent = sent.into();
    stream.write_all(sent.as_bytes()).await.unwrap();
    Half { stream, sent }
}

impl Half {
    /// What it is answered, which has to be documented, and after how long.
    async fn answer(mut self) -> (String, Duration) {
        let begin = Instant::now();
        let mut answer = String::new();
        // A connection that is cut has answered what it has.
        let _ = self.stream.read_to_string(&mut answer).await;
        if self.sent.contains("\r\n\r\n") {
            check_raw(&self.sent, None, answer.as_bytes()).unwrap();
        }
        (answer, begin.elapsed())
    }
}

/// One test, since it takes half a minute: while the slow ones wait, others are served.
#[tokio::test]
async fn a_client_that_stalls_is_given_up_and_holds_up_nobody() {
    let service = Service::start().await;
    let mut unread = tokio::task::JoinSet::new();
    for _ in 0..5 {
        unread.spawn(asks_and_reads_nothing(service.address()));
    }
    let mut half_heads = tokio::task::JoinSet::new();
    let mut half_bodies = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let half = send(&service, "GET /api/1/user HTTP/1.1\r\nhost: a\r\nx: ").await;
        half_heads.spawn(half.answer());
        for line in operations() {
            let headers = "host: a\r\ncontent-type: application/json\r\ncontent-length: 30";
            let half = format!("{line} HTTP/1.1\r\n{headers}\r\n\r\n{{\"email\":");
            half_bodies.spawn(send(&service, half).await.answer());
        }
    }
    ok(service.post("/api/1/logout").json(&json!({}))).await;
    for (answer, waited) in half_heads.join_all().await {
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
        assert!(
            waited < Duration::from_secs(15),
            "closed only after {waited:?}"
        );
    }
    for (answer, waited) in half_bodies.join_all().await {
        assert!(
            answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
            "{answer}"
        );
        assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
        assert!(
            waited < Duration::from_secs(36),
            "answered only after {waited:?}"
        );
    }
    assert_eq!(service.rows("session").await, 0);
    for (ended, waited) in unread.join_all().await {
        assert!(ended, "an answer that nobody reads is given up");
        assert!(
            waited < Duration::from_secs(50),
            "given up only after {waited:?}"
        );
    }
}

/// The method and a path of every operation.
fn operations() -> Vec<String> {
    let paths = ORACLE.document()["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let path = path.replace("{app_id}", "1");
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

/// Asks for more than the system keeps for a client, and reads none of it. Says whether the service
/// gave it up, and when.
async fn asks_and_reads_nothing(address: std::net::SocketAddr) -> (bool, Duration) {
    let begin = Instant::now();
    let stream = TcpStream::connect(address).await.unwrap();
    let (_unread, mut write) = stream.into_split();
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: a\r\n\r\n";
    for _ in 0..60 {
        // The service reads the next request only once the last is answered.
        if write
            .write_all(request.repeat(20).as_bytes())
            .await
            .is_err()
        {
            return (true, begin.elapsed());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    (false, begin.elapsed())
}

#[tokio::test]
async fn a_request_under_way_is_finished_when_the_service_stops() {
    let service = Service::start().await;
    let address = service.address();
    let mut half = send(
        &service,
        "POST /api/1/logout HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
         content-length: 2\r\n\r\n{",
    )
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let stopping = tokio::spawn(service.stop());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!stopping.is_finished(), "it waits for the request");
    assert!(
        TcpStream::connect(address).await.is_err(),
        "it accepts no more"
    );
    half.stream.write_all(b"}").await.unwrap();
    let (answer, _) = half.answer().await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(r#"{"result":"logged_out"}"#), "{answer}");
    stopping.await.unwrap();
}
