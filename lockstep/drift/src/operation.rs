//! Changes of an operation that the crate `drift` does not look at: its name, its security, the
//! media types, the headers of replies, deprecation.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Changes, join, members, names, resolve, schema};

/// Compares every operation that both documents have.
pub(crate) fn compare(old: &Value, new: &Value, changes: &mut Changes) {
    if old["servers"] != new["servers"] {
        changes.add(true, "/servers", "the servers have changed", []);
    }
    for pair in pairs(old, new) {
        let mut tell = |is_breaking: bool, pointer: &str, what: String| {
            changes.add(is_breaking, pointer, what, [pair.id.to_owned()]);
        };
        pair.name(&mut tell);
        pair.security(&mut tell);
        pair.deprecation(&mut tell);
        pair.body(&mut tell);
        pair.replies(&mut tell);
    }
}

/// An operation of both documents.
pub(crate) struct Pair<'a> {
    old: &'a Value,
    new: &'a Value,
    old_path: &'a str,
    new_path: &'a str,
    /// In the new document.
    pub(crate) pointer: String,
    /// Its name in the old one.
    id: &'a str,
    pub(crate) was: &'a Value,
    pub(crate) is: &'a Value,
}

/// A part of an operation: its pointer in the new document, as it was and as it is.
type Part<'a> = (String, &'a Value, &'a Value);

/// The operations that both documents have. Paths that differ only in the names of parameters are
/// the same.
pub(crate) fn pairs<'a>(old: &'a Value, new: &'a Value) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for (old_path, old_item) in members(&old["paths"]) {
        let same = |(path, _): &(&String, &Value)| shape(path) == shape(old_path);
        let Some((new_path, new_item)) = members(&new["paths"]).find(same) else {
            continue;
        };
        for (method, was) in members(old_item) {
            let is = &new_item[method];
            if let (Some(id), true) = (was["operationId"].as_str(), is.is_object()) {
                let pointer = join(&join("/paths", new_path), method);
                pairs.push(Pair {
                    old,
                    new,
                    old_path,
                    new_path,
                    pointer,
                    id,
                    was,
                    is,
                });
            }
        }
    }
    pairs
}

impl<'a> Pair<'a> {
    /// A member that both have, without the references that it may stand behind.
    pub(crate) fn both(&self, name: &str) -> Option<Part<'a>> {
        self.part(&self.was[name], &self.is[name], join(&self.pointer, name))
    }

    /// The parameters that both have.
    pub(crate) fn parameters(&self) -> Vec<Part<'a>> {
        let parameters =
            |operation: &'a Value| operation["parameters"].as_array().into_iter().flatten();
        let place = join(&self.pointer, "parameters");
        let pairs = parameters(self.was).flat_map(|was| {
            let (known, _) = resolve(self.old, was, String::new());
            parameters(self.is).enumerate().filter_map({
                let place = &place;
                move |(index, is)| {
                    let part = self.part(was, is, format!("{place}/{index}"))?;
                    let is_same = ["name", "in"].iter().all(|it| known[it] == part.2[it]);
                    is_same.then_some(part)
                }
            })
        });
        pairs.collect()
    }

    /// The replies that both have.
    pub(crate) fn responses(&self) -> Vec<Part<'a>> {
        let place = join(&self.pointer, "responses");
        let statuses = members(&self.was["responses"]).filter_map(|(status, was)| {
            self.part(was, &self.is["responses"][status], join(&place, status))
        });
        statuses.collect()
    }

    fn part(&self, was: &'a Value, is: &'a Value, pointer: String) -> Option<Part<'a>> {
        let (was, _) = resolve(self.old, was, String::new());
        let (is, pointer) = resolve(self.new, is, pointer);
        (was.is_object() && is.is_object()).then_some((pointer, was, is))
    }

    /// Generated clients use the names of the operation and of its parameters.
    fn name(&self, tell: &mut impl FnMut(bool, &str, String)) {
        let (old_path, new_path) = (self.old_path, self.new_path);
        if old_path != new_path {
            tell(true, &self.pointer, format!("{old_path} became {new_path}"));
        }
        if self.is["operationId"] != self.id {
            let what = format!("{} became {}", self.id, self.is["operationId"]);
            tell(true, &join(&self.pointer, "operationId"), what);
        }
    }

    fn security(&self, tell: &mut impl FnMut(bool, &str, String)) {
        let (was, is) = (choices(self.old, self.was), choices(self.new, self.is));
        let pointer = match self.is.get("security") {
            Some(_) => join(&self.pointer, "security"),
            None => "/security".to_owned(),
        };
        let nothing = BTreeSet::new();
        // With an optional key, a client with another key is treated as anonymous.
        let is_enough = |old: &BTreeSet<String>| {
            is.contains(old) || is.iter().any(|it| *it != nothing && it.is_subset(old))
        };
        let needs_none = is == BTreeSet::from([nothing.clone()]);
        if !needs_none && !was.iter().all(is_enough) {
            let what = "a credential that was accepted no longer is";
            tell(true, &pointer, what.to_owned());
        } else if was != is {
            let what = "another credential is accepted too";
            tell(false, &pointer, what.to_owned());
        }
    }

    fn deprecation(&self, tell: &mut impl FnMut(bool, &str, String)) {
        let itself = (self.pointer.clone(), self.was, self.is);
        for (pointer, was, is) in [vec![itself], self.parameters()].concat() {
            if was["deprecated"] != is["deprecated"] {
                let what = match is["deprecated"] == true {
                    true => "is deprecated",
                    false => "is no longer deprecated",
                };
                tell(false, &join(&pointer, "deprecated"), what.to_owned());
            }
        }
    }

    fn body(&self, tell: &mut impl FnMut(bool, &str, String)) {
        let name = "requestBody";
        if self.was[name].is_object() && self.is[name].is_null() {
            let what = "the body is no longer accepted";
            tell(true, &join(&self.pointer, name), what.to_owned());
        }
        // drift reports a new body.
        let Some((pointer, was, is)) = self.both(name) else {
            return;
        };
        let (was, is) = (names(&was["content"]), names(&is["content"]));
        let pointer = join(&pointer, "content");
        for name in was.difference(&is) {
            tell(true, &pointer, format!("{name} is no longer accepted"));
        }
        for name in is.difference(&was) {
            tell(false, &pointer, format!("{name} is accepted too"));
        }
    }

    fn replies(&self, tell: &mut impl FnMut(bool, &str, String)) {
        for (pointer, was, is) in self.responses() {
            if names(&was["content"]) != names(&is["content"]) {
                let what = "the media types of the reply have changed";
                tell(true, &join(&pointer, "content"), what.to_owned());
            }
            let place = join(&pointer, "headers");
            for (name, was) in members(&was["headers"]) {
                let mut headers = members(&is["headers"]);
                let Some((name, is)) = headers.find(|(it, _)| it.eq_ignore_ascii_case(name)) else {
                    tell(true, &join(&place, name), "the header is gone".to_owned());
                    continue;
                };
                let Some((pointer, was, is)) = self.part(was, is, join(&place, name)) else {
                    continue;
                };
                schema::compare(
                    resolve(self.old, &was["schema"], String::new()).0,
                    resolve(self.new, &is["schema"], String::new()).0,
                    false,
                    true,
                    &mut |is_breaking, what| tell(is_breaking, &pointer, what),
                );
            }
            for (name, _) in members(&is["headers"]) {
                if !members(&was["headers"]).any(|(it, _)| it.eq_ignore_ascii_case(name)) {
                    tell(false, &join(&place, name), "the header is new".to_owned());
                }
            }
        }
    }
}

/// A path without the names of its parameters, which only generated clients use.
fn shape(path: &str) -> Vec<&str> {
    let parts = path.split('/');
    parts
        .map(|part| if part.starts_with('{') { "{}" } else { part })
        .collect()
}

/// Returns the alternatives of an operation's security, each as the schemes that it needs, with
/// their scopes and without their names.
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
