//! Lowers a document to the OpenAPI 3.0 that the crate `drift` compares.

use serde_json::{Map, Value, json};

/// Returns true if a member has no meaning for programs: a text, an example, or an extension.
pub(crate) fn is_for_people(name: &str) -> bool {
    let names = [
        "description",
        "summary",
        "title",
        "example",
        "examples",
        "externalDocs",
    ];
    names.contains(&name) || name.starts_with("x-")
}

/// Moves everything that `drift` ignores to places where it detects a difference.
///
/// All keywords of a schema besides its shape become an extension of it. All media types become
/// one, since `drift` gives up on documents where they differ.
pub(crate) fn lower(document: &Value) -> Value {
    let mut lowered = document.clone();
    lowered["openapi"] = json!("3.0.3");
    walk(&mut lowered);
    lowered
}

/// Lowers everything that is not a schema.
fn walk(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !name.starts_with("x-"));
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("content", Value::Object(content)) => {
                        *content = std::mem::take(content)
                            .into_iter()
                            .take(1)
                            .map(|(_, content)| ("application/json".to_owned(), content))
                            .collect();
                        content.values_mut().for_each(walk);
                    }
                    ("schema", member) => schema(member),
                    ("schemas", Value::Object(schemas)) => schemas.values_mut().for_each(schema),
                    (_, member) => walk(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        _ => {}
    }
}

fn schema(value: &mut Value) {
    let Some(members) = value.as_object_mut() else {
        return;
    };
    let mut said = Map::new();
    for (name, mut member) in std::mem::take(members) {
        match (name.as_str(), &mut member) {
            ("properties", Value::Object(properties)) => properties.values_mut().for_each(schema),
            ("items", items) => schema(items),
            ("$ref", _) => {}
            _ => {
                if !is_for_people(&name) {
                    said.insert(name, member);
                }
                continue;
            }
        }
        members.insert(name, member);
    }
    if members.contains_key("$ref") {
        return;
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
