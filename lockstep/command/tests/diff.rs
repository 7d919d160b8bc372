//! Two documents in, lines and an exit code out.

mod kinds;

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{Said, run};

/// The document before a change, as JSON.
fn notes() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/notes.yaml");
    let text = fs::read_to_string(file).unwrap();
    let document = openapi_lockstep::read("notes.yaml", &text).ok().unwrap();
    serde_json::from_str(&document.json()).unwrap()
}

/// Puts a value at a pointer, or takes away what is there.
fn put(document: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = document
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("nothing is at {parent}"));
    match (parent, value) {
        (Value::Array(items), None) => {
            items.remove(name.parse().unwrap());
        }
        (Value::Array(items), Some(value)) => items.push(value),
        (parent, Some(value)) => parent[&name] = value,
        (parent, None) => {
            let taken = parent.as_object_mut().unwrap().shift_remove(&name);
            assert!(taken.is_some(), "nothing is at {pointer}");
        }
    }
}

fn compare(old: &Value, new: &Value, arguments: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    for (name, document) in [("old.yaml", old), ("new.yaml", new)] {
        fs::write(folder.path().join(name), document.to_string()).unwrap();
    }
    diff(
        folder.path(),
        &[&["old.yaml", "new.yaml"], arguments].concat(),
    )
}

fn diff(folder: &Path, arguments: &[&str]) -> Said {
    run(folder, &[&["diff"], arguments].concat())
}

#[test]
fn the_same_document_has_no_changes() {
    let said = compare(&notes(), &notes(), &["--released"]);
    assert_eq!(said.code, 0, "{}", said.error);
    assert_eq!(
        said.lines,
        ["2.0.0 -> 2.0.0: 0 compatible, 0 breaking changes"]
    );
}

#[test]
fn texts_for_people_and_examples_are_no_changes() {
    let mut new = notes();
    put(&mut new, "/info/title", Some(json!("Other notes")));
    put(&mut new, "/tags/0/description", Some(json!("other")));
    put(&mut new, "/paths/~1notes/get/summary", Some(json!("other")));
    put(
        &mut new,
        "/components/schemas/Note/description",
        Some(json!("other")),
    );
    put(
        &mut new,
        "/components/schemas/NoteId/example",
        Some(json!(7)),
    );
    put(
        &mut new,
        "/components/responses/Failed/description",
        Some(json!("other")),
    );
    let said = compare(&notes(), &new, &["--released"]);
    assert_eq!((said.code, said.lines.len()), (0, 1), "{:?}", said.lines);
}

#[test]
fn a_breaking_change_needs_a_new_major_version() {
    let mut new = notes();
    put(&mut new, "/components/schemas/Note/properties/size", None);
    let said = compare(&notes(), &new, &[]);
    assert_eq!(said.code, 3);
    assert!(
        said.error.contains("info.version to 3.0.0"),
        "{}",
        said.error
    );
    for (version, code) in [("2.1.0", 3), ("3.0.0", 0)] {
        put(&mut new, "/info/version", Some(json!(version)));
        for arguments in [&[][..], &["--released"]] {
            let said = compare(&notes(), &new, arguments);
            assert_eq!(said.code, code, "{version}: {}", said.error);
            assert!(said.lines[0].starts_with("breaking "), "{:?}", said.lines);
        }
    }
}

#[test]
fn a_compatible_change_of_a_released_document_needs_a_new_version() {
    let mut new = notes();
    put(
        &mut new,
        "/components/schemas/NoteId/minimum",
        Some(json!(0)),
    );
    let mut old = notes();
    put(
        &mut old,
        "/components/schemas/NoteId/minimum",
        Some(json!(1)),
    );
    // Nobody answers a number, so that less is not asked.
    put(&mut old, "/components/schemas/Note/properties/links", None);
    put(&mut new, "/components/schemas/Note/properties/links", None);
    assert_eq!(compare(&old, &new, &[]).code, 0);
    let said = compare(&old, &new, &["--released"]);
    assert_eq!(said.code, 1);
    assert!(
        said.error.contains("info.version to 2.1.0"),
        "{}",
        said.error
    );
    for (version, code) in [("2.0.1", 1), ("2.1.0", 0), ("3.0.0", 0)] {
        put(&mut new, "/info/version", Some(json!(version)));
        let said = compare(&old, &new, &["--released"]);
        assert_eq!(said.code, code, "{version}: {}", said.error);
    }
}

#[test]
fn what_cannot_be_compared_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.yaml"), notes().to_string()).unwrap();
    let mut version = notes();
    put(&mut version, "/info/version", Some(json!("two")));
    fs::write(folder.path().join("version.yaml"), version.to_string()).unwrap();
    fs::write(
        folder.path().join("broken.yaml"),
        "openapi: 3.1.0\npaths: []\n",
    )
    .unwrap();
    for (file, told) in [
        ("absent.yaml", "absent.yaml cannot be read: No such file"),
        ("version.yaml", "info.version is two"),
        ("broken.yaml", "broken.yaml:2:1 /paths: is not an object"),
    ] {
        let said = diff(folder.path(), &["good.yaml", file]);
        assert_eq!(said.code, 2);
        assert!(said.error.contains(told), "{}", said.error);
        assert!(!said.error.contains("panicked"), "{}", said.error);
    }
}
