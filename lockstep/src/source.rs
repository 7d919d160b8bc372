//! A document's text as a JSON value that knows where each of its parts stands.

use std::collections::HashMap;

use saphyr::{LoadableYamlNode, MarkedYaml, Marker, Scalar, YamlData};
use serde_json::{Map, Number, Value};

use crate::{Refusal, pointers::join};

/// A line and a column, both from 1.
pub(crate) type Place = (usize, usize);

/// What a YAML (or JSON) text says, and where it says it.
#[derive(Debug)]
pub(crate) struct Source {
    file: String,
    pub(crate) value: Value,
    places: HashMap<String, Place>,
}

impl Source {
    /// Reads the text. `file` only names it in refusals.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, Vec<Refusal>> {
        let mut source = Self {
            file: file.to_owned(),
            value: Value::Null,
            places: HashMap::new(),
        };
        let documents = MarkedYaml::load_from_str(text).map_err(|error| {
            vec![Refusal {
                file: file.to_owned(),
                line: error.marker().line(),
                column: error.marker().col() + 1,
                pointer: String::new(),
                reason: format!("is not YAML: {}", error.info()),
            }]
        })?;
        let [document] = documents.as_slice() else {
            return Err(vec![source.refusal(
                "",
                format!("holds {} YAML documents instead of one", documents.len()),
            )]);
        };
        let mut refusals = Vec::new();
        source.value = source.convert(document, String::new(), document.span.start, &mut refusals);
        if refusals.is_empty() {
            Ok(source)
        } else {
            Err(refusals)
        }
    }

    /// A refusal of what stands at `pointer`, or else of the nearest thing around it.
    pub(crate) fn refusal(&self, pointer: &str, reason: impl Into<String>) -> Refusal {
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
        Refusal {
            file: self.file.clone(),
            line,
            column,
            pointer: pointer.to_owned(),
            reason: reason.into(),
        }
    }

    /// What stands at `pointer`.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer)
    }

    /// Says that what was put at `pointer` stands where `other` stands in the text.
    pub(crate) fn place_like(&mut self, pointer: String, other: &str) {
        if let Some(place) = self.places.get(other) {
            self.places.insert(pointer, *place);
        }
    }

    fn convert(
        &mut self,
        node: &MarkedYaml<'_>,
        pointer: String,
        start: Marker,
        refusals: &mut Vec<Refusal>,
    ) -> Value {
        self.places
            .insert(pointer.clone(), (start.line(), start.col() + 1));
        match &node.data {
            YamlData::Value(scalar) => match scalar {
                Scalar::Null => Value::Null,
                Scalar::Boolean(value) => Value::Bool(*value),
                Scalar::Integer(value) => Value::Number((*value).into()),
                Scalar::String(value) => Value::String(value.to_string()),
                Scalar::FloatingPoint(value) => match Number::from_f64(value.into_inner()) {
                    Some(number) => Value::Number(number),
                    None => {
                        refusals.push(self.refusal(&pointer, "JSON has no such number"));
                        Value::Null
                    }
                },
            },
            YamlData::Sequence(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    self.convert(
                        item,
                        format!("{pointer}/{index}"),
                        item.span.start,
                        refusals,
                    )
                })
                .collect(),
            YamlData::Mapping(members) => {
                let mut object = Map::new();
                for (key, member) in members {
                    let YamlData::Value(Scalar::String(name)) = &key.data else {
                        let mut refusal =
                            self.refusal(&pointer, "a key that is not a string: quote it");
                        refusal.line = key.span.start.line();
                        refusal.column = key.span.start.col() + 1;
                        refusals.push(refusal);
                        continue;
                    };
                    let inner = join(&pointer, name);
                    let value = self.convert(member, inner, key.span.start, refusals);
                    object.insert(name.to_string(), value);
                }
                Value::Object(object)
            }
            YamlData::Tagged(_, node) => self.convert(node, pointer, start, refusals),
            YamlData::Representation(..) | YamlData::Alias(_) | YamlData::BadValue => {
                refusals.push(self.refusal(&pointer, "is no value that JSON has"));
                Value::Null
            }
        }
    }
}
