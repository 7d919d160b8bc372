//! What poem-openapi says of the generated server, held against the document.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    Document,
    client::{extensions, named_scalars, open_objects},
    pointers::{
        LIMITS, carriers, contents, each_schema, join, members, operations, parameters, remove,
        resolve, responses, schemas,
    },
};

/// A place where the document and the generated server say different things.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The JSON Pointer into the normal form of both.
    pub pointer: String,
    /// What the document says, if anything.
    pub document: Option<Value>,
    /// What the server says, if anything.
    pub server: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let say = |value: &Option<Value>| match value {
            Some(value) => value.to_string(),
            None => "nothing".to_owned(),
        };
        write!(
            formatter,
            "{}: the document says {}, the server {}",
            self.pointer,
            say(&self.document),
            say(&self.server)
        )
    }
}

/// The steps to the normal form, taken by both sides in this order. The comment of each says why the
/// two may differ so.
const NORMALISATIONS: [(&str, Change); 17] = [
    ("preamble", preamble),
    ("references", references),
    ("security", security),
    ("named scalars", scalars),
    ("null", null),
    ("limits", limits),
    ("number formats", number_formats),
    ("extensions", extensions),
    // That an object has no other members is the check's to hold too, and not written there.
    ("closed objects", open_objects),
    ("examples", examples),
    ("media type parameters", media_type_parameters),
    ("bodies", bodies),
    ("header names", header_names),
    ("titles", titles),
    ("defaults", defaults),
    ("ends of texts", ends_of_texts),
    ("order", order),
];

type Change = fn(&mut Value);

/// The names of all normalisations.
pub fn normalisations() -> impl Iterator<Item = &'static str> {
    NORMALISATIONS.iter().map(|(name, _)| *name)
}

/// Where the document and what poem-openapi emits for the server that was generated from it differ:
/// nowhere, or the generated code does not say what the document says.
///
/// `emitted` is the text of `OpenApiService::spec`. Normalisations whose name is in `without` are
/// left out, so that a test can show what each is for.
///
/// # Errors
///
/// `emitted` is no JSON.
pub fn differences(
    document: &Document,
    emitted: &str,
    without: &[&str],
) -> serde_json::Result<Vec<Difference>> {
    let normal = |mut value: Value| {
        for (name, change) in &NORMALISATIONS {
            if !without.contains(name) {
                change(&mut value);
            }
        }
        value
    };
    let mut found = Vec::new();
    let document = normal(document.source.value.clone());
    let server = normal(serde_json::from_str(emitted)?);
    compare(Some(&document), Some(&server), String::new(), &mut found);
    Ok(found)
}

fn compare(
    document: Option<&Value>,
    server: Option<&Value>,
    pointer: String,
    found: &mut Vec<Difference>,
) {
    match (document, server) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            let more = right.keys().filter(|name| !left.contains_key(*name));
            for name in left.keys().chain(more) {
                compare(left.get(name), right.get(name), join(&pointer, name), found);
            }
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => {
            for index in 0..left.len().max(right.len()) {
                let inner = format!("{pointer}/{index}");
                compare(left.get(index), right.get(index), inner, found);
            }
        }
        _ if document == server => {}
        _ => found.push(Difference {
            pointer,
            document: document.cloned(),
            server: server.cloned(),
        }),
    }
}

/// The version of OpenAPI is always 3.0.0 there; of the info, the code holds the title and the
/// version; servers are where it is served, not what it is.
fn preamble(document: &mut Value) {
    remove(document, "", "openapi");
    remove(document, "", "servers");
    if let Some(Value::Object(info)) = document.pointer_mut("/info") {
        info.retain(|name, _| matches!(name.as_str(), "title" | "version"));
    }
}

/// Responses and bodies with a name are written in place there.
fn references(document: &mut Value) {
    for operation in operations(document) {
        let responses = members(document, &join(&operation, "responses"));
        let bodies = [join(&operation, "requestBody")];
        for (kind, places) in [("responses", &responses[..]), ("requestBodies", &bodies)] {
            for place in places {
                let target = document.pointer(&resolve(document, place, kind)).cloned();
                if let (Some(place), Some(target)) = (document.pointer_mut(place), target) {
                    *place = target;
                }
            }
        }
    }
    remove(document, "/components", "responses");
    remove(document, "/components", "requestBodies");
}

/// What holds for all operations is written at each there, and an operation without security has
/// none. Which alternative comes first means nothing.
fn security(document: &mut Value) {
    let global = document.get("security").cloned().unwrap_or(json!([]));
    for operation in operations(document) {
        if let Some(Value::Object(operation)) = document.pointer_mut(&operation) {
            let own = operation.entry("security").or_insert(global.clone());
            if let Value::Array(alternatives) = own {
                alternatives.sort_by_key(Value::to_string);
                if alternatives.is_empty() {
                    operation.shift_remove("security");
                }
            }
        }
    }
    remove(document, "", "security");
}

/// A scalar or list with a name is written in place there, and described where it is a member: a
/// parameter has a description of its own, and an item of a list none.
fn scalars(document: &mut Value) {
    named_scalars(document);
    for parameter in parameters(document) {
        remove(document, &join(&parameter, "schema"), "description");
    }
    each_schema(document, |schema| {
        if let Some(Value::Object(items)) = schema.get_mut("items") {
            items.shift_remove("description");
        }
    });
}

/// A member that may be null and one that may be left out are both an `Option` there.
fn null(document: &mut Value) {
    for schema in members(document, "/components/schemas") {
        let Some(Value::Object(schema)) = document.pointer_mut(&schema) else {
            continue;
        };
        let mut nullable = Vec::new();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            for (name, property) in properties {
                if let Some(Value::Array(kinds)) = property.get("type") {
                    property["type"] = kinds.first().cloned().unwrap_or_default();
                    nullable.push(json!(name));
                }
            }
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|name| !nullable.contains(name));
        }
    }
}

/// The check of requests in front of the server holds values to their limits, and reads those from
/// the document itself; the server's own types do not know them.
fn limits(document: &mut Value) {
    each_schema(document, |schema| {
        for keyword in LIMITS {
            schema.shift_remove(keyword);
        }
        if schema.get("type").is_some_and(|kind| kind == "string") {
            schema.shift_remove("format");
        }
    });
}

/// Every number has the format of its Rust type there.
fn number_formats(document: &mut Value) {
    each_schema(document, |schema| {
        let format = match schema.get("type").and_then(Value::as_str) {
            Some("integer") => "int64",
            Some("number") => "double",
            _ => return,
        };
        schema.entry("format").or_insert(json!(format));
    });
}

/// Examples are for readers of the document.
fn examples(document: &mut Value) {
    for place in carriers(document).into_iter().chain(schemas(document)) {
        remove(document, &place, "example");
        remove(document, &place, "examples");
    }
}

/// JSON has `; charset=utf-8` there, which RFC 8259 gives no meaning.
fn media_type_parameters(document: &mut Value) {
    rename(document, contents(document), |media_type| {
        let media_type = media_type.split(';').next().unwrap_or_default();
        media_type.to_owned()
    });
}

/// A body's description is the generator's there, and one of several media types is always
/// required, since one that is not there is handed on as `{}`.
fn bodies(document: &mut Value) {
    for operation in operations(document) {
        if let Some(Value::Object(body)) = document.pointer_mut(&join(&operation, "requestBody")) {
            body.shift_remove("description");
            body.shift_remove("required");
        }
    }
}

/// Headers are in capitals there, which mean nothing in HTTP.
fn header_names(document: &mut Value) {
    let headers = responses(document)
        .into_iter()
        .map(|response| join(&response, "headers"))
        .collect();
    rename(document, headers, str::to_lowercase);
}

/// An object has its name for a title there.
fn titles(document: &mut Value) {
    each_schema(document, |schema| {
        schema.shift_remove("title");
    });
}

/// What is so if nobody says otherwise is said there.
fn defaults(document: &mut Value) {
    for place in carriers(document) {
        if let Some(Value::Object(place)) = document.pointer_mut(&place) {
            let is_default = |name: &str, value: &Value| match name {
                "explode" => *value == json!(true),
                "deprecated" => *value == json!(false),
                _ => false,
            };
            place.retain(|name, value| !is_default(name, value));
        }
    }
}

/// Parameters, tags and required members are sets, whatever the order that they are written in.
fn order(document: &mut Value) {
    let mut sets: Vec<String> = operations(document)
        .iter()
        .map(|operation| join(operation, "parameters"))
        .collect();
    sets.push("/tags".to_owned());
    let schemas = members(document, "/components/schemas");
    sets.extend(schemas.iter().map(|schema| join(schema, "required")));
    for set in sets {
        if let Some(Value::Array(items)) = document.pointer_mut(&set) {
            items.sort_by_key(|item| {
                (
                    item["in"].to_string(),
                    item["name"].to_string(),
                    item.to_string(),
                )
            });
        }
    }
    // A set without members is as good as none.
    for schema in schemas {
        if document.pointer(&join(&schema, "required")) == Some(&json!([])) {
            remove(document, &schema, "required");
        }
    }
}

/// A description ends with its last word there, and with a line break where YAML has a block.
fn ends_of_texts(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = description.trim_end().to_owned();
            }
            object.values_mut().for_each(ends_of_texts);
        }
        Value::Array(items) => items.iter_mut().for_each(ends_of_texts),
        _ => {}
    }
}

/// Gives the members of what stands at `places` other names.
fn rename(document: &mut Value, places: Vec<String>, name: impl Fn(&str) -> String) {
    for place in places {
        if let Some(Value::Object(object)) = document.pointer_mut(&place) {
            let members = std::mem::take(object);
            *object = Map::from_iter(members.into_iter().map(|(old, value)| (name(&old), value)));
        }
    }
}
