//! Refuses parts of a document that have no effect: unknown keywords, values that no request can
//! have.

mod keywords;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use utoipa::openapi::{ExternalDocs, Info, Server, Tag, security::SecurityRequirement};

use crate::{
    Diagnostic,
    pointers::{self, METHODS, UNCHECKED, join, last, members},
    source::Source,
};

/// Returns a diagnostic for everything in a normalized document that is not valid OpenAPI.
pub(crate) fn check(source: &Source) -> Vec<Diagnostic> {
    let mut checks = Checks {
        source,
        diagnostics: Vec::new(),
    };
    checks.document();
    checks.places();
    checks.body_credentials();
    for schema in pointers::schemas(&source.value) {
        checks.schema(&schema);
    }
    checks.diagnostics
}

struct Checks<'a> {
    source: &'a Source,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Checks<'a> {
    fn document(&mut self) {
        let document = &self.source.value;
        if !document.is_object() {
            return self.refuse("", "is not an OpenAPI document");
        }
        if document["openapi"] != "3.1.0" {
            self.refuse("/openapi", "only OpenAPI 3.0 and 3.1 are supported");
        }
        for place in ["/paths", "/components"] {
            if self.source.at(place).is_some_and(|it| !it.is_object()) {
                self.refuse(place, "is not an object");
            }
        }
        self.readable::<Info>("/info");
        for pointer in members(document, "/tags") {
            self.readable::<Tag>(&pointer);
        }
        for pointer in members(document, "/servers") {
            self.readable::<Server>(&pointer);
        }
        if document.get("externalDocs").is_some() {
            self.readable::<ExternalDocs>("/externalDocs");
        }
        let kinds = members(document, "/components").into_iter();
        // Security names its schemes without a reference.
        for kind in kinds.filter(|kind| last(kind) != "securitySchemes") {
            for pointer in members(document, &kind) {
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
                if !last(&pointer).bytes().all(is_plain) {
                    let reason =
                        "is not a valid component name: use only letters, digits, `.`, `_` and `-`";
                    self.refuse(&pointer, reason);
                }
            }
        }
    }

    /// Refuses keywords in the wrong place.
    fn places(&mut self) {
        let document = &self.source.value;
        self.only("", keywords::DOCUMENT);
        self.only("/components", keywords::COMPONENTS);
        for path in members(document, "/paths") {
            self.only(&path, &[&METHODS[..], &["servers", "$ref"]].concat());
        }
        self.security("/security");
        for operation in pointers::operations(document) {
            self.security(&join(&operation, "security"));
            for tag in members(document, &join(&operation, "tags")) {
                if !self.source.at(&tag).is_some_and(Value::is_string) {
                    self.refuse(&tag, "is not the name of a tag: write a string");
                }
            }
            if self
                .source
                .at(&join(&operation, "tags"))
                .is_none_or(|tags| !tags.is_array())
            {
                self.refuse(&operation, "has tags that are not a list of names");
            }
            for (name, least) in [("x-body-limit", 0.0), ("x-deadline", 0.001)] {
                let place = join(&operation, name);
                let number = self.source.at(&place).map(Value::as_f64);
                if number.is_some_and(|number| number.is_none_or(|number| number < least)) {
                    self.refuse(
                        &place,
                        "has to be a number: bytes for x-body-limit, seconds (at least 0.001) for x-deadline",
                    );
                }
            }
            let unchecked = join(&operation, UNCHECKED);
            if self
                .source
                .at(&unchecked)
                .is_some_and(|it| !it.is_boolean())
            {
                self.refuse(&unchecked, "has to be true or false");
            }
            self.only(&operation, keywords::OPERATION);
            self.only(&join(&operation, "requestBody"), keywords::REQUEST_BODY);
        }
        for body in members(document, "/components/requestBodies") {
            self.only(&body, keywords::REQUEST_BODY);
        }
        for parameter in pointers::parameters(document) {
            self.only(&parameter, keywords::PARAMETER);
        }
        for response in pointers::responses(document) {
            if last(&response).starts_with("x-") {
                continue;
            }
            self.only(&response, keywords::RESPONSE);
            for header in members(document, &join(&response, "headers")) {
                self.only(&header, keywords::HEADER);
            }
        }
        for content in pointers::contents(document) {
            for media_type in members(document, &content) {
                self.only(&media_type, keywords::MEDIA_TYPE);
            }
        }
    }

    fn security(&mut self, pointer: &str) {
        for requirement in members(&self.source.value, pointer) {
            self.readable::<SecurityRequirement>(&requirement);
        }
    }

    /// Refuses a body member that carries the key of a cookie if it cannot be removed from the
    /// body.
    fn body_credentials(&mut self) {
        let document = &self.source.value;
        let of_replies = reached(document, &pointers::responses(document));
        for schema in members(document, "/components/schemas") {
            let Some(name) = pointers::body_credential(document, &schema) else {
                continue;
            };
            let member = join(&join(&schema, "properties"), &name);
            let target = pointers::resolve(document, &member, "schemas");
            let is_text = self.source.at(&join(&target, "type")) == Some(&json!("string"));
            let required = members(document, &join(&schema, "required"));
            let is_required = required
                .iter()
                .any(|it| self.source.at(it) == Some(&json!(name)));
            if !is_text || is_required {
                let reason = "carries the cookie's key, so it has to be an optional string";
                self.refuse(&member, reason);
            }
            if of_replies.contains(&schema) {
                let reason = "carries the cookie's key, so its schema can be used for request bodies only, not for replies";
                self.refuse(&member, reason);
            }
        }
    }

    fn schema(&mut self, pointer: &str) {
        let schema = match self.source.at(pointer) {
            Some(Value::Object(schema)) => schema,
            Some(Value::Bool(_)) | None => return,
            Some(_) => return self.refuse(pointer, "is not a schema: write an object"),
        };
        self.only(pointer, keywords::SCHEMA);
        if let Some(Value::Array(values)) = schema.get("enum") {
            let place = join(pointer, "enum");
            if values.is_empty() {
                self.refuse(&place, "has no value");
            }
            for (index, value) in values.iter().enumerate() {
                if values[..index].contains(value) {
                    self.refuse(&format!("{place}/{index}"), "is a duplicate value");
                }
            }
        }
        self.meta(pointer, schema);
        self.limits(pointer);
        self.pattern(pointer, schema);
        self.required(pointer, schema);
    }

    /// Refuses keywords with invalid values.
    fn meta(&mut self, pointer: &str, schema: &Map<String, Value>) {
        // Inner schemas are checked separately.
        let inner = [
            "properties",
            "patternProperties",
            "additionalProperties",
            "items",
            "prefixItems",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "if",
            "then",
            "else",
            "$defs",
            "definitions",
            "default",
            "example",
            "examples",
            "const",
            "contentSchema",
            "propertyNames",
            "unevaluatedItems",
            "unevaluatedProperties",
            "contains",
            "dependentSchemas",
            "dependencies",
            "xml",
            "discriminator",
            "externalDocs",
            "nullable",
            "pattern",
        ];
        let own = schema
            .iter()
            .filter(|(keyword, _)| !inner.contains(&keyword.as_str()));
        let own = Map::from_iter(own.map(|(keyword, value)| (keyword.clone(), value.clone())));
        if let Err(error) = jsonschema::draft202012::meta::validate(&Value::Object(own)) {
            let place = format!("{pointer}{}", error.instance_path());
            self.refuse(&place, format!("is not valid JSON Schema: {error}"));
        }
    }

    /// Refuses contradictory limits.
    fn limits(&mut self, pointer: &str) {
        for (least, most) in [
            ("minItems", "maxItems"),
            ("minLength", "maxLength"),
            ("minimum", "maximum"),
            ("minProperties", "maxProperties"),
        ] {
            let number = |name| self.source.at(&join(pointer, name)).and_then(Value::as_f64);
            if let (Some(from), Some(to)) = (number(least), number(most))
                && from > to
            {
                let reason = format!("is below {least}, so no value is valid");
                self.refuse(&join(pointer, most), reason);
            }
        }
    }

    fn pattern(&mut self, pointer: &str, schema: &Map<String, Value>) {
        let Some(Value::String(text)) = schema.get("pattern") else {
            return;
        };
        let compiled = jsonschema::options().build(&json!({ "pattern": text }));
        let is_ecmascript = jsonschema::options()
            .should_validate_formats(true)
            .build(&json!({ "format": "regex" }))
            .is_ok_and(|format| format.is_valid(&Value::String(text.to_owned())));
        if compiled.is_err() || !is_ecmascript || text.contains("\\b") {
            self.refuse(
                &join(pointer, "pattern"),
                "is not a pattern that means the same in ECMAScript and in Rust's regular expressions",
            );
        }
    }

    /// Refuses a required member that a closed object cannot have.
    fn required(&mut self, pointer: &str, schema: &Map<String, Value>) {
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        let is_composed = ["allOf", "anyOf", "oneOf"]
            .iter()
            .any(|it| schema.contains_key(*it));
        let has_patterns = schema.contains_key("patternProperties");
        if !is_closed || is_composed || has_patterns {
            return;
        }
        for required in members(&self.source.value, &join(pointer, "required")) {
            let name = self.source.at(&required).and_then(Value::as_str);
            let properties = join(pointer, "properties");
            if name.is_some_and(|name| self.source.at(&join(&properties, name)).is_none()) {
                self.refuse(&required, "is not a property of this object");
            }
        }
    }

    /// Refuses every keyword that is neither known nor an extension.
    fn only(&mut self, pointer: &str, known: &[&str]) {
        let object = self.source.at(pointer).and_then(Value::as_object);
        let keywords = object.into_iter().flat_map(Map::keys);
        let is_known =
            |keyword: &&String| known.contains(&keyword.as_str()) || keyword.starts_with("x-");
        let unknown: Vec<&String> = keywords.filter(|keyword| !is_known(keyword)).collect();
        for keyword in unknown {
            let reason = format!("{keyword} is not an OpenAPI keyword here");
            self.refuse(&join(pointer, keyword), reason);
        }
    }

    /// Refuses values that utoipa's model cannot read.
    fn readable<T: serde::de::DeserializeOwned>(&mut self, pointer: &str) {
        let value = self.source.at(pointer).cloned().unwrap_or_default();
        if let Err(error) = serde_json::from_value::<T>(value) {
            self.refuse(pointer, format!("is not valid OpenAPI: {error}"));
        }
    }

    fn refuse(&mut self, pointer: &str, reason: impl Into<String>) {
        self.diagnostics
            .push(self.source.diagnostic(pointer, reason));
    }
}

/// The components that these places refer to, directly or through other components.
fn reached(document: &Value, places: &[String]) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Value> = places
        .iter()
        .filter_map(|it| document.pointer(it))
        .collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                open.extend(object.values());
                let reference = object.get("$ref").and_then(Value::as_str);
                let target = reference.and_then(|it| it.strip_prefix('#'));
                if let Some(target) = target
                    && let Some(meant) = document.pointer(target)
                    && reached.insert(target.to_owned())
                {
                    open.push(meant);
                }
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    reached
}
