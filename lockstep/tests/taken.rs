//! Parts of OpenAPI that both sides support: `golden/notes.yaml` with a piece of it replaced.

use openapi_lockstep::{client, mock, read, server};

const NOTES: &str = include_str!("golden/notes.yaml");

/// notes.yaml with the first `from` behind the first `behind` replaced by `to`.
struct Taken {
    name: &'static str,
    behind: &'static str,
    from: &'static str,
    to: &'static str,
}

/// Writes the code only: the documents of the runtime's tests show that it compiles.
#[test]
fn both_sides_take_what_openapi_has() {
    for Taken {
        name,
        behind,
        from,
        to,
    } in TAKEN
    {
        let start = NOTES.find(behind).expect(name);
        let (before, rest) = NOTES.split_at(start);
        assert!(rest.contains(from), "{name}: notes.yaml lacks {from:?}");
        let text = format!("{before}{}", rest.replacen(from, to, 1));
        let document = read("notes.yaml", &text);
        let document = document.unwrap_or_else(|diagnostics| panic!("{name}: {diagnostics:#?}"));
        let written = [Ok(server(&document)), client(&document), mock(&document)];
        for code in written {
            let code = code.unwrap_or_else(|diagnostic| panic!("{name}: {diagnostic}"));
            assert!(code.lines().count() > 10, "{name}:\n{code}");
        }
    }
}

/// The server of two operations with these responses besides 204.
fn served(one: &str, other: &str) -> String {
    let operation = |id: &str, responses: &str| {
        format!(
            "  /{id}:\n    get:\n      operationId: {id}\n      responses: \
             {{ '204': {{ description: Done. }}, {responses} }}\n"
        )
    };
    let text = format!(
        "openapi: 3.1.0
info: {{ title: Two, version: 1.0.0 }}
paths:
{}{}components:
  schemas:
    Error: {{ type: object, required: [reason], properties: {{ reason: {{ type: string }} }} }}
    Problem:
      type: object
      required: [type, title, status, detail, code]
      properties:
        type: {{ type: string }}
        title: {{ type: string }}
        status: {{ type: integer }}
        detail: {{ type: string }}
        code: {{ type: string }}
",
        operation("one", one),
        operation("other", other)
    );
    server(&read("two.yaml", &text).unwrap())
}

/// A response of a schema, and of `text/plain` too.
fn failure(status: &str, schema: &str, also: &str) -> String {
    format!(
        "'{status}': {{ description: No., content: {{ application/json: \
         {{ schema: {{ $ref: '#/components/schemas/{schema}' }} }}{also} }} }}"
    )
}

#[test]
fn the_errors_that_every_operation_has_are_asked_for() {
    let error = failure("default", "Error", "");
    let problem = failure("409", "Problem", "");
    let asks = |one: &str, other: &str| served(one, other).contains("pub trait Reject");
    assert!(asks(&error, &error), "all have the same error");
    assert!(
        asks(&error, &format!("{error}, {problem}")),
        "a problem of one operation changes nothing"
    );
    let default = failure("default", "Problem", "");
    assert!(!asks(&default, &default), "they are problems already");
    assert!(!asks(&error, &problem), "there is none that all have");
}

#[test]
fn a_status_is_shared_with_all_its_media_types() {
    let error = failure("400", "Error", "");
    let text = failure("400", "Error", ", text/plain: { schema: { type: string } }");
    let code = served(&text, &error);
    assert!(!code.contains("with_shared_failures"), "{code}");
    assert!(code.contains("text/plain"), "{code}");
}

const TAKEN: &[Taken] = &[
    Taken {
        name: "what the model loses",
        behind: "openapi",
        from: "  title: Notes\n",
        to: "  title: Notes\n  summary: All of them\n",
    },
    Taken {
        name: "const",
        behind: "text:\n",
        from: "type: string",
        to: "type: string\n          const: a",
    },
    Taken {
        name: "all of",
        behind: "Mood:",
        from: "type: string",
        to: "type: string\n      allOf: []",
    },
    Taken {
        name: "an unknown keyword",
        behind: "text:\n",
        from: "type: string",
        to: "type: string\n          patternProperties: {}",
    },
    Taken {
        name: "no paths",
        behind: "openapi",
        from: "paths:\n",
        to: "paths: {}\nx-paths:\n",
    },
    Taken {
        name: "an ambiguous path",
        behind: "openapi",
        from: "  /status:",
        to: "  /status/:",
    },
    Taken {
        name: "a method that is not supported",
        behind: "openapi",
        from: "    post:\n      operationId: setStatus",
        to: "    head:\n      operationId: setStatus",
    },
    Taken {
        name: "an operation id twice",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: list_notes",
    },
    Taken {
        name: "an operation id that is no name",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: 1st",
    },
    Taken {
        name: "a parameter in a header",
        behind: "openapi",
        from: "in: query",
        to: "in: header",
    },
    Taken {
        name: "a parameter with a style",
        behind: "openapi",
        from: "in: query",
        to: "in: query\n          style: spaceDelimited",
    },
    Taken {
        name: "a path parameter within a segment",
        behind: "openapi",
        from: "notes/{note_id}:",
        to: "notes/n{note_id}:",
    },
    Taken {
        name: "a list as parameter",
        behind: "openapi",
        from: "schema: { type: integer, format: int32, minimum: 1 }",
        to: "schema: { type: array, items: { type: string } }",
    },
    Taken {
        name: "a body of another media type",
        behind: "requestBody",
        from: "application/json",
        to: "text/plain",
    },
    Taken {
        name: "a body without schema",
        behind: "requestBody",
        from: "            schema: { $ref: '#/components/schemas/Note' }\n",
        to: "            example: {}\n",
    },
    Taken {
        name: "a body in place",
        behind: "requestBody",
        from: "schema: { $ref: '#/components/schemas/Note' }",
        to: "schema: { type: object, additionalProperties: false }",
    },
    Taken {
        name: "a body that is no object",
        behind: "requestBody",
        from: "schemas/Note'",
        to: "schemas/NoteKind'",
    },
    Taken {
        name: "two schemas for one body",
        behind: "operationId: setStatus",
        from: "application/json:\n            schema: { $ref: '#/components/schemas/Status' }",
        to: "application/json:\n            schema: { $ref: '#/components/schemas/Problem' }",
    },
    Taken {
        name: "a list in a form",
        behind: "    Status:\n",
        from: "moreText: { type: string }",
        to: "moreText: { type: array, items: { type: string } }",
    },
    Taken {
        name: "an optional body with required members",
        behind: "    Status:\n",
        from: "properties:",
        to: "required: [mood]\n      properties:",
    },
    Taken {
        name: "a status range",
        behind: "operationId: setStatus",
        from: "'200'",
        to: "'2XX'",
    },
    Taken {
        name: "a redirect",
        behind: "operationId: setStatus",
        from: "'200':",
        to: "'302':",
    },
    Taken {
        name: "a status that nobody knows",
        behind: "operationId: setStatus",
        from: "'200':",
        to: "'299':",
    },
    Taken {
        name: "a success that is a problem",
        behind: "description: The status.",
        from: "application/json",
        to: "application/problem+json",
    },
    Taken {
        name: "a reference with siblings",
        behind: "openapi",
        from: "{ $ref: '#/components/responses/BadRequest' }",
        to: "{ $ref: '#/components/responses/BadRequest', description: Bad. }",
    },
    Taken {
        name: "no type",
        behind: "text:\n",
        from: "          type: string\n",
        to: "",
    },
    Taken {
        name: "several types",
        behind: "due:",
        from: "[string, 'null']",
        to: "[string, integer]",
    },
    Taken {
        name: "null where a schema is named",
        behind: "    NoteId:",
        from: "type: integer",
        to: "type: [integer, 'null']",
    },
    Taken {
        name: "optional and nullable",
        behind: "    Note:",
        from: "required: [type, text, due, weight]",
        to: "required: [type, text, weight]",
    },
    Taken {
        name: "an object in place",
        behind: "    Note:",
        from: "weight: { type: number }",
        to: "weight: { type: object, additionalProperties: false }",
    },
    Taken {
        name: "an enum in place",
        behind: "    Note:",
        from: "weight: { type: number }",
        to: "weight: { type: string, enum: [light] }",
    },
    Taken {
        name: "an open object",
        behind: "    Note:",
        from: "      additionalProperties: false\n",
        to: "",
    },
    Taken {
        name: "an object of replies that says neither",
        behind: "    NoteList:",
        from: "      additionalProperties: false\n",
        to: "",
    },
    Taken {
        name: "forms of what a form cannot carry",
        behind: "openapi",
        from: "paths:",
        to: "x-form-bodies: true\npaths:",
    },
    Taken {
        name: "an integer of another format",
        behind: "size:",
        from: "int32",
        to: "uint8",
    },
    Taken {
        name: "an enum of numbers",
        behind: "    Mood:",
        from: "[good, so-so]",
        to: "[1, 2]",
    },
    Taken {
        name: "a list without items",
        behind: "links:",
        from: "          items: { $ref: '#/components/schemas/NoteId' }\n",
        to: "",
    },
    Taken {
        name: "a default",
        behind: "isDone:",
        from: "type: boolean",
        to: "type: boolean\n          default: true",
    },
    Taken {
        name: "a schema that contains itself",
        behind: "    Note:",
        from: "schemas/NoteKind'",
        to: "schemas/Note'",
    },
    Taken {
        name: "a member that is no name",
        behind: "moreText",
        from: "moreText",
        to: "1st",
    },
    Taken {
        name: "two members of one name",
        behind: "    Status:",
        from: "moreText: { type: string }",
        to: "more_text: { type: string }\n        moreText: { type: string }",
    },
    Taken {
        name: "two values of one name",
        behind: "    Mood:",
        from: "so-so]",
        to: "so-so, so_so]",
    },
    Taken {
        name: "another security scheme",
        behind: "securitySchemes",
        from: "scheme: bearer",
        to: "scheme: basic",
    },
    Taken {
        name: "two schemes at once",
        behind: "operationId: setStatus",
        from: "- key: []\n        - token: []",
        to: "- key: []\n          token: []",
    },
    Taken {
        name: "other schemes for one operation",
        behind: "operationId: setStatus",
        from: "        - token: []\n",
        to: "",
    },
    Taken {
        name: "scopes",
        behind: "security:",
        from: "key: []",
        to: "key: [read]",
    },
    Taken {
        name: "a problem with another member",
        behind: "    Problem:",
        from: "detail: { type: string }",
        to: "detail: { type: string }\n        more: { type: string }",
    },
    Taken {
        name: "a problem whose request_id is no text",
        behind: "    Problem:",
        from: "detail: { type: string }",
        to: "detail: { type: string }\n        request_id: { type: integer }",
    },
    Taken {
        name: "a parameter named like generated code",
        behind: "openapi",
        from: "name: max-count",
        to: "name: body",
    },
    Taken {
        name: "a parameter that is no name",
        behind: "openapi",
        from: "name: max-count",
        to: "name: 1st",
    },
    Taken {
        name: "a header that is a password",
        behind: "Location:",
        from: "{ type: string }",
        to: "{ type: string, format: password }",
    },
    Taken {
        name: "a header named like generated code",
        behind: "'429':",
        from: "Retry-After:",
        to: "Code:",
    },
    Taken {
        name: "an enum as parameter",
        behind: "in: query",
        from: "{ type: integer, format: int32, minimum: 1 }",
        to: "{ $ref: '#/components/schemas/Mood' }",
    },
    Taken {
        name: "a body that is only a form",
        behind: "x-www-form-urlencoded",
        from: "          application/json:\n            schema: { $ref: '#/components/schemas/Status' }\n",
        to: "",
    },
    Taken {
        name: "a boolean in a form",
        behind: "    Status:\n",
        from: "moreText: { type: string }",
        to: "moreText: { type: boolean }",
    },
    Taken {
        name: "a reference into a schema",
        behind: "    Note:",
        from: "schemas/NoteKind'",
        to: "schemas/Status/properties/mood'",
    },
    Taken {
        name: "another name for a schema",
        behind: "components:",
        from: "    Mood:\n      type: string\n      enum: [good, so-so]\n",
        to: "    Mood: { $ref: '#/components/schemas/NoteKind' }\n",
    },
    Taken {
        name: "two parameters that progenitor calls alike",
        behind: "openapi",
        from: "        - name: max-count\n",
        to: "        - { name: \"x'y\", in: query, schema: { type: string } }\n        - { name: xy, in: query, schema: { type: string } }\n        - name: max-count\n",
    },
    Taken {
        name: "an operation that ends the service",
        behind: "openapi",
        from: "operationId: listNotes",
        to: "operationId: drop",
    },
    Taken {
        name: "a second cookie",
        behind: "securitySchemes",
        from: "    token:\n",
        to: "    other:\n      type: apiKey\n      in: cookie\n      name: other\n    token:\n",
    },
    Taken {
        name: "a server with a path",
        behind: "openapi",
        from: "tags:\n",
        to: "servers:\n  - url: https://notes.example/api\ntags:\n",
    },
    Taken {
        name: "a format that nobody checks",
        behind: "    Status:\n",
        from: "moreText: { type: string }",
        to: "moreText: { type: string, format: e-mail }",
    },
    Taken {
        name: "an operation named like generated code",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: clone",
    },
    Taken {
        name: "a member named like generated code",
        behind: "    Status:\n",
        from: "moreText",
        to: "obj",
    },
    Taken {
        name: "a tag that is no name",
        behind: "openapi",
        from: "- name: note\n",
        to: "- name: self\n",
    },
    Taken {
        name: "a password in a URL",
        behind: "openapi",
        from: "{ type: string, maxLength: 10 }",
        to: "{ type: string, format: password }",
    },
    Taken {
        name: "an operation named like a method of the client",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: newWithClient",
    },
    Taken {
        name: "an operation named like a type of the client",
        behind: "openapi",
        from: "operationId: setStatus",
        to: "operationId: responseValue",
    },
    Taken {
        name: "a parameter named like a method of its builder",
        behind: "openapi",
        from: "name: max-count",
        to: "name: send",
    },
];
