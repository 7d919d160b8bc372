//! OpenAPI 3.1 -> what progenitor takes, in small passes.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{Document, rules::METHODS, source::join};

/// Each pass changes one thing about the document, and may rely on what those before it did.
const PASSES: [fn(&mut Value); 11] = [
    version,
    license,
    credentials,
    media_types,
    optional_bodies,
    named_scalars,
    nullable,
    examples,
    limits,
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

/// The client sends its credential with every request, so nobody is asked for it: not as security,
/// which progenitor ignores, and not as the member of a body. A body without another member goes.
fn credentials(document: &mut Value) {
    let bodies: Vec<(String, String)> = operations(document)
        .into_iter()
        .filter(|operation| is_secured(document, operation))
        .flat_map(|operation| {
            let schemas = body_schemas(document, &operation);
            schemas
                .into_iter()
                .map(move |schema| (operation.clone(), schema))
        })
        .collect();
    if let Some(name) = cookie_name(document) {
        for (_, schema) in &bodies {
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
        let body = resolve(document, join(&operation, "requestBody"));
        if let Some(Value::Object(body)) = document.pointer_mut(&body) {
            body.insert("required".to_owned(), json!(true));
        }
    }
}

/// A scalar or list with a name is no type of its own in Rust, here as in the server: it is
/// written where the name was.
fn named_scalars(document: &mut Value) {
    let named: Map<String, Value> = document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, schema)| schema["type"] != "object" && schema.get("enum").is_none())
        .map(|(name, schema)| (format!("#/components/schemas/{name}"), schema.clone()))
        .collect();
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
/// some of it too would be a second opinion, and would refuse replies that a later version of the
/// service may send. The limits are said in the documentation instead.
fn limits(document: &mut Value) {
    for operation in operations(document) {
        for parameter in members(document, &join(&operation, "parameters")) {
            let Some(Value::Object(parameter)) = document.pointer_mut(&parameter) else {
                continue;
            };
            let limits = match parameter.get_mut("schema") {
                Some(Value::Object(schema)) => take_limits(schema),
                _ => None,
            };
            describe(parameter, limits);
        }
    }
    each_schema(document, |schema| {
        let limits = take_limits(schema);
        describe(schema, limits);
    });
}

fn take_limits(schema: &mut Map<String, Value>) -> Option<String> {
    const LIMITS: [&str; 11] = [
        "minimum",
        "exclusiveMinimum",
        "maximum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "pattern",
    ];
    let limits = LIMITS.iter().copied();
    // Of the formats, these say the type; another one of a string would be a type of another crate.
    let is_type =
        |format: &str| matches!(format, "password" | "int32" | "int64" | "float" | "double");
    let format = schema.get("format").and_then(Value::as_str);
    let format = format
        .is_some_and(|format| !is_type(format))
        .then_some("format");
    let taken: Vec<String> = format
        .into_iter()
        .chain(limits)
        .filter_map(|keyword| Some((keyword, schema.shift_remove(keyword)?)))
        .map(|(keyword, value)| match value {
            Value::String(text) => format!("`{keyword}: {text}`"),
            value => format!("`{keyword}: {value}`"),
        })
        .collect();
    (!taken.is_empty()).then(|| taken.join(", "))
}

fn describe(object: &mut Map<String, Value>, limits: Option<String>) {
    let Some(limits) = limits else {
        return;
    };
    let description = match object.get("description").and_then(Value::as_str) {
        Some(description) => format!("{}\n\nLimits: {limits}", description.trim_end()),
        None => format!("Limits: {limits}"),
    };
    object.insert("description".to_owned(), json!(description));
}

/// A client lives with members that a later version of the service adds to its replies.
fn open_objects(document: &mut Value) {
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

/// The pointers of the members or items of what stands at `pointer`.
fn members(document: &Value, pointer: &str) -> Vec<String> {
    match document.pointer(pointer) {
        Some(Value::Object(object)) => object.keys().map(|name| join(pointer, name)).collect(),
        Some(Value::Array(items)) => (0..items.len())
            .map(|index| format!("{pointer}/{index}"))
            .collect(),
        _ => Vec::new(),
    }
}

/// The pointers of all operations.
fn operations(document: &Value) -> Vec<String> {
    let is_method = |pointer: &String| {
        METHODS
            .iter()
            .any(|method| pointer.ends_with(&format!("/{method}")))
    };
    let paths = members(document, "/paths");
    let operations = paths.iter().flat_map(|path| members(document, path));
    operations.filter(is_method).collect()
}

/// Whether an operation takes a credential.
fn is_secured(document: &Value, operation: &str) -> bool {
    let own = document.pointer(&join(operation, "security"));
    let requirements = own
        .or_else(|| document.get("security"))
        .and_then(Value::as_array);
    requirements
        .into_iter()
        .flatten()
        .any(|schemes| *schemes != json!({}))
}

/// The pointers of the schemas of an operation's body, each once.
fn body_schemas(document: &Value, operation: &str) -> BTreeSet<String> {
    let body = resolve(document, join(operation, "requestBody"));
    let contents = members(document, &join(&body, "content"));
    let schemas = contents
        .iter()
        .map(|content| resolve(document, join(content, "schema")));
    schemas.collect()
}

/// Follows a reference, if there is one.
fn resolve(document: &Value, pointer: String) -> String {
    let target = document
        .pointer(&join(&pointer, "$ref"))
        .and_then(Value::as_str);
    target.map_or(pointer, |target| target.trim_start_matches('#').to_owned())
}

/// The name of the cookie that carries a credential, which the member of a body may carry too.
fn cookie_name(document: &Value) -> Option<String> {
    let schemes = document
        .pointer("/components/securitySchemes")?
        .as_object()?;
    let cookie = schemes.values().find(|scheme| scheme["in"] == "cookie")?;
    cookie["name"].as_str().map(str::to_owned)
}

fn remove(document: &mut Value, pointer: &str, name: &str) {
    if let Some(Value::Object(object)) = document.pointer_mut(pointer) {
        object.shift_remove(name);
    }
}

/// Calls `change` for every schema that is no reference.
fn each_schema(document: &mut Value, change: impl Fn(&mut Map<String, Value>)) {
    for pointer in schemas(document) {
        if let Some(Value::Object(schema)) = document.pointer_mut(&pointer)
            && !schema.contains_key("$ref")
        {
            change(schema);
        }
    }
}

/// The pointers of all schemas: those with a name, those in an operation, and those inside them.
fn schemas(document: &Value) -> Vec<String> {
    let mut found = members(document, "/components/schemas");
    let operations = operations(document);
    let parameters = operations
        .iter()
        .flat_map(|operation| members(document, &join(operation, "parameters")));
    let headers = responses(document)
        .into_iter()
        .flat_map(|response| members(document, &join(&response, "headers")));
    let contents = contents(document);
    let contents = contents
        .iter()
        .flat_map(|content| members(document, content));
    found.extend(
        parameters
            .chain(headers)
            .chain(contents)
            .map(|place| join(&place, "schema")),
    );
    let mut next = 0;
    while let Some(schema) = found.get(next).cloned() {
        next += 1;
        found.extend(members(document, &join(&schema, "properties")));
        let items = join(&schema, "items");
        found.extend(document.pointer(&items).map(|_| items.clone()));
    }
    found.retain(|pointer| document.pointer(pointer).is_some());
    found
}

/// The pointers of all maps from a media type to what it carries.
fn contents(document: &Value) -> Vec<String> {
    let operations = operations(document);
    let bodies = operations
        .iter()
        .map(|operation| join(operation, "requestBody"));
    let named = members(document, "/components/requestBodies");
    let places = bodies.chain(named).chain(responses(document));
    places.map(|place| join(&place, "content")).collect()
}

/// The pointers of all responses: those with a name, and those in an operation.
fn responses(document: &Value) -> Vec<String> {
    let operations = operations(document);
    let inline = operations
        .iter()
        .flat_map(|operation| members(document, &join(operation, "responses")));
    inline
        .chain(members(document, "/components/responses"))
        .collect()
}
