//! What a document may say so that no generator loses any of it.
//!
//! The rules are a list of what is taken; everything else is refused where it stands.

mod names;
mod operation;
mod problem;
mod schema;

pub(crate) use operation::shared_responses;

use std::collections::{BTreeSet, HashMap};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::openapi::{Info, RefOr, Server, Tag, path, security};

use crate::{
    Refusal,
    pointers::{self, METHODS, join, last},
    source::Source,
};

/// A walk over a document that collects the refusals.
pub(crate) struct Rules<'a> {
    source: &'a Source,
    refusals: Vec<Refusal>,
    /// The schemas with a name that requests are of, by pointer.
    of_requests: BTreeSet<String>,
    /// What serde could not read, by pointer.
    unreadable: Vec<(String, String)>,
}

impl<'a> Rules<'a> {
    /// Everything of the document that is not taken.
    pub(crate) fn check(source: &'a Source) -> Vec<Refusal> {
        let mut rules = Self {
            source,
            refusals: Vec::new(),
            of_requests: BTreeSet::new(),
            unreadable: Vec::new(),
        };
        rules.of_requests = rules.schemas_of_requests();
        rules.document();
        rules.report_unreadable();
        rules.refusals
    }

    fn document(&mut self) {
        self.only(
            "",
            &[
                "openapi",
                "info",
                "servers",
                "tags",
                "externalDocs",
                "security",
                "paths",
                "components",
            ],
        );
        if self.text("/openapi") != Some("3.1.0") {
            self.refuse("/openapi", "only 3.0 and 3.1 are read");
        }
        self.only(
            "/components",
            &["schemas", "responses", "requestBodies", "securitySchemes"],
        );
        self.component_names();
        for pointer in self.members("/components/securitySchemes") {
            self.security_scheme(&pointer);
        }
        for pointer in self.members("/components/schemas") {
            if self.is_reference(&pointer) {
                self.refuse(&pointer, "is another name for a schema: use the one");
            } else {
                self.schema(&pointer);
            }
        }
        for pointer in self.members("/components/requestBodies") {
            self.request_body(&pointer);
        }
        for pointer in self.members("/components/responses") {
            self.response(&pointer);
        }
        self.readable::<Info>("/info");
        self.servers();
        for pointer in self.members("/security") {
            self.readable::<security::SecurityRequirement>(&pointer);
        }
        for pointer in self.members("/tags") {
            self.readable::<Tag>(&pointer);
        }
        if self.members("/paths").is_empty() {
            self.refuse("/paths", "no path is there to serve");
        }
        let mut shapes = HashMap::new();
        for pointer in self.members("/paths") {
            self.path_item(&pointer);
            if let Some(other) = shapes.insert(shape(&last(&pointer)), pointer.clone()) {
                self.refuse(&pointer, format!("is the same path as {other}"));
            }
        }
        self.shared_responses();
        self.security();
        self.problem();
        self.names();
        self.cycles();
    }

    /// Refuses a name that OpenAPI allows no component: a reference could not say it as it stands.
    fn component_names(&mut self) {
        for kind in self.members("/components") {
            for pointer in self.members(&kind) {
                if !is_component_name(&last(&pointer)) {
                    self.refuse(
                        &pointer,
                        "the name of a component has only letters, digits, `.`, `_` and `-`",
                    );
                }
            }
        }
    }

    /// Refuses a server whose URL has a path: the generated routes are those of the paths alone.
    fn servers(&mut self) {
        for pointer in self.members("/servers") {
            self.readable::<Server>(&pointer);
            let url = self.text(&join(&pointer, "url")).unwrap_or_default();
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            let path = rest.find('/').map_or("", |start| &rest[start..]);
            if !matches!(path, "" | "/") || url.contains('{') {
                self.refuse(
                    &pointer,
                    "a server's URL has neither variables nor a path of its own: write the path into the paths",
                );
            }
        }
    }

    fn path_item(&mut self, pointer: &str) {
        self.readable::<path::PathItem>(pointer);
        self.only(pointer, &METHODS);
        let path = last(pointer);
        let is_plain = path.strip_prefix('/').is_some_and(|rest| {
            rest.is_empty() || rest.split('/').all(|segment| !segment.is_empty())
        });
        if !is_plain || path.contains([':', '*', '<']) {
            self.refuse(
                pointer,
                "a path begins with /, does not end with it, and has neither :, * nor <, which mean something to poem",
            );
        }
        if path.contains(['?', '#', '\\']) || path.contains(char::is_control) {
            self.refuse(
                pointer,
                "no request has a path with ?, #, \\ or a control character: write a query as parameters",
            );
        }
        for method in METHODS {
            let operation = join(pointer, method);
            if self.source.at(&operation).is_some() {
                self.operation(&operation);
            }
        }
    }

    fn security_scheme(&mut self, pointer: &str) {
        self.readable::<security::SecurityScheme>(pointer);
        let kind = self.text(&join(pointer, "type"));
        let scheme = self.text(&join(pointer, "scheme"));
        let place = self.text(&join(pointer, "in"));
        match (kind, scheme, place) {
            (Some("http"), Some("bearer"), None) => {
                self.only(pointer, &["type", "scheme", "bearerFormat", "description"]);
            }
            (Some("apiKey"), None, Some("cookie")) => {
                self.only(pointer, &["type", "in", "name", "description"]);
                let name = join(pointer, "name");
                // RFC 6265 has a token there, as the name of a header is one.
                if http::HeaderName::try_from(self.text(&name).unwrap_or_default()).is_err() {
                    self.refuse(
                        &name,
                        "a cookie's name has letters, digits and !#$%&'*+-.^_`|~ only",
                    );
                }
            }
            _ => self.refuse(
                pointer,
                "only http bearer and apiKey in a cookie are supported",
            ),
        }
    }

    fn refuse(&mut self, pointer: &str, reason: impl Into<String>) {
        self.refusals.push(self.source.refusal(pointer, reason));
    }

    /// Refuses every keyword that is neither `allowed` nor an extension.
    fn only(&mut self, pointer: &str, allowed: &[&str]) {
        let keywords: Vec<String> = self
            .object(pointer)
            .into_iter()
            .flat_map(Map::keys)
            .filter(|keyword| !allowed.contains(&keyword.as_str()) && !keyword.starts_with("x-"))
            .cloned()
            .collect();
        for keyword in keywords {
            let reason = match keyword.as_str() {
                "const" => "const is not supported: write an enum of one value".to_owned(),
                "allOf" | "anyOf" | "oneOf" | "not" => {
                    format!("{keyword} is not supported: write one schema out")
                }
                _ => format!("{keyword} is not supported here"),
            };
            self.refuse(&join(pointer, &keyword), reason);
        }
    }

    /// Notes what utoipa's model cannot take at `pointer`.
    fn readable<T: DeserializeOwned>(&mut self, pointer: &str) {
        let value = self.source.at(pointer).cloned().unwrap_or_default();
        if let Err(error) = serde_json::from_value::<T>(value) {
            self.unreadable
                .push((pointer.to_owned(), error.to_string()));
        }
    }

    /// Refuses the innermost of what could not be read, unless a rule said already why.
    fn report_unreadable(&mut self) {
        let unreadable = std::mem::take(&mut self.unreadable);
        let is_inside = |inner: &str, outer: &str| inner.starts_with(&format!("{outer}/"));
        for (pointer, error) in &unreadable {
            let has_inner = unreadable
                .iter()
                .any(|(inner, _)| is_inside(inner, pointer));
            let is_told = self.refusals.iter().any(|refusal| {
                let parent = refusal
                    .pointer
                    .rfind('/')
                    .map(|end| &refusal.pointer[..end]);
                refusal.pointer == *pointer || parent == Some(pointer)
            });
            if !has_inner && !is_told {
                self.refuse(pointer, format!("is not as OpenAPI has it: {error}"));
            }
        }
    }

    /// The name of the component that a reference at `pointer` names, if it is one.
    ///
    /// Refuses a reference that has siblings or that names nothing under `components/<kind>`.
    fn reference(&mut self, pointer: &str, kind: &str) -> Option<String> {
        let reference = self.text(&join(pointer, "$ref"))?;
        self.only(pointer, &["$ref"]);
        let name = reference.strip_prefix(&format!("#/components/{kind}/"));
        let is_there = |name: &&str| {
            let component = format!("/components/{kind}/{name}");
            !name.contains('/') && self.source.at(&component).is_some()
        };
        match name.filter(is_there) {
            Some(name) => Some(name.to_owned()),
            None => {
                self.refuse(
                    &join(pointer, "$ref"),
                    format!("names nothing: write #/components/{kind}/ and a name from there"),
                );
                None
            }
        }
    }

    fn object(&self, pointer: &str) -> Option<&'a Map<String, Value>> {
        self.source.at(pointer)?.as_object()
    }

    fn text(&self, pointer: &str) -> Option<&'a str> {
        self.source.at(pointer)?.as_str()
    }

    fn members(&self, pointer: &str) -> Vec<String> {
        pointers::members(&self.source.value, pointer)
    }

    fn operations(&self) -> Vec<String> {
        pointers::operations(&self.source.value)
    }

    fn resolve(&self, pointer: &str, kind: &str) -> String {
        pointers::resolve(&self.source.value, pointer, kind)
    }

    fn alternatives(&self, operation: &str) -> Vec<String> {
        pointers::alternatives(&self.source.value, operation)
    }

    fn content_schemas(&self, pointer: &str) -> Vec<String> {
        pointers::content_schemas(&self.source.value, pointer)
    }
}

/// Whether OpenAPI lets a component have this name.
fn is_component_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.bytes().all(is_plain)
}

/// A path without the names of its parameters, which do not tell two paths apart.
fn shape(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            "{}"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}
