//! Durability of acknowledged writes, whatever faults the disk and the database have.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use sea_orm::{ConnectionTrait, DatabaseBackend};
use serde_json::json;

use crate::harness::{
    Service, TestDatabase,
    binary::{Served, binary, serve, signal},
    conformance::Caller,
    link_path, mail_after, ok, problem, say,
};

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

/// A served binary, and somebody who is logged in there and creates applications.
struct User {
    served: Served,
    key: String,
    org_id: i64,
}

impl User {
    async fn log_in(served: Served, folder: &Path) -> Self {
        let login = served.api.post("/api/1/login");
        let login = ok(login.json(&json!({ "email": "ann@example.com" }))).await;
        let form = served.api.post(&link_path(&mail_after(folder, 0).await));
        let form = form.form(&[("manual_code", login["manual_code"].as_str().unwrap())]);
        assert!(form.send().await.unwrap().status().as_u16() < 400);
        let key = login["session_key"].as_str().unwrap().to_owned();
        let user = ok(served.api.get("/api/1/user").bearer_auth(&key)).await;
        Self {
            org_id: user["org_list"][0]["org_id"].as_i64().unwrap(),
            served,
            key,
        }
    }

    /// The same one, at a service that was killed and started again.
    async fn after_a_kill(mut self, command: tokio::process::Command) -> Self {
        signal(&self.served.child, "KILL");
        self.served.child.wait().await.unwrap();
        Self {
            served: serve(command).await,
            ..self
        }
    }

    async fn create(&self, name: &str) -> StatusCode {
        let body = json!({ "org_id": self.org_id, "app_name": name });
        let create = self.served.api.post("/api/1/app").bearer_auth(&self.key);
        create.json(&body).send().await.unwrap().status()
    }

    async fn apps(&self) -> BTreeSet<String> {
        let list = format!("/api/1/app?org_id={}", self.org_id);
        let list = ok(self.served.api.get(&list).bearer_auth(&self.key)).await;
        let apps = list["app_list"].as_array().unwrap().iter();
        apps.map(|app| app["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until a write succeeds again, without a restart.
    async fn recovers(&self, name: &str) {
        let begin = Instant::now();
        while self.create(name).await != 200 {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "the disk is whole again, and {name} is still refused: is a connection used on that \
                 is inside a dead transaction?"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Logs no more than that it serves: nobody reads the rest.
fn quiet(command: &mut tokio::process::Command) {
    let level = "error,cortex_report_server::run=info";
    command.env("CORTEX_REPORT_LOG_LEVEL", level);
}

/// Waits until a service that was not ready is: a write that was refused counts for a while.
async fn is_ready_again(api: &Caller) {
    let begin = Instant::now();
    while api.get("/readyz").send().await.unwrap().status() != 200 {
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "it is not ready again"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The library that fails what the file `faults` in the folder says.
fn faults(folder: &Path) -> std::path::PathBuf {
    let library = folder.join("faults.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/faults.c");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status();
    assert!(made.unwrap().success(), "a C compiler is needed");
    library
}

fn say_what_fails(folder: &Path, what: &str) {
    // Another file each time, so that it counts anew.
    fs::write(folder.join("faults.new"), what).unwrap();
    fs::rename(folder.join("faults.new"), folder.join("faults")).unwrap();
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_disk_that_fails_at_any_point_of_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if TestDatabase::create(folder).await.backend() != DatabaseBackend::Sqlite {
        // A server's disk is a matter of the server.
        return;
    }
    let library = faults(folder);
    let command = || {
        let mut command = binary(folder);
        command.env("LD_PRELOAD", &library);
        command.env("FAULTS", folder.join("faults"));
        quiet(&mut command);
        command
    };
    let mut user = User::log_in(serve(command()).await, folder).await;
    let (mut acknowledged, mut refused) = (BTreeSet::new(), 0);
    for round in 0..100 {
        let kind = if round % 2 == 0 { 's' } else { 'w' };
        let error = if round % 3 == 0 { ENOSPC } else { EIO };
        say_what_fails(folder, &format!("{kind} {error} {}", round / 2 % 7));
        for number in 0..4 {
            let name = format!("round {round} app {number}");
            match user.create(&name).await.as_u16() {
                200 => drop(acknowledged.insert(name)),
                503 => refused += 1,
                status => panic!("{name} is answered with {status}"),
            }
        }
        fs::remove_file(folder.join("faults")).unwrap();
        let name = format!("round {round} afterwards");
        user.recovers(&name).await;
        acknowledged.insert(name);
        if round % 20 == 19 {
            user = user.after_a_kill(command()).await;
            let apps = user.apps().await;
            let lost: Vec<_> = acknowledged.difference(&apps).collect();
            assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        }
    }
    say(&format!(
        "failing disk: 100 rounds, {} writes acknowledged, 0 lost, {refused} refused with 503",
        acknowledged.len()
    ));
    assert!(refused > 100, "the disk did not fail: {refused}");
}

/// A file system of so many KiB, gone when it is dropped; none where it may not be mounted.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(folder: &Path, kib: u32) -> Option<Self> {
        let at = folder.join("disk");
        fs::create_dir(&at).unwrap();
        let size = format!("size={kib}k,mode=0755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&at)
            .output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(at));
        }
        say("LEFT OUT: a test needs the right to mount a file system");
        None
    }

    fn remount(&self, option: &str) {
        let remounted = Command::new("mount")
            .args(["-o", &format!("remount,{option}")])
            .arg(&self.0)
            .status();
        assert!(remounted.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_disk_that_was_full_once_takes_and_keeps_what_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    if TestDatabase::create(folder.path()).await.backend() != DatabaseBackend::Sqlite {
        return;
    }
    let Some(disk) = SmallDisk::mount(folder.path(), 1200) else {
        return;
    };
    let database = format!("sqlite://{}", disk.0.join("cortex-report.db").display());
    let command = || {
        let mut command = binary(folder.path());
        command.env("CORTEX_REPORT_DATABASE_URL", &database);
        for limit in ["ADDRESS_CLIENT", "ADDRESS", "CLIENT", "NETWORK", "TOTAL"] {
            command.env(format!("CORTEX_REPORT_MAIL_LIMIT_{limit}"), "1000000/1s");
        }
        quiet(&mut command);
        command
    };
    let user = User::log_in(serve(command()).await, folder.path()).await;
    let ballast = disk.0.join("ballast");
    let mut refused = 0;
    for number in 0..150 {
        if number == 20 {
            fs::write(&ballast, vec![1; 2 * 1024 * 1024]).unwrap_err();
        }
        let login = user.served.api.post("/api/1/login");
        let login = login.json(&json!({ "email": format!("user{number}@example.com") }));
        let status = login.send().await.unwrap().status();
        assert!([200, 503].contains(&status.as_u16()), "{status}");
        refused += usize::from(status == 503);
    }
    assert!(refused > 50, "the disk was not full: {refused}");
    problem(user.served.api.get("/readyz"), 503, "unavailable").await;
    fs::remove_file(&ballast).unwrap();
    disk.remount("size=20m");
    user.recovers("room again").await;
    for number in 0..60 {
        assert_eq!(user.create(&format!("app {number}")).await, 200);
    }
    is_ready_again(&user.served.api).await;
    let user = user.after_a_kill(command()).await;
    assert_eq!(user.apps().await.len(), 61, "acknowledged and lost");
}

#[tokio::test]
async fn a_database_that_cannot_be_written_to_is_not_ready_and_is_not_started_with() {
    let folder = tempfile::tempdir().unwrap();
    if TestDatabase::create(folder.path()).await.backend() != DatabaseBackend::Sqlite {
        return;
    }
    let Some(disk) = SmallDisk::mount(folder.path(), 20_000) else {
        return;
    };
    let database = disk.0.join("cortex-report.db");
    let command = |parameters: &str| {
        let mut command = binary(folder.path());
        let url = format!("sqlite://{}{parameters}", database.display());
        command.env("CORTEX_REPORT_DATABASE_URL", url);
        command
    };
    let mut served = serve(command("")).await;
    assert_eq!(
        served.api.get("/readyz").send().await.unwrap().status(),
        200
    );
    signal(&served.child, "TERM");
    served.child.wait().await.unwrap();
    disk.remount("ro");
    let ended = crate::harness::binary::ended(command("")).await;
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("CORTEX_REPORT_DATABASE_URL"), "{said}");
    disk.remount("rw");
    let ended = crate::harness::binary::ended(command("?mode=ro")).await;
    assert_eq!(ended.status.code(), Some(1), "it has to be able to write");
}

/// PostgreSQL only, where a rule can make a table refuse writes.
#[tokio::test]
async fn a_server_that_takes_no_writes_is_not_ready() {
    let service = Service::start().await;
    if service.database.backend() != DatabaseBackend::Postgres {
        return;
    }
    let database = service.database.connect().await;
    // Each session has rights of its own to look at; what counts is the table that is written to.
    let refuse = "CREATE RULE refuse AS ON INSERT TO state DO INSTEAD SELECT 1 / 0";
    database.execute_unprepared(refuse).await.unwrap();
    problem(service.get("/readyz"), 503, "unavailable").await;
    database
        .execute_unprepared("DROP RULE refuse ON state")
        .await
        .unwrap();
    is_ready_again(&service.api).await;
}

/// A client that goes away while its transaction begins leaves no open one behind, in which others
/// would then write.
#[tokio::test]
async fn clients_that_go_away_leave_no_transaction_open() {
    let service = Service::start().await;
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    service.outbox_is_empty().await;
    for round in 0..200_u64 {
        let body = json!({ "org_id": org_id, "app_name": format!("given up {round}") });
        let create = service.post("/api/1/app").bearer_auth(&key).json(&body);
        // Long enough to be under way, at a point that differs.
        let patience = Duration::from_micros(300 + 37 * round);
        let _ = tokio::time::timeout(patience, create.send()).await;
    }
    let before: BTreeSet<String> = service.dump().await.into_iter().collect();
    for number in 0..20 {
        service
            .create_app(&key, org_id, &format!("acknowledged {number}"))
            .await;
    }
    let after: BTreeSet<String> = service.dump().await.into_iter().collect();
    let apps = after.difference(&before);
    let apps = apps.filter(|row| row.starts_with("app: ") && row.contains("acknowledged"));
    assert_eq!(
        apps.count(),
        20,
        "somebody else has to see what was acknowledged"
    );
}

#[tokio::test]
async fn files_that_are_taken_away_or_replaced_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    if TestDatabase::create(folder.path()).await.backend() != DatabaseBackend::Sqlite {
        return;
    }
    for file in [
        "cortex-report.db",
        "cortex-report.db-wal",
        "cortex-report.db-shm",
    ] {
        for is_replaced in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let served = serve(binary(folder.path())).await;
            let mut user = User::log_in(served, folder.path()).await;
            assert_eq!(user.create("before").await, 200);
            let path = folder.path().join(file);
            let away = folder.path().join("away");
            fs::rename(&path, &away).unwrap();
            if is_replaced {
                fs::copy(&away, &path).unwrap();
            }
            assert_eq!(user.create("afterwards").await, 503, "{file}");
            tokio::time::sleep(Duration::from_millis(1100)).await;
            let readiness = problem(user.served.api.get("/readyz"), 503, "unavailable").await;
            let detail = readiness["detail"].as_str().unwrap();
            assert!(detail.contains("removed or replaced"), "{detail}");
            let logged = loop {
                let line = user.served.log.next_line().await.unwrap().unwrap();
                if line.contains("removed or replaced") {
                    break line;
                }
            };
            assert!(logged.contains(file), "the log names the file: {logged}");
            // Put back, it goes on.
            fs::rename(&away, &path).unwrap();
            user.recovers("put back").await;
            assert_eq!(
                user.apps().await,
                ["before", "put back"].map(str::to_owned).into()
            );
        }
    }
}

#[tokio::test]
async fn a_log_that_a_long_reader_made_grow_is_cut_back() {
    let service = Service::start().await;
    if service.database.backend() != DatabaseBackend::Sqlite {
        return;
    }
    let key = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&key).await;
    let log = service.folder().path().join("test.db-wal");
    let size = || fs::metadata(&log).unwrap().len();
    let reader = service.database.connect().await;
    let read = "BEGIN; SELECT count(*) FROM app";
    reader.execute_unprepared(read).await.unwrap();
    let writer = service.database.connect().await;
    let fill =
        "CREATE TABLE ballast AS WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1
        FROM number WHERE n < 6000) SELECT randomblob(2000) AS bytes FROM number";
    writer.execute_unprepared(fill).await.unwrap();
    assert!(size() > 8 << 20, "the log did not grow: {}", size());
    writer.close().await.unwrap();
    reader.close().await.unwrap();
    for number in 0..5 {
        service
            .create_app(&key, org_id, &format!("app {number}"))
            .await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(size() <= 4 << 20, "the log stays at {} bytes", size());
}
