//! A document's text as a JSON value, with the line and column of each part.

use std::{borrow::Cow, collections::HashMap};

use saphyr::{MarkedYaml, Marker, Scalar, ScalarStyle, ScanError, Tag, YamlData, YamlLoader};
use saphyr_parser::Parser;
use serde_json::{Map, Number, Value};

use crate::{Diagnostic, pointers::join};

/// A line and a column, both from 1.
pub(crate) type Place = (usize, usize);

/// Value of a YAML (or JSON) text, with the places of its parts.
#[derive(Debug)]
pub(crate) struct Source {
    file: String,
    pub(crate) value: Value,
    places: HashMap<String, Place>,
    /// The digits of numbers that their JSON value does not reproduce, by pointer.
    numbers: HashMap<String, String>,
}

impl Source {
    /// Reads the text. `file` is its name in diagnostics.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut source = Self {
            file: file.to_owned(),
            value: Value::Null,
            places: HashMap::new(),
            numbers: HashMap::new(),
        };
        let diagnostic = |(line, column), reason| {
            vec![Diagnostic {
                file: file.to_owned(),
                line,
                column,
                pointer: String::new(),
                reason,
            }]
        };
        let text = with_whole_characters(text).map_err(|place| {
            let reason =
                "is half of a surrogate pair: write the \\u escape of the other half after it";
            diagnostic(place, reason.to_owned())
        })?;
        let documents = load(&text).map_err(|error| {
            let place = (error.marker().line(), error.marker().col() + 1);
            diagnostic(place, format!("is not YAML: {}", error.info()))
        })?;
        let [document] = documents.as_slice() else {
            return Err(vec![source.diagnostic(
                "",
                format!("has {} YAML documents instead of one", documents.len()),
            )]);
        };
        let mut diagnostics = Vec::new();
        source.value = source.convert(
            document,
            String::new(),
            document.span.start,
            &mut diagnostics,
        );
        if diagnostics.is_empty() {
            Ok(source)
        } else {
            Err(diagnostics)
        }
    }

    /// Creates a diagnostic for `pointer`, with the position of the nearest parent that has one.
    pub(crate) fn diagnostic(&self, pointer: &str, reason: impl Into<String>) -> Diagnostic {
        let mut known = pointer;
        let (line, column) = loop {
            match self.places.get(known) {
                Some(place) => break *place,
                None => match known.rfind('/') {
                    Some(end) => known = &known[..end],
                    None => break (1, 1),
                },
            }
        };
        Diagnostic {
            file: self.file.clone(),
            line,
            column,
            pointer: pointer.to_owned(),
            reason: reason.into(),
        }
    }

    /// Returns the value at `pointer`.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer)
    }

    /// Gives the new value at `pointer` the position of `other`.
    pub(crate) fn place_like(&mut self, pointer: String, other: &str) {
        if let Some(place) = self.places.get(other) {
            self.places.insert(pointer, *place);
        }
    }

    /// A value as JSON, with the numbers of the text digit by digit as they are written there.
    pub(crate) fn json(&self, value: &Value) -> String {
        if self.numbers.is_empty() {
            return value.to_string();
        }
        let mut text = String::new();
        self.write(value, String::new(), &mut text);
        text
    }

    fn write(&self, value: &Value, pointer: String, text: &mut String) {
        match value {
            Value::Object(object) => {
                let mut separator = "{";
                for (name, member) in object {
                    text.push_str(separator);
                    text.push_str(&Value::from(name.as_str()).to_string());
                    text.push(':');
                    self.write(member, join(&pointer, name), text);
                    separator = ",";
                }
                text.push_str(if object.is_empty() { "{}" } else { "}" });
            }
            Value::Array(items) => {
                let mut separator = "[";
                for (index, item) in items.iter().enumerate() {
                    text.push_str(separator);
                    self.write(item, format!("{pointer}/{index}"), text);
                    separator = ",";
                }
                text.push_str(if items.is_empty() { "[]" } else { "]" });
            }
            Value::Number(_) if self.numbers.contains_key(&pointer) => {
                text.push_str(&self.numbers[&pointer]);
            }
            scalar => text.push_str(&scalar.to_string()),
        }
    }

    fn convert(
        &mut self,
        node: &MarkedYaml<'_>,
        pointer: String,
        start: Marker,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Value {
        self.places
            .insert(pointer.clone(), (start.line(), start.col() + 1));
        match &node.data {
            YamlData::Representation(text, style, tag) => {
                self.scalar(text, *style, tag.as_ref(), &pointer, diagnostics)
            }
            YamlData::Sequence(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    self.convert(
                        item,
                        format!("{pointer}/{index}"),
                        item.span.start,
                        diagnostics,
                    )
                })
                .collect(),
            YamlData::Mapping(members) => {
                let mut object = Map::new();
                for (key, member) in members {
                    let place = key.span.start;
                    let name = match &key.data {
                        YamlData::Representation(name, style, _) => match name.as_ref() {
                            "<<" if *style == ScalarStyle::Plain => Err(
                                "YAML 1.2 has no merge keys: write the members out, or quote the key",
                            ),
                            name => Ok(name.to_owned()),
                        },
                        _ => Err("has a key that is not a scalar, which JSON does not allow"),
                    };
                    let name = match name {
                        // The same text quoted and plain is one key for JSON, and two for YAML.
                        Ok(name) if object.contains_key(&name) => Err("is a duplicate member"),
                        name => name,
                    };
                    match name {
                        Ok(name) => {
                            let value =
                                self.convert(member, join(&pointer, &name), place, diagnostics);
                            object.insert(name, value);
                        }
                        Err(reason) => {
                            let mut diagnostic = self.diagnostic(&pointer, reason);
                            diagnostic.line = place.line();
                            diagnostic.column = place.col() + 1;
                            diagnostics.push(diagnostic);
                        }
                    }
                }
                Value::Object(object)
            }
            YamlData::Tagged(tag, _) => {
                diagnostics.push(self.diagnostic(&pointer, unknown_tag(tag)));
                Value::Null
            }
            YamlData::Value(_) | YamlData::Alias(_) | YamlData::BadValue => {
                diagnostics.push(self.diagnostic(&pointer, "is not a JSON value"));
                Value::Null
            }
        }
    }

    /// The value of a scalar by YAML's core schema.
    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Cow<'_, Tag>>,
        pointer: &str,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Value {
        let mut refuse = |source: &Self, reason: String| {
            diagnostics.push(source.diagnostic(pointer, reason));
            Value::Null
        };
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            return refuse(self, unknown_tag(tag));
        }
        let scalar = Scalar::parse_from_cow_and_metadata(text.into(), style, tag);
        let number = match scalar {
            Some(Scalar::Null) => return Value::Null,
            Some(Scalar::Boolean(value)) => return Value::Bool(value),
            Some(Scalar::String(value)) => return Value::String(value.into_owned()),
            Some(Scalar::Integer(value)) => Some(Number::from(value)),
            Some(Scalar::FloatingPoint(value)) => {
                let integer = text.parse::<u64>().ok().map(Number::from);
                integer.or_else(|| Number::from_f64(value.into_inner()))
            }
            None => return refuse(self, format!("is not of the type of its tag: {text}")),
        };
        let Some(number) = number else {
            return refuse(self, format!("is not a JSON number: {text}"));
        };
        if number.to_string() != text && serde_json::from_str::<Number>(text).is_ok() {
            self.numbers.insert(pointer.to_owned(), text.to_owned());
        }
        Value::Number(number)
    }
}

/// The documents of a text, scalars as they are written.
fn load(text: &str) -> Result<Vec<MarkedYaml<'_>>, ScanError> {
    let mut loader = YamlLoader::default();
    loader.early_parse(false);
    Parser::new_from_str(text).load(&mut loader, true)?;
    match loader.error() {
        Some(error) => Err(error.clone()),
        None => Ok(loader.into_documents()),
    }
}

fn unknown_tag(tag: &Tag) -> String {
    format!("has the unknown tag {tag}: write out its value")
}

/// A JSON text with the two halves of a character beyond `\uFFFF` replaced by YAML's escape, since
/// YAML does not support surrogate pairs; other texts are unchanged.
///
/// # Errors
///
/// Line and column of a half without the other.
fn with_whole_characters(text: &str) -> Result<Cow<'_, str>, Place> {
    let is_json = text.trim_start().starts_with(['{', '[']);
    if !is_json || !text.contains("\\u") {
        return Ok(text.into());
    }
    let mut whole = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let mut rest = line;
        while let Some(escape) = rest.find('\\') {
            let place = (index + 1, line.len() - rest.len() + escape + 1);
            whole.push_str(&rest[..escape]);
            rest = &rest[escape..];
            let unit = |at: usize| {
                let digits = rest.get(at..at + 6)?.strip_prefix("\\u")?;
                u16::from_str_radix(digits, 16).ok()
            };
            let length = match unit(0) {
                Some(first @ 0xd800..=0xdfff) => {
                    let units = [first, unit(6).ok_or(place)?];
                    let character = char::decode_utf16(units).next().and_then(Result::ok);
                    let character = u32::from(character.ok_or(place)?);
                    whole.push_str(&format!("\\U{character:08X}"));
                    12
                }
                Some(_) => {
                    whole.push_str(&rest[..6]);
                    6
                }
                // A backslash and the character that it escapes.
                None => {
                    let escaped = rest.chars().nth(1).map_or(0, char::len_utf8);
                    whole.push_str(&rest[..1 + escaped]);
                    1 + escaped
                }
            };
            rest = &rest[length..];
        }
        whole.push_str(rest);
    }
    Ok(whole.into())
}
