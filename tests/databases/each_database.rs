//! All tests once more, on each database server that a variable names.

use std::{
    env,
    process::{Command, Output},
};

use crate::harness::{SERVER, say};

/// A kind of server, and the variable with the URL of one. None is looked for where nothing is said:
/// the tests make and drop databases.
const SERVERS: [[&str; 2]; 2] = [
    ["PostgreSQL", "CORTEX_REPORT_TEST_POSTGRES"],
    ["MariaDB", "CORTEX_REPORT_TEST_MARIADB"],
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
#[test]
fn the_other_tests_pass_on_every_server_that_is_named() {
    if env::var_os(SERVER).is_some() {
        return;
    }
    let mut failed = Vec::new();
    for [name, variable] in SERVERS {
        let Ok(url) = env::var(variable) else {
            say(&format!("{name}: LEFT OUT, since {variable} names none"));
            continue;
        };
        let run = run(&url);
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
