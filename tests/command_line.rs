//! The command line `cortex-report` against the real service.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Output, Stdio},
};

use cortex_report_server::Registration;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{ChildStderr, Command},
};

use crate::{
    harness::{Service, is_as_kept, link_path},
    proxy::{Proxy, Then, answer, json},
};

/// A person at a terminal of their own: a home folder, and where the service is.
struct Person {
    home: TempDir,
    url: String,
    /// Kept for what it sees until the person is gone.
    _proxy: Option<Proxy>,
}

/// What a command said, and how it ended.
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
        let mails = service.mails().len();
        let mut command = self.command(&[&["login", "ann@example.com"], arguments].concat());
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
        .failed(1, &["There is no such thing"]);

    let logged_out = ann.run(&["logout"]).await.done();
    assert_eq!(logged_out, format!("You are logged out at {}.\n", ann.url));
    assert_eq!(ann.kept_keys(), serde_json::json!({}));
    ann.run(&["logout"])
        .await
        .failed(4, &["You are not logged in"]);
}

#[tokio::test]
async fn scripts_get_the_replies_of_the_service() {
    let service = Service::start().await;
    let ann = Person::of(&service).await;
    let mut all = String::new();
    let said = ann.log_in(&service, &["--output", "json"]).await;
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
    is_as_kept("json.txt", &all);
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

    ann.run(&["login", "nobody"])
        .await
        .failed(1, &["/body/email"]);
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
    ann.run(&["app", "list", "--org", "Nobody's"])
        .await
        .failed(1, &["no organization Nobody's", "\n  2 Example Games"]);
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
        .failed(1, &["You are in no organization", "operator"]);
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

    let problem = r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"\u001b[2Jno","code":"not_allowed"}"#;
    let hostile = Proxy::start(move |_| json("403 Forbidden", problem)).await;
    let person = Person::at(hostile.url());
    let said = person.run_with_key("key", &["whoami"]).await;
    assert!(!said.error.contains('\u{1b}'), "{:?}", said.error);
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
    assert!(kept.contains("Delete Space Miner of ann"), "{kept:?}");
    assert!(kept.contains("Nothing is deleted"), "{kept:?}");
    let kept = ann.at_terminal(&["app", "delete", "1"], "\u{4}").await;
    assert!(kept.contains("Nothing is deleted"), "{kept:?}");
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
        &["app", "delete", "one", "--yes"],
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
