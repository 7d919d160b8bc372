//! One wrong document for each refusal, with the place that it is told at: `golden/notes.yaml` with
//! a piece of it replaced.

use openapi_lockstep::{Answers, Diagnostic, Document, Options, read_with};

const NOTES: &str = include_str!("golden/notes.yaml");

fn read(file: &str, text: &str) -> Result<Document, Vec<Diagnostic>> {
    let options = Options {
        answers: Answers::Documented,
        ..Options::default()
    };
    read_with(file, text, &options)
}

/// notes.yaml with the first `from` behind the first `behind` replaced by `to`, and the refusals of
/// that: line, column, pointer and reason.
struct Case {
    name: &'static str,
    behind: &'static str,
    from: &'static str,
    to: &'static str,
    diagnostics: &'static [&'static str],
}

#[test]
fn every_refusal_names_its_place() {
    let mut wrong = Vec::new();
    for case in CASES {
        let start = NOTES.find(case.behind).expect(case.name);
        let (before, rest) = NOTES.split_at(start);
        assert!(
            rest.contains(case.from),
            "{}: notes.yaml lacks {:?}",
            case.name,
            case.from
        );
        let text = format!("{before}{}", rest.replacen(case.from, case.to, 1));
        let diagnostics: Vec<String> = match read("notes.yaml", &text) {
            Ok(_) => Vec::new(),
            Err(diagnostics) => diagnostics.iter().map(ToString::to_string).collect(),
        };
        let expected: Vec<String> = case
            .diagnostics
            .iter()
            .map(|diagnostic| format!("notes.yaml:{diagnostic}"))
            .collect();
        if diagnostics != expected {
            wrong.push(format!(
                "{}: {diagnostics:#?} instead of {expected:#?}",
                case.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_refusals_are_told_in_one_run() {
    let text = NOTES
        .replace("type: boolean", "type: bool")
        .replace("in: query", "in: body")
        .replace("tags: [status]", "tags: status");
    let diagnostics = read("notes.yaml", &text)
        .err()
        .expect("it is wrong in three places");
    let lines: Vec<usize> = diagnostics
        .iter()
        .map(|diagnostic| diagnostic.line)
        .collect();
    assert_eq!(lines, [19, 78, 137], "{diagnostics:#?}");
}

const CASES: &[Case] = &[
    Case {
        name: "another version",
        behind: "openapi",
        from: "3.1.0",
        to: "2.0",
        diagnostics: &["1:1 /openapi: only OpenAPI 3.0 and 3.1 are supported"],
    },
    Case {
        name: "no yaml",
        behind: "openapi",
        from: "title: Notes",
        to: "title: [Notes",
        diagnostics: &["4:10 : is not YAML: illegal placement of ':' indicator"],
    },
    Case {
        name: "a key twice",
        behind: "openapi",
        from: "  title: Notes\n",
        to: "  title: Notes\n  title: Notes\n",
        diagnostics: &["4:3 : is not YAML: duplicated key in mapping"],
    },
    Case {
        name: "a key twice, once quoted",
        behind: "openapi",
        from: "  title: Notes\n",
        to: "  title: Notes\n  'title': Notes\n",
        diagnostics: &["4:3 /info: is a duplicate member"],
    },
    Case {
        name: "a key that is no scalar",
        behind: "openapi",
        from: "  title: Notes\n",
        to: "  title: Notes\n  [a]: Notes\n",
        diagnostics: &["4:3 /info: has a key that is not a scalar, which JSON does not allow"],
    },
    Case {
        name: "a merge key",
        behind: "openapi",
        from: "  title: Notes\n",
        to: "  title: Notes\n  <<: { summary: Notes }\n",
        diagnostics: &[
            "4:3 /info: YAML 1.2 has no merge keys: write the members out, or quote the key",
        ],
    },
    Case {
        name: "a tag of one's own",
        behind: "openapi",
        from: "title: Notes",
        to: "title: !include notes.txt",
        diagnostics: &["3:3 /info/title: has the unknown tag !include: write out its value"],
    },
    Case {
        name: "a tagged list",
        behind: "openapi",
        from: "enum: [plain, to-do]",
        to: "enum: !set [plain, to-do]",
        diagnostics: &[
            "144:7 /components/schemas/NoteKind/enum: has the unknown tag !set: write out its value",
        ],
    },
    Case {
        name: "a scalar that is not of the type of its tag",
        behind: "openapi",
        from: "minimum: 1",
        to: "minimum: !!int one",
        diagnostics: &[
            "24:51 /paths/~1notes/get/parameters/0/schema/minimum: is not of the type of its tag: one",
        ],
    },
    Case {
        name: "several yaml documents",
        behind: "openapi",
        from: "openapi: 3.1.0\n",
        to: "openapi: 3.1.0\n---\n",
        diagnostics: &["1:1 : has 2 YAML documents instead of one"],
    },
    Case {
        name: "limits that no value keeps",
        behind: "openapi",
        from: "minimum: 1",
        to: "minimum: 2, maximum: 1",
        diagnostics: &[
            "24:63 /paths/~1notes/get/parameters/0/schema/maximum: is below minimum, so no value is valid",
        ],
    },
    Case {
        name: "a list that no value is",
        behind: "        links:",
        from: "          type: array\n",
        to: "          type: array\n          minItems: 3\n          maxItems: 2\n",
        diagnostics: &[
            "142:11 /components/schemas/Note/properties/links/maxItems: is below minItems, so no value is valid",
        ],
    },
    Case {
        name: "a number that json lacks",
        behind: "openapi",
        from: "minimum: 1",
        to: "minimum: .inf",
        diagnostics: &[
            "24:51 /paths/~1notes/get/parameters/0/schema/minimum: is not a JSON number: .inf",
        ],
    },
    Case {
        name: "what the model cannot read",
        behind: "openapi",
        from: "description: Notes of a user.",
        to: "description: [Notes]",
        diagnostics: &[
            "6:5 /tags/0: is not valid OpenAPI: invalid type: sequence, expected a string",
        ],
    },
    Case {
        name: "what the model cannot read deep down",
        behind: "links:",
        from: "type: array",
        to: "type: array\n          minItems: many",
        diagnostics: &[
            "141:11 /components/schemas/Note/properties/links/minItems: is not valid JSON Schema: \"many\" is not of type \"integer\"",
        ],
    },
    Case {
        name: "the same path twice",
        behind: "openapi",
        from: "  /status:\n",
        to: "  /folders/{other}/notes/{id}: {}\n  /status:\n",
        diagnostics: &[
            "77:3 /paths/~1folders~1{other}~1notes~1{id}: is the same path as /paths/~1folders~1{folder}~1notes~1{note_id}",
        ],
    },
    Case {
        name: "an optional path parameter",
        behind: "in: path",
        from: "required: true",
        to: "required: false",
        diagnostics: &[
            "42:11 /paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/0: is a path parameter, which is always required: write required: true",
        ],
    },
    Case {
        name: "a path parameter that is not described",
        behind: "openapi",
        from: "name: note_id",
        to: "name: note",
        diagnostics: &[
            "36:5 /paths/~1folders~1{folder}~1notes~1{note_id}/put: has no parameter for {note_id} of its path",
            "42:11 /paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/0: is not in the path",
        ],
    },
    Case {
        name: "a body where HTTP has none",
        behind: "operationId: setStatus",
        from: "'200':",
        to: "'204':",
        diagnostics: &[
            "93:9 /paths/~1status/post/responses/204: a response with status 204 cannot have a body",
        ],
    },
    Case {
        name: "a path that no request has",
        behind: "openapi",
        from: "  /status:",
        to: "  /status?of=all#now:",
        diagnostics: &[
            "77:3 /paths/~1status?of=all#now: has ?, #, \\ or a control character, which no request path has: write a query as parameters",
        ],
    },
    Case {
        name: "a component that no reference can name",
        behind: "    NoteKind:",
        from: "    Mood:",
        to: "    Mood/Good:",
        diagnostics: &[
            "153:5 /components/schemas/Mood~1Good: is not a valid component name: use only letters, digits, `.`, `_` and `-`",
            "160:17 /components/schemas/Status/properties/mood/$ref: names nothing in the document: #/components/schemas/Mood",
            "190:17 /components/schemas/StatusReply/properties/mood/$ref: names nothing in the document: #/components/schemas/Mood",
        ],
    },
    Case {
        name: "two successes",
        behind: "operationId: putNote",
        from: "'400':",
        to: "'204':",
        diagnostics: &[
            "55:7 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses: does not document 400, which answers an invalid request",
            "65:9 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/204: a response with status 204 cannot have a body",
        ],
    },
    Case {
        name: "an error that is no problem",
        behind: "    Failed:\n",
        from: "application/problem+json",
        to: "application/json",
        diagnostics: &[
            "34:9 /paths/~1notes/get/responses/500: has to be application/problem+json, not application/json",
        ],
    },
    Case {
        name: "an error without a body",
        behind: "    Failed:",
        from: "      content:\n        application/problem+json:\n          schema: { $ref: '#/components/schemas/Problem' }\n",
        to: "",
        diagnostics: &[
            "34:9 /paths/~1notes/get/responses/500: has no body: a problem needs one of application/problem+json",
        ],
    },
    Case {
        name: "two media types in a response",
        behind: "description: The status.",
        from: "            application/json:",
        to: "            text/csv: { schema: { $ref: '#/components/schemas/Status' } }\n            application/json:",
        diagnostics: &[
            "163:9 /components/schemas/Status/properties/token: carries the cookie's key, so its schema can be used for request bodies only, not for replies",
        ],
    },
    Case {
        name: "400 is missing",
        behind: "operationId: listNotes",
        from: "        '400': { $ref: '#/components/responses/BadRequest' }\n",
        to: "",
        diagnostics: &[
            "25:7 /paths/~1notes/get/responses: does not document 400, which answers an invalid request",
        ],
    },
    Case {
        name: "401 is missing",
        behind: "operationId: listNotes",
        from: "        '401': { $ref: '#/components/responses/Unauthorized' }\n",
        to: "",
        diagnostics: &[
            "12:1 /paths: every operation has to document the same 401 or 403 response, which is sent for an invalid credential",
            "25:7 /paths/~1notes/get/responses: does not document 401 or 403, which answers a missing or invalid credential",
        ],
    },
    Case {
        name: "413 is missing",
        behind: "operationId: setStatus",
        from: "        '413': { $ref: '#/components/responses/TooLarge' }\n",
        to: "",
        diagnostics: &[
            "92:7 /paths/~1status/post/responses: does not document 413, which answers a body that is too large",
        ],
    },
    Case {
        name: "415 is missing",
        behind: "operationId: setStatus",
        from: "        '415': { $ref: '#/components/responses/OtherMediaType' }\n",
        to: "",
        diagnostics: &[
            "92:7 /paths/~1status/post/responses: does not document 415, which answers a body of another media type",
        ],
    },
    Case {
        name: "500 is missing",
        behind: "operationId: setStatus",
        from: "        '500': { $ref: '#/components/responses/Failed' }\n",
        to: "",
        diagnostics: &[
            "12:1 /paths: every operation has to document the same 500 response, which is sent after a panic",
        ],
    },
    Case {
        name: "a reference to nothing",
        behind: "openapi",
        from: "responses/BadRequest",
        to: "responses/Bad",
        diagnostics: &[
            "25:7 /paths/~1notes/get/responses: does not document 400, which answers an invalid request",
            "31:18 /paths/~1notes/get/responses/400/$ref: does not exist: write #/components/responses/ and the name of a component",
        ],
    },
    Case {
        name: "a reference to another file",
        behind: "    Note:",
        from: "'#/components/schemas/NoteKind'",
        to: "other.yaml#/NoteKind",
        diagnostics: &[
            "127:17 /components/schemas/Note/properties/type/$ref: names nothing in the document: other.yaml#/NoteKind",
        ],
    },
    Case {
        name: "an unknown type",
        behind: "text:\n",
        from: "type: string",
        to: "type: strng",
        diagnostics: &[
            "129:11 /components/schemas/Note/properties/text/type: is not valid JSON Schema: \"strng\" is not valid under any of the schemas listed in the 'anyOf' keyword",
        ],
    },
    Case {
        name: "forms that are neither meant nor not",
        behind: "openapi",
        from: "paths:",
        to: "x-form-bodies: yes\npaths:",
        diagnostics: &["12:1 /x-form-bodies: has to be true or false"],
    },
    Case {
        name: "forms for one operation alone",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: setStatus\n      x-form-bodies: true",
        diagnostics: &[
            "80:7 /paths/~1status/post/x-form-bodies: has no effect here: x-form-bodies belongs at the root, x-body-member in a security scheme, or as true in a member that has a cookie's name",
        ],
    },
    Case {
        name: "a body member of another scheme than the cookie",
        behind: "    key:",
        from: "      scheme: bearer\n",
        to: "      scheme: bearer\n      x-body-member: { type: string }\n",
        diagnostics: &[
            "108:7 /components/securitySchemes/key/x-body-member: has to be a schema, in the security scheme of a cookie: the member gets the cookie's name",
        ],
    },
    Case {
        name: "a body member without a schema",
        behind: "    token:",
        from: "      name: token\n",
        to: "      name: token\n      x-body-member: true\n",
        diagnostics: &[
            "113:7 /components/securitySchemes/token/x-body-member: has to be a schema, in the security scheme of a cookie: the member gets the cookie's name",
        ],
    },
    Case {
        name: "a body member where it meets others",
        behind: "    token:",
        from: "      name: token\n  schemas:\n",
        to: "      name: token\n      x-body-member: { type: string }\n  requestBodies:\n    Token: { content: {} }\n  schemas:\n",
        diagnostics: &[
            "14:5 /paths/~1notes/get/requestBody: has no media type",
            "113:7 /components/securitySchemes/token/x-body-member: adds /components/requestBodies/Token, which exists already: rename the existing component",
            "129:7 /components/schemas/Note/properties/token: carries the cookie's key, so its schema can be used for request bodies only, not for replies",
        ],
    },
    Case {
        name: "a required member that is not there",
        behind: "    Note:",
        from: "due, weight]",
        to: "due, height]",
        diagnostics: &[
            "125:35 /components/schemas/Note/required/3: is not a property of this object",
        ],
    },
    Case {
        name: "a pattern that is none",
        behind: "text:\n",
        from: "'^[a-z ]*$'",
        to: "'(?<=a)b('",
        diagnostics: &[
            "130:11 /components/schemas/Note/properties/text/pattern: is not a pattern that means the same in ECMAScript and in Rust's regular expressions",
        ],
    },
    Case {
        name: "a schema name that is no type name",
        behind: "components:",
        from: "    Mood:",
        to: "    moody_mood:",
        diagnostics: &[
            "160:17 /components/schemas/Status/properties/mood/$ref: names nothing in the document: #/components/schemas/Mood",
            "190:17 /components/schemas/StatusReply/properties/mood/$ref: names nothing in the document: #/components/schemas/Mood",
        ],
    },
    Case {
        name: "a schema named like generated code",
        behind: "components:",
        from: "    Mood:",
        to: "    Failure:",
        diagnostics: &[
            "160:17 /components/schemas/Status/properties/mood/$ref: names nothing in the document: #/components/schemas/Mood",
            "190:17 /components/schemas/StatusReply/properties/mood/$ref: names nothing in the document: #/components/schemas/Mood",
        ],
    },
    Case {
        name: "an unknown security scheme",
        behind: "operationId: setStatus",
        from: "- key: []",
        to: "- other: []",
        diagnostics: &[
            "84:11 /paths/~1status/post/security/1/other: is not a scheme under components/securitySchemes",
        ],
    },
    Case {
        name: "a problem that lacks a member",
        behind: "    Problem:",
        from: "        detail: { type: string }\n",
        to: "",
        diagnostics: &[
            "31:9 /paths/~1notes/get/responses/400: a problem needs a required detail, a string",
            "32:9 /paths/~1notes/get/responses/401: a problem needs a required detail, a string",
            "33:9 /paths/~1notes/get/responses/413: a problem needs a required detail, a string",
            "34:9 /paths/~1notes/get/responses/500: a problem needs a required detail, a string",
            "68:9 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/415: a problem needs a required detail, a string",
            "101:9 /paths/~1status/post/responses/415: a problem needs a required detail, a string",
            "166:39 /components/schemas/Problem/required/3: is not a property of this object",
        ],
    },
    Case {
        name: "a problem whose code is no enum",
        behind: "    Problem:",
        from: "code: { $ref: '#/components/schemas/Code' }",
        to: "code: { type: string }",
        diagnostics: &[
            "31:9 /paths/~1notes/get/responses/400: a problem needs a required code, an enum, so that codes are told apart by type",
            "32:9 /paths/~1notes/get/responses/401: a problem needs a required code, an enum, so that codes are told apart by type",
            "33:9 /paths/~1notes/get/responses/413: a problem needs a required code, an enum, so that codes are told apart by type",
            "34:9 /paths/~1notes/get/responses/500: a problem needs a required code, an enum, so that codes are told apart by type",
            "68:9 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/415: a problem needs a required code, an enum, so that codes are told apart by type",
            "101:9 /paths/~1status/post/responses/415: a problem needs a required code, an enum, so that codes are told apart by type",
        ],
    },
    Case {
        name: "a code is missing",
        behind: "    Code:",
        from: "not_found, ",
        to: "",
        diagnostics: &[
            "31:9 /paths/~1notes/get/responses/400: code lacks not_found, which the generated server answers",
            "32:9 /paths/~1notes/get/responses/401: code lacks not_found, which the generated server answers",
            "33:9 /paths/~1notes/get/responses/413: code lacks not_found, which the generated server answers",
            "34:9 /paths/~1notes/get/responses/500: code lacks not_found, which the generated server answers",
            "68:9 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/415: code lacks not_found, which the generated server answers",
            "101:9 /paths/~1status/post/responses/415: code lacks not_found, which the generated server answers",
        ],
    },
    Case {
        name: "a failure without a name",
        behind: "    Problem:",
        from: "items: { $ref: '#/components/schemas/Wrong' }",
        to: "items: { type: string }",
        diagnostics: &[
            "31:9 /paths/~1notes/get/responses/400: a problem needs an optional errors, a list of objects of pointer and detail",
            "32:9 /paths/~1notes/get/responses/401: a problem needs an optional errors, a list of objects of pointer and detail",
            "33:9 /paths/~1notes/get/responses/413: a problem needs an optional errors, a list of objects of pointer and detail",
            "34:9 /paths/~1notes/get/responses/500: a problem needs an optional errors, a list of objects of pointer and detail",
            "68:9 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/415: a problem needs an optional errors, a list of objects of pointer and detail",
            "101:9 /paths/~1status/post/responses/415: a problem needs an optional errors, a list of objects of pointer and detail",
        ],
    },
    Case {
        name: "two kinds of problem",
        behind: "'429':",
        from: "schemas/Problem'",
        to: "schemas/Status'",
        diagnostics: &[
            "162:9 /components/schemas/Status/properties/token: carries the cookie's key, so its schema can be used for request bodies only, not for replies",
        ],
    },
    Case {
        name: "a header that is no name",
        behind: "operationId: putNote",
        from: "Location:",
        to: "Lo cation:",
        diagnostics: &[
            "59:13 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/201/headers/Lo cation: is not a header name",
        ],
    },
    Case {
        name: "a cookie that no browser sends",
        behind: "    token:",
        from: "name: token",
        to: "name: my token",
        diagnostics: &[
            "112:7 /components/securitySchemes/token/name: is not a valid header or cookie name: use only letters, digits and !#$%&'*+-.^_`|~",
            "162:32 /components/schemas/Status/properties/token/x-body-member: has no effect here: x-form-bodies belongs at the root, x-body-member in a security scheme, or as true in a member that has a cookie's name",
        ],
    },
    Case {
        name: "a required key in the body",
        behind: "    Status:\n",
        from: "properties:",
        to: "required: [token]\n      properties:",
        diagnostics: &[
            "163:9 /components/schemas/Status/properties/token: carries the cookie's key, so it has to be an optional string",
        ],
    },
    Case {
        name: "a key in the body that is no string",
        behind: "    Status:\n",
        from: "token: { type: string,",
        to: "token: { type: integer,",
        diagnostics: &[
            "162:9 /components/schemas/Status/properties/token: carries the cookie's key, so it has to be an optional string",
        ],
    },
    Case {
        name: "a server without url",
        behind: "openapi",
        from: "tags:\n",
        to: "servers:\n  - description: Here.\ntags:\n",
        diagnostics: &["6:5 /servers/0: is not valid OpenAPI: missing field `url`"],
    },
    Case {
        name: "security that cannot be read",
        behind: "openapi",
        from: "- key: []",
        to: "- key: read",
        diagnostics: &[
            "10:5 /security/0: is not valid OpenAPI: invalid type: string \"read\", expected a sequence",
        ],
    },
    Case {
        name: "a pattern that ecmascript lacks",
        behind: "text:\n",
        from: "'^[a-z ]*$'",
        to: "'(?i)^[a-z]$'",
        diagnostics: &[
            "130:11 /components/schemas/Note/properties/text/pattern: is not a pattern that means the same in ECMAScript and in Rust's regular expressions",
        ],
    },
    Case {
        name: "a pattern with another meaning",
        behind: "text:\n",
        from: "'^[a-z ]*$'",
        to: "'\\ba'",
        diagnostics: &[
            "130:11 /components/schemas/Note/properties/text/pattern: is not a pattern that means the same in ECMAScript and in Rust's regular expressions",
        ],
    },
    Case {
        name: "a schema that is none",
        behind: "    Note:",
        from: "weight: { type: number }",
        to: "weight: { type: number, multipleOf: 0 }",
        diagnostics: &[
            "134:33 /components/schemas/Note/properties/weight/multipleOf: is not valid JSON Schema: 0 is less than or equal to the minimum of 0",
        ],
    },
    Case {
        name: "an enum without values",
        behind: "    Mood:",
        from: "[good, so-so]",
        to: "[]",
        diagnostics: &["155:7 /components/schemas/Mood/enum: has no value"],
    },
    Case {
        name: "a text of a problem that is an enum",
        behind: "    Problem:",
        from: "title: { type: string }",
        to: "title: { $ref: '#/components/schemas/Mood' }",
        diagnostics: &[
            "31:9 /paths/~1notes/get/responses/400: a problem needs a required title, a string",
            "32:9 /paths/~1notes/get/responses/401: a problem needs a required title, a string",
            "33:9 /paths/~1notes/get/responses/413: a problem needs a required title, a string",
            "34:9 /paths/~1notes/get/responses/500: a problem needs a required title, a string",
            "68:9 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/415: a problem needs a required title, a string",
            "101:9 /paths/~1status/post/responses/415: a problem needs a required title, a string",
        ],
    },
    Case {
        name: "a key in a body that is a reply too",
        behind: "operationId: setStatus",
        from: "schemas/StatusReply'",
        to: "schemas/Status'",
        diagnostics: &[
            "162:9 /components/schemas/Status/properties/token: carries the cookie's key, so its schema can be used for request bodies only, not for replies",
        ],
    },
    Case {
        name: "a deadline that is no time",
        behind: "openapi",
        from: "operationId: listNotes",
        to: "operationId: listNotes\n      x-deadline: soon",
        diagnostics: &[
            "16:7 /paths/~1notes/get/x-deadline: has to be a number: bytes for x-body-limit, seconds (at least 0.001) for x-deadline",
        ],
    },
    Case {
        name: "an unchecked operation with a credential",
        behind: "openapi",
        from: "operationId: listNotes",
        to: "operationId: listNotes\n      x-unchecked: true",
        diagnostics: &[
            "16:7 /paths/~1notes/get/x-unchecked: belongs in an operation without security whose parameters are strings, since nothing is checked before its method",
        ],
    },
    Case {
        name: "an unchecked operation that may be one",
        behind: "openapi",
        from: "operationId: listNotes",
        to: "operationId: listNotes\n      x-unchecked: maybe",
        diagnostics: &["16:7 /paths/~1notes/get/x-unchecked: has to be true or false"],
    },
];
