//! The command `lockstep`: arguments and files in, lines and an exit code out.

#![allow(missing_docs, reason = "tests say what they are by their names")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod check;
mod corpus;
mod diff;
mod generate;

use std::{path::Path, process::Command};

/// Exit code and output of a run of the command.
struct Said {
    code: i32,
    lines: Vec<String>,
    error: String,
}

fn run(folder: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap(),
        lines: String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with notes.yaml, in which the first `from` is replaced by `to`.
fn notes(from: &str, to: &str) -> tempfile::TempDir {
    let text = include_str!("../../tests/golden/notes.yaml");
    assert!(text.contains(from), "notes.yaml lacks {from:?}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.yaml"), text.replacen(from, to, 1)).unwrap();
    folder
}
