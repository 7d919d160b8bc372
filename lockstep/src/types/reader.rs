//! Schemas -> types.
//!
//! A type holds every value that its schema takes; it may hold others too, which are for the check
//! against the schema to refuse. Where there is no better type it is any JSON value, with the reason.

use std::collections::{BTreeSet, HashMap, HashSet};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{
    model::{Alternative, Member, Named, Record, Rest, Shape, Type, TypeId, Union, Variant},
    writer::PRELUDE,
};
use crate::{
    names::Scope,
    pointers::{BODY_MEMBER, contents, free_schema_name, join, last, members, resolve},
};

/// Keywords that say what kind of value a schema takes; one without any takes whatever JSON has.
const KINDS: [&str; 13] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "items",
    "oneOf",
    "patternProperties",
    "prefixItems",
    "properties",
    "required",
    "type",
];
/// Pointer to the schemas with names.
const COMPONENTS: &str = "/components/schemas";
/// Depth limit of combined schemas and of references: a schema that is combined with itself has no
/// end.
const DEPTH: usize = 16;

type Schema = Map<String, Value>;
/// A schema, and where it stands.
type Part<'a> = (String, &'a Schema);

/// Reads the schemas of a document, each once.
pub(crate) struct TypeReader<'a> {
    document: &'a Value,
    /// The schemas of bodies whose binary members are files.
    with_files: BTreeSet<String>,
    /// Pointers to the parts of schemas that cannot be read, each with the reason.
    wrong: Vec<(String, String)>,
    /// The types with a name, where each stands; none for the shape of one that is being read.
    named: Vec<(String, Option<Named>)>,
    known: HashMap<String, Type>,
    /// The types that contain themselves.
    circular: HashSet<TypeId>,
    /// The schemas being read, each inside the one before it.
    open: Vec<String>,
    scope: Scope,
}

impl<'a> TypeReader<'a> {
    pub(crate) fn new(document: &'a Value) -> Self {
        Self {
            document,
            with_files: multipart_schemas(document),
            wrong: Vec::new(),
            named: Vec::new(),
            known: HashMap::new(),
            circular: HashSet::new(),
            open: Vec::new(),
            scope: Scope::new(PRELUDE),
        }
    }

    /// Reads all components, so that they have their names before any other schema.
    pub(crate) fn components(&mut self) {
        for pointer in members(self.document, COMPONENTS) {
            self.at(&pointer, &last(&pointer));
        }
    }

    /// The types that have a name, and what is wrong with schemas, where it stands.
    pub(crate) fn finish(self) -> (Vec<Named>, Vec<(String, String)>) {
        let named = self.named.into_iter();
        (named.filter_map(|(_, named)| named).collect(), self.wrong)
    }

    /// Tells whether all values of a type are objects.
    pub(crate) fn is_record(&self, kind: &Type) -> bool {
        match kind {
            Type::Map(_) | Type::Any(_) => true,
            Type::Named(id) => match self.named.get(*id) {
                Some((_, Some(named))) => match &named.shape {
                    Shape::Record(_) => true,
                    Shape::Alias(kind) => self.is_record(kind),
                    Shape::Union(union) => {
                        let mut alternatives = union.alternatives.iter();
                        alternatives.all(|alternative| self.is_record(&alternative.kind))
                    }
                    Shape::Values(_) => false,
                },
                _ => false,
            },
            _ => false,
        }
    }

    /// The type of the schema at `pointer`, which is called `name` if it needs one of its own. A
    /// component has one whatever it is.
    pub(crate) fn at(&mut self, pointer: &str, name: &str) -> Type {
        if let Some(known) = self.known.get(pointer) {
            if let Type::Named(id) = known
                && self.named[*id].1.is_none()
            {
                self.circular.insert(*id);
            }
            return known.clone();
        }
        if self.open.iter().any(|open| open == pointer) {
            return Type::Any(Some("it is defined by itself"));
        }
        self.open.push(pointer.to_owned());
        let kind = self.read(pointer, name);
        self.open.pop();
        self.known.insert(pointer.to_owned(), kind.clone());
        kind
    }

    fn read(&mut self, pointer: &str, name: &str) -> Type {
        let document = self.document;
        let Some(Value::Object(schema)) = document.pointer(pointer) else {
            return Type::Any(None);
        };
        let nullable = schema.get("nullable") == Some(&Value::Bool(true));
        let kind = self.kind(pointer, schema, name).or_null(nullable);
        let has_name = kind.held().is_some_and(|id| self.named[id].0 == pointer);
        match is_component(pointer) && !has_name {
            true => self.name(pointer, schema, name, |_| Shape::Alias(kind)),
            false => kind,
        }
    }

    fn kind(&mut self, pointer: &str, schema: &'a Schema, name: &str) -> Type {
        if let Some(Value::String(reference)) = schema.get("$ref") {
            return self.reference(pointer, reference);
        }
        if let Some(value) = schema.get("const") {
            return self.values(pointer, schema, name, std::slice::from_ref(value));
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            return self.values(pointer, schema, name, values);
        }
        if let Some(Value::Array(parts)) = schema.get("allOf") {
            return self.all_of(pointer, schema, name, parts);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(Value::Array(alternatives)) = schema.get(keyword)
                && alternatives.iter().any(says_kind)
            {
                let (nulls, others): (Vec<_>, Vec<_>) =
                    alternatives.iter().partition(|it| is_null(it));
                let texts: Option<Vec<_>> = others.into_iter().map(only_text).collect();
                if let Some(texts) = texts {
                    let kind = self.texts(pointer, schema, name, texts.into_iter());
                    return kind.or_null(!nulls.is_empty());
                }
                return self.one_of(&join(pointer, keyword), schema, name, alternatives);
            }
        }
        self.of_types(pointer, schema, name)
    }

    /// The type that the keyword `type` says, or that the other keywords speak of.
    fn of_types(&mut self, pointer: &str, schema: &'a Schema, name: &str) -> Type {
        let said: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => vec![implied(schema)],
        };
        let kinds: Vec<&str> = said
            .iter()
            .copied()
            .filter(|kind| *kind != "null")
            .collect();
        let nullable = kinds.len() < said.len();
        let kind = match kinds.as_slice() {
            [kind] => self.of_type(pointer, schema, name, kind),
            ["integer", "number"] | ["number", "integer"] => Type::Float("f64"),
            [] => Type::Any(None),
            several => {
                let mut alternatives = Vec::new();
                for kind in several {
                    let of = self.of_type(pointer, schema, &format!("{name} {kind}"), kind);
                    alternatives.push((kind.to_string(), of, Vec::new()));
                }
                // An object among them has taken the place.
                self.known.remove(pointer);
                self.union(pointer, schema, name, None, alternatives)
            }
        };
        kind.or_null(nullable)
    }

    fn of_type(&mut self, pointer: &str, schema: &'a Schema, name: &str, kind: &str) -> Type {
        let format = schema.get("format").and_then(Value::as_str);
        match (kind, format) {
            ("boolean", _) => Type::Bool,
            ("integer", format) => Type::Integer(match format {
                Some("int8") => "i8",
                Some("uint8") => "u8",
                Some("int16") => "i16",
                Some("uint16") => "u16",
                Some("int32") => "i32",
                Some("uint32") => "u32",
                Some("uint64" | "uint") => "u64",
                _ => "i64",
            }),
            ("number", Some("float")) => Type::Float("f32"),
            ("number", _) => Type::Float("f64"),
            ("string", Some("uuid")) => Type::Uuid,
            ("string", Some("date-time")) => Type::DateTime,
            ("string", Some("date")) => Type::Date,
            ("string", Some("password")) => Type::Secret,
            ("string", _) => Type::Text,
            ("array", _) => self.list(pointer, schema, name),
            ("object", _) => self.object(pointer, schema, name),
            _ => Type::Any(None),
        }
    }

    fn reference(&mut self, pointer: &str, reference: &str) -> Type {
        let target = target(reference);
        match target.filter(|target| self.document.pointer(target).is_some()) {
            Some(target) => {
                let owner = target.strip_suffix("/schema").unwrap_or(&target);
                self.at(&target, &last(owner))
            }
            None => {
                let reason = format!("names nothing in the document: {reference}");
                self.wrong.push((join(pointer, "$ref"), reason));
                Type::Any(Some("it refers to nothing in the document"))
            }
        }
    }

    fn values(&mut self, pointer: &str, schema: &Schema, name: &str, values: &[Value]) -> Type {
        let others: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
        let nullable = others.len() < values.len();
        let all = |is: fn(&Value) -> bool| others.iter().all(|value| is(value));
        let kind = match others.is_empty() {
            true => Type::Any(None),
            _ if all(Value::is_string) => {
                let texts = others.iter().filter_map(|value| value.as_str());
                let texts = texts.map(|text| (text, text, ""));
                self.texts(pointer, schema, name, texts)
            }
            _ if all(Value::is_i64) => Type::Integer("i64"),
            _ if all(Value::is_number) => Type::Float("f64"),
            _ if all(Value::is_boolean) => Type::Bool,
            _ => Type::Any(Some("its values are of several types")),
        };
        kind.or_null(nullable)
    }

    /// One of several texts: each as it is in JSON, what it is called, and its description.
    fn texts<'t>(
        &mut self,
        pointer: &str,
        schema: &Schema,
        name: &str,
        texts: impl Iterator<Item = (&'t str, &'t str, &'t str)>,
    ) -> Type {
        let mut scope = Scope::default();
        let mut seen = BTreeSet::new();
        let variants = texts.filter(|(text, ..)| seen.insert(*text));
        let variants = variants.map(|(text, name, description)| Variant {
            wire: text.to_owned(),
            name: scope.upper(name),
            description: description.to_owned(),
        });
        let variants = variants.collect();
        self.name(pointer, schema, name, |_| Shape::Values(variants))
    }

    fn list(&mut self, pointer: &str, schema: &Schema, name: &str) -> Type {
        let items = match (schema.get("prefixItems"), schema.get("items")) {
            (Some(_), _) => Type::Any(Some("each place of the list has a type of its own")),
            (None, Some(_)) => self.at(&join(pointer, "items"), &format!("{name} item")),
            (None, None) => Type::Any(None),
        };
        Type::List(Box::new(items))
    }

    fn object(&mut self, pointer: &str, schema: &'a Schema, name: &str) -> Type {
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

    /// The type of the members that an object has besides those it names, if the schema says that it
    /// has some.
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
                // A contract takes it out before anybody reads the body.
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
                    // Both hold, and one that says nothing says no less than the other.
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
        // A member that has to be there, of which nothing more is said.
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
    fn file(&mut self, pointer: &str, name: &str) -> Type {
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

    fn all_of(&mut self, pointer: &str, schema: &'a Schema, name: &str, parts: &[Value]) -> Type {
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

    /// Collects a schema and those that it combines; says whether they may be one record.
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

    /// The type of a schema with alternatives, which stand at `pointer`.
    fn one_of(
        &mut self,
        pointer: &str,
        schema: &'a Schema,
        name: &str,
        alternatives: &'a [Value],
    ) -> Type {
        if schema.contains_key("properties") {
            return Type::Any(Some("it has members and alternatives at once"));
        }
        let discriminator = schema.get("discriminator").unwrap_or(&Value::Null);
        let mut nullable = false;
        let mut read = Vec::<(String, Type, Vec<String>)>::new();
        for (index, alternative) in alternatives.iter().enumerate() {
            if is_null(alternative) {
                nullable = true;
                continue;
            }
            let label = label(alternative, index);
            let mut kind = self.at(&format!("{pointer}/{index}"), &format!("{name} {label}"));
            if let Type::Nullable(inner) = kind {
                nullable = true;
                kind = *inner;
            }
            let unnamed = self.unnamed(&kind);
            let tags = tags(discriminator, alternative);
            let known = read
                .iter_mut()
                .find(|(_, known, _)| self.unnamed(known) == unnamed);
            match known {
                Some((_, known, known_tags)) => {
                    // The same type under two names: a value does not tell which of them it has.
                    if *known != kind {
                        *known = unnamed;
                    }
                    for tag in tags {
                        if !known_tags.contains(&tag) {
                            known_tags.push(tag);
                        }
                    }
                }
                None => read.push((label, kind, tags)),
            }
        }
        let owner = pointer
            .rsplit_once('/')
            .map_or(pointer, |(owner, _)| owner)
            .to_owned();
        let kind = match read.len() {
            0 => Type::Any(None),
            1 => read.remove(0).1,
            // Whatever it is, it is of that type too.
            _ if read
                .iter()
                .any(|(_, kind, _)| matches!(self.unnamed(kind), Type::Any(_))) =>
            {
                Type::Any(Some("one of its alternatives is any value"))
            }
            _ => {
                let tag = discriminator["propertyName"].as_str();
                let is_told = read.iter().all(|(_, _, tags)| !tags.is_empty());
                match tag.filter(|_| is_told) {
                    Some(tag) => {
                        self.union(&owner, schema, name, Some((tag.to_owned(), true)), read)
                    }
                    None => {
                        let tag = self.constants(alternatives, &mut read);
                        self.union(&owner, schema, name, tag.map(|tag| (tag, false)), read)
                    }
                }
            }
        };
        kind.or_null(nullable)
    }

    /// A type without the names that are only other names of it.
    fn unnamed(&self, kind: &Type) -> Type {
        let named = match kind {
            Type::Named(id) => self.named.get(*id).and_then(|(_, named)| named.as_ref()),
            _ => None,
        };
        match named.map(|named| &named.shape) {
            Some(Shape::Alias(kind)) => self.unnamed(kind),
            _ => kind.clone(),
        }
    }

    /// The member in which each alternative has a constant of its own, if there is one: it tells them
    /// apart where no discriminator does.
    fn constants(
        &self,
        alternatives: &'a [Value],
        read: &mut [(String, Type, Vec<String>)],
    ) -> Option<String> {
        if alternatives.len() != read.len() {
            return None;
        }
        let objects: Option<Vec<&Value>> = alternatives.iter().map(|it| self.meant(it)).collect();
        let objects = objects?;
        let candidates = objects.first()?["required"].as_array()?;
        for candidate in candidates.iter().filter_map(Value::as_str) {
            let constants = objects.iter().map(|object| {
                let is_required = object["required"]
                    .as_array()?
                    .iter()
                    .any(|it| it == candidate);
                let member = self.meant(&object["properties"][candidate])?;
                let values = match (member.get("const"), member["enum"].as_array()) {
                    (Some(value), _) => vec![value],
                    (None, Some(values)) => values.iter().collect(),
                    (None, None) => return None,
                };
                let texts: Option<Vec<String>> = values.into_iter().map(tag_text).collect();
                texts.filter(|_| is_required)
            });
            let Some(constants) = constants.collect::<Option<Vec<Vec<String>>>>() else {
                continue;
            };
            let mut seen = BTreeSet::new();
            if constants.iter().flatten().all(|text| seen.insert(text)) {
                for ((_, _, tags), constants) in read.iter_mut().zip(&constants) {
                    tags.clone_from(constants);
                }
                return Some(candidate.to_owned());
            }
        }
        None
    }

    /// The schema that a reference means, or else the schema itself.
    fn meant(&self, schema: &'a Value) -> Option<&'a Value> {
        let mut schema = schema;
        for _ in 0..DEPTH {
            match schema["$ref"].as_str() {
                Some(reference) => schema = self.document.pointer(&target(reference)?)?,
                None => return Some(schema),
            }
        }
        None
    }

    fn union(
        &mut self,
        pointer: &str,
        schema: &Schema,
        name: &str,
        tag: Option<(String, bool)>,
        read: Vec<(String, Type, Vec<String>)>,
    ) -> Type {
        let mut scope = Scope::default();
        let alternatives = read.into_iter().map(|(label, kind, tags)| Alternative {
            name: scope.upper(&label),
            kind,
            tags,
        });
        let alternatives = alternatives.collect();
        self.name(pointer, schema, name, |_| {
            let (tag, is_discriminator) = tag.unzip();
            Shape::Union(Union {
                tag,
                is_discriminator: is_discriminator.unwrap_or_default(),
                alternatives,
            })
        })
    }

    /// Gives a type its name before its shape is read, which may refer to it.
    fn name(
        &mut self,
        pointer: &str,
        schema: &Schema,
        name: &str,
        shape: impl FnOnce(&mut Self) -> Shape,
    ) -> Type {
        let id: TypeId = self.named.len();
        let ident = self.scope.upper(name);
        self.named.push((pointer.to_owned(), None));
        self.known.insert(pointer.to_owned(), Type::Named(id));
        let shape = shape(self);
        let description = schema.get("description").and_then(Value::as_str);
        let component = match is_component(pointer) {
            true => Some(last(pointer)),
            false if self.circular.contains(&id) => {
                Some(free_schema_name(self.document, &ident.to_string()))
            }
            false => None,
        };
        self.named[id].1 = Some(Named {
            component,
            name: ident,
            description: description.unwrap_or_default().to_owned(),
            deprecated: schema.get("deprecated") == Some(&Value::Bool(true)),
            shape,
        });
        Type::Named(id)
    }
}

/// The schemas of all multipart bodies.
fn multipart_schemas(document: &Value) -> BTreeSet<String> {
    let contents = contents(document)
        .into_iter()
        .flat_map(|it| members(document, &it));
    let multipart = contents.filter(|content| last(content).starts_with("multipart/"));
    multipart
        .map(|content| resolve(document, &join(&content, "schema"), "schemas"))
        .collect()
}

/// The pointer that a reference within the document means.
pub(crate) fn target(reference: &str) -> Option<String> {
    let pointer = percent_decode_str(reference.strip_prefix('#')?)
        .decode_utf8()
        .ok()?;
    Some(pointer.into_owned())
}

/// A value of a tag as a text, if it can be one.
fn tag_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Tells whether null is all that an alternative takes.
fn is_null(alternative: &Value) -> bool {
    alternative["type"] == "null" || alternative.get("const") == Some(&Value::Null)
}

/// The only text that an alternative takes, what it is called, and its description: as a document writes
/// an enum whose values it describes.
fn only_text(alternative: &Value) -> Option<(&str, &str, &str)> {
    let text = match (alternative.get("const"), alternative["enum"].as_array()) {
        (Some(value), _) => value.as_str()?,
        (None, Some(values)) if values.len() == 1 => values[0].as_str()?,
        _ => return None,
    };
    let title = alternative["title"].as_str().unwrap_or(text);
    let description = alternative["description"].as_str().unwrap_or_default();
    Some((text, title, description))
}

/// Name of an alternative among the others.
fn label(alternative: &Value, index: usize) -> String {
    let reference = alternative["$ref"].as_str();
    let kind = alternative["type"]
        .as_str()
        .filter(|kind| *kind != "object");
    match (reference, alternative["title"].as_str(), kind) {
        (Some(reference), _, _) => last(reference),
        (None, Some(title), _) => title.to_owned(),
        (None, None, Some(kind)) => kind.to_owned(),
        (None, None, None) => format!("alternative {}", index + 1),
    }
}

/// The values of the discriminator that mean an alternative: those that its mapping has for it, or
/// else the name of what it refers to.
fn tags(discriminator: &Value, alternative: &Value) -> Vec<String> {
    let Some(reference) = alternative["$ref"].as_str() else {
        return Vec::new();
    };
    let name = last(reference);
    let Some(mapping) = discriminator["mapping"].as_object() else {
        return vec![name];
    };
    let means_it = |target: &Value| target == reference || *target == name;
    let tags = mapping.iter().filter(|(_, target)| means_it(target));
    tags.map(|(tag, _)| tag.clone()).collect()
}

/// Tells whether an alternative is a type of its own, and not only a condition on the members of the whole.
fn says_kind(alternative: &Value) -> bool {
    let schema = alternative.as_object();
    schema.is_some_and(|schema| says_more_than("required", schema))
}

/// Tells whether a schema says what kind of value it takes by another keyword too.
fn says_more_than(keyword: &str, schema: &Schema) -> bool {
    let mut others = KINDS.iter().filter(|kind| **kind != keyword);
    others.any(|kind| schema.contains_key(*kind))
}

/// The type that the keywords of a schema speak of where it says none.
fn implied(schema: &Schema) -> &'static str {
    let says = |keywords: &[&str]| keywords.iter().any(|keyword| schema.contains_key(*keyword));
    if says(&[
        "properties",
        "additionalProperties",
        "patternProperties",
        "required",
    ]) {
        "object"
    } else if says(&["items", "prefixItems"]) {
        "array"
    } else {
        "anything"
    }
}

fn is_object(schema: &Schema) -> bool {
    let said = schema.get("type").and_then(Value::as_str);
    said.unwrap_or_else(|| implied(schema)) == "object"
}

fn is_component(pointer: &str) -> bool {
    let parent = pointer.rsplit_once('/').map(|(parent, _)| parent);
    parent == Some(COMPONENTS)
}

/// The description of a schema, and what limits its values: the type does not say it.
pub(crate) fn described(schema: &Value) -> String {
    let mut paragraphs = vec![text(schema, "description").trim_end().to_owned()];
    for (schema, of) in [(schema, "Limits"), (&schema["items"], "Limits of each")] {
        let limits = limits(schema);
        if !limits.is_empty() {
            paragraphs.push(format!("{of}: {}", limits.join(", ")));
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

/// The keywords of a schema that limit a value and do not change its type.
fn limits(schema: &Value) -> Vec<String> {
    const LIMITS: [&str; 14] = [
        "format",
        "minimum",
        "exclusiveMinimum",
        "maximum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "pattern",
    ];
    /// The formats that say the type.
    const TYPES: [&str; 16] = [
        "binary",
        "date",
        "date-time",
        "double",
        "float",
        "int16",
        "int32",
        "int64",
        "int8",
        "password",
        "uint",
        "uint16",
        "uint32",
        "uint64",
        "uint8",
        "uuid",
    ];
    let limit = |keyword: &&str| match schema.get(keyword)? {
        // A limit that no value exceeds.
        Value::Bool(false) => None,
        Value::Number(least)
            if keyword.starts_with("min") && *keyword != "minimum" && least.as_u64() == Some(0) =>
        {
            None
        }
        Value::String(text) if TYPES.contains(&text.as_str()) => None,
        Value::String(text) => Some(format!("`{keyword}: {text}`")),
        value => Some(format!("`{keyword}: {value}`")),
    };
    LIMITS.iter().filter_map(limit).collect()
}

fn text(schema: &Value, keyword: &str) -> String {
    schema[keyword].as_str().unwrap_or_default().to_owned()
}
