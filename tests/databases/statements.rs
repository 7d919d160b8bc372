//! Every statement that the service sends to PostgreSQL, for whoever wants to run it on a database
//! that speaks the same protocol.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use cortex_report_server::Registration;
use reqwest::Method;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::harness::{Service, TestDatabase, is_as_kept, ok, problem};

const HOUR: u64 = 60 * 60;

type Statements = Arc<Mutex<BTreeSet<String>>>;

/// Stands between the service and its server, and keeps what it is asked. Answers where.
async fn listen_in(server: String, statements: Statements) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(&server).await.unwrap();
            server.set_nodelay(true).unwrap();
            let (mut answers, to_server) = server.into_split();
            let (from_client, mut to_client) = client.into_split();
            tokio::spawn(async move { copy(&mut answers, &mut to_client).await });
            tokio::spawn(pass_on(from_client, to_server, Arc::clone(&statements)));
        }
    });
    address
}

/// Passes messages on, each of which is a kind (but for the first), a length and what it says.
async fn pass_on(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    statements: Statements,
) -> std::io::Result<()> {
    let mut has_begun = false;
    loop {
        let kind = if has_begun { from.read_u8().await? } else { 0 };
        let length = from.read_u32().await?;
        let mut says = vec![0; length as usize - 4];
        from.read_exact(&mut says).await?;
        let mut message = Vec::from(&[kind][..usize::from(has_begun)]);
        message.extend(length.to_be_bytes());
        message.extend(&says);
        to.write_all(&message).await?;
        has_begun = true;
        let mut texts = says.split(|byte| *byte == 0);
        let statement = match kind {
            b'Q' => texts.next(),
            // Behind the name that it is prepared under.
            b'P' => texts.nth(1),
            _ => None,
        };
        if let Some(statement) = statement {
            let statement = String::from_utf8_lossy(statement);
            let words: Vec<&str> = statement.split_whitespace().collect();
            statements.lock().unwrap().insert(words.join(" "));
        }
    }
}

/// All that people, clients, operators, the outbox and the clean-up do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_them_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    if database.backend() != DatabaseBackend::Postgres {
        return;
    }
    let statements = Statements::default();
    let address = listen_in(database.server(), Arc::clone(&statements)).await;
    let database = database.through(&address);
    let service = Service::start_on(folder, database, |settings| {
        settings.metrics_listen = Some(([127, 0, 0, 1], 0).into());
        settings.mail_limits.total = "5/1h".parse().unwrap();
        settings.events.seal_interval = 0;
    })
    .await;

    let key = service.log_in("ann@example.com").await;
    let again = service.start_login("ann@example.com").await;
    service.get(&again.path).send().await.unwrap();
    service.type_code(&again, "BBBB-BBBB").await;
    service.type_code(&again, &again.manual_code).await;
    let org_id = service.org_id(&key).await;
    let app_id = service.create_app(&key, org_id, "Space Miner").await;
    let taken = json!({ "org_id": org_id, "app_name": "Space Miner" });
    let taken = service.post("/api/1/app").bearer_auth(&key).json(&taken);
    problem(taken, 409, "name_taken").await;
    for page in ["", "&limit=2&after=1"] {
        let path = format!("/api/1/app?org_id={org_id}{page}");
        ok(service.get(&path).bearer_auth(&key)).await;
    }
    people_and_keys(&service, &key, app_id).await;
    events(&service, &key, org_id).await;
    let kept = service.create_app(&key, org_id, "Kept").await;
    let path = format!("/api/1/app/{app_id}");
    ok(service.request(Method::DELETE, &path).bearer_auth(&key)).await;
    service.clock.advance(HOUR);
    ok(service.get("/api/1/user").bearer_auth(&key)).await;
    ok(service.post("/api/1/logout").bearer_auth(&key)).await;
    // Until the limits refuse one.
    let asked = json!({ "email": "ann@example.com" });
    let mut status = 200;
    for _ in 0..20 {
        let login = service.post("/api/1/login").json(&asked);
        status = login.send().await.unwrap().status().as_u16();
        if status != 200 {
            break;
        }
    }
    assert_eq!(status, 429);
    let ready = service.get("/readyz").send().await.unwrap();
    assert_eq!(ready.status(), 200);
    assert!(service.metrics().await.contains("database_up 1"));

    let added = service.operate(&["org", "add", "Example"]);
    let org = String::from_utf8_lossy(&added.stdout).trim().to_owned();
    for arguments in [
        "user add bob@example.com",
        "user list",
        "user unlock ann@example.com",
        "user end-sessions ann@example.com",
        "org list",
        "member add bob@example.com ORG --role viewer",
        "member add bob@example.com ORG --role member",
        "member list",
        "mail list",
        "mail dead",
        "user rename bob@example.com Bob",
        "user change-address bob@example.com rob@example.com",
        "user add bob@example.com",
        "member add bob@example.com ORG",
        "user change-address rob@example.com bob@example.com",
        "member remove bob@example.com ORG",
        "user remove bob@example.com",
        "user add bob@example.com",
        "org rename ORG Renamed",
        "org remove ORG --name Renamed",
        "app list",
        "app list --org ORG",
        "key list APP",
        "session list ann@example.com",
        "audit list",
        "audit list --org ORG --kind login",
    ] {
        let arguments = arguments.replace("ORG", &org);
        let arguments = arguments.replace("APP", &kept.to_string());
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let done = service.operate(&arguments);
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }

    // A mail that is put off, and given up.
    let service = service
        .restart_with(|settings| {
            settings.registration = Registration::Closed;
            settings.mail.smtp_url = Some("smtp://127.0.0.1:1?tls=off".parse().unwrap());
        })
        .await;
    let login = json!({ "email": "bob@example.com" });
    ok(service.post("/api/1/login").json(&login)).await;
    // Once it was tried, and before its login has expired.
    while !service
        .database
        .rows("mail")
        .await
        .concat()
        .contains("refused")
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while service.rows("dead_letter").await == 0 {
        service.clock.advance(60);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    service.clock.advance(40 * 24 * HOUR);
    let service = service.restart_with(|_| {}).await;
    service.rows_become("dead_letter", 0).await;

    let statements = statements.lock().unwrap();
    // This is how the test looks into a table.
    let of_service = |it: &&String| !it.contains("quote_nullable");
    let statements: Vec<&str> = statements
        .iter()
        .filter(of_service)
        .map(String::as_str)
        .collect();
    is_as_kept("postgres.sql", &format!("{};\n", statements.join(";\n")));
}

/// Events on their way into the lake.
async fn events(service: &Service, key: &str, org_id: i64) {
    let list = format!("/api/1/app?org_id={org_id}");
    let list = ok(service.get(&list).bearer_auth(key)).await;
    let api_key = &list["app_list"][0]["api_key_list"][0];
    for (api_key, user, status) in [
        (api_key, "ann", 200),
        (api_key, "bo", 200),
        (&json!("x"), "", 403),
    ] {
        let event = json!({ "type": "event", "user_tag": user });
        let bundle = json!({ "api_key": api_key, "device_tag": "d", "events": [event] });
        let sent = service.post("/ann/1/track").json(&bundle).send().await;
        assert_eq!(sent.unwrap().status(), status);
        service.rows_become("inbox", 0).await;
    }
}

/// All that an owner does with people and keys.
async fn people_and_keys(service: &Service, key: &str, app_id: i64) {
    let org_id = service.create_org(key, "Example Games").await;
    let org = format!("/api/1/org/{org_id}");
    service.create_app(key, org_id, "Space Digger").await;
    let send = async |method: Method, path: &str, body: Option<serde_json::Value>| {
        let call = service.request(method, path).bearer_auth(key);
        match body {
            Some(body) => ok(call.json(&body)).await,
            None => ok(call).await,
        }
    };
    let change = json!({ "org_name": "Better Games", "short_name": "better" });
    send(Method::PATCH, &org, Some(change)).await;
    send(Method::GET, &org, None).await;
    let guest = service
        .join(key, org_id, "guest@example.com", "member")
        .await;
    let member = format!("{org}/member/{}", service.user_id(&guest).await);
    for role in ["owner", "viewer"] {
        send(Method::PATCH, &member, Some(json!({ "role": role }))).await;
    }
    service
        .invite(key, org_id, "other@example.com", "viewer")
        .await;
    let label = json!({ "label": "build server", "role": "viewer" });
    let token = format!("{org}/token");
    let made = ok(service.post(&token).bearer_auth(&guest).json(&label)).await;
    let by_token = service
        .get("/api/1/user")
        .bearer_auth(made["token"].as_str().unwrap());
    ok(by_token).await;
    for page in ["", "?limit=2&after=1"] {
        for list in ["member", "invitation", "token"] {
            send(Method::GET, &format!("{org}/{list}{page}"), None).await;
        }
        ok(service.get(&format!("{token}{page}")).bearer_auth(&guest)).await;
    }
    for page in [
        "",
        "?limit=2&before=9",
        "?kind=org_created",
        "?kind=org_created&before=9",
    ] {
        send(Method::GET, &format!("{org}/audit{page}"), None).await;
    }
    let invited = send(Method::GET, &format!("{org}/invitation"), None).await;
    let invitation = &invited["invitation_list"][0]["invitation_id"];
    send(
        Method::DELETE,
        &format!("{org}/invitation/{invitation}"),
        None,
    )
    .await;
    send(
        Method::DELETE,
        &format!("{token}/{}", made["token_id"]),
        None,
    )
    .await;
    let again = ok(service.post(&token).bearer_auth(&guest).json(&label)).await;
    let again = format!("{token}/{}", again["token_id"]);
    ok(service.request(Method::DELETE, &again).bearer_auth(&guest)).await;
    send(Method::DELETE, &member, None).await;

    let app = format!("/api/1/app/{app_id}");
    send(Method::GET, &app, None).await;
    for name in ["Space Digger", "Space Miner"] {
        send(Method::PATCH, &app, Some(json!({ "app_name": name }))).await;
    }
    let keys = format!("{app}/api_key");
    let added = send(Method::POST, &keys, Some(json!({}))).await;
    for page in ["", "?limit=2&after=1"] {
        send(Method::GET, &format!("{keys}{page}"), None).await;
    }
    let api_key = format!("{keys}/{}", added["api_key_id"]);
    send(Method::PUT, &api_key, Some(json!({ "label": "old games" }))).await;
    send(Method::DELETE, &api_key, None).await;
    let other = service.log_in("ann@example.com").await;
    let sessions = ok(service.get("/api/1/session").bearer_auth(&other)).await;
    let session = format!(
        "/api/1/session/{}",
        sessions["session_list"][0]["session_id"]
    );
    send(Method::DELETE, &session, None).await;
    send(Method::DELETE, "/api/1/session", None).await;
    send(
        Method::DELETE,
        &format!("{org}?org_name=Better+Games"),
        None,
    )
    .await;
}

/// Each question that asks for some rows, as each database plans it.
#[tokio::test]
async fn every_question_finds_its_rows_by_an_index() {
    let service = Service::start().await;
    let database = service.database.connect().await;
    let backend = service.database.backend();
    if backend == DatabaseBackend::Postgres {
        // Tables as small as these would else be read as a whole.
        let settings = "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan";
        database.execute_unprepared(settings).await.unwrap();
    }
    let statements = include_str!("../golden/postgres.sql");
    let mut asked = 0;
    let mut scans = Vec::new();
    for statement in statements.split(";\n") {
        let kind = statement.split(' ').next().unwrap_or_default();
        // Of the service's tables: the name of each column has that of its table in front. What a
        // step of the schema changes has no parameter.
        let is_ours = statement.contains("WHERE \"") && statement.contains("\".\"");
        let is_ours = is_ours && !statement.contains("_schema") && statement.contains('$');
        if !["SELECT", "UPDATE", "DELETE"].contains(&kind) || !is_ours {
            continue;
        }
        asked += 1;
        let plan = plan(&database, statement).await;
        let is_found = match backend {
            // Of a page that was found all is wanted.
            DatabaseBackend::Sqlite => !plan
                .iter()
                .any(|line| line.starts_with("SCAN") && !line.starts_with("SCAN page ")),
            DatabaseBackend::Postgres => {
                let count = |text: &str| plan.iter().filter(|line| line.contains(text)).count();
                let others = ["Bitmap Heap Scan", "Subquery Scan"];
                let scans = count("Scan") - others.into_iter().map(count).sum::<usize>();
                scans <= count("Index Cond")
            }
            // Without a row it does not choose.
            _ => !plan.iter().any(|line| line == "ALL, no key"),
        };
        if !is_found {
            scans.push(format!("{statement}\n  {}", plan.join("\n  ")));
        }
    }
    assert!(asked > 20, "{asked} questions: are they kept as they were?");
    let scans = scans.join("\n");
    assert!(scans.is_empty(), "add an index for these:\n{scans}");
}

/// Plan of a database for a statement that was written for PostgreSQL.
async fn plan(database: &DatabaseConnection, statement: &str) -> Vec<String> {
    let backend = database.get_database_backend();
    let count = statement.matches('$').count();
    let explain = match backend {
        // SQLite locks no rows.
        DatabaseBackend::Sqlite => {
            let statement = statement.trim_end_matches(" FOR UPDATE");
            format!("EXPLAIN QUERY PLAN {}", with_values(statement, "?"))
        }
        DatabaseBackend::Postgres => {
            let prepare = format!("PREPARE question AS {statement}");
            database.execute_unprepared(&prepare).await.unwrap();
            let nothing = vec!["NULL"; count].join(", ");
            format!("EXPLAIN EXECUTE question({nothing})")
        }
        _ => {
            let statement = with_values(statement, "'1'").replace("LIMIT '1'", "LIMIT 1");
            format!("EXPLAIN {}", statement.replace('"', "`"))
        }
    };
    let rows = database.query_all_raw(Statement::from_string(backend, explain));
    let rows = rows
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    if backend == DatabaseBackend::Postgres {
        let forget = "DEALLOCATE question";
        database.execute_unprepared(forget).await.unwrap();
    }
    let plan = rows.iter().map(|row| match backend {
        DatabaseBackend::Sqlite => row.try_get("", "detail").unwrap(),
        DatabaseBackend::Postgres => row.try_get("", "QUERY PLAN").unwrap(),
        _ => {
            let text = |name: &str| row.try_get::<Option<String>>("", name).unwrap();
            let keys = text("possible_keys").map_or("no key".to_owned(), |_| "a key".to_owned());
            format!("{}, {keys}", text("type").unwrap_or_default())
        }
    });
    plan.collect()
}

/// A statement with something in place of each parameter.
fn with_values(statement: &str, value: &str) -> String {
    let mut parts = statement.split('$');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |said, part| {
        said + value + part.trim_start_matches(|it: char| it.is_ascii_digit())
    })
}
