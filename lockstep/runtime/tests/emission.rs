//! Comparison of the document that poem-openapi emits for the server of `notes.yaml` with
//! `notes.yaml`.

use openapi_lockstep::{Document, differences};
use serde_json::{Value, json};

use crate::requests::{notes::spec, ping};

fn document() -> Document {
    let text = include_str!("../../tests/golden/notes.yaml");
    openapi_lockstep::read("notes.yaml", text).expect("it is kept readable")
}

fn told(emitted: &str) -> Vec<String> {
    let differences = differences(&document(), emitted).unwrap();
    differences.iter().map(ToString::to_string).collect()
}

#[test]
fn the_server_says_what_the_document_says() {
    assert_eq!(told(&spec()), [""; 0]);
}

#[test]
fn replies_without_a_body_are_said_too() {
    let text = include_str!("../../tests/golden/ping.yaml");
    let document = openapi_lockstep::read("ping.yaml", text).expect("it is kept readable");
    assert_eq!(differences(&document, &ping::spec()).unwrap(), []);
}

/// Another value in the emission, or none, is told with its place and both values.
#[test]
fn a_difference_is_told_with_its_place_and_both_values() {
    let emitted: Value = serde_json::from_str(&spec()).unwrap();
    for (pointer, value, expected) in [
        (
            "/info/version",
            json!("2.0.1"),
            "info/version: the document says 2.0.0, the server 2.0.1",
        ),
        (
            "/paths/~1notes/get/operationId",
            json!("x"),
            "listNotes: the document says GET /notes, the server nothing",
        ),
        ("/paths/~1notes/get/tags", json!(["x"]), "listNotes, tag: "),
        (
            "/paths/~1notes/get/parameters/0/name",
            json!("x"),
            "listNotes, parameter query max-count: ",
        ),
        (
            "/paths/~1notes/get/parameters/0/required",
            json!(true),
            "listNotes, parameter query max-count: ",
        ),
        (
            "/paths/~1notes/get/parameters/0/explode",
            json!(false),
            "listNotes, parameter query max-count: ",
        ),
        (
            "/paths/~1notes/get/parameters/0/schema/format",
            json!("int64"),
            "listNotes, parameter query max-count: the document says Integer(\"i32\")",
        ),
        (
            "/paths/~1notes/get/responses/404",
            json!({ "description": "x" }),
            "listNotes, reply 404 : the document says nothing, the server ",
        ),
        (
            "/paths/~1notes/get/responses/400",
            Value::Null,
            "listNotes, reply 400 application/problem+json: ",
        ),
        (
            "/paths/~1notes/get/security",
            json!([{}]),
            "listNotes, security: the document says key() or token(), the server ",
        ),
        (
            "/paths/~1notes/get",
            Value::Null,
            "listNotes: the document says GET /notes, the server nothing",
        ),
        (
            "/paths/~1status/post/deprecated",
            json!(false),
            "setStatus, deprecated: ",
        ),
        (
            "/paths/~1status/post/requestBody/content/application~1x-www-form-urlencoded",
            Value::Null,
            "setStatus, body application/x-www-form-urlencoded: ",
        ),
        (
            "/paths/~1status/post/requestBody/required",
            json!(true),
            "setStatus, body: ",
        ),
        (
            "/paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/201/headers",
            Value::Null,
            "putNote, reply 201 application/json, header location: ",
        ),
        (
            "/components/schemas/Note/properties/size/type",
            json!("string"),
            "listNotes, reply 200 application/json, member notes, item, member size: ",
        ),
        (
            "/components/schemas/Note/properties/due/nullable",
            json!(false),
            "listNotes, reply 200 application/json, member notes, item, member due: ",
        ),
        (
            "/components/schemas/Note/required",
            json!(["text"]),
            "listNotes, reply 200 application/json, member notes, item, member type: ",
        ),
        (
            "/components/schemas/Mood/enum",
            json!(["good"]),
            "setStatus, body application/x-www-form-urlencoded, member mood, values: ",
        ),
        (
            "/components/securitySchemes/token/name",
            json!("x"),
            "security scheme token: ",
        ),
    ] {
        let mut changed = emitted.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = changed.pointer_mut(parent).unwrap();
        if value.is_null() {
            let name = name.replace("~1", "/");
            let removed = parent.as_object_mut().unwrap().remove(&name);
            assert!(removed.is_some(), "{pointer}");
        } else {
            parent[name] = value;
        }
        let told = told(&changed.to_string());
        assert!(
            told.iter()
                .any(|difference| difference.starts_with(expected)),
            "{pointer}: {told:#?}"
        );
    }
}
