//! Operations that a part of a document belongs to.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::join;

/// The operationIds of the operations that a pointer is in, or that refer to the component that it
/// is in, be it over others.
pub(crate) fn operations(document: &Value, pointer: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let items = document["paths"].as_object().into_iter().flatten();
    for (path, item) in items {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Some(id) = operation["operationId"].as_str() else {
                continue;
            };
            let place = join(&join("/paths", path), method);
            let mut places = BTreeSet::from([place]);
            refer(document, operation, &mut places);
            if places.iter().any(|place| is_in(pointer, place)) {
                found.insert(id.to_owned());
            }
        }
    }
    found
}

/// Adds every component that a value refers to.
fn refer(document: &Value, value: &Value, places: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            if let Some(place) = reference.and_then(|it| it.strip_prefix('#'))
                && places.insert(place.to_owned())
                && let Some(target) = document.pointer(place)
            {
                refer(document, target, places);
            }
            members
                .values()
                .for_each(|value| refer(document, value, places));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| refer(document, value, places)),
        _ => {}
    }
}

fn is_in(pointer: &str, place: &str) -> bool {
    let rest = pointer.strip_prefix(place);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
