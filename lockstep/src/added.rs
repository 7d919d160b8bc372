//! Adds the answers that the generated server gives by itself to the served document, for
//! operations that do not document them.

use serde_json::{Map, Value, json};

use crate::pointers::{alternatives, free_schema_name, join, members, operations};

/// The name of the schema of an added answer.
const NAME: &str = "LockstepProblem";

/// Adds the answers that are given before a method is called to the operations that lack them.
pub(crate) fn with_answers(document: &Value) -> Value {
    let mut served = document.clone();
    let name = free_schema_name(document, NAME);
    let mut has_added = false;
    for operation in operations(document) {
        let added = missing(document, &operation, &name);
        has_added |= !added.is_empty();
        let place = served
            .pointer_mut(&operation)
            .and_then(Value::as_object_mut);
        let responses = place.map(|operation| operation.entry("responses").or_insert(json!({})));
        if let Some(Value::Object(responses)) = responses {
            responses.extend(added);
        }
    }
    if has_added && let Value::Object(root) = &mut served {
        let components = root.entry("components").or_insert(json!({}));
        if let Value::Object(components) = components {
            let schemas = components.entry("schemas").or_insert(json!({}));
            if let Value::Object(schemas) = schemas {
                schemas.insert(name, problem());
            }
        }
    }
    served
}

/// The answers that an operation does not document.
fn missing(document: &Value, operation: &str, name: &str) -> Map<String, Value> {
    let responses = join(operation, "responses");
    let documented = |status: &str| {
        let hundred = format!("{}XX", &status[..1]);
        let keys = [status, hundred.as_str(), "default"];
        keys.iter()
            .any(|key| document.pointer(&join(&responses, key)).is_some())
    };
    let has_body = !members(document, &join(operation, "requestBody")).is_empty();
    let is_secured = !alternatives(document, operation).is_empty() && !documented("403");
    let answers = [
        ("400", true, "The request is not as documented."),
        (
            "401",
            is_secured,
            "The request carries no credential, or none that is worth something.",
        ),
        ("413", has_body, "The body is too large."),
        (
            "415",
            has_body,
            "The body is of a media type that is not taken.",
        ),
        ("500", true, "The service failed."),
    ];
    let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
    let missing = answers
        .into_iter()
        .filter(|(status, is_answered, _)| *is_answered && !documented(status));
    let missing = missing.map(|(status, _, description)| {
        let response = json!({
            "description": format!("{description} Added by openapi-lockstep."),
            "content": { "application/problem+json": { "schema": schema } },
        });
        (status.to_owned(), response)
    });
    missing.collect()
}

/// The schema of a problem of RFC 9457, as the generated server answers it.
fn problem() -> Value {
    json!({
        "description": "A problem of RFC 9457. Added by openapi-lockstep.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": { "type": "string" },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {
                        "pointer": { "type": "string" },
                        "detail": { "type": "string" },
                    },
                },
            },
        },
    })
}
