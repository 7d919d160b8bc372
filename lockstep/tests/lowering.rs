//! What each pass of the lowering makes of `golden/notes.yaml`, with a piece of it replaced.

use serde_json::{Value, json};

const NOTES: &str = include_str!("golden/notes.yaml");

/// notes.yaml with the first `from` replaced by `to`, and what the lowered document has at a
/// pointer; null where it has nothing.
fn lowered(from: &str, to: &str, pointer: &str) -> Value {
    assert!(NOTES.contains(from), "notes.yaml lacks {from:?}");
    let text = NOTES.replacen(from, to, 1);
    match openapi_lockstep::read("notes.yaml", &text) {
        Ok(document) => {
            let lowered = openapi_lockstep::lowered(&document);
            lowered.pointer(pointer).cloned().unwrap_or_default()
        }
        Err(refusals) => panic!("{refusals:#?}"),
    }
}

/// What the lowered notes.yaml has at a pointer.
fn at(pointer: &str) -> Value {
    lowered("", "", pointer)
}

#[test]
fn the_version_is_one_that_progenitor_reads() {
    assert_eq!(at("/openapi"), "3.0.3");
}

#[test]
fn a_licence_keeps_what_3_0_knows_of_it() {
    let license = "  version: 2.0.0\n  license: { name: MIT, identifier: MIT }\n";
    assert_eq!(
        lowered("  version: 2.0.0\n", license, "/info/license"),
        json!({"name": "MIT"})
    );
}

#[test]
fn nobody_is_asked_for_the_credential() {
    assert_eq!(at("/security"), Value::Null);
    assert_eq!(at("/paths/~1status/post/security"), Value::Null);
    assert_eq!(at("/components/securitySchemes"), Value::Null);
    let members = at("/components/schemas/Status/properties");
    let members: Vec<&String> = members.as_object().unwrap().keys().collect();
    assert_eq!(members, ["mood", "moreText"]);
}

#[test]
fn a_credential_in_a_reply_stays() {
    let token = "/components/schemas/StatusReply/properties/token/format";
    assert_eq!(at(token), "password");
}

#[test]
fn a_credential_in_a_body_that_nobody_need_send_stays() {
    let public =
        "      security: []\n      requestBody:\n        content:\n          application/x-www";
    let secured = "      security:\n        - {}\n        - key: []\n        - token: []\n      requestBody:\n        content:\n          application/x-www";
    let members = lowered(secured, public, "/components/schemas/Status/properties");
    assert!(members.get("token").is_some(), "{members}");
}

#[test]
fn a_body_of_nothing_but_the_credential_goes() {
    let members = "        mood: { $ref: '#/components/schemas/Mood' }\n        moreText: { type: string }\n        token: { type: string, x-body-member: true }\n";
    let body = "/paths/~1status/post/requestBody";
    assert_ne!(at(body), Value::Null);
    assert_eq!(
        lowered(
            members,
            "        token: { type: string, x-body-member: true }\n",
            body
        ),
        Value::Null
    );
}

#[test]
fn a_request_is_sent_as_json_and_always() {
    assert_eq!(
        at("/paths/~1status/post/requestBody"),
        json!({
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}},
            "required": true,
        })
    );
}

#[test]
fn a_problem_is_decoded_as_json() {
    assert_eq!(
        at("/components/responses/Failed/content"),
        json!({"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}})
    );
    let own = at("/paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/429/content");
    assert_eq!(
        own,
        json!({"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}})
    );
}

#[test]
fn a_named_scalar_is_written_in_place() {
    let note_id =
        json!({"description": "The number of a note.", "type": "integer", "format": "int64"});
    let links = "/components/schemas/Note/properties/links/items";
    assert_eq!(at(links), note_id);
    let parameter = "/paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/0/schema";
    assert_eq!(at(parameter), note_id);
    assert_eq!(at("/components/schemas/NoteId"), Value::Null);
}

#[test]
fn a_named_list_of_a_named_scalar_is_written_in_place() {
    let list = "    NoteIds:\n      type: array\n      items: { $ref: '#/components/schemas/NoteId' }\n    NoteId:";
    let text = NOTES.replacen("    NoteId:", list, 1).replacen(
        "          type: array\n          items: { $ref: '#/components/schemas/NoteId' }\n",
        "          $ref: '#/components/schemas/NoteIds'\n",
        1,
    );
    let document = openapi_lockstep::read("notes.yaml", &text).unwrap();
    let lowered = openapi_lockstep::lowered(&document);
    let links = &lowered["components"]["schemas"]["Note"]["properties"]["links"];
    assert_eq!(links["items"]["format"], "int64", "{links}");
}

#[test]
fn an_object_or_an_enum_with_a_name_stays() {
    let kind = at("/components/schemas/Note/properties/type");
    assert_eq!(kind, json!({"$ref": "#/components/schemas/NoteKind"}));
}

#[test]
fn null_is_said_beside_the_type() {
    assert_eq!(
        at("/components/schemas/Note/properties/due"),
        json!({"description": "When it is due, if ever.", "type": "string", "nullable": true})
    );
}

#[test]
fn one_of_several_examples_is_kept() {
    let weight = "/components/schemas/Note/properties/weight";
    let text = "weight: { type: number, examples: [0.5, 2] }";
    assert_eq!(
        lowered("weight: { type: number }", text, weight),
        json!({"type": "number", "example": 0.5})
    );
}

#[test]
fn limits_are_said_in_the_documentation() {
    assert_eq!(
        at("/components/schemas/Note/properties/text"),
        json!({"type": "string", "description": "Limits: `pattern: ^[a-z ]*$`"})
    );
    let parameter = at("/paths/~1notes/get/parameters/0");
    assert_eq!(
        parameter["description"],
        "How many at most.\n\nLimits: `minimum: 1`"
    );
    assert_eq!(
        parameter["schema"],
        json!({"type": "integer", "format": "int32"})
    );
}

#[test]
fn the_limits_of_items_are_said_of_the_list() {
    let links = "          items: { $ref: '#/components/schemas/NoteId' }\n";
    let codes =
        "          maxItems: 9\n          items: { type: string, pattern: '^a$', maxLength: 3 }\n";
    assert_eq!(
        lowered(links, codes, "/components/schemas/Note/properties/links"),
        json!({
            "type": "array",
            "items": {"type": "string"},
            "description": "Limits of each: `maxLength: 3`, `pattern: ^a$`\n\nLimits: `maxItems: 9`",
        })
    );
}

#[test]
fn a_parameter_has_the_description_of_its_schema_if_it_has_none() {
    let note_id = at("/paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/0");
    assert_eq!(note_id["description"], "The number of a note.");
    let own = at("/paths/~1notes/get/parameters/0/description");
    assert!(own.as_str().unwrap().starts_with("How many at most."));
}

#[test]
fn the_headers_of_a_reply_are_said_in_the_documentation() {
    assert_eq!(
        at("/paths/~1folders~1{folder}~1notes~1{note_id}/put/description"),
        "Replaces what is there.\n\nHeaders of the reply:\n- 201 `Location`: Where it is.\n- 429 \
         `Retry-After`"
    );
}

#[test]
fn an_extension_does_not_make_another_type() {
    let text = "token: { type: string, format: password, x-order: 1 }";
    assert_eq!(
        lowered(
            "token: { type: string, format: password }",
            text,
            "/components/schemas/StatusReply/properties/token"
        ),
        json!({"type": "string", "format": "password"})
    );
}

#[test]
fn a_format_that_would_be_a_type_of_another_crate_is_said_in_the_documentation() {
    let text = "/components/schemas/Note/properties/text";
    let date = "          format: date-time\n";
    assert_eq!(
        lowered("          pattern: '^[a-z ]*$'\n", date, text),
        json!({"type": "string", "description": "Limits: `format: date-time`"})
    );
}

#[test]
fn a_member_that_a_later_version_adds_is_lived_with() {
    assert_eq!(
        at("/components/schemas/NoteList/additionalProperties"),
        Value::Null
    );
}

#[test]
fn what_nothing_refers_to_goes() {
    let unused = "    Unused:\n      type: string\n      enum: [a]\n    NoteId:";
    assert_eq!(
        lowered("    NoteId:", unused, "/components/schemas/Unused"),
        Value::Null
    );
}
