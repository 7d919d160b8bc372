//! Login mails by a real SMTP server: aiosmtpd, in Python.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStdout, Command},
};

use crate::harness::{
    Service, TestDatabase,
    binary::{Served, binary, serve},
    certificates, link_path, ok, say,
};

/// The variable with a Python that has aiosmtpd.
const PYTHON: &str = "CORTEX_REPORT_TEST_PYTHON";
/// Time limit for a mail to arrive.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A mail as the server took it.
#[derive(Deserialize)]
struct Mail {
    sender: String,
    recipients: Vec<String>,
    headers: BTreeMap<String, String>,
    parts: BTreeMap<String, String>,
    tls: bool,
    user: Option<String>,
    hello: String,
}

struct Server {
    _child: Child,
    port: u16,
    mails: Lines<BufReader<ChildStdout>>,
}

/// Path of a Python with aiosmtpd. Without one, the tests here are skipped; in CI, or if [`PYTHON`]
/// is set, they fail.
fn python() -> Option<PathBuf> {
    let default =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/document-tools/venv/bin/python");
    let python = env::var_os(PYTHON).map_or(default, PathBuf::from);
    let has_it = std::process::Command::new(&python)
        .args(["-c", "import aiosmtpd"])
        .stderr(Stdio::null())
        .status();
    if has_it.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    assert!(
        env::var_os("CI").is_none() && env::var_os(PYTHON).is_none(),
        "{} has no aiosmtpd",
        python.display()
    );
    let left_out =
        format!("SMTP: LEFT OUT, since aiosmtpd is missing; install it and set {PYTHON}");
    say(&left_out);
    None
}

impl Server {
    async fn start(arguments: &[&str]) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/smtp/server.py");
        let mut child = Command::new(python()?)
            .arg(script)
            .args(arguments)
            .stdout(Stdio::piped())
            // It complains of each client that turns away, which is what some tests are about.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut mails = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = mails.next_line().await.unwrap();
        Some(Self {
            _child: child,
            port: port.expect("the SMTP server starts").parse().unwrap(),
            mails,
        })
    }

    fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=off", self.port)
    }

    async fn mail(&mut self) -> Mail {
        let line = tokio::time::timeout(TIMEOUT, self.mails.next_line()).await;
        let line = line.expect("a mail has to come").unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Returns true if no mail arrives within 1.5 seconds.
    async fn is_silent(&mut self) -> bool {
        let line = tokio::time::timeout(Duration::from_millis(1500), self.mails.next_line());
        line.await.is_err()
    }
}

async fn service(url: &str) -> Service {
    Service::start_with(|settings| settings.mail.smtp_url = Some(url.parse().unwrap())).await
}

async fn log_in(service: &Service, email: &str) -> serde_json::Value {
    let login = service.post("/api/1/login");
    ok(login.json(&json!({ "email": email }))).await
}

/// Output of an operator's mail command, as soon as it has so many lines.
async fn listed(service: &Service, command: &str, lines: usize) -> String {
    let begin = std::time::Instant::now();
    loop {
        // The command runs beside a service that needs this thread.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let output = service.operate(&["mail", command]);
        let said = String::from_utf8(output.stdout).unwrap();
        if said.lines().count() == lines {
            return said;
        }
        assert!(begin.elapsed() < TIMEOUT, "mail {command}: {said}");
    }
}

/// A port that nothing listens on.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_login_mail_arrives_whole() {
    let Some(mut server) = Server::start(&[]).await else {
        return;
    };
    let service = Service::start_with(|settings| {
        settings.mail.smtp_url = Some(server.url().parse().unwrap());
        settings.mail.mail_from = "Example Games <games@example.com>".parse().unwrap();
    })
    .await;
    let login = log_in(&service, "ann@bücher.example").await;
    let mail = server.mail().await;
    assert_eq!(mail.sender, "games@example.com");
    assert_eq!(mail.recipients, ["ann@xn--bcher-kva.example"]);
    assert_eq!(mail.headers["From"], "Example Games <games@example.com>");
    assert_eq!(mail.headers["To"], "ann@xn--bcher-kva.example");
    assert_eq!(mail.headers["Subject"], "Log in to Data Cortex");
    assert_eq!(mail.hello, "[127.0.0.1]");
    assert!(!mail.tls && mail.user.is_none());
    let link = link_path(&mail.parts["text/plain"]);
    assert!(mail.parts["text/html"].contains(&link));
    let code = login["manual_code"].as_str().unwrap();
    let page = service.post(&link).form(&[("manual_code", code)]);
    assert_eq!(page.send().await.unwrap().status(), 303);
    assert!(server.is_silent().await, "it is sent once");
    assert_eq!(listed(&service, "list", 0).await, "");
}

#[tokio::test]
async fn a_refused_recipient_is_given_up_and_a_postponed_one_is_not() {
    let Some(mut server) = Server::start(&[]).await else {
        return;
    };
    let service = service(&server.url()).await;
    log_in(&service, "refused@example.com").await;
    log_in(&service, "greylisted@example.com").await;
    log_in(&service, "ann@example.com").await;
    assert_eq!(server.mail().await.recipients, ["ann@example.com"]);
    let dead = listed(&service, "dead", 1).await;
    assert!(dead.contains("refused@example.com"), "{dead}");
    assert!(dead.contains("no such mailbox"), "{dead}");
    let begin = std::time::Instant::now();
    let owed = loop {
        let owed = listed(&service, "list", 1).await;
        if owed.contains("come back later") || begin.elapsed() > TIMEOUT {
            break owed;
        }
    };
    assert!(
        owed.contains("greylisted@example.com\t1\t") && owed.contains("come back later"),
        "{owed}"
    );
}

/// 200 logins: 20 that expire before there is a server, 80 while there is one, 60 in the two minutes
/// that it is away, 40 once it is back.
#[tokio::test]
async fn mails_wait_for_a_server_that_is_away_and_those_that_expired_are_never_sent() {
    let port = free_port().await;
    let service = service(&format!("smtp://127.0.0.1:{port}?tls=off")).await;
    for number in 0..20 {
        log_in(&service, &format!("late{number}@example.com")).await;
    }
    let owed = listed(&service, "list", 20).await;
    assert!(owed.contains("late0@example.com"), "{owed}");
    service.clock.advance(601);

    let port = port.to_string();
    let Some(mut server) = Server::start(&["--port", &port]).await else {
        return;
    };
    for number in 0..80 {
        log_in(&service, &format!("before{number}@example.com")).await;
    }
    let mut arrived = arrivals(&service, &mut server, 80).await;
    // A server that goes away between taking a mail and saying so gets it again.
    service.outbox_is_empty().await;
    drop(server);
    for number in 0..60 {
        log_in(&service, &format!("while{number}@example.com")).await;
        service.clock.advance(2);
    }
    listed(&service, "list", 60).await;
    let mut server = Server::start(&["--port", &port]).await.unwrap();
    for number in 0..40 {
        log_in(&service, &format!("after{number}@example.com")).await;
    }
    arrived.extend(arrivals(&service, &mut server, 100).await);
    assert!(server.is_silent().await, "nothing arrives twice");

    let times = arrived.len();
    let late = arrived.iter().filter(|it| it.starts_with("late")).count();
    arrived.sort();
    arrived.dedup();
    say(&format!(
        "SMTP away for two minutes in the middle of 200 logins: {} of 180 live mails arrived, {} \
         twice; {late} of 20 expired ones were sent",
        arrived.len() - late,
        times - arrived.len(),
    ));
    assert_eq!((arrived.len(), times, late), (180, 180, 0));
    let dead = listed(&service, "dead", 20).await;
    assert!(dead.lines().all(|line| line.contains("the login expired")));
}

/// Whom the next mails are for, while time goes by: what failed is tried again later.
async fn arrivals(service: &Service, server: &mut Server, count: usize) -> Vec<String> {
    let mut arrived = Vec::new();
    let begin = std::time::Instant::now();
    while arrived.len() < count {
        service.clock.advance(1);
        let mail = tokio::time::timeout(Duration::from_millis(50), server.mail()).await;
        arrived.extend(mail.into_iter().flat_map(|mail| mail.recipients));
        assert!(begin.elapsed() < TIMEOUT, "{} arrived", arrived.len());
    }
    arrived
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_asked_again() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = hanging.local_addr().unwrap().port();
    let service = Service::start_with(|settings| {
        let url = format!("smtp://127.0.0.1:{port}?tls=off");
        settings.mail.smtp_url = Some(url.parse().unwrap());
        settings.mail.smtp_timeout = 1;
    })
    .await;
    log_in(&service, "ann@example.com").await;
    // It is connected, and told nothing.
    let (_connection, _) = hanging.accept().await.unwrap();
    let begin = std::time::Instant::now();
    loop {
        let owed = listed(&service, "list", 1).await;
        if owed.contains("ann@example.com\t1\t") {
            break;
        }
        assert!(begin.elapsed() < TIMEOUT, "it is given up: {owed}");
    }
    drop(hanging);
    let Some(mut server) = Server::start(&["--port", &port.to_string()]).await else {
        return;
    };
    service.clock.advance(5);
    assert_eq!(server.mail().await.recipients, ["ann@example.com"]);
}

#[tokio::test]
async fn two_instances_send_each_mail_once() {
    let Some(mut server) = Server::start(&[]).await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    let url = server.url();
    let start = || {
        let mut command = binary(folder.path());
        command
            .env("CORTEX_REPORT_DATABASE_URL", database.url())
            .env("CORTEX_REPORT_SMTP_URL", &url)
            .env("CORTEX_REPORT_MAIL_LIMIT_CLIENT", "1000/1s");
        serve(command)
    };
    let services = [start().await, start().await];
    for number in 0..50 {
        let login = services[number % 2].api.post("/api/1/login");
        let email = format!("ann{number}@example.com");
        ok(login.json(&json!({ "email": email }))).await;
    }
    let mut arrived = Vec::new();
    for _ in 0..50 {
        arrived.extend(server.mail().await.recipients);
    }
    arrived.sort();
    arrived.dedup();
    assert_eq!(arrived.len(), 50, "each arrives once");
    assert!(server.is_silent().await);
}

#[tokio::test]
async fn a_server_with_tls_and_a_password_is_trusted_only_with_a_known_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    certificates(folder.path());
    std::fs::write(path("password"), "hunter2\n").unwrap();
    for (tls, scheme) in [("starttls", "smtp"), ("wrapped", "smtps")] {
        let (certificate, key) = (path("cert.pem"), path("key.pem"));
        let arguments = [
            "--tls",
            tls,
            "--certificate",
            &certificate,
            "--key",
            &key,
            "--user",
            "ann@example.com",
            "--password",
            "hunter2",
        ];
        let Some(mut server) = Server::start(&arguments).await else {
            return;
        };
        let url = format!("{scheme}://ann%40example.com@localhost:{}", server.port);
        let start = async |authority: &str, password: &str| {
            let own = tempfile::tempdir().unwrap();
            let database = TestDatabase::create(own.path()).await;
            std::fs::write(path("password"), password).unwrap();
            let mut command = binary(own.path());
            command
                .env("CORTEX_REPORT_DATABASE_URL", database.url())
                .env("CORTEX_REPORT_SMTP_URL", &url)
                .env("CORTEX_REPORT_SMTP_PASSWORD_FILE", path("password"))
                .env("SSL_CERT_FILE", path(authority));
            let served = serve(command).await;
            let login = served.api.post("/api/1/login");
            ok(login.json(&json!({ "email": "bob@example.com" }))).await;
            (served, database, own)
        };
        for (authority, password, told) in [
            ("other.pem", "hunter2", "is not trusted"),
            ("ca.pem", "hunter3", "answers 535"),
        ] {
            let (mut served, _database, _own) = start(authority, password).await;
            let told = logged(&mut served, told).await;
            assert!(!told.contains("hunter"), "{told}");
            assert!(!told.contains("bob@example.com"), "{told}");
            served.child.kill().await.unwrap();
        }
        assert!(server.is_silent().await);
        let _service = start("ca.pem", "hunter2").await;
        let mail = server.mail().await;
        assert!(mail.tls);
        assert_eq!(mail.user.as_deref(), Some("ann@example.com"));
    }
}

#[tokio::test]
async fn nothing_is_sent_in_the_clear_unless_it_is_wanted() {
    let Some(mut server) = Server::start(&[]).await else {
        return;
    };
    let service = service(&format!("smtp://127.0.0.1:{}", server.port)).await;
    log_in(&service, "ann@example.com").await;
    assert!(server.is_silent().await);
}

/// Log of the service up to the line that contains `words`.
async fn logged(served: &mut Served, words: &str) -> String {
    let mut logged = String::new();
    while !logged.contains(words) {
        let line = tokio::time::timeout(TIMEOUT, served.log.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("no {words:?} in {logged}"));
        logged.push_str(&line.unwrap().unwrap());
        logged.push('\n');
    }
    logged
}
