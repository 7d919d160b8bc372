//! Sources of settings, and the messages of `check-config` and of a start about them.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output, time::Duration};

use tokio::process::Command;

use crate::harness::binary::{binary, serve, text};

/// The binary with a settings file.
fn with_file(folder: &Path, settings: &str) -> Command {
    let file = folder.join("settings.toml");
    fs::write(&file, settings).unwrap();
    let mut command = binary(folder);
    command.env("CORTEX_REPORT_CONFIG", file);
    command
}

async fn check(mut command: Command) -> Output {
    command.arg("check-config").output().await.unwrap()
}

#[tokio::test]
async fn flags_go_before_variables_and_those_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "
        mail_dir = 'of the file'
        mail_limit_total = '7/1m'
        smtp_timeout = 7
        trusted_proxies = ['10.0.0.0/8', 'fd00::/8']
        log_level = 'debug'
        public_url = 'https://of.the.file'
    ";
    let mut command = with_file(folder.path(), settings);
    command
        .env("CORTEX_REPORT_LOG_LEVEL", "warn")
        .env("CORTEX_REPORT_MAIL_DIR", "of the variable")
        .args(["--mail-dir", "of the flag"]);
    let output = check(command).await;
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for line in [
        "mail_dir: of the flag (flag)",
        "log_level: warn (variable)",
        "mail_limit_total: 7/1m (file)",
        "smtp_timeout: 7 (file)",
        "trusted_proxies: 10.0.0.0/8,fd00::/8 (file)",
        "public_url: https://of.the.file (file)",
        "mail_limit_client: 20/30s (default)",
        "otlp_url: not set",
    ] {
        assert!(said.lines().any(|it| it == line), "lacks {line}:\n{said}");
    }
    assert!(!said.contains("config:"), "it is no setting: {said}");
}

#[tokio::test]
async fn the_service_and_its_commands_read_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "
        database_url = 'sqlite://other.db'
        key_file = 'other.key'
        mail_dir = 'other'
    ";
    let served = serve(with_file(folder.path(), settings)).await;
    assert_eq!(served.api.get("/livez").send().await.unwrap().status(), 200);
    let mut listed = with_file(folder.path(), settings);
    // Wherever the flag stands.
    listed.env_remove("CORTEX_REPORT_CONFIG").args([
        "user",
        "add",
        "ann@example.com",
        "--config",
        "settings.toml",
    ]);
    assert_eq!(text(&listed.output().await.unwrap().stdout), "1\n");
    let mut files: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    files.sort();
    let expected = ["lake", "other", "other.db", "other.key", "settings.toml"];
    assert_eq!(files, expected);
}

#[tokio::test]
async fn what_is_wrong_in_the_file_is_told_with_its_place() {
    for (settings, reasons) in [
        (
            "listen = '127.0.0.1:1'\n\nlissten = 'x'",
            &[
                "line 3: there is no setting lissten",
                "cortex-reportd --help",
            ][..],
        ),
        ("config = 'x'", &["line 1: there is no setting config"]),
        ("[mail]\nsmtp_url = 'x'", &["line 1"]),
        (
            "listen = 'localhost'",
            &["line 1: listen: invalid value 'localhost'"],
        ),
        (
            "\nsmtp_timeout = 0",
            &["line 2: smtp_timeout: invalid value '0'"],
        ),
        (
            "registration = true",
            &["line 1: registration: must be a string, a number, or a list of strings"],
        ),
        (
            "listen = ['127.0.0.1:1', '127.0.0.1:2']",
            &["line 1: listen: "],
        ),
        (
            "smtp_url = 'http://ann:hunter2@mail.example.com'",
            &["line 1: smtp_url: invalid value for '--smtp-url <URL>': write it like smtp://"],
        ),
        (
            "\ndatabase_url = postgres://ann:hunter2@db/x",
            &["line 2: "],
        ),
        ("log_level = 'info'\nlog_level = 'warn'", &["line 2: "]),
        ("\u{0}", &["line 1: "]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for mut command in [with_file(folder.path(), settings), {
            let mut command = with_file(folder.path(), settings);
            command.arg("check-config");
            command
        }] {
            let output = tokio::time::timeout(Duration::from_secs(20), command.output());
            let output = output.await.expect("it does not serve").unwrap();
            let said = text(&output.stdout) + &text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{settings}: {said}");
            let file = ": CORTEX_REPORT_CONFIG: ";
            for reason in [file, "settings.toml: "].iter().chain(reasons) {
                assert!(said.contains(reason), "{settings}: lacks {reason}: {said}");
            }
            assert!(!said.contains("hunter2"), "{said}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.args(["--config", "nowhere.toml"]);
    let said = text(&command.output().await.unwrap().stderr);
    assert!(
        said.contains("CORTEX_REPORT_CONFIG: nowhere.toml: cannot read the file"),
        "{said}"
    );
}

/// A wrong flag or variable is told as without a file, and the help shows nothing of the file.
#[tokio::test]
async fn the_file_changes_nothing_of_the_help_or_of_other_errors() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "database_url = 'postgres://ann:hunter2@db/x'";
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["user", "--help"], 0),
        (&["--version"], 0),
        (&["--nothing"], 2),
        (&["user"], 2),
        (&["--listen", "x"], 2),
    ] {
        let mut said = Vec::new();
        for settings in [settings, ""] {
            let mut command = with_file(folder.path(), settings);
            let output = command.args(arguments).output().await.unwrap();
            assert_eq!(output.status.code(), Some(code), "{arguments:?}");
            said.push(text(&output.stdout) + &text(&output.stderr));
        }
        assert_eq!(said[0], said[1], "{arguments:?}");
    }
}

#[tokio::test]
async fn a_check_shows_no_secret_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = check(binary(folder.path())).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    let mut command = binary(folder.path());
    command
        .env(
            "CORTEX_REPORT_DATABASE_URL",
            "postgres://ann:hunter2@127.0.0.1:1/x",
        )
        .env("CORTEX_REPORT_SMTP_URL", "smtp://ann:hunter2@127.0.0.1:1");
    let output = check(command).await;
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    for shown in [
        "database_url: postgres://ann@127.0.0.1:1/x (variable)\n",
        "smtp_url: smtp://ann@127.0.0.1:1 (variable)\n",
        "failed: CORTEX_REPORT_DATABASE_URL: connection refused",
        "failed: CORTEX_REPORT_SMTP_URL: ",
    ] {
        assert!(said.contains(shown), "lacks {shown}: {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn a_check_tries_what_a_start_would_need() {
    for (variable, value) in [
        ("CORTEX_REPORT_DATABASE_URL", "sqlite:///nowhere/at/all.db"),
        ("CORTEX_REPORT_DATABASE_URL", "mariadb://127.0.0.1:1/x"),
        ("CORTEX_REPORT_KEY_FILE", "short.key"),
        ("CORTEX_REPORT_PUBLIC_URL", "unset"),
        ("CORTEX_REPORT_SMTP_URL", "smtp://127.0.0.1:1?tls=off"),
        ("CORTEX_REPORT_SMTP_PASSWORD_FILE", "nowhere"),
        ("CORTEX_REPORT_TLS_CERTIFICATE_FILE", "short.key"),
        ("CORTEX_REPORT_OTLP_URL", "collector"),
        ("CORTEX_REPORT_LOG_LEVEL", "a=b=c"),
        ("CORTEX_REPORT_MAIL_DIR", "short.key/mail"),
        ("CORTEX_REPORT_KEY_FILE", "nowhere/at.key"),
        ("CORTEX_REPORT_LISTEN", "192.0.2.1:8080"),
        ("CORTEX_REPORT_METRICS_LISTEN", "192.0.2.1:9090"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("short.key"), "secret").unwrap();
        let mut command = binary(folder.path());
        match value {
            "unset" => command.env("CORTEX_REPORT_LISTEN", "0.0.0.0:8080"),
            value => command.env(variable, value),
        };
        let output = check(command).await;
        let said = text(&output.stdout);
        let failed = said.lines().filter(|line| line.starts_with("failed: "));
        let said = failed.collect::<Vec<_>>().join("\n");
        assert!(!output.status.success(), "{variable}={value}");
        let flag = variable.trim_start_matches("CORTEX_REPORT_").to_lowercase();
        let flag = format!("--{}", flag.replace('_', "-"));
        assert!(
            said.contains(variable) || said.contains(&flag),
            "{variable}={value}: {said}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

/// The table in docs/operations.md.
#[tokio::test]
async fn every_setting_is_documented_with_its_default() {
    let docs = include_str!("../../docs/operations.md");
    let documented: Vec<String> = docs
        .lines()
        .skip_while(|line| *line != "## Settings")
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| {
            let (key, rest) = row.split_once("` | ").unwrap();
            let (default, _) = rest.split_once(" | ").unwrap();
            match default {
                "not set" => format!("{key}: not set"),
                default => format!("{key}: {default} (default)"),
            }
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.env_remove("CORTEX_REPORT_LISTEN");
    let settings = text(&check(command).await.stdout);
    let (settings, _) = settings.split_once("\n\n").unwrap();
    let settings: Vec<&str> = settings.lines().collect();
    assert_eq!(documented, settings, "mend the table in docs/operations.md");

    let help = binary(folder.path()).arg("--help").output().await.unwrap();
    let help = text(&help.stdout);
    for setting in settings {
        let (key, _) = setting.split_once(": ").unwrap();
        let flag = format!("--{} ", key.replace('_', "-"));
        let variable = format!("[env: CORTEX_REPORT_{}", key.to_uppercase());
        assert!(help.contains(&flag) && help.contains(&variable), "{key}");
    }
}

/// The example that is installed with the unit: every line of it counts.
#[tokio::test]
async fn the_example_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let example = include_str!("../../deploy/settings.toml");
    let mut command = with_file(folder.path(), example);
    command.env_remove("CORTEX_REPORT_LISTEN");
    let output = check(command).await;
    let said = text(&output.stdout);
    let settings = example.lines().filter(|line| line.contains(" = ")).count();
    let read = said.lines().filter(|line| line.ends_with("(file)")).count();
    assert_eq!(read, settings, "{said}\n{}", text(&output.stderr));
}

/// A value for each setting, other than its default.
const SAMPLES: [(&str, &str); 27] = [
    ("database_url", "sqlite://other.db"),
    ("database_connections", "9"),
    ("key_file", "other.key"),
    ("listen", "127.0.0.1:8081"),
    ("public_url", "https://report.example.com"),
    ("trusted_proxies", "10.0.0.7,fd00::/8"),
    ("drain", "7"),
    ("metrics_listen", "127.0.0.1:9090"),
    ("registration", "closed"),
    ("tls_certificate_file", "cert.pem"),
    ("tls_key_file", "key.pem"),
    ("lake_dir", "events"),
    ("seal_interval", "5"),
    ("smtp_url", "smtp://127.0.0.1:1?tls=off"),
    ("smtp_password_file", "password"),
    ("smtp_timeout", "7"),
    ("mail_from", "report@example.com"),
    ("mail_dir", "other"),
    ("mail_limit_address_client", "7/1m"),
    ("mail_limit_address", "7/1m"),
    ("mail_limit_client", "7/1m"),
    ("mail_limit_network", "7/1m"),
    ("mail_limit_user", "7/1m"),
    ("mail_limit_total", "7/1m"),
    ("log_level", "warn"),
    ("log_format", "json"),
    ("otlp_url", "http://127.0.0.1:4318"),
];

fn variable(key: &str) -> String {
    format!("CORTEX_REPORT_{}", key.to_uppercase())
}

/// The lines of the settings alone.
async fn listed(command: Command) -> Vec<String> {
    let said = text(&check(command).await.stdout);
    let (settings, _) = said.split_once("\n\n").unwrap();
    settings.lines().map(str::to_owned).collect()
}

/// As Compose gives variables that nobody set.
#[tokio::test]
async fn an_empty_variable_or_line_of_the_file_is_not_set() {
    let folder = tempfile::tempdir().unwrap();
    let plain = || {
        let mut command = binary(folder.path());
        command.env_remove("CORTEX_REPORT_LISTEN");
        command
    };
    let defaults = listed(plain()).await;
    let keys = defaults.iter().map(|it| it.split_once(": ").unwrap().0);
    let sampled: Vec<&str> = SAMPLES.iter().map(|it| it.0).collect();
    assert_eq!(
        keys.collect::<Vec<_>>(),
        sampled,
        "give each setting a sample"
    );

    let file = folder.path().join("settings.toml");
    let lines = SAMPLES
        .iter()
        .map(|(key, value)| format!("{key} = '{value}'\n"));
    let samples: String = lines.collect();
    let of_file: Vec<String> = SAMPLES
        .iter()
        .map(|(key, value)| format!("{key}: {value} (file)"))
        .collect();
    for empty in ["", " ", "\t \n", ",", " , "] {
        let empties = |mut command: Command| {
            for key in &sampled {
                // Commas separate values in one of them alone.
                if *key == "trusted_proxies" || !empty.contains(',') {
                    command.env(variable(key), empty);
                }
            }
            command
        };
        assert_eq!(listed(empties(plain())).await, defaults, "{empty:?}");
        fs::write(&file, &samples).unwrap();
        let mut command = empties(plain());
        command.env("CORTEX_REPORT_CONFIG", &file);
        assert_eq!(listed(command).await, of_file, "{empty:?}");
        if !empty.contains([',', '\n']) {
            let lines = sampled.iter().map(|key| format!("{key} = '{empty}'\n"));
            fs::write(&file, lines.collect::<String>()).unwrap();
            let mut command = plain();
            command.env("CORTEX_REPORT_CONFIG", &file);
            assert_eq!(listed(command).await, defaults, "{empty:?}");
        }
        let mut command = plain();
        command.env("CORTEX_REPORT_CONFIG", empty.replace(',', ""));
        assert_eq!(listed(command).await, defaults, "{empty:?}");
    }
    let mut served = plain();
    served.env("CORTEX_REPORT_LISTEN", "127.0.0.1:0");
    for key in sampled.into_iter().filter(|key| *key != "listen") {
        served.env(variable(key), "");
    }
    serve(served).await;
}

#[tokio::test]
async fn spaces_around_a_value_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    for source in ["variable", "flag", "file"] {
        let mut command = binary(folder.path());
        command.env_remove("CORTEX_REPORT_LISTEN");
        let mut lines = String::new();
        for (key, value) in SAMPLES {
            let value = format!("  {} ", value.replace(',', " , "));
            match source {
                "variable" => command.env(variable(key), value + "\n"),
                "flag" => command.arg(format!("--{}={value}", key.replace('_', "-"))),
                _ => {
                    lines += &format!("{key} = '{value}'\n");
                    &mut command
                }
            };
        }
        if source == "file" {
            fs::write(folder.path().join("settings.toml"), lines).unwrap();
            command.env("CORTEX_REPORT_CONFIG", " settings.toml\n");
        }
        let expected: Vec<String> = SAMPLES
            .iter()
            .map(|(key, value)| format!("{key}: {value} ({source})"))
            .collect();
        assert_eq!(listed(command).await, expected);
    }
}

#[tokio::test]
async fn an_empty_flag_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keys = SAMPLES.iter().map(|it| it.0).chain(["config"]);
    for key in keys {
        let flag = format!("--{}", key.replace('_', "-"));
        for value in ["", " "] {
            let mut command = binary(folder.path());
            command.arg(format!("{flag}={value}"));
            let output = command.output().await.unwrap();
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{flag}: {said}");
            let sentence = "needs a value; to leave it unset, omit the flag";
            assert!(said.contains(&flag) && said.contains(sentence), "{said}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_check_takes_its_flags_in_any_place() {
    let folder = tempfile::tempdir().unwrap();
    for (before, behind) in [
        (&["--mail-dir", "here", "--log-level=warn"][..], &[][..]),
        (&[], &["--mail-dir", "here", "--log-level=warn"]),
        (&["--log-level=warn"], &["--mail-dir", "here"]),
        (&["--mail-dir=here"], &["--log-level", "warn"]),
        (
            &["--mail-dir=there", "--trusted-proxies=10.0.0.1"],
            &["--mail-dir=here", "--log-level=warn"],
        ),
    ] {
        let mut command = binary(folder.path());
        command.args(before).arg("check-config").args(behind);
        let output = command.output().await.unwrap();
        let said = text(&output.stdout);
        assert!(output.status.success(), "{}", text(&output.stderr));
        for line in ["mail_dir: here (flag)\n", "log_level: warn (flag)\n"] {
            assert!(said.contains(line), "{before:?} {behind:?}: {said}");
        }
    }
    let mut command = binary(folder.path());
    command.args(["check-config", "--listen"]);
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("a value is required for '--listen <ADDRESS>'"),
        "{said}"
    );
    let mut command = binary(folder.path());
    command.args([
        "check-config",
        "--listen",
        "x",
        "--smtp-url=ftp://a:hunter2@b",
    ]);
    let output = command.output().await.unwrap();
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("failed: invalid value 'x' for '--listen"),
        "{said}"
    );
    assert!(
        said.contains("failed: invalid value for '--smtp-url"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn a_check_goes_on_after_what_failed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("short.key"), "secret").unwrap();
    let settings = "
        drain = 601
        nothing = 'x'
        registration = 'maybe'
        metrics_listen = '127.0.0.1:9090'
    ";
    let mut command = with_file(folder.path(), settings);
    for (key, value) in [
        ("database_url", "sqlite:///nowhere/at/all.db"),
        ("key_file", "short.key"),
        ("smtp_url", "smtp://127.0.0.1:1?tls=off"),
        ("tls_key_file", "short.key"),
        ("listen", "localhost"),
        ("mail_limit_total", "lots"),
        ("trusted_proxies", "0.0.0.0/0"),
    ] {
        command.env(variable(key), value);
    }
    let output = check(command).await;
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    for line in [
        "listen: cannot be used (variable)",
        "drain: cannot be used (file)",
        "metrics_listen: 127.0.0.1:9090 (file)",
        "failed: CORTEX_REPORT_LISTEN: invalid value 'localhost' for '--listen",
        "failed: CORTEX_REPORT_MAIL_LIMIT_TOTAL: invalid value 'lots' for '--mail-limit-total",
        "settings.toml: line 2: drain: invalid value '601'",
        "settings.toml: line 3: there is no setting nothing",
        "settings.toml: line 4: registration: invalid value 'maybe' for '--registration <MODE>' \
         [possible values: open, closed]",
        "failed: CORTEX_REPORT_DATABASE_URL: the folder /nowhere/at of the file",
        "failed: CORTEX_REPORT_KEY_FILE: cannot use short.key",
        "failed: CORTEX_REPORT_TLS_CERTIFICATE_FILE and CORTEX_REPORT_TLS_KEY_FILE go together",
        "failed: CORTEX_REPORT_SMTP_URL: ",
        "ok: log and traces",
        "ok: address of metrics",
        "warning: CORTEX_REPORT_TRUSTED_PROXIES: 0.0.0.0/0",
    ] {
        assert!(said.contains(line), "lacks {line}:\n{said}");
    }
    // What cannot be tried without a setting that is refused is left out.
    assert!(!said.contains("address to listen on"), "{said}");
    let stderr = text(&output.stderr);
    let failed = said
        .lines()
        .filter(|line| line.starts_with("failed: "))
        .count();
    let sum = format!("cannot start with these settings: {failed} of the checks failed");
    assert!(stderr.contains(&sum), "{stderr}\n{said}");
}

/// By the check and, word for word, at the start.
#[tokio::test]
async fn what_hardly_anybody_wants_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, content: &str, mode: u32| {
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    };
    make("public.key", &"k".repeat(43), 0o644);
    make("group.txt", "hunter2", 0o640);
    make("public.db", "", 0o604);
    let settings = "smtp_url = 'smtp://ann:hunter2@mail.example.com'";
    make("settings.toml", settings, 0o644);
    let mut command = binary(folder.path());
    for (key, value) in [
        ("config", "settings.toml"),
        ("database_url", "sqlite://public.db"),
        ("key_file", "public.key"),
        ("smtp_password_file", "group.txt"),
        ("listen", "0.0.0.0:0"),
        ("public_url", "http://report.example.com"),
        ("trusted_proxies", "127.0.0.1,128.0.0.0/1,0.0.0.0/1"),
        ("metrics_listen", "0.0.0.0:0"),
    ] {
        command.env(variable(key), value);
    }
    let warned = |said: &str, before: &str| -> Vec<String> {
        let lines = said.lines().filter_map(|line| line.split_once(before));
        lines.map(|(_, warning)| warning.to_owned()).collect()
    };
    let served = serve(command).await;
    let started = warned(&served.logged, "WARN cortex_report_server::run: ");
    let expected = [
        "CORTEX_REPORT_KEY_FILE: other users can read public.key (mode 644): chmod 600 public.key",
        "CORTEX_REPORT_DATABASE_URL: other users can read public.db (mode 604)",
        "CORTEX_REPORT_SMTP_PASSWORD_FILE: other users can read group.txt (mode 640)",
        "CORTEX_REPORT_CONFIG: other users can read settings.toml (mode 644)",
        "CORTEX_REPORT_PUBLIC_URL: the URL is http, and the service listens on 0.0.0.0:0",
        "CORTEX_REPORT_REGISTRATION: registration is open",
        "CORTEX_REPORT_TRUSTED_PROXIES: 0.0.0.0/0 covers far more than proxies",
        "CORTEX_REPORT_METRICS_LISTEN: 0.0.0.0:0 may be reachable by anybody",
    ];
    assert_eq!(started.len(), expected.len(), "{started:#?}");
    for (warning, begin) in started.iter().zip(expected) {
        assert!(warning.starts_with(begin), "{begin}: {warning}");
        assert!(!warning.contains("hunter2"), "{warning}");
    }
    drop(served);

    // Mails into a folder, and a TLS key.
    make("public.pem", "", 0o644);
    let mut command = binary(folder.path());
    for (key, value) in [
        ("listen", "[::]:8080"),
        ("public_url", "https://report.example.com"),
        ("registration", "closed"),
        ("tls_key_file", "public.pem"),
        ("metrics_listen", "10.0.0.7:9090"),
        ("trusted_proxies", "10.0.0.0/8,fc00::/7"),
    ] {
        command.env(variable(key), value);
    }
    let checked = warned(&text(&check(command).await.stdout), "warning: ");
    let expected = [
        "CORTEX_REPORT_TLS_KEY_FILE: other users can read public.pem",
        "CORTEX_REPORT_SMTP_URL: not set, so mails are written to the folder mail",
    ];
    assert_eq!(checked.len(), expected.len(), "{checked:#?}");
    for (warning, begin) in checked.iter().zip(expected) {
        assert!(warning.starts_with(begin), "{begin}: {warning}");
    }
    let quiet = text(&check(binary(folder.path())).await.stdout);
    assert!(!quiet.contains("warning"), "{quiet}");
}
