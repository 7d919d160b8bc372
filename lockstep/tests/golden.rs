//! The code of small documents, letter by letter. That it compiles and works is shown by the tests
//! of the runtime.

use std::{env, fs, path::Path};

#[test]
fn notes() {
    is_as_kept("notes");
}

#[test]
fn ping() {
    is_as_kept("ping");
}

#[test]
fn the_same_document_gives_the_same_code() {
    assert_eq!(code("notes"), code("notes"));
}

fn is_as_kept(name: &str) {
    let kept = folder().join(format!("{name}.rs"));
    let code = code(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&kept, &code).unwrap();
    }
    let expected = fs::read_to_string(&kept).unwrap_or_default();
    let first = code
        .lines()
        .zip(expected.lines())
        .position(|(new, kept)| new != kept)
        .map_or_else(|| "the end".to_owned(), |line| format!("line {}", line + 1));
    assert!(
        code == expected,
        "the code of {name}.yaml differs from {} from {first} on; if it is meant to, run the test \
         with UPDATE_GOLDEN=1 and review the change",
        kept.display()
    );
}

fn code(name: &str) -> String {
    let text = fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap();
    match openapi_lockstep::read(&format!("{name}.yaml"), &text) {
        Ok(document) => openapi_lockstep::server(&document),
        Err(refusals) => panic!("{name}.yaml is refused: {refusals:#?}"),
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
}
