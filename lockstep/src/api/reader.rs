//! Reads a normalized document into its operations, and diagnostics for the parts that are not
//! supported.

mod contents;
mod parameters;
mod responses;
mod security;

use std::collections::{BTreeSet, HashMap};

use proc_macro2::Ident;
use serde_json::Value;

pub(crate) use contents::essence;
pub(crate) use parameters::placeholders;

use super::{Access, Answer, Api, Credential, Group, Operation, Outcome, Scheme, Tag};
use crate::{
    Diagnostic,
    names::{Scope, ident},
    pointers::{METHODS, UNCHECKED, join, last, members},
    source::Source,
    types::TypeReader,
};

/// Names that the generated server uses itself, so that nothing of a document gets them.
const SERVER: [&str; 30] = [
    "Arc",
    "Authenticate",
    "Box",
    "Default",
    "Described",
    "Err",
    "Failure",
    "From",
    "Future",
    "Given",
    "Into",
    "IntoResponse",
    "None",
    "Ok",
    "Option",
    "Presented",
    "Reject",
    "Rejection",
    "Reply",
    "Request",
    "Response",
    "Result",
    "Routes",
    "Secret",
    "Send",
    "Some",
    "String",
    "Sync",
    "T",
    "Vec",
];
/// Names that the generated server uses itself before `::` or as types, so that no module gets
/// them.
const MODULES: [&str; 28] = [
    "described",
    "schemas",
    "types",
    "openapi_lockstep_runtime",
    "poem",
    "poem_openapi",
    "serde",
    "serde_json",
    "std",
    "core",
    "alloc",
    "bool",
    "char",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "isize",
    "str",
    "u8",
    "u16",
    "u32",
    "u64",
    "usize",
    "uuid",
    "chrono",
];
/// Reads the operations of a document.
pub(crate) fn read(source: &Source) -> (Api, Vec<Diagnostic>) {
    let mut reader = Reader {
        source,
        types: TypeReader::new(&source.value),
        scope: Scope::new(SERVER),
        methods: Scope::new([
            "authenticate",
            "described",
            "problem",
            "reject",
            "routes",
            "spec",
            "types",
            "with_shared_failures",
        ]),
        modules: Scope::new(MODULES),
        diagnostics: Vec::new(),
        schemes: Vec::new(),
        credentials: Vec::new(),
    };
    let mut api = reader.api();
    let (types, wrong) = reader.types.finish();
    api.types = types;
    let mut diagnostics = reader.diagnostics;
    diagnostics.extend(
        wrong
            .iter()
            .map(|(pointer, reason)| source.diagnostic(pointer, reason)),
    );
    (api, diagnostics)
}

struct Reader<'a> {
    source: &'a Source,
    types: TypeReader<'a>,
    /// The identifiers of the server's traits and enums.
    scope: Scope,
    methods: Scope,
    /// The server's modules, beside its crates and the primitive types.
    modules: Scope,
    diagnostics: Vec<Diagnostic>,
    schemes: Vec<Scheme>,
    credentials: Vec<Credential>,
}

impl<'a> Reader<'a> {
    fn api(&mut self) -> Api {
        self.types.components();
        let tags: Vec<Tag> = self
            .members("/tags")
            .iter()
            .map(|it| self.tag(it))
            .collect();
        self.security_schemes();
        let says_something = ["/paths", "/components"]
            .iter()
            .any(|it| self.source.at(it).is_some());
        if !says_something {
            self.refuse("/paths", "has no paths");
        }
        let mut shapes = HashMap::new();
        let mut ids = HashMap::new();
        let mut operations = Vec::new();
        for path in self.members("/paths") {
            self.path(&path);
            if let Some(other) = shapes.insert(shape(&last(&path)), path.clone()) {
                self.refuse(&path, format!("is the same path as {other}"));
            }
            for method in METHODS {
                let pointer = join(&path, method);
                if self.source.at(&pointer).is_none() {
                    continue;
                }
                let operation = self.operation(pointer.clone(), &path, method, &tags);
                if let Some(other) = ids.insert(operation.id.clone(), pointer.clone()) {
                    let place = join(&pointer, "operationId");
                    self.refuse(&place, format!("is also the operationId of {other}"));
                }
                operations.push(operation);
            }
        }
        let shared = share(&mut operations, ident("Failure"));
        Api {
            title: self.text("/info/title"),
            version: self.text("/info/version"),
            tags,
            types: Vec::new(),
            schemes: std::mem::take(&mut self.schemes),
            credentials: std::mem::take(&mut self.credentials),
            operations,
            shared,
        }
    }

    fn tag(&mut self, pointer: &str) -> Tag {
        let name = self.text(&join(pointer, "name"));
        Tag {
            description: self.text(&join(pointer, "description")),
            module: self.modules.lower(&name),
            api: self.scope.upper(&format!("{name} api")),
            name,
        }
    }

    fn path(&mut self, pointer: &str) {
        let path = last(pointer);
        if !path.starts_with('/') {
            self.refuse(pointer, "does not begin with /");
        }
        if path.contains(['?', '#', '\\']) || path.contains(char::is_control) {
            self.refuse(
                pointer,
                "has ?, #, \\ or a control character, which no request path has: write a query as parameters",
            );
        }
        if placeholders(&path).is_none() {
            self.refuse(
                pointer,
                "has invalid parameters: write each once, as `{name}` within a segment, with text between two",
            );
        }
    }

    fn operation(&mut self, pointer: String, path: &str, method: &str, tags: &[Tag]) -> Operation {
        let id = self.text(&join(&pointer, "operationId"));
        let upper = self.scope.upper(&id);
        let lower = self.methods.lower(&id);
        let tag = self.text(&join(&join(&pointer, "tags"), "0"));
        let tag = tags
            .iter()
            .position(|it| it.name == tag)
            .unwrap_or_default();
        let parameters = self.parameters(&pointer, &last(path), &id);
        let arguments =
            (parameters.len() > 1).then(|| self.scope.upper(&format!("{id} parameters")));
        let (access, scopes) = self.access(&pointer);
        let body = self.body(&join(&pointer, "requestBody"), &id, access);
        let outcomes = self.outcomes(&pointer, &id);
        Operation {
            upper,
            lower,
            tag,
            method: method.to_owned(),
            path: last(path),
            summary: self.text(&join(&pointer, "summary")),
            description: self.text(&join(&pointer, "description")),
            deprecated: self.is_true(&join(&pointer, "deprecated")),
            parameters,
            arguments,
            is_unchecked: self.is_unchecked(&pointer, access),
            body,
            access,
            scopes,
            outcomes,
            shared: Vec::new(),
            id,
            pointer,
        }
    }

    /// Returns true if the operation has the extension that leaves the check of its requests to its
    /// method.
    fn is_unchecked(&mut self, operation: &str, access: Access) -> bool {
        let extension = join(operation, UNCHECKED);
        let is_unchecked = self.is_true(&extension);
        let parameters = self.members(&join(operation, "parameters"));
        let is_text = |parameter: &String| {
            let schema = join(parameter, "schema");
            let kind = self.source.at(&join(&schema, "type"));
            kind == Some(&Value::String("string".to_owned()))
        };
        if is_unchecked && (access != Access::Public || !parameters.iter().all(is_text)) {
            self.refuse(
                &extension,
                "belongs in an operation without security whose parameters are strings, since nothing is checked before its method",
            );
        }
        is_unchecked
    }

    /// Follows a reference at `pointer` to a component of this kind; returns `pointer` itself if
    /// there is none.
    fn follow(&mut self, pointer: &str, kind: &str) -> Option<String> {
        let mut place = pointer.to_owned();
        let mut seen = BTreeSet::new();
        loop {
            let reference = self
                .source
                .at(&join(&place, "$ref"))
                .and_then(Value::as_str);
            let Some(reference) = reference else {
                return Some(place);
            };
            let target = reference
                .strip_prefix('#')
                .filter(|it| self.source.at(it).is_some());
            match target {
                Some(target) if seen.insert(target.to_owned()) => place = target.to_owned(),
                _ => {
                    self.refuse(
                        &join(&place, "$ref"),
                        format!(
                            "does not exist: write #/components/{kind}/ and the name of a component"
                        ),
                    );
                    return None;
                }
            }
        }
    }

    fn refuse(&mut self, pointer: &str, reason: impl Into<String>) {
        self.diagnostics
            .push(self.source.diagnostic(pointer, reason));
    }

    fn members(&self, pointer: &str) -> Vec<String> {
        members(&self.source.value, pointer)
    }

    /// The string at `pointer`; empty if there is none.
    fn text(&self, pointer: &str) -> String {
        let text = self.source.at(pointer).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    fn is_true(&self, pointer: &str) -> bool {
        self.source.at(pointer) == Some(&Value::Bool(true))
    }
}

/// Moves the failures that every operation has into one group: those of a status whose media types
/// are the same everywhere. An operation that is not checked has fewer of them.
fn share(operations: &mut [Operation], name: Ident) -> Group {
    fn of(operation: &Operation, answer: Answer) -> Vec<&Outcome> {
        let failures = operation.outcomes.failures.outcomes.iter();
        failures.filter(|it| it.answer == answer).collect()
    }
    let are_all_unchecked = operations.iter().all(|it| it.is_unchecked);
    let checked: Vec<&Operation> = operations
        .iter()
        .filter(|it| are_all_unchecked || !it.is_unchecked)
        .collect();
    let is_everywhere = |first: &Operation, answer: Answer| {
        let ours = of(first, answer);
        checked.iter().all(|operation| {
            let theirs = of(operation, answer);
            let is_ours = |it: &&Outcome| ours.iter().any(|our| our.is_same(it));
            theirs.len() == ours.len() && theirs.iter().all(is_ours)
        })
    };
    let shared: Vec<Outcome> = checked.first().map_or(Vec::new(), |first| {
        let failures = first.outcomes.failures.outcomes.iter();
        let shared = failures.filter(|it| is_everywhere(first, it.answer));
        shared.cloned().collect()
    });
    for operation in operations {
        let failures = &mut operation.outcomes.failures.outcomes;
        failures.retain(|it| {
            let is_shared = shared.iter().any(|shared| shared.is_same(it));
            if is_shared {
                operation.shared.push(it.answer);
            }
            !is_shared
        });
    }
    Group {
        name,
        outcomes: shared,
    }
}

/// A path without the names of its parameters, which do not distinguish paths.
fn shape(path: &str) -> String {
    let mut shape = String::new();
    let mut is_inside = false;
    for letter in path.chars() {
        match letter {
            '{' => is_inside = true,
            '}' => is_inside = false,
            _ if is_inside => continue,
            _ => {}
        }
        shape.push(letter);
    }
    shape
}
