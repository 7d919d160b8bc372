//! Every kind of change, in requests and in replies.

use serde_json::{Value, json};

use super::{compare, notes, put};

/// The whole of `notes.yaml` with these edits made to the new document alone, and its lines.
struct Case {
    what: &'static str,
    edits: Vec<(&'static str, Option<Value>)>,
    lines: &'static [&'static str],
}

fn case(
    what: &'static str,
    edits: impl Into<Vec<(&'static str, Option<Value>)>>,
    lines: &'static [&'static str],
) -> Case {
    Case {
        what,
        edits: edits.into(),
        lines,
    }
}

#[test]
fn every_kind_of_change_is_told_with_its_place_and_its_reach() {
    let mut wrong = Vec::new();
    for Case { what, edits, lines } in cases() {
        let mut new = notes();
        for (pointer, value) in edits {
            put(&mut new, pointer, value);
        }
        let said = compare(&notes(), &new, &[]);
        let is_breaking = lines.iter().any(|line| line.starts_with("breaking"));
        let told = &said.lines[..said.lines.len().saturating_sub(1)];
        if told != lines || said.code != if is_breaking { 3 } else { 0 } {
            let told = told.join("\n  ");
            wrong.push(format!("{what}: {}\n  {told}\n{}", said.code, said.error));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn cases() -> Vec<Case> {
    vec![
        case(
            "an operation is gone",
            [("/paths/~1notes/get", None), ("/paths/~1notes", None)],
            &["breaking /paths/~1notes/get: The operation listNotes was removed (listNotes)"],
        ),
        case(
            "an operation is new",
            [(
                "/paths/~1status/get",
                Some(json!({
                    "operationId": "getStatus", "tags": ["status"],
                    "responses": notes()["paths"]["/notes"]["get"]["responses"],
                })),
            )],
            &["compatible /paths/~1status/get: The operation getStatus was added (getStatus)"],
        ),
        case(
            "an operation has another name",
            [("/paths/~1notes/get/operationId", Some(json!("allNotes")))],
            &["breaking /paths/~1notes/get/operationId: listNotes became \"allNotes\" (listNotes)"],
        ),
        case(
            "a reply is open",
            [(
                "/components/schemas/NoteList/additionalProperties",
                Some(json!(true)),
            )],
            &[
                "compatible /components/schemas/NoteList: additionalProperties false became true (listNotes)",
            ],
        ),
        case(
            "another path",
            [
                ("/paths/~1note", Some(notes()["paths"]["/notes"].clone())),
                ("/paths/~1notes", None),
            ],
            &[
                "compatible /paths/~1note/get: The operation listNotes was added (listNotes)",
                "breaking /paths/~1notes/get: The operation listNotes was removed (listNotes)",
            ],
        ),
        case(
            "another method",
            [
                (
                    "/paths/~1status/put",
                    Some(notes()["paths"]["/status"]["post"].clone()),
                ),
                ("/paths/~1status/post", None),
            ],
            &[
                "compatible /paths/~1status/put: The operation setStatus was added (setStatus)",
                "breaking /paths/~1status/post: The operation setStatus was removed (setStatus)",
            ],
        ),
        case(
            "a parameter is gone",
            [("/paths/~1notes/get/parameters/0", None)],
            &[
                "breaking /paths/~1notes/get/parameters/0: The parameter 'max-count' was removed (listNotes)",
            ],
        ),
        case(
            "a parameter is new",
            [("/paths/~1notes/get/parameters/1", Some(parameter(false)))],
            &[
                "compatible /paths/~1notes/get/parameters/1: A new, optional parameter 'tag' was added (listNotes)",
            ],
        ),
        case(
            "a required parameter is new",
            [("/paths/~1notes/get/parameters/1", Some(parameter(true)))],
            &[
                "breaking /paths/~1notes/get/parameters/1: A new, required parameter 'tag' was added (listNotes)",
            ],
        ),
        case(
            "a parameter has another name",
            [("/paths/~1notes/get/parameters/0/name", Some(json!("limit")))],
            &[
                "compatible /paths/~1notes/get/parameters/0: A new, optional parameter 'limit' was added (listNotes)",
                "breaking /paths/~1notes/get/parameters/0: The parameter 'max-count' was removed (listNotes)",
            ],
        ),
        case(
            "a parameter is required",
            [(
                "/paths/~1notes/get/parameters/0/required",
                Some(json!(true)),
            )],
            &[
                "breaking /paths/~1notes/get/parameters/0: The parameter 'max-count' was optional and is now required (listNotes)",
            ],
        ),
        case(
            "a parameter's limit is raised",
            [(
                "/paths/~1notes/get/parameters/0/schema/minimum",
                Some(json!(2)),
            )],
            &["breaking /paths/~1notes/get/parameters/0/schema: minimum 1 became 2 (listNotes)"],
        ),
        case(
            "a parameter's limit is gone",
            [("/paths/~1notes/get/parameters/0/schema/minimum", None)],
            &["compatible /paths/~1notes/get/parameters/0/schema: minimum 1 is gone (listNotes)"],
        ),
        case(
            "a parameter in the path may be longer",
            [(
                "/paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/1/schema/maxLength",
                Some(json!(11)),
            )],
            &[
                "compatible /paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/1/schema: maxLength 10 became 11 (putNote)",
            ],
        ),
        case(
            "a parameter in the path has another name",
            [
                (
                    "/paths/~1folders~1{box}~1notes~1{note_id}",
                    Some(in_boxes()),
                ),
                ("/paths/~1folders~1{folder}~1notes~1{note_id}", None),
            ],
            &[
                "breaking /paths/~1folders~1{box}~1notes~1{note_id}/put: /folders/{folder}/notes/{note_id} became /folders/{box}/notes/{note_id} (putNote)",
            ],
        ),
        case(
            "a body is required",
            [(
                "/paths/~1status/post/requestBody/required",
                Some(json!(true)),
            )],
            &[
                "breaking /paths/~1status/post: the body parameter was optional and is now required (setStatus)",
            ],
        ),
        case(
            "a body is gone",
            [("/paths/~1status/post/requestBody", None)],
            &[
                "breaking /paths/~1status/post/requestBody: the body is no longer accepted (setStatus)",
            ],
        ),
        case(
            "a media type is gone",
            [(
                "/paths/~1status/post/requestBody/content/application~1x-www-form-urlencoded",
                None,
            )],
            &[
                "breaking /paths/~1status/post/requestBody/content: application/x-www-form-urlencoded is no longer accepted (setStatus)",
            ],
        ),
        case(
            "a status is gone",
            [(
                "/paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/429",
                None,
            )],
            &[
                "compatible /paths/~1folders~1{folder}~1notes~1{note_id}/put: operation no longer responds with status 429 (putNote)",
            ],
        ),
        case(
            "a status is new",
            [(
                "/paths/~1notes/get/responses/404",
                Some(json!({ "$ref": "#/components/responses/Failed" })),
            )],
            &["breaking /paths/~1notes/get: operation added a new response code 404 (listNotes)"],
        ),
        case(
            "a header is gone",
            [(
                "/paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/201/headers",
                None,
            )],
            &[
                "breaking /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/201/headers/Location: the header is gone (putNote)",
            ],
        ),
        case(
            "a header is new",
            [(
                "/paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/201/headers/ETag",
                Some(json!({ "schema": { "type": "string" } })),
            )],
            &[
                "compatible /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/201/headers/ETag: the header is new (putNote)",
            ],
        ),
        case(
            "a header's schema says less",
            [(
                "/paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/201/headers/Location/schema/type",
                Some(json!("integer")),
            )],
            &[
                "breaking /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/201/headers/Location: type \"string\" became \"integer\" (putNote)",
            ],
        ),
        case(
            "a member of requests and replies is gone",
            [("/components/schemas/Note/properties/size", None)],
            &["breaking /components/schemas/Note: size is gone (listNotes, putNote)"],
        ),
        case(
            "an optional member of requests and replies is new",
            [(
                "/components/schemas/Note/properties/colour",
                Some(json!({ "type": "string" })),
            )],
            &["compatible /components/schemas/Note: colour is new (listNotes, putNote)"],
        ),
        case(
            "a required member of requests and replies is new",
            [
                (
                    "/components/schemas/Note/properties/colour",
                    Some(json!({ "type": "string" })),
                ),
                ("/components/schemas/Note/required/4", Some(json!("colour"))),
            ],
            &[
                "compatible /components/schemas/Note: colour is new (listNotes, putNote)",
                "breaking /components/schemas/Note: colour is required now (listNotes, putNote)",
            ],
        ),
        case(
            "a member of a reply is new",
            [(
                "/components/schemas/NoteList/properties/more",
                Some(json!({ "type": "boolean" })),
            )],
            &["compatible /components/schemas/NoteList: more is new (listNotes)"],
        ),
        case(
            "a required member of a reply may be missing",
            [("/components/schemas/NoteList/required", None)],
            &["breaking /components/schemas/NoteList: notes is optional now (listNotes)"],
        ),
        case(
            "a member of a reply has to be there",
            [(
                "/components/schemas/StatusReply/required",
                Some(json!(["mood"])),
            )],
            &["compatible /components/schemas/StatusReply: mood is required now (setStatus)"],
        ),
        case(
            "a member of a request has to be there",
            [
                ("/components/schemas/Status/required", Some(json!(["mood"]))),
                (
                    "/paths/~1status/post/requestBody/required",
                    Some(json!(true)),
                ),
            ],
            &[
                "breaking /components/schemas/Status: mood is required now (setStatus)",
                "breaking /paths/~1status/post: the body parameter was optional and is now required (setStatus)",
            ],
        ),
        case(
            "a member of a request is gone",
            [("/components/schemas/Status/properties/moreText", None)],
            &["breaking /components/schemas/Status: moreText is gone (setStatus)"],
        ),
        case(
            "a type",
            [(
                "/components/schemas/StatusReply/properties/moreText/type",
                Some(json!("integer")),
            )],
            &[
                "breaking /components/schemas/StatusReply/properties/moreText: type \"string\" became \"integer\" (setStatus)",
            ],
        ),
        case(
            "a member of a reply may be null",
            [
                (
                    "/components/schemas/StatusReply/properties/moreText/type",
                    Some(json!(["string", "null"])),
                ),
                (
                    "/components/schemas/StatusReply/required",
                    Some(json!(["moreText"])),
                ),
            ],
            &[
                "compatible /components/schemas/StatusReply: moreText is required now (setStatus)",
                "breaking /components/schemas/StatusReply/properties/moreText: type \"string\" became [\"string\",\"null\"] (setStatus)",
            ],
        ),
        case(
            "a member of requests and replies is never null",
            [(
                "/components/schemas/Note/properties/due/type",
                Some(json!("string")),
            )],
            &[
                "breaking /components/schemas/Note/properties/due: type [\"string\",\"null\"] became \"string\" (listNotes, putNote)",
            ],
        ),
        case(
            "a format is another",
            [("/components/schemas/NoteId/format", Some(json!("int32")))],
            &[
                "breaking /components/schemas/NoteId: format \"int64\" became \"int32\" (listNotes, putNote)",
            ],
        ),
        case(
            "a member of a reply is a password",
            [(
                "/components/schemas/StatusReply/properties/moreText/format",
                Some(json!("password")),
            )],
            &[
                "breaking /components/schemas/StatusReply/properties/moreText: format \"password\" is new (setStatus)",
            ],
        ),
        case(
            "a format of a reply is gone",
            [(
                "/components/schemas/StatusReply/properties/token/format",
                None,
            )],
            &[
                "breaking /components/schemas/StatusReply/properties/token: format \"password\" is gone (setStatus)",
            ],
        ),
        case(
            "a pattern of requests and replies is another",
            [(
                "/components/schemas/Note/properties/text/pattern",
                Some(json!("^[a-z]*$")),
            )],
            &[
                "breaking /components/schemas/Note/properties/text: pattern \"^[a-z ]*$\" became \"^[a-z]*$\" (listNotes, putNote)",
            ],
        ),
        case(
            "a request's member has a limit",
            [(
                "/components/schemas/Status/properties/moreText/maxLength",
                Some(json!(5)),
            )],
            &[
                "breaking /components/schemas/Status/properties/moreText: maxLength 5 is new (setStatus)",
            ],
        ),
        case(
            "a reply's member has a limit",
            [(
                "/components/schemas/StatusReply/properties/moreText/maxLength",
                Some(json!(5)),
            )],
            &[
                "compatible /components/schemas/StatusReply/properties/moreText: maxLength 5 is new (setStatus)",
            ],
        ),
        case(
            "a list of a reply may be longer",
            [(
                "/components/schemas/NoteList/properties/notes/maxItems",
                Some(json!(5)),
            )],
            &[
                "compatible /components/schemas/NoteList/properties/notes: maxItems 5 is new (listNotes)",
            ],
        ),
        case(
            "a value of requests and replies is new",
            [("/components/schemas/Mood/enum/2", Some(json!("bad")))],
            &["breaking /components/schemas/Mood: the value bad is new (setStatus)"],
        ),
        case(
            "a value of requests and replies is gone",
            [("/components/schemas/NoteKind/enum/1", None)],
            &[
                "breaking /components/schemas/NoteKind: the value to-do is gone (listNotes, putNote)",
            ],
        ),
        case(
            "a value of an error is new",
            [("/components/schemas/Code/enum/8", Some(json!("other")))],
            &[
                "breaking /components/schemas/Code: the value other is new (listNotes, putNote, setStatus)",
            ],
        ),
        case(
            "a credential is gone",
            [
                ("/security/1", None),
                ("/paths/~1status/post/security/2", None),
            ],
            &[
                "breaking /paths/~1status/post/security: a credential that was accepted no longer is (setStatus)",
                "breaking /security: a credential that was accepted no longer is (listNotes, putNote)",
            ],
        ),
        case(
            "nobody has to log in",
            [("/security/2", Some(json!({})))],
            &["compatible /security: another credential is accepted too (listNotes, putNote)"],
        ),
        case(
            "everybody has to log in",
            [("/paths/~1status/post/security/0", None)],
            &[
                "breaking /paths/~1status/post/security: a credential that was accepted no longer is (setStatus)",
            ],
        ),
        case(
            "a cookie has another name",
            [
                ("/components/securitySchemes/token/name", Some(json!("key"))),
                (
                    "/components/schemas/Status/properties/token/x-body-member",
                    None,
                ),
            ],
            &[
                "breaking /paths/~1status/post/security: a credential that was accepted no longer is (setStatus)",
                "breaking /security: a credential that was accepted no longer is (listNotes, putNote)",
            ],
        ),
        case(
            "an operation needs no key any more",
            [("/paths/~1notes/get/security", Some(json!([])))],
            &[
                "compatible /paths/~1notes/get/security: another credential is accepted too (listNotes)",
            ],
        ),
        case(
            "the order of choices",
            [("/security", Some(reversed(notes()["security"].clone())))],
            &[],
        ),
        case(
            "the order of required members",
            [(
                "/components/schemas/Note/required",
                Some(reversed(
                    notes()["components"]["schemas"]["Note"]["required"].clone(),
                )),
            )],
            &[],
        ),
        case(
            "an extension",
            [
                ("/paths/~1notes/x-owner", Some(json!("ann"))),
                ("/components/schemas/Note/x-owner", Some(json!("ann"))),
            ],
            &[],
        ),
        case(
            "an operation is deprecated",
            [("/paths/~1notes/get/deprecated", Some(json!(true)))],
            &["compatible /paths/~1notes/get/deprecated: is deprecated (listNotes)"],
        ),
        case(
            "a parameter is no longer deprecated",
            [("/paths/~1notes/get/parameters/0/deprecated", None)],
            &[
                "compatible /paths/~1notes/get/parameters/0/deprecated: is no longer deprecated (listNotes)",
            ],
        ),
        case(
            "a member is deprecated",
            [(
                "/components/schemas/Note/properties/size/deprecated",
                Some(json!(true)),
            )],
            &[
                "compatible /components/schemas/Note/properties/size: deprecated true is new (listNotes, putNote)",
            ],
        ),
        case(
            "a header of a shared reply is new",
            [(
                "/components/responses/Failed/headers",
                Some(json!({ "X-A": { "schema": { "type": "string" } } })),
            )],
            &[
                "compatible /components/responses/Failed/headers/X-A: the header is new (listNotes, putNote, setStatus)",
            ],
        ),
        case(
            "a schema has another name",
            [
                (
                    "/components/schemas/Humour",
                    Some(notes()["components"]["schemas"]["Mood"].clone()),
                ),
                ("/components/schemas/Mood", None),
                (
                    "/components/schemas/Status/properties/mood/$ref",
                    Some(json!("#/components/schemas/Humour")),
                ),
                (
                    "/components/schemas/StatusReply/properties/mood/$ref",
                    Some(json!("#/components/schemas/Humour")),
                ),
            ],
            &[
                "breaking /components/schemas/Humour: replaces another type of the clients (setStatus)",
                "breaking /components/schemas/Mood: the schema is gone, and with it the clients' type of this name (setStatus)",
            ],
        ),
        case(
            "two changes of one operation in different directions",
            [
                (
                    "/paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/1/schema/maxLength",
                    Some(json!(11)),
                ),
                (
                    "/paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/429",
                    None,
                ),
            ],
            &[
                "compatible /paths/~1folders~1{folder}~1notes~1{note_id}/put: operation no longer responds with status 429 (putNote)",
                "compatible /paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/1/schema: maxLength 10 became 11 (putNote)",
            ],
        ),
        case(
            "a server",
            [(
                "/servers",
                Some(json!([{ "url": "https://notes.example" }])),
            )],
            &["breaking /servers: the servers have changed"],
        ),
    ]
}

#[test]
fn another_media_type_that_is_taken_is_compatible() {
    let mut old = notes();
    let form = "/paths/~1status/post/requestBody/content/application~1x-www-form-urlencoded";
    put(&mut old, form, None);
    let said = compare(&old, &notes(), &[]);
    let told = "compatible /paths/~1status/post/requestBody/content: \
        application/x-www-form-urlencoded is accepted too (setStatus)";
    assert_eq!((said.code, said.lines[0].as_str()), (0, told));
}

/// Members may have the names of what is special elsewhere.
#[test]
fn a_member_of_any_name_is_compared() {
    for name in [
        "content",
        "request_body",
        "schema",
        "schemas",
        "properties",
        "items",
        "x-a",
        "title",
    ] {
        let mut old = notes();
        let member = format!("/components/schemas/StatusReply/properties/{name}");
        put(
            &mut old,
            &member,
            Some(json!({ "type": "string", "maxLength": 5 })),
        );
        let mut new = old.clone();
        put(&mut new, &format!("{member}/maxLength"), Some(json!(50)));
        // Beside a change that is understood.
        put(
            &mut new,
            "/components/schemas/NoteList/properties/more",
            Some(json!({ "type": "boolean" })),
        );
        let said = compare(&old, &new, &[]);
        assert_eq!(
            (said.code, said.lines[1].as_str()),
            (
                3,
                &*format!("breaking {member}: maxLength 5 became 50 (setStatus)")
            ),
            "{}",
            said.error
        );
    }
}

fn reversed(list: Value) -> Value {
    let mut items = list.as_array().unwrap().clone();
    items.reverse();
    json!(items)
}

fn in_boxes() -> Value {
    let mut item = notes()["paths"]["/folders/{folder}/notes/{note_id}"].take();
    put(&mut item, "/put/parameters/1/name", Some(json!("box")));
    item
}

fn parameter(required: bool) -> Value {
    json!({ "name": "tag", "in": "query", "required": required, "schema": { "type": "string" } })
}
