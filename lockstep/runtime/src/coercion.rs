//! Coercion of values before they are checked.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    InvalidMember,
    contract::{members, resolve},
    request::{invalid, join},
};

/// The coercions of a schema and its parts, found once: to look for them in the schema takes more time
/// than all the rest of a check.
pub(crate) struct Coercions(Vec<Coercion>);

/// The coercion of the values of one schema.
#[derive(Default)]
struct Coercion {
    kind: Option<Kind>,
    /// The coercions of an object's members, as places in the list of all.
    members: HashMap<String, usize>,
    /// The coercion of a list's items.
    items: Option<usize>,
}

enum Kind {
    /// The white space around an e-mail address goes, as in a browser's own field for it: who types an
    /// address does not see a space around it.
    Address,
    /// A decimal string, and a number without a fraction, becomes an integer.
    Integer { is_32_bits: bool },
}

/// A place in a request.
#[derive(Clone, Copy)]
enum Place<'a> {
    Request,
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(self) -> String {
        match self {
            Self::Request => String::new(),
            Self::Member(parent, name) => join(&parent.pointer(), name),
            Self::Item(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

impl Coercions {
    /// The coercions of a schema whose references point into itself.
    pub(crate) fn new(schema: &Value) -> Self {
        let mut coercions = Self(Vec::new());
        coercions.add(schema, schema, &mut HashMap::new());
        coercions
    }

    /// Adds the coercions of a part of a schema. Answers its place in the list.
    fn add(
        &mut self,
        whole: &Value,
        schema: &Value,
        referenced: &mut HashMap<String, usize>,
    ) -> usize {
        let place = self.0.len();
        if let Some(reference) = schema["$ref"].as_str() {
            if let Some(place) = referenced.get(reference) {
                return *place;
            }
            // Before its parts, which may refer to it.
            referenced.insert(reference.to_owned(), place);
        }
        self.0.push(Coercion::default());
        let schema = resolve(whole, schema);
        let members = members(&schema["properties"])
            .map(|(name, schema)| (name.clone(), self.add(whole, schema, referenced)));
        self.0[place] = Coercion {
            members: members.collect(),
            kind: Kind::of(schema),
            items: schema
                .get("items")
                .map(|items| self.add(whole, items, referenced)),
        };
        place
    }

    /// Coerces a value of the whole schema, and adds what is wrong with it.
    pub(crate) fn apply(&self, value: &mut Value, errors: &mut Vec<InvalidMember>) {
        self.apply_at(0, value, Place::Request, errors);
    }

    fn apply_at(
        &self,
        number: usize,
        value: &mut Value,
        place: Place<'_>,
        errors: &mut Vec<InvalidMember>,
    ) {
        let coercion = &self.0[number];
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if let Some(number) = coercion.members.get(name) {
                        self.apply_at(*number, member, Place::Member(&place, name), errors);
                    }
                }
            }
            Value::Array(items) => {
                if let Some(number) = coercion.items {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.apply_at(number, item, Place::Item(&place, index), errors);
                    }
                }
            }
            Value::String(_) | Value::Number(_) => match coercion.kind {
                Some(Kind::Address) => {
                    if let Value::String(text) = value
                        && text.trim().len() < text.len()
                    {
                        *text = text.trim().to_owned();
                    }
                }
                Some(Kind::Integer { is_32_bits }) => {
                    if let Some(integer) = integer(value) {
                        *value = integer.into();
                    }
                    if !fits(value, is_32_bits) {
                        errors.push(invalid(&place.pointer(), "is too large an integer"));
                    }
                }
                None => {}
            },
            Value::Null | Value::Bool(_) => {}
        }
    }
}

impl Kind {
    fn of(schema: &Value) -> Option<Self> {
        let is_integer = match &schema["type"] {
            Value::Array(types) => types.iter().any(|it| it == "integer"),
            kind => kind == "integer",
        };
        match schema["format"].as_str() {
            Some("email" | "idn-email") => Some(Self::Address),
            format if is_integer => Some(Self::Integer {
                is_32_bits: format == Some("int32"),
            }),
            _ => None,
        }
    }
}

/// Tells whether a value is no integer that is too large. With a fraction it is no integer at all: the
/// schema's type says so.
fn fits(value: &Value, is_32_bits: bool) -> bool {
    match value.as_i64() {
        Some(integer) => !is_32_bits || i32::try_from(integer).is_ok(),
        None => value.as_f64().is_none_or(|float| float.fract() != 0.0),
    }
}

/// The integer that a decimal string, or a number without a fraction, says.
fn integer(value: &Value) -> Option<i64> {
    // The integers that a double holds exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::String(text) => {
            let integer: i64 = text.parse().ok()?;
            (integer.to_string() == *text).then_some(integer)
        }
        Value::Number(number) => {
            let float = number.as_f64()?;
            let is_exact = number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT;
            is_exact.then_some(float as i64)
        }
        _ => None,
    }
}
