//! All tests once more, on each database server that is there.

use std::{
    env,
    process::{Command, Output},
};

use sea_orm::Database;

use crate::harness::{SERVER, say};

/// A kind of server, the variable that says where one is, and where it is looked for else.
const SERVERS: [[&str; 3]; 2] = [
    [
        "PostgreSQL",
        "CORTEX_REPORT_TEST_POSTGRES",
        "postgres://postgres@127.0.0.1:5432/test",
    ],
    [
        "MariaDB",
        "CORTEX_REPORT_TEST_MARIADB",
        "mysql://root@127.0.0.1:3306/test",
    ],
];

/// Tests to skip: those that need no database server, and those that run tests themselves.
const ELSEWHERE: [&str; 7] = [
    "dependencies::",
    "document::",
    "each_database::",
    "emission::",
    "lockstep::",
    "settings::",
    "traces::",
];

/// One test, so that they do not slow each other down.
#[tokio::test]
async fn the_other_tests_pass_on_every_server_that_is_there() {
    if env::var_os(SERVER).is_some() {
        return;
    }
    let mut failed = Vec::new();
    for [name, variable, default] in SERVERS {
        let url = env::var(variable);
        if let (Err(error), true) = (
            Database::connect(url.as_deref().unwrap_or(default)).await,
            url.is_err(),
        ) {
            say(&format!(
                "{name}: LEFT OUT, since none is at {default}; set {variable}: {error}"
            ));
            continue;
        }
        let run = run(url.as_deref().unwrap_or(default));
        let said = String::from_utf8_lossy(&run.stdout);
        let also = String::from_utf8_lossy(&run.stderr);
        let result = said.lines().rfind(|line| line.starts_with("test result: "));
        say(&format!(
            "{name}: {}",
            result.unwrap_or("its tests did not end")
        ));
        if run.status.success() {
            also.lines()
                .for_each(|line| say(&format!("{name}: {line}")));
        } else {
            failed.push(format!("{name}:\n{said}\n{also}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn run(server: &str) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(ELSEWHERE.iter().flat_map(|name| ["--skip", name]))
        .env(SERVER, server)
        .output()
        .unwrap()
}
