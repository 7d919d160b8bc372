//! OpenAPI 3.1 -> what progenitor takes, in small passes.

use std::{collections::BTreeSet, iter};

use serde_json::{Map, Value, json};

use crate::{
    Document,
    pointers::{
        LIMITS, alternatives, body_credential, content_schemas, contents, each_schema, join, last,
        members, operations, parameters, remove, resolve, schemas,
    },
};

/// Each pass changes one thing about the document, and may rely on what those before it did.
const PASSES: [fn(&mut Value); 13] = [
    version,
    license,
    credentials,
    extensions,
    media_types,
    optional_bodies,
    named_scalars,
    nullable,
    examples,
    limits,
    headers,
    open_objects,
    unused_components,
];

pub(super) fn lower(document: &Document) -> Value {
    let mut value = document.source.value.clone();
    for pass in PASSES {
        pass(&mut value);
    }
    value
}

/// progenitor reads 3.0 only.
fn version(document: &mut Value) {
    document["openapi"] = json!("3.0.3");
}

/// 3.0 knows no identifiers of licences.
fn license(document: &mut Value) {
    remove(document, "/info/license", "identifier");
}

/// progenitor gives extensions meanings of their own, and tells types apart by them; poem-openapi
/// says none.
pub(crate) fn extensions(document: &mut Value) {
    each_schema(document, |schema| {
        schema.retain(|keyword, _| !keyword.starts_with("x-"));
    });
}

/// The client sends its credential with every request, so nobody is asked for it: not as security,
/// which progenitor ignores, and not as the member of a body. A body without another member goes.
fn credentials(document: &mut Value) {
    let bodies: Vec<(String, String)> = operations(document)
        .into_iter()
        .filter(|operation| !alternatives(document, operation).is_empty())
        .flat_map(|operation| {
            let body = resolve(document, &join(&operation, "requestBody"), "requestBodies");
            let schemas = content_schemas(document, &body).into_iter();
            schemas.map(move |schema| (operation.clone(), schema))
        })
        .collect();
    for (_, schema) in &bodies {
        if let Some(name) = body_credential(document, schema) {
            remove(document, &format!("{schema}/properties"), &name);
        }
    }
    for (operation, schema) in &bodies {
        if members(document, &format!("{schema}/properties")).is_empty() {
            remove(document, operation, "requestBody");
        }
    }
    for operation in operations(document) {
        remove(document, &operation, "security");
    }
    remove(document, "", "security");
    remove(document, "/components", "securitySchemes");
}

/// progenitor takes one media type of a request and decodes none but JSON: a request is sent as
/// JSON, which every body can be, and a problem is JSON under another name.
fn media_types(document: &mut Value) {
    for pointer in contents(document) {
        let Some(Value::Object(content)) = document.pointer_mut(&pointer) else {
            continue;
        };
        let json = content
            .shift_remove("application/json")
            .or_else(|| content.shift_remove("application/problem+json"));
        if let Some(json) = json {
            *content = Map::from_iter([("application/json".to_owned(), json)]);
        }
    }
}

/// progenitor sends every body. An optional one has only optional members, so `{}` is none.
fn optional_bodies(document: &mut Value) {
    for operation in operations(document) {
        let body = resolve(document, &join(&operation, "requestBody"), "requestBodies");
        if let Some(Value::Object(body)) = document.pointer_mut(&body) {
            body.insert("required".to_owned(), json!(true));
        }
    }
}

/// A scalar or list with a name is no type of its own in Rust, here as in the server: it is
/// written where the name was.
pub(crate) fn named_scalars(document: &mut Value) {
    let mut named = Map::new();
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        schemas.retain(|name, schema| {
            let is_type = schema["type"] == "object" || schema.get("enum").is_some();
            if !is_type {
                let reference = format!("#/components/schemas/{name}");
                named.insert(reference, std::mem::take(schema));
            }
            is_type
        });
    }
    // What is written in place of a name may hold another name; the rules refuse circles.
    loop {
        let mut replaced = false;
        for pointer in schemas(document) {
            let Some(place) = document.pointer_mut(&pointer) else {
                continue;
            };
            let target = place.get("$ref").and_then(Value::as_str);
            if let Some(schema) = target.and_then(|target| named.get(target)) {
                *place = schema.clone();
                replaced = true;
            }
        }
        if !replaced {
            return;
        }
    }
}

/// 3.0 says `nullable` beside the type.
fn nullable(document: &mut Value) {
    each_schema(document, |schema| {
        let kind = schema.get("type").and_then(Value::as_array);
        if let Some(kind) = kind.and_then(|kinds| kinds.first()).cloned() {
            schema.insert("type".to_owned(), kind);
            schema.insert("nullable".to_owned(), json!(true));
        }
    });
}

/// A schema has one `example` in 3.0.
fn examples(document: &mut Value) {
    each_schema(document, |schema| {
        if let Some(Value::Array(examples)) = schema.shift_remove("examples")
            && let Some(example) = examples.into_iter().next()
        {
            schema.entry("example").or_insert(example);
        }
    });
}

/// What limits a value is the server's to check, which names every failure: a client that checked
/// some of it too would be a second opinion. The limits are said in the documentation instead, as
/// near as the code has any: a parameter has one and its schema has not, a list has one and its
/// items have not.
fn limits(document: &mut Value) {
    for parameter in parameters(document) {
        let Some(Value::Object(parameter)) = document.pointer_mut(&parameter) else {
            continue;
        };
        let Some(Value::Object(schema)) = parameter.get_mut("schema") else {
            continue;
        };
        let limits = take_limits(schema);
        let description = schema.get("description").cloned();
        if let (Some(description), false) = (description, parameter.contains_key("description")) {
            parameter.insert("description".to_owned(), description);
        }
        describe(parameter, limits.map(|limits| format!("Limits: {limits}")));
    }
    each_schema(document, |schema| {
        if let Some(Value::Object(items)) = schema.get_mut("items") {
            let limits = take_limits(items);
            describe(
                schema,
                limits.map(|limits| format!("Limits of each: {limits}")),
            );
        }
        let limits = take_limits(schema);
        describe(schema, limits.map(|limits| format!("Limits: {limits}")));
    });
}

/// Takes away what limits a value, and tells it.
fn take_limits(schema: &mut Map<String, Value>) -> Option<String> {
    // These formats say the type; another one of a string would be a type of another crate.
    const TYPES: [&str; 5] = ["password", "int32", "int64", "float", "double"];
    let mut limits = Vec::new();
    for keyword in iter::once("format").chain(LIMITS) {
        match schema.get(keyword) {
            Some(Value::String(text)) if !TYPES.contains(&text.as_str()) => {
                limits.push(format!("`{keyword}: {text}`"));
            }
            Some(Value::String(_)) | None => continue,
            Some(value) => limits.push(format!("`{keyword}: {value}`")),
        }
        schema.shift_remove(keyword);
    }
    (!limits.is_empty()).then(|| limits.join(", "))
}

/// Adds a paragraph to a description.
fn describe(object: &mut Map<String, Value>, paragraph: Option<String>) {
    let Some(paragraph) = paragraph else {
        return;
    };
    let description = match object.get("description").and_then(Value::as_str) {
        Some(description) => format!("{}\n\n{paragraph}", description.trim_end()),
        None => paragraph,
    };
    object.insert("description".to_owned(), json!(description));
}

/// The headers of a reply are handed on untyped, so the operation tells what they are.
fn headers(document: &mut Value) {
    for operation in operations(document) {
        let mut told = Vec::new();
        for response in members(document, &join(&operation, "responses")) {
            let headers = resolve(document, &response, "responses") + "/headers";
            for header in members(document, &headers) {
                let text = document.pointer(&join(&header, "description"));
                let text = text.and_then(Value::as_str).unwrap_or_default().trim_end();
                let line = format!("- {} `{}`: {text}", last(&response), last(&header));
                told.push(line.trim_end_matches([':', ' ']).to_owned());
            }
        }
        if let (Some(Value::Object(operation)), false) =
            (document.pointer_mut(&operation), told.is_empty())
        {
            describe(
                operation,
                Some(format!("Headers of the reply:\n{}", told.join("\n"))),
            );
        }
    }
}

/// A client lives with members that a later version of the service adds to its replies.
pub(crate) fn open_objects(document: &mut Value) {
    each_schema(document, |schema| {
        schema.shift_remove("additionalProperties");
    });
}

/// What no operation refers to any more would become a type that nothing uses.
fn unused_components(document: &mut Value) {
    let mut used = BTreeSet::new();
    let mut open = vec!["/paths".to_owned()];
    while let Some(pointer) = open.pop() {
        for reference in references(document.pointer(&pointer)) {
            if used.insert(reference.clone()) {
                open.push(reference);
            }
        }
    }
    for kind in members(document, "/components") {
        if let Some(Value::Object(components)) = document.pointer_mut(&kind) {
            components.retain(|name, _| used.contains(&join(&kind, name)));
        }
    }
}

/// The pointers that are referred to from inside `value`.
fn references(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Object(object)) => match object.get("$ref").and_then(Value::as_str) {
            Some(reference) => vec![reference.trim_start_matches('#').to_owned()],
            None => object
                .values()
                .flat_map(|value| references(Some(value)))
                .collect(),
        },
        Some(Value::Array(items)) => items
            .iter()
            .flat_map(|value| references(Some(value)))
            .collect(),
        _ => Vec::new(),
    }
}
