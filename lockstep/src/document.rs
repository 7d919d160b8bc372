use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    Diagnostic,
    added::with_answers,
    api,
    api::Api,
    checks, documented, extensions,
    normalize::normalize,
    pointers::{self, METHODS, join, last, remove},
    source::Source,
};

/// Source of the answers that are given before a method is called: to a request that is not as
/// documented or lacks a credential, or when the service failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// The document: every operation has to document each of them, as a problem of RFC 9457.
    Documented,
    /// The generated server adds those that the document lacks, as problems of RFC 9457.
    #[default]
    Added,
}

/// Options for reading a document.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Source of the answers that are given before a method is called.
    pub answers: Answers,
    /// The operationIds of operations for which no code is written.
    pub without: &'a [&'a str],
}

/// An OpenAPI document that the generators can write out whole.
pub struct Document {
    pub(crate) file: String,
    /// As it was read, and with the answers that are added, in JSON.
    written: String,
    /// With its extensions written out.
    pub(crate) source: Source,
    pub(crate) api: Api,
    pub(crate) answers: Answers,
}

impl Document {
    /// The document as JSON, members in their order and numbers digit by digit, for the service's
    /// clients. It has the answers that [`Answers::Added`] adds.
    pub fn json(&self) -> String {
        self.written.clone()
    }

    /// The same with the extensions of lockstep written out in plain OpenAPI, for a server that
    /// checks requests against it, and for comparisons.
    pub fn contract(&self) -> String {
        self.source.value.to_string()
    }

    /// The version of what the document describes, `info.version`.
    pub fn version(&self) -> &str {
        &self.api.version
    }
}

/// Reads an OpenAPI document, 3.0 or 3.1, from its YAML or JSON text. `file` is its name in
/// diagnostics.
///
/// # Errors
///
/// A diagnostic for every place that is wrong or that the generated code cannot express, in the
/// order of the text.
pub fn read(file: &str, text: &str) -> Result<Document, Vec<Diagnostic>> {
    read_with(file, text, &Options::default())
}

/// The same with options.
///
/// # Errors
///
/// As for [`read`], and an operation in [`Options::without`] that does not exist.
pub fn read_with(
    file: &str,
    text: &str,
    options: &Options<'_>,
) -> Result<Document, Vec<Diagnostic>> {
    let answers = options.answers;
    let mut source = Source::parse(file, text)?;
    let written = match answers {
        Answers::Documented => source.json(&source.value),
        Answers::Added => source.json(&with_answers(&source.value)),
    };
    normalize(&mut source.value);
    let mut diagnostics = without(&mut source, options.without);
    diagnostics.extend(extensions::write_out(&mut source));
    diagnostics.extend(checks::check(&source));
    let (api, wrong) = api::read(&source);
    diagnostics.extend(wrong);
    if answers == Answers::Documented {
        diagnostics.extend(documented::check(&source, &api));
    }
    if diagnostics.is_empty() {
        return Ok(Document {
            file: file.to_owned(),
            written,
            source,
            api,
            answers,
        });
    }
    // A component is checked for each operation that refers to it: the set drops duplicates.
    let diagnostics: BTreeSet<Diagnostic> = diagnostics.into_iter().collect();
    Err(diagnostics.into_iter().collect())
}

/// The operations of a document, whether accepted or not: the pointer and the operationId of each,
/// which is derived from method and path if it is missing.
///
/// # Errors
///
/// The text is neither YAML nor JSON.
pub fn operations(file: &str, text: &str) -> Result<Vec<(String, String)>, Vec<Diagnostic>> {
    let mut source = Source::parse(file, text)?;
    normalize(&mut source.value);
    let operations = pointers::operations(&source.value).into_iter();
    let named = operations.map(|pointer| {
        let id = source
            .at(&join(&pointer, "operationId"))
            .and_then(Value::as_str);
        let id = id.unwrap_or_default().to_owned();
        (pointer, id)
    });
    Ok(named.collect())
}

/// Leaves operations out. Returns a diagnostic for each that does not exist.
fn without(source: &mut Source, names: &[&str]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for name in names {
        let operations = pointers::operations(&source.value);
        let is_it = |pointer: &&String| {
            let id = source.at(&join(pointer, "operationId"));
            id.and_then(Value::as_str) == Some(name)
        };
        match operations
            .iter()
            .find(is_it)
            .and_then(|it| it.rsplit_once('/'))
        {
            Some((path, method)) => {
                remove(&mut source.value, path, method);
                if !METHODS
                    .iter()
                    .any(|it| source.at(&join(path, it)).is_some())
                {
                    remove(&mut source.value, "/paths", &last(path));
                }
            }
            None => {
                let reason = format!("has no operation {name} to leave out");
                diagnostics.push(source.diagnostic("/paths", reason));
            }
        }
    }
    diagnostics
}
