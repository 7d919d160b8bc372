//! Differences that neither the crate `drift` nor another module has explained. A client may depend
//! on them, so they count as breaking.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    Changes, affected, join, members, names, normalize::is_for_people, operation, resolve, schema,
};

/// Adds every difference that has not been compared yet. `compared` holds the pointers of the
/// compared schemas in the new document.
pub(crate) fn tell(old: &Value, new: &Value, compared: &BTreeSet<String>, changes: &mut Changes) {
    let mut walk = Walk {
        old,
        new,
        compared,
        changes,
    };
    walk.others(
        "",
        old,
        new,
        &[
            "openapi",
            "info",
            "tags",
            "servers",
            "security",
            "paths",
            "components",
        ],
    );
    for pair in operation::pairs(old, new) {
        walk.operation(&pair);
    }
    walk.schemas();
}

struct Walk<'a> {
    old: &'a Value,
    new: &'a Value,
    compared: &'a BTreeSet<String>,
    changes: &'a mut Changes,
}

impl Walk<'_> {
    fn tell(&mut self, pointer: &str, what: &str) {
        let mut operations = affected::operations(self.old, pointer);
        operations.extend(affected::operations(self.new, pointer));
        self.changes.add(true, pointer, what, operations);
    }

    /// Reports differing members that are not in `looked_at`.
    fn others(&mut self, pointer: &str, old: &Value, new: &Value, looked_at: &[&str]) {
        for name in names(old).union(&names(new)) {
            let is_known = looked_at.contains(&name.as_str()) || is_for_people(name);
            if !is_known && old[name] != new[name] {
                self.tell(
                    &join(pointer, name),
                    "differs in a way that cannot be classified",
                );
            }
        }
    }

    fn operation(&mut self, pair: &operation::Pair<'_>) {
        let (old, new) = (pair.was, pair.is);
        let pointer = &pair.pointer;
        let looked_at = [
            "operationId",
            "tags",
            "deprecated",
            "parameters",
            "requestBody",
            "responses",
            "security",
        ];
        self.others(pointer, old, new, &looked_at);
        for (pointer, old, new) in pair.parameters() {
            self.others(
                &pointer,
                old,
                new,
                &["name", "in", "required", "deprecated", "schema"],
            );
            self.schema(&join(&pointer, "schema"), &old["schema"], &new["schema"]);
        }
        if let Some((pointer, old, new)) = pair.both("requestBody") {
            self.others(&pointer, old, new, &["required", "content"]);
            self.contents(&pointer, old, new);
        }
        for (pointer, old, new) in pair.responses() {
            self.others(&pointer, old, new, &["headers", "content"]);
            self.contents(&pointer, old, new);
        }
    }

    fn contents(&mut self, pointer: &str, old: &Value, new: &Value) {
        for (media_type, old) in members(&old["content"]) {
            let new = &new["content"][media_type];
            if new.is_object() {
                let pointer = join(&join(pointer, "content"), media_type);
                self.others(&pointer, old, new, &["schema"]);
                self.schema(&join(&pointer, "schema"), &old["schema"], &new["schema"]);
            }
        }
    }

    /// Compares named schemas, for which clients have types of that name.
    fn schemas(&mut self) {
        for (name, old) in members(&self.old["components"]["schemas"]) {
            let pointer = join("/components/schemas", name);
            match &self.new["components"]["schemas"][name] {
                Value::Null if is_type(old) => {
                    self.tell(
                        &pointer,
                        "the schema is gone, and with it the clients' type of this name",
                    );
                }
                Value::Null => {}
                new => self.schema(&pointer, old, new),
            }
        }
    }

    fn schema(&mut self, pointer: &str, old: &Value, new: &Value) {
        let is_same = old["$ref"] == new["$ref"];
        if is_same && old["$ref"].is_string() {
            return;
        }
        let (old, _) = resolve(self.old, old, String::new());
        let (new, pointer) = resolve(self.new, new, pointer.to_owned());
        if !is_same && (is_type(old) || is_type(new)) {
            self.tell(&pointer, "replaces another type of the clients");
            return;
        }
        if own(old) != own(new) && !self.compared.contains(&pointer) {
            self.tell(&pointer, "differs in a way that cannot be classified");
        }
        for (name, old) in members(&old["properties"]) {
            let new = &new["properties"][name];
            if new.is_object() {
                self.schema(&join(&join(&pointer, "properties"), name), old, new);
            }
        }
        if old["items"].is_object() && new["items"].is_object() {
            self.schema(&join(&pointer, "items"), &old["items"], &new["items"]);
        }
    }
}

/// Returns true if clients have a type of their own for the schema, rather than a plain text or
/// number.
fn is_type(schema: &Value) -> bool {
    schema["properties"].is_object() || schema["enum"].is_array()
}

/// Returns the keywords of the schema itself, with lists sorted, so that their order does not
/// count. The contents of inner schemas are left out.
fn own(value: &Value) -> Value {
    let said = members(value).filter(|(name, _)| !is_for_people(name));
    said.map(|(name, value)| {
        let value = match name.as_str() {
            "items" => json!(true),
            "properties" => json!(names(value)),
            "required" | "enum" | "type" => json!(schema::texts_or_one(value)),
            _ => value.clone(),
        };
        (name.clone(), value)
    })
    .collect()
}
