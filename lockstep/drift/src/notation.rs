//! The document as the crate `drift` reads it: OpenAPI 3.0, of which it compares the shape.

use serde_json::{Map, Value, json};

use crate::join;

/// Says nothing to a program.
const FOR_PEOPLE: [&str; 6] = [
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "externalDocs",
];

/// The document with whatever `drift` does not read, or does not look at, moved to where it sees
/// that there is a difference.
///
/// All that a schema says besides its shape becomes an extension of it. All media types become
/// one, since `drift` gives up on documents where they differ.
pub(crate) fn lower(document: &Value) -> Value {
    let mut lowered = document.clone();
    lowered["openapi"] = json!("3.0.3");
    walk(&mut lowered);
    lowered
}

fn walk(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Object(content)) = members.get_mut("content") {
                *content = std::mem::take(content)
                    .into_iter()
                    .take(1)
                    .map(|(_, content)| ("application/json".to_owned(), content))
                    .collect();
            }
            if is_typed(members) {
                let mut said = Map::new();
                for (name, value) in std::mem::take(members) {
                    match name.as_str() {
                        "properties" | "items" | "$ref" => {
                            members.insert(name, value);
                        }
                        _ if FOR_PEOPLE.contains(&name.as_str()) => {}
                        _ => {
                            said.insert(name, value);
                        }
                    }
                }
                let shape = match (
                    members.contains_key("items"),
                    members.contains_key("properties"),
                ) {
                    (true, _) => "array",
                    (_, true) => "object",
                    _ => "string",
                };
                members.insert("type".to_owned(), json!(shape));
                // As a text, so that it is compared whole.
                members.insert("x-said".to_owned(), json!(Value::Object(said).to_string()));
            }
            members.values_mut().for_each(walk);
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        _ => {}
    }
}

/// Whether it is a schema that says a type: a scheme of security has no other than these.
fn is_typed(members: &Map<String, Value>) -> bool {
    let names = [
        "string", "integer", "number", "boolean", "array", "object", "null",
    ];
    let is_name = |it: &Value| it.as_str().is_some_and(|it| names.contains(&it));
    match members.get("type") {
        Some(Value::Array(types)) => types.iter().all(is_name),
        Some(kind) => is_name(kind),
        None => false,
    }
}

/// The first place where two documents differ in more than texts for people.
pub(crate) fn first_difference(old: &Value, new: &Value) -> Option<String> {
    fn find(old: &Value, new: &Value, pointer: &str) -> Option<String> {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                let names = old.keys().chain(new.keys());
                let mut names = names.filter(|name| !is_for_people(name, old, new));
                names.find_map(|name| {
                    let pointer = join(pointer, name);
                    match (old.get(name), new.get(name)) {
                        (Some(old), Some(new)) => find(old, new, &pointer),
                        _ => Some(pointer),
                    }
                })
            }
            (Value::Array(old), Value::Array(new)) if old.len() == new.len() => old
                .iter()
                .zip(new)
                .enumerate()
                .find_map(|(index, (old, new))| find(old, new, &format!("{pointer}/{index}"))),
            _ => (old != new).then(|| pointer.to_owned()),
        }
    }
    let (mut old, mut new) = (old.clone(), new.clone());
    for document in [&mut old, &mut new] {
        // Who made the document and which version it is.
        if let Some(members) = document.as_object_mut() {
            members.shift_remove("info");
            members.shift_remove("tags");
        }
    }
    find(&old, &new, "")
}

fn is_for_people(name: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    let is_text = |members: &Map<String, Value>| {
        members
            .get(name)
            .is_none_or(|value| value["type"].is_null())
    };
    FOR_PEOPLE.contains(&name) && is_text(old) && is_text(new)
}
