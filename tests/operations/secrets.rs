//! Secrets: as hashes in the database, and nowhere in the log.

use serde_json::json;

use crate::harness::{
    Service, TestDatabase,
    binary::{Served, binary, serve},
    link_path, mail_after,
};

#[tokio::test]
async fn the_database_holds_no_secret_in_the_clear() {
    let service = Service::start().await;
    let pending = service.start_login("ann@example.com").await;
    let key = service.log_in("ann@example.com").await;
    let dump = service.dump().await.join("\n");
    let token = pending.path.trim_start_matches("/verify/");
    let letters = pending.manual_code.replace('-', "");
    for secret in [
        &key,
        &pending.session_key,
        &pending.manual_code,
        token,
        &letters,
    ] {
        assert!(!dump.contains(secret), "{secret} stands in the database");
        let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
        assert!(
            !dump.to_uppercase().contains(&hex),
            "{secret} stands in the database as bytes"
        );
    }
    assert!(
        dump.contains("ann@example.com"),
        "the dump does show what is stored"
    );
}

/// A whole life at the most talkative log level, wrong turns included.
#[tokio::test]
async fn the_log_shows_no_secret() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let database = TestDatabase::create(folder.path()).await;
        let mut command = binary(folder.path());
        command
            .env("CORTEX_REPORT_DATABASE_URL", database.url())
            .env("CORTEX_REPORT_LOG_LEVEL", "trace")
            .env("CORTEX_REPORT_LOG_FORMAT", format);
        let Served {
            mut child,
            api,
            logged,
            mut log,
            ..
        } = serve(command).await;
        let reading = tokio::spawn(async move {
            let mut all = logged;
            while let Some(line) = log.next_line().await.unwrap() {
                all.push_str(&line);
                all.push('\n');
            }
            all
        });

        let mut secrets = Vec::new();
        for _ in 0..2 {
            let login = api.post("/api/1/login");
            let login = login
                .json(&json!({ "email": "ann@example.com" }))
                .send()
                .await
                .unwrap();
            let login: serde_json::Value = login.json().await.unwrap();
            let key = login["session_key"].as_str().unwrap().to_owned();
            let code = login["manual_code"].as_str().unwrap().to_owned();
            let path = link_path(&mail_after(folder.path(), secrets.len() / 4).await);
            for code in ["BBBB-BBBB", code.as_str()] {
                let form = api.post(&path).form(&[("manual_code", code)]);
                form.send().await.unwrap();
            }
            let user = api.get("/api/1/user");
            let user = user
                .header("cookie", format!("session_key={key}"))
                .send()
                .await
                .unwrap();
            let user: serde_json::Value = user.json().await.unwrap();
            let org_id = &user["org_list"][0]["org_id"];
            let name = format!("app {}", secrets.len());
            let app = json!({ "org_id": org_id, "app_name": name, "session_key": key });
            api.post("/api/1/app").json(&app).send().await.unwrap();
            let apps = api
                .get(&format!("/api/1/app?org_id={org_id}"))
                .bearer_auth(&key);
            let apps: serde_json::Value = apps.send().await.unwrap().json().await.unwrap();
            let api_key = apps["app_list"][0]["api_key_list"][0]
                .as_str()
                .unwrap()
                .to_owned();
            let wrong = json!({ "session_key": [key] });
            api.post("/api/1/logout").json(&wrong).send().await.unwrap();
            let token = path.trim_start_matches("/verify/").to_owned();
            secrets.extend([key, code, token, api_key]);
        }
        child.start_kill().unwrap();
        let log = reading.await.unwrap();
        assert!(
            log.contains("createApp") && log.contains("/verify/:token"),
            "{log}"
        );
        for secret in secrets {
            assert!(!log.contains(&secret), "{secret} stands in the log");
        }
        assert!(
            !log.contains("ann@example.com"),
            "an address stands in the log"
        );
    }
}

/// The mails in it are keys to logins. A folder that the operator has made is left as it is.
#[tokio::test]
async fn a_mail_folder_is_made_for_its_owner_alone_and_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;

    let service = Service::start().await;
    let folder = service.folder().path().join("mail");
    let mode = || std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o700);
    let shared = std::fs::Permissions::from_mode(0o750);
    std::fs::set_permissions(&folder, shared).unwrap();
    let _service = service.restart_with(|_| {}).await;
    assert_eq!(mode(), 0o750);
}
