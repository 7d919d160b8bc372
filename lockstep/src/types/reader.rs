//! Schemas -> types.
//!
//! A type holds every value that its schema takes; it may hold others too, which are for the check
//! against the schema to refuse. If there is no better type, it is any JSON value, with the reason.

mod objects;
mod unions;

use std::collections::{BTreeSet, HashMap, HashSet};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use self::unions::{is_null, only_text, says_kind};
use super::{
    model::{Named, Shape, Type, TypeId, Variant},
    writer::PRELUDE,
};
use crate::{
    names::Scope,
    pointers::{contents, free_schema_name, join, last, members, resolve},
};

/// Keywords that determine the kind of a schema's values; a schema without any accepts every JSON
/// value.
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

    /// Returns the types that have a name, and the errors of schemas with their pointers.
    pub(crate) fn finish(self) -> (Vec<Named>, Vec<(String, String)>) {
        let named = self.named.into_iter();
        (named.filter_map(|(_, named)| named).collect(), self.wrong)
    }

    /// Returns true if all values of a type are objects.
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
    /// component always has one.
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

    /// The type of the keyword `type`, or the one that the other keywords imply.
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

    /// One of several strings: each with its JSON value, its name and its description.
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

/// The pointer to the target of a reference within the document.
pub(crate) fn target(reference: &str) -> Option<String> {
    let pointer = percent_decode_str(reference.strip_prefix('#')?)
        .decode_utf8()
        .ok()?;
    Some(pointer.into_owned())
}

/// Returns true if another keyword also determines the kind of the schema's values.
fn says_more_than(keyword: &str, schema: &Schema) -> bool {
    let mut others = KINDS.iter().filter(|kind| **kind != keyword);
    others.any(|kind| schema.contains_key(*kind))
}

/// The type that the keywords of a schema without `type` imply.
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
