//! The settings file, and what `check-config` says of all settings.

use std::{fs, path::Path, process::Output, time::Duration};

use tokio::process::Command;

use crate::commands::{binary, serve, text};

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
    assert_eq!(files, ["other", "other.db", "other.key", "settings.toml"]);
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
            &["line 1: a setting is a text, a number, or a list of texts"],
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
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{settings}: {said}");
            let file = "cortex-reportd: CORTEX_REPORT_CONFIG: ";
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
        said.contains("CORTEX_REPORT_CONFIG: nowhere.toml: it cannot be read"),
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
    assert!(
        said.contains("cortex-reportd: CORTEX_REPORT_DATABASE_URL: "),
        "{said}"
    );
    assert!(
        said.contains("database_url: not shown (variable)"),
        "{said}"
    );
    assert!(said.contains("smtp_url: not shown (variable)"), "{said}");
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
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("short.key"), "secret").unwrap();
        let mut command = binary(folder.path());
        match value {
            "unset" => command.env("CORTEX_REPORT_LISTEN", "0.0.0.0:8080"),
            value => command.env(variable, value),
        };
        let output = check(command).await;
        let said = text(&output.stderr);
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
    let docs = include_str!("../docs/operations.md");
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
    let (settings, _) = settings.split_once("\n\nThe service could start").unwrap();
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
    let example = include_str!("../deploy/settings.toml");
    let mut command = with_file(folder.path(), example);
    command.env_remove("CORTEX_REPORT_LISTEN");
    let output = check(command).await;
    let said = text(&output.stdout);
    let settings = example.lines().filter(|line| line.contains(" = ")).count();
    let read = said.lines().filter(|line| line.ends_with("(file)")).count();
    assert_eq!(read, settings, "{said}\n{}", text(&output.stderr));
}
