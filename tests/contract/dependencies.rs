//! Dependencies that the client library brings into a program.

use std::{collections::BTreeSet, path::Path, process::Command};

/// The crates, with their versions, that the client is built from.
fn crates(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(["--package", "cortex-report-client"])
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let tree = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        line.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    };
    tree.lines()
        .map(line)
        .filter(|line| !line.is_empty())
        .collect()
}

fn named<'a>(crates: &'a BTreeSet<String>, names: &[&str]) -> Vec<&'a str> {
    let is_named = |it: &&str| names.contains(&it.split(' ').next().unwrap_or_default());
    crates.iter().map(String::as_str).filter(is_named).collect()
}

#[test]
fn the_client_stands_alone() {
    let all = crates(&["--edges", "normal,build"]);
    let server = [
        "cortex-report-server",
        "cortex-report-api",
        "poem",
        "sea-orm",
        "sqlx",
    ];
    assert_eq!(named(&all, &server), [""; 0]);
    let tls = ["rustls", "native-tls", "openssl", "boring"];
    assert_eq!(named(&all, &tls).len(), 1, "one library for TLS: {all:?}");
    let providers = ["aws-lc-rs", "ring"];
    assert_eq!(
        named(&all, &providers).len(),
        1,
        "one for cryptography: {all:?}"
    );
}

#[test]
fn a_library_user_leaves_the_command_line_and_tls_off() {
    let library = crates(&["--no-default-features", "--edges", "normal"]);
    let others = ["clap", "indicatif", "comfy-table", "rustls", "httpmock"];
    assert_eq!(named(&library, &others), [""; 0]);
    assert!(!named(&library, &["reqwest"]).is_empty(), "{library:?}");
}
