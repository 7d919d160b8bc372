//! Normal form of a document: of several notations the newest one is used, and defaults are
//! resolved.
//!
//! The served document stays as it was written; everything else reads the normal form.

use heck::ToLowerCamelCase;
use serde_json::{Map, Value, json};

use crate::pointers::{
    METHODS, carriers, each_schema, join, last, members, operations, parameters, remove, responses,
};

/// The version that the model reads.
const VERSION: &str = "3.1.0";

/// Each pass normalizes one aspect.
const PASSES: [fn(&mut Value); 10] = [
    line_breaks,
    without_calls,
    in_place,
    path_items,
    operation_ids,
    tags,
    schemas,
    version,
    with_defaults,
    schemes,
];

/// Writes a document in its normal form.
pub(crate) fn normalize(document: &mut Value) {
    for pass in PASSES {
        pass(document);
    }
}

/// Returns true if the document is of this minor version: `3.0.2` is one of `3.0`.
fn is_version(document: &Value, minor: &str) -> bool {
    let version = document["openapi"].as_str().unwrap_or_default();
    let patch = version
        .strip_prefix(minor)
        .and_then(|rest| rest.strip_prefix('.'));
    patch.is_some_and(|patch| patch.parse::<u32>().is_ok())
}

/// A line of a text ends with a line feed alone: a comment in Rust cannot have a carriage return.
fn line_breaks(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                match member {
                    Value::String(text) if matches!(name.as_str(), "description" | "summary") => {
                        *text = text.replace("\r\n", "\n").replace('\r', "\n");
                    }
                    member => line_breaks(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(line_breaks),
        _ => {}
    }
}

/// Replaces references by their targets, except those to schemas, bodies and responses, whose names
/// are those of types.
fn in_place(document: &mut Value) {
    for path in members(document, "/paths") {
        put_in_place(document, &path);
        for parameter in members(document, &join(&path, "parameters")) {
            put_in_place(document, &parameter);
        }
    }
    for parameter in parameters(document) {
        put_in_place(document, &parameter);
    }
    for response in responses(document) {
        for header in members(document, &join(&response, "headers")) {
            put_in_place(document, &header);
        }
    }
    for place in carriers(document) {
        for example in members(document, &join(&place, "examples")) {
            put_in_place(document, &example);
        }
    }
}

/// Replaces a reference by its target, merged with the members beside it. A broken reference stays.
fn put_in_place(document: &mut Value, pointer: &str) {
    /// Limit of references to references: a cycle stays too.
    const LONGEST: usize = 8;
    for _ in 0..LONGEST {
        let Some(Value::Object(place)) = document.pointer(pointer) else {
            return;
        };
        let target = place.get("$ref").and_then(Value::as_str);
        let target = target.and_then(|target| document.pointer(target.strip_prefix('#')?));
        let Some(Value::Object(target)) = target else {
            return;
        };
        let mut meant = target.clone();
        let beside = place.iter().filter(|(name, _)| *name != "$ref");
        meant.extend(beside.map(|(name, value)| (name.clone(), value.clone())));
        if let Some(place) = document.pointer_mut(pointer) {
            *place = Value::Object(meant);
        }
    }
}

/// Moves the parameters of a path to each of its operations that does not have the same itself, and
/// drops its summary and description.
fn path_items(document: &mut Value) {
    for path in members(document, "/paths") {
        let shared = match document.pointer_mut(&path).and_then(Value::as_object_mut) {
            Some(item) => {
                item.shift_remove("summary");
                item.shift_remove("description");
                item.shift_remove("parameters")
            }
            None => None,
        };
        let Some(Value::Array(shared)) = shared else {
            continue;
        };
        for method in METHODS {
            let operation = document.pointer_mut(&join(&path, method));
            let Some(Value::Object(operation)) = operation else {
                continue;
            };
            let own = operation.entry("parameters").or_insert(json!([]));
            let Value::Array(own) = own else {
                continue;
            };
            let is_same = |one: &Value, other: &Value| {
                one["name"] == other["name"] && one["in"] == other["in"]
            };
            let said = own.clone();
            let others = shared
                .iter()
                .filter(|it| !said.iter().any(|own| is_same(own, it)));
            own.extend(others.cloned());
        }
    }
}

/// An operation without a name is called after its method and path.
fn operation_ids(document: &mut Value) {
    for pointer in operations(document) {
        let (path, method) = pointer.rsplit_once('/').unwrap_or_default();
        let name = format!("{method} {}", last(path)).to_lower_camel_case();
        if let Some(Value::Object(operation)) = document.pointer_mut(&pointer) {
            operation.entry("operationId").or_insert(json!(name));
        }
    }
}

/// An operation is a method of the trait of its first tag, which need not be declared.
fn tags(document: &mut Value) {
    /// The name that other generators give it too.
    const WITHOUT: &str = "default";
    for pointer in operations(document) {
        let Some(Value::Object(operation)) = document.pointer_mut(&pointer) else {
            continue;
        };
        let tags = operation.entry("tags").or_insert(json!([]));
        let Value::Array(tags) = tags else {
            continue;
        };
        tags.truncate(1);
        if tags.is_empty() {
            tags.push(json!(WITHOUT));
        }
        let Some(name) = tags.first().cloned().filter(Value::is_string) else {
            continue;
        };
        let declared = document.as_object_mut();
        let declared = declared.map(|root| root.entry("tags").or_insert(json!([])));
        if let Some(Value::Array(declared)) = declared
            && !declared.iter().any(|tag| tag["name"] == name)
        {
            declared.push(json!({ "name": name }));
        }
    }
}

/// Writes null and the exclusive limits of 3.0 as JSON Schema does, with null behind the other
/// types.
///
/// A member that only one side writes (`readOnly`, `writeOnly`) is not required any more.
fn schemas(document: &mut Value) {
    let is_old = is_version(document, "3.0");
    each_schema(document, |schema| {
        if is_old {
            modernise(schema);
        }
        let is_of_one_side =
            |member: &Value| member["readOnly"] == true || member["writeOnly"] == true;
        let members = schema.get("properties").and_then(Value::as_object);
        let of_one_side = members
            .into_iter()
            .flatten()
            .filter(|(_, member)| is_of_one_side(member));
        let of_one_side: Vec<Value> = of_one_side.map(|(name, _)| json!(name)).collect();
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|name| !of_one_side.contains(name));
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
    if schema.shift_remove("nullable") == Some(json!(true)) {
        or_null(schema);
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

/// Lets null be a value of a schema.
fn or_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    match schema.get("type") {
        Some(Value::String(kind)) => {
            let kind = kind.clone();
            schema.insert("type".to_owned(), json!([kind, "null"]));
        }
        Some(_) => {}
        // The type follows from the other keywords.
        None => {
            let notes = [
                "description",
                "title",
                "deprecated",
                "readOnly",
                "writeOnly",
                "example",
                "default",
            ];
            let said = std::mem::take(schema);
            let is_note = |name: &String| notes.contains(&name.as_str()) || name.starts_with("x-");
            let (notes, said): (Map<_, _>, Map<_, _>) =
                said.into_iter().partition(|(name, _)| is_note(name));
            *schema = notes;
            if !said.is_empty() {
                schema.insert("anyOf".to_owned(), json!([said, { "type": "null" }]));
            }
        }
    }
}

/// Patch versions of OpenAPI do not differ in meaning.
fn version(document: &mut Value) {
    if is_version(document, "3.0") || is_version(document, "3.1") {
        document["openapi"] = json!(VERSION);
    }
}

/// Adds `required: false`, and drops styles that are the default.
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

/// Removes webhooks and callbacks, which the service calls itself, and links, which are hints for
/// later calls: they are not operations of the service.
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
