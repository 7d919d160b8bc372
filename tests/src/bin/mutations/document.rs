//! The mutants of a document: each is the document with one thing changed that a person might
//! change.

use serde_json::{Map, Value, json};

use crate::{Change, judge::DOCUMENT};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Every mutant of every kind.
pub fn mutants(document: &Value) -> Vec<Change> {
    let mut mutants = Mutants {
        document,
        all: Vec::new(),
    };
    mutants.paths();
    for pointer in pointers(document, is_operation) {
        mutants.operation(&pointer);
    }
    for pointer in pointers(document, is_parameter) {
        mutants.parameter(&pointer);
    }
    for pointer in pointers(document, is_body) {
        mutants.body(&pointer);
    }
    for pointer in pointers(document, is_response) {
        mutants.response(&pointer);
    }
    for pointer in pointers(document, is_schema) {
        mutants.schema(&pointer);
    }
    mutants.extensions();
    mutants.security();
    mutants.all
}

struct Mutants<'a> {
    document: &'a Value,
    all: Vec<Change>,
}

impl Mutants<'_> {
    fn add(&mut self, kind: &'static str, edit: String, change: impl FnOnce(&mut Value)) {
        let mut document = self.document.clone();
        change(&mut document);
        if document != *self.document {
            self.all.push(Change {
                kind,
                edit,
                file: DOCUMENT,
                text: document.to_string(),
            });
        }
    }

    /// Changes what stands at a pointer.
    fn change(
        &mut self,
        kind: &'static str,
        pointer: &str,
        what: &str,
        change: impl FnOnce(&mut Value),
    ) {
        self.add(kind, format!("{pointer}: {what}"), |document| {
            if let Some(value) = document.pointer_mut(pointer) {
                change(value);
            }
        });
    }

    /// Changes a member, or sets it.
    fn set(&mut self, kind: &'static str, pointer: &str, name: &str, value: Value) {
        let what = format!("{name} becomes {value}");
        self.change(kind, pointer, &what, |object| object[name] = value);
    }

    fn remove(&mut self, kind: &'static str, pointer: &str, name: &str) {
        let what = format!("{name} is removed");
        self.change(kind, pointer, &what, |object| {
            if let Some(object) = object.as_object_mut() {
                object.shift_remove(name);
            }
        });
    }

    fn rename(&mut self, kind: &'static str, pointer: &str, name: &str, new: &str) {
        let what = format!("{name} becomes {new}");
        self.change(kind, pointer, &what, |object| rename(object, name, new));
    }

    fn paths(&mut self) {
        let paths = keys(&self.document["paths"]);
        for path in &paths {
            self.rename("path", "/paths", path, &path.replace("/1/", "/2/"));
            self.rename("path", "/paths", path, &format!("{path}s"));
            let item = join("/paths", path);
            for method in keys(&self.document["paths"][path]) {
                for other in METHODS {
                    if self.document["paths"][path][other].is_null() {
                        self.rename("method", &item, &method, other);
                    }
                }
                match self.document["paths"][path].as_object().map(Map::len) {
                    Some(1) => self.remove("operation removed", "/paths", path),
                    _ => self.remove("operation removed", &item, &method),
                }
            }
        }
    }

    fn operation(&mut self, pointer: &str) {
        let operation = self.document.pointer(pointer).cloned().unwrap_or_default();
        let id = operation["operationId"].as_str().unwrap_or_default();
        let renamed = json!(format!("{id}Renamed"));
        self.set("operation renamed", pointer, "operationId", renamed);
        let tags = array(&self.document["tags"]).filter_map(|tag| tag["name"].as_str());
        for tag in tags.map(str::to_owned).collect::<Vec<_>>() {
            self.set("operation renamed", pointer, "tags", json!([tag]));
        }
        for security in [
            json!([]),
            json!([{ "sessionBearer": [] }]),
            json!([{ "sessionCookie": [] }]),
            json!([{ "sessionBearer": [] }, { "sessionCookie": [] }]),
            json!([{ "sessionBearer": [] }, { "sessionCookie": [] }, {}]),
        ] {
            let effective = operation.get("security");
            if *effective.unwrap_or(&self.document["security"]) != security {
                self.set("security", pointer, "security", security);
            }
        }
        let responses = join(pointer, "responses");
        for status in keys(&operation["responses"]) {
            let new = format!("{}", status.parse::<u16>().unwrap_or_default() + 10);
            self.rename("status renamed", &responses, &status, &new);
            self.remove("status removed", &responses, &status);
        }
        for (status, response) in [("404", "Forbidden"), ("409", "Conflict")] {
            if operation["responses"][status].is_null() {
                let response = json!({ "$ref": format!("#/components/responses/{response}") });
                self.set("status added", &responses, status, response);
            }
        }
        if operation["requestBody"].is_object() {
            self.remove("field removed", pointer, "requestBody");
        }
    }

    fn parameter(&mut self, pointer: &str) {
        let parameter = self.document.pointer(pointer).cloned().unwrap_or_default();
        let name = parameter["name"].as_str().unwrap_or_default();
        let renamed = format!("{name}_renamed");
        if parameter["in"] == "path" {
            // The path says the name, too.
            let edit = format!("{pointer}: name becomes {renamed}, also in its path");
            self.add("parameter renamed", edit, |document| {
                if let Some(parameter) = document.pointer_mut(pointer) {
                    parameter["name"] = json!(renamed);
                }
                let (old, new) = (format!("{{{name}}}"), format!("{{{renamed}}}"));
                for path in keys(&document["paths"]) {
                    if path.contains(&old) {
                        rename(&mut document["paths"], &path, &path.replace(&old, &new));
                    }
                }
            });
            self.set("parameter renamed", pointer, "in", json!("query"));
        } else {
            self.set("parameter renamed", pointer, "name", json!(renamed));
            self.set("parameter renamed", pointer, "in", json!("header"));
            self.set("parameter renamed", pointer, "in", json!("cookie"));
            let is_required = parameter["required"] == true;
            self.set("required", pointer, "required", json!(!is_required));
        }
        let (list, index) = split(pointer);
        let edit = format!("{pointer}: {name} is removed");
        self.add("parameter removed", edit, |document| {
            let list = document.pointer_mut(list).and_then(Value::as_array_mut);
            if let (Some(list), Ok(index)) = (list, index.parse()) {
                list.remove(index);
            }
        });
    }

    fn body(&mut self, pointer: &str) {
        let body = self.document.pointer(pointer).cloned().unwrap_or_default();
        let is_required = body["required"] == true;
        self.set("required", pointer, "required", json!(!is_required));
        self.media_types(pointer, "application/x-www-form-urlencoded");
    }

    fn media_types(&mut self, pointer: &str, other: &str) {
        let content = join(pointer, "content");
        let names = keys(self.document.pointer(&content).unwrap_or(&Value::Null));
        for name in &names {
            for new in [other, "application/xml", "text/plain", "application/json"] {
                if !names.iter().any(|name| name == new) {
                    self.rename("media type", &content, name, new);
                }
            }
            if names.len() > 1 {
                self.remove("media type", &content, name);
            }
        }
    }

    fn response(&mut self, pointer: &str) {
        self.media_types(pointer, "application/problem+json");
        let headers = join(pointer, "headers");
        for name in keys(self.document.pointer(&headers).unwrap_or(&Value::Null)) {
            self.rename("header renamed", &headers, &name, &format!("X-{name}"));
            self.remove("header removed", &headers, &name);
        }
    }

    fn schema(&mut self, pointer: &str) {
        let schema = self.document.pointer(pointer).cloned().unwrap_or_default();
        let kind = schema["type"].as_str().unwrap_or_default();
        let other_types: &[&str] = match kind {
            "string" => &["integer", "boolean"],
            "integer" => &["string", "number"],
            "array" => &["string"],
            "object" => &["string", "array"],
            _ => &[],
        };
        for other in other_types {
            self.set("type", pointer, "type", json!(other));
        }
        if matches!(kind, "string" | "integer" | "array") {
            self.set("nullable", pointer, "type", json!([kind, "null"]));
        }
        let formats: &[&str] = match (kind, &schema["enum"]) {
            ("string", Value::Null) => &["email", "uuid", "password", "date-time"],
            ("integer", _) => &["int32", "int64"],
            _ => &[],
        };
        for format in formats {
            self.set("format", pointer, "format", json!(format));
        }
        self.remove("format", pointer, "format");
        for name in ["minimum", "minLength", "maxLength"] {
            if let Some(limit) = schema[name].as_i64() {
                self.set("limit", pointer, name, json!(limit + 1));
                self.set("limit", pointer, name, json!(limit - 1));
                self.remove("limit", pointer, name);
            }
        }
        match kind {
            "integer" => self.set("limit", pointer, "maximum", json!(1)),
            "string" if schema["enum"].is_null() => {
                self.set("limit", pointer, "maxLength", json!(2));
                self.set("pattern", pointer, "pattern", json!("^x$"));
            }
            "array" => {
                self.set("limit", pointer, "minItems", json!(2));
                self.set("limit", pointer, "maxItems", json!(0));
            }
            _ => {}
        }
        if let Some(pattern) = schema["pattern"].as_str() {
            self.remove("pattern", pointer, "pattern");
            for (from, to) in [("{0,62}", "{0,61}"), ("{0,62}", "{0,63}"), ("{4}", "{5}")] {
                self.set(
                    "pattern",
                    pointer,
                    "pattern",
                    json!(pattern.replace(from, to)),
                );
            }
            self.set("pattern", pointer, "pattern", json!(format!("^x{pattern}")));
        }
        self.values(pointer, &schema);
        self.members(pointer, &schema);
    }

    fn values(&mut self, pointer: &str, schema: &Value) {
        let values = join(pointer, "enum");
        for (index, value) in array(&schema["enum"]).enumerate() {
            let name = value.as_str().unwrap_or_default();
            let what = format!("{name} becomes {name}_renamed");
            self.change("enum", &values, &what, |values| {
                values[index] = json!(format!("{name}_renamed"));
            });
            if array(&schema["enum"]).count() > 1 {
                let what = format!("{name} is removed");
                self.change("enum", &values, &what, |values| {
                    if let Some(values) = values.as_array_mut() {
                        values.remove(index);
                    }
                });
            }
        }
        if schema["enum"].is_array() {
            self.change("enum", &values, "added is added", |values| {
                if let Some(values) = values.as_array_mut() {
                    values.push(json!("added"));
                }
            });
            self.remove("enum", pointer, "enum");
        }
    }

    fn members(&mut self, pointer: &str, schema: &Value) {
        for name in keys(&schema["properties"]) {
            let renamed = format!("{name}_renamed");
            let is_required = array(&schema["required"]).any(|it| *it == json!(name));
            let what = format!("{name} becomes {renamed}");
            self.change("field renamed", pointer, &what, |schema| {
                rename(&mut schema["properties"], &name, &renamed);
                if let Some(required) = schema.get_mut("required") {
                    let names = required.as_array_mut().into_iter().flatten();
                    for required in names.filter(|required| **required == json!(name)) {
                        *required = json!(renamed);
                    }
                }
            });
            let what = format!("{name} is removed");
            self.change("field removed", pointer, &what, |schema| {
                if let Some(properties) = schema["properties"].as_object_mut() {
                    properties.shift_remove(&name);
                }
                forget(schema, &name);
            });
            let what = match is_required {
                true => format!("{name} becomes optional"),
                false => format!("{name} becomes required"),
            };
            self.change("required", pointer, &what, |schema| match is_required {
                true => forget(schema, &name),
                false => {
                    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
                    required.push(json!(name));
                    schema["required"] = json!(required);
                }
            });
            let property = join(&join(pointer, "properties"), &name);
            let is_reference = schema["properties"][&name]["$ref"].is_string();
            if !is_reference && schema["properties"][&name]["type"] != "array" {
                let default = match schema["properties"][&name]["type"] == "string" {
                    true => json!("a default"),
                    false => json!(1),
                };
                self.set("default", &property, "default", default);
            }
        }
        if schema["type"] == "object" {
            let is_open = schema["additionalProperties"] == true;
            self.remove("additional members", pointer, "additionalProperties");
            self.set(
                "additional members",
                pointer,
                "additionalProperties",
                json!(!is_open),
            );
            self.change("field added", pointer, "added is added", |schema| {
                schema["properties"]["added"] = json!({ "type": "string" });
            });
            self.change(
                "field added",
                pointer,
                "added is added, required",
                |schema| {
                    schema["properties"]["added"] = json!({ "type": "string" });
                    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
                    required.push(json!("added"));
                    schema["required"] = json!(required);
                },
            );
        }
        if matches!(schema["type"].as_str(), Some("string" | "integer")) && is_named(pointer) {
            let default = match (&schema["enum"][0], &schema["type"]) {
                (Value::Null, kind) if kind == "integer" => json!(1),
                (Value::Null, _) => json!("a"),
                (value, _) => value.clone(),
            };
            self.set("default", pointer, "default", default);
        }
    }

    fn extensions(&mut self) {
        self.remove("media type", "", "x-form-bodies");
        self.set("media type", "", "x-form-bodies", json!(false));
        for name in keys(&self.document["components"]["securitySchemes"]) {
            let pointer = join("/components/securitySchemes", &name);
            self.remove("security", &pointer, "x-body-member");
            if !self
                .document
                .pointer(&pointer)
                .is_some_and(|it| it["x-body-member"].is_null())
            {
                let member = json!({ "type": "string", "maxLength": 2 });
                self.set("security", &pointer, "x-body-member", member);
            }
        }
    }

    fn security(&mut self) {
        for index in 0..array(&self.document["security"]).count() {
            let what = format!("choice {index} is removed");
            self.change("security", "/security", &what, |choices| {
                if let Some(choices) = choices.as_array_mut() {
                    choices.remove(index);
                }
            });
        }
        self.change("security", "/security", "no key is allowed", |choices| {
            if let Some(choices) = choices.as_array_mut() {
                choices.push(json!({}));
            }
        });
        self.remove("security", "", "security");
        let schemes = "/components/securitySchemes";
        for name in keys(self.document.pointer(schemes).unwrap_or(&Value::Null)) {
            let pointer = join(schemes, &name);
            self.rename("security", schemes, &name, "renamed");
            self.set("security", &pointer, "type", json!("mutualTLS"));
            for (member, value) in [("scheme", "basic"), ("in", "header"), ("name", "session")] {
                let scheme = self.document.pointer(&pointer);
                if scheme.is_some_and(|scheme| scheme[member].is_string()) {
                    self.set("security", &pointer, member, json!(value));
                }
            }
        }
    }
}

/// The pointers of everything that is of a sort.
fn pointers(document: &Value, is_meant: fn(&str, &Value) -> bool) -> Vec<String> {
    fn walk(
        value: &Value,
        pointer: String,
        is_meant: fn(&str, &Value) -> bool,
        found: &mut Vec<String>,
    ) {
        let is_example = pointer.ends_with("/example") || pointer.ends_with("/examples");
        if is_example {
            return;
        }
        if is_meant(&pointer, value) {
            found.push(pointer.clone());
        }
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    walk(value, join(&pointer, name), is_meant, found);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    walk(value, format!("{pointer}/{index}"), is_meant, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(document, String::new(), is_meant, &mut found);
    found
}

fn is_operation(_: &str, value: &Value) -> bool {
    value["operationId"].is_string()
}

fn is_parameter(pointer: &str, value: &Value) -> bool {
    split(split(pointer).0).1 == "parameters" && value["name"].is_string()
}

fn is_body(pointer: &str, value: &Value) -> bool {
    let (parent, name) = split(pointer);
    (name == "requestBody" || split(parent).1 == "requestBodies") && value["content"].is_object()
}

fn is_response(pointer: &str, value: &Value) -> bool {
    split(split(pointer).0).1 == "responses" && value["content"].is_object()
}

fn is_schema(pointer: &str, value: &Value) -> bool {
    let (parent, name) = split(pointer);
    let is_inner = matches!(split(parent).1, "schemas" | "properties");
    (is_inner || matches!(name, "schema" | "items")) && value["type"].is_string()
}

/// Returns true if the pointer is that of a named schema.
fn is_named(pointer: &str) -> bool {
    split(pointer).0 == "/components/schemas"
}

/// A pointer's parent, and its last part.
fn split(pointer: &str) -> (&str, &str) {
    pointer.rsplit_once('/').unwrap_or((pointer, ""))
}

fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Gives a member another name in the same place.
fn rename(object: &mut Value, name: &str, new: &str) {
    if let Some(members) = object.as_object_mut() {
        *members = std::mem::take(members)
            .into_iter()
            .map(|(member, value)| match member == name {
                true => (new.to_owned(), value),
                false => (member, value),
            })
            .collect();
    }
}

/// No longer requires a member.
fn forget(schema: &mut Value, name: &str) {
    let required = schema.get_mut("required").and_then(Value::as_array_mut);
    if let Some(required) = required {
        required.retain(|it| *it != json!(name));
        if required.is_empty() {
            schema.as_object_mut().map(|it| it.shift_remove("required"));
        }
    }
}

fn keys(value: &Value) -> Vec<String> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, _)| name.clone()).collect()
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
