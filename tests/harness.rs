//! The real service on a free port, with a database, a mail folder and a clock of its own.

pub mod binary;
pub mod conformance;
mod database;
pub mod lake;
pub mod proxy;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cortex_report_server::{
    Clock, EventSettings, MailLimits, MailSettings, Random, Registration, Running, ServeSettings,
    StoreSettings, TimeSource, TlsSettings,
};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use database::{SERVER, TestDatabase};

use self::conformance::{Call, Caller};

/// When every test begins: 2026-01-01 in UTC.
pub const BEGINNING: u64 = 1_767_225_600;
/// Time limit of work that the service does by itself, such as sending a mail.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// A clock that stands until the test moves it, and can be set wrong.
#[derive(Clone, Default)]
pub struct TestClock {
    /// The seconds that passed.
    passed: Arc<AtomicU64>,
    /// By how many seconds it is ahead.
    ahead: Arc<AtomicI64>,
}

impl TestClock {
    pub fn advance(&self, seconds: u64) {
        self.passed.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Sets it ahead by so much, or back if it is negative, while no time passes.
    pub fn set_ahead(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl TimeSource for TestClock {
    fn now(&self) -> SystemTime {
        let ahead = self.ahead.load(Ordering::SeqCst);
        let now = (UNIX_EPOCH + Duration::from_secs(BEGINNING) + self.monotonic())
            .checked_add(Duration::from_secs(ahead.max(0).unsigned_abs()));
        now.unwrap() - Duration::from_secs(ahead.min(0).unsigned_abs())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.passed.load(Ordering::SeqCst))
    }
}

/// A running service and what a test needs of it. Stopped with [`Service::stop`], or by being
/// dropped with the test's runtime.
pub struct Service {
    running: Running,
    folder: TempDir,
    pub database: TestDatabase,
    pub clock: TestClock,
    pub api: Caller,
}

/// The settings of a service whose files are all in `folder`.
fn settings(folder: &TempDir, database: &TestDatabase) -> (StoreSettings, ServeSettings) {
    let path = |name: &str| folder.path().join(name);
    let store = StoreSettings {
        database_url: database.url().parse().unwrap(),
        // Many tests at once use one server.
        database_connections: 4,
        key_file: path("test.key"),
    };
    let many = || "100000/1s".parse().unwrap();
    let serve = ServeSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        trusted_proxies: Vec::new(),
        drain: 0,
        metrics_listen: None,
        tls: TlsSettings::default(),
        events: EventSettings {
            lake_dir: path("lake"),
            // Tests of the lake move events at once.
            seal_interval: 60,
        },
        mail: MailSettings {
            smtp_url: None,
            smtp_password_file: None,
            smtp_timeout: 2,
            mail_from: "Data Cortex <noreply@localhost>".parse().unwrap(),
            mail_dir: path("mail"),
        },
        registration: Registration::Open,
        // Tests of the limits set their own.
        mail_limits: MailLimits {
            address_client: many(),
            address: many(),
            client: many(),
            network: many(),
            user: many(),
            total: many(),
        },
    };
    (store, serve)
}

impl Service {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut ServeSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = TestDatabase::create(folder.path()).await;
        Self::start_on(folder, database, change).await
    }

    /// With a database and the folder that its file may be in.
    pub async fn start_on(
        folder: TempDir,
        database: TestDatabase,
        change: impl FnOnce(&mut ServeSettings),
    ) -> Self {
        let clock = TestClock::default();
        let running = start(&folder, &database, &clock, 42, change).await;
        Self {
            api: caller(&running),
            running,
            folder,
            database,
            clock,
        }
    }

    /// Stops the service and starts it anew with the same files.
    pub async fn restart_with(self, change: impl FnOnce(&mut ServeSettings)) -> Self {
        self.running.stop().await;
        let running = start(&self.folder, &self.database, &self.clock, 42, change).await;
        Self {
            api: caller(&running),
            running,
            ..self
        }
    }

    /// Another instance of it, with the same key and database.
    pub async fn another(&self, change: impl FnOnce(&mut ServeSettings)) -> Instance {
        let running = start(&self.folder, &self.database, &self.clock, 43, change).await;
        Instance {
            api: caller(&running),
            _running: running,
        }
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.running.address())
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.running.address()
    }

    /// Metrics as Prometheus scrapes them, one value per line. Panics if the service was started
    /// without `metrics_listen`.
    pub async fn metrics(&self) -> String {
        let address = self.running.metrics_address().unwrap();
        let told = reqwest::get(format!("http://{address}/metrics")).await;
        let told = told.unwrap();
        assert_eq!(told.status(), 200);
        told.text().await.unwrap()
    }

    pub fn folder(&self) -> &TempDir {
        &self.folder
    }

    pub fn request(&self, method: Method, path: &str) -> Call {
        self.api.request(method, path)
    }

    pub fn get(&self, path: &str) -> Call {
        self.api.get(path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.api.post(path)
    }

    /// Starts a login and waits for its mail.
    pub async fn start_login(&self, email: &str) -> Login {
        let mails = self.mails().len();
        let reply = self.post("/api/1/login").json(&json!({ "email": email }));
        let reply = ok(reply).await;
        let text = |name: &str| reply[name].as_str().unwrap().to_owned();
        let mail = self.mail_after(mails).await;
        Login {
            session_key: text("session_key"),
            manual_code: text("manual_code"),
            path: link_path(&mail),
        }
    }

    /// Logs in and answers the session_key.
    pub async fn log_in(&self, email: &str) -> String {
        let login = self.start_login(email).await;
        let page = self.type_code(&login, &login.manual_code).await;
        assert_eq!(page.status(), 200, "the right code has to log in");
        login.session_key
    }

    /// Types a code on the verification page, and follows where it leads.
    pub async fn type_code(&self, login: &Login, code: &str) -> Response {
        let form = self.post(&login.path).form(&[("manual_code", code)]);
        let response = form.send().await.unwrap();
        match response.headers().get("location") {
            Some(location) => {
                assert_eq!(response.status(), 303);
                let page = reqwest::Url::parse(&self.url()).unwrap();
                let page = page.join(&login.path).unwrap();
                let page = page.join(location.to_str().unwrap()).unwrap();
                self.get(page.path()).send().await.unwrap()
            }
            None => response,
        }
    }

    /// Invites an address, and answers the mail.
    pub async fn invite(&self, key: &str, org_id: i64, email: &str, role: &str) -> String {
        let count = mails(self.folder.path(), "invitation").len();
        let path = format!("/api/1/org/{org_id}/invitation");
        let body = json!({ "email": email, "role": role });
        ok(self.post(&path).bearer_auth(key).json(&body)).await;
        newest_after(self.folder.path(), "invitation", count).await
    }

    /// Invites an address, logs in with it, and answers the session_key.
    pub async fn join(&self, key: &str, org_id: i64, email: &str, role: &str) -> String {
        self.invite(key, org_id, email, role).await;
        self.log_in(email).await
    }

    /// Creates an organization, and answers its org_id.
    pub async fn create_org(&self, key: &str, name: &str) -> i64 {
        let body = json!({ "org_name": name });
        let created = ok(self.post("/api/1/org").bearer_auth(key).json(&body)).await;
        created["org_id"].as_i64().unwrap()
    }

    /// The user_id of a session's user.
    pub async fn user_id(&self, key: &str) -> i64 {
        let user = ok(self.get("/api/1/user").bearer_auth(key)).await;
        user["user_id"].as_i64().unwrap()
    }

    /// The org_id of the only organization that a session's user is in.
    pub async fn org_id(&self, key: &str) -> i64 {
        let user = ok(self.get("/api/1/user").bearer_auth(key)).await;
        user["org_list"][0]["org_id"].as_i64().unwrap()
    }

    pub async fn create_app(&self, key: &str, org_id: i64, name: &str) -> i64 {
        let body = json!({ "org_id": org_id, "app_name": name });
        let created = ok(self.post("/api/1/app").bearer_auth(key).json(&body)).await;
        created["app_id"].as_i64().unwrap()
    }

    /// Runs a command of the operator on this service's database, which takes a second.
    pub fn operate(&self, arguments: &[&str]) -> std::process::Output {
        let (store, _) = settings(&self.folder, &self.database);
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_cortex-reportd-under-test"))
            .args(arguments)
            .env("CORTEX_REPORT_DATABASE_URL", self.database.url())
            .env("CORTEX_REPORT_KEY_FILE", store.key_file)
            .output()
            .unwrap();
        self.clock.advance(1);
        output
    }

    /// The login mails so far, oldest first.
    pub fn mails(&self) -> Vec<String> {
        mails(self.folder.path(), "login")
    }

    /// The newest login mail, once there are more than `count`.
    pub async fn mail_after(&self, count: usize) -> String {
        mail_after(self.folder.path(), count).await
    }

    /// Waits until the outbox owes nothing.
    pub async fn outbox_is_empty(&self) {
        self.rows_become("mail", 0).await;
    }

    /// Waits until a table has so many rows.
    pub async fn rows_become(&self, table: &str, count: usize) {
        let begin = std::time::Instant::now();
        while self.rows(table).await != count {
            assert!(
                begin.elapsed() < TIMEOUT,
                "{table} has to come to {count} rows: are the workers at it?"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Number of rows of a table.
    pub async fn rows(&self, table: &str) -> usize {
        self.database.rows(table).await.len()
    }

    /// Every row of every table.
    pub async fn dump(&self) -> Vec<String> {
        let mut dump = Vec::new();
        for table in self.database.tables().await {
            let rows = self.database.rows(&table).await;
            dump.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
        }
        dump
    }
}

/// One more process, as far as a test can have it. Stopped when it is dropped.
pub struct Instance {
    _running: Running,
    pub api: Caller,
}

/// A login that waits to be verified.
pub struct Login {
    pub session_key: String,
    pub manual_code: String,
    /// The path of the verification page.
    pub path: String,
}

async fn start(
    folder: &TempDir,
    database: &TestDatabase,
    clock: &TestClock,
    seed: u64,
    change: impl FnOnce(&mut ServeSettings),
) -> Running {
    let (store, mut serve) = settings(folder, database);
    change(&mut serve);
    let clock = Clock::new(clock.clone());
    cortex_report_server::start(&store, &serve, clock, Random::seeded(seed))
        .await
        .unwrap()
}

fn caller(running: &Running) -> Caller {
    Caller::new(&format!("http://{}", running.address()))
}

/// The mails of a kind of a service whose files are in `folder`, oldest first.
fn mails(folder: &Path, kind: &str) -> Vec<String> {
    let is_of_kind = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(kind) && name.ends_with(".eml")
    };
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("mail"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(is_of_kind)
        .collect();
    // <kind>-<milliseconds>-<number>.eml
    files.sort_by_key(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let numbers = name
            .split('-')
            .skip(1)
            .map(|part| part.parse::<u64>().unwrap());
        numbers.collect::<Vec<_>>()
    });
    files
        .into_iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

/// The newest login mail, once there are more than `count`.
pub async fn mail_after(folder: &Path, count: usize) -> String {
    newest_after(folder, "login", count).await
}

/// The newest mail of a kind, once there are more than `count`.
async fn newest_after(folder: &Path, kind: &str, count: usize) -> String {
    let begin = std::time::Instant::now();
    loop {
        let mut mails = mails(folder, kind);
        if mails.len() > count {
            return mails.pop().unwrap();
        }
        assert!(
            begin.elapsed() < TIMEOUT,
            "no mail came: is the outbox at work?"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Number of login mails in the folder of a service whose files are in `folder`.
pub fn count_mails(folder: &Path) -> usize {
    mails(folder, "login").len()
}

/// The path of the verification URL in a mail.
pub fn link_path(mail: &str) -> String {
    let (_, rest) = mail
        .split_once("/verify/")
        .expect("the mail has a verification URL");
    let token: String = rest
        .chars()
        .take_while(|it| it.is_ascii_alphanumeric() || "-_".contains(*it))
        .collect();
    format!("/verify/{token}")
}

/// A certificate for localhost (cert.pem), its key (key.pem), the authority that signed it (ca.pem),
/// and another one (other.pem).
pub fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let output = std::process::Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
    };
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -days 2 -keyout ca.key -out ca.pem",
    );
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=other -days 2 -keyout other.key -out other.pem",
    );
    openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request.pem");
    std::fs::write(
        folder.join("names"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
    )
    .unwrap();
    openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem",
    );
}

/// Compares what is said with what is kept in the file `golden/<name>`.
#[track_caller]
pub fn is_as_kept(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        text,
        kept,
        "it differs from {}; if it is meant to, run the test with UPDATE_GOLDEN=1 and review the \
         change",
        file.display()
    );
}

/// Says something past what the test runner keeps to itself.
#[expect(clippy::explicit_write, reason = "what eprintln! prints is kept")]
pub fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").unwrap();
}

/// Sends a request that has to be answered with 200, and answers the body.
pub async fn ok(request: Call) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.text().await.unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// Sends a request that has to be answered with a problem of this status and code, and answers the
/// problem without what names the request. Whatever the request, the problem has the shape that the
/// document says.
pub async fn problem(request: Call, status: u16, code: &str) -> Value {
    let response = request.send().await.unwrap();
    problem_of(response, status, code).await
}

pub async fn problem_of(response: Response, status: u16, code: &str) -> Value {
    let got = response.status();
    let content_type = response.headers()["content-type"].clone();
    let request_id = response.headers()["x-request-id"].clone();
    let body = response.text().await.unwrap();
    assert_eq!(got, status, "{body}");
    assert_eq!(content_type, "application/problem+json");
    let mut problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["type"], "about:blank");
    let title = StatusCode::from_u16(status).unwrap();
    assert_eq!(problem["title"], title.canonical_reason().unwrap());
    assert_eq!(problem["status"], status);
    assert_eq!(problem["code"], code, "{body}");
    assert_eq!(problem["request_id"], request_id.to_str().unwrap());
    assert!(!problem["detail"].as_str().unwrap().is_empty());
    let members = problem.as_object().unwrap().keys();
    let known = [
        "type",
        "title",
        "status",
        "detail",
        "code",
        "errors",
        "request_id",
    ];
    assert!(
        members
            .into_iter()
            .all(|member| known.contains(&member.as_str())),
        "{body}"
    );
    assert_eq!(problem.get("errors").is_some(), status == 400, "{body}");
    problem.as_object_mut().unwrap().remove("request_id");
    problem
}

/// The pointers of a 400, in order.
pub async fn pointers(request: Call) -> Vec<String> {
    let problem = problem(request, 400, "invalid_request").await;
    let errors = problem["errors"].as_array().unwrap();
    assert!(!errors.is_empty());
    errors
        .iter()
        .map(|error| {
            assert!(!error["detail"].as_str().unwrap().is_empty());
            error["pointer"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// A body of so many bytes that says no length beforehand.
pub fn chunked_body(length: usize) -> reqwest::Body {
    let chunk = || std::io::Result::Ok("B".repeat(1000));
    let chunks = (0..length / 1000).map(move |_| chunk());
    reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
}
