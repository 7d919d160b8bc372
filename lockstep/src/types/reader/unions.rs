//! Alternatives.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{DEPTH, Schema, TypeReader, says_more_than, target};
use crate::{
    names::Scope,
    pointers::last,
    types::model::{Alternative, Shape, Type, Union},
};

impl<'a> TypeReader<'a> {
    /// The type of a schema with alternatives, which stand at `pointer`.
    pub(super) fn one_of(
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
            // Every value is also of that type.
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

    /// The member in which each alternative has a constant of its own, if there is one: it tells
    /// them apart where no discriminator does.
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

    /// The target of a reference, or the schema itself if it is not one.
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

    pub(super) fn union(
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
}

/// A value of a tag as a text, if it can be one.
fn tag_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns true if an alternative accepts null only.
pub(super) fn is_null(alternative: &Value) -> bool {
    alternative["type"] == "null" || alternative.get("const") == Some(&Value::Null)
}

/// The only text that an alternative takes, its name and its description: the form in which
/// documents describe the values of an enum.
pub(super) fn only_text(alternative: &Value) -> Option<(&str, &str, &str)> {
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
/// the name of the schema that it refers to.
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

/// Returns true if an alternative is a type of its own, and not only a condition on the members of
/// the whole.
pub(super) fn says_kind(alternative: &Value) -> bool {
    let schema = alternative.as_object();
    schema.is_some_and(|schema| says_more_than("required", schema))
}
