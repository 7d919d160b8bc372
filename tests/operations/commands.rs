//! The binary: its help, the operator's commands, its settings and its end.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::harness::{
    Service, TestDatabase,
    binary::{Served, binary, ended, serve, signal, text},
    ok, problem,
};

#[tokio::test]
async fn the_operator_adds_and_lists_users_organizations_and_members() {
    let service = Service::start().await;
    let run = |arguments: &[&str]| {
        let output = service.operate(arguments);
        let said = (
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr),
        );
        assert_eq!(
            said.2.is_empty(),
            said.0 == 0,
            "an error is said, and only an error: {said:?}"
        );
        (said.0, said.1 + &said.2)
    };
    let done = |said: &str| (0, said.to_owned());
    let failed = |said: &str| (1, format!("cortex-reportd: {said}\n"));

    assert_eq!(run(&["user", "list"]), done(""));
    assert_eq!(run(&["user", "add", "Ann@Example.com"]), done("1\n"));
    assert_eq!(
        run(&["user", "add", "bob@example.com", "--name", "Bob B."]),
        done("2\n")
    );
    assert_eq!(
        run(&["user", "add", "ann@example.com"]),
        failed("there is a user ann@example.com already")
    );
    let without_times = |(status, said): (i32, String)| {
        let lines = said.lines().map(|line| {
            let columns = line.split('\t');
            let columns = columns.filter(|it| !it.ends_with('Z') && *it != "-");
            columns.collect::<Vec<_>>().join("\t") + "\n"
        });
        (status, lines.collect::<String>())
    };
    assert_eq!(
        without_times(run(&["user", "list"])),
        done("1\tann@example.com\tann\n2\tbob@example.com\tBob B.\n")
    );
    assert_eq!(run(&["org", "add", "Example Games"]), done("1\n"));
    assert_eq!(
        run(&["org", "add", " "]),
        failed("a name needs at least one character")
    );
    assert_eq!(
        without_times(run(&["org", "list"])),
        done("1\tExample Games\n")
    );
    assert_eq!(
        run(&["member", "add", "ann@example.com", "1", "--role", "owner"]),
        done("")
    );
    assert_eq!(run(&["member", "add", "bob@example.com", "1"]), done(""));
    assert_eq!(
        run(&["member", "add", "bob@example.com", "1", "--role", "viewer"]),
        done("")
    );
    assert_eq!(
        run(&["member", "list"]),
        done(
            "1\tExample Games\tann@example.com\towner\n1\tExample Games\tbob@example.com\tviewer\n"
        )
    );
    assert_eq!(
        run(&["member", "add", "eve@example.com", "1"]),
        failed(
            "there is no user eve@example.com; add one with: cortex-reportd user add eve@example.com"
        )
    );
    assert_eq!(
        run(&["member", "add", "ann@example.com", "7"]),
        failed("there is no organization 7; list them with: cortex-reportd org list")
    );
    assert_eq!(
        run(&["user", "unlock", "ann@example.com"]),
        done("ann@example.com had no wrong codes\n")
    );
    for name in ["\u{202e}nnA", "\u{200b}", "a\u{1b}[2J"] {
        for command in [
            &["org", "add", name][..],
            &["user", "add", "eve@example.com", "--name", name],
        ] {
            let (status, said) = run(command);
            assert_eq!(status, 1, "{said}");
            assert!(said.contains("cannot be seen"), "{said}");
        }
    }
    let (status, said) = run(&["user", "add", "ann"]);
    assert_eq!(status, 2);
    assert!(
        said.contains("has no domain: write it like name@domain.example"),
        "{said}"
    );

    let key = service.log_in("ann@example.com").await;
    let user = ok(service.get("/api/1/user").bearer_auth(key)).await;
    assert_eq!(user["org_list"][0]["name"], "Example Games");
}

/// Names of an older version, and what mail servers say, may hold anything.
#[tokio::test]
async fn a_terminal_gets_no_controls_and_nothing_invisible() {
    let service = Service::start().await;
    for command in [
        &["org", "add", "one"][..],
        &["user", "add", "ann@example.com"],
    ] {
        assert!(service.operate(command).status.success());
    }
    let database = service.database.connect().await;
    for (table, column) in [("org", "name"), ("\"user\"", "display_name")] {
        let table = match service.database.backend() {
            sea_orm::DatabaseBackend::MySql => table.replace('"', "`"),
            _ => table.to_owned(),
        };
        let sql = format!("UPDATE {table} SET {column} = 'a\u{1b}[2J\nb\u{202e}c\u{200b}'");
        sea_orm::ConnectionTrait::execute_unprepared(&database, &sql)
            .await
            .unwrap();
    }
    for list in ["org", "user"] {
        let listed = text(&service.operate(&[list, "list"]).stdout);
        assert!(
            listed.contains("\ta [2J b\u{fffd}c\u{fffd}\t"),
            "{listed:?}"
        );
    }
}

#[tokio::test]
async fn the_help_names_every_command_setting_variable_and_default() {
    let folder = tempfile::tempdir().unwrap();
    let output = binary(folder.path())
        .env_remove("CORTEX_REPORT_LISTEN")
        .arg("--help")
        .output()
        .await
        .unwrap();
    assert!(output.status.success());
    let help = text(&output.stdout);
    let one_line = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for shown in [
        "user Add, list, rename and delete users, end their sessions",
        "org Add, list, rename and delete organizations",
        "member Add, list and remove memberships of users in organizations",
        "app List applications",
        "key List API keys",
        "session List sessions",
        "audit List the audit log",
        "mail List the mails that are queued, and those that were given up, and send a test",
        "[env: CORTEX_REPORT_LISTEN=] [default: 127.0.0.1:8080]",
        "[env: CORTEX_REPORT_DATABASE_URL] [default: sqlite://cortex-report.db]",
        "[env: CORTEX_REPORT_DATABASE_CONNECTIONS=] [default: 8]",
        "[env: CORTEX_REPORT_KEY_FILE=] [default: cortex-report.key]",
        "[env: CORTEX_REPORT_PUBLIC_URL=]",
        "[env: CORTEX_REPORT_TRUSTED_PROXIES=]",
        "[env: CORTEX_REPORT_DRAIN=] [default: 0]",
        "[env: CORTEX_REPORT_METRICS_LISTEN=]",
        "[env: CORTEX_REPORT_TLS_CERTIFICATE_FILE=]",
        "[env: CORTEX_REPORT_TLS_KEY_FILE=]",
        "[env: CORTEX_REPORT_OTLP_URL]",
        "[env: CORTEX_REPORT_CONFIG=]",
        "check-config List each setting with its value and source",
        "[env: CORTEX_REPORT_SMTP_URL]",
        "[env: CORTEX_REPORT_SMTP_PASSWORD_FILE=]",
        "[env: CORTEX_REPORT_SMTP_TIMEOUT=] [default: 10]",
        "[env: CORTEX_REPORT_MAIL_FROM=] [default: \"Data Cortex <noreply@localhost>\"]",
        "[env: CORTEX_REPORT_MAIL_DIR=] [default: mail]",
        "[env: CORTEX_REPORT_REGISTRATION=] [default: open]",
        "[env: CORTEX_REPORT_MAIL_LIMIT_ADDRESS_CLIENT=] [default: 5/10m]",
        "[env: CORTEX_REPORT_MAIL_LIMIT_ADDRESS=] [default: 10/1h]",
        "[env: CORTEX_REPORT_MAIL_LIMIT_NETWORK=] [default: 60/10s]",
        "[env: CORTEX_REPORT_MAIL_LIMIT_CLIENT=] [default: 20/30s]",
        "[env: CORTEX_REPORT_MAIL_LIMIT_USER=] [default: 50/10m]",
        "[env: CORTEX_REPORT_MAIL_LIMIT_TOTAL=] [default: 1000/1s]",
        "[env: CORTEX_REPORT_LOG_LEVEL=] [default: info]",
        "[env: CORTEX_REPORT_LOG_FORMAT=] [default: text]",
    ] {
        assert!(one_line.contains(shown), "lacks {shown}:\n{help}");
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "help leaves nothing behind"
    );
}

#[tokio::test]
async fn a_wrong_setting_ends_the_start_with_a_sentence_that_names_it() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (variable, flag, value) in [
        ("CORTEX_REPORT_LISTEN", "--listen", "localhost"),
        ("CORTEX_REPORT_LISTEN", "", taken.as_str()),
        ("CORTEX_REPORT_DATABASE_URL", "", "nonsense"),
        (
            "CORTEX_REPORT_DATABASE_URL",
            "",
            "sqlite:///nowhere/at/all.db",
        ),
        (
            "CORTEX_REPORT_DATABASE_URL",
            "",
            "postgres://user:hunter2@127.0.0.1/test",
        ),
        (
            "CORTEX_REPORT_DATABASE_URL",
            "",
            "mariadb://user:hunter2@127.0.0.1:1/test",
        ),
        (
            "CORTEX_REPORT_DATABASE_URL",
            "",
            "postgres://user:hunter2@nowhere.invalid/test",
        ),
        (
            "CORTEX_REPORT_DATABASE_URL",
            "",
            "postgres://user:hunter2@[/test",
        ),
        (
            "CORTEX_REPORT_DATABASE_CONNECTIONS",
            "--database-connections",
            "0",
        ),
        ("CORTEX_REPORT_KEY_FILE", "", "/nowhere/at/all.key"),
        ("CORTEX_REPORT_KEY_FILE", "", "short.key"),
        (
            "CORTEX_REPORT_PUBLIC_URL",
            "--public-url",
            "report.example.com",
        ),
        ("CORTEX_REPORT_PUBLIC_URL", "", "unset"),
        ("CORTEX_REPORT_MAIL_DIR", "", "short.key/mail"),
        ("CORTEX_REPORT_MAIL_FROM", "--mail-from", "nobody"),
        ("CORTEX_REPORT_SMTP_URL", "--smtp-url", "mail.example.com"),
        ("CORTEX_REPORT_SMTP_URL", "", "smtp://ann@mail.example.com"),
        ("CORTEX_REPORT_SMTP_PASSWORD_FILE", "", "nowhere.txt"),
        ("CORTEX_REPORT_SMTP_PASSWORD_FILE", "", "empty.txt"),
        ("CORTEX_REPORT_SMTP_TIMEOUT", "--smtp-timeout", "0"),
        (
            "CORTEX_REPORT_SMTP_URL",
            "--smtp-url",
            "smtp://ann:hunter2@mail.example.com/x",
        ),
        ("CORTEX_REPORT_REGISTRATION", "--registration", "maybe"),
        (
            "CORTEX_REPORT_TRUSTED_PROXIES",
            "--trusted-proxies",
            "proxy",
        ),
        (
            "CORTEX_REPORT_TRUSTED_PROXIES",
            "--trusted-proxies",
            "10.0.0.1,10.0.0.0/33",
        ),
        ("CORTEX_REPORT_DRAIN", "--drain", "-1"),
        ("CORTEX_REPORT_METRICS_LISTEN", "--metrics-listen", "here"),
        ("CORTEX_REPORT_METRICS_LISTEN", "", taken.as_str()),
        ("CORTEX_REPORT_TLS_CERTIFICATE_FILE", "", "short.key"),
        ("CORTEX_REPORT_TLS_KEY_FILE", "", "short.key"),
        ("CORTEX_REPORT_OTLP_URL", "--otlp-url", "collector"),
        (
            "CORTEX_REPORT_OTLP_URL",
            "--otlp-url",
            "http://ann:hunter2@127.0.0.1:4318",
        ),
        ("CORTEX_REPORT_CONFIG", "", "nowhere.toml"),
        ("CORTEX_REPORT_CONFIG", "", "short.key"),
        ("CORTEX_REPORT_LOG_LEVEL", "", "a=b=c"),
        ("CORTEX_REPORT_LOG_FORMAT", "--log-format", "xml"),
        (
            "CORTEX_REPORT_MAIL_LIMIT_TOTAL",
            "--mail-limit-total",
            "lots",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("short.key"), "secret").unwrap();
        std::fs::write(folder.path().join("empty.txt"), "\n").unwrap();
        let mut command = binary(folder.path());
        if variable == "CORTEX_REPORT_SMTP_PASSWORD_FILE" {
            command.env("CORTEX_REPORT_SMTP_URL", "smtp://ann@mail.example.com");
        }
        if value == "unset" {
            command.env("CORTEX_REPORT_LISTEN", "0.0.0.0:0");
        } else {
            command.env(variable, value);
        }
        let output = ended(command).await;
        assert!(!output.status.success(), "{variable}={value}");
        let said = text(&output.stderr);
        let named = if flag.is_empty() { variable } else { flag };
        assert!(
            said.contains(named),
            "{variable}={value} does not name {named}: {said}"
        );
        assert!(
            !said.contains("panicked") && !said.contains("hunter2"),
            "{said}"
        );
    }
}

/// Else somebody who is in another folder than the service asks an empty database.
#[tokio::test]
async fn a_command_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    let output = command.args(["user", "list"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "cortex-reportd: CORTEX_REPORT_DATABASE_URL: start the service first: it creates the \
         database, and brings its schema up to date\n"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn it_makes_its_files_and_ends_on_a_signal() {
    for name in ["TERM", "INT", "QUIT"] {
        let folder = tempfile::tempdir().unwrap();
        let served = serve(binary(folder.path())).await;
        let Served {
            mut child,
            api,
            mut log,
            ..
        } = served;
        let response = api.get("/openapi.json").send().await.unwrap();
        assert_eq!(response.status(), 200);
        drop(response);
        signal(&child, name);
        let status = tokio::time::timeout(Duration::from_secs(15), child.wait()).await;
        assert!(status.expect("it ends").unwrap().success());
        while let Some(line) = log.next_line().await.unwrap() {
            assert!(!line.contains("ERROR") && !line.contains("WARN"), "{line}");
        }
        for (name, mode) in [
            ("cortex-report.key", 0o600),
            ("cortex-report.db", 0o600),
            ("lake", 0o700),
        ] {
            let file = std::fs::metadata(folder.path().join(name)).unwrap();
            let found = std::os::unix::fs::PermissionsExt::mode(&file.permissions());
            assert_eq!(found & 0o777, mode, "nobody else reads {name}");
        }
        let mut files: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let expected = ["cortex-report.db", "cortex-report.key", "lake", "mail"];
        assert_eq!(files, expected);
    }
}

#[tokio::test]
async fn it_ends_on_a_signal_while_it_waits_for_another_one_too() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("cortex-report.key");
    std::fs::write(&key_file, "k".repeat(43)).unwrap();
    // As while another instance brings the schema up to date.
    let lock = std::fs::File::open(&key_file).unwrap();
    lock.lock().unwrap();
    let mut child = binary(folder.path()).stderr(Stdio::null()).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    signal(&child, "TERM");
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
    assert!(ended.expect("it ends").unwrap().success());
}

#[tokio::test]
async fn several_that_start_together_bring_the_schema_up_once() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(folder.path()).await;
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let mut command = binary(folder.path());
        command.env("CORTEX_REPORT_DATABASE_URL", database.url());
        starts.spawn(serve(command));
    }
    for served in starts.join_all().await {
        problem(served.api.get("/api/1/user"), 403, "not_logged_in").await;
    }
}

/// Such as when what collected the log has ended, or its disk is full.
#[tokio::test]
async fn it_serves_on_when_its_log_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(binary(folder.path())).await;
    let Served {
        mut child,
        api,
        log,
        ..
    } = served;
    drop(log);
    for _ in 0..3 {
        let response = api.get("/livez").send().await.unwrap();
        assert_eq!(response.status(), 200);
    }
    signal(&child, "TERM");
    let status = tokio::time::timeout(Duration::from_secs(15), child.wait()).await;
    assert!(status.expect("it ends").unwrap().success());
}

/// As where whoever collects it is stopped, and a pipe is full.
#[tokio::test]
async fn a_log_that_nobody_reads_holds_up_no_request() {
    const CONNECTIONS: usize = 8;
    const REQUESTS: usize = 2500;
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.env("CORTEX_REPORT_METRICS_LISTEN", "127.0.0.1:0");
    let mut served = serve(command).await;
    let metrics = served.logged.split_once("metrics=").unwrap().1;
    let metrics = metrics.split_whitespace().next().unwrap().to_owned();
    let address = served.url.strip_prefix("http://").unwrap();
    let address = address.trim_end_matches('/').to_owned();
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let address = address.clone();
        clients.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let (mut answers, mut requests) = stream.split();
            let request = "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n";
            let send = async {
                for _ in 1..REQUESTS {
                    let next = format!("{request}\r\n");
                    requests.write_all(next.as_bytes()).await.unwrap();
                }
                let last = format!("{request}Connection: close\r\n\r\n");
                requests.write_all(last.as_bytes()).await.unwrap();
            };
            let mut answered = String::new();
            let (_, read) = tokio::join!(send, answers.read_to_string(&mut answered));
            read.unwrap();
            answered.matches("HTTP/1.1 404").count()
        });
    }
    let answered = tokio::time::timeout(Duration::from_secs(60), clients.join_all()).await;
    let answered = answered.expect("no request waits for the log");
    assert_eq!(answered, [REQUESTS; CONNECTIONS]);
    let metrics = reqwest::get(format!("http://{metrics}/metrics")).await;
    let metrics = metrics.unwrap().text().await.unwrap();
    let dropped = metrics.split_once("\ncortex_report_log_lines_dropped_total ");
    let dropped = dropped.unwrap().1.lines().next().unwrap();
    assert_ne!(dropped, "0", "the pipe is full: lines have to be dropped");
    signal(&served.child, "TERM");
    let status = tokio::time::timeout(Duration::from_secs(15), served.child.wait()).await;
    assert!(status.expect("it ends").unwrap().success());
}
