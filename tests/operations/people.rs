//! Commands on people and on what they have: renamed, merged, removed, listed, as text and as JSON.

use std::time::UNIX_EPOCH;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{BEGINNING, Service, binary::text, ok, problem};

/// Runs a command that has to succeed, and answers its output.
fn run(service: &Service, arguments: &[&str]) -> String {
    let output = service.operate(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Runs a command that has to succeed, and answers its lines of JSON.
fn json_of(service: &Service, arguments: &[&str]) -> Vec<Value> {
    let arguments = [arguments, &["--output", "json"]].concat();
    let lines = run(service, &arguments);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Runs a command that has to fail, and answers its error.
fn refused(service: &Service, arguments: &[&str]) -> String {
    let output = service.operate(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    text(&output.stderr)
}

#[tokio::test]
async fn a_user_is_deleted_with_a_receipt_and_the_deeds_stay() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let own = service.org_id(&ann).await;
    let shared = service.create_org(&ann, "Shared").await;
    let bob = service
        .join(&ann, shared, "bob@example.com", "member")
        .await;
    let bob_id = service.user_id(&bob).await;
    let app_id = service.create_app(&bob, shared, "Space Miner").await;
    let token = json!({ "label": "build server", "role": "member" });
    let path = format!("/api/1/org/{shared}/token");
    let token = ok(service.post(&path).bearer_auth(&bob).json(&token)).await;
    let token = token["token"].as_str().unwrap();
    // An invitation of the address into another organization, and a login that waits.
    service.invite(&ann, own, "bob@example.com", "viewer").await;
    service.start_login("bob@example.com").await;

    let receipt = &json_of(&service, &["user", "remove", "bob@example.com"])[0];
    assert_eq!(receipt["user_id"], bob_id);
    for (name, count) in [
        ("session_count", 2),
        ("membership_count", 2),
        ("token_count", 1),
        ("invitation_count", 1),
        ("known_client_count", 1),
    ] {
        assert_eq!(receipt[name], count, "{name} of {receipt}");
    }
    assert_eq!(
        receipt["org_id_list"].as_array().unwrap().len(),
        1,
        "that of bob alone"
    );
    assert!(
        !service.dump().await.concat().contains("bob"),
        "nothing has the address, but the organization and the display name that went too"
    );
    for key in [&bob, token] {
        problem(
            service.get("/api/1/user").bearer_auth(key),
            403,
            "not_logged_in",
        )
        .await;
    }
    let audit = ok(service
        .get(&format!("/api/1/org/{shared}/audit"))
        .bearer_auth(&ann))
    .await;
    let audit = audit["audit_list"].as_array().unwrap();
    let deed = audit
        .iter()
        .find(|entry| entry["kind"] == "app_created")
        .unwrap();
    assert_eq!(
        (&deed["user_id"], &deed["app_id"]),
        (&json!(bob_id), &json!(app_id))
    );
    assert_eq!(
        (deed.get("email"), &deed["client"]),
        (None, &json!("unknown"))
    );
    let invited = audit
        .iter()
        .find(|entry| entry["kind"] == "member_invited")
        .unwrap();
    assert_eq!(
        (&invited["email"], invited.get("subject")),
        (&json!("ann@example.com"), None)
    );

    assert!(refused(&service, &["user", "remove", "bob@example.com"]).contains("no user bob@"));
    let service = service.restart_with(|_| {}).await;
    let again = service.log_in("bob@example.com").await;
    assert_ne!(
        service.user_id(&again).await,
        bob_id,
        "an id is not used again"
    );
}

#[tokio::test]
async fn an_earlier_address_is_forgotten_too() {
    let service = Service::start().await;
    let bob = service.log_in("bob@example.com").await;
    let org_id = service.org_id(&bob).await;
    service.create_app(&bob, org_id, "Space Miner").await;
    run(
        &service,
        &[
            "user",
            "change-address",
            "bob@example.com",
            "rob@example.com",
        ],
    );
    run(&service, &["user", "remove", "rob@example.com"]);
    let left = service.dump().await.concat();
    assert!(!left.contains("bob") && !left.contains("rob@"), "{left}");
    assert!(left.contains("app_created"), "the deed stays: {left}");
}

/// An address may be given to somebody else.
#[tokio::test]
async fn whoever_has_an_earlier_address_now_keeps_what_is_theirs() {
    let service = Service::start().await;
    let first = service.log_in("office@example.com").await;
    let org_id = service.org_id(&first).await;
    service.create_app(&first, org_id, "Space Miner").await;
    let pending = service.start_login("office@example.com").await;
    run(
        &service,
        &[
            "user",
            "change-address",
            "office@example.com",
            "ann@example.com",
        ],
    );
    let page = service.type_code(&pending, &pending.manual_code).await;
    assert_eq!(
        page.status(),
        404,
        "its mail is in the mailbox of the old address"
    );
    let second = service.log_in("office@example.com").await;
    let theirs = service.org_id(&second).await;
    run(&service, &["user", "remove", "ann@example.com"]);
    problem(
        service.get("/api/1/user").bearer_auth(&first),
        403,
        "not_logged_in",
    )
    .await;
    assert_eq!(service.org_id(&second).await, theirs);
    let left = service.dump().await.concat();
    assert!(!left.contains("ann@"), "{left}");
    let kinds = json_of(&service, &["audit", "list"]);
    let of_second = kinds
        .iter()
        .filter(|entry| entry["email"] == "office@example.com");
    assert_eq!(of_second.count(), 1, "the login of the second: {kinds:?}");
}

#[tokio::test]
async fn the_operator_leaves_no_organization_without_an_owner() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let shared = service.create_org(&ann, "Shared").await;
    service
        .join(&ann, shared, "bob@example.com", "member")
        .await;
    let shared = shared.to_string();
    for command in [
        &["user", "remove", "ann@example.com"][..],
        &["member", "remove", "ann@example.com", &shared],
        &[
            "member",
            "add",
            "ann@example.com",
            &shared,
            "--role",
            "viewer",
        ],
    ] {
        let before = service.dump().await;
        let said = refused(&service, command);
        assert!(
            said.contains(&format!("last owner of organization {shared}")),
            "{said}"
        );
        assert_eq!(service.dump().await, before);
    }
    run(
        &service,
        &[
            "member",
            "add",
            "bob@example.com",
            &shared,
            "--role",
            "owner",
        ],
    );
    run(&service, &["member", "remove", "ann@example.com", &shared]);
    let said = refused(&service, &["member", "remove", "ann@example.com", &shared]);
    assert!(said.contains("is not in organization"), "{said}");
    let path = format!("/api/1/org/{shared}");
    problem(service.get(&path).bearer_auth(&ann), 403, "not_allowed").await;
}

#[tokio::test]
async fn an_address_changes_and_two_users_become_one() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let shared = service.create_org(&ann, "Shared").await;
    let path = format!("/api/1/org/{shared}/token");
    run(
        &service,
        &[
            "user",
            "change-address",
            "ann@example.com",
            "ann@new.example",
        ],
    );
    let user = ok(service.get("/api/1/user").bearer_auth(&ann)).await;
    assert_eq!(user["email"], "ann@new.example", "the session goes on");
    let user_id = service.user_id(&ann).await;

    // Somebody who logs in with a new address before it is changed.
    let other = service.log_in("ann@newest.example").await;
    let theirs = service.org_id(&other).await;
    run(
        &service,
        &[
            "member",
            "add",
            "ann@newest.example",
            &shared.to_string(),
            "--role",
            "viewer",
        ],
    );
    let label = json!({ "label": "theirs", "role": "viewer" });
    let token = ok(service.post(&path).bearer_auth(&other).json(&label)).await;
    let said = run(
        &service,
        &[
            "user",
            "change-address",
            "ann@new.example",
            "ann@newest.example",
        ],
    );
    assert!(said.contains("into one user"), "{said}");
    for key in [&ann, &other] {
        let user = ok(service.get("/api/1/user").bearer_auth(key)).await;
        assert_eq!(
            (&user["user_id"], &user["email"]),
            (&json!(user_id), &json!("ann@newest.example"))
        );
        let orgs = user["org_list"].as_array().unwrap();
        let role = |id: i64| &orgs.iter().find(|org| org["org_id"] == id).unwrap()["role"];
        assert_eq!(
            (role(shared), role(theirs)),
            (&json!("owner"), &json!("owner"))
        );
    }
    ok(service
        .get("/api/1/user")
        .bearer_auth(token["token"].as_str().unwrap()))
    .await;
    let said = refused(
        &service,
        &["user", "change-address", "ann@new.example", "x@example.com"],
    );
    assert!(said.contains("no user ann@new.example"), "{said}");
}

#[tokio::test]
async fn everything_is_listed_as_text_and_as_json() {
    let service = Service::start().await;
    let ann = service.log_in("ann@example.com").await;
    let org_id = service.org_id(&ann).await;
    let app_id = service.create_app(&ann, org_id, "Space Miner").await;
    let (org, app) = (org_id.to_string(), app_id.to_string());
    let began = "2026-01-01T00:00:00Z";

    let user = &json_of(&service, &["user", "list"])[0];
    assert_eq!(
        (&user["created_at"], &user["logged_in_at"]),
        (&json!(began), &json!(began))
    );
    run(&service, &["user", "rename", "ann@example.com", "Ann A."]);
    assert_eq!(
        json_of(&service, &["user", "list"])[0]["display_name"],
        "Ann A."
    );
    run(&service, &["org", "rename", &org, "Renamed"]);
    let name = json_of(&service, &["org", "list"])[0]["name"].clone();
    assert_eq!(name, "Renamed");
    let user = ok(service.get("/api/1/user").bearer_auth(&ann)).await;
    assert_eq!(
        (&user["display_name"], &user["org_list"][0]["name"]),
        (&json!("Ann A."), &name)
    );

    let apps = json_of(&service, &["app", "list", "--org", &org]);
    assert_eq!(
        (&apps[0]["app_id"], &apps[0]["org_id"]),
        (&json!(app_id), &json!(org_id))
    );
    assert_eq!(run(&service, &["app", "list", "--org", "999"]), "");
    let keys = run(&service, &["key", "list", &app]);
    let columns: Vec<&str> = keys.trim_end().split('\t').collect();
    assert_eq!(columns.len(), 7, "{keys}");
    assert_eq!((columns[2], columns[3], columns[5]), ("-", "active", "-"));
    assert!(refused(&service, &["key", "list", "999"]).contains("no application 999"));
    let kinds = json_of(&service, &["audit", "list"]);
    let kinds: Vec<&str> = kinds
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["login", "app_created", "user_renamed", "org_renamed"]
    );
    let renamed = json_of(
        &service,
        &["audit", "list", "--org", &org, "--kind", "org_renamed"],
    );
    assert_eq!(
        (&renamed[0]["client"], &renamed[0]["subject"]),
        (&json!("operator"), &name)
    );
    let audit = ok(service
        .get(&format!("/api/1/org/{org}/audit"))
        .bearer_auth(&ann))
    .await;
    assert_eq!(
        audit["audit_list"][0]["client"], "operator",
        "the owner sees it, too"
    );

    let said = refused(&service, &["org", "remove", &org, "--name", "Other"]);
    assert!(
        said.contains("is called Renamed, so nothing is deleted"),
        "{said}"
    );
    run(&service, &["org", "remove", &org, "--name", "Renamed"]);
    let path = format!("/api/1/app/{app_id}");
    problem(
        service.request(Method::GET, &path).bearer_auth(&ann),
        403,
        "not_allowed",
    )
    .await;
    assert!(refused(&service, &["org", "rename", &org, "x"]).contains("no organization"));
}

/// The commands that are not about people, too.
#[tokio::test]
async fn every_command_answers_in_json() {
    let service = Service::start().await;
    let mail = service.folder().path().join("mail").display().to_string();
    let checked = json_of(&service, &["check-config", "--mail-dir", &mail]);
    for member in ["setting", "ok"] {
        assert!(
            checked.iter().any(|line| line.get(member).is_some()),
            "{checked:?}"
        );
    }
    let url = checked
        .iter()
        .find(|line| line["setting"] == "mail_dir")
        .unwrap();
    assert_eq!(
        (&url["value"], &url["source"]),
        (&json!(mail), &json!("flag"))
    );
    for (arguments, members) in [
        (&["user", "add", "bob@example.com"][..], &["user_id"][..]),
        (&["user", "unlock", "bob@example.com"], &["was_locked"]),
        (
            &["user", "end-sessions", "bob@example.com"],
            &["session_count"],
        ),
        (&["org", "add", "Example"], &["org_id"]),
        (
            &["member", "add", "bob@example.com", "1"],
            &["org_id", "email"],
        ),
        (
            &["--mail-dir", &mail, "mail", "test", "bob@example.com"],
            &["email", "via"],
        ),
    ] {
        let said = json_of(&service, arguments);
        for member in members {
            assert!(said[0].get(member).is_some(), "{arguments:?}: {said:?}");
        }
    }
    if service.database.backend() == sea_orm::DatabaseBackend::Sqlite {
        let file = service
            .folder()
            .path()
            .join("backup.db")
            .display()
            .to_string();
        let backup = json_of(&service, &["backup", &file]);
        assert_eq!(backup[0]["backup"], file);
    }
}

#[tokio::test]
async fn sessions_are_listed() {
    let service = Service::start().await;
    // Commands go by the time of the machine.
    let passed = UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    service.clock.set_ahead(passed - BEGINNING as i64);
    let ann = service.log_in("ann@example.com").await;
    let sessions = json_of(&service, &["session", "list", "ann@example.com"]);
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["client"], "127.0.0.1");
    run(&service, &["user", "end-sessions", "ann@example.com"]);
    assert_eq!(run(&service, &["session", "list", "ann@example.com"]), "");
    problem(
        service.get("/api/1/user").bearer_auth(&ann),
        403,
        "not_logged_in",
    )
    .await;
    assert!(refused(&service, &["session", "list", "eve@example.com"]).contains("no user"));
}

#[tokio::test]
async fn a_test_mail_goes_where_mails_go() {
    let service = Service::start().await;
    let folder = service.folder().path().join("mail").display().to_string();
    let sent = run(
        &service,
        &["--mail-dir", &folder, "mail", "test", "ann@example.com"],
    );
    assert!(
        sent.starts_with("sent a mail to ann@example.com into folder "),
        "{sent}"
    );
    let mut files = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mail = files
        .find(|file| file.to_string_lossy().contains("/test-"))
        .unwrap();
    let mail = std::fs::read_to_string(mail).unwrap();
    assert!(
        mail.contains("To: ann@example.com") && mail.contains("arrive here"),
        "{mail}"
    );

    let nowhere = [
        "--smtp-url",
        "smtp://127.0.0.1:1?tls=off",
        "mail",
        "test",
        "ann@example.com",
    ];
    assert!(refused(&service, &nowhere).contains("mail server error"));
}
