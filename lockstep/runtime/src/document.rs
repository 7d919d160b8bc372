//! The OpenAPI document as JSON.

use std::fmt;

use serde_json::{Map, Value, json};

/// A document that cannot be used as a contract; openapi-lockstep refuses such documents.
#[derive(Debug)]
pub struct ContractError(String);

impl ContractError {
    pub(crate) fn new(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the OpenAPI document cannot be used: {}", self.0)
    }
}

impl std::error::Error for ContractError {}

/// The components that a schema refers to, directly or through other components.
pub(crate) fn referenced(document: &Value, schema: &Value) -> Value {
    let mut components = Map::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                open.extend(object.values());
                let reference = object.get("$ref").and_then(Value::as_str);
                let pointer = reference.and_then(|it| it.strip_prefix("#/components/"));
                let Some((kind, rest)) = pointer.and_then(|it| it.split_once('/')) else {
                    continue;
                };
                let name = rest.split('/').next().unwrap_or_default();
                let name = name.replace("~1", "/").replace("~0", "~");
                let named = components.entry(kind).or_insert_with(|| json!({}));
                let component = &document["components"][kind][&name];
                if let Value::Object(named) = named
                    && !named.contains_key(&name)
                {
                    named.insert(name, component.clone());
                    open.push(component);
                }
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    Value::Object(components)
}

/// The path of the first server's URL, its variables with their defaults.
pub(crate) fn base_path(document: &Value) -> String {
    let server = &document["servers"][0];
    let mut url = server["url"].as_str().unwrap_or_default().to_owned();
    for (name, variable) in members(&server["variables"]) {
        let default = variable["default"].as_str().unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), default);
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |start| &rest[start..]),
        None => url.as_str(),
    };
    path.trim_end_matches('/').to_owned()
}

/// Follows a reference within the document, if there is one.
pub(crate) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"]
        .as_str()
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
        .unwrap_or(value)
}

pub(crate) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
