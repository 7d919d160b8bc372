//! Backups, putting one back, and the key that belongs to a database.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use sea_orm::DatabaseBackend;
use serde_json::json;
use tokio::process::Command;

use crate::harness::{
    Service, TestDatabase,
    binary::{Served, binary, ended, serve, signal, text},
    link_path, mail_after, ok,
};

/// Runs a command of the operator and answers its exit code and what it said.
async fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = binary(folder);
    command.args(arguments);
    let output = ended(command).await;
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code(), said)
}

async fn stop(mut served: Served) {
    signal(&served.child, "TERM");
    assert!(served.child.wait().await.unwrap().success());
}

async fn users(folder: &Path) -> String {
    let (code, said) = run(folder, &["user", "list"]).await;
    assert_eq!(code, Some(0), "{said}");
    said
}

#[tokio::test]
async fn a_backup_is_made_while_the_service_runs_and_put_back_when_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    if TestDatabase::create(folder.path()).await.backend() != DatabaseBackend::Sqlite {
        return;
    }
    let folder = folder.path();
    let (code, said) = run(folder, &["backup", "backup.db"]).await;
    assert_eq!(code, Some(1), "there is nothing yet");
    assert!(said.contains("start the service first"), "{said}");

    let served = serve(binary(folder)).await;
    run(folder, &["user", "add", "ann@example.com"]).await;
    let (code, said) = run(folder, &["backup", "backup.db"]).await;
    assert_eq!((code, said.as_str()), (Some(0), "backed up to backup.db\n"));
    let mode = fs::metadata(folder.join("backup.db")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    let (code, said) = run(folder, &["backup", "backup.db"]).await;
    assert_eq!(code, Some(1), "nothing is overwritten");
    assert!(said.contains("backup.db already exists"), "{said}");
    let (code, said) = run(folder, &["backup", "nowhere/backup.db"]).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("nowhere"), "{said}");

    run(folder, &["user", "add", "bob@example.com"]).await;
    let (code, said) = run(folder, &["restore", "backup.db"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cortex-report.db is in use"), "{said}");
    assert!(users(folder).await.contains("bob@example.com"));
    stop(served).await;

    let (code, said) = run(folder, &["restore", "backup.db"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(".before-restore"), "{said}");
    let mode = fs::metadata(folder.join("cortex-report.db")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    assert!(folder.join("backup.db").exists(), "the backup stays");
    let served = serve(binary(folder)).await;
    let listed = users(folder).await;
    assert!(listed.contains("ann@example.com") && !listed.contains("bob@example.com"));
    stop(served).await;

    let (code, said) = run(folder, &["restore", "backup.db"]).await;
    assert_eq!(code, Some(1), "what was kept before is not overwritten");
    assert!(
        said.contains("cortex-report.db.before-restore already exists"),
        "{said}"
    );
    assert!(users(folder).await.contains("ann@example.com"));
}

/// With the log of another beside it, a database is damaged.
#[tokio::test]
async fn a_backup_is_put_in_the_place_of_files_that_a_crash_left() {
    let folder = tempfile::tempdir().unwrap();
    if TestDatabase::create(folder.path()).await.backend() != DatabaseBackend::Sqlite {
        return;
    }
    let folder = folder.path();
    let mut served = serve(binary(folder)).await;
    run(folder, &["user", "add", "ann@example.com"]).await;
    run(folder, &["backup", "backup.db"]).await;
    run(folder, &["user", "add", "bob@example.com"]).await;
    signal(&served.child, "KILL");
    served.child.wait().await.unwrap();
    let log = fs::metadata(folder.join("cortex-report.db-wal")).unwrap();
    assert!(log.len() > 0, "what was written last is in the log");
    let (code, said) = run(folder, &["restore", "backup.db"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(!folder.join("cortex-report.db-wal").exists());
    let served = serve(binary(folder)).await;
    let listed = users(folder).await;
    assert!(listed.contains("ann@example.com") && !listed.contains("bob@example.com"));
    stop(served).await;
}

#[tokio::test]
async fn a_damaged_database_is_not_started_with_and_a_backup_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    if TestDatabase::create(folder.path()).await.backend() != DatabaseBackend::Sqlite {
        return;
    }
    let folder = folder.path();
    let served = serve(binary(folder)).await;
    run(folder, &["backup", "backup.db"]).await;
    stop(served).await;
    let database = folder.join("cortex-report.db");
    let whole = fs::read(&database).unwrap();
    for damaged in [100..whole.len(), 8192..20_000, 0..100] {
        let mut bytes = whole.clone();
        bytes[damaged.clone()].fill(7);
        fs::write(&database, bytes).unwrap();
        let ended = ended(binary(folder)).await;
        assert_eq!(ended.status.code(), Some(1), "{damaged:?}");
        let said = text(&ended.stderr);
        let remedy = "cortex-reportd restore";
        assert!(said.contains("damaged") && said.contains(remedy), "{said}");
        let (code, said) = run(folder, &["restore", "backup.db"]).await;
        assert_eq!(code, Some(0), "{said}");
        stop(serve(binary(folder)).await).await;
        for kept in fs::read_dir(folder).unwrap().flatten() {
            if kept
                .file_name()
                .to_string_lossy()
                .contains("before-restore")
            {
                fs::remove_file(kept.path()).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn only_a_whole_database_of_this_program_is_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    if database.backend() != DatabaseBackend::Sqlite {
        return;
    }
    let folder = folder.path();
    let served = serve(binary(folder)).await;
    run(folder, &["user", "add", "ann@example.com"]).await;
    run(folder, &["backup", "whole.db"]).await;
    stop(served).await;
    let whole = fs::read(folder.join("whole.db")).unwrap();
    fs::write(folder.join("half.db"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.join("text.db"), "to whom it may concern".repeat(400)).unwrap();
    fs::write(folder.join("empty.db"), "").unwrap();
    let before = fs::read(folder.join("cortex-report.db")).unwrap();
    for name in ["half.db", "text.db", "empty.db", "missing.db", "."] {
        let (code, said) = run(folder, &["restore", name]).await;
        assert_eq!(code, Some(1), "{name}: {said}");
        assert!(said.contains(&format!("{name} is not a backup")), "{said}");
        let now = fs::read(folder.join("cortex-report.db")).unwrap();
        assert!(now == before, "{name} has changed the database");
        let left = fs::read_dir(folder).unwrap().flatten();
        let left = left.filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.contains(".tmp") || name.contains("before-restore")
        });
        assert_eq!(left.count(), 0, "{name} left something behind");
    }
    assert!(users(folder).await.contains("ann@example.com"));
}

#[tokio::test]
async fn a_server_has_its_own_tools() {
    let service = Service::start().await;
    if service.database.backend() == DatabaseBackend::Sqlite {
        return;
    }
    let backup = service.operate(&["backup", "backup.db"]);
    assert_eq!(backup.status.code(), Some(1));
    let said = text(&backup.stderr);
    assert!(
        said.contains("pg_dump") && said.contains("mariadb-dump"),
        "{said}"
    );
}

/// The binary on a database that may be on a server.
fn on(folder: &Path, database: &TestDatabase) -> Command {
    let mut command = binary(folder);
    command.env("CORTEX_REPORT_DATABASE_URL", database.url());
    command
}

#[tokio::test]
async fn a_lost_key_and_another_one_are_not_taken_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    let folder = folder.path();
    let served = serve(on(folder, &database)).await;
    let login = served.api.post("/api/1/login");
    ok(login.json(&json!({ "email": "ann@example.com" }))).await;
    mail_after(folder, 0).await;
    stop(served).await;

    let key_file = folder.join("cortex-report.key");
    let key = fs::read(&key_file).unwrap();
    fs::remove_file(&key_file).unwrap();
    let refused = async |reasons: &[&str]| {
        for arguments in [&[][..], &["check-config"]] {
            let mut command = on(folder, &database);
            let ended = command.args(arguments).output().await.unwrap();
            assert_eq!(ended.status.code(), Some(1));
            let said = text(&ended.stdout) + &text(&ended.stderr);
            for reason in reasons {
                assert!(said.contains(reason), "lacks {reason}: {said}");
            }
        }
    };
    refused(&["CORTEX_REPORT_KEY_FILE", "does not exist", "replace-key"]).await;
    assert!(!key_file.exists(), "no other key is made");
    fs::write(&key_file, "another key of more than 32 characters").unwrap();
    refused(&[
        "CORTEX_REPORT_KEY_FILE",
        "holds a different key",
        "replace-key",
    ])
    .await;
    fs::write(&key_file, key).unwrap();
    stop(serve(on(folder, &database)).await).await;

    fs::remove_file(&key_file).unwrap();
    let replaced = on(folder, &database)
        .arg("replace-key")
        .output()
        .await
        .unwrap();
    let said = text(&replaced.stdout);
    assert!(
        said.contains("logins in progress that were ended: 1"),
        "{said}{}",
        text(&replaced.stderr)
    );
    let served = serve(on(folder, &database)).await;
    let mails = fs::read_dir(folder.join("mail")).unwrap().count();
    let login = served.api.post("/api/1/login");
    let login = ok(login.json(&json!({ "email": "ann@example.com" }))).await;
    let form = served
        .api
        .post(&link_path(&mail_after(folder, mails).await));
    let form = form.form(&[("manual_code", login["manual_code"].as_str().unwrap())]);
    assert!(form.send().await.unwrap().status().as_u16() < 400);
    stop(served).await;
}
