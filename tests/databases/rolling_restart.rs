//! Four instances with one database, each restarted in turn while they are used.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, Method, RequestBuilder};
use sea_orm::DatabaseBackend;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{
    TestDatabase,
    binary::{Served, binary, serve, signal},
    count_mails, link_path, mail_after, ok, say,
};

const INSTANCES: usize = 4;
const WORKERS: usize = 6;
/// Minimum duration of the load.
const LOAD: Duration = Duration::from_secs(60);
/// Seconds for which an instance reports that it is not ready before it stops.
const DRAIN: &str = "5";
/// Interval at which the balancer probes readiness: many times within [`DRAIN`].
const PROBED_EVERY: Duration = Duration::from_millis(100);

/// A load balancer: each request goes to one of the instances that are ready, and to another one if
/// no connection is made.
#[derive(Default)]
struct Balancer {
    /// The URLs of the instances, and whether each is ready.
    targets: RwLock<Vec<(String, bool)>>,
    next: AtomicUsize,
    sent: AtomicUsize,
    refused: AtomicUsize,
    ended: AtomicBool,
}

impl Balancer {
    /// Asks each instance whether it is ready, until the load has ended.
    async fn probe(&self) {
        let client = one_request_a_connection();
        while !self.ended.load(Ordering::Relaxed) {
            let targets = self.targets.read().unwrap().clone();
            let asked = targets.iter().map(|(url, _)| {
                let ready = client.get(format!("{url}/readyz")).send();
                async { ready.await.is_ok_and(|ready| ready.status() == 200) }
            });
            let answers = futures_util::future::join_all(asked).await;
            for (number, ((url, _), is_ready)) in targets.into_iter().zip(answers).enumerate() {
                let mut targets = self.targets.write().unwrap();
                // It may be another one by now.
                if targets[number].0 == url {
                    targets[number].1 = is_ready;
                }
            }
            tokio::time::sleep(PROBED_EVERY).await;
        }
    }

    /// The next one that is ready, as soon as there is one.
    async fn target(&self) -> String {
        loop {
            let targets = self.targets.read().unwrap().clone();
            let ready = targets.into_iter().filter(|(_, is_ready)| *is_ready);
            let ready: Vec<String> = ready.map(|(url, _)| url).collect();
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            if let Some(number) = next.checked_rem(ready.len()) {
                return ready[number].clone();
            }
            tokio::time::sleep(PROBED_EVERY).await;
        }
    }

    /// Sends a request, which has to be answered with 200; what else happens is what is counted as
    /// failed.
    async fn send(&self, request: impl Fn(&str) -> RequestBuilder) -> Result<Value, String> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        loop {
            let target = self.target().await;
            let answer = match request(&target).send().await {
                Ok(answer) => answer,
                Err(error) if error.is_connect() => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Err(error) => return Err(format!("{target}: {error:?}")),
            };
            let status = answer.status();
            let body = answer.text().await.map_err(|error| format!("{error:?}"))?;
            if status != 200 {
                return Err(format!("{target}: {status}: {body}"));
            }
            return serde_json::from_str(&body).map_err(|error| error.to_string());
        }
    }
}

fn one_request_a_connection() -> Client {
    let client = Client::builder().pool_max_idle_per_host(0);
    client.timeout(Duration::from_secs(30)).build().unwrap()
}

async fn start(folder: &Path, database: &TestDatabase) -> Served {
    let mut command = binary(folder);
    command
        .env("CORTEX_REPORT_DATABASE_URL", database.url())
        .env("CORTEX_REPORT_DATABASE_CONNECTIONS", "4")
        .env("CORTEX_REPORT_DRAIN", DRAIN)
        .env(
            "CORTEX_REPORT_LOG_LEVEL",
            "warn,cortex_report_server::run=info",
        );
    for limit in ["ADDRESS_CLIENT", "ADDRESS", "CLIENT", "NETWORK", "TOTAL"] {
        command.env(format!("CORTEX_REPORT_MAIL_LIMIT_{limit}"), "1000000/1s");
    }
    serve(command).await
}

/// Restarts each instance in turn.
async fn restart_all(
    balancer: &Balancer,
    instances: &mut [Served],
    folder: &Path,
    database: &TestDatabase,
) {
    let begin = Instant::now();
    let share = LOAD / u32::try_from(INSTANCES + 1).unwrap();
    for (number, instance) in instances.iter_mut().enumerate() {
        tokio::time::sleep_until((begin + share * (number as u32 + 1)).into()).await;
        signal(&instance.child, "TERM");
        let ended = tokio::time::timeout(Duration::from_secs(20), instance.child.wait()).await;
        assert!(ended.expect("it ends").unwrap().success());
        while let Some(line) = instance.log.next_line().await.unwrap() {
            // A busy machine may answer a probe late.
            let is_grave = line.contains("WARN") || line.contains("ERROR");
            assert!(!is_grave || line.contains("not ready"), "{line}");
        }
        *instance = start(folder, database).await;
        let mut targets = balancer.targets.write().unwrap();
        targets[number] = (instance.url.clone(), false);
    }
    tokio::time::sleep_until((begin + LOAD).into()).await;
}

/// A user of the service under load, and the changes that were acknowledged to it.
#[derive(Default)]
struct Worker {
    key: String,
    org_id: i64,
    apps: BTreeSet<String>,
    created: usize,
    deleted: usize,
    logins: usize,
    failed: Vec<String>,
}

impl Worker {
    /// Creates, lists and deletes applications and starts logins until the load has ended.
    async fn work(mut self, balancer: Arc<Balancer>, client: Client, number: usize) -> Self {
        while !balancer.ended.load(Ordering::Relaxed) {
            if let Err(error) = self.cycle(&balancer, &client, number).await {
                self.failed.push(error);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self
    }

    async fn cycle(
        &mut self,
        balancer: &Balancer,
        client: &Client,
        number: usize,
    ) -> Result<(), String> {
        let call = |method: Method, path: String| {
            let key = self.key.clone();
            move |url: &str| {
                let request = client.request(method.clone(), format!("{url}{path}"));
                request.bearer_auth(&key)
            }
        };
        let name = format!("app {number} {}", self.created);
        let create = call(Method::POST, "/api/1/app".to_owned());
        let app = json!({ "org_id": self.org_id, "app_name": name });
        let created = balancer.send(|url| create(url).json(&app)).await?;
        self.created += 1;
        self.apps.insert(name);

        // Most likely by another instance.
        let list = call(Method::GET, format!("/api/1/app?org_id={}", self.org_id));
        self.compare(&balancer.send(list).await?)?;

        if self.apps.len() > 5 {
            let app_id = created["app_id"].clone();
            let delete = call(Method::DELETE, format!("/api/1/app/{app_id}"));
            balancer.send(delete).await?;
            self.deleted += 1;
            self.apps
                .remove(&format!("app {number} {}", self.created - 1));
        }
        let login = json!({ "email": format!("new{number}-{}@example.com", self.logins) });
        let post = |url: &str| client.post(format!("{url}/api/1/login")).json(&login);
        balancer.send(post).await?;
        self.logins += 1;
        Ok(())
    }

    /// Checks that the list has exactly the applications that the acknowledged changes leave.
    fn compare(&self, list: &Value) -> Result<(), String> {
        let apps = list["app_list"].as_array().unwrap().iter();
        let apps: BTreeSet<String> = apps
            .map(|app| app["name"].as_str().unwrap().to_owned())
            .collect();
        if apps == self.apps {
            return Ok(());
        }
        Err(format!("{apps:?} is there, not {:?}", self.apps))
    }
}

#[tokio::test]
async fn each_of_four_instances_is_restarted_under_load_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    if database.backend() == DatabaseBackend::Sqlite {
        // Which is for one instance.
        return;
    }
    let mut instances = Vec::new();
    for _ in 0..INSTANCES {
        instances.push(start(folder.path(), &database).await);
    }
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        workers.push(log_in(&instances[0], folder.path(), number).await);
    }

    let balancer = Arc::new(Balancer::default());
    let targets = instances.iter().map(|it| (it.url.clone(), true));
    *balancer.targets.write().unwrap() = targets.collect();
    let mut load = JoinSet::new();
    for (number, worker) in workers.into_iter().enumerate() {
        // Some keep their connections.
        let client = match number % 2 {
            0 => one_request_a_connection(),
            _ => Client::new(),
        };
        load.spawn(worker.work(Arc::clone(&balancer), client, number));
    }
    let probing = tokio::spawn({
        let balancer = Arc::clone(&balancer);
        async move { balancer.probe().await }
    });
    restart_all(&balancer, &mut instances, folder.path(), &database).await;
    balancer.ended.store(true, Ordering::Relaxed);
    let workers = load.join_all().await;
    probing.await.unwrap();

    let failed: Vec<&String> = workers.iter().flat_map(|worker| &worker.failed).collect();
    let sum = |count: fn(&Worker) -> usize| workers.iter().map(count).sum::<usize>();
    let (created, deleted) = (sum(|it| it.created), sum(|it| it.deleted));
    let logins = WORKERS + sum(|it| it.logins);
    say(&format!(
        "rolling restart: {INSTANCES} instances, each restarted in {} s of load; {} requests, {} \
         failed, {} sent to another instance; {} writes answered as done",
        LOAD.as_secs(),
        balancer.sent.load(Ordering::Relaxed),
        failed.len(),
        balancer.refused.load(Ordering::Relaxed),
        created + deleted + sum(|it| it.logins),
    ));
    assert!(failed.is_empty(), "{failed:#?}");
    let refused = balancer.refused.load(Ordering::Relaxed);
    assert_eq!(refused, 0, "an instance stopped before the balancer knew");
    assert!(created > 100, "it was no load: {created}");

    // Each write is there once.
    let audit = database.rows("audit").await;
    let audited = |event: &str| audit.iter().filter(|row| row.contains(event)).count();
    assert_eq!(audited("'app_created'"), created);
    assert_eq!(audited("'app_deleted'"), deleted);
    assert_eq!(database.rows("app").await.len(), created - deleted);
    assert_eq!(database.rows("session").await.len(), logins);
    let begin = Instant::now();
    while count_mails(folder.path()) < logins {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "mails are missing"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for instance in &mut instances {
        signal(&instance.child, "TERM");
    }
    for instance in &mut instances {
        assert!(instance.child.wait().await.unwrap().success());
    }
}

async fn log_in(instance: &Served, folder: &Path, number: usize) -> Worker {
    let email = format!("worker{number}@example.com");
    let login = instance.api.post("/api/1/login");
    let login = ok(login.json(&json!({ "email": email }))).await;
    let mail = mail_after(folder, number).await;
    let form = instance.api.post(&link_path(&mail));
    let form = form.form(&[("manual_code", login["manual_code"].as_str().unwrap())]);
    assert_eq!(form.send().await.unwrap().status(), 303);
    let key = login["session_key"].as_str().unwrap().to_owned();
    let user = ok(instance.api.get("/api/1/user").bearer_auth(&key)).await;
    Worker {
        org_id: user["org_list"][0]["org_id"].as_i64().unwrap(),
        key,
        ..Worker::default()
    }
}
