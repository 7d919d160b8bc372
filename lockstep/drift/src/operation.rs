//! What of an operation the crate `drift` does not look at: its name, its security, the media
//! types, the headers of replies.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{Change, join, schema};

/// Compares every operation that both documents have.
pub(crate) fn compare(old: &Value, new: &Value, changes: &mut BTreeSet<Change>) {
    if old["servers"] != new["servers"] {
        changes.insert(Change {
            is_breaking: true,
            pointer: "/servers".to_owned(),
            what: "the servers are others".to_owned(),
            operations: BTreeSet::new(),
        });
    }
    for (path, item) in members(&old["paths"]) {
        let Some((new_path, new_item)) =
            members(&new["paths"]).find(|(other, _)| shape(other) == shape(path))
        else {
            continue;
        };
        for (method, was) in members(item) {
            let Some(is) = new_item.get(method) else {
                continue;
            };
            let pair = Pair {
                old,
                new,
                pointer: join(&join("/paths", new_path), method),
                id: was["operationId"].as_str().unwrap_or_default(),
            };
            if path != new_path {
                let what = format!("{path} became {new_path}");
                pair.tell(changes, true, "", what);
            }
            pair.name(is, changes);
            pair.security(was, is, changes);
            pair.media_types(was, is, changes);
            pair.replies(was, is, changes);
        }
    }
}

/// An operation of both documents.
struct Pair<'a> {
    old: &'a Value,
    new: &'a Value,
    pointer: String,
    id: &'a str,
}

impl Pair<'_> {
    fn tell(
        &self,
        changes: &mut BTreeSet<Change>,
        is_breaking: bool,
        place: &str,
        what: impl Into<String>,
    ) {
        changes.insert(Change {
            is_breaking,
            pointer: format!("{}{place}", self.pointer),
            what: what.into(),
            operations: BTreeSet::from([self.id.to_owned()]),
        });
    }

    /// The generated clients call it by its name.
    fn name(&self, is: &Value, changes: &mut BTreeSet<Change>) {
        if is["operationId"] != self.id {
            let what = format!("{} became {}", self.id, is["operationId"]);
            self.tell(changes, true, "/operationId", what);
        }
    }

    fn security(&self, was: &Value, is: &Value, changes: &mut BTreeSet<Change>) {
        let (was, is) = (choices(self.old, was), choices(self.new, is));
        if was.difference(&is).next().is_some() {
            let what = "a credential that was enough is so no longer";
            self.tell(changes, true, "/security", what);
        } else if was != is {
            self.tell(
                changes,
                false,
                "/security",
                "another credential is enough too",
            );
        }
    }

    fn media_types(&self, was: &Value, is: &Value, changes: &mut BTreeSet<Change>) {
        let was = resolve(self.old, &was["requestBody"]);
        let is = resolve(self.new, &is["requestBody"]);
        // drift tells of a body that is new or gone.
        if was.is_object() && is.is_object() {
            let (was, is) = (names(&was["content"]), names(&is["content"]));
            for name in was.difference(&is) {
                let what = format!("{name} is no longer taken");
                self.tell(changes, true, "/requestBody/content", what);
            }
            for name in is.difference(&was) {
                self.tell(
                    changes,
                    false,
                    "/requestBody/content",
                    format!("{name} is taken too"),
                );
            }
        }
    }

    fn replies(&self, was: &Value, is: &Value, changes: &mut BTreeSet<Change>) {
        for (status, was) in members(&was["responses"]) {
            let Some(is) = is["responses"].get(status) else {
                continue;
            };
            let place = join("/responses", status);
            let (was, is) = (resolve(self.old, was), resolve(self.new, is));
            if names(&was["content"]) != names(&is["content"]) {
                let what = "the reply is of another media type";
                self.tell(changes, true, &join(&place, "content"), what);
            }
            let place = join(&place, "headers");
            for (name, was) in members(&was["headers"]) {
                let place = join(&place, name);
                match is["headers"].get(name) {
                    None => self.tell(changes, true, &place, "the header is gone"),
                    Some(is) => schema::compare(
                        resolve(self.old, &was["schema"]),
                        resolve(self.new, &is["schema"]),
                        false,
                        true,
                        &mut |is_breaking, what| self.tell(changes, is_breaking, &place, what),
                    ),
                }
            }
            for name in names(&is["headers"]).difference(&names(&was["headers"])) {
                self.tell(changes, false, &join(&place, name), "the header is new");
            }
        }
    }
}

/// A path without the names of its parameters, which only the generated clients know.
fn shape(path: &str) -> Vec<&str> {
    let parts = path.split('/');
    parts
        .map(|part| if part.starts_with('{') { "{}" } else { part })
        .collect()
}

/// What is enough to be let in: each choice as the schemes that it needs, without their names.
fn choices(document: &Value, operation: &Value) -> BTreeSet<BTreeSet<String>> {
    let choices = operation.get("security").unwrap_or(&document["security"]);
    let choices = choices.as_array().cloned().unwrap_or_default();
    let needs = |choice: &Value| -> BTreeSet<String> {
        let schemes = members(choice).map(|(name, scopes)| {
            let mut scheme = document["components"]["securitySchemes"][name].clone();
            if let Some(scheme) = scheme.as_object_mut() {
                scheme.shift_remove("description");
            }
            format!("{scheme} {scopes}")
        });
        schemes.collect()
    };
    match choices.is_empty() {
        true => BTreeSet::from([BTreeSet::new()]),
        false => choices.iter().map(needs).collect(),
    }
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value["$ref"].as_str();
    let target = reference.and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    target.unwrap_or(value)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn names(value: &Value) -> BTreeSet<String> {
    members(value).map(|(name, _)| name.clone()).collect()
}
