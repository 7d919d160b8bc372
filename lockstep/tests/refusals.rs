//! One wrong document for each refusal, with the place that it is told at: `golden/notes.yaml` with
//! a piece of it replaced.

use openapi_lockstep::read;

const NOTES: &str = include_str!("golden/notes.yaml");

/// notes.yaml with the first `from` behind the first `behind` replaced by `to`, and the refusals of
/// that: line, column, pointer and reason.
struct Case {
    name: &'static str,
    behind: &'static str,
    from: &'static str,
    to: &'static str,
    refusals: &'static [&'static str],
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
        let refusals: Vec<String> = match read("notes.yaml", &text) {
            Ok(_) => Vec::new(),
            Err(refusals) => refusals.iter().map(ToString::to_string).collect(),
        };
        let expected: Vec<String> = case
            .refusals
            .iter()
            .map(|refusal| format!("notes.yaml:{refusal}"))
            .collect();
        if refusals != expected {
            wrong.push(format!(
                "{}: {refusals:#?} instead of {expected:#?}",
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
        .replace("in: query", "in: header")
        .replace("tags: [status]", "tags: status");
    let refusals = read("notes.yaml", &text)
        .err()
        .expect("it is wrong in three places");
    let lines: Vec<usize> = refusals.iter().map(|refusal| refusal.line).collect();
    assert_eq!(lines, [19, 78, 137], "{refusals:#?}");
}

#[test]
fn a_body_is_not_required_for_nothing_but_the_key() {
    let others =
        "        mood: { $ref: '#/components/schemas/Mood' }\n        moreText: { type: string }\n";
    let text = NOTES.replacen(others, "", 1).replacen(
        "      requestBody:\n        content:\n          application/x-www",
        "      requestBody:\n        required: true\n        content:\n          application/x-www",
        1,
    );
    let refusals = read("notes.yaml", &text).err().expect("it is wrong");
    let refusals: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    assert_eq!(
        refusals,
        [
            "notes.yaml:86:7 /paths/~1status/post/requestBody: has nothing but the cookie's key, which may stand elsewhere: do not require it"
        ]
    );
}

const CASES: &[Case] = &[
    Case {
        name: "another version",
        behind: "openapi",
        from: "3.1.0",
        to: "2.0",
        refusals: &["1:1 /openapi: only 3.0 and 3.1 are read"],
    },
    Case {
        name: "no yaml",
        behind: "openapi",
        from: "title: Notes",
        to: "title: [Notes",
        refusals: &["4:10 : is not YAML: illegal placement of ':' indicator"],
    },
    Case {
        name: "a key twice",
        behind: "openapi",
        from: "  title: Notes\n",
        to: "  title: Notes\n  title: Notes\n",
        refusals: &["4:3 : is not YAML: duplicated key in mapping"],
    },
    Case {
        name: "a key twice, once quoted",
        behind: "openapi",
        from: "  title: Notes\n",
        to: "  title: Notes\n  'title': Notes\n",
        refusals: &["4:3 /info: is a member twice"],
    },
    Case {
        name: "a key that is no scalar",
        behind: "openapi",
        from: "  title: Notes\n",
        to: "  title: Notes\n  [a]: Notes\n",
        refusals: &["4:3 /info: a key that is not a scalar: JSON has no such member"],
    },
    Case {
        name: "a merge key",
        behind: "openapi",
        from: "  title: Notes\n",
        to: "  title: Notes\n  <<: { summary: Notes }\n",
        refusals: &[
            "4:3 /info: YAML 1.2 has no merge keys: write the members out, or quote the key",
        ],
    },
    Case {
        name: "a tag of one's own",
        behind: "openapi",
        from: "title: Notes",
        to: "title: !include notes.txt",
        refusals: &[
            "3:3 /info/title: the tag !include means nothing here: write out what it stands for",
        ],
    },
    Case {
        name: "a tagged list",
        behind: "openapi",
        from: "enum: [plain, to-do]",
        to: "enum: !set [plain, to-do]",
        refusals: &[
            "144:7 /components/schemas/NoteKind/enum: the tag !set means nothing here: write out what it stands for",
        ],
    },
    Case {
        name: "a scalar that is not of the type of its tag",
        behind: "openapi",
        from: "minimum: 1",
        to: "minimum: !!int one",
        refusals: &[
            "24:51 /paths/~1notes/get/parameters/0/schema/minimum: is not of the type of its tag: one",
        ],
    },
    Case {
        name: "several yaml documents",
        behind: "openapi",
        from: "openapi: 3.1.0\n",
        to: "openapi: 3.1.0\n---\n",
        refusals: &["1:1 : holds 2 YAML documents instead of one"],
    },
    Case {
        name: "limits that no value keeps",
        behind: "openapi",
        from: "minimum: 1",
        to: "minimum: 2, maximum: 1",
        refusals: &[
            "24:63 /paths/~1notes/get/parameters/0/schema/maximum: is below minimum, so that no value is left",
        ],
    },
    Case {
        name: "a list that no value is",
        behind: "        links:",
        from: "          type: array\n",
        to: "          type: array\n          minItems: 3\n          maxItems: 2\n",
        refusals: &[
            "142:11 /components/schemas/Note/properties/links/maxItems: is below minItems, so that no value is left",
        ],
    },
    Case {
        name: "a number that json lacks",
        behind: "openapi",
        from: "minimum: 1",
        to: "minimum: .inf",
        refusals: &[
            "24:51 /paths/~1notes/get/parameters/0/schema/minimum: JSON has no such number: .inf",
        ],
    },
    Case {
        name: "what the model loses",
        behind: "openapi",
        from: "  title: Notes\n",
        to: "  title: Notes\n  summary: All of them\n",
        refusals: &["4:3 /info/summary: is lost by utoipa's model"],
    },
    Case {
        name: "what the model cannot read",
        behind: "openapi",
        from: "description: Notes of a user.",
        to: "description: [Notes]",
        refusals: &[
            "6:5 /tags/0: is not as OpenAPI has it: invalid type: sequence, expected a string",
        ],
    },
    Case {
        name: "what the model cannot read deep down",
        behind: "links:",
        from: "type: array",
        to: "type: array\n          minItems: many",
        refusals: &[
            "141:11 /components/schemas/Note/properties/links/minItems: is lost by utoipa's model",
            "142:11 /components/schemas/Note/properties/links/items: is lost by utoipa's model",
        ],
    },
    Case {
        name: "const",
        behind: "text:\n",
        from: "type: string",
        to: "type: string\n          const: a",
        refusals: &[
            "130:11 /components/schemas/Note/properties/text/const: const is not supported: write an enum of one value",
        ],
    },
    Case {
        name: "all of",
        behind: "Mood:",
        from: "type: string",
        to: "type: string\n      allOf: []",
        refusals: &[
            "155:7 /components/schemas/Mood/allOf: allOf is not supported: write one schema out",
        ],
    },
    Case {
        name: "an unknown keyword",
        behind: "text:\n",
        from: "type: string",
        to: "type: string\n          patternProperties: {}",
        refusals: &[
            "130:11 /components/schemas/Note/properties/text/patternProperties: patternProperties is not supported here",
        ],
    },
    Case {
        name: "no paths",
        behind: "openapi",
        from: "paths:\n",
        to: "paths: {}\nx-paths:\n",
        refusals: &[
            "12:1 /paths: every operation has to document 500 by the same component, which answers a panic",
            "12:1 /paths: no path is there to serve",
        ],
    },
    Case {
        name: "an ambiguous path",
        behind: "openapi",
        from: "  /status:",
        to: "  /status/:",
        refusals: &[
            "77:3 /paths/~1status~1: a path begins with /, does not end with it, and has neither :, * nor <, which mean something to poem",
        ],
    },
    Case {
        name: "the same path twice",
        behind: "openapi",
        from: "  /status:\n",
        to: "  /folders/{other}/notes/{id}: {}\n  /status:\n",
        refusals: &[
            "77:3 /paths/~1folders~1{other}~1notes~1{id}: is the same path as /paths/~1folders~1{folder}~1notes~1{note_id}",
        ],
    },
    Case {
        name: "a method that is not supported",
        behind: "openapi",
        from: "    post:\n      operationId: setStatus",
        to: "    head:\n      operationId: setStatus",
        refusals: &["78:5 /paths/~1status/head: head is not supported here"],
    },
    Case {
        name: "an operation id twice",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: list_notes",
        refusals: &[
            "79:7 /paths/~1status/post/operationId: becomes list_notes in Rust, as /paths/~1notes/get/operationId does",
        ],
    },
    Case {
        name: "an operation id that is no name",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: 1st",
        refusals: &["79:7 /paths/~1status/post/operationId: \"1st\" is no name that Rust can have"],
    },
    Case {
        name: "a parameter in a header",
        behind: "openapi",
        from: "in: query",
        to: "in: header",
        refusals: &[
            "19:11 /paths/~1notes/get/parameters/0: only path and query parameters are supported",
        ],
    },
    Case {
        name: "a parameter with a style",
        behind: "openapi",
        from: "in: query",
        to: "in: query\n          style: spaceDelimited",
        refusals: &["21:11 /paths/~1notes/get/parameters/0/style: style is not supported here"],
    },
    Case {
        name: "an optional path parameter",
        behind: "in: path",
        from: "required: true",
        to: "required: false",
        refusals: &[
            "42:11 /paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/0: a path parameter has to be required",
        ],
    },
    Case {
        name: "a path parameter that is not described",
        behind: "openapi",
        from: "name: note_id",
        to: "name: note",
        refusals: &[
            "36:5 /paths/~1folders~1{folder}~1notes~1{note_id}/put: describes no path parameter note_id",
            "42:11 /paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/0: the path has no {note}",
        ],
    },
    Case {
        name: "a path parameter within a segment",
        behind: "openapi",
        from: "notes/{note_id}:",
        to: "notes/n{note_id}:",
        refusals: &[
            "36:5 /paths/~1folders~1{folder}~1notes~1n{note_id}/put: a path parameter has to be a whole segment of the path",
            "42:11 /paths/~1folders~1{folder}~1notes~1n{note_id}/put/parameters/0: the path has no {note_id}",
        ],
    },
    Case {
        name: "a list as parameter",
        behind: "openapi",
        from: "schema: { type: integer, format: int32, minimum: 1 }",
        to: "schema: { type: array, items: { type: string } }",
        refusals: &[
            "24:11 /paths/~1notes/get/parameters/0/schema: only a string or an integer is supported here, no enum",
        ],
    },
    Case {
        name: "a body of another media type",
        behind: "requestBody",
        from: "application/json",
        to: "text/plain",
        refusals: &[
            "50:7 /paths/~1folders~1{folder}~1notes~1{note_id}/put/requestBody: has no application/json, as which every body is handed on once it is checked",
            "53:11 /paths/~1folders~1{folder}~1notes~1{note_id}/put/requestBody/content/text~1plain: only application/json and application/x-www-form-urlencoded are supported",
        ],
    },
    Case {
        name: "a body without schema",
        behind: "requestBody",
        from: "            schema: { $ref: '#/components/schemas/Note' }\n",
        to: "            example: {}\n",
        refusals: &[
            "53:11 /paths/~1folders~1{folder}~1notes~1{note_id}/put/requestBody/content/application~1json: has no schema",
        ],
    },
    Case {
        name: "a body in place",
        behind: "requestBody",
        from: "schema: { $ref: '#/components/schemas/Note' }",
        to: "schema: { type: object, additionalProperties: false }",
        refusals: &[
            "54:13 /paths/~1folders~1{folder}~1notes~1{note_id}/put/requestBody/content/application~1json/schema: write the schema under components/schemas and refer to it, so that its type has a name",
        ],
    },
    Case {
        name: "a body that is no object",
        behind: "requestBody",
        from: "schemas/Note'",
        to: "schemas/NoteKind'",
        refusals: &[
            "54:13 /paths/~1folders~1{folder}~1notes~1{note_id}/put/requestBody/content/application~1json/schema: a body has to be an object",
        ],
    },
    Case {
        name: "two schemas for one body",
        behind: "operationId: setStatus",
        from: "application/json:\n            schema: { $ref: '#/components/schemas/Status' }",
        to: "application/json:\n            schema: { $ref: '#/components/schemas/Problem' }",
        refusals: &[
            "91:13 /paths/~1status/post/requestBody/content/application~1json/schema: has to be the same for every media type of a body",
        ],
    },
    Case {
        name: "a list in a form",
        behind: "    Status:\n",
        from: "moreText: { type: string }",
        to: "moreText: { type: array, items: { type: string } }",
        refusals: &[
            "161:9 /components/schemas/Status/properties/moreText: a form carries only strings and integers",
        ],
    },
    Case {
        name: "an optional body with required members",
        behind: "    Status:\n",
        from: "properties:",
        to: "required: [mood]\n      properties:",
        refusals: &[
            "86:7 /paths/~1status/post/requestBody: is optional but its schema has required members: make the body required",
        ],
    },
    Case {
        name: "a status range",
        behind: "operationId: setStatus",
        from: "'200'",
        to: "'2XX'",
        refusals: &[
            "93:9 /paths/~1status/post/responses/2XX: only statuses from 200 to 299 and from 400 to 599 are supported, each by its number",
        ],
    },
    Case {
        name: "a body where HTTP has none",
        behind: "operationId: setStatus",
        from: "'200':",
        to: "'204':",
        refusals: &[
            "93:9 /paths/~1status/post/responses/204: has a body, which HTTP has no room for after this status: leave its content out",
        ],
    },
    Case {
        name: "a path that no request has",
        behind: "openapi",
        from: "  /status:",
        to: "  /status?of=all#now:",
        refusals: &[
            "77:3 /paths/~1status?of=all#now: no request has a path with ?, #, \\ or a control character: write a query as parameters",
        ],
    },
    Case {
        name: "a component that no reference can name",
        behind: "    NoteKind:",
        from: "    Mood:",
        to: "    Mood/Good:",
        refusals: &[
            "153:5 /components/schemas/Mood~1Good: the name of a component has only letters, digits, `.`, `_` and `-`",
            "160:9 /components/schemas/Status/properties/mood: a form carries only strings and integers",
            "160:17 /components/schemas/Status/properties/mood/$ref: names nothing: write #/components/schemas/ and a name from there",
            "190:17 /components/schemas/StatusReply/properties/mood/$ref: names nothing: write #/components/schemas/ and a name from there",
        ],
    },
    Case {
        name: "a redirect",
        behind: "operationId: setStatus",
        from: "'200':",
        to: "'302':",
        refusals: &[
            "92:7 /paths/~1status/post/responses: needs exactly one status from 200 to 299",
            "93:9 /paths/~1status/post/responses/302: only statuses from 200 to 299 and from 400 to 599 are supported, each by its number",
        ],
    },
    Case {
        name: "a status that nobody knows",
        behind: "operationId: setStatus",
        from: "'200':",
        to: "'299':",
        refusals: &[
            "93:9 /paths/~1status/post/responses/299: is no registered status, so it has no name",
        ],
    },
    Case {
        name: "two successes",
        behind: "operationId: putNote",
        from: "'400':",
        to: "'204':",
        refusals: &[
            "55:7 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses: does not document 400, which answers an invalid request",
            "55:7 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses: needs exactly one status from 200 to 299",
            "65:9 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/204: has a body, which HTTP has no room for after this status: leave its content out",
            "197:9 /components/responses/BadRequest/content/application~1problem+json: has to be application/json for this status",
        ],
    },
    Case {
        name: "an error that is no problem",
        behind: "    Failed:\n",
        from: "application/problem+json",
        to: "application/json",
        refusals: &[
            "217:9 /components/responses/Failed/content/application~1json: has to be application/problem+json for this status",
        ],
    },
    Case {
        name: "a success that is a problem",
        behind: "description: The status.",
        from: "application/json",
        to: "application/problem+json",
        refusals: &[
            "96:13 /paths/~1status/post/responses/200/content/application~1problem+json: has to be application/json for this status",
        ],
    },
    Case {
        name: "an error without a body",
        behind: "    Failed:",
        from: "      content:\n        application/problem+json:\n          schema: { $ref: '#/components/schemas/Problem' }\n",
        to: "",
        refusals: &["214:5 /components/responses/Failed: has no body that says what is wrong"],
    },
    Case {
        name: "two media types in a response",
        behind: "description: The status.",
        from: "            application/json:",
        to: "            text/csv: { schema: { $ref: '#/components/schemas/Status' } }\n            application/json:",
        refusals: &[
            "93:9 /paths/~1status/post/responses/200: needs exactly one media type",
            "163:9 /components/schemas/Status/properties/token: carries the cookie's key, which is taken out of a body, so its schema has to be of such bodies only",
        ],
    },
    Case {
        name: "400 is missing",
        behind: "operationId: listNotes",
        from: "        '400': { $ref: '#/components/responses/BadRequest' }\n",
        to: "",
        refusals: &[
            "25:7 /paths/~1notes/get/responses: does not document 400, which answers an invalid request",
        ],
    },
    Case {
        name: "401 is missing",
        behind: "operationId: listNotes",
        from: "        '401': { $ref: '#/components/responses/Unauthorized' }\n",
        to: "",
        refusals: &[
            "12:1 /paths: every operation has to document 401 or 403 by the same component, which answers a worthless credential",
            "25:7 /paths/~1notes/get/responses: does not document 401 or 403, which answers a missing or worthless credential",
        ],
    },
    Case {
        name: "413 is missing",
        behind: "operationId: setStatus",
        from: "        '413': { $ref: '#/components/responses/TooLarge' }\n",
        to: "",
        refusals: &[
            "92:7 /paths/~1status/post/responses: does not document 413, which answers a body that is too large",
        ],
    },
    Case {
        name: "415 is missing",
        behind: "operationId: setStatus",
        from: "        '415': { $ref: '#/components/responses/OtherMediaType' }\n",
        to: "",
        refusals: &[
            "92:7 /paths/~1status/post/responses: does not document 415, which answers a body of another media type",
        ],
    },
    Case {
        name: "500 is missing",
        behind: "operationId: setStatus",
        from: "        '500': { $ref: '#/components/responses/Failed' }\n",
        to: "",
        refusals: &[
            "12:1 /paths: every operation has to document 500 by the same component, which answers a panic",
        ],
    },
    Case {
        name: "a reference to nothing",
        behind: "openapi",
        from: "responses/BadRequest",
        to: "responses/Bad",
        refusals: &[
            "31:18 /paths/~1notes/get/responses/400/$ref: names nothing: write #/components/responses/ and a name from there",
        ],
    },
    Case {
        name: "a reference with siblings",
        behind: "openapi",
        from: "{ $ref: '#/components/responses/BadRequest' }",
        to: "{ $ref: '#/components/responses/BadRequest', description: Bad. }",
        refusals: &[
            "31:61 /paths/~1notes/get/responses/400/description: description is not supported here",
        ],
    },
    Case {
        name: "a reference to another file",
        behind: "    Note:",
        from: "'#/components/schemas/NoteKind'",
        to: "other.yaml#/NoteKind",
        refusals: &[
            "127:17 /components/schemas/Note/properties/type/$ref: names nothing: write #/components/schemas/ and a name from there",
        ],
    },
    Case {
        name: "no type",
        behind: "text:\n",
        from: "          type: string\n",
        to: "",
        refusals: &["128:9 /components/schemas/Note/properties/text: has no type"],
    },
    Case {
        name: "an unknown type",
        behind: "text:\n",
        from: "type: string",
        to: "type: strng",
        refusals: &[
            "129:11 /components/schemas/Note/properties/text/type: strng is no type that is supported",
        ],
    },
    Case {
        name: "several types",
        behind: "due:",
        from: "[string, 'null']",
        to: "[string, integer]",
        refusals: &[
            "133:11 /components/schemas/Note/properties/due/type: several types are not supported, except [type, 'null']",
        ],
    },
    Case {
        name: "null where a schema is named",
        behind: "    NoteId:",
        from: "type: integer",
        to: "type: [integer, 'null']",
        refusals: &[
            "45:11 /paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/0/schema: only a string or an integer is supported here, no enum",
            "116:7 /components/schemas/NoteId/type: say null where the schema is used, not where it is named",
        ],
    },
    Case {
        name: "optional and nullable",
        behind: "    Note:",
        from: "required: [type, text, due, weight]",
        to: "required: [type, text, weight]",
        refusals: &[
            "131:9 /components/schemas/Note/properties/due: is optional and nullable, which Rust cannot tell apart: make it required, or not null",
        ],
    },
    Case {
        name: "an object in place",
        behind: "    Note:",
        from: "weight: { type: number }",
        to: "weight: { type: object, additionalProperties: false }",
        refusals: &[
            "134:9 /components/schemas/Note/properties/weight: write the object under components/schemas and refer to it, so that its type has a name",
        ],
    },
    Case {
        name: "an enum in place",
        behind: "    Note:",
        from: "weight: { type: number }",
        to: "weight: { type: string, enum: [light] }",
        refusals: &[
            "134:9 /components/schemas/Note/properties/weight: write the enum under components/schemas and refer to it, so that its type has a name",
        ],
    },
    Case {
        name: "an open object",
        behind: "    Note:",
        from: "      additionalProperties: false\n",
        to: "",
        refusals: &[
            "118:5 /components/schemas/Note/additionalProperties: has to be false: members that the document does not name would be lost",
        ],
    },
    Case {
        name: "an object of replies that says neither",
        behind: "    NoteList:",
        from: "      additionalProperties: false\n",
        to: "",
        refusals: &[
            "145:5 /components/schemas/NoteList/additionalProperties: has to be true or false: generators disagree about what nothing means",
        ],
    },
    Case {
        name: "forms that are neither meant nor not",
        behind: "openapi",
        from: "paths:",
        to: "x-form-bodies: yes\npaths:",
        refusals: &["12:1 /x-form-bodies: is true or false"],
    },
    Case {
        name: "forms of what a form cannot carry",
        behind: "openapi",
        from: "paths:",
        to: "x-form-bodies: true\npaths:",
        refusals: &[
            "132:9 /components/schemas/Note/properties/due: a form carries only strings and integers",
            "135:9 /components/schemas/Note/properties/weight: a form carries only strings and integers",
            "137:9 /components/schemas/Note/properties/isDone: a form carries only strings and integers",
            "140:9 /components/schemas/Note/properties/links: a form carries only strings and integers",
        ],
    },
    Case {
        name: "forms for one operation alone",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: setStatus\n      x-form-bodies: true",
        refusals: &[
            "80:7 /paths/~1status/post/x-form-bodies: means nothing here: x-form-bodies stands at the root, x-body-member in a security scheme, or as true in a member that has a cookie's name",
        ],
    },
    Case {
        name: "a body member of another scheme than the cookie",
        behind: "    key:",
        from: "      scheme: bearer\n",
        to: "      scheme: bearer\n      x-body-member: { type: string }\n",
        refusals: &[
            "108:7 /components/securitySchemes/key/x-body-member: has to be a schema, in the security scheme of a cookie, whose name the member has",
        ],
    },
    Case {
        name: "a body member without a schema",
        behind: "    token:",
        from: "      name: token\n",
        to: "      name: token\n      x-body-member: true\n",
        refusals: &[
            "113:7 /components/securitySchemes/token/x-body-member: has to be a schema, in the security scheme of a cookie, whose name the member has",
        ],
    },
    Case {
        name: "a body member where it meets others",
        behind: "    token:",
        from: "      name: token\n  schemas:\n",
        to: "      name: token\n      x-body-member: { type: string }\n  requestBodies:\n    Token: { content: {} }\n  schemas:\n",
        refusals: &[
            "25:7 /paths/~1notes/get/responses: does not document 415, which answers a body of another media type",
            "113:7 /components/securitySchemes/token/x-body-member: adds /components/requestBodies/Token, which is there: give the other another name",
            "115:5 /components/requestBodies/Token: has no application/json, as which every body is handed on once it is checked",
            "129:7 /components/schemas/Note/properties/token: carries the cookie's key, which is taken out of a body, so its schema has to be of such bodies only",
        ],
    },
    Case {
        name: "a required member that is not there",
        behind: "    Note:",
        from: "due, weight]",
        to: "due, height]",
        refusals: &["125:35 /components/schemas/Note/required/3: names no property"],
    },
    Case {
        name: "an integer of another format",
        behind: "size:",
        from: "int32",
        to: "uint8",
        refusals: &[
            "135:32 /components/schemas/Note/properties/size/format: is not supported here, where there are: int32, int64",
        ],
    },
    Case {
        name: "an enum of numbers",
        behind: "    Mood:",
        from: "[good, so-so]",
        to: "[1, 2]",
        refusals: &[
            "155:14 /components/schemas/Mood/enum/0: \"\" is no name that Rust can have",
            "155:14 /components/schemas/Mood/enum/0: only strings are supported in an enum",
            "155:17 /components/schemas/Mood/enum/1: \"\" is no name that Rust can have",
            "155:17 /components/schemas/Mood/enum/1: only strings are supported in an enum",
        ],
    },
    Case {
        name: "a list without items",
        behind: "links:",
        from: "          items: { $ref: '#/components/schemas/NoteId' }\n",
        to: "",
        refusals: &["139:9 /components/schemas/Note/properties/links: has no items"],
    },
    Case {
        name: "a default",
        behind: "isDone:",
        from: "type: boolean",
        to: "type: boolean\n          default: true",
        refusals: &[
            "138:11 /components/schemas/Note/properties/isDone/default: default is not supported here",
        ],
    },
    Case {
        name: "a pattern that is none",
        behind: "text:\n",
        from: "'^[a-z ]*$'",
        to: "'(?<=a)b('",
        refusals: &[
            "130:11 /components/schemas/Note/properties/text/pattern: is no pattern that means the same to ECMAScript and to Rust's regex crate",
        ],
    },
    Case {
        name: "a schema that contains itself",
        behind: "    Note:",
        from: "schemas/NoteKind'",
        to: "schemas/Note'",
        refusals: &["118:5 /components/schemas/Note: contains itself, which is not supported"],
    },
    Case {
        name: "a schema name that is no type name",
        behind: "components:",
        from: "    Mood:",
        to: "    moody_mood:",
        refusals: &[
            "153:5 /components/schemas/moody_mood: write the name as MoodyMood",
            "160:9 /components/schemas/Status/properties/mood: a form carries only strings and integers",
            "160:17 /components/schemas/Status/properties/mood/$ref: names nothing: write #/components/schemas/ and a name from there",
            "190:17 /components/schemas/StatusReply/properties/mood/$ref: names nothing: write #/components/schemas/ and a name from there",
        ],
    },
    Case {
        name: "a schema named like generated code",
        behind: "components:",
        from: "    Mood:",
        to: "    Failure:",
        refusals: &[
            "153:5 /components/schemas/Failure: becomes Failure in Rust, as the generated code itself does",
            "160:9 /components/schemas/Status/properties/mood: a form carries only strings and integers",
            "160:17 /components/schemas/Status/properties/mood/$ref: names nothing: write #/components/schemas/ and a name from there",
            "190:17 /components/schemas/StatusReply/properties/mood/$ref: names nothing: write #/components/schemas/ and a name from there",
        ],
    },
    Case {
        name: "a member that is no name",
        behind: "moreText",
        from: "moreText",
        to: "1st",
        refusals: &[
            "161:9 /components/schemas/Status/properties/1st: \"1st\" is no name that Rust can have",
        ],
    },
    Case {
        name: "two members of one name",
        behind: "    Status:",
        from: "moreText: { type: string }",
        to: "more_text: { type: string }\n        moreText: { type: string }",
        refusals: &[
            "162:9 /components/schemas/Status/properties/moreText: becomes more_text in Rust, as /components/schemas/Status/properties/more_text does",
        ],
    },
    Case {
        name: "two values of one name",
        behind: "    Mood:",
        from: "so-so]",
        to: "so-so, so_so]",
        refusals: &[
            "155:27 /components/schemas/Mood/enum/2: becomes SoSo in Rust, as /components/schemas/Mood/enum/1 does",
        ],
    },
    Case {
        name: "another security scheme",
        behind: "securitySchemes",
        from: "scheme: bearer",
        to: "scheme: basic",
        refusals: &[
            "105:5 /components/securitySchemes/key: only http bearer and apiKey in a cookie are supported",
            "162:9 /components/schemas/Status/properties/token: carries the cookie's key, so it has to be an optional string, with a bearer scheme to take it over",
        ],
    },
    Case {
        name: "an unknown security scheme",
        behind: "operationId: setStatus",
        from: "- key: []",
        to: "- other: []",
        refusals: &[
            "82:7 /paths/~1status/post/security: every secured operation has to take the same schemes",
            "84:11 /paths/~1status/post/security/1/other: names no security scheme",
        ],
    },
    Case {
        name: "two schemes at once",
        behind: "operationId: setStatus",
        from: "- key: []\n        - token: []",
        to: "- key: []\n          token: []",
        refusals: &[
            "84:11 /paths/~1status/post/security/1: several schemes at once are not supported: write one alternative for each",
        ],
    },
    Case {
        name: "other schemes for one operation",
        behind: "operationId: setStatus",
        from: "        - token: []\n",
        to: "",
        refusals: &[
            "82:7 /paths/~1status/post/security: every secured operation has to take the same schemes",
        ],
    },
    Case {
        name: "scopes",
        behind: "security:",
        from: "key: []",
        to: "key: [read]",
        refusals: &["10:5 /security/0/key: scopes are not supported"],
    },
    Case {
        name: "a problem that lacks a member",
        behind: "    Problem:",
        from: "        detail: { type: string }\n",
        to: "",
        refusals: &[
            "166:39 /components/schemas/Problem/required/3: names no property",
            "167:7 /components/schemas/Problem/properties/detail: a problem needs a required detail of type string",
        ],
    },
    Case {
        name: "a problem with another member",
        behind: "    Problem:",
        from: "detail: { type: string }",
        to: "detail: { type: string }\n        more: { type: string }",
        refusals: &[
            "172:9 /components/schemas/Problem/properties/more: is no member of the problems that the generated server answers",
        ],
    },
    Case {
        name: "a problem whose request_id is no text",
        behind: "    Problem:",
        from: "detail: { type: string }",
        to: "detail: { type: string }\n        request_id: { type: integer }",
        refusals: &[
            "172:9 /components/schemas/Problem/properties/request_id: a problem needs an optional request_id of type string",
        ],
    },
    Case {
        name: "a problem whose code is no enum",
        behind: "    Problem:",
        from: "code: { $ref: '#/components/schemas/Code' }",
        to: "code: { type: string }",
        refusals: &[
            "172:9 /components/schemas/Problem/properties/code: has to be an enum, so that codes are told apart by type",
        ],
    },
    Case {
        name: "a code is missing",
        behind: "    Code:",
        from: "not_found, ",
        to: "",
        refusals: &[
            "178:7 /components/schemas/Code/enum: lacks not_found, which the generated server answers",
        ],
    },
    Case {
        name: "a failure without a name",
        behind: "    Problem:",
        from: "items: { $ref: '#/components/schemas/Wrong' }",
        to: "items: { type: string }",
        refusals: &[
            "175:11 /components/schemas/Problem/properties/errors/items: refer to an object of pointer and detail",
        ],
    },
    Case {
        name: "two kinds of problem",
        behind: "'429':",
        from: "schemas/Problem'",
        to: "schemas/Status'",
        refusals: &[
            "75:15 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/429/content/application~1problem+json/schema: every error has to be of the same schema",
            "162:9 /components/schemas/Status/properties/token: carries the cookie's key, which is taken out of a body, so its schema has to be of such bodies only",
        ],
    },
    Case {
        name: "a parameter named like generated code",
        behind: "openapi",
        from: "name: max-count",
        to: "name: body",
        refusals: &[
            "19:11 /paths/~1notes/get/parameters/0/name: becomes body in Rust, as the generated code itself does",
        ],
    },
    Case {
        name: "a parameter that is no name",
        behind: "openapi",
        from: "name: max-count",
        to: "name: 1st",
        refusals: &[
            "19:11 /paths/~1notes/get/parameters/0/name: \"1st\" is no name that Rust can have",
        ],
    },
    Case {
        name: "a header that is no name",
        behind: "operationId: putNote",
        from: "Location:",
        to: "Lo cation:",
        refusals: &[
            "59:13 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/201/headers/Lo cation: is no name that a header can have",
        ],
    },
    Case {
        name: "a header that is a password",
        behind: "Location:",
        from: "{ type: string }",
        to: "{ type: string, format: password }",
        refusals: &[
            "61:15 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/201/headers/Location/schema: format password is supported in bodies alone",
        ],
    },
    Case {
        name: "a header named like generated code",
        behind: "'429':",
        from: "Retry-After:",
        to: "Code:",
        refusals: &[
            "72:13 /paths/~1folders~1{folder}~1notes~1{note_id}/put/responses/429/headers/Code: becomes code in Rust, as the generated code itself does",
        ],
    },
    Case {
        name: "an enum as parameter",
        behind: "in: query",
        from: "{ type: integer, format: int32, minimum: 1 }",
        to: "{ $ref: '#/components/schemas/Mood' }",
        refusals: &[
            "24:11 /paths/~1notes/get/parameters/0/schema: only a string or an integer is supported here, no enum",
        ],
    },
    Case {
        name: "a body that is only a form",
        behind: "x-www-form-urlencoded",
        from: "          application/json:\n            schema: { $ref: '#/components/schemas/Status' }\n",
        to: "",
        refusals: &[
            "86:7 /paths/~1status/post/requestBody: has no application/json, as which every body is handed on once it is checked",
        ],
    },
    Case {
        name: "a boolean in a form",
        behind: "    Status:\n",
        from: "moreText: { type: string }",
        to: "moreText: { type: boolean }",
        refusals: &[
            "161:9 /components/schemas/Status/properties/moreText: a form carries only strings and integers",
        ],
    },
    Case {
        name: "a reference into a schema",
        behind: "    Note:",
        from: "schemas/NoteKind'",
        to: "schemas/Status/properties/mood'",
        refusals: &[
            "127:17 /components/schemas/Note/properties/type/$ref: names nothing: write #/components/schemas/ and a name from there",
        ],
    },
    Case {
        name: "another name for a schema",
        behind: "components:",
        from: "    Mood:\n      type: string\n      enum: [good, so-so]\n",
        to: "    Mood: { $ref: '#/components/schemas/NoteKind' }\n",
        refusals: &[
            "153:5 /components/schemas/Mood: is another name for a schema: use the one",
            "158:9 /components/schemas/Status/properties/mood: a form carries only strings and integers",
        ],
    },
    Case {
        name: "two parameters that progenitor calls alike",
        behind: "openapi",
        from: "        - name: max-count\n",
        to: "        - { name: \"x'y\", in: query, schema: { type: string } }\n        - { name: xy, in: query, schema: { type: string } }\n        - name: max-count\n",
        refusals: &[
            "20:13 /paths/~1notes/get/parameters/1/name: becomes xy in Rust, as /paths/~1notes/get/parameters/0/name does",
        ],
    },
    Case {
        name: "an operation that ends the service",
        behind: "openapi",
        from: "operationId: listNotes",
        to: "operationId: drop",
        refusals: &[
            "15:7 /paths/~1notes/get/operationId: becomes drop in Rust, as the generated code itself does",
        ],
    },
    Case {
        name: "a cookie that no browser sends",
        behind: "    token:",
        from: "name: token",
        to: "name: my token",
        refusals: &[
            "112:7 /components/securitySchemes/token/name: a cookie's name has letters, digits and !#$%&'*+-.^_`|~ only",
            "162:32 /components/schemas/Status/properties/token/x-body-member: means nothing here: x-form-bodies stands at the root, x-body-member in a security scheme, or as true in a member that has a cookie's name",
        ],
    },
    Case {
        name: "a second cookie",
        behind: "securitySchemes",
        from: "    token:\n",
        to: "    other:\n      type: apiKey\n      in: cookie\n      name: other\n    token:\n",
        refusals: &[
            "113:5 /components/securitySchemes/token: is the second of its kind: only one is told apart",
        ],
    },
    Case {
        name: "a required key in the body",
        behind: "    Status:\n",
        from: "properties:",
        to: "required: [token]\n      properties:",
        refusals: &[
            "86:7 /paths/~1status/post/requestBody: is optional but its schema has required members: make the body required",
            "163:9 /components/schemas/Status/properties/token: carries the cookie's key, so it has to be an optional string, with a bearer scheme to take it over",
        ],
    },
    Case {
        name: "a key in the body that is no string",
        behind: "    Status:\n",
        from: "token: { type: string,",
        to: "token: { type: integer,",
        refusals: &[
            "162:9 /components/schemas/Status/properties/token: carries the cookie's key, so it has to be an optional string, with a bearer scheme to take it over",
        ],
    },
    Case {
        name: "a server with a path",
        behind: "openapi",
        from: "tags:\n",
        to: "servers:\n  - url: https://notes.example/api\ntags:\n",
        refusals: &[
            "6:5 /servers/0: a server's URL has neither variables nor a path of its own: write the path into the paths",
        ],
    },
    Case {
        name: "a server without url",
        behind: "openapi",
        from: "tags:\n",
        to: "servers:\n  - description: Here.\ntags:\n",
        refusals: &["6:5 /servers/0: is not as OpenAPI has it: missing field `url`"],
    },
    Case {
        name: "security that cannot be read",
        behind: "openapi",
        from: "- key: []",
        to: "- key: read",
        refusals: &[
            "10:5 /security/0: is not as OpenAPI has it: invalid type: string \"read\", expected a sequence",
        ],
    },
    Case {
        name: "a pattern that ecmascript lacks",
        behind: "text:\n",
        from: "'^[a-z ]*$'",
        to: "'(?i)^[a-z]$'",
        refusals: &[
            "130:11 /components/schemas/Note/properties/text/pattern: is no pattern that means the same to ECMAScript and to Rust's regex crate",
        ],
    },
    Case {
        name: "a pattern with another meaning",
        behind: "text:\n",
        from: "'^[a-z ]*$'",
        to: "'\\ba'",
        refusals: &[
            "130:11 /components/schemas/Note/properties/text/pattern: is no pattern that means the same to ECMAScript and to Rust's regex crate",
        ],
    },
    Case {
        name: "a format that nobody checks",
        behind: "    Status:\n",
        from: "moreText: { type: string }",
        to: "moreText: { type: string, format: e-mail }",
        refusals: &[
            "161:35 /components/schemas/Status/properties/moreText/format: is not supported here, where there are: date, date-time, duration, email, hostname, idn-email, idn-hostname, ipv4, ipv6, iri, iri-reference, json-pointer, password, regex, time, uri, uri-reference, uuid",
        ],
    },
    Case {
        name: "a schema that is none",
        behind: "    Note:",
        from: "weight: { type: number }",
        to: "weight: { type: number, multipleOf: 0 }",
        refusals: &["134:9 /components/schemas/Note/properties/weight: is no JSON Schema"],
    },
    Case {
        name: "an operation named like generated code",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: clone",
        refusals: &[
            "79:7 /paths/~1status/post/operationId: becomes clone in Rust, as the generated code itself does",
        ],
    },
    Case {
        name: "an enum without values",
        behind: "    Mood:",
        from: "[good, so-so]",
        to: "[]",
        refusals: &["155:7 /components/schemas/Mood/enum: has no value"],
    },
    Case {
        name: "a member named like generated code",
        behind: "    Status:\n",
        from: "moreText",
        to: "obj",
        refusals: &[
            "161:9 /components/schemas/Status/properties/obj: becomes obj in Rust, as the generated code itself does",
        ],
    },
    Case {
        name: "a tag that is no name",
        behind: "openapi",
        from: "- name: note\n",
        to: "- name: self\n",
        refusals: &["6:5 /tags/0: \"Self\" is no name that Rust can have"],
    },
    Case {
        name: "a text of a problem that is an enum",
        behind: "    Problem:",
        from: "title: { type: string }",
        to: "title: { $ref: '#/components/schemas/Mood' }",
        refusals: &[
            "169:9 /components/schemas/Problem/properties/title: a problem needs a required title of type string",
        ],
    },
    Case {
        name: "a password in a URL",
        behind: "openapi",
        from: "{ type: string, maxLength: 10 }",
        to: "{ type: string, format: password }",
        refusals: &[
            "46:11 /paths/~1folders~1{folder}~1notes~1{note_id}/put/parameters/1: is a password, which has no place in a URL: logs keep those",
        ],
    },
    Case {
        name: "an operation named like a method of the client",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: newWithClient",
        refusals: &[
            "79:7 /paths/~1status/post/operationId: becomes new_with_client in Rust, as the generated code itself does",
        ],
    },
    Case {
        name: "an operation named like a type of the client",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: responseValue",
        refusals: &[
            "79:7 /paths/~1status/post/operationId: becomes ResponseValue in Rust, as the generated code itself does",
        ],
    },
    Case {
        name: "a parameter named like a method of its builder",
        behind: "openapi",
        from: "name: max-count",
        to: "name: send",
        refusals: &[
            "19:11 /paths/~1notes/get/parameters/0/name: becomes send in Rust, as the generated code itself does",
        ],
    },
    Case {
        name: "a key in a body that is a reply too",
        behind: "operationId: setStatus",
        from: "schemas/StatusReply'",
        to: "schemas/Status'",
        refusals: &[
            "162:9 /components/schemas/Status/properties/token: carries the cookie's key, which is taken out of a body, so its schema has to be of such bodies only",
        ],
    },
];
