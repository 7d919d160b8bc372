//! Lowers the operations to the OpenAPI that progenitor supports.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Map, Value, json};

use super::{Writer, names::Names};
use crate::{
    api::{Group, Operation, Parameter, Payload, Place, placeholders},
    types::{Shape, Type},
};

/// Input of progenitor: a document, and the Rust types that its schemas stand for.
pub(super) struct Lowered {
    pub(super) document: Value,
    pub(super) types: Vec<(String, String)>,
}

impl Lowered {
    /// A reference to a schema that stands for a Rust type.
    fn schema(&mut self, kind: &TokenStream) -> Value {
        let kind = kind.to_string();
        let known = self.types.iter().position(|(_, known)| *known == kind);
        let number = known.unwrap_or_else(|| {
            self.types.push((format!("T{}", self.types.len()), kind));
            self.types.len() - 1
        });
        json!({ "$ref": format!("#/components/schemas/T{number}") })
    }
}

impl Writer<'_> {
    /// The document for the client, in which an operation has one success and one failure, or for
    /// the mock, in which it has no reply.
    pub(super) fn lower(&self, is_mock: bool) -> Lowered {
        let mut lowered = Lowered {
            document: Value::Null,
            types: Vec::new(),
        };
        let mut paths = Map::new();
        for (operation, names) in self.operations() {
            let path = self.path(operation, names);
            let value = self.operation(operation, names, is_mock, &mut lowered);
            let item = paths.entry(path).or_insert_with(|| json!({}));
            item[&operation.method] = value;
        }
        let schemas = lowered
            .types
            .iter()
            .map(|(name, _)| (name.clone(), json!({ "type": "object" })));
        let schemas = Map::from_iter(schemas);
        let api = &self.document.api;
        lowered.document = json!({
            "openapi": "3.0.3",
            "info": {
                "title": api.title,
                "version": api.version,
                "description": self.document.source.at("/info/description"),
            },
            "paths": paths,
            "components": { "schemas": schemas },
        });
        lowered
    }

    /// The path with the names that the parameters have in the code.
    fn path(&self, operation: &Operation, names: &Names) -> String {
        let mut path = operation.path.clone();
        for placeholder in placeholders(&operation.path).unwrap_or_default() {
            let mut parameters = operation.parameters.iter().zip(&names.parameters);
            let name = parameters.find_map(|(parameter, name)| {
                (parameter.place == Place::Path && parameter.wire == placeholder).then_some(name)
            });
            if let Some(name) = name {
                path = path.replace(&format!("{{{placeholder}}}"), &format!("{{{name}}}"));
            }
        }
        path
    }

    fn operation(
        &self,
        operation: &Operation,
        names: &Names,
        is_mock: bool,
        lowered: &mut Lowered,
    ) -> Value {
        let mut value = json!({ "operationId": names.id });
        let described = describe(operation);
        for (name, text) in [("summary", &operation.summary), ("description", &described)] {
            if !text.is_empty() {
                value[name] = json!(text);
            }
        }
        let parameters = operation.parameters.iter().zip(&names.parameters);
        let parameters =
            parameters.map(|(parameter, name)| self.parameter(parameter, name, lowered));
        value["parameters"] = parameters.collect();
        if let Some(body) = self.body(operation, lowered) {
            value["requestBody"] = body;
        }
        value["responses"] = match is_mock {
            // Without this, progenitor would add one.
            true => json!({ "200": { "description": "" } }),
            false => {
                let (success, failure) = self.result(operation, names);
                let mut responses = Map::new();
                for (key, kind) in [("2XX", success), ("4XX", failure)] {
                    let response = match kind.to_string().as_str() {
                        "()" => json!({ "description": "" }),
                        "ByteStream" => json!({
                            "description": "",
                            "content": { "application/octet-stream": {} },
                        }),
                        _ => json!({
                            "description": "",
                            "content": { "application/json": { "schema": lowered.schema(&kind) } },
                        }),
                    };
                    responses.insert(key.to_owned(), response);
                }
                Value::Object(responses)
            }
        };
        value
    }

    fn parameter(&self, parameter: &Parameter, name: &str, lowered: &mut Lowered) -> Value {
        let place = match parameter.place {
            // progenitor does not support cookies.
            Place::Cookie => "header",
            place => place.word(),
        };
        let mut value = json!({
            "name": name,
            "in": place,
            "required": parameter.required,
            "schema": self.schema(&parameter.kind, lowered),
        });
        if !parameter.description.is_empty() {
            value["description"] = json!(parameter.description);
        }
        value
    }

    /// The schema of a parameter: a scalar is one that progenitor knows.
    fn schema(&self, kind: &Type, lowered: &mut Lowered) -> Value {
        match kind {
            Type::Bool => json!({ "type": "boolean" }),
            Type::Integer("i32") => json!({ "type": "integer", "format": "int32" }),
            Type::Integer("i64") => json!({ "type": "integer", "format": "int64" }),
            Type::Float("f64") => json!({ "type": "number", "format": "double" }),
            Type::Text => json!({ "type": "string" }),
            Type::Named(id) => match &self.document.api.types[*id].shape {
                Shape::Alias(kind) => self.schema(kind, lowered),
                _ => lowered.schema(&self.kind(kind)),
            },
            kind => lowered.schema(&self.kind(kind)),
        }
    }

    /// The body, of the one media type that the client sends.
    fn body(&self, operation: &Operation, lowered: &mut Lowered) -> Option<Value> {
        let content = sent(operation)?;
        let (media_type, schema) = match &content.payload {
            Payload::Json(kind) => (
                "application/json",
                lowered.schema(&self.sent_kind(operation, kind)),
            ),
            Payload::Form(kind) => {
                let kind = self.sent_kind(operation, kind);
                ("application/x-www-form-urlencoded", lowered.schema(&kind))
            }
            Payload::Text => ("text/plain", json!({ "type": "string" })),
            Payload::Bytes | Payload::Multipart(_) => (
                "application/octet-stream",
                json!({ "type": "string", "format": "binary" }),
            ),
        };
        Some(json!({
            "required": true,
            "content": { media_type: { "schema": schema } },
        }))
    }

    /// The type of a body that may be left out.
    fn sent_kind(&self, operation: &Operation, kind: &Type) -> TokenStream {
        let kind = self.kind(kind);
        match operation.body.as_ref().is_some_and(|body| body.required) {
            true => kind,
            false => quote!(Option<#kind>),
        }
    }
}

/// The content that the client sends: JSON if possible.
pub(super) fn sent(operation: &Operation) -> Option<&crate::api::Content> {
    let body = operation.body.as_ref().filter(|body| body.is_read)?;
    let json = body
        .contents
        .iter()
        .find(|it| matches!(it.payload, Payload::Json(_)));
    json.or_else(|| body.contents.first())
}

/// The description of an operation with the headers of its replies, which are handed on untyped.
fn describe(operation: &Operation) -> String {
    let mut lines = Vec::new();
    let mut tell = |group: &Group| {
        for outcome in &group.outcomes {
            for header in &outcome.headers {
                let key = outcome.answer.key();
                let line = format!(
                    "- {key} `{}`: {}",
                    header.wire,
                    header.description.trim_end()
                );
                let line = line.trim_end_matches([':', ' ']).to_owned();
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
    };
    tell(&operation.outcomes.successes);
    tell(&operation.outcomes.failures);
    let mut description = operation.description.trim_end().to_owned();
    if !lines.is_empty() {
        if !description.is_empty() {
            description.push_str("\n\n");
        }
        description.push_str(&format!("Headers of the reply:\n{}", lines.join("\n")));
    }
    description
}
