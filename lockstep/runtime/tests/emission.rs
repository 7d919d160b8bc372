//! What poem-openapi emits for the server of `notes.yaml`, held against `notes.yaml`.

use openapi_lockstep::{Document, differences, normalisations};
use serde_json::{Value, json};

use crate::requests::{Notes, Ping, notes::service, ping};

fn document() -> Document {
    // With an example, which the server does not know either.
    let text = include_str!("../../tests/golden/notes.yaml").replace(
        "weight: { type: number }",
        "weight: { type: number, example: 0.5 }",
    );
    openapi_lockstep::read("notes.yaml", &text).expect("it is kept readable")
}

fn told(emitted: &str, without: &[&str]) -> Vec<String> {
    let differences = differences(&document(), emitted, without).unwrap();
    differences.iter().map(ToString::to_string).collect()
}

#[test]
fn the_server_says_what_the_document_says() {
    assert_eq!(told(&service(Notes).spec(), &[]), [""; 0]);
}

#[test]
fn replies_without_a_body_are_said_too() {
    let text = include_str!("../../tests/golden/ping.yaml");
    let document = openapi_lockstep::read("ping.yaml", text).expect("it is kept readable");
    let differences = differences(&document, &ping::service(Ping).spec(), &[]).unwrap();
    assert_eq!(differences, []);
}

#[test]
fn every_normalisation_is_needed() {
    let emitted = service(Notes).spec();
    for name in normalisations() {
        let told = told(&emitted, &[name]);
        assert!(
            !told.is_empty(),
            "without {name:?} nothing differs: delete it"
        );
    }
}

/// What is wrong with the server if its emission has another value at a pointer, or none.
#[test]
fn a_difference_is_told_with_its_place_and_both_values() {
    let emitted: Value = serde_json::from_str(&service(Notes).spec()).unwrap();
    for (pointer, value, expected) in [
        (
            "/info/version",
            json!("2.0.1"),
            "/info/version: the document says \"2.0.0\", the server \"2.0.1\"",
        ),
        ("/tags/0/description", json!("x"), "/tags/0/description: "),
        (
            "/paths/~1notes/get/operationId",
            json!("x"),
            "/paths/~1notes/get/operationId: ",
        ),
        (
            "/paths/~1notes/get/summary",
            json!("x"),
            "/paths/~1notes/get/summary: ",
        ),
        (
            "/paths/~1notes/get/parameters/0/name",
            json!("x"),
            "/paths/~1notes/get/parameters/0/name: ",
        ),
        (
            "/paths/~1notes/get/parameters/0/required",
            json!(true),
            "/paths/~1notes/get/parameters/0/required: ",
        ),
        (
            "/paths/~1notes/get/parameters/0/deprecated",
            json!(false),
            "/paths/~1notes/get/parameters/0/deprecated: ",
        ),
        (
            "/paths/~1notes/get/parameters/0/schema/format",
            json!("int64"),
            "/paths/~1notes/get/parameters/0/schema/format: ",
        ),
        (
            "/paths/~1notes/get/responses/404",
            json!({"description": "x"}),
            "/paths/~1notes/get/responses/404: the document says nothing, the server {",
        ),
        (
            "/paths/~1notes/get/responses/400",
            Value::Null,
            "/paths/~1notes/get/responses/400: the document says {",
        ),
        (
            "/paths/~1notes/get/responses/200/description",
            json!("x"),
            "/paths/~1notes/get/responses/200/description: ",
        ),
        (
            "/paths/~1notes/get/security",
            json!([{}]),
            "/paths/~1notes/get/security/0",
        ),
        (
            "/paths/~1notes/get",
            Value::Null,
            "/paths/~1notes/get: the document says {",
        ),
        (
            "/paths/~1status/post/deprecated",
            json!(false),
            "/paths/~1status/post/deprecated: ",
        ),
        (
            "/paths/~1status/post/requestBody/content/application~1x-www-form-urlencoded",
            Value::Null,
            "/paths/~1status/post/requestBody/content/application~1x-www-form-urlencoded: ",
        ),
        (
            "/components/schemas/Note/properties/size/type",
            json!("string"),
            "/components/schemas/Note/properties/size",
        ),
        (
            "/components/schemas/Note/properties/due/description",
            json!("x"),
            "/components/schemas/Note/properties/due/description: ",
        ),
        (
            "/components/schemas/Note/required",
            json!(["text"]),
            "/components/schemas/Note/required/",
        ),
        (
            "/components/schemas/Mood/enum",
            json!(["good"]),
            "/components/schemas/Mood/enum/1: ",
        ),
        (
            "/components/securitySchemes/token/name",
            json!("x"),
            "/components/securitySchemes/token/name: ",
        ),
    ] {
        let mut changed = emitted.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = changed.pointer_mut(parent).unwrap();
        if value.is_null() {
            let name = name.replace("~1", "/");
            assert!(
                parent.as_object_mut().unwrap().remove(&name).is_some(),
                "{pointer}"
            );
        } else {
            parent[name] = value;
        }
        let told = told(&changed.to_string(), &[]);
        assert!(
            told.iter()
                .any(|difference| difference.starts_with(expected)),
            "{pointer}: {told:#?}"
        );
    }
}
