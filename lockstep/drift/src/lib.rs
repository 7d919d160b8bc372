//! Says what a change of an OpenAPI document means to the clients that are there: whether one
//! written for the old document still works with a service of the new one.
//!
//! The crate `drift` walks both documents and says where operations, parameters, bodies, statuses
//! and schemas differ and which operations that reaches. What a difference of a schema means is
//! decided here, keyword by keyword (`schema`), and so is what `drift` does not look at: media
//! types, headers, security, names (`operation`). A difference that neither explains counts as
//! breaking.

mod notation;
mod operation;
mod reach;
mod schema;

use std::{collections::BTreeSet, fmt};

use drift::{ChangeClass, ChangeComparison, ChangeDetails};
use openapi_lockstep::Document;
use serde_json::Value;

/// A difference between two documents.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Change {
    /// Whether a client of the old document may fail.
    pub is_breaking: bool,
    /// Where it is: in the new document, or in the old one if it is gone there.
    pub pointer: String,
    /// What it is.
    pub what: String,
    /// The operationIds of those that it reaches, in either document.
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

/// Every change from one document to another that a client may notice, the breaking ones last.
/// Texts for people, examples and the order of members are none.
///
/// # Errors
///
/// The crate `drift` cannot compare the documents, and says why.
pub fn changes(old: &Document, new: &Document) -> Result<Vec<Change>, String> {
    changes_of_json(&parse(old)?, &parse(new)?)
}

fn parse(document: &Document) -> Result<Value, String> {
    serde_json::from_str(&document.json()).map_err(|error| error.to_string())
}

fn changes_of_json(old: &Value, new: &Value) -> Result<Vec<Change>, String> {
    let found = drift::compare(&notation::lower(old), &notation::lower(new));
    let mut changes = BTreeSet::new();
    for record in found.map_err(|error| format!("{error:#}"))? {
        let is_input = record
            .paths
            .iter()
            .any(|it| it.comparison == ChangeComparison::Input);
        let is_output = record
            .paths
            .iter()
            .any(|it| it.comparison == ChangeComparison::Output);
        // Every path of a record ends at the same two places.
        let Some(path) = record.paths.first() else {
            continue;
        };
        for info in &record.changes {
            let old_pointer = pointer(path.old.current_pointer(), &info.old_subpath);
            let new_pointer = pointer(path.new.current_pointer(), &info.new_subpath);
            let is_gone = info.details == ChangeDetails::Removed;
            let place = if is_gone { &old_pointer } else { &new_pointer };
            // drift knows not all of them: it walks each schema once.
            let mut operations = reach::operations(old, &old_pointer);
            operations.extend(reach::operations(new, &new_pointer));
            let mut add = |is_breaking: bool, what: String| {
                changes.insert(Change {
                    is_breaking,
                    pointer: place.clone(),
                    what,
                    operations: operations.clone(),
                });
            };
            match (old.pointer(&old_pointer), new.pointer(&new_pointer)) {
                (Some(old), Some(new)) if schema::is_schema(old) && schema::is_schema(new) => {
                    schema::compare(old, new, is_input, is_output, &mut add);
                }
                // A body that is no longer taken is refused.
                _ if is_input && is_gone => add(true, info.message.clone()),
                _ => {
                    let is_compatible = matches!(
                        info.class,
                        ChangeClass::ForwardIncompatible | ChangeClass::Trivial
                    );
                    // Texts for people are no change.
                    if info.class != ChangeClass::Trivial {
                        add(!is_compatible, info.message.clone());
                    }
                }
            }
        }
    }
    operation::compare(old, new, &mut changes);
    if changes.is_empty()
        && let Some(pointer) = notation::first_difference(old, new)
    {
        changes.insert(Change {
            is_breaking: true,
            pointer,
            what: "differs in a way that is not understood here".to_owned(),
            operations: BTreeSet::new(),
        });
    }
    Ok(changes.into_iter().collect())
}

/// The JSON Pointer of what `drift` calls by a base and the way from there.
fn pointer(base: &str, subpath: &str) -> String {
    let base = base.strip_prefix('#').unwrap_or(base);
    // drift's own word for it.
    let subpath = subpath.replacen("request_body", "requestBody", 1);
    match subpath.is_empty() {
        true => base.to_owned(),
        false => format!("{base}/{subpath}"),
    }
}

/// The pointer of the member `name` of what stands at `pointer`.
fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
