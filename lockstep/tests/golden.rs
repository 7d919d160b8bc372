//! The code of small documents, letter by letter. That it compiles and works is shown by the tests
//! of the runtime.

use std::{env, fs, path::Path};

use openapi_lockstep::Document;

#[test]
fn the_server_of_notes() {
    is_as_kept("notes.rs", &openapi_lockstep::server(&document("notes")));
}

#[test]
fn the_server_of_ping() {
    is_as_kept("ping.rs", &openapi_lockstep::server(&document("ping")));
}

#[test]
fn the_client_of_notes() {
    let code = openapi_lockstep::client(&document("notes")).unwrap();
    is_as_kept("notes_client.rs", &code);
}

#[test]
fn the_client_of_ping() {
    let code = openapi_lockstep::client(&document("ping")).unwrap();
    is_as_kept("ping_client.rs", &code);
}

#[test]
fn the_server_of_shelf() {
    is_as_kept("shelf.rs", &openapi_lockstep::server(&document("shelf")));
}

#[test]
fn the_client_of_shelf() {
    let code = openapi_lockstep::client(&document("shelf")).unwrap();
    is_as_kept("shelf_client.rs", &code);
}

#[test]
fn the_mock_of_notes() {
    let code = openapi_lockstep::mock(&document("notes")).unwrap();
    is_as_kept("notes_mock.rs", &code);
}

#[test]
fn the_types_of_shapes() {
    let text = fs::read_to_string(folder().join("shapes.yaml")).unwrap();
    let code = openapi_lockstep::types("shapes.yaml", &text).unwrap();
    is_as_kept("shapes.rs", &code);
}

#[test]
fn the_same_document_gives_the_same_code() {
    let code = || {
        let document = document("notes");
        let client = openapi_lockstep::client(&document).unwrap();
        (openapi_lockstep::server(&document), client)
    };
    assert_eq!(code(), code());
}

fn is_as_kept(name: &str, code: &str) {
    let kept = folder().join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&kept, code).unwrap();
    }
    let expected = fs::read_to_string(&kept).unwrap_or_default();
    let first = code
        .lines()
        .zip(expected.lines())
        .position(|(new, kept)| new != kept)
        .map_or_else(|| "the end".to_owned(), |line| format!("line {}", line + 1));
    assert!(
        code == expected,
        "what is generated differs from {} from {first} on; if it is meant to, run the test with \
         UPDATE_GOLDEN=1 and review the change",
        kept.display()
    );
}

fn document(name: &str) -> Document {
    let text = fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap();
    match openapi_lockstep::read(&format!("{name}.yaml"), &text) {
        Ok(document) => document,
        Err(diagnostics) => panic!("{name}.yaml is refused: {diagnostics:#?}"),
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
}

#[test]
fn what_is_deprecated_anywhere_is_marked() {
    let text = fs::read_to_string(folder().join("notes.yaml")).unwrap();
    let text = text
        .replace("    NoteId:\n", "    NoteId:\n      deprecated: true\n")
        .replace(
            "    NoteKind:\n",
            "    NoteKind:\n      deprecated: true\n      title: Other\n",
        )
        .replace(
            "    NoteList:\n",
            "    NoteList:\n      deprecated: true\n      title: Another\n",
        );
    let document = openapi_lockstep::read("notes.yaml", &text).unwrap();
    let code = openapi_lockstep::client(&document).unwrap();
    for marked in [
        "pub enum NoteKind {",
        "pub struct NoteList {",
        "pub fn note_id<V>(mut self, value: V) -> Self",
    ] {
        let line = code.lines().position(|line| line.trim() == marked);
        let line = line.unwrap_or_else(|| panic!("{marked} is not in the code"));
        let before: Vec<&str> = code.lines().take(line).collect();
        let attributes = before.iter().rev().take(14).map(|line| line.trim());
        assert!(
            attributes.into_iter().any(|line| line == "#[deprecated]"),
            "{marked} is not"
        );
    }
}
