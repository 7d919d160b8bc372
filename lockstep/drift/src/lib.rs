//! Classifies the changes of an OpenAPI document: a compatible one keeps clients of the old
//! document working with a service of the new one, a breaking one does not.
//!
//! The crate `drift` compares operations, parameters, bodies, statuses and schemas. This crate
//! judges the differences of schemas keyword by keyword (`schema`), and compares what `drift` does
//! not: media types, headers, security, names (`operation`). Then both documents are walked once
//! more (`unexplained`): any other difference counts as breaking.

mod affected;
mod normalize;
mod operation;
mod schema;
mod unexplained;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use drift::{ChangeClass, ChangeComparison, ChangeDetails, ChangeInfo, ChangePath};
use openapi_lockstep::Document;
use serde_json::{Map, Value};

/// A difference between two documents.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Change {
    /// True if a client of the old document may fail.
    pub is_breaking: bool,
    /// JSON Pointer into the new document, or into the old one if the new one lacks the place.
    pub pointer: String,
    /// Description of the change, for people.
    pub what: String,
    /// The operationIds of the affected operations, in either document.
    pub operations: BTreeSet<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.is_breaking {
            true => "breaking",
            false => "compatible",
        };
        let operations: Vec<&str> = self.operations.iter().map(String::as_str).collect();
        write!(formatter, "{word} {}: {}", self.pointer, self.what)?;
        match operations.is_empty() {
            true => Ok(()),
            false => write!(formatter, " ({})", operations.join(", ")),
        }
    }
}

/// Returns every change from one document to another that a client may notice, the breaking ones
/// last. Descriptions, examples, extensions and the order of members are ignored.
///
/// # Errors
///
/// The crate `drift` cannot compare the documents.
pub fn changes(old: &Document, new: &Document) -> Result<Vec<Change>, String> {
    changes_of_json(&parse(old)?, &parse(new)?)
}

fn parse(document: &Document) -> Result<Value, String> {
    serde_json::from_str(&document.contract()).map_err(|error| error.to_string())
}

/// Changes found so far, each with the operations that it affects.
#[derive(Default)]
struct Changes(BTreeMap<(bool, String, String), BTreeSet<String>>);

impl Changes {
    fn add(
        &mut self,
        is_breaking: bool,
        pointer: impl Into<String>,
        what: impl Into<String>,
        operations: impl IntoIterator<Item = String>,
    ) {
        let key = (is_breaking, pointer.into(), what.into());
        self.0.entry(key).or_default().extend(operations);
    }
}

fn changes_of_json(old: &Value, new: &Value) -> Result<Vec<Change>, String> {
    let found = drift::compare(&normalize::lower(old), &normalize::lower(new));
    let mut changes = Changes::default();
    let mut compared = BTreeSet::new();
    for record in found.map_err(|error| format!("{error:#}"))? {
        // Every path of a record ends at the same two places.
        let Some(path) = record.paths.first() else {
            continue;
        };
        for info in &record.changes {
            let old_pointer = pointer(path.old.current_pointer(), &info.old_subpath);
            let new_pointer = pointer(path.new.current_pointer(), &info.new_subpath);
            let is_gone = info.details == ChangeDetails::Removed;
            let place = if is_gone { &old_pointer } else { &new_pointer };
            // drift does not report all of them: it visits each schema once.
            let mut operations = affected::operations(old, &old_pointer);
            operations.extend(affected::operations(new, &new_pointer));
            match (old.pointer(&old_pointer), new.pointer(&new_pointer)) {
                (Some(old), Some(new)) if schema::is_schema(old) && schema::is_schema(new) => {
                    let (is_input, is_output) = directions(&new_pointer, &record.paths);
                    compared.insert(new_pointer.clone());
                    schema::compare(old, new, is_input, is_output, &mut |is_breaking, what| {
                        changes.add(is_breaking, &new_pointer, what, operations.clone());
                    });
                }
                _ => {
                    if let Some(is_breaking) = is_breaking(info) {
                        changes.add(is_breaking, place, &info.message, operations);
                    }
                }
            }
        }
    }
    operation::compare(old, new, &mut changes);
    unexplained::tell(old, new, &compared, &mut changes);
    let changes = changes.0.into_iter();
    Ok(changes
        .map(|((is_breaking, pointer, what), operations)| Change {
            is_breaking,
            pointer,
            what,
            operations,
        })
        .collect())
}

/// Returns true if a change that `drift` reports outside of schemas is breaking; `None` if it does
/// not concern clients, or is reported elsewhere.
fn is_breaking(info: &ChangeInfo) -> Option<bool> {
    match info.class {
        ChangeClass::Trivial => None,
        // drift counts it as compatible; `operation` reports it as breaking.
        _ if info.message.ends_with("body parameter was removed") => None,
        ChangeClass::ForwardIncompatible => Some(false),
        _ => Some(true),
    }
}

/// Returns two flags: the schema is used in requests, and it is used in replies. Within an
/// operation the pointer decides, since one record of `drift` has the paths of all parts of the
/// operation.
fn directions<'a>(pointer: &str, paths: impl IntoIterator<Item = &'a ChangePath>) -> (bool, bool) {
    if pointer.starts_with("/paths/") {
        let is_output = pointer.split('/').nth(4) == Some("responses");
        return (!is_output, is_output);
    }
    let (mut is_input, mut is_output) = (false, false);
    for path in paths {
        is_input |= path.comparison == ChangeComparison::Input;
        is_output |= path.comparison == ChangeComparison::Output;
    }
    (is_input, is_output)
}

/// Converts `drift`'s base and subpath to a JSON Pointer.
fn pointer(base: &str, subpath: &str) -> String {
    let base = base.strip_prefix('#').unwrap_or(base);
    // drift's own word for it, right below an operation.
    match subpath.strip_prefix("request_body") {
        _ if subpath.is_empty() => base.to_owned(),
        Some(rest) if base.starts_with("/paths/") => format!("{base}/requestBody{rest}"),
        _ => format!("{base}/{subpath}"),
    }
}

/// The pointer of the member `name` of what stands at `pointer`.
fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The members of an object; empty for other values.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The names of its members.
fn names(value: &Value) -> BTreeSet<String> {
    members(value).map(|(name, _)| name.clone()).collect()
}

/// Follows a reference to a component. Returns the target and its pointer, or the value itself.
fn resolve<'a>(document: &'a Value, value: &'a Value, pointer: String) -> (&'a Value, String) {
    let reference = value["$ref"].as_str();
    let target = reference.and_then(|reference| reference.strip_prefix('#'));
    match target.and_then(|place| Some((document.pointer(place)?, place.to_owned()))) {
        Some(target) => target,
        None => (value, pointer),
    }
}

/// The examples of the README, to be compiled with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
