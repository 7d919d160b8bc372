//! Extensions of a document: they mean the same as the plain OpenAPI that they stand for.

use serde_json::Value;

/// A document with two secured operations, of which one has a body, and a public one.
const SHORT: &str = "
openapi: 3.1.0
info: { title: Short, version: 1.0.0 }
tags: [{ name: thing }]
security: [{ key: [] }, { cookie: [] }]
x-form-bodies: true
paths:
  /things:
    get:
      operationId: listThings
      tags: [thing]
      responses: &responses
        '200':
          description: All is well.
          content:
            application/json:
              schema: { $ref: '#/components/schemas/Reply' }
        '400': { $ref: '#/components/responses/Wrong' }
        '401': { $ref: '#/components/responses/Wrong' }
        '413': { $ref: '#/components/responses/Wrong' }
        '415': { $ref: '#/components/responses/Wrong' }
        '500': { $ref: '#/components/responses/Wrong' }
    post:
      operationId: addThing
      tags: [thing]
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Thing' }
      responses: *responses
  /ping:
    put:
      operationId: ping
      tags: [thing]
      security: []
      requestBody:
        content:
          application/json:
            schema: { $ref: '#/components/schemas/Ping' }
      responses: *responses
components:
  securitySchemes:
    key: { type: http, scheme: bearer }
    cookie:
      type: apiKey
      in: cookie
      name: my_key
      x-body-member: { type: string, maxLength: 9 }
  schemas:
    Thing:
      type: object
      additionalProperties: false
      required: [size]
      properties:
        size: { type: integer }
    Ping:
      type: object
      additionalProperties: false
      properties:
        word: { type: string }
    Reply:
      type: object
      additionalProperties: true
      properties:
        size: { type: integer }
    Problem:
      type: object
      additionalProperties: true
      required: [type, title, status, detail, code]
      properties:
        type: { type: string }
        title: { type: string }
        status: { type: integer }
        detail: { type: string }
        code: { $ref: '#/components/schemas/Code' }
        errors:
          type: array
          items: { $ref: '#/components/schemas/Failure400' }
    Failure400:
      type: object
      additionalProperties: true
      required: [pointer, detail]
      properties:
        pointer: { type: string }
        detail: { type: string }
    Code:
      type: string
      enum: [invalid_request, not_logged_in, not_found, method_not_allowed, payload_too_large, unsupported_media_type, internal_error]
  responses:
    Wrong:
      description: Something is wrong.
      content:
        application/problem+json:
          schema: { $ref: '#/components/schemas/Problem' }
";

/// Replacements that turn [`SHORT`] into plain OpenAPI: each text, and what its extensions stand
/// for.
const WRITTEN_OUT: [(&str, &str); 7] = [
    ("x-form-bodies: true\n", ""),
    ("      x-body-member: { type: string, maxLength: 9 }\n", ""),
    (
        "      operationId: listThings\n",
        "      operationId: listThings\n      requestBody: { $ref: '#/components/requestBodies/MyKey' }\n",
    ),
    (
        "            schema: { $ref: '#/components/schemas/Thing' }\n",
        "            schema: { $ref: '#/components/schemas/Thing' }\n          application/x-www-form-urlencoded:\n            schema: { $ref: '#/components/schemas/Thing' }\n",
    ),
    (
        "            schema: { $ref: '#/components/schemas/Ping' }\n",
        "            schema: { $ref: '#/components/schemas/Ping' }\n          application/x-www-form-urlencoded:\n            schema: { $ref: '#/components/schemas/Ping' }\n",
    ),
    (
        "        size: { type: integer }\n    Ping:",
        "        size: { type: integer }\n        my_key: { type: string, maxLength: 9, x-body-member: true }\n    Ping:",
    ),
    (
        "  schemas:\n",
        "  requestBodies:
    MyKey:
      description: Only for a client that sends its my_key nowhere else.
      content:
        application/json:
          schema: { $ref: '#/components/schemas/MyKeyRequest' }
        application/x-www-form-urlencoded:
          schema: { $ref: '#/components/schemas/MyKeyRequest' }
  schemas:
    MyKeyRequest:
      description: A body that carries only the my_key.
      type: object
      additionalProperties: false
      properties:
        my_key: { type: string, maxLength: 9, x-body-member: true }
",
    ),
];

fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(SHORT.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the document lacks {from:?}");
        text.replacen(from, to, 1)
    })
}

/// The documents as the check of requests reads them, and as people do.
fn read(text: &str) -> (Value, Value) {
    // The reader has no aliases.
    let responses = text.split("responses: &responses\n").nth(1).unwrap();
    let end = responses.find("    post:").unwrap();
    let written = format!("responses:\n{}", &responses[..end]);
    let text = text
        .replace("responses: &responses\n", "responses:\n")
        .replace("responses: *responses\n", &written);
    let document = match openapi_lockstep::read("short.yaml", &text) {
        Ok(document) => document,
        Err(diagnostics) => panic!("{diagnostics:#?}"),
    };
    let parse = |text: String| serde_json::from_str(&text).unwrap();
    (parse(document.contract()), parse(document.json()))
}

#[test]
fn a_document_with_extensions_means_what_one_without_them_says() {
    let (short, written) = read(SHORT);
    let (long, as_it_is) = read(&changed(&WRITTEN_OUT));
    assert_eq!(short, long);
    assert_eq!(long, as_it_is, "nothing is added where nothing is meant");

    assert_eq!(written["x-form-bodies"], true, "readers see the extensions");
    assert_eq!(
        written["paths"]["/things"]["get"]["requestBody"],
        Value::Null
    );
}

#[test]
fn what_is_said_already_stays_as_it_is() {
    let member = (
        "        size: { type: integer }\n    Ping:",
        "        size: { type: integer }\n        my_key: { type: string }\n    Ping:",
    );
    let (contract, _) = read(&changed(&[member]));
    let member = &contract["components"]["schemas"]["Thing"]["properties"]["my_key"];
    assert_eq!(member["maxLength"], Value::Null);
    let (contract, _) = read(&changed(&[("x-form-bodies: true", "x-form-bodies: false")]));
    let content = &contract["components"]["requestBodies"]["MyKey"]["content"];
    assert_eq!(content.as_object().unwrap().len(), 1, "{content}");
}
