//! Differences between two schemas, judged keyword by keyword.
//!
//! A request's schema has to accept whatever the old one accepted; a reply's must not allow
//! anything that the old one did not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::names;

/// Returns true if a value of a document is a schema, in place or by reference.
pub(crate) fn is_schema(value: &Value) -> bool {
    value.is_object()
        && ["in", "operationId", "content", "headers"]
            .iter()
            .all(|name| value.get(name).is_none())
        && ["type", "$ref", "properties", "items"]
            .iter()
            .any(|name| value.get(name).is_some())
}

/// Direction in which a keyword bounds values.
#[derive(Clone, Copy)]
enum Bound {
    Lower,
    Upper,
}

/// Reports each difference of the schemas themselves, but not of inner schemas.
pub(crate) fn compare(
    old: &Value,
    new: &Value,
    is_input: bool,
    is_output: bool,
    add: &mut impl FnMut(bool, String),
) {
    let mut tell = |what: String, takes_less: bool, allows_more: bool| {
        add(is_input && takes_less || is_output && allows_more, what);
    };
    let bounds = [
        ("minimum", Bound::Lower),
        ("exclusiveMinimum", Bound::Lower),
        ("minLength", Bound::Lower),
        ("minItems", Bound::Lower),
        ("maximum", Bound::Upper),
        ("exclusiveMaximum", Bound::Upper),
        ("maxLength", Bound::Upper),
        ("maxItems", Bound::Upper),
    ];
    for (name, bound) in bounds {
        if old[name] != new[name] {
            let (was, is) = (old[name].as_f64(), new[name].as_f64());
            let is_tighter = match (was, is, bound) {
                (None, _, _) => true,
                (Some(_), None, _) => false,
                (Some(was), Some(is), Bound::Lower) => is > was,
                (Some(was), Some(is), Bound::Upper) => is < was,
            };
            tell(became(name, old, new), is_tighter, !is_tighter);
        }
    }
    for name in ["pattern", "format", "multipleOf", "uniqueItems"] {
        if old[name] != new[name] {
            // Patterns are not compared: any change may match less and more.
            let (is_added, is_removed) = (old[name].is_null(), new[name].is_null());
            // Generated clients have special types for these.
            let is_type = ["int32", "password"]
                .iter()
                .any(|it| old[name] == *it || new[name] == *it);
            tell(
                became(name, old, new),
                is_type || !is_removed,
                is_type || !is_added,
            );
        }
    }
    // A changed default changes the meaning of a missing value.
    if old["default"] != new["default"] {
        tell(became("default", old, new), true, false);
    }
    // Clients ignore unknown members; a service refuses them.
    let name = "additionalProperties";
    if old[name] != new[name] {
        tell(became(name, old, new), new[name] == false, false);
    }
    if old["deprecated"] != new["deprecated"] {
        tell(became("deprecated", old, new), false, false);
    }
    sets(old, new, &mut tell);
    members(old, new, &mut tell);
}

/// Types and values.
fn sets(old: &Value, new: &Value, tell: &mut impl FnMut(String, bool, bool)) {
    let (was, is) = (types(&old["type"]), types(&new["type"]));
    if was != is {
        let what = became("type", old, new);
        tell(what, !was.is_subset(&is), !is.is_subset(&was));
    }
    let (was, is) = (texts(&old["enum"]), texts(&new["enum"]));
    match (old["enum"].is_null(), new["enum"].is_null()) {
        (true, true) => {}
        (true, false) => tell(became("enum", old, new), true, false),
        (false, true) => tell(became("enum", old, new), false, true),
        (false, false) => {
            for value in was.difference(&is) {
                tell(format!("the value {value} is gone"), true, false);
            }
            // Existing clients do not know the new value.
            for value in is.difference(&was) {
                tell(format!("the value {value} is new"), false, true);
            }
        }
    }
}

/// Properties and required properties.
fn members(old: &Value, new: &Value, tell: &mut impl FnMut(String, bool, bool)) {
    let (was, is) = (names(&old["properties"]), names(&new["properties"]));
    for name in was.difference(&is) {
        tell(format!("{name} is gone"), true, true);
    }
    for name in is.difference(&was) {
        tell(format!("{name} is new"), false, false);
    }
    let (was_required, is_required) = (texts(&old["required"]), texts(&new["required"]));
    for name in was_required.difference(&is_required) {
        if is.contains(name) {
            tell(format!("{name} is optional now"), false, true);
        }
    }
    for name in is_required.difference(&was_required) {
        tell(format!("{name} is required now"), true, false);
    }
}

fn became(name: &str, old: &Value, new: &Value) -> String {
    match (&old[name], &new[name]) {
        (Value::Null, new) => format!("{name} {new} is new"),
        (old, Value::Null) => format!("{name} {old} is gone"),
        (old, new) => format!("{name} {old} became {new}"),
    }
}

/// The accepted types: a number includes an integer.
fn types(value: &Value) -> BTreeSet<String> {
    let mut types = texts_or_one(value);
    if types.contains("number") {
        types.insert("integer".to_owned());
    }
    types
}

/// The texts of a list, or the only text.
pub(crate) fn texts_or_one(value: &Value) -> BTreeSet<String> {
    match value {
        Value::String(one) => BTreeSet::from([one.clone()]),
        several => texts(several),
    }
}

fn texts(value: &Value) -> BTreeSet<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .map(|item| {
            item.as_str()
                .map_or_else(|| item.to_string(), str::to_owned)
        })
        .collect()
}
