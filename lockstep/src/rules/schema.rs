//! Schemas.

use utoipa::openapi::Schema;

use super::*;

/// What a schema is, as far as Rust is concerned.
enum Kind {
    Object,
    Array,
    Enum,
    Scalar,
}

/// What is checked of a string; `password` only says that it is to be kept.
const STRING_FORMATS: [&str; 18] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "password",
    "regex",
    "time",
    "uri",
    "uri-reference",
    "uuid",
];

impl Rules<'_> {
    /// A schema under `components/schemas`, or one inside it.
    pub(super) fn schema(&mut self, pointer: &str) {
        self.readable::<RefOr<Schema>>(pointer);
        if self.reference(pointer, "schemas").is_some() || self.is_reference(pointer) {
            return;
        }
        match self.kind(pointer) {
            Some(Kind::Object) => self.object_schema(pointer),
            Some(Kind::Array) => self.array_schema(pointer),
            Some(Kind::Enum) => self.enum_schema(pointer),
            Some(Kind::Scalar) => self.scalar_schema(pointer),
            None => {}
        }
    }

    /// A schema that is a scalar in place or by reference: what a parameter or a header can carry.
    pub(super) fn scalar(&mut self, pointer: &str) {
        self.schema(pointer);
        let target = self.resolve(pointer, "schemas");
        let kind = self.text(&join(&target, "type"));
        let is_enum = self.source.at(&join(&target, "enum")).is_some();
        if is_enum || !matches!(kind, Some("string" | "integer")) {
            self.refuse(
                pointer,
                "only a string or an integer is supported here, no enum",
            );
        }
    }

    /// A reference to an object under `components/schemas`: what a body can be.
    pub(super) fn object_reference(&mut self, pointer: &str) {
        self.readable::<RefOr<Schema>>(pointer);
        match self.reference(pointer, "schemas") {
            Some(name) => {
                let target = format!("/components/schemas/{name}");
                if !matches!(self.kind(&target), Some(Kind::Object)) {
                    self.refuse(pointer, "a body has to be an object");
                }
            }
            None if self.is_reference(pointer) => {}
            None => self.refuse(
                pointer,
                "write the schema under components/schemas and refer to it, so that its type has a name",
            ),
        }
    }

    pub(super) fn is_reference(&self, pointer: &str) -> bool {
        self.source.at(&join(pointer, "$ref")).is_some()
    }

    /// The kind of a schema that is no reference; refuses a type that is none of them.
    fn kind(&mut self, pointer: &str) -> Option<Kind> {
        let place = join(pointer, "type");
        let kind = match self.source.at(&place) {
            Some(Value::String(kind)) => kind.as_str(),
            Some(Value::Array(kinds)) => match kinds.as_slice() {
                [Value::String(kind), Value::String(null)] if null == "null" => {
                    if is_component(pointer) {
                        self.refuse(
                            &place,
                            "say null where the schema is used, not where it is named",
                        );
                    }
                    kind
                }
                _ => {
                    self.refuse(
                        &place,
                        "several types are not supported, except [type, 'null']",
                    );
                    return None;
                }
            },
            Some(_) => return None,
            None => {
                self.refuse(pointer, "has no type");
                return None;
            }
        };
        match kind {
            "object" => Some(Kind::Object),
            "array" => Some(Kind::Array),
            "string" if self.source.at(&join(pointer, "enum")).is_some() => Some(Kind::Enum),
            "string" | "integer" | "number" | "boolean" => Some(Kind::Scalar),
            _ => {
                self.refuse(&place, format!("{kind} is no type that is supported"));
                None
            }
        }
    }

    fn object_schema(&mut self, pointer: &str) {
        if !is_component(pointer) {
            self.refuse(
                pointer,
                "write the object under components/schemas and refer to it, so that its type has a name",
            );
        }
        self.only(
            pointer,
            &[
                "type",
                "title",
                "description",
                "properties",
                "required",
                "additionalProperties",
                "deprecated",
                "example",
                "examples",
            ],
        );
        let openness = join(pointer, "additionalProperties");
        let is_of_requests = self.of_requests.contains(pointer);
        match self.source.at(&openness) {
            Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) if !is_of_requests => {}
            _ if is_of_requests => self.refuse(
                &openness,
                "has to be false: members that the document does not name would be lost",
            ),
            _ => self.refuse(
                &openness,
                "has to be true or false: generators disagree about what nothing means",
            ),
        }
        let properties = join(pointer, "properties");
        for property in self.members(&properties) {
            self.schema(&property);
            let required = self.is_required(pointer, &last(&property));
            let nullable = matches!(
                self.source.at(&join(&property, "type")),
                Some(Value::Array(_))
            );
            if nullable && !required {
                self.refuse(
                    &property,
                    "is optional and nullable, which Rust cannot tell apart: make it required, or not null",
                );
            }
        }
        for required in self.members(&join(pointer, "required")) {
            let named = self.text(&required).unwrap_or_default();
            if self.source.at(&join(&properties, named)).is_none() {
                self.refuse(&required, "names no property");
            }
        }
    }

    fn array_schema(&mut self, pointer: &str) {
        self.only(
            pointer,
            &[
                "type",
                "title",
                "description",
                "items",
                "minItems",
                "maxItems",
                "uniqueItems",
                "deprecated",
                "example",
                "examples",
            ],
        );
        self.limits(pointer);
        let items = join(pointer, "items");
        if self.source.at(&items).is_some() {
            self.schema(&items);
        } else {
            self.refuse(pointer, "has no items");
        }
    }

    fn enum_schema(&mut self, pointer: &str) {
        if !is_component(pointer) {
            self.refuse(
                pointer,
                "write the enum under components/schemas and refer to it, so that its type has a name",
            );
        }
        self.only(
            pointer,
            &[
                "type",
                "title",
                "description",
                "enum",
                "deprecated",
                "example",
                "examples",
            ],
        );
        if self.members(&join(pointer, "enum")).is_empty() {
            self.refuse(&join(pointer, "enum"), "has no value");
        }
        for value in self.members(&join(pointer, "enum")) {
            if self.text(&value).is_none() {
                self.refuse(&value, "only strings are supported in an enum");
            }
        }
    }

    fn scalar_schema(&mut self, pointer: &str) {
        self.only(
            pointer,
            &[
                "type",
                "title",
                "description",
                "format",
                "pattern",
                "minLength",
                "maxLength",
                "minimum",
                "maximum",
                "exclusiveMinimum",
                "exclusiveMaximum",
                "multipleOf",
                "deprecated",
                "example",
                "examples",
            ],
        );
        self.format(pointer);
        self.limits(pointer);
        let pattern = join(pointer, "pattern");
        if let Some(text) = self.text(&pattern) {
            let schema = serde_json::json!({ "pattern": text });
            let compiled = jsonschema::options()
                .with_pattern_options(jsonschema::PatternOptions::regex())
                .build(&schema);
            let is_ecmascript = jsonschema::options()
                .should_validate_formats(true)
                .build(&serde_json::json!({ "format": "regex" }))
                .is_ok_and(|format| format.is_valid(&Value::String(text.to_owned())));
            if compiled.is_err() || !is_ecmascript || text.contains("\\b") {
                self.refuse(
                    &pattern,
                    "is no pattern that means the same to ECMAScript and to Rust's regex crate",
                );
            }
        } else if let Some(schema) = self.source.at(pointer)
            && jsonschema::validator_for(schema).is_err()
        {
            self.refuse(pointer, "is no JSON Schema");
        }
    }

    /// Refuses limits that no value keeps.
    fn limits(&mut self, pointer: &str) {
        for (least, most) in [
            ("minItems", "maxItems"),
            ("minLength", "maxLength"),
            ("minimum", "maximum"),
        ] {
            let number = |name| self.source.at(&join(pointer, name)).and_then(Value::as_f64);
            if let (Some(from), Some(to)) = (number(least), number(most))
                && from > to
            {
                let reason = format!("is below {least}, so that no value is left");
                self.refuse(&join(pointer, most), reason);
            }
        }
    }

    /// Refuses a format that nobody checks: a slip of the pen would be a check that is not made.
    fn format(&mut self, pointer: &str) {
        let format = join(pointer, "format");
        let Some(name) = self.text(&format) else {
            return;
        };
        let kind = match self.source.at(&join(pointer, "type")) {
            Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
            kind => kind.and_then(Value::as_str),
        };
        let known: &[&str] = match kind {
            Some("integer") => &["int32", "int64"],
            Some("number") => &["float", "double"],
            Some("string") => &STRING_FORMATS,
            _ => &[],
        };
        if !known.contains(&name) {
            let known = known.join(", ");
            self.refuse(
                &format,
                format!("is not supported here, where there are: {known}"),
            );
        }
    }

    pub(super) fn is_required(&self, object: &str, property: &str) -> bool {
        self.members(&join(object, "required"))
            .iter()
            .any(|name| self.text(name) == Some(property))
    }

    /// Refuses a schema that contains itself: its Rust type would have no size.
    pub(super) fn cycles(&mut self) {
        for start in self.members("/components/schemas") {
            let mut seen = Vec::new();
            let mut open = vec![start.clone()];
            while let Some(pointer) = open.pop() {
                for inner in self.references(&pointer) {
                    if inner == start {
                        self.refuse(&start, "contains itself, which is not supported");
                        open.clear();
                        break;
                    }
                    if !seen.contains(&inner) {
                        seen.push(inner.clone());
                        open.push(inner);
                    }
                }
            }
        }
    }

    /// The schemas with a name that the body of a request is of, or that one of these refers to.
    pub(super) fn schemas_of_requests(&self) -> BTreeSet<String> {
        let operations = self.operations().into_iter();
        let bodies = operations
            .map(|operation| self.resolve(&join(&operation, "requestBody"), "requestBodies"));
        let mut open: Vec<String> = bodies
            .flat_map(|body| self.content_schemas(&body))
            .collect();
        let mut found = BTreeSet::new();
        while let Some(pointer) = open.pop() {
            if found.insert(pointer.clone()) {
                open.extend(self.references(&pointer));
            }
        }
        found
    }

    /// The components that the schema at `pointer` refers to.
    pub(super) fn references(&self, pointer: &str) -> Vec<String> {
        let target = self.resolve(pointer, "schemas");
        if target != pointer {
            return vec![target];
        }
        let mut inner = self.members(&join(pointer, "properties"));
        inner.extend(
            self.source
                .at(&join(pointer, "items"))
                .map(|_| join(pointer, "items")),
        );
        inner
            .iter()
            .flat_map(|pointer| self.references(pointer))
            .collect()
    }
}

/// Whether a pointer is that of a schema with a name.
fn is_component(pointer: &str) -> bool {
    pointer
        .strip_prefix("/components/schemas/")
        .is_some_and(|name| !name.contains('/'))
}
