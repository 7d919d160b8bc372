//! A proxy between a client and the service that checks or changes what passes.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::conformance::check_raw;

/// A request, as it came.
pub struct Sent {
    pub head: String,
    pub body: Vec<u8>,
}

impl Sent {
    /// Adds a header, or replaces it.
    pub fn set_header(&mut self, name: &str, value: &str) {
        self.remove_header(name);
        let end = self.head.len() - 2;
        self.head.insert_str(end, &format!("{name}: {value}\r\n"));
    }

    pub fn remove_header(&mut self, name: &str) {
        let keep = |line: &&str| !line.to_lowercase().starts_with(&format!("{name}:"));
        self.head = self.head.split_inclusive("\r\n").filter(keep).collect();
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}:");
        let mut lines = self.head.lines();
        let line = lines.find(|line| line.to_lowercase().starts_with(&prefix))?;
        Some(line[prefix.len()..].trim())
    }

    /// The method and the path, with its query.
    pub fn line(&self) -> &str {
        let line = self.head.lines().next().unwrap_or_default();
        line.trim_end_matches(" HTTP/1.1")
    }
}

/// Action of the proxy on a request.
pub enum Then {
    /// It goes on to the service, and the answer has to be documented. Otherwise the client gets
    /// the status 599 instead, and the test fails when it drops the proxy.
    Forward(SocketAddr),
    /// It is answered with these bytes, and the connection is closed.
    Answer(String),
    /// It is never answered.
    Stall,
}

/// Listens on a port of its own.
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Seen>,
}

/// Number of requests that have passed, and the answers that were not documented.
#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    undocumented: Mutex<Vec<String>>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let undocumented = self.seen.undocumented.lock().unwrap();
        assert!(
            undocumented.is_empty() || std::thread::panicking(),
            "{}",
            undocumented.join("\n")
        );
    }
}

impl Proxy {
    /// Does with the first request of each connection what `decide` says.
    pub async fn start(decide: impl Fn(&mut Sent) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let sees = Arc::clone(&seen);
        let decide = Arc::new(decide);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (sees, decide) = (Arc::clone(&sees), Arc::clone(&decide));
                // A connection that breaks is what some tests are about.
                tokio::spawn(async move { pass(stream, &sees, decide.as_ref()).await.ok() });
            }
        });
        Self { address, seen }
    }

    /// Passes everything on to a service, whose answers have to be documented.
    pub async fn checking(service: SocketAddr) -> Self {
        Self::start(move |_| Then::Forward(service)).await
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Number of requests received.
    pub fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }
}

async fn pass(
    mut stream: TcpStream,
    seen: &Seen,
    decide: &(impl Fn(&mut Sent) -> Then + ?Sized),
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let head = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    seen.requests.fetch_add(1, Ordering::SeqCst);
    let mut sent = Sent {
        body: bytes.split_off(head),
        head: String::from_utf8(bytes).unwrap(),
    };
    let length = sent.header("content-length");
    let length = length.map_or(0, |length| length.parse().unwrap());
    while sent.body.len() < length {
        if stream.read_buf(&mut sent.body).await? == 0 {
            return Ok(());
        }
    }
    match decide(&mut sent) {
        Then::Forward(service) => {
            let answer = forward(&mut sent, service).await?;
            let answer = match check_raw(&sent.head, Some(&sent.body), &answer) {
                Ok(()) => answer,
                // The client is to fail at once.
                Err(reason) => {
                    seen.undocumented.lock().unwrap().push(reason);
                    answer_text("599 ", "", "").into_bytes()
                }
            };
            stream.write_all(&answer).await?;
        }
        Then::Answer(answer) => stream.write_all(answer.as_bytes()).await?,
        Then::Stall => std::future::pending().await,
    }
    Ok(())
}

/// Sends a request on, over a connection of its own that is closed once it is answered, and answers
/// what came back.
async fn forward(sent: &mut Sent, service: SocketAddr) -> std::io::Result<Vec<u8>> {
    sent.set_header("connection", "close");
    let mut service = TcpStream::connect(service).await?;
    service.write_all(sent.head.as_bytes()).await?;
    // A body that is too large is answered before it has arrived.
    let _ = service.write_all(&sent.body).await;
    let mut answer = Vec::new();
    match service.read_to_end(&mut answer).await {
        Err(error) if answer.is_empty() => Err(error),
        _ => Ok(answer),
    }
}

/// An answer with a body, and further headers that are ended as HTTP ends them.
pub fn answer(status: &str, headers: &str, body: &str) -> Then {
    Then::Answer(answer_text(status, headers, body))
}

fn answer_text(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// An answer of the documented media type.
pub fn json(status: &str, body: &str) -> Then {
    let kind = if status.starts_with('2') {
        "json"
    } else {
        "problem+json"
    };
    answer(
        status,
        &format!("content-type: application/{kind}; charset=utf-8\r\n"),
        body,
    )
}
