//! Connections that stall, and the end of the service.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

use crate::harness::{
    Service,
    binary::{binary, serve},
    conformance::{ORACLE, check_raw},
    ok, say,
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
    /// Returns the answer, which has to be documented, and the time that it took.
    async fn answer(mut self) -> (String, Duration) {
        let begin = Instant::now();
        let mut answer = String::new();
        // A connection that is cut has answered what it has.
        let read = self.stream.read_to_string(&mut answer);
        let ended = tokio::time::timeout(Duration::from_secs(60), read).await;
        assert!(ended.is_ok(), "never given up: {:?}", self.sent);
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
    }
    for _ in 0..10 {
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
            let parts = path.split('/');
            let parts = parts.map(|part| if part.starts_with('{') { "1" } else { part });
            let path = parts.collect::<Vec<_>>().join("/");
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

const HALF_HEAD: &str = "GET /api/1/user HTTP/1.1\r\nhost: a\r\nx: ";
const HALF_BODY: &str = "POST /api/1/login HTTP/1.1\r\nhost: a\r\n\
    content-type: application/json\r\ncontent-length: 30\r\n\r\n{\"email\":";

/// A connection from an address of the loopback network.
async fn connect_from(client: [u8; 4], service: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let client = SocketAddr::new(Ipv4Addr::from(client).into(), 0);
    socket.bind(client).unwrap();
    socket.connect(service).await.unwrap()
}

/// So many connections from a network that send something, as far as they are let.
async fn occupy(network: u8, count: usize, service: SocketAddr, sent: &str) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for number in 0..count {
        let host = u8::try_from(number % 200).unwrap() + 1;
        let mut stream = connect_from([127, 0, network, host], service).await;
        // It may have been closed already.
        let _ = stream.write_all(sent.as_bytes()).await;
        streams.push(stream);
    }
    streams
}

/// Returns true if a client gets an answer within 8 seconds.
async fn is_served(client: [u8; 4], service: SocketAddr) -> bool {
    let mut stream = connect_from(client, service).await;
    let request = b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let mut answer = String::new();
    let asked = async {
        stream.write_all(request).await?;
        stream.read_to_string(&mut answer).await
    };
    let asked = tokio::time::timeout(Duration::from_secs(8), asked).await;
    matches!(asked, Ok(Ok(_))) && answer.ends_with("alive\n")
}

/// Number of connections that are still open.
fn count_open(streams: &[TcpStream]) -> usize {
    let is_open = |stream: &&TcpStream| {
        let read = stream.try_read(&mut [0; 1024]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    streams.iter().filter(is_open).count()
}

/// Whatever they do with them: who is slow makes room for who is not.
#[tokio::test]
async fn nobody_is_kept_out_by_who_holds_many_connections() {
    let service = Service::start().await;
    let address = service.address();
    for sent in ["", HALF_HEAD, HALF_BODY] {
        let begin = Instant::now();
        let greedy = occupy(1, 1100, address, sent).await;
        assert!(
            is_served([127, 0, 9, 1], address).await,
            "{sent:?}: another"
        );
        assert!(is_served([127, 0, 1, 1], address).await, "{sent:?}: itself");
        let (left, took) = (count_open(&greedy), begin.elapsed());
        // After ten seconds those that wait are closed anyway.
        assert!(
            took > Duration::from_secs(9) || left >= 500,
            "{left} are left"
        );
        assert!(left <= 512, "{left} are more than the share of one network");
        let another = occupy(2, 600, address, sent).await;
        assert!(
            is_served([127, 0, 9, 1], address).await,
            "{sent:?}: a third"
        );
        let left = count_open(&greedy) + count_open(&another);
        assert!(left <= 1024, "{left} are more than there may be");
    }
}

#[tokio::test]
async fn who_comes_through_a_trusted_proxy_has_no_share() {
    let service = Service::start_with(|settings| {
        settings.trusted_proxies = vec!["127.0.1.0/24".parse().unwrap()];
    })
    .await;
    let address = service.address();
    let proxied = occupy(1, 700, address, "").await;
    assert!(is_served([127, 0, 1, 1], address).await);
    // Others make room, also for more of them.
    let greedy = occupy(2, 400, address, "").await;
    assert!(is_served([127, 0, 1, 1], address).await);
    assert!(is_served([127, 0, 9, 1], address).await);
    assert_eq!(
        count_open(&proxied),
        700,
        "a proxy's are not closed for others"
    );
    let left = count_open(&greedy);
    assert!((300..=324).contains(&left), "{left} are left");
}

/// The requests of one client in a loop, over connections that it keeps or not, until nobody
/// accepts its connections any more. It counts those that were sent, and says which of them got no
/// answer.
async fn ask_until_the_end(
    service: SocketAddr,
    keeps: bool,
    sent: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut lost = Vec::new();
    let mut kept: Option<TcpStream> = None;
    loop {
        let is_first = kept.is_none();
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => match TcpStream::connect(service).await {
                Ok(stream) => stream,
                Err(_) => return lost,
            },
        };
        let end = stream.try_read(&mut [0; 1]);
        if end.is_ok() {
            // The service has closed a connection that it owes nothing.
            continue;
        }
        let request = "GET /api/1/user HTTP/1.1\r\nhost: a\r\n\r\n";
        let written = stream.write_all(request.as_bytes()).await;
        sent.fetch_add(1, Ordering::SeqCst);
        let mut answer = Vec::new();
        let is_whole = |answer: &[u8]| {
            let text = String::from_utf8_lossy(answer);
            text.contains("\r\n\r\n") && text.ends_with('}')
        };
        let mut end = format!("{written:?}");
        while written.is_ok() && !is_whole(&answer) {
            match stream.read_buf(&mut answer).await {
                Ok(1..) => {}
                ended => {
                    end = format!("{ended:?}");
                    break;
                }
            }
        }
        if !is_whole(&answer) {
            let which = if is_first { "the first" } else { "a later one" };
            lost.push(format!("{which} of a connection: {end}, {answer:?}"));
            continue;
        }
        let closes = String::from_utf8_lossy(&answer).contains("connection: close");
        kept = Some(stream).filter(|_| keeps && !closes);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_when_the_service_stops_under_load() {
    let sent = Arc::new(AtomicUsize::new(0));
    let mut lost = Vec::new();
    let rounds = 10;
    for round in 0..rounds {
        let service = Service::start().await;
        let mut clients = JoinSet::new();
        for number in 0..24 {
            let (keeps, sent) = (number % 2 == 0, Arc::clone(&sent));
            clients.spawn(ask_until_the_end(service.address(), keeps, sent));
        }
        tokio::time::sleep(Duration::from_millis(150 + 7 * round)).await;
        service.stop().await;
        lost.extend(clients.join_all().await.concat());
    }
    let sent = sent.load(Ordering::SeqCst);
    say(&format!(
        "orderly ends: {rounds} under load; {sent} requests, {} closed without an answer",
        lost.len()
    ));
    assert!(lost.is_empty(), "{lost:?} of {sent} requests got no answer");
}

/// A measure, not a test: how much memory slow clients take.
///
/// `cargo test --package cortex-report-tests --test whole -- --ignored memory_of_slow_clients`
#[tokio::test]
#[ignore = "a measure"]
async fn memory_of_slow_clients() {
    let body = format!("{HALF_BODY}{}", " ".repeat(50_000)).replace(": 30", ": 60000");
    for (what, sent) in [
        ("half heads", HALF_HEAD),
        ("half bodies", HALF_BODY),
        ("half bodies of 50 kB", &body),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let served = serve(binary(folder.path())).await;
        let status = format!("/proc/{}/status", served.child.id().unwrap());
        let resident = || {
            let status = std::fs::read_to_string(&status).unwrap();
            let (_, rest) = status.split_once("VmRSS:").unwrap();
            let kibibytes = rest.split_whitespace().next().unwrap();
            kibibytes.parse::<usize>().unwrap() / 1024
        };
        let address = served.url.trim_start_matches("http://").parse().unwrap();
        let before = resident();
        let mut slow = Vec::new();
        for network in 0..4 {
            slow.extend(occupy(network, 250, address, sent).await);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        say(&format!(
            "slow clients: {} with {what}: {before} MiB before, {} MiB with them",
            count_open(&slow),
            resident()
        ));
    }
}
