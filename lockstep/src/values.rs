//! Values of the schemas of any document, made to show that types hold them.

use serde_json::{Map, Value, json};

use crate::{
    Diagnostic,
    normalize::normalize,
    source::Source,
    types::{TypeReader, target},
};

/// Values of one schema under `components/schemas`.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// The name that [`types`](crate::types()) gives its type.
    pub name: String,
    /// Values that match the schema's types; a pattern may refuse them.
    pub values: Vec<Value>,
}

/// Makes values of each schema under `components/schemas` of an OpenAPI document: with every member
/// and with the required ones alone, of each alternative, with null where it may be, and with the
/// ends of numbers. They show that a value goes through its type without loss.
///
/// # Errors
///
/// The text is neither YAML nor JSON.
pub fn values(file: &str, text: &str) -> Result<Vec<Values>, Vec<Diagnostic>> {
    let mut source = Source::parse(file, text)?;
    normalize(&mut source.value);
    let mut reader = TypeReader::new(&source.value);
    reader.components();
    let (types, _) = reader.finish();
    let maker = Maker {
        document: &source.value,
    };
    let components = types.iter().filter_map(|named| {
        let component = named.component.as_ref()?;
        let schema = source.value["components"]["schemas"].get(component)?;
        Some(Values {
            name: named.name.to_string(),
            values: maker.values(schema, 0),
        })
    });
    Ok(components.collect())
}

/// Depth limit of optional parts: deeper values have their required members only.
const DEEP: usize = 4;
/// Depth limit of required parts: a schema that needs more gets no values.
const DEEPEST: usize = 12;
/// The most alternatives of a value that are tried inside of another one.
const SOME: usize = 3;

struct Maker<'a> {
    document: &'a Value,
}

impl<'a> Maker<'a> {
    /// Values of a schema; none if it is infinitely deep.
    fn values(&self, schema: &'a Value, depth: usize) -> Vec<Value> {
        if depth > DEEPEST {
            return Vec::new();
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let meant = target(reference).and_then(|target| self.document.pointer(&target));
            return meant.map_or(Vec::new(), |meant| self.values(meant, depth + 1));
        }
        if let Some(value) = schema.get("const") {
            return vec![value.clone()];
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            return values.clone();
        }
        if schema["allOf"].is_array() {
            return self.combined(schema, depth);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(Value::Array(alternatives)) = schema.get(keyword)
                && !schema["properties"].is_object()
            {
                return self.alternatives(schema, alternatives, depth);
            }
        }
        match &schema["type"] {
            Value::String(kind) => self.of_type(schema, kind, depth),
            Value::Array(kinds) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                kinds
                    .flat_map(|kind| self.of_type(schema, kind, depth))
                    .collect()
            }
            _ if schema["properties"].is_object() || schema["additionalProperties"].is_object() => {
                self.objects(&[schema], depth)
            }
            _ if schema.get("items").is_some() => self.of_type(schema, "array", depth),
            _ => vec![json!({ "a": [1, "b", null] }), json!("c"), json!(null)],
        }
    }

    fn of_type(&self, schema: &'a Value, kind: &str, depth: usize) -> Vec<Value> {
        match kind {
            "null" => vec![Value::Null],
            "boolean" => vec![json!(true), json!(false)],
            "integer" => integers(schema),
            "number" => match schema["format"].as_str() {
                Some("float") => vec![json!(0.5), json!(-3)],
                _ => vec![json!(0.1), json!(-3), json!(1e300)],
            },
            "string" => texts(schema),
            "array" => self.lists(schema, depth),
            _ => self.objects(&[schema], depth),
        }
    }

    fn lists(&self, schema: &'a Value, depth: usize) -> Vec<Value> {
        let least = schema["minItems"].as_u64().unwrap_or_default();
        if let Some(Value::Array(prefix)) = schema.get("prefixItems") {
            let items = prefix
                .iter()
                .map(|item| self.values(item, depth + 1).into_iter().next());
            let items: Option<Vec<Value>> = items.collect();
            return items.map(Value::Array).into_iter().collect();
        }
        let items = match schema.get("items") {
            Some(items) if depth < DEEP || least > 0 => self.values(items, depth + 1),
            Some(_) => Vec::new(),
            None => vec![json!("a"), json!(1)],
        };
        let mut lists = Vec::new();
        if least == 0 {
            lists.push(json!([]));
        }
        if !items.is_empty() {
            let repeated = items.iter().cycle().take(items.len().max(least as usize));
            lists.push(repeated.cloned().collect());
        }
        lists
    }

    /// Objects with the members that all parts say.
    fn objects(&self, parts: &[&'a Value], depth: usize) -> Vec<Value> {
        let mut members = Vec::<(&String, &'a Value)>::new();
        let mut required = Vec::new();
        for part in parts {
            let properties = part["properties"].as_object().into_iter().flatten();
            for (name, schema) in properties {
                match members.iter_mut().find(|(known, _)| *known == name) {
                    // One without a statement does not weaken the other.
                    Some(member) if member.1.as_object().is_some_and(Map::is_empty) => {
                        member.1 = schema;
                    }
                    Some(_) => {}
                    None => members.push((name, schema)),
                }
            }
            required.extend(part["required"].as_array().into_iter().flatten());
        }
        let is_required = |name: &str| required.iter().any(|it| **it == name);
        let mut least = Map::new();
        let mut full = Map::new();
        let mut others = Vec::new();
        for (name, schema) in &members {
            let values = match depth < DEEP || is_required(name) {
                true => self.values(schema, depth + 1),
                false => continue,
            };
            match values.first() {
                Some(first) => {
                    full.insert(name.to_string(), first.clone());
                    if is_required(name) {
                        least.insert(name.to_string(), first.clone());
                    }
                    let more = if depth == 0 { usize::MAX } else { SOME };
                    let rest = values.into_iter().skip(1).take(more);
                    others.extend(rest.map(|value| (name.to_string(), value)));
                }
                None if is_required(name) => return Vec::new(),
                None => {}
            }
        }
        // A required member that is not described.
        for name in required.iter().filter_map(|name| name.as_str()) {
            if !members.iter().any(|(known, _)| *known == name) {
                least.insert(name.to_owned(), json!("required"));
                full.insert(name.to_owned(), json!("required"));
            }
        }
        for part in parts {
            match &part["additionalProperties"] {
                Value::Bool(true) if depth < DEEP => {
                    full.insert("another member".to_owned(), json!({ "a": [null] }));
                }
                schema @ Value::Object(_) if depth < DEEP => {
                    if let Some(value) = self.values(schema, depth + 1).into_iter().next() {
                        full.insert("another member".to_owned(), value);
                    }
                }
                _ => {}
            }
        }
        let changed = others.into_iter().map(|(name, value)| {
            let mut changed = full.clone();
            changed.insert(name, value);
            Value::Object(changed)
        });
        let changed: Vec<Value> = changed.collect();
        let mut objects = vec![Value::Object(full.clone())];
        if least != full {
            objects.push(Value::Object(least));
        }
        objects.extend(changed);
        objects
    }

    fn combined(&self, schema: &'a Value, depth: usize) -> Vec<Value> {
        let mut parts = Vec::new();
        if !self.flatten(schema, &mut parts, depth) {
            return Vec::new();
        }
        match parts
            .iter()
            .any(|part| part["properties"].is_object() || part["type"] == "object")
        {
            true => self.objects(&parts, depth),
            false => match parts
                .iter()
                .find(|part| part.get("type").is_some() || part.get("enum").is_some())
            {
                Some(part) => self.values(part, depth + 1),
                None => Vec::new(),
            },
        }
    }

    /// Collects the schemas that one combines. Returns true if they are simple enough to make
    /// values of.
    fn flatten(&self, schema: &'a Value, parts: &mut Vec<&'a Value>, depth: usize) -> bool {
        if depth > DEEPEST || schema["oneOf"].is_array() || schema["anyOf"].is_array() {
            return false;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let meant = target(reference).and_then(|target| self.document.pointer(&target));
            return meant.is_some_and(|meant| self.flatten(meant, parts, depth + 1));
        }
        parts.push(schema);
        let mut combined = schema["allOf"].as_array().into_iter().flatten();
        combined.all(|part| self.flatten(part, parts, depth + 1))
    }

    fn alternatives(
        &self,
        schema: &'a Value,
        alternatives: &'a [Value],
        depth: usize,
    ) -> Vec<Value> {
        let tag = schema["discriminator"]["propertyName"].as_str();
        let mut values = Vec::new();
        for alternative in alternatives {
            let mut of_it = self.values(alternative, depth + 1);
            of_it.truncate(SOME);
            if let (Some(tag), Some(reference)) = (tag, alternative["$ref"].as_str()) {
                let mapping = schema["discriminator"]["mapping"].as_object();
                let mut mapping = mapping.into_iter().flatten();
                let mapped = mapping.find(|(_, target)| *target == reference);
                let name = reference.rsplit('/').next().unwrap_or_default();
                let value = mapped.map_or(name, |(value, _)| value.as_str());
                for object in of_it.iter_mut().filter_map(Value::as_object_mut) {
                    object.insert(tag.to_owned(), json!(value));
                }
            }
            values.extend(of_it);
        }
        values
    }
}

fn integers(schema: &Value) -> Vec<Value> {
    let ends = match schema["format"].as_str() {
        Some("int8") => vec![json!(i8::MIN), json!(i8::MAX)],
        Some("uint8") => vec![json!(u8::MAX)],
        Some("int16") => vec![json!(i16::MIN), json!(i16::MAX)],
        Some("uint16") => vec![json!(u16::MAX)],
        Some("int32") => vec![json!(i32::MIN), json!(i32::MAX)],
        Some("uint32") => vec![json!(u32::MAX)],
        Some("uint64" | "uint") => vec![json!(u64::MAX)],
        _ => vec![json!(i64::MIN), json!(i64::MAX)],
    };
    [vec![json!(7)], ends].concat()
}

fn texts(schema: &Value) -> Vec<Value> {
    match schema["format"].as_str() {
        Some("date-time") => vec![
            json!("2026-01-31T12:00:00Z"),
            json!("2026-01-31T12:00:00.123456Z"),
        ],
        Some("date") => vec![json!("2026-01-31")],
        Some("uuid") => vec![json!("8c4d0a8e-7f2b-4c1d-9e3f-5a6b7c8d9e0f")],
        _ => vec![json!("a \"text\"\n\u{e9}"), json!("")],
    }
}
