//! The binary of the service, as a process.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

use super::conformance::Caller;

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The binary with every file in `folder`, and nothing from the environment.
pub fn binary(folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cortex-reportd-under-test"));
    command
        .current_dir(folder)
        .env_clear()
        .env("CORTEX_REPORT_LISTEN", "127.0.0.1:0")
        .kill_on_drop(true);
    command
}

/// The binary while it serves.
pub struct Served {
    pub child: Child,
    pub url: String,
    pub api: Caller,
    /// Log up to the line that says that it serves.
    pub logged: String,
    /// Log after that line.
    pub log: Lines<BufReader<ChildStderr>>,
}

/// Starts the binary and waits until it serves.
pub async fn serve(mut command: Command) -> Served {
    // A test that fails must not leave it behind, nor may it hold the test's output open.
    command.kill_on_drop(true).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut logged = String::new();
    let url = loop {
        let line = log.next_line().await.unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended before it served: {logged}"));
        logged.push_str(&line);
        logged.push('\n');
        if let Some((_, rest)) = line.split_once("serving; open ") {
            break rest.split(' ').next().unwrap().to_owned();
        }
    };
    Served {
        child,
        api: Caller::new(&url),
        url,
        logged,
        log,
    }
}

/// Output of the binary, which has to exit by itself within 20 seconds.
pub async fn ended(mut command: Command) -> std::process::Output {
    let output = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(20), output).await;
    output.expect("it ends by itself").unwrap()
}

/// Sends a signal to the binary.
pub fn signal(child: &Child, name: &str) {
    let kill = format!("kill -s {name} {}", child.id().unwrap());
    let sent = std::process::Command::new("sh")
        .args(["-c", &kill])
        .status();
    assert!(sent.unwrap().success());
}
