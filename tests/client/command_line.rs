//! The command line `cortex-report` against the real service.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::Path,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use cortex_report_server::{Registration, TlsSettings};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

use crate::harness::{
    Login, Service, certificates, is_as_kept, link_path,
    proxy::{Proxy, Then, answer, json},
    say,
};

/// A person at a terminal of their own: a home folder, and where the service is.
struct Person {
    home: TempDir,
    url: String,
    /// Kept for what it sees until the person is gone.
    _proxy: Option<Proxy>,
}

/// Exit code and output of a command.
#[derive(Debug, PartialEq)]
struct Said {
    code: i32,
    out: String,
    error: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            error: text(output.stderr),
        }
    }

    /// The command has done what it was asked to, and this is the result.
    #[track_caller]
    fn done(self) -> String {
        assert_eq!((self.code, self.error.as_str()), (0, ""), "{}", self.out);
        self.out
    }

    /// The command has ended with this code, no result, and an error that has all these words.
    #[track_caller]
    fn failed(self, code: i32, words: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{}", self.error);
        assert!(self.error.starts_with("error: "), "{}", self.error);
        for word in words {
            assert!(self.error.contains(word), "no {word:?} in: {}", self.error);
        }
    }
}

impl Person {
    /// A person whose commands call a service, each held against the document.
    async fn of(service: &Service) -> Self {
        let proxy = Proxy::checking(service.address()).await;
        Self {
            url: proxy.url(),
            _proxy: Some(proxy),
            ..Self::at(String::new())
        }
    }

    fn at(url: String) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            url,
            _proxy: None,
        }
    }

    /// The command, with nothing from the environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cortex-report-under-test"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("CORTEX_REPORT_URL", &self.url)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().await.unwrap())
    }

    /// Runs the command with the key of a session in the variable.
    async fn run_with_key(&self, key: &str, arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        command.env("CORTEX_REPORT_SESSION_KEY", key);
        Said::of(command.output().await.unwrap())
    }

    /// Runs the command with further variables.
    async fn run_with(&self, variables: &[(&str, &OsStr)], arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Said::of(command.output().await.unwrap())
    }

    /// Runs the command in a terminal, where `typed` is typed.
    async fn at_terminal(&self, arguments: &[&str], typed: &str) -> String {
        self.at_terminal_with(&[], arguments, typed).await
    }

    async fn at_terminal_with(
        &self,
        variables: &[(&str, &str)],
        arguments: &[&str],
        typed: &str,
    ) -> String {
        let mut command = Command::new("script");
        let line = [&[env!("CARGO_BIN_EXE_cortex-report-under-test")], arguments].concat();
        command
            .args([
                "--quiet",
                "--return",
                "--command",
                &line.join(" "),
                "/dev/null",
            ])
            .env_clear()
            .envs(env::var("PATH").map(|path| ("PATH", path)))
            .envs(variables.iter().copied())
            .env("TERM", "xterm")
            .env("HOME", self.home.path())
            .env("CORTEX_REPORT_URL", &self.url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(typed.as_bytes()).await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Logs in, as a person does who reads the code and opens the link of the mail.
    async fn log_in(&self, service: &Service, arguments: &[&str]) -> Said {
        self.log_in_as("ann@example.com", service, arguments).await
    }

    async fn log_in_as(&self, address: &str, service: &Service, arguments: &[&str]) -> Said {
        let mails = service.mails().len();
        let mut command = self.command(&[&["login", address], arguments].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut error = String::new();
        let code = loop {
            let line = lines.next_line().await.unwrap().expect("the code is shown");
            error.push_str(&format!("{line}\n"));
            if let Some(code) = line.split_whitespace().find(|word| is_manual_code(word)) {
                break code.to_owned();
            }
        };
        let path = link_path(&service.mail_after(mails).await);
        let form = service.post(&path).form(&[("manual_code", code)]);
        assert_eq!(form.send().await.unwrap().status(), 303);
        while let Some(line) = lines.next_line().await.unwrap() {
            error.push_str(&format!("{line}\n"));
        }
        let mut said = Said::of(child.wait_with_output().await.unwrap());
        said.error = error;
        said
    }

    /// Starts a login, and answers it once its code is shown, with what is still to be read.
    async fn start_login(
        &self,
        service: &Service,
    ) -> (Child, Lines<BufReader<ChildStderr>>, Login) {
        let mails = service.mails().len();
        let mut command = self.command(&["login", "ann@example.com"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let login = Login {
            manual_code: shown_code(&mut lines, &mut String::new()).await,
            path: link_path(&service.mail_after(mails).await),
            session_key: String::new(),
        };
        (child, lines, login)
    }

    /// The keys that are kept, by the URL of their service.
    fn kept_keys(&self) -> Value {
        let kept = fs::read_to_string(self.sessions()).unwrap();
        let kept: Value = serde_json::from_str(&kept).unwrap();
        kept["session_keys"].clone()
    }

    fn sessions(&self) -> std::path::PathBuf {
        let folder = if cfg!(target_os = "macos") {
            "Library/Preferences"
        } else {
            ".config"
        };
        self.home
            .path()
            .join(folder)
            .join("cortex-report/sessions.json")
    }
}

/// Waits for a command to end with an error, and answers that and its exit code.
async fn end(mut child: Child, mut lines: Lines<BufReader<ChildStderr>>) -> (i32, String) {
    let mut error = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        error.push_str(&format!("{line}\n"));
    }
    (child.wait().await.unwrap().code().unwrap(), error)
}

/// Reads until the code is shown, and keeps what was read.
async fn shown_code(lines: &mut Lines<BufReader<ChildStderr>>, read: &mut String) -> String {
    loop {
        let line = lines.next_line().await.unwrap();
        let line = line.unwrap_or_else(|| panic!("no code is shown: {read}"));
        read.push_str(&format!("{line}\n"));
        if let Some(code) = line.split_whitespace().find(|word| is_manual_code(word)) {
            return code.to_owned();
        }
    }
}

fn is_manual_code(word: &str) -> bool {
    let letters = |part: &str| part.len() == 4 && part.chars().all(|it| it.is_ascii_uppercase());
    let parts = word.split_once('-');
    parts.is_some_and(|(first, last)| letters(first) && letters(last))
}

#[tokio::test]
async fn the_whole_life_of_a_session() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.run(&["whoami"])
        .await
        .failed(4, &["You are not logged in", "cortex-report login ADDRESS"]);

    let said = ann.log_in(&service, &[]).await;
    is_as_kept("login.txt", &format!("{}{}", said.error, said.out));
    assert_eq!(said.code, 0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&ann.sessions()), 0o600);
    is_as_kept("whoami.txt", &ann.run(&["whoami"]).await.done());

    is_as_kept("no_apps.txt", &ann.run(&["app", "list"]).await.done());
    let created = ann.run(&["app", "create", "Space Miner"]).await.done();
    is_as_kept("app_create.txt", &created);
    ann.run(&["app", "create", "Ünïcode 宇宙", "--org", "ann"])
        .await
        .done();
    ann.run(&["app", "create", "space miner", "--org", "1"])
        .await
        .failed(1, &["has an application of this name already"]);
    is_as_kept("app_list.txt", &ann.run(&["app", "list"]).await.done());

    ann.run(&["app", "delete", "1"]).await.failed(2, &["--yes"]);
    let deleted = ann.run(&["app", "delete", "1", "--yes"]).await.done();
    assert_eq!(deleted, "Application 1 is deleted.\n");
    ann.run(&["app", "delete", "1", "--yes"])
        .await
        .failed(1, &["There is no application 1", "cortex-report app list"]);

    let logged_out = ann.run(&["logout"]).await.done();
    assert_eq!(logged_out, format!("You are logged out at {}.\n", ann.url));
    assert_eq!(ann.kept_keys(), serde_json::json!({}));
    ann.run(&["logout"])
        .await
        .failed(4, &["You are not logged in"]);
}

/// All that people do with an organization, by the command line alone.
#[tokio::test]
async fn the_whole_life_of_an_organization() {
    let service = Service::start().await;
    let (ann, bob) = (Person::of(&service).await, Person::of(&service).await);
    let mut told = String::new();
    let mut tell = |who: &str, arguments: &[&str], said: String| {
        let line = arguments.join(" ");
        told.push_str(&format!("{who}$ cortex-report {line}\n{said}\n"));
    };
    assert_eq!(ann.log_in(&service, &[]).await.code, 0);
    for arguments in [
        &["org", "create", "Example Games"] as &[&str],
        &["org", "list"],
        &["org", "use", "example games"],
        &["member", "invite", "bob@example.com"],
        &["member", "invite", "cyd@example.com", "--role", "viewer"],
        &["member", "invitations"],
        &["member", "uninvite", "cyd@example.com"],
    ] {
        tell("ann", arguments, ann.run(arguments).await.done());
    }
    assert_eq!(
        bob.log_in_as("bob@example.com", &service, &[]).await.code,
        0
    );
    let mut token = String::new();
    for (who, person, arguments) in [
        ("bob", &bob, &["whoami"] as &[&str]),
        (
            "bob",
            &bob,
            &["app", "create", "Space Miner", "--org", "Example Games"],
        ),
        (
            "bob",
            &bob,
            &["app", "rename", "Space Miner", "Space Digger"],
        ),
        (
            "bob",
            &bob,
            &["key", "add", "Space Digger", "--label", "released games"],
        ),
        (
            "bob",
            &bob,
            &["key", "update", "Space Digger", "1", "--ends", "2026-02-01"],
        ),
        (
            "bob",
            &bob,
            &["key", "revoke", "space digger", "1", "--yes"],
        ),
        ("bob", &bob, &["key", "list", "1"]),
        (
            "bob",
            &bob,
            &[
                "token",
                "create",
                "build server",
                "--role",
                "member",
                "--org",
                "Example Games",
            ],
        ),
        ("ann", &ann, &["token", "list"]),
        ("ann", &ann, &["member", "list"]),
        ("ann", &ann, &["member", "role", "bob@example.com", "owner"]),
        ("ann", &ann, &["member", "list", "--output", "csv"]),
        ("ann", &ann, &["app", "list", "--output", "csv"]),
        (
            "bob",
            &bob,
            &[
                "token",
                "revoke",
                "build server",
                "--yes",
                "--org",
                "Example Games",
            ],
        ),
        (
            "bob",
            &bob,
            &[
                "member",
                "role",
                "bob@example.com",
                "member",
                "--org",
                "Example Games",
            ],
        ),
        ("bob", &bob, &["session", "list"]),
        ("bob", &bob, &["session", "end-others"]),
        ("ann", &ann, &["audit", "list", "--limit", "5"]),
        ("ann", &ann, &["audit", "export", "--kind", "org_created"]),
        (
            "ann",
            &ann,
            &["member", "remove", "bob@example.com", "--yes"],
        ),
        ("ann", &ann, &["org", "rename", "Better Games"]),
        ("ann", &ann, &["org", "show"]),
        ("ann", &ann, &["api", "GET", "/api/1/user"]),
        (
            "ann",
            &ann,
            &[
                "api",
                "POST",
                "/api/1/app",
                "-f",
                "org_id=2",
                "-f",
                "app_name=2048",
            ],
        ),
        ("ann", &ann, &["app", "delete", "2048", "--yes"]),
        ("ann", &ann, &["org", "delete", "Better Games", "--yes"]),
        ("ann", &ann, &["org", "list"]),
    ] {
        let said = person.run(arguments).await.done();
        if arguments.starts_with(&["token", "create"]) {
            token = said.lines().next().unwrap().to_owned();
            let listed = person.run_with_key(&token, &["app", "list"]).await.done();
            assert!(
                listed.contains("Space Digger"),
                "a program has a way in: {listed}"
            );
        }
        tell(who, arguments, said);
    }
    assert!(token.starts_with("cortexreport_"), "{token}");
    is_as_kept("life.txt", &told);

    let refused = ann.run(&["org", "leave", "--org", "ann"]).await;
    refused.failed(1, &["last owner"]);
    let gone = ann.run(&["app", "list"]).await;
    gone.failed(1, &["You are not in the organization 2", "1 ann"]);
    let wrong = ann.run(&["api", "GET", "/api/1/nothing"]).await;
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.out.contains("not_found") && wrong.error.contains("404"),
        "{wrong:?}"
    );
}

#[tokio::test]
async fn several_accounts_of_a_service_are_kept() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    for address in ["ann@example.com", "bob@example.com"] {
        assert_eq!(ann.log_in_as(address, &service, &[]).await.code, 0);
    }
    let is = async |arguments: &[&str], address: &str| {
        let said = ann.run(&[arguments, &["whoami"]].concat()).await.done();
        assert!(said.contains(address), "{said}");
    };
    is(&[], "bob@example.com").await;
    is(&["--account", "ann@example.com"], "ann@example.com").await;
    ann.run(&["auth", "switch", "ann@example.com"]).await.done();
    is(&[], "ann@example.com").await;
    let status = ann.run(&["auth", "status"]).await.done();
    let used = status.lines().find(|line| line.ends_with("used")).unwrap();
    assert!(
        used.contains("ann@example.com") && status.contains("bob@example.com"),
        "{status}"
    );
    let key = ann.run(&["auth", "token"]).await.done();
    let said = ann.run_with_key(key.trim(), &["--account", "bob@example.com", "whoami"]);
    assert!(
        said.await.done().contains("ann@example.com"),
        "the variable overrides it"
    );

    ann.run(&["logout"]).await.done();
    ann.run(&["whoami"])
        .await
        .failed(4, &["You are not logged in"]);
    is(&["--account", "bob@example.com"], "bob@example.com").await;
    let other = ann.run(&["auth", "switch", "cyd@example.com"]).await;
    other.failed(
        4,
        &["as cyd@example.com", "cortex-report login cyd@example.com"],
    );
}

#[tokio::test]
async fn scripts_get_the_replies_of_the_service() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let mut all = String::new();
    let said = ann.log_in(&service, &["--output", "json"]).await;
    let first = said.out.lines().next().unwrap();
    let first: Value = serde_json::from_str(first).unwrap();
    let code = first["manual_code"].as_str().unwrap();
    assert!(
        said.error.contains(code),
        "{first} is not what a person reads: {}",
        said.error
    );
    all.push_str(&said.out);
    for arguments in [
        &["whoami"] as &[&str],
        &["app", "create", "Space Miner"],
        &["app", "list"],
        &["app", "delete", "1", "--yes"],
        &["app", "list"],
        &["logout"],
    ] {
        let arguments = [arguments, &["--output", "json"]].concat();
        all.push_str(&ann.run(&arguments).await.done());
    }
    // Its port is another one each time.
    let all = all.replace(&ann.url, "http://127.0.0.1:8080");
    is_as_kept("json.txt", &all);
}

#[tokio::test]
async fn a_script_reads_the_code_while_the_login_waits() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let mut command = ann.command(&["login", "ann@example.com", "--output", "json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = async || -> Value {
        let line = lines.next_line().await.unwrap().expect("a line of JSON");
        serde_json::from_str(&line).unwrap()
    };
    let started = next().await;
    assert_eq!(started["email"], "ann@example.com");
    let login = Login {
        manual_code: started["manual_code"].as_str().unwrap().to_owned(),
        path: link_path(&service.mail_after(0).await),
        session_key: String::new(),
    };
    service.type_code(&login, &login.manual_code).await;
    assert_eq!(next().await["display_name"], "ann");
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_session_that_has_ended_is_not_logged_in() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.log_in(&service, &[]).await;
    service.clock.advance(8 * 24 * 60 * 60);
    for command in [
        &["whoami"] as &[&str],
        &["app", "list"],
        &["app", "create", "app"],
        &["app", "delete", "1", "--yes"],
    ] {
        ann.run(command)
            .await
            .failed(4, &["not logged in", "cortex-report login ADDRESS"]);
    }
    ann.run(&["logout"]).await.done();
}

#[tokio::test]
async fn a_key_of_a_variable_that_has_ended_is_told_apart() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.run_with_key("key", &["whoami"])
        .await
        .failed(4, &["CORTEX_REPORT_SESSION_KEY", "Unset it"]);
}

#[tokio::test]
async fn an_application_is_created_even_if_its_key_cannot_be_listed() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.log_in(&service, &[]).await;
    let address = service.address();
    let proxy = Proxy::start(
        move |sent| match sent.line().starts_with("GET /api/1/app") {
            true => answer("502 Bad Gateway", "", ""),
            false => Then::Forward(address),
        },
    )
    .await;
    let keys = ann.kept_keys();
    let key = keys[ann.url.as_str()].as_str().unwrap();
    let arguments = ["app", "create", "app", "--url", &proxy.url()];
    let said = ann.run_with_key(key, &arguments).await.done();
    assert!(said.starts_with("Application 1 is created."), "{said}");
    let arguments = ["app", "create", "two", "--url", &proxy.url()];
    let arguments = [&arguments[..], &["--output", "json"]].concat();
    let said = ann.run_with_key(key, &arguments).await.done();
    assert_eq!(said, "{\"app_id\":2}\n");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_told_before_a_mail_is_sent() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let folder = ann.sessions().parent().unwrap().to_owned();
    type Spoil = fn(&Path);
    let spoil: [(Spoil, &str); 4] = [
        (|folder| fs::write(folder, "").unwrap(), "sessions.json"),
        (
            |folder| {
                fs::create_dir(folder).unwrap();
                symlink("/proc/nowhere/file", folder.join("sessions.json")).unwrap();
            },
            "cannot be written",
        ),
        (
            |folder| {
                fs::create_dir(folder).unwrap();
                symlink("sessions.json", folder.join("sessions.json")).unwrap();
            },
            "sessions.json",
        ),
        (
            |folder| symlink("/proc", folder).unwrap(),
            "cannot be written",
        ),
    ];
    fs::create_dir_all(folder.parent().unwrap()).unwrap();
    for (spoil, words) in spoil {
        spoil(&folder);
        let login = ann.run(&["login", "ann@example.com", "--wait", "0"]).await;
        login.failed(1, &["sessions.json", words]);
        if folder.is_symlink() || folder.is_file() {
            fs::remove_file(&folder).unwrap();
        } else {
            fs::remove_dir_all(&folder).unwrap();
        }
    }
    // A disk that takes files, but nothing into them: the terminal's limit does the same.
    let line = r#"trap "" XFSZ; ulimit -f 0; exec "$0" "$@""#;
    let full = ["-c", line, env!("CARGO_BIN_EXE_cortex-report-under-test")];
    let full = Command::new("bash")
        .args([&full[..], &["login", "ann@example.com"]].concat())
        .env_clear()
        .env("HOME", ann.home.path())
        .env("CORTEX_REPORT_URL", &ann.url)
        .output()
        .await;
    Said::of(full.unwrap()).failed(1, &["cannot be written", "too large"]);
    let left: Vec<_> = fs::read_dir(&folder).unwrap().collect();
    assert_eq!(left.len(), 0, "{left:?}");
    assert_eq!(
        service.rows("session").await,
        0,
        "a mail is sent for a login whose key cannot be kept"
    );
}

#[tokio::test]
async fn a_session_whose_key_cannot_be_kept_is_ended_again() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let (child, lines, login) = ann.start_login(&service).await;
    // While the person is at it, the place is taken away.
    let folder = ann.sessions().parent().unwrap().to_owned();
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    service.type_code(&login, &login.manual_code).await;
    let (code, error) = end(child, lines).await;
    assert_eq!(code, 1, "{error}");
    for words in ["sessions.json", "has been ended"] {
        assert!(error.contains(words), "no {words:?} in: {error}");
    }
    let sessions = service.database.rows("session").await;
    assert!(sessions[0].contains("'disabled'"), "{sessions:?}");
}

#[tokio::test]
async fn wrong_codes_end_the_waiting_at_once() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let (child, lines, login) = ann.start_login(&service).await;
    for _ in 0..5 {
        service.type_code(&login, "BBBB-BBBB").await;
    }
    let begin = Instant::now();
    let (code, error) = end(child, lines).await;
    assert_eq!(code, 1, "{error}");
    for words in [
        "Five wrong codes",
        "Start again: cortex-report login ann@example.com",
    ] {
        assert!(error.contains(words), "no {words:?} in: {error}");
    }
    assert!(
        begin.elapsed() < Duration::from_secs(60),
        "it waits for a login that has ended"
    );
}

#[tokio::test]
async fn a_key_of_a_variable_that_is_none_is_refused_by_its_name() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let key = service.log_in("bob@example.com").await;
    let too_long = "k".repeat(129);
    for wrong in [
        format!("{key}\n{key}").as_bytes(),
        format!("{key} {key}").as_bytes(),
        "schlüssel".as_bytes(),
        b"key\xff",
        b"key\x1b[2J",
        too_long.as_bytes(),
    ] {
        let variable = ("CORTEX_REPORT_SESSION_KEY", OsStr::from_bytes(wrong));
        for command in [&["whoami"] as &[&str], &["login", "ann@example.com"]] {
            ann.run_with(&[variable], command)
                .await
                .failed(2, &["CORTEX_REPORT_SESSION_KEY"]);
        }
    }
    for spaced in [format!("{key}\n"), format!("  {key}\r\n")] {
        let said = ann.run_with_key(&spaced, &["whoami"]).await.done();
        assert!(said.contains("bob@example.com"), "{said}");
    }
    ann.run_with_key(" \n", &["whoami"])
        .await
        .failed(4, &["You are not logged in"]);
}

#[tokio::test]
async fn empty_variables_are_not_set() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.log_in(&service, &[]).await;
    let empty = OsStr::new("");
    let variables = [
        ("CORTEX_REPORT_URL", empty),
        ("CORTEX_REPORT_CA_FILE", empty),
        ("CORTEX_REPORT_SESSION_KEY", empty),
    ];
    ann.run_with(&variables, &["whoami"]).await.done();
    let spaced = format!(" {} ", ann.url);
    let variables = [("CORTEX_REPORT_URL", OsStr::new(&spaced))];
    ann.run_with(&variables, &["whoami"]).await.done();
}

#[tokio::test]
async fn a_login_beside_a_key_of_the_variable_says_that_it_is_hidden() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let login = ["login", "ann@example.com", "--wait", "0"];
    let said = ann.run_with_key("key", &login).await;
    assert!(
        said.error.starts_with("CORTEX_REPORT_SESSION_KEY is set"),
        "{}",
        said.error
    );
}

#[tokio::test]
async fn sessions_behind_a_link_stay_there_and_leave_no_key() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let link = ann.sessions();
    let elsewhere = ann.home.path().join("dotfiles/kept.json");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    // Two links, the second one relative, to a file in a folder that is not there yet.
    symlink(ann.home.path().join("second"), &link).unwrap();
    symlink("dotfiles/kept.json", ann.home.path().join("second")).unwrap();

    ann.log_in(&service, &[]).await;
    let keys = ann.kept_keys();
    let first = keys[ann.url.as_str()].as_str().unwrap();
    assert!(fs::read_to_string(&elsewhere).unwrap().contains(first));
    let mode = fs::metadata(&elsewhere).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    ann.log_in(&service, &[]).await;
    let kept = fs::read_to_string(&elsewhere).unwrap();
    assert!(!kept.contains(first), "the old key stays behind");
    ann.run(&["logout"]).await.done();
    assert_eq!(ann.kept_keys(), serde_json::json!({}));
    assert!(link.is_symlink(), "the link has been replaced");
    let left: Vec<_> = fs::read_dir(elsewhere.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test]
async fn a_logout_that_the_service_does_not_hear_of_forgets_the_key_and_says_so() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.log_in(&service, &[]).await;
    let keys = ann.kept_keys();
    let key = keys[ann.url.as_str()].as_str().unwrap().to_owned();
    type Reply = fn() -> Then;
    let replies: [(Reply, &str); 3] = [
        (|| Then::Answer(String::new()), "cannot be reached"),
        (
            || {
                let problem = r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The database is not available.","code":"unavailable"}"#;
                json("503 Service Unavailable", problem)
            },
            "The database is not available",
        ),
        (|| answer("404 Not Found", "", "<html>"), "404"),
    ];
    for (reply, words) in replies {
        let away = Proxy::start(move |_| reply()).await;
        let kept = serde_json::json!({ "last_url": null, "session_keys": { away.url(): key } });
        fs::write(ann.sessions(), kept.to_string()).unwrap();
        ann.run(&["logout", "--url", &away.url()])
            .await
            .failed(1, &[words, "has been deleted here all the same"]);
        assert_eq!(ann.kept_keys(), serde_json::json!({}));
        // What is not kept here cannot be forgotten here.
        let mut command = ann.command(&["logout", "--url", &away.url()]);
        command.env("CORTEX_REPORT_SESSION_KEY", &key);
        Said::of(command.output().await.unwrap()).failed(
            1,
            &[
                words,
                "The session of CORTEX_REPORT_SESSION_KEY has not been ended",
            ],
        );
    }
}

#[tokio::test]
async fn certificates_are_needed_for_https_alone() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name);
    let plain = Service::start().await;
    let private = Service::start_with(|settings| {
        settings.tls = TlsSettings {
            tls_certificate_file: Some(file("cert.pem")),
            tls_key_file: Some(file("key.pem")),
        };
    })
    .await;
    let https = format!("https://{}", private.address());
    let (http, https) = (Person::of(&plain).await, Person::at(https));
    let nowhere = file("nowhere");
    let none = [
        ("SSL_CERT_FILE", nowhere.as_os_str()),
        ("SSL_CERT_DIR", nowhere.as_os_str()),
        ("CORTEX_REPORT_SESSION_KEY", OsStr::new("key")),
    ];
    http.run_with(&none, &["whoami"])
        .await
        .failed(4, &["not logged in"]);
    https
        .run_with(&none, &["whoami"])
        .await
        .failed(1, &["ca-certificates", "--ca-file"]);

    let authority = file("ca.pem");
    let by_flag = ["whoami", "--ca-file", authority.to_str().unwrap()];
    https
        .run_with(&none, &by_flag)
        .await
        .failed(4, &["not logged in"]);
    let mut by_variable = none.to_vec();
    by_variable.push(("CORTEX_REPORT_CA_FILE", authority.as_os_str()));
    https
        .run_with(&by_variable, &["whoami"])
        .await
        .failed(4, &["not logged in"]);

    let other = file("other.pem");
    let unknown = ["whoami", "--ca-file", other.to_str().unwrap()];
    https
        .run_with(&none, &unknown)
        .await
        .failed(1, &["UnknownIssuer", "--ca-file or CORTEX_REPORT_CA_FILE"]);
    fs::write(file("empty.pem"), "").unwrap();
    for (name, words) in [
        ("nowhere", "No such file"),
        ("empty.pem", "has no certificate"),
        ("key.pem", "has no certificate"),
    ] {
        let file = file(name);
        let wrong = ["whoami", "--ca-file", file.to_str().unwrap()];
        https
            .run_with(&none, &wrong)
            .await
            .failed(2, &["--ca-file", name, words]);
    }
}

#[tokio::test]
async fn what_is_refused_is_told_in_words_of_the_command_line() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.log_in(&service, &[]).await;
    let long = format!("{}@example.com", "a".repeat(250));
    let name = "a".repeat(65);
    for (arguments, words) in [
        (
            &["login", "nobody"] as &[&str],
            ["ADDRESS", "e-mail address"],
        ),
        (&["login", ""], ["ADDRESS", "e-mail address"]),
        (
            &["login", &long],
            ["ADDRESS", "is longer than 254 characters"],
        ),
        (&["app", "create", ""], ["NAME", "1 to 64 characters"]),
        (&["app", "create", &name], ["NAME", "1 to 64 characters"]),
        (&["app", "create", "a\tb"], ["NAME", "1 to 64 characters"]),
    ] {
        let said = ann.run(arguments).await;
        for wire in ["/body", "idn-email", "value is", "see errors"] {
            assert!(!said.error.contains(wire), "{wire}: {}", said.error);
        }
        said.failed(1, &words);
    }
    for id in ["0", "-1", "one", "9223372036854775808"] {
        let said = ann.run(&["app", "delete", "--yes", "--", id]).await;
        said.failed(1, &["There is no application", id]);
    }
}

#[tokio::test]
async fn spaces_around_what_is_typed_are_not_meant() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let said = ann
        .run(&["login", " ann@example.com\u{a0}\n", "--wait", "0"])
        .await;
    assert!(
        said.error.contains("mailed to ann@example.com, and"),
        "{}",
        said.error
    );
    service.mail_after(0).await;
    ann.log_in(&service, &[]).await;
    ann.run(&["app", "list", "--org", " ann "]).await.done();
}

#[tokio::test]
async fn logins_at_two_services_do_not_undo_each_other() {
    let (one, two) = (Service::start().await, Service::start().await);
    let ann = Person::of(&one).await;
    let mut waiting = ann.command(&["login", "ann@example.com"]);
    let mut waiting = waiting
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let code = shown_code(&mut lines, &mut String::new()).await;

    let proxy = Proxy::checking(two.address()).await;
    let said = ann.log_in(&two, &["--url", &proxy.url()]).await;
    assert_eq!(said.code, 0, "{}", said.error);

    let path = link_path(&one.mail_after(0).await);
    let form = one.post(&path).form(&[("manual_code", code)]);
    assert_eq!(form.send().await.unwrap().status(), 303);
    assert!(waiting.wait().await.unwrap().success());
    ann.run(&["whoami"]).await.done();
    ann.run(&["whoami", "--url", &proxy.url()]).await.done();
}

#[tokio::test]
async fn a_login_that_nobody_verifies_ends() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let said = ann.run(&["login", "ann@example.com", "--wait", "0"]).await;
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(
        said.error.contains("was not typed within 0 s"),
        "{}",
        said.error
    );
    assert!(
        !ann.sessions().exists(),
        "a login that failed leaves nothing"
    );
}

#[tokio::test]
async fn a_login_over_the_limit_is_told_when_to_come_back() {
    let limit = |limit: &str| limit.parse().unwrap();
    let service = Service::start_with(|it| it.mail_limits.total = limit("1/10m")).await;
    let ann = Person::of(&service).await;
    ann.run(&["login", "ann@example.com", "--wait", "0"]).await;
    ann.run(&["login", "ann@example.com"])
        .await
        .failed(1, &["Try again in 600 seconds"]);
}

#[tokio::test]
async fn the_organization_is_asked_for_where_there_are_several() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.log_in(&service, &[]).await;
    let operate = |arguments: &[&str]| {
        let output = service.operate(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
    };
    operate(&["org", "add", "Example Games"]);
    operate(&["member", "add", "ann@example.com", "2", "--role", "viewer"]);
    ann.run(&["app", "list"])
        .await
        .failed(2, &["--org", "\n  1 ann", "\n  2 Example Games"]);
    ann.run(&["app", "list", "--org", "example games"])
        .await
        .done();
    ann.run(&["app", "list", "--org", "Nobody's"]).await.failed(
        1,
        &["not in the organization Nobody's", "\n  2 Example Games"],
    );
    ann.run(&["app", "create", "app", "--org", "2"])
        .await
        .failed(1, &["may not"]);

    operate(&["org", "add", "Example Games"]);
    operate(&["member", "add", "ann@example.com", "3", "--role", "owner"]);
    ann.run(&["app", "list", "--org", "Example Games"])
        .await
        .failed(2, &["\n  2 Example Games", "\n  3 Example Games"]);
    ann.run(&["app", "create", "app", "--org", "3"])
        .await
        .done();
}

#[tokio::test]
async fn who_is_in_no_organization_is_told_whom_to_ask() {
    let service = Service::start_with(|it| it.registration = Registration::Closed).await;
    let added = service.operate(&["user", "add", "ann@example.com"]);
    assert!(added.status.success());
    let ann = Person::of(&service).await;
    ann.log_in(&service, &[]).await;
    ann.run(&["app", "list"])
        .await
        .failed(1, &["You are not in any organization", "operator"]);
}

#[tokio::test]
async fn variables_override_what_is_kept() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.log_in(&service, &[]).await;
    let key = service.log_in("bob@example.com").await;
    let said = ann.run_with_key(&key, &["whoami"]).await.done();
    assert!(said.contains("bob@example.com"), "{said}");

    ann.run_with_key(&key, &["logout"]).await.done();
    let said = ann.run(&["whoami"]).await.done();
    assert!(
        said.contains("ann@example.com"),
        "the kept key stays: {said}"
    );

    // Without a variable or flag, the service of the last login is called.
    let mut command = ann.command(&["whoami"]);
    command.env_remove("CORTEX_REPORT_URL");
    Said::of(command.output().await.unwrap()).done();
}

#[tokio::test]
async fn a_key_is_sent_only_where_it_is_from() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.log_in(&service, &[]).await;
    let other = Proxy::start(|_| answer("200 OK", "", "{}")).await;
    ann.run(&["whoami", "--url", &other.url()])
        .await
        .failed(4, &["not logged in", &other.url()]);
    assert_eq!(other.requests(), 0);
    ann.run(&["whoami"]).await.done();
}

#[tokio::test]
async fn a_service_that_is_away_slow_or_another_one_is_told() {
    let run_for = async |timeout: &str, url: &str| {
        let person = Person::at(url.to_owned());
        person
            .run_with_key("key", &["whoami", "--timeout", timeout])
            .await
    };
    let run = async |url: &str| run_for("60", url).await;
    // A port that is taken, and at which nobody listens.
    let away = tokio::net::TcpSocket::new_v4().unwrap();
    away.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", away.local_addr().unwrap());
    let hint = "--url or CORTEX_REPORT_URL";
    run(&url)
        .await
        .failed(1, &[&url, "cannot be reached", "refused", hint]);
    let https = url.replace("http:", "https:");
    run(&https).await.failed(1, &["refused"]);

    let slow = Proxy::start(|_| Then::Stall).await;
    run_for("1", &slow.url())
        .await
        .failed(1, &["did not answer within 1 s", "--timeout"]);
    let https = slow.url().replace("http:", "https:");
    run_for("1", &https).await.failed(1, &["did not answer"]);

    let elsewhere = || answer("301 Moved", "location: https://x.example/\r\n", "");
    for (then, words) in [
        (
            (|| answer("200 OK", "", "<html>")) as fn() -> Then,
            "does not answer as",
        ),
        (|| answer("404 Not Found", "", "<html>"), "404"),
        (elsewhere, "https://x.example/"),
    ] {
        let nonsense = Proxy::start(move |_| then()).await;
        run(&nonsense.url()).await.failed(1, &[words, hint]);
    }
    for bytes in ["", "220 mail.example.com ESMTP\r\n"] {
        let nonsense = Proxy::start(move |_| Then::Answer(bytes.to_owned())).await;
        run(&nonsense.url()).await.failed(1, &["cannot be reached"]);
    }
}

#[tokio::test]
async fn a_service_cannot_control_the_terminal() {
    let user = r#"{"user_id":1,"email":"a@example.com","display_name":"\u001b[31mann","org_list":[{"org_id":1,"name":"a\u001b]0;x\u0007b\nc"}]}"#;
    let hostile = Proxy::start(move |_| json("200 OK", user)).await;
    let person = Person::at(hostile.url());
    let said = person.run_with_key("key", &["whoami"]).await.done();
    let control = |letter: &char| letter.is_control() && *letter != '\n';
    assert!(!said.chars().any(|letter| control(&letter)), "{said:?}");
    assert_eq!(said.lines().count(), 4, "a name is one line: {said:?}");

    let problem = r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"\u001b[2Jno\nerror: yes","code":"not_allowed"}"#;
    let hostile = Proxy::start(move |_| json("403 Forbidden", problem)).await;
    let person = Person::at(hostile.url());
    let said = person.run_with_key("key", &["whoami"]).await;
    assert!(!said.error.contains('\u{1b}'), "{:?}", said.error);
    assert_eq!(said.error.lines().count(), 1, "{:?}", said.error);
}

/// Bidirectional controls, characters without a width, fillers, tags, and what breaks a line.
#[tokio::test]
async fn a_service_cannot_deceive_whoever_reads() {
    const HIDDEN: [char; 16] = [
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{180e}',
        '\u{200b}',
        '\u{200d}',
        '\u{200f}',
        '\u{2028}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{e0041}',
        '\u{e0100}',
    ];
    let name: String = HIDDEN.iter().flat_map(|hidden| ['a', *hidden]).collect();
    let orgs = |count: i32| {
        let org = |id| serde_json::json!({ "org_id": id, "name": format!("{name}\n  9 fake") });
        let orgs: Vec<Value> = (1..=count).map(org).collect();
        serde_json::json!({
            "user_id": 1, "email": "a@example.com", "display_name": name, "org_list": orgs,
        })
    };
    let is_shown = |said: &str, lines: usize| {
        let hidden = said.chars().find(|letter| HIDDEN.contains(letter));
        assert_eq!(hidden, None, "{said:?}");
        assert_eq!(said.lines().count(), lines, "a name is one line: {said:?}");
    };
    let person_of = async |user: &Value| {
        let user = user.to_string();
        let apps = serde_json::json!({ "app_list": [] }).to_string();
        let proxy = Proxy::start(move |sent| match sent.line() {
            "GET /api/1/user" => json("200 OK", &user),
            _ => json("200 OK", &apps),
        })
        .await;
        let person = Person::at(proxy.url());
        (proxy, person)
    };
    let (_one, person) = person_of(&orgs(1)).await;
    is_shown(&person.run_with_key("key", &["whoami"]).await.done(), 4);
    let list = person.run_with_key("key", &["app", "list"]).await.done();
    is_shown(&list, 2);
    let (_two, person) = person_of(&orgs(2)).await;
    let list = person.run_with_key("key", &["app", "list"]).await;
    is_shown(&list.error, 3);

    let bad = serde_json::json!({
        "type": "about:blank", "title": "Bad Request", "status": 400, "code": "invalid_request",
        "detail": name, "errors": [{ "pointer": "/x\n", "detail": format!("{name}\n") }],
    })
    .to_string();
    let proxy = Proxy::start(move |_| json("400 Bad Request", &bad)).await;
    let said = Person::at(proxy.url())
        .run_with_key("key", &["whoami"])
        .await;
    is_shown(&said.error, 1);
    // A script gets what the service says.
    let (_three, person) = person_of(&orgs(1)).await;
    let raw = person.run_with_key("key", &["whoami", "--output", "json"]);
    let raw: Value = serde_json::from_str(&raw.await.done()).unwrap();
    assert_eq!(raw["display_name"], name);
}

#[tokio::test]
async fn colours_are_for_terminals_and_a_deletion_is_asked_for_there() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    ann.log_in(&service, &[]).await;
    ann.run(&["app", "create", "Space Miner"]).await.done();
    let list = ann.at_terminal(&["app", "list"], "").await;
    assert!(list.contains("\u{1b}[1mAPP"), "{list:?}");
    let plain = ann.run(&["app", "list"]).await.done();
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    let script = ann
        .at_terminal(&["app", "list", "--output", "json"], "")
        .await;
    assert!(!script.contains('\u{1b}'), "{script:?}");

    let kept = ann.at_terminal(&["app", "delete", "1"], "n\n").await;
    assert!(
        kept.contains("Delete Space Miner with its API keys"),
        "{kept:?}"
    );
    assert!(kept.contains("Nothing is changed"), "{kept:?}");
    let kept = ann.at_terminal(&["app", "delete", "1"], "\u{4}").await;
    assert!(kept.contains("Nothing is changed"), "{kept:?}");
    let gone = ann.at_terminal(&["app", "delete", "1"], "y\n").await;
    assert!(gone.contains("Application 1 is deleted"), "{gone:?}");
}

#[tokio::test]
async fn no_color_is_honoured() {
    let ann = Person::at("http://127.0.0.1:1".to_owned());
    let coloured = ann.at_terminal(&["whoami"], "").await;
    assert!(coloured.contains("\u{1b}["), "{coloured:?}");
    let variable = [("NO_COLOR", "1")];
    let plain = ann.at_terminal_with(&variable, &["whoami"], "").await;
    assert!(plain.contains("error: "), "{plain:?}");
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
}

#[tokio::test]
async fn kept_sessions_that_cannot_be_read_are_told() {
    let ann = Person::at("http://127.0.0.1:1".to_owned());
    let file = ann.sessions();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "{").unwrap();
    ann.run(&["whoami"])
        .await
        .failed(1, &["sessions.json", "log in again"]);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    ann.run(&["whoami"])
        .await
        .failed(1, &["sessions.json cannot be read"]);
}

#[tokio::test]
async fn wrong_usage_is_told_apart() {
    let ann = Person::at("http://127.0.0.1:1".to_owned());
    for arguments in [
        &[] as &[&str],
        &["app"],
        &["app", "create"],
        &["session", "end", "one"],
        &["key", "add", "1", "--ends", "tomorrow"],
        &["api", "GET", "/api/1/user", "-f", "name"],
        &["completions", "cmd"],
        &["whoami", "--output", "xml"],
        &["whoami", "--url", "example.com"],
        &["whoami", "--timeout", "0"],
        &["nothing"],
    ] {
        let said = ann.run(arguments).await;
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{arguments:?}");
        assert!(!said.error.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_closes_the_pipe_is_not_a_failure() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cortex-report-under-test"));
    command.args(["completions", "bash"]).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    Said::of(child.wait_with_output().unwrap()).done();
}

#[tokio::test]
async fn help_and_completions() {
    let ann = Person::at("http://127.0.0.1:1".to_owned());
    let mut all = String::new();
    for arguments in [
        &["--help"] as &[&str],
        &["login", "--help"],
        &["logout", "--help"],
        &["whoami", "--help"],
        &["app", "--help"],
        &["app", "list", "--help"],
        &["app", "create", "--help"],
        &["app", "delete", "--help"],
        &["org", "--help"],
        &["member", "--help"],
        &["key", "--help"],
        &["token", "--help"],
        &["session", "--help"],
        &["audit", "--help"],
        &["auth", "--help"],
        &["api", "--help"],
        &["completions", "--help"],
    ] {
        let help = ann.run(arguments).await.done();
        all.push_str(&format!(
            "$ cortex-report {}\n{help}\n",
            arguments.join(" ")
        ));
    }
    is_as_kept("help.txt", &all);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = ann.run(&["completions", shell]).await.done();
        assert!(script.contains("whoami"), "{shell}: {script}");
    }
    let version = ann.run(&["--version"]).await.done();
    assert!(version.starts_with("cortex-report 0."), "{version}");
}

/// A shell with a person's own settings, in which a line is typed and completed with the tab key;
/// what the command is then called with is printed.
const SHELLS: [(&str, &str, &str, &str); 2] = [
    (
        "bash",
        "bash --rcfile .bashrc -i",
        ".bashrc",
        "PS1=\n. /usr/share/bash-completion/bash_completion\nbind 'set enable-bracketed-paste off'\n",
    ),
    (
        "zsh",
        "zsh -d -i",
        ".zshrc",
        "PS1=\nfpath=(~/.zfunc $fpath)\nautoload -Uz compinit\ncompinit -u -D\n",
    ),
];

/// Text typed before the tab key, and the text that it is completed to.
const COMPLETED: [(&str, &str); 8] = [
    ("who", "whoami"),
    ("app cr", "app create"),
    ("app list --or", "app list --org"),
    ("app delete 1 --ye", "app delete 1 --yes"),
    ("login --wa", "login --wait"),
    ("completions fi", "completions fish"),
    ("app list --output js", "app list --output json"),
    ("logo", "logout"),
];

/// Returns true if a shell, and what its completions need, are installed. In CI, panics if not.
fn is_there(shell: &str) -> bool {
    let is_there = std::process::Command::new(shell)
        .args(["-c", "exit"])
        .status()
        .is_ok_and(|status| status.success())
        && (shell != "bash" || Path::new("/usr/share/bash-completion/bash_completion").exists());
    if !is_there {
        assert!(
            env::var_os("CI").is_none(),
            "{shell} is not there: see .ci/run"
        );
        say(&format!(
            "the completions of {shell}: LEFT OUT, since it is not there; see .ci/run"
        ));
    }
    is_there
}

#[tokio::test]
async fn completions_work_in_real_shells() {
    let ann = Person::at("http://127.0.0.1:1".to_owned());
    let home = ann.home.path();
    for (shell, file) in [
        (
            "bash",
            ".local/share/bash-completion/completions/cortex-report",
        ),
        ("zsh", ".zfunc/_cortex-report"),
        ("fish", ".config/fish/completions/cortex-report.fish"),
    ] {
        let file = home.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let script = ann.run(&["completions", shell]).await.done();
        fs::write(file, script).unwrap();
    }

    for (shell, line, settings, text) in SHELLS {
        if !is_there(shell) {
            continue;
        }
        let function = "cortex-report() { printf '<%s>\\n' \"$*\"; }\n";
        fs::write(home.join(settings), format!("{text}{function}")).unwrap();
        let typed = COMPLETED.map(|(typed, _)| format!("cortex-report {typed}\t\n"));
        let said = in_terminal(home, line, &format!("{}exit\n", typed.concat())).await;
        for (typed, completed) in COMPLETED {
            assert!(
                said.contains(&format!("<{completed}>")),
                "{shell} completes {typed:?} to something else than {completed:?}: {said}"
            );
        }
    }
    if is_there("fish") {
        for (typed, completed) in COMPLETED {
            let output = Command::new("fish")
                .args([
                    "-c",
                    // Unknown commands are not completed.
                    &format!("function cortex-report; end; complete -C 'cortex-report {typed}'"),
                ])
                .env("HOME", home)
                .env_remove("XDG_CONFIG_HOME")
                .output()
                .await
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let words: Vec<&str> = said
                .lines()
                .filter_map(|it| it.split('\t').next())
                .collect();
            let expected = completed.rsplit(' ').next().unwrap();
            assert_eq!(words, [expected], "fish completes {typed:?}");
        }
    }
}

/// Output of a program in a terminal into which `typed` is typed.
async fn in_terminal(home: &Path, line: &str, typed: &str) -> String {
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command", line, "/dev/null"])
        .env_clear()
        .envs(env::var("PATH").map(|path| ("PATH", path)))
        .env("TERM", "dumb")
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(typed.as_bytes()).await.unwrap();
    let output = child.wait_with_output();
    let output = tokio::time::timeout(Duration::from_secs(60), output).await;
    let output = output
        .expect("the program ends when it is told to")
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
