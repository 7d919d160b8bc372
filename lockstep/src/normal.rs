//! What a document may write in several ways, written in one: the newest, with its defaults said.
//!
//! Whoever reads the served document sees it as it was written; everything else reads it like this.

use serde_json::{Map, Value, json};

use crate::pointers::{each_schema, join, members, operations, parameters, remove, responses};

/// The version that the model reads.
const VERSION: &str = "3.1.0";

/// Each pass writes one thing in one way.
const PASSES: [fn(&mut Value); 5] = [schemas, version, with_defaults, schemes, without_calls];

/// Writes a document in its normal form.
pub(crate) fn normalise(document: &mut Value) {
    for pass in PASSES {
        pass(document);
    }
}

/// Whether a version is of the kind `3.0.2` with 3.0.
fn is_version(document: &Value, minor: &str) -> bool {
    let version = document["openapi"].as_str().unwrap_or_default();
    let patch = version
        .strip_prefix(minor)
        .and_then(|rest| rest.strip_prefix('.'));
    patch.is_some_and(|patch| patch.parse::<u32>().is_ok())
}

/// What 3.0 says of null and of exclusive limits is said as JSON Schema has it, null behind the other
/// types.
fn schemas(document: &mut Value) {
    let is_old = is_version(document, "3.0");
    each_schema(document, |schema| {
        if is_old {
            modernise(schema);
        }
        let Some(Value::Array(kinds)) = schema.get_mut("type") else {
            return;
        };
        kinds.sort_by_key(|kind| kind == "null");
        if let [only] = kinds.as_slice() {
            schema["type"] = only.clone();
        }
    });
}

fn modernise(schema: &mut Map<String, Value>) {
    let nullable = schema.shift_remove("nullable") == Some(json!(true));
    if let (true, Some(Value::String(kind))) = (nullable, schema.get("type")) {
        let kind = kind.clone();
        schema.insert("type".to_owned(), json!([kind, "null"]));
    }
    for (limit, exclusive) in [
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ] {
        match schema.get(exclusive) {
            Some(Value::Bool(true)) => match schema.shift_remove(limit) {
                Some(value) => schema.insert(exclusive.to_owned(), value),
                None => schema.shift_remove(exclusive),
            },
            Some(Value::Bool(false)) => schema.shift_remove(exclusive),
            _ => None,
        };
    }
}

/// A patch of a version changes nothing about what is said.
fn version(document: &mut Value) {
    if is_version(document, "3.0") || is_version(document, "3.1") {
        document["openapi"] = json!(VERSION);
    }
}

/// A parameter is optional unless it says otherwise, and is written as most are.
fn with_defaults(document: &mut Value) {
    for pointer in parameters(document) {
        let Some(Value::Object(parameter)) = document.pointer_mut(&pointer) else {
            continue;
        };
        if parameter.contains_key("$ref") {
            continue;
        }
        let (style, explode) = match parameter.get("in").and_then(Value::as_str) {
            Some("query" | "cookie") => ("form", true),
            _ => ("simple", false),
        };
        parameter.entry("required").or_insert(json!(false));
        if parameter.get("style").is_none_or(|it| it == style) {
            parameter.shift_remove("style");
            if parameter.get("explode") == Some(&json!(explode)) {
                parameter.shift_remove("explode");
            }
        }
        if parameter.get("allowEmptyValue") == Some(&json!(false)) {
            parameter.shift_remove("allowEmptyValue");
        }
    }
}

/// RFC 9110, 11.1: the name of an authentication scheme has no case.
fn schemes(document: &mut Value) {
    for pointer in members(document, "/components/securitySchemes") {
        let scheme = document.pointer_mut(&join(&pointer, "scheme"));
        if let Some(Value::String(scheme)) = scheme {
            scheme.make_ascii_lowercase();
        }
    }
}

/// What the service calls by itself, and hints of what to call next, are no operations of it.
fn without_calls(document: &mut Value) {
    remove(document, "", "webhooks");
    for operation in operations(document) {
        remove(document, &operation, "callbacks");
    }
    for response in responses(document) {
        remove(document, &response, "links");
    }
    for kind in ["callbacks", "links"] {
        remove(document, "/components", kind);
    }
}
