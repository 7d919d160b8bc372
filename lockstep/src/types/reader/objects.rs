//! Objects.

use serde_json::{Map, Value};

use super::{DEPTH, Part, Schema, TypeReader, is_object, says_more_than, target};
use crate::{
    names::Scope,
    pointers::{BODY_MEMBER, join},
    types::{
        described,
        model::{Member, Record, Rest, Shape, Type},
    },
};

impl<'a> TypeReader<'a> {
    pub(super) fn object(&mut self, pointer: &str, schema: &'a Schema, name: &str) -> Type {
        let members = schema.get("properties").and_then(Value::as_object);
        let has_members = members.is_some_and(|members| !members.is_empty());
        let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        if !has_members && !is_closed {
            let of = self.rest(pointer, schema, name);
            return Type::Map(Box::new(of.unwrap_or(Type::Any(None))));
        }
        let parts = [(pointer.to_owned(), schema)];
        self.name(pointer, schema, name, |reader| {
            Shape::Record(reader.record(&parts, name))
        })
    }

    /// The type of the members that an object has besides those it names, if the schema says that
    /// it has some.
    fn rest(&mut self, pointer: &str, schema: &Schema, name: &str) -> Option<Type> {
        let name = format!("{name} value");
        let mut kinds = match schema.get("additionalProperties") {
            Some(Value::Object(_)) => vec![self.at(&join(pointer, "additionalProperties"), &name)],
            Some(Value::Bool(true)) => vec![Type::Any(None)],
            _ => Vec::new(),
        };
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        for pattern in patterns.into_iter().flat_map(Map::keys) {
            kinds.push(self.at(&join(&join(pointer, "patternProperties"), pattern), &name));
        }
        let first = kinds.pop()?;
        match kinds.iter().all(|kind| *kind == first) {
            true => Some(first),
            false => Some(Type::Any(Some("its members are of several types"))),
        }
    }

    /// The record of the members of all parts.
    fn record(&mut self, parts: &[Part<'a>], name: &str) -> Record {
        let mut scope = Scope::default();
        let mut members = Vec::<Member>::new();
        let mut has_credential = false;
        let required: Vec<&Value> = parts
            .iter()
            .filter_map(|(_, part)| part.get("required")?.as_array())
            .flatten()
            .collect();
        for (pointer, part) in parts {
            let properties = part.get("properties").and_then(Value::as_object);
            for (wire, schema) in properties.into_iter().flatten() {
                // The contract removes it before the body is read.
                if schema[BODY_MEMBER] == true {
                    has_credential = true;
                    continue;
                }
                let place = join(&join(pointer, "properties"), wire);
                let kind = match self.with_files.contains(pointer) {
                    true => self.file(&place, &format!("{name} {wire}")),
                    false => self.at(&place, &format!("{name} {wire}")),
                };
                match members.iter_mut().find(|member| member.wire == *wire) {
                    // Both apply; one without a statement does not weaken the other.
                    Some(member) if matches!(member.kind, Type::Any(_)) => member.kind = kind,
                    Some(_) => {}
                    None => members.push(Member {
                        wire: wire.clone(),
                        name: scope.lower(wire),
                        description: described(schema),
                        deprecated: schema["deprecated"] == true,
                        kind,
                        required: required.iter().any(|name| *name == wire),
                    }),
                }
            }
        }
        // A required member that is not described.
        for wire in required.iter().filter_map(|name| name.as_str()) {
            if !members.iter().any(|member| member.wire == wire) {
                members.push(Member {
                    wire: wire.to_owned(),
                    name: scope.lower(wire),
                    description: String::new(),
                    deprecated: false,
                    kind: Type::Any(None),
                    required: true,
                });
            }
        }
        let mut rest = None;
        for (pointer, part) in parts {
            rest = rest.or_else(|| self.rest(pointer, part, name));
        }
        let closed = |(_, part): &Part<'_>| part.get("additionalProperties") == Some(&false.into());
        let rest = match rest {
            Some(kind) => Rest::Kept(scope.lower("additional properties"), kind),
            None if parts.iter().any(closed) => Rest::Closed,
            None => Rest::Ignored,
        };
        Record {
            has_credential,
            members,
            rest,
        }
    }

    /// The type of a member of a multipart body: bytes are a file there.
    pub(super) fn file(&mut self, pointer: &str, name: &str) -> Type {
        let is_file = |schema: &Value| {
            let kind = schema["type"].as_str().unwrap_or("string");
            kind == "string"
                && (schema["format"] == "binary" || schema.get("contentMediaType").is_some())
        };
        match self.document.pointer(pointer) {
            Some(schema) if is_file(schema) => Type::File,
            Some(schema) if schema["type"] == "array" && is_file(&schema["items"]) => {
                Type::List(Box::new(Type::File))
            }
            _ => self.at(pointer, name),
        }
    }

    pub(super) fn all_of(
        &mut self,
        pointer: &str,
        schema: &'a Schema,
        name: &str,
        parts: &[Value],
    ) -> Type {
        if let ([_], false) = (parts, says_more_than("allOf", schema)) {
            // A reference with a description beside it, as 3.0 has to write it.
            return self.at(&format!("{pointer}/allOf/0"), name);
        }
        let mut parts = Vec::new();
        if !self.flatten(pointer, schema, &mut parts, 0) {
            return Type::Any(Some("it combines more than objects"));
        }
        match parts.first() {
            None => Type::Any(None),
            // A scalar or list, and further conditions.
            Some((place, part)) if !parts.iter().any(|(_, part)| is_object(part)) => {
                self.of_types(place, part, name)
            }
            Some(_) => self.name(pointer, schema, name, |reader| {
                Shape::Record(reader.record(&parts, name))
            }),
        }
    }

    /// Collects a schema and those that it combines. Returns true if they can be one record.
    fn flatten(
        &self,
        pointer: &str,
        schema: &'a Schema,
        parts: &mut Vec<Part<'a>>,
        depth: usize,
    ) -> bool {
        let document = self.document;
        if depth > DEPTH {
            return false;
        }
        if let Some(Value::String(reference)) = schema.get("$ref") {
            let target =
                target(reference).and_then(|it| Some((document.pointer(&it)?.as_object()?, it)));
            return target
                .is_some_and(|(part, target)| self.flatten(&target, part, parts, depth + 1));
        }
        if ["const", "enum", "oneOf", "anyOf"]
            .iter()
            .any(|it| schema.contains_key(*it))
        {
            return false;
        }
        let combined = schema.get("allOf").and_then(Value::as_array);
        if says_more_than("allOf", schema) {
            parts.push((pointer.to_owned(), schema));
        }
        let all = join(pointer, "allOf");
        let mut combined = combined.into_iter().flatten().enumerate();
        combined.all(|(index, part)| match part {
            Value::Object(part) => self.flatten(&format!("{all}/{index}"), part, parts, depth + 1),
            _ => true,
        })
    }
}
