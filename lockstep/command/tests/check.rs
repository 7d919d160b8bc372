//! `lockstep check`.

use std::fs;

use serde_json::{Value, json};

use crate::{notes, run};

const WRONG: (&str, &str) = ("in: query", "in: body");

#[test]
fn a_document_that_is_taken_is_told_to_be() {
    let folder = notes("", "");
    let said = run(folder.path(), &["check", "notes.yaml", "--documented"]);
    assert_eq!((said.code, said.error.as_str()), (0, ""));
    assert_eq!(
        said.lines,
        ["notes.yaml: server and client can be generated"]
    );
}

#[test]
fn a_refusal_is_told_as_it_is_asked_for() {
    let folder = notes(WRONG.0, WRONG.1);
    let of = |arguments: &[&str]| {
        run(
            folder.path(),
            &[&["check", "notes.yaml"], arguments].concat(),
        )
    };
    let pointer = "/paths/~1notes/get/parameters/0";
    let reason = "has to be in path, query, header or cookie";
    let text = of(&[]);
    assert_eq!(text.code, 1);
    assert_eq!(
        text.lines,
        [format!("notes.yaml:19:11 {pointer}: {reason}")]
    );
    let told: Value = serde_json::from_str(&of(&["--format", "json"]).lines.join("\n")).unwrap();
    let expected = json!([{
        "file": "notes.yaml", "line": 19, "column": 11, "pointer": pointer, "reason": reason,
    }]);
    assert_eq!(told, expected);
    let github = of(&["--format", "github"]);
    assert_eq!(
        github.lines,
        [format!(
            "::error file=notes.yaml,line=19,col=11::{pointer}: {reason}"
        )]
    );
}

/// A document with very many refusals is told by their kinds.
#[test]
fn very_many_refusals_are_counted() {
    let folder = notes("", "");
    let properties: String = (0..150)
        .map(|number| format!("        member{number}: {{ type: strng }}\n"))
        .collect();
    let schema = format!("    Many:\n      type: object\n      properties:\n{properties}");
    let file = folder.path().join("notes.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replacen("  schemas:\n", &format!("  schemas:\n{schema}"), 1),
    )
    .unwrap();
    let said = run(folder.path(), &["check", "notes.yaml"]);
    assert!(
        said.lines[0].starts_with("150 times: "),
        "{:#?}",
        said.lines
    );
    assert_eq!(said.lines.len(), 5, "{:#?}", said.lines);
    let all = run(folder.path(), &["check", "notes.yaml", "--all"]);
    assert_eq!(all.lines.len(), 150);
}

#[test]
fn a_file_that_cannot_be_read_is_no_refusal() {
    let folder = notes("", "");
    let said = run(folder.path(), &["check", "other.yaml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.error.starts_with("other.yaml cannot be read: "),
        "{}",
        said.error
    );
}
